"""An estate put together: plan, blocks and their ruin, land, marks and what stands about."""

from dataclasses import replace

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Float32Array
from aftermap.model.assessment import Grade
from aftermap_twin.blocks.damage import Ruin, grade_of_toll, ruin_of, toll_of
from aftermap_twin.blocks.fittings import fit_roof, furnish_estate, strew_ruin
from aftermap_twin.blocks.frames import EstateBlock, block_on
from aftermap_twin.blocks.land import estate_cover, estate_heaps, estate_land
from aftermap_twin.blocks.layout import Estate, estate_over
from aftermap_twin.blocks.materials import BlocksMaterial, PanelRows
from aftermap_twin.blocks.panels import raise_block
from aftermap_twin.marks import mark_places
from aftermap_twin.mesh import MeshBuilder, TriangleMesh, grid_quads
from aftermap_twin.options import TwinOptions
from aftermap_twin.scene import Scene, TrueBuilding
from aftermap_twin.site import HEIGHT_STEP_M, Extent, TwinGround, at, rolling_m

GRADES = tuple(Grade)
SOIL: tuple[float, float, float] = (0.2, 0.2, 0.15)


def make_blocks(options: TwinOptions, extent: Extent, often_seen: BoolArray) -> Scene:
    """The estate over ``extent``, in local metres; marks lie where ``often_seen``.

    ``often_seen`` is a (rows, columns) mask by HEIGHT_STEP_M, the first row in the south.
    """
    rng = np.random.default_rng([options.seed, 231])
    estate = estate_over(rng, np.array(extent.low_m), np.array(extent.high_m))
    if options.flat:
        estate = replace(estate, pitches=())
    bare = rolling_m(extent, options.relief_m, options.seed)
    blocks, ruins = ruined_blocks(rng, options, estate, extent, bare)
    cover = estate_cover(rng, estate, extent)
    heaps = estate_heaps(rng, extent, blocks, ruins)
    marks_xy = mark_places(options, extent, often_seen, heaps, cover)
    ground = estate_land(rng, estate, bare, extent, cover, heaps, marks_xy)
    marks = ground.placed(marks_xy)
    mesh, surfaces = _mesh(rng, ground, estate, (blocks, ruins), marks)
    return Scene(
        extent=extent,
        streets=estate.avenues,
        ground=ground,
        buildings=tuple(map(_facts, blocks, ruins)),
        marks_m=marks,
        mesh=mesh,
        surfaces=surfaces,
    )


def ruined_blocks(
    rng: np.random.Generator,
    options: TwinOptions,
    estate: Estate,
    extent: Extent,
    bare: Float32Array,
) -> tuple[tuple[EstateBlock, ...], tuple[Ruin, ...]]:
    """Blocks on every pitch, damaged in the asked shares, worse towards one side.

    ``bare`` (rows, columns) is the height of the ground in local metres, by HEIGHT_STEP_M.
    """
    pitches = estate.pitches
    centres = np.array([pitch.centre_m for pitch in pitches]).reshape(-1, 2)
    angle = rng.random() * 2 * np.pi
    span = float(np.ptp(np.array([extent.low_m, extent.high_m])))
    force = centres @ np.array([np.cos(angle), np.sin(angle)]) / span
    rank = np.argsort(np.argsort(force + rng.normal(0, 0.35, len(centres)))) / max(1, len(centres))
    limits = np.cumsum(options.damage_mix) / sum(options.damage_mix)
    blocks, ruins = [], []
    for number, pitch in enumerate(pitches):
        grade = GRADES[min(4, int(np.searchsorted(limits, rank[number], side="right")))]
        base = float(at(bare, extent, HEIGHT_STEP_M, centres[number][None])[0]) + 0.35
        block = block_on(rng, number + 1, pitch, base)
        if grade is not Grade.NONE:
            block = replace(block, is_unfinished=False)
        blocks.append(block)
        ruins.append(ruin_of(rng, block, grade))
    return tuple(blocks), tuple(ruins)


def _mesh(
    rng: np.random.Generator,
    ground: TwinGround,
    estate: Estate,
    built: tuple[tuple[EstateBlock, ...], tuple[Ruin, ...]],
    marks: Array,
) -> tuple[TriangleMesh, Float32Array]:
    mesh, rows = MeshBuilder(), PanelRows()
    mesh.add_quads(grid_quads(ground.points_m()), BlocksMaterial.YARD, SOIL)
    for block, ruin in zip(*built, strict=True):
        raise_block(rng, block, ruin, mesh, rows)
        fit_roof(rng, mesh, block, ruin)
        strew_ruin(rng, mesh, ground, block, ruin)
    furnish_estate(rng, mesh, ground, estate, marks)
    return mesh.mesh(), rows.array()


def _facts(block: EstateBlock, ruin: Ruin) -> TrueBuilding:
    """What the truth says of a block."""
    toll = toll_of(block, ruin)
    ring = np.array(block.plan().exterior.coords)
    return TrueBuilding(
        number=block.number,
        grade=grade_of_toll(toll),
        levels=block.storeys,
        height_m=block.height_m,
        base_m=block.base_m,
        standing_share=1 - toll.bulk,
        rings_m=(block.world(ring),),
        centre_m=block.pitch.centre_m,
        details=(
            ("kind", block.pitch.kind),
            ("under_construction", block.is_unfinished),
            ("damage", ruin.kind),
            ("roof_open", round(toll.roof, 3)),
            ("bulk_lost", round(toll.bulk, 3)),
            ("burnt", round(toll.fire, 3)),
            ("rim_lost", round(toll.rim, 3)),
        ),
    )
