"""What stands on roofs: stair heads, water tanks, dishes, air conditioners, laundry, panels."""

import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap_twin.city.buildings import TwinBuilding
from aftermap_twin.city.shell import upright_box
from aftermap_twin.city.things import cylinder
from aftermap_twin.mesh import Material, MeshBuilder, Tone, above, box_corners, rotation_about_up

TANKS: tuple[Tone, ...] = (
    (0.62, 0.61, 0.58),
    (0.42, 0.11, 0.07),
    (0.09, 0.16, 0.30),
    (0.40, 0.41, 0.42),
)
CLOTHS: tuple[Tone, ...] = (
    (0.65, 0.64, 0.62),
    (0.10, 0.18, 0.40),
    (0.46, 0.09, 0.09),
    (0.50, 0.42, 0.15),
    (0.08, 0.25, 0.16),
)


def furnish(rng: np.random.Generator, building: TwinBuilding, mesh: MeshBuilder) -> None:
    """Put things on the part of the roof that still stands."""
    free = building.left == building.levels
    free[[0, -1]] = False
    free[:, [0, -1]] = False
    if free.sum() < 40:
        return
    _stair_head(rng, building, mesh, free)
    turn = _turn(building)
    for _ in range(int(rng.integers(1, 4))):
        _tank(rng, _spot(rng, building, free), turn, mesh)
    for kind, most in ((_dish, 4), (_air_conditioner, 4), (_laundry, 3), (_panel, 2), (_junk, 9)):
        for _ in range(int(rng.integers(0, most))):
            kind(rng, _spot(rng, building, free), turn, mesh)


def _turn(building: TwinBuilding) -> float:
    along = building.lot.corners_m[1] - building.lot.corners_m[0]
    return float(np.arctan2(along[1], along[0]))


def _spot(rng: np.random.Generator, building: TwinBuilding, free: BoolArray) -> Array:
    cells = np.argwhere(free)
    row, column = cells[rng.integers(len(cells))] + rng.uniform(0.2, 0.8, 2)
    return np.array([*building.world(column, row), building.roof_m])


def _stair_head(
    rng: np.random.Generator, building: TwinBuilding, mesh: MeshBuilder, free: BoolArray
) -> None:
    high, wide = int(rng.integers(5, 8)), int(rng.integers(6, 10))
    rows, columns = free.shape
    for _ in range(12):
        row, column = (
            int(rng.integers(1, max(2, rows - high))),
            int(rng.integers(1, max(2, columns - wide))),
        )
        place = free[row : row + high, column : column + wide]
        if place.shape == (high, wide) and place.all():
            plan = np.array(
                [
                    [row, column],
                    [row, column + wide],
                    [row + high, column + wide],
                    [row + high, column],
                ]
            )
            top = building.roof_m + rng.uniform(2.1, 2.7)
            corners = upright_box(building, plan, building.roof_m, top)
            mesh.add_box(corners, Material.CONCRETE, building.tone)
            place[:] = False
            return


def _tank(rng: np.random.Generator, spot: Array, turn: float, mesh: MeshBuilder) -> None:
    tone = TANKS[rng.integers(len(TANKS))]
    legs = rng.uniform(0.1, 0.9)
    if rng.random() < 0.35:
        size = [rng.uniform(1.0, 1.9), rng.uniform(0.9, 1.2), rng.uniform(0.8, 1.2)]
        centre = above(spot, legs + size[2] / 2)
        mesh.add_box(box_corners(centre, size, rotation_about_up(turn)), Material.PLAIN, tone)
        return
    radius, height = rng.uniform(0.45, 0.75), rng.uniform(0.9, 1.5)
    cylinder(mesh, above(spot, legs), radius, height, tone)


def _dish(rng: np.random.Generator, spot: Array, turn: float, mesh: MeshBuilder) -> None:
    del turn
    radius = rng.uniform(0.35, 0.6)
    angles = np.arange(10) / 10 * 2 * np.pi
    ring = np.column_stack([np.cos(angles), np.sin(angles), 0.28 + 0 * angles]) * radius
    lean = rng.uniform(0.7, 1.0)
    tip = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
    points = (
        np.concatenate([ring, [[0, 0, 0]]]) @ (rotation_about_up(rng.normal(0.1, 0.15)) @ tip).T
    )
    k = np.arange(10)
    faces = np.stack([k, (k + 1) % 10, np.full(10, 10)], 1)
    mesh.add(points + above(spot, 0.8), faces, Material.PLAIN, (0.55, 0.55, 0.54))


def _air_conditioner(rng: np.random.Generator, spot: Array, turn: float, mesh: MeshBuilder) -> None:
    corners = box_corners(above(spot, 0.4), [0.85, 0.4, 0.65], rotation_about_up(turn))
    mesh.add_box(corners, Material.PLAIN, (0.56, 0.56, 0.53 + 0.02 * float(rng.random())))


def _laundry(rng: np.random.Generator, spot: Array, turn: float, mesh: MeshBuilder) -> None:
    spin = rotation_about_up(turn + rng.choice([0, np.pi / 2]))
    for place in range(int(rng.integers(2, 6))):
        centre = spot + spin @ np.array([place * 0.7, 0, 1.2])
        size = [rng.uniform(0.4, 0.65), rng.uniform(0.08, 0.35), rng.uniform(0.5, 1.0)]
        mesh.add_box(
            box_corners(centre, size, spin), Material.PLAIN, CLOTHS[rng.integers(len(CLOTHS))]
        )


def _panel(rng: np.random.Generator, spot: Array, turn: float, mesh: MeshBuilder) -> None:
    del turn
    lean = np.radians(28)
    tip = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
    for place in range(int(rng.integers(1, 4))):
        centre = spot + np.array([place * 1.1, 0, 0.55])
        mesh.add_box(
            box_corners(centre, [1.0, 1.65, 0.05], tip), Material.PLAIN, (0.03, 0.04, 0.09)
        )


def _junk(rng: np.random.Generator, spot: Array, turn: float, mesh: MeshBuilder) -> None:
    size = np.array([rng.uniform(0.2, 2.2), rng.uniform(0.15, 0.8), rng.uniform(0.06, 0.5)])
    shade = rng.uniform(0.12, 0.5)
    tone = (shade, shade * rng.uniform(0.8, 1.0), shade * rng.uniform(0.6, 1.0))
    spin = rotation_about_up(turn + rng.normal(0, 0.6))
    mesh.add_box(box_corners(above(spot, size[2] / 2), size, spin), Material.PLAIN, tone)
