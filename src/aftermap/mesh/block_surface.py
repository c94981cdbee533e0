"""One block of the height raster -> its part of the surface, and the walls at its steps."""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Int32Array
from aftermap.geo.compiled import compiled
from aftermap.mesh.edge_lines import Outlines, straightened
from aftermap.mesh.options import MeshOptions
from aftermap.mesh.simplify import laid_on_rims, simplified, vertices_in, without_turned
from aftermap.mesh.steps import MARGIN_CELLS, Corners, corners_of, drawn_cells
from aftermap.mesh.trace import Lines, boundary_lines

LEAST_AREA = 1e-3
EXACT = 1e-9
COARSEST = 8
"""Where there are still too many triangles at so many times the allowed error, they stay."""

BESIDE_CELLS = (1.5, 3.0, 5.0, 7.0)
"""Where ground is looked up beside a rim; less than MARGIN_CELLS."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A block's surface and walls, in cells from the block's north-west corner, heights in cells.

    ``xyz`` (V, 3), ``faces`` (F, 3) anticlockwise from above in a map with north up. ``wall``
    (W, 2, 4), ``face`` (W,) as in :class:`Outlines`, the side that is not drawn at the height of
    the filled ground there; ``is_measured`` (W,) says where both sides are.
    """

    xyz: Array
    faces: Int32Array
    wall: Array
    face: Int32Array
    is_measured: BoolArray


def part_of(height: Array, filled: Array, options: MeshOptions, *, most_faces: int) -> Part:
    """The part for a block from its heights in cells, with a margin of MARGIN_CELLS around it.

    Both (rows, columns): ``height`` is NaN where nothing was measured, ``filled`` where nothing was
    filled in.
    """
    drawn = drawn_cells(height, filled, step=options.step, least_cells=options.least_cells)
    ring = MARGIN_CELLS - 1
    window = np.s_[ring:-ring, ring:-ring]
    corners = corners_of(np.ascontiguousarray(drawn[window]), step=options.step)
    lines = boundary_lines(corners, np.fmax(drawn, filled)[window].copy())
    outlines = straightened(
        lines, corners, within=options.outline, within_height=options.outline_height
    )
    xyz, faces = _surface(corners, outlines, lines, options, most_faces)
    x, y = outlines.wall[:, :, 0], outlines.wall[:, :, 1]
    theirs = np.abs(x - 1).max(axis=1) <= EXACT  # those on the north and west border
    ours: BoolArray = np.asarray(~theirs & (np.abs(y - 1).max(axis=1) > EXACT))
    wall, is_measured = _with_feet(outlines.wall[ours], drawn, filled, options.step)
    return Part(
        xyz=xyz - np.array([1.0, 1.0, 0.0]),
        faces=faces,
        face=outlines.face[ours],
        wall=wall - np.array([1.0, 1.0, 0.0, 0.0]),
        is_measured=is_measured,
    )


def _surface(
    corners: Corners, outlines: Outlines, lines: Lines, options: MeshOptions, most_faces: int
) -> tuple[Array, Int32Array]:
    every = _faces(corners.vertex, outlines.xyz)
    if not len(every):
        return np.empty((0, 3)), np.empty((0, 3), np.int32)
    used = vertices_in(every, len(outlines.xyz))
    number = np.full(len(outlines.xyz) + 1, -1, np.int32)
    number[used] = np.arange(len(used))
    rims = _rims(lines, number)
    within = options.within
    while True:
        xyz, faces, became = simplified(outlines.xyz[used], number[every], rims, within=within)
        if len(faces) <= most_faces or within > COARSEST * options.within:
            break
        within *= 2
    laid = laid_on_rims(xyz, became, outlines.xyz[used], outlines, used)
    return without_turned(xyz, laid, faces)


def _with_feet(wall: Array, drawn: Array, filled: Array, step: float) -> tuple[Array, BoolArray]:
    """Upright pieces with a foot on the side that is not drawn, and where that foot was measured.

    The heights reach MARGIN_CELLS beyond the block. The foot is the lowest ground that was measured
    a few cells before the wall, beside which there is often a strip that nobody saw; without any it
    is the lowest filled ground, and not measured.
    """
    wall = wall.copy()
    missing: BoolArray = np.asarray(np.isnan(wall[:, :, 2:]).any(axis=1))
    rows = np.flatnonzero(missing.any(axis=1))
    is_measured: BoolArray = np.asarray(~missing.any(axis=1))
    if not len(rows):
        return wall, is_measured
    middle = wall[rows, :, :2].mean(axis=1)
    along = wall[rows, 1, :2] - wall[rows, 0, :2]
    right = np.stack([-along[:, 1], along[:, 0]], axis=1)
    right /= np.maximum(np.linalg.norm(right, axis=1), EXACT)[:, None]
    side = np.where(missing[rows, 1], 1, 0)
    away = right * np.where(side == 1, 1.0, -1.0)[:, None]
    head = np.nanmin(wall[rows, :, 2:], axis=(1, 2))
    ground = _lowest_beside(drawn, middle, away)
    has_ground = ground < head - step
    foot = np.where(has_ground, ground, _lowest_beside(filled, middle, away))
    wall[rows, 0, 2 + side] = wall[rows, 1, 2 + side] = foot
    is_measured[rows] = has_ground
    return wall, is_measured


def _lowest_beside(height: Array, middle: Array, away: Array) -> Array:
    """(N,) the lowest height a few cells away from (N, 2) places, NaN where there is none."""
    levels = []
    for far in BESIDE_CELLS:
        at = np.floor(middle + far * away).astype(np.int64) + MARGIN_CELLS - 1
        column = np.clip(at[:, 0], 0, height.shape[1] - 1)
        row = np.clip(at[:, 1], 0, height.shape[0] - 1)
        levels.append(height[row, column])
    return np.asarray(np.fmin.reduce(levels))


def _rims(lines: Lines, number: Int32Array) -> Int32Array:
    """(R, 2) the edges along all lines, on both sides, as numbers of used vertices."""
    last = np.zeros(len(lines.corner), np.bool_)
    last[lines.starts[1:] - 1] = True
    at = np.flatnonzero(~last)
    first, second = number[lines.side[at, :, 1]], number[lines.side[at + 1, :, 0]]
    both = np.stack([first.ravel(), second.ravel()], axis=1)
    both = both[(both >= 0).all(axis=1) & (both[:, 0] != both[:, 1])]
    return np.unique(np.sort(both, axis=1), axis=0)


def _faces(vertex: Int32Array, xyz: Array) -> Int32Array:
    room = np.empty((2 * vertex.shape[0] * vertex.shape[1], 3), np.int32)
    return room[: _split(vertex, xyz, room)].copy()


@compiled
def _twice_area(a: Array, b: Array, c: Array) -> float:
    """Positive where a, b, c run anticlockwise in a map (x right, y down)."""
    return float((b[1] - a[1]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[1] - a[1]))


@compiled
def _split(vertex: Int32Array, xyz: Array, faces: Int32Array) -> int:
    """Two triangles a cell, cut along the diagonal that leaves the smaller one larger."""
    count = 0
    three = np.empty(3, np.int64)
    for r in range(1, vertex.shape[0] - 1):
        for c in range(1, vertex.shape[1] - 1):
            if vertex[r, c, 0] < 0:
                continue
            nw, ne, se, sw = vertex[r, c]
            a, b, d, e = xyz[nw], xyz[ne], xyz[se], xyz[sw]
            falling = min(_twice_area(a, e, d), _twice_area(a, d, b))
            rising = min(_twice_area(a, e, b), _twice_area(e, d, b))
            is_falling = falling > rising + LEAST_AREA
            if abs(falling - rising) <= LEAST_AREA:
                is_falling = abs(a[2] - d[2]) <= abs(b[2] - e[2])
            for k in range(2):
                if is_falling:
                    three[:] = (nw, sw, se) if k == 0 else (nw, se, ne)
                else:
                    three[:] = (nw, sw, ne) if k == 0 else (sw, se, ne)
                if _twice_area(xyz[three[0]], xyz[three[1]], xyz[three[2]]) > LEAST_AREA:
                    faces[count, 0], faces[count, 1], faces[count, 2] = three[0], three[1], three[2]
                    count += 1
    return count
