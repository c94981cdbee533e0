"""Rings of ground: the hull of circles, areas, and whether a place lies inside.

A ring is (N, 2) east and north, not closed (the first corner is not repeated).
"""

import numpy as np
import numpy.typing as npt

from aftermap.geo.compiled import compiled

Array = npt.NDArray[np.float64]

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


def inside(xy_m: npt.ArrayLike, ring_m: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """(N,) whether (N, 2) points lie inside a ring, by the crossings of a line to the east."""
    ring = np.asarray(ring_m, float)
    x, y = np.asarray(xy_m, float)[:, None, :].transpose(2, 0, 1)
    x0, y0 = ring.T
    x1, y1 = np.roll(ring, -1, axis=0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    return np.asarray((((y0 > y) != (y1 > y)) & (x < crossing)).sum(axis=1) % 2 == 1)


def touch(one_m: npt.ArrayLike, other_m: npt.ArrayLike) -> bool:
    """Whether two rings share ground: a corner of one inside the other, or sides that cross."""
    one, other = np.asarray(one_m, float), np.asarray(other_m, float)
    if inside(one[:1], other).any() or inside(other[:1], one).any():
        return True
    return bool(_sides_cross(one, other))


def _sides_cross(one: Array, other: Array) -> bool:
    a, b = one[:, None], np.roll(one, -1, axis=0)[:, None]
    c, d = other[None], np.roll(other, -1, axis=0)[None]
    return bool(((_side(a, b, c) != _side(a, b, d)) & (_side(c, d, a) != _side(c, d, b))).any())


def _side(a: Array, b: Array, point: Array) -> npt.NDArray[np.bool_]:
    along, to = b - a, point - a
    return np.asarray(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0] > 0)


@compiled
def _chain(ordered: Array) -> npt.NDArray[np.int64]:
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
