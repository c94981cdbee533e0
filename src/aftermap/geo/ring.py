"""Rings of ground: the hull of circles, areas, and whether a place lies inside.

A ring is (N, 2) east and north, not closed (the first corner is not repeated).
"""

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.compiled import compiled

_DIRECTIONS = 16


def hull_of_circles(centres_m: npt.ArrayLike, radii_m: npt.ArrayLike) -> Array:
    """(N, 2) convex ring, anticlockwise, around circles (each as a polygon that encloses it)."""
    angle = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    reach = np.asarray(radii_m, float)[:, None, None] / np.cos(np.pi / _DIRECTIONS)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return hull_of((np.asarray(centres_m, float)[:, None] + reach * around).reshape(-1, 2))


def hull_of(xy_m: npt.ArrayLike) -> Array:
    """(N, 2) smallest convex ring around (M, 2) points, anticlockwise (Andrew 1979)."""
    xy = np.asarray(xy_m, float).reshape(-1, 2)
    ordered = np.ascontiguousarray(xy[np.lexsort((xy[:, 1], xy[:, 0]))])
    lower, upper = _chain(ordered), _chain(ordered[::-1].copy())
    return np.asarray(np.concatenate([ordered[lower[:-1]], ordered[::-1][upper[:-1]]]), float)


def twice_signed_area(ring_m: npt.ArrayLike) -> float:
    """Twice the area of a ring, positive where it runs anticlockwise."""
    x, y = (np.asarray(ring_m, float) - np.asarray(ring_m, float)[:1]).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def inside_ring(xy_m: npt.ArrayLike, ring_m: npt.ArrayLike) -> BoolArray:
    """(N,) whether (N, 2) points lie inside a ring, by the crossings of a line to the east."""
    ring = np.asarray(ring_m, float)
    x, y = np.asarray(xy_m, float)[:, None, :].transpose(2, 0, 1)
    x0, y0 = ring.T
    x1, y1 = np.roll(ring, -1, axis=0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    return np.asarray((((y0 > y) != (y1 > y)) & (x < crossing)).sum(axis=1) % 2 == 1)


def touching(ring_m: npt.ArrayLike, corners_m: npt.ArrayLike, starts: npt.ArrayLike) -> BoolArray:
    """(K,) which of K rings share ground with one ring.

    ``corners_m`` (M, 2) holds the rings one after the other, ``starts`` (K + 1,) where each begins.
    """
    starts = np.asarray(starts, np.int64)
    out = np.zeros(len(starts) - 1, np.bool_)
    _touch(np.ascontiguousarray(ring_m, float), np.ascontiguousarray(corners_m, float), starts, out)
    return out


def shares_inside(xy_m: npt.ArrayLike, corners_m: npt.ArrayLike, starts: npt.ArrayLike) -> Array:
    """(K,) share of (N, 2) points that lie inside each of K rings, given as in :func:`touching`."""
    starts = np.asarray(starts, np.int64)
    out = np.zeros(len(starts) - 1)
    _share(np.ascontiguousarray(xy_m, float), np.ascontiguousarray(corners_m, float), starts, out)
    return out


def points_in(ring_m: npt.ArrayLike, *, per_side: int = 10) -> Array:
    """(N, 2) points spread evenly over a ring's ground; its own corners where it is too thin."""
    ring = np.asarray(ring_m, float)
    low, high = ring.min(axis=0), ring.max(axis=0)
    steps = (np.arange(per_side) + 0.5) / per_side
    mesh = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    spread = low + mesh * (high - low)
    found = spread[inside_ring(spread, ring)]
    return found if len(found) else ring


@compiled
def _within(x: float, y: float, ring: Array) -> bool:
    odd = False
    j = len(ring) - 1
    for i in range(len(ring)):
        if (ring[i, 1] > y) != (ring[j, 1] > y):
            at = (y - ring[i, 1]) / (ring[j, 1] - ring[i, 1])
            if x < ring[i, 0] + at * (ring[j, 0] - ring[i, 0]):
                odd = not odd
        j = i
    return odd


@compiled
def _side(a: Array, b: Array, x: float, y: float) -> bool:
    return bool((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) > 0)


@compiled
def _crosses(one: Array, other: Array) -> bool:
    for i in range(len(one)):
        a, b = one[i - 1], one[i]
        for j in range(len(other)):
            c, d = other[j - 1], other[j]
            if _side(a, b, c[0], c[1]) != _side(a, b, d[0], d[1]) and _side(
                c, d, a[0], a[1]
            ) != _side(c, d, b[0], b[1]):
                return True
    return False


@compiled
def _touch(ring: Array, corners: Array, starts: IntArray, out: BoolArray) -> None:
    for k in range(len(out)):
        other = corners[starts[k] : starts[k + 1]]
        out[k] = (
            _within(ring[0, 0], ring[0, 1], other)
            or _within(other[0, 0], other[0, 1], ring)
            or _crosses(ring, other)
        )


@compiled
def _share(xy: Array, corners: Array, starts: IntArray, out: Array) -> None:
    for k in range(len(out)):
        other = corners[starts[k] : starts[k + 1]]
        count = 0
        for i in range(len(xy)):
            count += _within(xy[i, 0], xy[i, 1], other)
        out[k] = count / len(xy)


@compiled
def _chain(ordered: Array) -> IntArray:
    """The corners that turn left, from the first point to the last."""
    chain = np.empty(len(ordered), np.int64)
    n = 0
    for i in range(len(ordered)):
        while n > 1:
            a, b = ordered[chain[n - 2]], ordered[chain[n - 1]]
            if (b[0] - a[0]) * (ordered[i, 1] - a[1]) > (b[1] - a[1]) * (ordered[i, 0] - a[0]):
                break
            n -= 1
        chain[n] = i
        n += 1
    return chain[:n]
