"""The district put together: streets, buildings and damage, ground, marks and loose things.

Local metres (east, north, up from ``options.ORIGIN_M``).
"""

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Float32Array
from aftermap.model.assessment import Grade
from aftermap_twin.city.buildings import TwinBuilding, building_on, facts_of, varied_building_on
from aftermap_twin.city.extras import add_extras
from aftermap_twin.city.fronts import add_fronts
from aftermap_twin.city.furniture import furnish
from aftermap_twin.city.ground import cover_of, ground_of
from aftermap_twin.city.layout import Lot, TownPlan, area_m2, plan_over, sides_m
from aftermap_twin.city.rubble import heaps_of
from aftermap_twin.city.scatter import hang_slabs, litter_floors, scatter_things
from aftermap_twin.city.shell import WallTable, build
from aftermap_twin.marks import mark_places
from aftermap_twin.mesh import Material, MeshBuilder, TriangleMesh
from aftermap_twin.options import TwinOptions
from aftermap_twin.scene import Scene
from aftermap_twin.site import HEIGHT_STEP_M, Extent, TwinGround, at, rolling_m, smooth_noise

GRADES = tuple(Grade)
LEVELS_SHARE = (0.2, 0.3, 0.26, 0.14, 0.1)
"""How many buildings have one floor, two, ... five."""


def make_city(options: TwinOptions, extent: Extent, often_seen: BoolArray) -> Scene:
    """The district over ``extent``; marks lie where ``often_seen``.

    That is a mask (rows, columns) of HEIGHT_STEP_M samples.
    """
    rng = np.random.default_rng([options.seed, 31])
    low, high = np.array(extent.low_m), np.array(extent.high_m)
    plan = plan_over(rng, low - 8, high + 8)
    bare = rolling_m(extent, options.relief_m, options.seed)
    buildings = () if options.flat else _buildings(rng, options, plan, extent, bare)
    cover = cover_of(rng, plan, extent, vacant=options.flat)
    heaps = heaps_of(rng, extent, buildings)
    marks_xy = mark_places(options, extent, often_seen, heaps, cover)
    ground = ground_of(rng, options, extent, plan, bare, cover, heaps, marks_xy)
    marks = ground.placed(marks_xy)
    mesh, walls = _mesh(rng, options, plan, ground, buildings, marks)
    return Scene(
        extent=extent,
        streets=plan.streets,
        ground=ground,
        buildings=tuple(facts_of(building) for building in buildings),
        marks_m=marks,
        mesh=mesh,
        surfaces=walls,
    )


def _buildings(
    rng: np.random.Generator,
    options: TwinOptions,
    plan: TownPlan,
    extent: Extent,
    bare: Float32Array,
) -> tuple[TwinBuilding, ...]:
    """A building on every lot meant for one; damage comes in patches, in the asked shares."""
    lots = [lot for lot in plan.lots if _is_buildable(lot, extent)]
    struck = smooth_noise(rng, extent, HEIGHT_STEP_M, 70)
    centres = np.array([lot.corners_m.mean(0) for lot in lots]).reshape(-1, 2)
    severity = at(struck, extent, HEIGHT_STEP_M, centres) + rng.normal(0, 0.55, len(lots))
    rank = np.argsort(np.argsort(severity)) / max(1, len(lots))
    limits = np.cumsum(options.damage_mix) / sum(options.damage_mix)
    made = []
    for number, lot in enumerate(lots):
        grade = GRADES[min(4, int(np.searchsorted(limits, rank[number], side="right")))]
        base = float(at(bare, extent, HEIGHT_STEP_M, lot.corners_m).max()) + 0.15
        levels = int(rng.choice(np.arange(1, 6), p=LEVELS_SHARE))
        put = varied_building_on if options.variety else building_on
        made.append(put(rng, number + 1, lot, grade, base, levels))
    return tuple(made)


def _is_buildable(lot: Lot, extent: Extent) -> bool:
    inside = (lot.corners_m > np.array(extent.low_m)) & (lot.corners_m < np.array(extent.high_m))
    roomy = min(sides_m(lot.corners_m)) > 5.5 and area_m2(lot.corners_m) > 45
    return lot.use == "building" and roomy and bool(inside.all())


def _mesh(
    rng: np.random.Generator,
    options: TwinOptions,
    plan: TownPlan,
    ground: TwinGround,
    buildings: tuple[TwinBuilding, ...],
    marks: Array,
) -> tuple[TriangleMesh, Float32Array]:
    mesh, walls = MeshBuilder(), WallTable()
    _add_ground(mesh, ground)
    for building in buildings:
        build(rng, building, mesh, walls)
        if options.variety:
            add_extras(rng, building, ground, mesh)
        if building.roofing is None and not building.is_pancaked:
            furnish(rng, building, mesh)
        add_fronts(rng, building, ground, mesh)
        hang_slabs(rng, building, mesh)
        litter_floors(rng, building, mesh)
    if not options.flat:
        scatter_things(rng, mesh, ground, plan, marks)
    return mesh.mesh(), walls.array()


def _add_ground(mesh: MeshBuilder, ground: TwinGround) -> None:
    east, north = ground.extent.samples(HEIGHT_STEP_M)
    index = np.arange(east.size).reshape(east.shape)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    points = np.stack([east, north, ground.height_m], -1)
    mesh.add(points, faces, Material.GROUND, (0.4, 0.36, 0.3))
