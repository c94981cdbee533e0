"""Heights of a block -> which cells are drawn, where the surface breaks, and its corners.

Works in cells: x to the right, y down, z up, all in multiples of the cell, so that a slope of 45
degrees rises one per cell. Cells that were not measured are NaN and are never drawn. Two cells side
by side whose heights differ by more than a step are not joined: between them stands a wall or
nothing. What is joined is joined at the corners of cells, so that the surface ends on the outline
of its cells and not half a cell before.
"""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, ByteArray, Int32Array
from aftermap.geo.compiled import compiled

BREAK, BORDER = 1, 2
"""An edge between cells: where the surface ends; where the block ends and the surface does not."""

RIM_SHARE = 0.25
MARGIN_CELLS = 40
"""Cells around a block that are looked at, so that two neighbours agree on their common border."""


@dataclass(frozen=True, kw_only=True)
class Corners:
    """The surface of a block and one ring of cells around it, before it is simplified.

    ``down`` (rows + 3, columns + 3) holds the edge to the left of a cell, ``across`` the one above
    it: 0, BREAK or BORDER. ``vertex`` (rows + 2, columns + 2, 4) is the vertex at a cell's
    north-west, north-east, south-east, south-west corner, -1 where the cell is not drawn. ``xyz``
    (V, 3) are the vertices in cells, x and y counted from the outer corner of the ring.
    """

    down: ByteArray
    across: ByteArray
    vertex: Int32Array
    xyz: Array


def drawn_cells(height: Array, filled: Array, *, step: float, least_cells: int) -> Array:
    """(rows, columns) heights in cells as they are drawn: clean edges, no specks, no pinholes.

    A cell whose height lies between the two levels of an edge saw both; it goes to the nearer one.
    What stands or lies alone with fewer than ``least_cells`` is taken to the level beside it, and
    left out where nothing is beside it. A hole of fewer cells takes the ``filled`` heights.
    """
    is_hole = np.isnan(height)
    holes = _sizes(np.where(is_hole, 0.0, np.nan), step)
    closed = np.where(is_hole & (holes < least_cells), filled, height)
    sharp = _sharpened(_sharpened(closed, step), step)
    sizes = _sizes(sharp, step)
    return _absorbed(sharp, sizes < least_cells)


def corners_of(height: Array, *, step: float) -> Corners:
    """The surface of (rows + 2, columns + 2) heights: a block and the ring of cells around it."""
    rows, columns = height.shape[0] - 2, height.shape[1] - 2
    down = np.zeros((rows + 3, columns + 3), np.uint8)
    across = np.zeros_like(down)
    _edges(height, step, down, across)
    vertex = np.full((rows + 2, columns + 2, 4), -1, np.int32)
    xyz = np.empty((4 * (rows + 2) * (columns + 2), 3))
    count = _corners(height, down, across, vertex, xyz)
    return Corners(down=down, across=across, vertex=vertex, xyz=xyz[:count].copy())


@compiled
def _sharpened(height: Array, step: float) -> Array:  # noqa: C901 - a loop is clearer whole
    out = height.copy()
    rows, columns = height.shape
    for r in range(1, rows - 1):
        for c in range(1, columns - 1):
            own = height[r, c]
            if np.isnan(own):
                continue
            low = high = own
            for i in range(r - 1, r + 2):
                for j in range(c - 1, c + 2):
                    if height[i, j] < low:
                        low = height[i, j]
                    elif height[i, j] > high:
                        high = height[i, j]
            reach = high - low
            if reach <= step or not low + RIM_SHARE * reach < own < high - RIM_SHARE * reach:
                continue
            middle, total, count = (low + high) / 2, 0.0, 0
            for i in range(r - 1, r + 2):
                for j in range(c - 1, c + 2):
                    near = height[i, j]
                    if abs(near - middle) > RIM_SHARE * reach and (near > middle) == (own > middle):
                        total += near
                        count += 1
            if count:
                out[r, c] = total / count
    return out


@compiled
def _sizes(height: Array, step: float) -> Int32Array:
    """(rows, columns) how many cells the piece of surface has that a cell belongs to.

    What touches the border of the window is taken for large.
    """
    rows, columns = height.shape
    sizes = np.zeros((rows, columns), np.int32)
    stack = np.empty(rows * columns, np.int32)
    member = np.empty(rows * columns, np.int32)
    seen = np.zeros((rows, columns), np.bool_)
    for first in range(rows * columns):
        if seen.flat[first] or np.isnan(height.flat[first]):
            continue
        top, count, is_cut = 1, 0, False
        stack[0] = first
        seen[first // columns, first % columns] = True
        while top:
            top -= 1
            r, c = stack[top] // columns, stack[top] % columns
            member[count] = stack[top]
            count += 1
            if r == 0 or c == 0 or r == rows - 1 or c == columns - 1:
                is_cut = True
            for k in range(4):
                i, j = r + (k == 0) - (k == 1), c + (k == 2) - (k == 3)
                if not (0 <= i < rows and 0 <= j < columns) or seen[i, j]:
                    continue
                if abs(height[i, j] - height[r, c]) <= step:
                    seen[i, j] = True
                    stack[top] = i * columns + j
                    top += 1
        size = rows * columns if is_cut else count
        for k in range(count):
            sizes[member[k] // columns, member[k] % columns] = size
    return sizes


@compiled
def _absorbed(height: Array, alone: BoolArray) -> Array:  # noqa: C901 - the same
    rows, columns = height.shape
    out = height.copy()
    for r in range(rows):
        for c in range(columns):
            if alone[r, c]:
                out[r, c] = np.nan
    for _ in range(4):
        before = out.copy()
        for r in range(1, rows - 1):
            for c in range(1, columns - 1):
                if not alone[r, c] or np.isnan(height[r, c]) or not np.isnan(before[r, c]):
                    continue
                best = np.nan
                for k in range(4):
                    near = before[r + (k == 0) - (k == 1), c + (k == 2) - (k == 3)]
                    if np.isnan(near):
                        continue
                    if np.isnan(best) or abs(near - height[r, c]) < abs(best - height[r, c]):
                        best = near
                out[r, c] = best
    return out


@compiled
def _edge(one: float, other: float, step: float) -> int:
    if np.isnan(one) and np.isnan(other):
        return 0
    return 0 if abs(one - other) <= step else BREAK  # NaN compares as False


@compiled
def _edges(height: Array, step: float, down: ByteArray, across: ByteArray) -> None:
    rows, columns = height.shape
    for r in range(rows):
        for c in range(columns):
            if c:
                down[r, c] = _edge(height[r, c - 1], height[r, c], step)
                on_border = c in (1, columns - 1) and 0 < r < rows - 1
                if on_border and down[r, c] == 0 and not np.isnan(height[r, c]):
                    down[r, c] = BORDER
            if r:
                across[r, c] = _edge(height[r - 1, c], height[r, c], step)
                on_border = r in (1, rows - 1) and 0 < c < columns - 1
                if on_border and across[r, c] == 0 and not np.isnan(height[r, c]):
                    across[r, c] = BORDER


@compiled
def _corners(  # noqa: C901 - a compiled loop is clearer whole
    height: Array, down: ByteArray, across: ByteArray, vertex: Int32Array, xyz: Array
) -> int:
    rows, columns = height.shape
    count = 0
    cell_r, cell_c = np.empty(4, np.int64), np.empty(4, np.int64)
    parted = np.zeros(4, np.uint8)
    at = np.array([2, 3, 0, 1])  # the corner of each of the four cells around a point
    for r in range(rows + 1):
        for c in range(columns + 1):
            cell_r[:] = (r - 1, r - 1, r, r)
            cell_c[:] = (c - 1, c, c, c - 1)
            parted[0], parted[1] = down[max(r - 1, 0), c], across[r, c]
            parted[2], parted[3] = down[r, c], across[r, max(c - 1, 0)]
            group = np.array([0, 1, 2, 3])
            drawn = np.zeros(4, np.bool_)
            for k in range(4):
                inside = 0 <= cell_r[k] < rows and 0 <= cell_c[k] < columns
                drawn[k] = inside and not np.isnan(height[cell_r[k], cell_c[k]])
            for k in range(4):
                other = (k + 1) % 4
                if parted[k] != BREAK and drawn[k] and drawn[other]:
                    joined, gone = group[k], group[other]
                    for m in range(4):
                        if group[m] == gone:
                            group[m] = joined
            for g in range(4):
                total, members = 0.0, 0
                for k in range(4):
                    if drawn[k] and group[k] == g:
                        total += height[cell_r[k], cell_c[k]]
                        members += 1
                        vertex[cell_r[k], cell_c[k], at[k]] = count
                if members:
                    xyz[count, 0], xyz[count, 1], xyz[count, 2] = c, r, total / members
                    count += 1
    return count
