"""A building and what is left of it to triangles: roofs, floors, façades, sections, parapets."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, BoolArray, Float32Array, Int8Array, IntArray
from aftermap.model.assessment import Grade
from aftermap_twin.city.buildings import TwinBuilding
from aftermap_twin.city.damage import OUTSIDE
from aftermap_twin.mesh import Material, MeshBuilder

FOLD_M, FOLD_RISE_M = 6.5, 1.1
"""How far apart a pancaked building's slabs broke, and how much they rise to the breaks, twice."""
BELOW_M = 2.5
"""Walls go this far below the ground floor, so that falling ground leaves no gap."""


class WallTable:
    """Rows the shader reads: where a wall starts and runs, its floors and its finish."""

    COLUMNS = 14

    def __init__(self) -> None:
        """Start empty."""
        self.rows: list[tuple[float, ...]] = []

    def add(self, building: TwinBuilding, start: Array, end: Array, seed: float) -> int:
        """The index of a new wall of this building, between two ends (2,) in local metres."""
        run = end - start
        length = max(float(np.linalg.norm(run)), 1e-6)
        self.rows.append(
            (
                *start,
                *(run / length),
                length,
                building.base_m,
                building.floor_m,
                building.levels,
                *building.tone,
                building.soot,
                seed,
                building.style,
            )
        )
        return len(self.rows) - 1

    def array(self) -> Float32Array:
        """(W, 14) values of walls, at least one row."""
        return np.array(self.rows or [(0.0,) * self.COLUMNS], np.float32)


def build(
    rng: np.random.Generator, building: TwinBuilding, mesh: MeshBuilder, walls: WallTable
) -> None:
    """Add roofs, floors, façades, broken sections and parapets of a building."""
    own = walls.add(building, building.world(0, 0), building.world(1, 0), rng.random())
    _tops(building, mesh, own)
    _sections(building, mesh, own)
    for side in exterior_sides(building):
        _facade(rng, building, mesh, walls, side)
    if not building.is_pancaked:
        _partitions(rng, building, mesh, own)


def _tops(building: TwinBuilding, mesh: MeshBuilder, record: int) -> None:
    left = building.left
    whole = building.grade is Grade.NONE
    for level in range(1, building.levels + 1):
        z = building.base_m + level * building.floor_m
        material = Material.ROOF if level == building.levels else Material.FLOOR
        flat = building.roofing is None or level < building.levels
        spans = _runs(left == level) if whole and flat else _single(left == level)
        if not len(spans):
            continue
        rows, first, last = spans.T
        corners = np.stack(
            [
                _corner(building, rows, first),
                _corner(building, rows, last),
                _corner(building, rows + 1, last),
                _corner(building, rows + 1, first),
            ],
            axis=1,
        )
        heights = np.full((*corners.shape[:2], 1), z)
        if building.roofing is not None and level == building.levels:
            rise = building.roofing.rise_m
            heights[..., 0] += np.stack(
                [rise[rows, first], rise[rows, last], rise[rows + 1, last], rise[rows + 1, first]],
                axis=1,
            )
        if building.is_pancaked:
            heights[..., 0] += tilt_m(building, corners)
        quads = np.concatenate([corners, heights], axis=2)
        mesh.add_quads(quads, material, building.tone, record)


def tilt_m(building: TwinBuilding, xy: Array) -> Array:
    """(...,) how much higher than its middle a pancaked building lies at (..., 2) places.

    Its slabs broke: they rise and fall from one FOLD_M to the next.
    """
    from_middle = xy - building.lot.corners_m.mean(0)
    along = building.lot.corners_m[1] - building.lot.corners_m[0]
    place = from_middle @ (along / np.linalg.norm(along)) / FOLD_M + building.number * 0.37
    fold = np.abs(place - np.floor(place) - 0.5) * FOLD_RISE_M
    return np.asarray(from_middle @ np.array(building.tilt) + fold)


def _corner(building: TwinBuilding, rows: IntArray, columns: IntArray) -> Array:
    shift = building.jitter_m[rows, columns]
    return building.world(columns + shift[..., 0], rows + shift[..., 1])


def _runs(mask: BoolArray) -> IntArray:
    """(N, 3) row, first and past-last column of every run of True."""
    padded = np.pad(mask, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    starts, ends = np.argwhere(change == 1), np.argwhere(change == -1)
    return np.column_stack([starts, ends[:, 1]]).astype(np.int64)


def _single(mask: BoolArray) -> IntArray:
    cells = np.argwhere(mask)
    return np.column_stack([cells, cells[:, 1] + 1]).astype(np.int64)


def _sections(building: TwinBuilding, mesh: MeshBuilder, record: int) -> None:
    """Broken edges inside the plan, from the lower floor up to the higher."""
    left = building.left
    for axis in (0, 1):
        near = left[:-1] if axis == 0 else left[:, :-1]
        far = left[1:] if axis == 0 else left[:, 1:]
        edge = (near != far) & (near != OUTSIDE) & (far != OUTSIDE)
        for row, column in np.argwhere(edge):
            low, high = sorted((int(near[row, column]), int(far[row, column])))
            ends = (
                np.array([[row + 1, column], [row + 1, column + 1]])
                if axis == 0
                else np.array([[row, column + 1], [row + 1, column + 1]])
            )
            _upright(building, mesh, ends, (low, high), Material.SECTION, record)


def _upright(
    building: TwinBuilding,
    mesh: MeshBuilder,
    ends: IntArray,
    span: tuple[int, int],
    material: Material,
    record: int,
) -> None:
    below = BELOW_M if span[0] == 0 else 0.0
    low = building.base_m + span[0] * building.floor_m - below
    high = building.base_m + span[1] * building.floor_m
    a, b = _corner(building, ends[:, 0], ends[:, 1])
    up = tilt_m(building, np.array([a, b])) if building.is_pancaked else (0.0, 0.0)
    quad = [[*a, low], [*b, low], [*b, high + up[1]], [*a, high + up[0]]]
    mesh.add_quads(quad, material, building.tone, record)


@dataclass(frozen=True, kw_only=True)
class Side:
    """A straight stretch of outer wall: grid corners from start to end, and the step outwards."""

    start: tuple[int, int]
    end: tuple[int, int]
    out: tuple[int, int]


def exterior_sides(building: TwinBuilding) -> list[Side]:
    """Every straight stretch of the plan's outline, courtyards included."""
    inside = np.pad(building.left != OUTSIDE, 1)
    core = inside[1:-1, 1:-1]
    sides: list[Side] = []
    for out, neighbour in (
        ((-1, 0), inside[:-2, 1:-1]),
        ((1, 0), inside[2:, 1:-1]),
        ((0, -1), inside[1:-1, :-2]),
        ((0, 1), inside[1:-1, 2:]),
    ):
        edge = core & ~neighbour
        for line, first, last in _runs(edge if out[0] else edge.T):
            at = line + (1 if max(out) > 0 else 0)
            start, end = (int(at), int(first)), (int(at), int(last))
            if not out[0]:
                start, end = start[::-1], end[::-1]
            sides.append(Side(start=start, end=end, out=out))
    return sides


def _facade(
    rng: np.random.Generator,
    building: TwinBuilding,
    mesh: MeshBuilder,
    walls: WallTable,
    side: Side,
) -> None:
    start, end = np.array(side.start), np.array(side.end)
    a, b = building.world(start[1], start[0]), building.world(end[1], end[0])
    record = walls.add(building, a, b, rng.random())
    count = int(abs(end - start).max())
    step = (end - start) // count
    corners = start + np.arange(count)[:, None] * step
    cells = corners + np.where(np.array(side.out) > 0, -1, 0)
    left = building.left[cells[:, 0], cells[:, 1]]
    parapet = float(rng.choice([0.0, 0.45, 0.7, 1.05], p=[0.1, 0.3, 0.3, 0.3]))
    for first, last in _equal_runs(left):
        floors = int(left[first])
        if floors <= 0:
            continue
        ends = np.array([start + first * step, start + last * step])
        front = Material.SECTION if building.is_pancaked else Material.FACADE
        _upright(building, mesh, ends, (0, floors), front, record)
        if building.roofing is not None or building.is_pancaked:
            continue
        if parapet and floors == building.levels:
            _parapet(rng, building, mesh, ends, side.out, parapet)


def _equal_runs(values: Int8Array) -> list[tuple[int, int]]:
    cuts = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return list(pairwise(cuts))


def _parapet(
    rng: np.random.Generator,
    building: TwinBuilding,
    mesh: MeshBuilder,
    ends: IntArray,
    out: tuple[int, int],
    height: float,
) -> None:
    """A low wall along the roof's edge, with gaps where the building was hit."""
    thick = 0.2 / np.array(building.cell_m)[::-1]
    inner = -np.array(out) * thick
    pieces = [(0.0, 1.0)]
    if building.grade is not Grade.NONE:
        cuts = np.sort(rng.random(4))
        pieces = [(0.0, cuts[0]), (cuts[1], cuts[2]), (cuts[3], 1.0)]
    for first, last in pieces:
        p = ends[0] + (ends[1] - ends[0]) * first
        q = ends[0] + (ends[1] - ends[0]) * last
        if np.abs(q - p).max() < 0.5:
            continue
        plan = np.array([p, q, q + inner, p + inner])
        mesh.add_box(
            upright_box(building, plan, building.roof_m, building.roof_m + height),
            Material.CONCRETE,
            building.tone,
        )


def upright_box(building: TwinBuilding, plan: npt.ArrayLike, low_m: float, high_m: float) -> Array:
    """(8, 3) corners of a block over (4, 2) plan corners (row, column, in cells)."""
    rowcol = np.asarray(plan, float)
    xy = building.world(rowcol[:, 1], rowcol[:, 0])
    low = np.column_stack([xy, np.full(4, low_m)])
    high = np.column_stack([xy, np.full(4, high_m)])
    return np.concatenate([low, high])


def _partitions(
    rng: np.random.Generator, building: TwinBuilding, mesh: MeshBuilder, record: int
) -> None:
    """Stubs of inner walls on floors that lie open."""
    open_floor = (building.left > 0) & (building.left < building.levels)
    for axis in (0, 1):
        cells = open_floor if axis == 0 else open_floor.T
        offset = int(rng.integers(0, 6))
        for line, first, last in _runs(cells):
            if (line + offset) % 8 or last - first < 3:
                continue
            level = (building.left if axis == 0 else building.left.T)[line, first]
            height = float(rng.uniform(0.3, building.floor_m - 0.4))
            plan = np.array(
                [[line, first], [line, last], [line + 0.35, last], [line + 0.35, first]], float
            )
            plan = plan if axis == 0 else plan[:, ::-1]
            low = building.base_m + int(level) * building.floor_m
            mesh.add_box(
                upright_box(building, plan, low, low + height),
                Material.CONCRETE,
                building.tone,
                record,
            )
