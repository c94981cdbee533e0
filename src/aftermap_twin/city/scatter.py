"""Where loose things lie and stand: blocks in rubble, vehicles at kerbs, trees, walls, litter."""

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.assessment import Grade
from aftermap_twin.city.buildings import CELL_M, TwinBuilding
from aftermap_twin.city.layout import Lot, TownPlan, sides_m
from aftermap_twin.city.things import (
    add_blocks,
    add_pole,
    add_slab,
    add_tree,
    add_vehicle,
    add_wall,
    cylinder,
)
from aftermap_twin.mesh import Material, MeshBuilder, box_corners, rotation_about_up
from aftermap_twin.scene import StreetAxis
from aftermap_twin.site import HEIGHT_STEP_M, TwinGround, at


def scatter_things(
    rng: np.random.Generator, mesh: MeshBuilder, ground: TwinGround, plan: TownPlan, marks: Array
) -> None:
    """Put everything loose where it belongs, away from the marks (M, 2) in local metres."""
    _strew_blocks(rng, mesh, ground)
    for street in plan.streets:
        _park(rng, mesh, ground, street, marks)
        _line(rng, mesh, ground, street, marks)
    for lot in plan.lots:
        if lot.use != "building":
            _plant(rng, mesh, ground, lot, marks)


def hang_slabs(rng: np.random.Generator, building: TwinBuilding, mesh: MeshBuilder) -> None:
    """Broken floors that slope down from the standing part onto the heap."""
    left = building.left
    gone, standing = np.argwhere(left == 0), np.argwhere(left > 0)
    if building.grade not in {Grade.SEVERE, Grade.DESTROYED} or not len(gone):
        return
    padded = np.pad(left, 1, constant_values=1)
    edges = [rc for rc in standing if (padded[rc[0] : rc[0] + 3, rc[1] : rc[1] + 3] == 0).any()]
    if edges:
        out = building.world(*gone.mean(0)[::-1]) - building.world(*standing.mean(0)[::-1])
        heading = float(np.arctan2(out[1], out[0]))
        for _ in range(int(rng.integers(2, 6))):
            row, column = edges[rng.integers(len(edges))]
            high = building.base_m + building.floor_m * rng.integers(1, left[row, column] + 1)
            top = np.array([*building.world(column, row), high])
            add_slab(rng, mesh, top, heading, rng.uniform(2.5, 5.0), building.tone)
    for _ in range(int(len(gone) * CELL_M**2 / 14)):
        row, column = gone[rng.integers(len(gone))]
        high = building.base_m + rng.uniform(0.4, 1.0 + 0.3 * building.levels)
        foot = np.array([*building.world(column, row), high])
        add_slab(rng, mesh, foot, rng.random() * 6.3, rng.uniform(1.5, 4.0), building.tone)


def litter_floors(rng: np.random.Generator, building: TwinBuilding, mesh: MeshBuilder) -> None:
    """Broken pieces on floors that lie open under what was above them."""
    cells = np.argwhere((building.left > 0) & (building.left < building.levels))
    few = cells[rng.random(len(cells)) < 0.3]
    if not len(few):
        return
    spots = few + rng.uniform(0.1, 0.9, few.shape)
    xy = building.world(spots[:, 1], spots[:, 0])
    floor = building.base_m + building.left[few[:, 0], few[:, 1]] * building.floor_m
    sizes = np.clip(np.exp(rng.normal(-0.7, 0.5, len(few))), 0.15, 1.6)
    add_blocks(rng, mesh, np.column_stack([xy, floor]), sizes)


def _strew_blocks(rng: np.random.Generator, mesh: MeshBuilder, ground: TwinGround) -> None:
    size = np.array(ground.extent.high_m) - ground.extent.low_m
    spots = ground.extent.low_m + rng.random((int(size.prod() * 1.1), 2)) * size
    chance = at(ground.rubble, ground.extent, HEIGHT_STEP_M, spots) ** 1.6
    feet = ground.placed(spots[rng.random(len(spots)) < chance * 0.55])
    sizes = np.clip(np.exp(rng.normal(-0.75, 0.55, len(feet))), 0.15, 2.6)
    add_blocks(rng, mesh, feet, sizes)


def _is_clear(ground: TwinGround, xy: Array, marks: Array, reach_m: float) -> bool:
    """Whether a place is off the marks, off buildings and inside the district."""
    far = not len(marks) or float(np.linalg.norm(marks[:, :2] - xy, axis=1).min()) > reach_m
    return far and ground.is_inside(xy) and ground.value(ground.built, xy) < 0.05


def _park(
    rng: np.random.Generator,
    mesh: MeshBuilder,
    ground: TwinGround,
    street: StreetAxis,
    marks: Array,
) -> None:
    if street.width_m < 4.5:
        return
    heading = float(np.arctan2(street.forward[1], street.forward[0]))
    kerb = street.width_m / 2 - 1.3
    for _ in range(int(rng.poisson(street.length_m / 18))):
        aside = rng.choice([-1, 1]) * kerb if rng.random() < 0.85 else rng.normal(0, 1)
        along = rng.uniform(6, max(7, street.length_m - 6))
        xy = street.axis_m[0] + street.forward * along + street.side * aside
        rubble = ground.value(ground.rubble, xy)
        if _is_clear(ground, xy, marks, 6.0) and rubble < 0.5:
            turn = heading + rng.normal(0, 0.05) + rng.choice([0, np.pi])
            burnt = bool(rng.random() < 0.12 + 0.8 * rubble)
            add_vehicle(rng, mesh, ground.placed(xy)[0], turn, burnt=burnt)


def _line(
    rng: np.random.Generator,
    mesh: MeshBuilder,
    ground: TwinGround,
    street: StreetAxis,
    marks: Array,
) -> None:
    """Lamp posts of wide streets, and barrels, crates and heaps of refuse along every kerb."""
    for along in np.arange(9.0, street.length_m - 6, 28.0) if street.width_m > 7 else ():
        xy = street.axis_m[0] + street.forward * along + street.side * (street.width_m / 2 - 0.2)
        if _is_clear(ground, xy, marks, 4.0) and rng.random() < 0.6:
            add_pole(mesh, ground.placed(xy)[0], float(rng.uniform(6, 8)))
    for _ in range(int(rng.poisson(street.length_m / 9))):
        aside = rng.choice([-1, 1]) * (street.width_m / 2 + rng.uniform(-0.7, 0.6))
        along = rng.uniform(3, max(4, street.length_m - 3))
        xy = street.axis_m[0] + street.forward * along + street.side * aside
        if _is_clear(ground, xy, marks, 3.0):
            _refuse(rng, mesh, ground.placed(xy)[0])


def _refuse(rng: np.random.Generator, mesh: MeshBuilder, foot: Array) -> None:
    shade = rng.uniform(0.08, 0.42)
    tone = (shade, shade * rng.uniform(0.75, 1.0), shade * rng.uniform(0.6, 1.0))
    if rng.random() < 0.3:
        cylinder(mesh, foot, 0.3, 0.9, tone, 8)
        return
    for _ in range(int(rng.integers(1, 6))):
        size = rng.uniform(0.2, 1.1, 3) * [1, 1, 0.6]
        centre = foot + np.array([*rng.normal(0, 0.5, 2), size[2] / 2])
        corners = box_corners(centre, size, rotation_about_up(rng.random() * 6.3))
        mesh.add_box(corners, Material.PLAIN, tone)


def _plant(
    rng: np.random.Generator, mesh: MeshBuilder, ground: TwinGround, lot: Lot, marks: Array
) -> None:
    """Trees in gardens and on open lots, and walls round them."""
    centre, spread = lot.corners_m.mean(0), min(sides_m(lot.corners_m)) * 0.38
    for _ in range(int(rng.integers(3, 9) if lot.use == "garden" else rng.integers(0, 3))):
        xy = centre + rng.uniform(-1, 1, 2) * spread
        if _is_clear(ground, xy, marks, 6.0):
            add_tree(rng, mesh, ground.placed(xy)[0])
    shade = rng.uniform(0.34, 0.46)
    for k in range(4):
        a, b = lot.corners_m[k], lot.corners_m[(k + 1) % 4]
        middle = (a + b) / 2
        if rng.random() < 0.55 and _is_clear(ground, middle, marks, 5.0):
            ends = np.array([a, a * 0.1 + b * 0.9])
            if all(ground.is_inside(end) for end in ends):
                start, end = ground.placed(ends)
                tone = (shade, shade * 0.95, shade * 0.85)
                add_wall(mesh, start, end, float(rng.uniform(1.4, 2.3)), tone)
