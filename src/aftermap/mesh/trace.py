"""Edges where a surface ends -> lines of corners, each as long as it can be followed.

Corners are (row, column) of the lattice between cells. Where more than two edges meet, the two with
the tallest steps are one line, a wall that goes on; the others end on it. The lines of a block end
on the border of the block, at places that its neighbour finds as well, so that two blocks agree on
their border.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, ByteArray, Int8Array, Int32Array
from aftermap.geo.compiled import compiled
from aftermap.mesh.steps import BREAK, Corners

EAST, SOUTH, WEST, NORTH = 0, 1, 2, 3
NOWHERE = -1


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Line k is ``corner[starts[k]:starts[k + 1]]``, (row, column) each.

    ``side`` (N, 2, 2) are the vertices at these corners on the line's left and right, seen along
    the line in a map with north up, as the edge before and the edge after the corner have them;
    -1 where that side is not drawn. ``kind`` (lines,) is BREAK or BORDER; ``ring`` (lines,) says
    which run into themselves.
    """

    corner: Int32Array
    starts: Int32Array
    side: Int32Array
    kind: ByteArray
    ring: BoolArray


def boundary_lines(corners: Corners, height: Array) -> Lines:
    """The lines of a block: where its surface breaks or ends, and its border.

    ``height`` (rows + 2, columns + 2) is that of the cells, filled ones too: it tells which of the
    lines that meet is the tallest step.
    """
    rows, columns = corners.vertex.shape[0] - 2, corners.vertex.shape[1] - 2
    down, across = np.zeros_like(corners.down), np.zeros_like(corners.across)
    inner, outer = np.s_[1 : rows + 1, 1 : columns + 2], np.s_[1 : rows + 2, 1 : columns + 1]
    down[inner], across[outer] = corners.down[inner], corners.across[outer]
    room = 2 * int(np.count_nonzero(down) + np.count_nonzero(across)) + 1
    found = _Traced(
        corner=np.empty((room, 2), np.int32),
        starts=np.zeros(room + 1, np.int32),
        side=np.empty((room, 2, 2), np.int32),
        kind=np.empty(room, np.uint8),
        ring=np.zeros(room, np.bool_),
    )
    onward = np.full((*down.shape, 4), NOWHERE, np.int8)
    _join(corners.down, corners.across, down, across, height, onward)
    count = _trace(down, across, onward, corners.vertex, found)
    used = int(found.starts[count])
    return Lines(
        corner=found.corner[:used],
        starts=found.starts[: count + 1],
        side=found.side[:used],
        kind=found.kind[:count],
        ring=found.ring[:count],
    )


class _Traced(NamedTuple):
    """Room for the arrays of :class:`Lines`."""

    corner: Int32Array
    starts: Int32Array
    side: Int32Array
    kind: ByteArray
    ring: BoolArray


@compiled
def _at(down: ByteArray, across: ByteArray, r: int, c: int, way: int) -> int:
    """The edge that leaves a corner towards EAST, SOUTH, WEST or NORTH."""
    if way == EAST:
        return int(across[r, c])
    if way == SOUTH:
        return int(down[r, c])
    if way == WEST:
        return int(across[r, c - 1])
    return int(down[r - 1, c])


@compiled
def _step(height: Array, r: int, c: int, way: int) -> float:
    """How much the two cells beside the edge that leaves a corner differ."""
    one_r, one_c = r - (way in (EAST, NORTH)), c - (way in (WEST, NORTH))
    other_r, other_c = r - (way in (WEST, NORTH)), c - (way in (SOUTH, WEST))
    if way == NORTH:
        one_c, other_c = c - 1, c
    step = abs(height[one_r, one_c] - height[other_r, other_c])
    return 0.0 if np.isnan(step) else step


@compiled
def _join(
    all_down: ByteArray,
    all_across: ByteArray,
    down: ByteArray,
    across: ByteArray,
    height: Array,
    onward: Int8Array,
) -> None:
    """At each corner, from which edge (as it leaves the corner) a line goes on by which one.

    On the block's border a line ends wherever any step touches it, also one of the neighbour.
    """
    last_r, last_c = down.shape[0] - 2, down.shape[1] - 2
    for r in range(1, last_r + 1):
        for c in range(1, last_c + 1):
            degree, first, second = 0, NOWHERE, NOWHERE
            first_step, second_step, touches = -1.0, -1.0, False
            for way in range(4):
                touches |= _at(all_down, all_across, r, c, way) == BREAK
                if not _at(down, across, r, c, way):
                    continue
                degree += 1
                step = _step(height, r, c, way)
                if step > first_step:
                    second, second_step = first, first_step
                    first, first_step = way, step
                elif step > second_step:
                    second, second_step = way, step
            on_row, on_column = r in (1, last_r), c in (1, last_c)
            if degree < 2 or (on_row and on_column) or ((on_row or on_column) and touches):
                continue
            onward[r, c, first], onward[r, c, second] = second, first


@compiled
def _take(down: ByteArray, across: ByteArray, r: int, c: int, way: int) -> None:
    if way == EAST:
        across[r, c] = 0
    elif way == SOUTH:
        down[r, c] = 0
    elif way == WEST:
        across[r, c - 1] = 0
    else:
        down[r - 1, c] = 0


@compiled
def _sides(vertex: Int32Array, r: int, c: int, way: int, end: int) -> tuple[int, int]:
    """The vertices left and right of the edge that leaves (r, c), at its start (0) or end (1)."""
    if way == EAST:
        return vertex[r - 1, c, 3 - end], vertex[r, c, end]
    if way == SOUTH:
        return vertex[r, c, 3 * end], vertex[r, c - 1, 1 + end]
    if way == WEST:
        return vertex[r, c - 1, 1 - end], vertex[r - 1, c - 1, 2 + end]
    return vertex[r - 1, c - 1, 2 - end], vertex[r - 1, c, 3 - 3 * end]


@compiled
def _follow(
    down: ByteArray,
    across: ByteArray,
    onward: Int8Array,
    vertex: Int32Array,
    start: Int32Array,
    out: _Traced,
    at: int,
) -> int:
    """Write one line from ``start`` (row, column, way) into place ``at``; how far it went."""
    corner, side = out.corner, out.side
    r, c, way = start[0], start[1], start[2]
    first = at
    while True:
        corner[at, 0], corner[at, 1] = r, c
        side[at, 0, 1], side[at, 1, 1] = _sides(vertex, r, c, way, 0)
        if at == first:
            side[at, :, 0] = side[at, :, 1]
        left, right = _sides(vertex, r, c, way, 1)
        _take(down, across, r, c, way)
        r += (way == SOUTH) - (way == NORTH)
        c += (way == EAST) - (way == WEST)
        at += 1
        corner[at, 0], corner[at, 1] = r, c
        side[at, 0, 0], side[at, 1, 0] = left, right
        way = onward[r, c, (way + 2) % 4]
        if way == NOWHERE or not _at(down, across, r, c, way):
            side[at, :, 1] = side[at, :, 0]
            return at + 1


@compiled
def _trace(
    down: ByteArray, across: ByteArray, onward: Int8Array, vertex: Int32Array, out: _Traced
) -> int:
    """Follow every line once and use up its edges; how many lines there are."""
    count, at = 0, 0
    start = np.empty(3, np.int32)
    for only_ends in (True, False):  # lines with ends first; what is left are rings
        for r in range(1, down.shape[0] - 1):
            for c in range(1, down.shape[1] - 1):
                for way in range(4):
                    found = _at(down, across, r, c, way)
                    if not found or (only_ends and onward[r, c, way] != NOWHERE):
                        continue
                    start[0], start[1], start[2] = r, c, way
                    at = _follow(down, across, onward, vertex, start, out, at)
                    out.kind[count], out.ring[count] = found, not only_ends
                    count += 1
                    out.starts[count] = at
    return count
