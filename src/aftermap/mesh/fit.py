"""Points along a staircase -> where its line turns, and the straight lines between the turns."""

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.compiled import compiled

LEAST_FIT_EDGES = 4
FARTHEST_CELLS = 3.0
"""Where two fitted lines meet farther than this from the corner between them, they do not fit."""

LEAST_CROSS = 0.1


@compiled
def thin(points: Array, kept: BoolArray, within: float) -> None:  # noqa: C901 - clearer whole
    """Keep what is needed so that (N, D) points lie within a distance of what is kept."""
    count, size = points.shape
    stack = np.empty((count + 1, 2), np.int64)
    top, before = 0, -1
    for k in range(count):
        if kept[k]:
            if before >= 0:
                stack[top, 0], stack[top, 1] = before, k
                top += 1
            before = k
    while top:
        top -= 1
        i, j = stack[top, 0], stack[top, 1]
        worst, worst_at, length2 = within * within, -1, 0.0
        for d in range(size):
            length2 += (points[j, d] - points[i, d]) ** 2
        for k in range(i + 1, j):
            share, away = 0.0, 0.0
            for d in range(size):
                share += (points[k, d] - points[i, d]) * (points[j, d] - points[i, d])
            share = min(max(share / length2, 0.0), 1.0) if length2 > 0 else 0.0
            for d in range(size):
                off = points[k, d] - points[i, d] - share * (points[j, d] - points[i, d])
                away += off * off
            if away > worst:
                worst, worst_at = away, k
        if worst_at >= 0:
            kept[worst_at] = True
            stack[top, 0], stack[top, 1] = i, worst_at
            stack[top + 1, 0], stack[top + 1, 1] = worst_at, j
            top += 2


@compiled
def joints(flat: Array, at: IntArray, is_ring: bool) -> Array:  # noqa: FBT001
    """(K, 2) where the turns ``at`` of (N, 2) points go: to where the lines fitted there meet.

    The first and the last one stay, but for a ring's, which is one and the same.
    """
    spot = flat[at].copy()
    pieces = len(at) - 1
    lines = np.empty((pieces, 4))
    for s in range(pieces):
        _fit(flat, at[s], at[s + 1], lines[s])
    for k in range(0 if is_ring else 1, pieces):
        before, after = lines[(k - 1) % pieces], lines[k]
        x, y = _intersection(before, after, spot[k, 0], spot[k, 1])
        if (x - spot[k, 0]) ** 2 + (y - spot[k, 1]) ** 2 <= FARTHEST_CELLS**2:
            spot[k, 0], spot[k, 1] = x, y
    if is_ring:
        spot[-1, 0], spot[-1, 1] = spot[0, 0], spot[0, 1]
    return spot


@compiled
def _fit(flat: Array, first: int, last: int, line: Array) -> None:
    """A point and a direction of the line through the middles of edges; NaN for too few of them."""
    count = last - first
    if count < LEAST_FIT_EDGES:
        line[:] = np.nan
        return
    mx = my = 0.0
    for k in range(first, last):
        mx += (flat[k, 0] + flat[k + 1, 0]) / 2
        my += (flat[k, 1] + flat[k + 1, 1]) / 2
    mx, my = mx / count, my / count
    xx = yy = xy = 0.0
    for k in range(first, last):
        x, y = (flat[k, 0] + flat[k + 1, 0]) / 2 - mx, (flat[k, 1] + flat[k + 1, 1]) / 2 - my
        xx, yy, xy = xx + x * x, yy + y * y, xy + x * y
    turn = 0.5 * np.arctan2(2 * xy, xx - yy)
    line[0], line[1], line[2], line[3] = mx, my, np.cos(turn), np.sin(turn)


@compiled
def _intersection(before: Array, after: Array, x: float, y: float) -> tuple[float, float]:
    """Where two lines meet; where they hardly do, or one is not known, the place beside (x, y)."""
    if np.isnan(before[0]) and np.isnan(after[0]):
        return x, y
    if np.isnan(before[0]):
        return _beside(after, x, y)
    if np.isnan(after[0]):
        return _beside(before, x, y)
    cross = before[2] * after[3] - before[3] * after[2]
    if abs(cross) < LEAST_CROSS:
        return _beside(before, x, y)
    along = ((after[0] - before[0]) * after[3] - (after[1] - before[1]) * after[2]) / cross
    return before[0] + along * before[2], before[1] + along * before[3]


@compiled
def _beside(line: Array, x: float, y: float) -> tuple[float, float]:
    along = (x - line[0]) * line[2] + (y - line[1]) * line[3]
    return line[0] + along * line[2], line[1] + along * line[3]
