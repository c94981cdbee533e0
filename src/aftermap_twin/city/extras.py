"""More that stands and lies on and about the city's roofs: what is easily taken for damage.

Drawn where ``TwinOptions.variety`` is set.
"""

import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap.model.assessment import Grade
from aftermap_twin.city.buildings import TwinBuilding
from aftermap_twin.city.damage import OUTSIDE
from aftermap_twin.city.shell import upright_box
from aftermap_twin.city.things import add_blocks, add_slab, add_tree, cylinder
from aftermap_twin.mesh import Material, MeshBuilder, Tone, above, box_corners, rotation_about_up
from aftermap_twin.site import TwinGround

CLOTHS: tuple[Tone, ...] = ((0.5, 0.45, 0.33), (0.12, 0.2, 0.3), (0.35, 0.12, 0.1))
STEEL: Tone = (0.17, 0.09, 0.06)


def add_extras(
    rng: np.random.Generator, building: TwinBuilding, ground: TwinGround, mesh: MeshBuilder
) -> None:
    """A few of everything, by chance, on roof that still stands; and slabs that lean."""
    free = building.left == building.levels
    free[[0, -1]] = False
    free[:, [0, -1]] = False
    if building.roofing is None and not building.is_pancaked and free.sum() > 40:
        kinds = (
            (_debris, 0.13),
            (_panels, 0.12),
            (_room, 0.22),
            (_shade, 0.16),
            (_tanks, 0.15),
            (_next_storey, 0.17 if building.grade is Grade.NONE else 0.0),
        )
        for kind, chance in kinds:
            if rng.random() < chance:
                kind(rng, building, free, mesh)
    if building.grade in {Grade.MODERATE, Grade.SEVERE} and rng.random() < 0.5:
        _lean(rng, building, mesh)
    if rng.random() < 0.22:
        _overhang(rng, building, ground, mesh)


def _spots(rng: np.random.Generator, building: TwinBuilding, free: BoolArray, count: int) -> Array:
    cells = np.argwhere(free)
    few = cells[rng.integers(len(cells), size=count)] + rng.random((count, 2))
    xy = building.world(few[:, 1], few[:, 0])
    return np.column_stack([xy, np.full(count, building.roof_m)])


def _debris(
    rng: np.random.Generator, building: TwinBuilding, free: BoolArray, mesh: MeshBuilder
) -> None:
    """Broken stone on a sound roof: thrown there, or left from building."""
    middle = _spots(rng, building, free, 1)[0]
    count = int(rng.integers(20, 120))
    spots = _spots(rng, building, free, count)
    near = np.linalg.norm(spots - middle, axis=1) < rng.uniform(1.5, 5.0)
    sizes = np.clip(np.exp(rng.normal(-1.0, 0.45, int(near.sum()))), 0.12, 1.0)
    add_blocks(rng, mesh, spots[near], sizes)


def _panels(
    rng: np.random.Generator, building: TwinBuilding, free: BoolArray, mesh: MeshBuilder
) -> None:
    """Rows of solar panels."""
    start = _spots(rng, building, free, 1)[0]
    lean = np.radians(25)
    tip = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
    for row in range(int(rng.integers(1, 4))):
        for place in range(int(rng.integers(2, 7))):
            centre = start + np.array([place * 1.05, row * 2.3, 0.6])
            if _is_over(building, free, centre[:2]):
                corners = box_corners(centre, [1.0, 1.8, 0.05], tip)
                mesh.add_box(corners, Material.PLAIN, (0.03, 0.04, 0.09))


def _is_over(building: TwinBuilding, free: BoolArray, xy: Array) -> bool:
    """Whether a place lies over a free cell: the nearest corner of cells tells."""
    rows, columns = free.shape
    r, c = np.mgrid[0:rows, 0:columns]
    away = np.linalg.norm(building.world(c + 0.5, r + 0.5) - xy, axis=-1)
    nearest = np.unravel_index(int(away.argmin()), free.shape)
    return bool(away.min() < 0.5 and free[nearest])


def _room(
    rng: np.random.Generator, building: TwinBuilding, free: BoolArray, mesh: MeshBuilder
) -> None:
    """A room built on the roof."""
    high, wide = int(rng.integers(6, 11)), int(rng.integers(6, 13))
    rows, columns = free.shape
    for _ in range(10):
        row, column = (
            int(rng.integers(0, max(1, rows - high))),
            int(rng.integers(0, max(1, columns - wide))),
        )
        if not free[row : row + high, column : column + wide].all():
            continue
        plan = np.array([[0, 0], [0, wide], [high, wide], [high, 0]]) + np.array([row, column])
        if plan[2, 0] >= rows or plan[1, 1] >= columns:
            continue
        top = building.roof_m + rng.uniform(2.3, 2.9)
        mesh.add_box(
            upright_box(building, plan, building.roof_m, top), Material.CONCRETE, building.tone
        )
        return


def _shade(
    rng: np.random.Generator, building: TwinBuilding, free: BoolArray, mesh: MeshBuilder
) -> None:
    """An awning on posts."""
    centre = above(_spots(rng, building, free, 1)[0], 2.2)
    size = [float(rng.uniform(2.0, 4.5)), float(rng.uniform(2.0, 3.5)), 0.06]
    spin = rotation_about_up(rng.random() * 3)
    tone = CLOTHS[rng.integers(len(CLOTHS))]
    mesh.add_box(box_corners(centre, size, spin), Material.PLAIN, tone)


def _tanks(
    rng: np.random.Generator, building: TwinBuilding, free: BoolArray, mesh: MeshBuilder
) -> None:
    for spot in _spots(rng, building, free, int(rng.integers(3, 9))):
        tone = (0.03, 0.03, 0.032) if rng.random() < 0.5 else (0.6, 0.59, 0.57)
        cylinder(
            mesh,
            above(spot, 0.2),
            float(rng.uniform(0.45, 0.8)),
            float(rng.uniform(0.8, 1.6)),
            tone,
        )


def _next_storey(
    rng: np.random.Generator, building: TwinBuilding, free: BoolArray, mesh: MeshBuilder
) -> None:
    """A storey begun: columns with starter bars, some walls laid a few courses high."""
    rows, columns = free.shape
    full = bool(rng.random() < 0.5)
    for row in range(1, rows - 1, 7):
        for column in range(1, columns - 1, 7):
            if not free[row, column]:
                continue
            plan = np.array([[0, 0], [0, 0.6], [0.6, 0.6], [0.6, 0]]) + np.array([row, column])
            top = building.roof_m + (float(rng.uniform(2.2, 2.9)) if full else 0.15)
            mesh.add_box(
                upright_box(building, plan, building.roof_m, top),
                Material.CONCRETE,
                (0.4, 0.39, 0.36),
            )
            for corner in ((0.05, 0.05), (0.45, 0.45), (0.05, 0.45)):
                bar = (
                    np.array([[0, 0], [0, 0.1], [0.1, 0.1], [0.1, 0]])
                    + np.array([row, column])
                    + corner
                )
                high = top + float(rng.uniform(0.6, 1.3))
                mesh.add_box(upright_box(building, bar, top, high), Material.PLAIN, STEEL)
    for row in range(1, rows - 1, 7):
        if rng.random() < 0.55:
            first, last = sorted(rng.integers(1, columns - 1, 2))
            if last - first > 3 and free[row, first:last].all():
                plan = np.array([[0, first], [0, last], [0.4, last], [0.4, first]]) + np.array(
                    [row, 0]
                )
                top = building.roof_m + float(rng.uniform(0.4, 2.0))
                tone = (0.33, 0.32, 0.30)
                mesh.add_box(
                    upright_box(building, plan, building.roof_m, top), Material.CONCRETE, tone
                )


def _lean(rng: np.random.Generator, building: TwinBuilding, mesh: MeshBuilder) -> None:
    """A roof slab that lost its wall and hangs down into the building."""
    low = np.argwhere((building.left >= 0) & (building.left < building.levels))
    if len(low) < 12:
        return
    padded = np.pad(building.left, 1, constant_values=OUTSIDE)
    for row, column in low[rng.permutation(len(low))[:30]]:
        around = padded[row : row + 3, column : column + 3]
        if (around == building.levels).any():
            away = np.argwhere(around == building.levels).mean(0) - 1
            inward = building.world(column - away[1], row - away[0]) - building.world(column, row)
            heading = float(np.arctan2(inward[1], inward[0]))
            top = np.array([*building.world(column, row), building.roof_m])
            add_slab(rng, mesh, top, heading, float(rng.uniform(2.0, 4.0)), building.tone)
            return


def _overhang(
    rng: np.random.Generator, building: TwinBuilding, ground: TwinGround, mesh: MeshBuilder
) -> None:
    """A tree so near that its crown is over the roof."""
    corners = building.lot.corners_m
    k = int(rng.integers(4))
    a, b = corners[k], corners[(k + 1) % 4]
    middle = a + (b - a) * rng.uniform(0.15, 0.85)
    out = middle - corners.mean(0)
    foot = middle + out / np.linalg.norm(out) * rng.uniform(0.8, 1.8)
    if ground.is_inside(foot) and ground.value(ground.built, foot) < 0.05:
        lift = max(0.0, building.roof_m - ground.placed(foot)[0, 2] - 3.5)
        add_tree(rng, mesh, above(ground.placed(foot)[0], min(lift, 3.5)))
