"""Lines along the edges of cells -> straight outlines, with their heights on both sides.

A straight wall comes as a staircase of cells. Its corners are thinned (Douglas and Peucker 1973,
within a cell); a line is then fitted by total least squares to the middles of the edges between two
corners, and the corners move to where these lines meet. Heights along a line are thinned in the same
way, left and right together, so that both sides keep the same corners. Nothing moves by more than
about a cell, and nothing on the border of the block moves.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.compiled import compiled
from aftermap.mesh.steps import BREAK, Array, Numbers
from aftermap.mesh.trace import Lines

LEAST_FIT_EDGES = 4
FARTHEST_CELLS = 1.5
"""Where two fitted lines meet farther than this from the corner between them, they do not fit."""


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """What straightening made of lines. Coordinates are in cells, as in ``Corners``.

    ``xyz`` (V, 3) are all vertices, moved. ``rim`` (V,) is the piece that a vertex lies on, or -1;
    ``piece`` (P, 2, 3) are straight pieces in space and ``chain`` (P,) tells which follow each
    other. ``wall`` (W, 2, 4) are the upright pieces between two sides, both ends each as x, y,
    height on the left, height on the right (NaN where that side is not drawn); ``face`` (W,) says
    which of them lie in one plane; ``lattice`` (W, 2) is a corner that it begins at.
    """

    xyz: Array
    rim: Numbers
    piece: Array
    chain: Numbers
    wall: Array
    face: Numbers
    lattice: Numbers


def straightened(lines: Lines, xyz: Array, *, within: float, within_height: float) -> Outlines:
    """Straight outlines of a block's lines, within so many cells in plan and in height."""
    xyz = xyz.copy()
    rim = np.full(len(xyz), -1, np.int32)
    points = len(lines.corner)
    piece, chain = np.empty((2 * points, 2, 3)), np.empty(2 * points, np.int32)
    wall, face = np.empty((points, 2, 4)), np.empty(points, np.int32)
    lattice = np.empty((points, 2), np.int32)
    counts = np.zeros(3, np.int64)
    tolerance = np.array([within, within_height])
    for k in range(len(lines.kind)):
        part = slice(lines.starts[k], lines.starts[k + 1])
        _straighten(
            lines.corner[part], lines.left[part], lines.right[part],
            int(lines.kind[k]), bool(lines.ring[k]), tolerance, xyz, rim, piece, chain, wall, face, lattice, counts,
        )  # fmt: skip
    pieces, walls = counts[0], counts[1]
    return Outlines(
        xyz=xyz, rim=rim, piece=piece[:pieces], chain=chain[:pieces], wall=wall[:walls],
        face=face[:walls], lattice=lattice[:walls],
    )  # fmt: skip


@compiled
def _straighten(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    corner: Numbers, left: Numbers, right: Numbers, kind: int, is_ring: bool, tolerance: Array,
    xyz: Array, rim: Numbers, piece: Array, chain: Numbers, wall: Array, face: Numbers, lattice: Numbers,
    counts: npt.NDArray[np.int64],
) -> None:  # fmt: skip
    count = len(corner)
    if is_ring:
        corner, left, right = _turned(corner, left, right)
    flat = np.empty((count, 2))
    flat[:, 0], flat[:, 1] = corner[:, 1], corner[:, 0]
    kept = np.zeros(count, np.bool_)
    kept[0] = kept[-1] = True
    if is_ring:
        far = int(np.argmax((flat[:, 0] - flat[0, 0]) ** 2 + (flat[:, 1] - flat[0, 1]) ** 2))
        kept[far] = True
    _thin(flat, kept, tolerance[0])
    at = np.flatnonzero(kept)
    spot = _met(flat, at, is_ring)
    sides = np.empty((count, 2))
    for k in range(count):
        sides[k, 0] = xyz[left[k], 2] if left[k] >= 0 else np.nan
        sides[k, 1] = xyz[right[k], 2] if right[k] >= 0 else np.nan
    for s in range(len(at) - 1):
        _lay_piece(
            flat[at[s] : at[s + 1] + 1], spot[s], spot[s + 1], sides[at[s] : at[s + 1] + 1],
            left[at[s] : at[s + 1] + 1], right[at[s] : at[s + 1] + 1], tolerance[1], xyz, rim,
            piece, chain, counts, kind, wall, face, lattice, corner[at[s]],
        )  # fmt: skip
    counts[2] += 2


@compiled
def _turned(corner: Numbers, left: Numbers, right: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """A ring that begins at its corner farthest from the middle: there the line surely turns."""
    count = len(corner) - 1
    y, x = corner[:count, 0].mean(), corner[:count, 1].mean()
    first = int(np.argmax((corner[:count, 1] - x) ** 2 + (corner[:count, 0] - y) ** 2))
    out, a, b = np.empty_like(corner), np.empty_like(left), np.empty_like(right)
    for k in range(count + 1):
        other = (first + k) % count
        out[k], a[k], b[k] = corner[other], left[other], right[other]
    return out, a, b


@compiled
def _thin(points: Array, kept: npt.NDArray[np.bool_], within: float) -> None:
    """Keep what is needed so that (N, D) points lie within a distance of what is kept."""
    count, size = points.shape
    ends = np.flatnonzero(kept)
    stack = np.empty((count + 1, 2), np.int64)
    top = 0
    for k in range(len(ends) - 1):
        stack[top, 0], stack[top, 1] = ends[k], ends[k + 1]
        top += 1
    while top:
        top -= 1
        i, j = stack[top, 0], stack[top, 1]
        worst, worst_at = within * within, -1
        along = points[j] - points[i]
        length2 = (along * along).sum()
        for k in range(i + 1, j):
            off = points[k] - points[i]
            share = min(max((off * along).sum() / length2, 0.0), 1.0) if length2 > 0 else 0.0
            away = 0.0
            for d in range(size):
                away += (off[d] - share * along[d]) ** 2
            if away > worst:
                worst, worst_at = away, k
        if worst_at >= 0:
            kept[worst_at] = True
            stack[top, 0], stack[top, 1] = i, worst_at
            stack[top + 1, 0], stack[top + 1, 1] = worst_at, j
            top += 2


@compiled
def _fitted(points: Array) -> tuple[float, float, float, float, bool]:
    """A point and a direction of the line through the middles of a staircase's edges."""
    count = len(points) - 1
    if count < LEAST_FIT_EDGES:
        return 0.0, 0.0, 0.0, 0.0, False
    x, y = (points[1:, 0] + points[:-1, 0]) / 2, (points[1:, 1] + points[:-1, 1]) / 2
    mx, my = x.mean(), y.mean()
    xx, yy, xy = ((x - mx) ** 2).sum(), ((y - my) ** 2).sum(), ((x - mx) * (y - my)).sum()
    turn = 0.5 * np.arctan2(2 * xy, xx - yy)
    return mx, my, np.cos(turn), np.sin(turn), True


@compiled
def _met(flat: Array, at: npt.NDArray[np.int64], is_ring: bool) -> Array:  # noqa: FBT001
    """(K, 2) where the kept corners go: the first and the last one stay, but for a ring's."""
    spot = flat[at].copy()
    pieces = len(at) - 1
    fits = np.empty((pieces, 4))
    fit = np.zeros(pieces, np.bool_)
    for s in range(pieces):
        a, b, u, v, good = _fitted(flat[at[s] : at[s + 1] + 1])
        fits[s, 0], fits[s, 1], fits[s, 2], fits[s, 3], fit[s] = a, b, u, v, good
    for k in range(0 if is_ring else 1, pieces):
        before, after = (k - 1) % pieces, k
        x, y = spot[k, 0], spot[k, 1]
        if fit[before] and fit[after]:
            cross = fits[before, 2] * fits[after, 3] - fits[before, 3] * fits[after, 2]
            if abs(cross) > 0.1:
                dx, dy = fits[after, 0] - fits[before, 0], fits[after, 1] - fits[before, 1]
                along = (dx * fits[after, 3] - dy * fits[after, 2]) / cross
                x = fits[before, 0] + along * fits[before, 2]
                y = fits[before, 1] + along * fits[before, 3]
            else:
                x, y = _beside(fits[before], x, y)
        elif fit[before]:
            x, y = _beside(fits[before], x, y)
        elif fit[after]:
            x, y = _beside(fits[after], x, y)
        if (x - spot[k, 0]) ** 2 + (y - spot[k, 1]) ** 2 <= FARTHEST_CELLS**2:
            spot[k, 0], spot[k, 1] = x, y
    if is_ring:
        spot[-1] = spot[0]
    return spot


@compiled
def _beside(line: Array, x: float, y: float) -> tuple[float, float]:
    along = (x - line[0]) * line[2] + (y - line[1]) * line[3]
    return line[0] + along * line[2], line[1] + along * line[3]


@compiled
def _lay_piece(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    flat: Array, start: Array, end: Array, sides: Array, left: Numbers, right: Numbers,
    within_height: float, xyz: Array, rim: Numbers, piece: Array, chain: Numbers,
    counts: npt.NDArray[np.int64], kind: int, wall: Array, face: Numbers, lattice: Numbers,
    corner: Numbers,
) -> None:  # fmt: skip
    """Lay the points of one piece on the straight line between its ends, and thin their heights."""
    count, plane = len(flat), counts[0]
    dx, dy = end[0] - start[0], end[1] - start[1]
    length2 = dx * dx + dy * dy
    length = np.sqrt(length2)
    share = np.empty(count)
    profile = np.zeros((count, 3))
    farthest = 0.0
    for k in range(count):
        along = ((flat[k, 0] - start[0]) * dx + (flat[k, 1] - start[1]) * dy) / max(length2, 1e-12)
        farthest = max(farthest, min(max(along, 0.0), 1.0))
        share[k] = farthest
    share[0], share[-1] = 0.0, 1.0
    for k in range(count):
        profile[k, 0] = share[k] * length
        for s in range(2):
            profile[k, 1 + s] = 0.0 if np.isnan(sides[k, s]) else sides[k, s]
    kept = np.zeros(count, np.bool_)
    kept[0] = kept[-1] = True
    _thin(profile, kept, within_height)
    ends = np.flatnonzero(kept)
    for m in range(len(ends) - 1):
        i, j = ends[m], ends[m + 1]
        for s in range(2):
            ids = left if s == 0 else right
            if ids[i] < 0:
                continue
            for k in range(i, j + 1):
                part = (share[k] - share[i]) / max(share[j] - share[i], 1e-12) if j > i else 0.0
                part = min(max(part, 0.0), 1.0)
                v = ids[k]
                if i < k < j:
                    xyz[v, 2] = sides[i, s] + part * (sides[j, s] - sides[i, s])
                xyz[v, 0], xyz[v, 1] = start[0] + share[k] * dx, start[1] + share[k] * dy
                rim[v] = counts[0]
            for e in range(2):
                k = i if e == 0 else j
                piece[counts[0], e, 0] = start[0] + share[k] * dx
                piece[counts[0], e, 1] = start[1] + share[k] * dy
                piece[counts[0], e, 2] = sides[k, s]
            chain[counts[0]] = counts[2] + s
            counts[0] += 1
        if kind != BREAK:
            continue
        for e in range(2):
            k = i if e == 0 else j
            wall[counts[1], e, 0] = start[0] + share[k] * dx
            wall[counts[1], e, 1] = start[1] + share[k] * dy
            wall[counts[1], e, 2], wall[counts[1], e, 3] = sides[k, 0], sides[k, 1]
        face[counts[1]] = plane
        lattice[counts[1]] = corner
        counts[1] += 1
