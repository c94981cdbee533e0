"""What hangs on façades towards the street: balconies, awnings, air conditioners."""

import numpy as np

from aftermap.geo.arrays import Array
from aftermap_twin.city.buildings import TwinBuilding
from aftermap_twin.city.shell import Side, exterior_sides, upright_box
from aftermap_twin.mesh import Material, MeshBuilder, Tone
from aftermap_twin.site import TwinGround

AWNINGS: tuple[Tone, ...] = (
    (0.30, 0.10, 0.08),
    (0.10, 0.17, 0.30),
    (0.12, 0.24, 0.16),
    (0.44, 0.38, 0.26),
    (0.40, 0.40, 0.38),
)
BAY_M = 3.1


def add_fronts(
    rng: np.random.Generator, building: TwinBuilding, ground: TwinGround, mesh: MeshBuilder
) -> None:
    """Dress every bay of every side that faces open ground."""
    cell = float(np.mean(building.cell_m))
    wide = max(2, round(BAY_M / cell))
    for side in exterior_sides(building):
        first, last = np.array(side.start), np.array(side.end)
        count = int(np.abs(last - first).max())
        step = (last - first) // max(1, count)
        kind = rng.choice(["bare", "balcony", "awning"], p=[0.4, 0.35, 0.25])
        for at in range(0, count - wide + 1, wide):
            ends = np.array([first + step * at, first + step * (at + wide)], float)
            if _stands(building, side, ends) and _faces_open(building, side, ends, ground, cell):
                _dress(rng, building, side, ends, str(kind), mesh)


def _stands(building: TwinBuilding, side: Side, ends: Array) -> bool:
    """Whether every floor behind this bay still stands."""
    inside = np.array([-1 if out > 0 else 0 for out in side.out])
    cells = np.linspace(ends[0], ends[1], 5)[:-1].astype(int) + inside
    return bool((building.left[cells[:, 0], cells[:, 1]] == building.levels).all())


def _faces_open(
    building: TwinBuilding, side: Side, ends: Array, ground: TwinGround, cell: float
) -> bool:
    for reach_m in (0.8, 2.2):
        row, column = ends.mean(0) + np.array(side.out) * reach_m / cell
        xy = building.world(column, row)
        if not ground.is_inside(xy) or ground.value(ground.built, xy) > 0.02:
            return False
    return True


def _dress(
    rng: np.random.Generator,
    building: TwinBuilding,
    side: Side,
    ends: Array,
    kind: str,
    mesh: MeshBuilder,
) -> None:
    out = np.array(side.out) / np.array(building.cell_m)[::-1]
    inner = ends + (ends[::-1] - ends) * 0.08
    if kind == "awning" and rng.random() < 0.6:
        _awning(rng, building, inner, out, mesh)
    if kind == "balcony":
        for level in range(1, building.levels):
            if rng.random() < 0.75:
                _balcony(building, inner, out, building.base_m + level * building.floor_m, mesh)
    if rng.random() < 0.25 and building.levels > 1:
        low = building.base_m + building.floor_m * rng.integers(1, building.levels) + 1.9
        place = ends[0] + (ends[1] - ends[0]) * rng.uniform(0.1, 0.8)
        along = (ends[1] - ends[0]) * 0.27
        plan = np.array([place, place + along, place + along + out * 0.35, place + out * 0.35])
        box = upright_box(building, plan, low, low + 0.55)
        mesh.add_box(box, Material.PLAIN, (0.55, 0.55, 0.53))


def _balcony(
    building: TwinBuilding, ends: Array, out: Array, low: float, mesh: MeshBuilder
) -> None:
    """A slab a metre deep with a solid parapet on three sides."""
    depth, thick = out * 1.05, out * 0.1
    slab = np.array([ends[0], ends[1], ends[1] + depth, ends[0] + depth])
    mesh.add_box(upright_box(building, slab, low - 0.14, low), Material.CONCRETE, building.tone)
    edge = (ends[1] - ends[0]) * 0.035
    for plan in (
        [ends[0] + depth - thick, ends[1] + depth - thick, ends[1] + depth, ends[0] + depth],
        [ends[0], ends[0] + edge, ends[0] + edge + depth, ends[0] + depth],
        [ends[1] - edge, ends[1], ends[1] + depth, ends[1] - edge + depth],
    ):
        box = upright_box(building, np.array(plan), low, low + 0.95)
        mesh.add_box(box, Material.CONCRETE, building.tone)


def _awning(
    rng: np.random.Generator, building: TwinBuilding, ends: Array, out: Array, mesh: MeshBuilder
) -> None:
    depth = out * rng.uniform(1.0, 1.9)
    plan = np.array([ends[0], ends[1], ends[1] + depth, ends[0] + depth])
    xy = building.world(plan[:, 1], plan[:, 0])
    top = building.base_m + 2.75
    heights = np.array([top, top, top - 0.45, top - 0.45])[:, None]
    mesh.add_quads(np.hstack([xy, heights]), Material.PLAIN, AWNINGS[rng.integers(len(AWNINGS))])
