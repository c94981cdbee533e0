"""Edges where a surface ends -> lines of corners, from one meeting of lines to the next.

Corners are (row, column) of the lattice between cells. The lines of a block end on the border of
the block, at places that its neighbour finds as well, so that two blocks agree on their border.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.compiled import compiled
from aftermap.mesh.steps import BREAK, Corners, Marks, Numbers

EAST, SOUTH, WEST, NORTH = 0, 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Line k is ``corner[starts[k]:starts[k + 1]]``, (row, column) each.

    ``left`` and ``right`` are the vertices at these corners on the line's two sides, seen along the
    line in a map with north up, or -1 where that side is not drawn. ``kind`` (lines,) is BREAK or
    BORDER; ``ring`` (lines,) says which run into themselves without meeting any other.
    """

    corner: Numbers
    starts: Numbers
    left: Numbers
    right: Numbers
    kind: Marks
    ring: npt.NDArray[np.bool_]


def lines_of(corners: Corners) -> Lines:
    """The lines of a block: where its surface breaks or ends, and its border."""
    rows, columns = corners.vertex.shape[0] - 2, corners.vertex.shape[1] - 2
    down, across = _traceable(corners, rows, columns)
    room = 2 * int(np.count_nonzero(down) + np.count_nonzero(across)) + 1
    corner = np.empty((room, 2), np.int32)
    side = np.empty((room, 2), np.int32)
    starts = np.zeros(room + 1, np.int32)
    kind = np.empty(room, np.uint8)
    node = np.zeros(corners.down.shape, np.bool_)
    _nodes(corners.down, corners.across, down, across, node)
    ring = np.zeros(room, np.bool_)
    count = _trace(down, across, node, corners.vertex, corner, side, starts, kind, ring)
    used = int(starts[count])
    return Lines(
        corner=corner[:used], starts=starts[: count + 1], left=side[:used, 0],
        right=side[:used, 1], kind=kind[:count], ring=ring[:count],
    )  # fmt: skip


def _traceable(corners: Corners, rows: int, columns: int) -> tuple[Marks, Marks]:
    """The edges of the block itself and its border, without those of the ring around it."""
    down, across = np.zeros_like(corners.down), np.zeros_like(corners.across)
    inner, outer = np.s_[1 : rows + 1, 1 : columns + 2], np.s_[1 : rows + 2, 1 : columns + 1]
    down[inner] = corners.down[inner]
    across[outer] = corners.across[outer]
    return down, across


@compiled
def _at(down: Marks, across: Marks, r: int, c: int, way: int) -> int:
    """The edge that leaves a corner towards EAST, SOUTH, WEST or NORTH."""
    if way == EAST:
        return int(across[r, c])
    if way == SOUTH:
        return int(down[r, c])
    if way == WEST:
        return int(across[r, c - 1])
    return int(down[r - 1, c])


@compiled
def _nodes(
    all_down: Marks, all_across: Marks, down: Marks, across: Marks, node: npt.NDArray[np.bool_]
) -> None:
    """Where lines meet or end; on the block's border also where any line touches it."""
    last_r, last_c = node.shape[0] - 2, node.shape[1] - 2
    for r in range(1, last_r + 1):
        for c in range(1, last_c + 1):
            degree, touches = 0, False
            for way in range(4):
                degree += _at(down, across, r, c, way) > 0
                touches |= _at(all_down, all_across, r, c, way) == BREAK
            on_row, on_column = r in (1, last_r), c in (1, last_c)
            node[r, c] = degree > 0 and (
                degree != 2 or (on_row and on_column) or ((on_row or on_column) and touches)
            )


@compiled
def _take(down: Marks, across: Marks, r: int, c: int, way: int) -> None:
    if way == EAST:
        across[r, c] = 0
    elif way == SOUTH:
        down[r, c] = 0
    elif way == WEST:
        across[r, c - 1] = 0
    else:
        down[r - 1, c] = 0


@compiled
def _sides(vertex: Numbers, r: int, c: int, way: int, end: int) -> tuple[int, int]:
    """The vertices left and right of the edge that leaves (r, c), at its start (0) or end (1)."""
    if way == EAST:
        return vertex[r - 1, c, 3 - end], vertex[r, c, end]
    if way == SOUTH:
        return vertex[r, c, 3 * end], vertex[r, c - 1, 1 + end]
    if way == WEST:
        return vertex[r, c - 1, 1 - end], vertex[r - 1, c - 1, 2 + end]
    return vertex[r - 1, c - 1, 2 - end], vertex[r - 1, c, 3 - 3 * end]


@compiled
def _follow(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    down: Marks, across: Marks, node: npt.NDArray[np.bool_], vertex: Numbers, start: Numbers,
    corner: Numbers, side: Numbers, at: int,
) -> int:  # fmt: skip
    """Write one line from ``start`` (row, column, way) into place ``at``; how far it was written."""
    r, c, way = start[0], start[1], start[2]
    first = True
    while True:
        corner[at, 0], corner[at, 1] = r, c
        if first:
            side[at, 0], side[at, 1] = _sides(vertex, r, c, way, 0)
        first = False
        left, right = _sides(vertex, r, c, way, 1)
        _take(down, across, r, c, way)
        r += (way == SOUTH) - (way == NORTH)
        c += (way == EAST) - (way == WEST)
        at += 1
        corner[at, 0], corner[at, 1] = r, c
        side[at, 0], side[at, 1] = left, right
        if node[r, c]:
            return at + 1
        for turn in range(4):
            if _at(down, across, r, c, turn):
                break
        else:  # a ring is back where it began
            return at + 1
        way = turn


@compiled
def _trace(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    down: Marks, across: Marks, node: npt.NDArray[np.bool_], vertex: Numbers, corner: Numbers,
    side: Numbers, starts: Numbers, kind: Marks, ring: npt.NDArray[np.bool_],
) -> int:  # fmt: skip
    count, at = 0, 0
    start = np.empty(3, np.int32)
    for wants_node in (True, False):  # lines between nodes first; what is left are rings
        for r in range(1, node.shape[0] - 1):
            for c in range(1, node.shape[1] - 1):
                if node[r, c] != wants_node:
                    continue
                for way in range(4):
                    found = _at(down, across, r, c, way)
                    if not found:
                        continue
                    start[0], start[1], start[2] = r, c, way
                    at = _follow(down, across, node, vertex, start, corner, side, at)
                    kind[count], ring[count] = found, not wants_node
                    count += 1
                    starts[count] = at
    return count
