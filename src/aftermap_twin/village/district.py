"""A village put together: plan, houses and their wounds, land, marks and what stands about."""

from dataclasses import replace

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Float32Array
from aftermap.model.assessment import Grade
from aftermap_twin.marks import mark_places
from aftermap_twin.mesh import MeshBuilder, TriangleMesh, grid_quads
from aftermap_twin.options import TwinOptions
from aftermap_twin.scene import Scene, TrueBuilding
from aftermap_twin.site import HEIGHT_STEP_M, Extent, TwinGround, at, rolling_m, smooth_noise
from aftermap_twin.village.damage import Wounds, grade_of_losses, losses_of, wounds_of
from aftermap_twin.village.houses import House, house_on
from aftermap_twin.village.land import cover_over, heaps_over, land_of
from aftermap_twin.village.layout import VillagePlan, village_over
from aftermap_twin.village.materials import SurfaceRows, VillageMaterial
from aftermap_twin.village.shell import raise_house
from aftermap_twin.village.yards import furnish_village, strew_debris, top_roof

GRADES = tuple(Grade)
EARTH_TONE = (0.3, 0.26, 0.18)


def make_village(options: TwinOptions, extent: Extent, often_seen: BoolArray) -> Scene:
    """The village over ``extent``, in local metres; marks lie where ``often_seen``.

    ``often_seen`` is a (rows, columns) mask by HEIGHT_STEP_M, the first row in the south.
    """
    rng = np.random.default_rng([options.seed, 131])
    low, high = np.array(extent.low_m), np.array(extent.high_m)
    plan = village_over(rng, low, high)
    if options.flat:
        plan = VillagePlan(lanes=plan.lanes, sites=())
    bare = rolling_m(extent, options.relief_m * 2, options.seed)
    houses, wounds = _houses(rng, options, plan, extent, bare)
    cover = cover_over(rng, plan, extent)
    heaps, fire = heaps_over(rng, extent, houses, wounds)
    marks_xy = mark_places(options, extent, often_seen, heaps, cover)
    ground = land_of(rng, extent, plan.lanes, bare, cover, heaps, fire, marks_xy)
    marks = ground.placed(marks_xy)
    mesh, surfaces = _mesh(rng, ground, houses, wounds, marks)
    return Scene(
        extent=extent,
        streets=plan.lanes,
        ground=ground,
        buildings=tuple(map(_facts, houses, wounds)),
        marks_m=marks,
        mesh=mesh,
        surfaces=surfaces,
    )


def _houses(
    rng: np.random.Generator,
    options: TwinOptions,
    plan: VillagePlan,
    extent: Extent,
    bare: Float32Array,
) -> tuple[tuple[House, ...], tuple[Wounds, ...]]:
    """Houses on every site, hurt in the asked shares; neighbours share the same fate."""
    front = smooth_noise(rng, extent, HEIGHT_STEP_M, 55.0)
    centres = np.array([site.centre_m for site in plan.sites]).reshape(-1, 2)
    force = at(front, extent, HEIGHT_STEP_M, centres) + rng.normal(0, 0.7, len(centres))
    rank = np.argsort(np.argsort(force)) / max(1, len(centres))
    limits = np.cumsum(options.damage_mix) / sum(options.damage_mix)
    houses, wounds = [], []
    for number, site in enumerate(plan.sites):
        grade = GRADES[min(4, int(np.searchsorted(limits, rank[number], side="right")))]
        base = float(at(bare, extent, HEIGHT_STEP_M, site.ring()).max()) + rng.uniform(0.1, 0.4)
        house = house_on(rng, number + 1, site, base)
        if grade is not Grade.NONE and rng.random() < 0.2:
            house = replace(house, soot=float(rng.uniform(0.2, 0.7)))
        houses.append(house)
        wounds.append(wounds_of(rng, house, grade))
    return tuple(houses), tuple(wounds)


def _mesh(
    rng: np.random.Generator,
    ground: TwinGround,
    houses: tuple[House, ...],
    wounds: tuple[Wounds, ...],
    marks: Array,
) -> tuple[TriangleMesh, Float32Array]:
    mesh, rows = MeshBuilder(), SurfaceRows()
    mesh.add_quads(grid_quads(ground.points_m()), VillageMaterial.LAND, EARTH_TONE)
    for house, hurt in zip(houses, wounds, strict=True):
        raise_house(rng, house, hurt, mesh, rows)
        top_roof(rng, mesh, house, hurt)
        strew_debris(rng, mesh, ground, house, hurt)
    furnish_village(rng, mesh, ground, houses, marks)
    return mesh.mesh(), rows.array()


def _facts(house: House, wounds: Wounds) -> TrueBuilding:
    """What the truth says of a house."""
    ring = house.outline()
    losses = losses_of(house, wounds)
    return TrueBuilding(
        number=house.number,
        grade=grade_of_losses(losses),
        levels=house.storeys,
        height_m=house.storeys * house.storey_m + house.ridge_m,
        base_m=house.base_m,
        standing_share=(1 - losses.walls) * (1 - losses.open / 2),
        rings_m=(house.world(ring[:, 0], ring[:, 1]),),
        centre_m=house.site.centre_m,
        details=(
            ("roof", house.roof),
            ("covering", house.covering),
            ("damage", wounds.kind),
            ("covering_lost", round(losses.bare, 3)),
            ("roof_open", round(losses.open, 3)),
            ("walls_lost", round(losses.walls, 3)),
        ),
    )
