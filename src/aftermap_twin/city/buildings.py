"""Buildings: a plan of half-metre cells on a lot, its damage, and the triangles it is made of.

The plan lies on the lot's quadrilateral bilinearly, so walls follow crooked lots.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rasterio.features import shapes

from aftermap.geo.arrays import Array, BoolArray, Float32Array, Int8Array, IntArray
from aftermap.model.assessment import Grade
from aftermap_twin.city.damage import OUTSIDE, floors_left
from aftermap_twin.city.layout import Lot, on_quad, sides_m
from aftermap_twin.mesh import Material, MeshBuilder, Tone
from aftermap_twin.scene import BuildingFacts

CELL_M = 0.5
BELOW_M = 2.5
"""Walls go this far below the ground floor, so that falling ground leaves no gap."""


@dataclass(frozen=True, kw_only=True)
class TwinBuilding:
    """One building: plan, floors left, height of its ground floor, and how it is finished.

    ``left`` is (across, along) floors over each cell; ``jitter_m`` moves the plan's inner corners.
    """

    number: int
    lot: Lot
    left: Int8Array
    levels: int
    floor_m: float
    base_m: float
    grade: Grade
    style: int
    tone: Tone
    soot: float
    jitter_m: Array

    @property
    def cell_m(self) -> tuple[float, float]:
        """Cell size along and across."""
        along, across = sides_m(self.lot.corners_m)
        return along / self.left.shape[1], across / self.left.shape[0]

    @property
    def roof_m(self) -> float:
        """Height of the intact roof above the datum of the district."""
        return self.base_m + self.levels * self.floor_m

    def world(self, along: npt.ArrayLike, across: npt.ArrayLike) -> Array:
        """(N, 2) local metres of plan positions in cells."""
        rows, columns = self.left.shape
        uv = np.stack(
            [np.asarray(along, float) / columns, np.asarray(across, float) / rows], axis=-1
        )
        return on_quad(self.lot.corners_m, uv)

    def outlines(self) -> list[Array]:
        """Rings (N, 2) of the undamaged footprint in local metres: the outer one first.

        The others are courtyards.
        """
        mask = (self.left != OUTSIDE).astype(np.uint8)
        polygon = max(
            (shape for shape, value in shapes(mask, connectivity=4) if value == 1),
            key=lambda shape: len(shape["coordinates"][0]),
        )
        rings = [np.asarray(ring, float) for ring in polygon["coordinates"]]
        return [self.world(ring[:, 0], ring[:, 1]) for ring in rings]


def facts_of(building: TwinBuilding) -> BuildingFacts:
    """What the truth says of a building."""
    floors = building.left[building.left != OUTSIDE]
    return BuildingFacts(
        number=building.number,
        grade=building.grade,
        levels=building.levels,
        height_m=building.levels * building.floor_m,
        base_m=building.base_m,
        standing_share=float(floors.sum() / (len(floors) * building.levels)),
        rings_m=tuple(building.outlines()),
        centre_m=building.lot.corners_m.mean(0),
    )


def building_on(
    rng: np.random.Generator, number: int, lot: Lot, grade: Grade, base_m: float, levels: int
) -> TwinBuilding:
    """A building of a random shape that fits the lot."""
    along, across = sides_m(lot.corners_m)
    shape = (max(8, round(across / CELL_M)), max(8, round(along / CELL_M)))
    mask = _plan(rng, shape)
    left = floors_left(rng, grade, mask, levels, CELL_M)
    style = int(rng.choice([0, 1, 2, 3, 4], p=[0.46, 0.12, 0.22, 0.12, 0.08]))
    light = rng.normal(0, 0.05)
    warm = rng.uniform(0.86, 1.0)
    tone = (0.47 + light, (0.44 + light) * (0.5 + warm / 2), (0.38 + light) * warm)
    sooty = {Grade.NONE: 0.0, Grade.LIGHT: 0.15, Grade.MODERATE: 0.45}.get(grade, 0.6)
    return TwinBuilding(
        number=number,
        lot=lot,
        left=left,
        levels=levels,
        floor_m=float(rng.uniform(2.9, 3.3)),
        base_m=base_m,
        grade=grade,
        style=style,
        tone=tone,
        soot=float(rng.random() < sooty) * float(rng.uniform(0.4, 1.0)),
        jitter_m=_jitter(rng, left),
    )


def _plan(rng: np.random.Generator, shape: tuple[int, int]) -> BoolArray:
    """True inside: a filled lot, an L, a U, a block with a light well, or one set back."""
    rows, columns = shape
    mask = np.ones(shape, bool)
    kind = rng.choice(["full", "corner", "u", "well", "back"], p=[0.3, 0.3, 0.12, 0.13, 0.15])
    if kind == "back":
        mask[:, : max(1, int(columns * rng.uniform(0.08, 0.3)))] = False
    if kind in ("corner", "back"):
        high, wide = int(rows * rng.uniform(0.25, 0.5)), int(columns * rng.uniform(0.25, 0.5))
        mask[:high, :wide] = False
    if kind == "u":
        third = rows // 3
        mask[third : rows - third, : int(columns * rng.uniform(0.3, 0.5))] = False
    if kind == "well" and min(shape) > 20:
        row, column = rows // 2, columns // 2
        mask[row - 4 : row + 4, column - 4 : column + 3] = False
    return mask if rng.random() < 0.5 else np.ascontiguousarray(mask[::-1, ::-1])


def _jitter(rng: np.random.Generator, left: Int8Array) -> Array:
    """(rows + 1, columns + 1, 2) shifts in cells of corners where floors end inside the plan."""
    padded = np.pad(left, 1, constant_values=OUTSIDE)
    around = np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])
    inner = (around.min(0) != around.max(0)) & (around.min(0) != OUTSIDE)
    return np.asarray(rng.uniform(-0.45, 0.45, (*inner.shape, 2)) * inner[..., None])


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
    _partitions(rng, building, mesh, own)


def _tops(building: TwinBuilding, mesh: MeshBuilder, record: int) -> None:
    left = building.left
    whole = building.grade is Grade.NONE
    for level in range(1, building.levels + 1):
        z = building.base_m + level * building.floor_m
        material = Material.ROOF if level == building.levels else Material.FLOOR
        spans = _runs(left == level) if whole else _single(left == level)
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
        quads = np.concatenate([corners, np.full((*corners.shape[:2], 1), z)], axis=2)
        mesh.add_quads(quads, material, building.tone, record)


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
    quad = [[*a, low], [*b, low], [*b, high], [*a, high]]
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
        _upright(building, mesh, ends, (0, floors), Material.FACADE, record)
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
