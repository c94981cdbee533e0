"""Lines along the edges of cells -> straight outlines, with their heights on both sides.

A straight wall comes as a staircase of cells. Its corners are thinned (Douglas and Peucker 1973,
within a cell or two); a line is then fitted by total least squares to the middles of the edges
between two corners, and the corners move to where these lines meet. Heights along a line are
thinned in the same way, left and right together, so that both sides keep the same corners. What
ends on a line ends on it after it was moved. Nothing on the border of the block moves.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Int32Array, IntArray
from aftermap.geo.compiled import compiled
from aftermap.mesh.fit import joints, thin
from aftermap.mesh.steps import BREAK, Corners
from aftermap.mesh.trace import Lines


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """What straightening made of lines. Coordinates are in cells, as in ``Corners``.

    ``xyz`` (V, 3) are all vertices, moved; ``turn`` (V,) are those where a line turns or ends.
    ``rim`` (V,) is the piece that a vertex lies on, or -1;
    ``piece`` (P, 2, 3) are straight pieces in space and ``chain`` (P,) tells which follow each
    other. ``wall`` (W, 2, 4) are the upright pieces between two sides, both ends each as x, y,
    height on the left, height on the right (NaN where that side is not drawn); ``face`` (W,) says
    which of them lie in one plane.
    """

    xyz: Array
    turn: BoolArray
    rim: Int32Array
    piece: Array
    chain: Int32Array
    wall: Array
    face: Int32Array


def straightened(
    lines: Lines, corners: Corners, *, within: float, within_height: float
) -> Outlines:
    """Straight outlines of a block's lines, within so many cells in plan and in height."""
    moved = np.full((*corners.down.shape, 2), np.nan)
    kept = np.zeros(len(lines.corner), np.bool_)
    parts = [slice(*ends) for ends in pairwise(lines.starts.tolist())]
    for is_again in (False, True):  # once more, from where the lines went that others end on
        ends = moved.copy()
        for part, ring in zip(parts, lines.ring.tolist(), strict=True):
            _straighten(lines.corner[part], ring, within, ends, is_again, moved, kept[part])
    out = _room_for(len(lines.corner), corners)
    turn = np.zeros(len(out.xyz), np.bool_)
    turn[_ids(lines.side[kept])] = True
    for part, kind in zip(parts, lines.kind, strict=True):
        line = _lifted(lines.corner[part], lines.side[part], kept[part], moved, out.xyz)
        _raise_line(line, within_height, kind == BREAK, out)
    pieces, walls = out.counts[0], out.counts[1]
    _spread(corners.vertex, corners.xyz, out.rim >= 0, out.xyz)
    return Outlines(
        xyz=out.xyz,
        turn=turn,
        rim=out.rim,
        piece=out.piece[:pieces],
        chain=out.chain[:pieces],
        wall=out.wall[:walls],
        face=out.face[:walls],
    )


class _Line(NamedTuple):
    """One line of N corners.

    ``side`` (N, 2, 2) are its vertices as in :class:`Lines`, ``kept`` (N,) where it turns;
    ``place`` (N, 2) x, y and ``level`` (N, 2, 2) the heights of its vertices, NaN for none.
    """

    side: Int32Array
    kept: BoolArray
    place: Array
    level: Array


class _Raised(NamedTuple):
    """Room for the arrays of :class:`Outlines`; ``counts`` (3,) of pieces, walls and planes."""

    xyz: Array
    rim: Int32Array
    piece: Array
    chain: Int32Array
    wall: Array
    face: Int32Array
    counts: IntArray


def _room_for(points: int, corners: Corners) -> _Raised:
    return _Raised(
        xyz=corners.xyz.copy(),
        rim=np.full(len(corners.xyz), -1, np.int32),
        piece=np.empty((4 * points, 2, 3)),
        chain=np.empty(4 * points, np.int32),
        wall=np.empty((2 * points, 2, 4)),
        face=np.empty(2 * points, np.int32),
        counts=np.zeros(3, np.int64),
    )


def _ids(side: Int32Array) -> Int32Array:
    """The vertices there are among those of both sides."""
    return side[side >= 0]


@compiled
def _straighten(
    corner: Int32Array,
    is_ring: bool,  # noqa: FBT001
    within: float,
    ends: Array,
    is_again: bool,  # noqa: FBT001
    moved: Array,
    kept: BoolArray,
) -> None:
    """Where the corners of one line go; ``kept`` are those where it turns.

    The ends of a line stay, unless it ends on another line, which has moved them (``ends``).
    """
    count = len(corner)
    flat = np.empty((count, 2))
    for k in range(count):
        flat[k, 0], flat[k, 1] = corner[k, 1], corner[k, 0]
    if not is_again:
        kept[0] = kept[-1] = True
        if is_ring:
            kept[_farthest(flat, flat[:, 0].mean(), flat[:, 1].mean())] = True
            kept[_farthest(flat, flat[0, 0], flat[0, 1])] = True
        thin(flat, kept, within)
    at = np.flatnonzero(kept)
    spot = joints(flat, at, is_ring)
    if is_again and not is_ring:
        for e in (0, -1):
            r, c = corner[e, 0], corner[e, 1]
            if not np.isnan(ends[r, c, 0]):
                spot[e, 0], spot[e, 1] = ends[r, c, 0], ends[r, c, 1]
    for s in range(len(at) - 1):
        _move_to_chord(corner, flat, (at[s], at[s + 1]), spot[s : s + 2], is_ring, moved)


@compiled
def _move_to_chord(
    corner: Int32Array,
    flat: Array,
    between: tuple[int, int],
    spot: Array,
    is_ring: bool,  # noqa: FBT001
    moved: Array,
) -> None:
    """Move the corners between two turns onto the straight line of their (2, 2) places."""
    first, last = between
    dx, dy = spot[1, 0] - spot[0, 0], spot[1, 1] - spot[0, 1]
    length2 = max(dx * dx + dy * dy, 1e-12)
    reached = 0.0
    for k in range(first, last + 1):
        if (k in (0, len(corner) - 1)) and not is_ring:
            continue  # the end of this line is for the line that goes through there
        along = ((flat[k, 0] - spot[0, 0]) * dx + (flat[k, 1] - spot[0, 1]) * dy) / length2
        reached = max(reached, min(max(along, 0.0), 1.0))
        share = 0.0 if k == first else 1.0 if k == last else reached
        moved[corner[k, 0], corner[k, 1], 0] = spot[0, 0] + share * dx
        moved[corner[k, 0], corner[k, 1], 1] = spot[0, 1] + share * dy


@compiled
def _farthest(flat: Array, x: float, y: float) -> int:
    best, best_at = -1.0, 0
    for k in range(len(flat)):
        away = (flat[k, 0] - x) ** 2 + (flat[k, 1] - y) ** 2
        if away > best:
            best, best_at = away, k
    return best_at


@compiled
def _lifted(
    corner: Int32Array, side: Int32Array, kept: BoolArray, moved: Array, xyz: Array
) -> _Line:
    """A line with the places and heights of its corners."""
    count = len(corner)
    place, level = np.empty((count, 2)), np.full((count, 2, 2), np.nan)
    for k in range(count):
        r, c = corner[k, 0], corner[k, 1]
        place[k, 0], place[k, 1] = c, r
        if not np.isnan(moved[r, c, 0]):
            place[k, 0], place[k, 1] = moved[r, c, 0], moved[r, c, 1]
        for s in range(2):
            for e in range(2):
                if side[k, s, e] >= 0:
                    level[k, s, e] = xyz[side[k, s, e], 2]
    return _Line(side, kept, place, level)


@compiled
def _raise_line(
    line: _Line,
    within_height: float,
    is_break: bool,  # noqa: FBT001
    out: _Raised,
) -> None:
    """Give one line its heights: thin them, lay the vertices on them, and put up its walls."""
    side, count = line.side, len(line.kept)
    cuts = np.zeros(count, np.bool_)
    for k in range(count):
        changes = side[k, 0, 0] != side[k, 0, 1] or side[k, 1, 0] != side[k, 1, 1]
        cuts[k] = line.kept[k] or changes
    at = np.flatnonzero(cuts)
    for m in range(len(at) - 1):
        first, last = at[m], at[m + 1]
        profile = _profile(line, first, last)
        turns = np.zeros(last - first + 1, np.bool_)
        turns[0] = turns[-1] = True
        thin(profile, turns, within_height)
        if line.kept[first]:
            out.counts[2] += 1  # a new plane
        turned = np.flatnonzero(turns)
        along = profile[:, 0]
        for n in range(len(turned) - 1):
            ends = first + turned[n], first + turned[n + 1]
            _raise_piece(line, ends, first, along, is_break, out)


@compiled
def _profile(line: _Line, first: int, last: int) -> Array:
    """(corners, 3) the way from ``first``, and the heights left and right; 0 for none."""
    profile = np.zeros((last - first + 1, 3))
    length = 0.0
    for k in range(first, last + 1):
        if k > first:
            dx = line.place[k, 0] - line.place[k - 1, 0]
            length += np.hypot(dx, line.place[k, 1] - line.place[k - 1, 1])
        profile[k - first, 0] = length
        for s in range(2):
            found = line.level[k, s, 1 if k == first else 0]
            profile[k - first, 1 + s] = 0.0 if np.isnan(found) else found
    return profile


@compiled
def _raise_piece(
    line: _Line,
    ends: tuple[int, int],
    first: int,
    along: Array,
    is_break: bool,  # noqa: FBT001
    out: _Raised,
) -> None:
    """One straight piece, from one corner of a line to another.

    ``along`` is how far the corners lie from ``first`` on.
    """
    i, j = ends
    place, level, counts = line.place, line.level, out.counts
    leaving = 1 if i == first else 0
    span = max(along[j - first] - along[i - first], 1e-12)
    for s in range(2):
        start, end = level[i, s, leaving], level[j, s, 0]
        if line.side[i, s, 1] < 0:
            continue
        for k in range(i, j + 1):
            v = line.side[k, s, 1 if k == i else 0]
            if i < k < j:
                share = (along[k - first] - along[i - first]) / span
                out.xyz[v, 2] = start + share * (end - start)
            out.xyz[v, 0], out.xyz[v, 1] = place[k, 0], place[k, 1]
            out.rim[v] = counts[0]
        piece = out.piece[counts[0]]
        piece[0, 0], piece[0, 1], piece[0, 2] = place[i, 0], place[i, 1], start
        piece[1, 0], piece[1, 1], piece[1, 2] = place[j, 0], place[j, 1], end
        out.chain[counts[0]] = 2 * counts[2] + s
        counts[0] += 1
    if is_break:
        wall = out.wall[counts[1]]
        wall[0, 0], wall[0, 1] = place[i, 0], place[i, 1]
        wall[1, 0], wall[1, 1] = place[j, 0], place[j, 1]
        for s in range(2):
            wall[0, 2 + s], wall[1, 2 + s] = level[i, s, leaving], level[j, s, 0]
        out.face[counts[1]] = counts[2]
        counts[1] += 1


SPREAD_TIMES = 12
SPREAD_SHARE = 0.95


@compiled
def _spread(vertex: Int32Array, before: Array, is_rim: BoolArray, xyz: Array) -> None:
    """Let what is near a moved rim move with it, less and less, so that no cell turns over."""
    count = len(xyz)
    total, members = np.zeros((count, 2)), np.zeros(count)
    shift = xyz[:, :2] - before[:, :2]
    for _ in range(SPREAD_TIMES):
        total[:] = 0.0
        members[:] = 0.0
        for r in range(1, vertex.shape[0] - 1):
            for c in range(1, vertex.shape[1] - 1):
                if vertex[r, c, 0] < 0:
                    continue
                for k in range(4):
                    v, w = vertex[r, c, k], vertex[r, c, (k + 1) % 4]
                    total[v, 0] += shift[w, 0]
                    total[v, 1] += shift[w, 1]
                    total[w, 0] += shift[v, 0]
                    total[w, 1] += shift[v, 1]
                    members[v] += 1
                    members[w] += 1
        for v in range(count):
            if not is_rim[v] and members[v] > 0:
                shift[v, 0] = SPREAD_SHARE * total[v, 0] / members[v]
                shift[v, 1] = SPREAD_SHARE * total[v, 1] / members[v]
    for v in range(count):
        if not is_rim[v]:
            xyz[v, 0], xyz[v, 1] = before[v, 0] + shift[v, 0], before[v, 1] + shift[v, 1]
