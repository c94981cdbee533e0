"""Whether other views see the same depth: compiled loops over the pixels of one view."""

import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap.geo.compiled import vectorised

SAME_PX = 1.0
"""How far a pixel may land from itself when it goes to the other view's depth and back."""
SAME_SHARE = 0.01
"""How far the depths themselves may differ, as a share."""
THROUGH_SHARE = 0.018
"""How much farther the other view must see, all around, to look through a place."""


@vectorised
def count_agreement(
    own: Float32Array,
    other: Float32Array,
    there: Array,
    back: Array,
    agreeing: ByteArray,
    through: ByteArray,
) -> None:
    """Count one other view into ``agreeing`` and ``through`` (rows, columns).

    ``own`` and ``other`` are inverse z, NaN for none. ``there`` (2, 3, 3) takes a pixel (corner-
    origin) with inverse z v to the other view's: A + v B[:, 2], whose third row is z over z;
    ``back`` is the way back.
    """
    rows, columns = own.shape
    tall, wide = other.shape
    for y in range(rows):
        v = y + 0.5
        for x in range(columns):
            inverse = float(own[y, x])
            if not inverse > 0:
                continue
            u = x + 0.5
            px, py, ratio = _moved(there, u, v, inverse)
            if not ratio > 1e-9 or not (1 <= px < wide - 1 and 1 <= py < tall - 1):
                continue
            c, r = int(px), int(py)
            expected = inverse / ratio
            if _sees_through(other, r, c, expected):
                through[y, x] += 1
                continue
            found = float(other[r, c])
            if not abs(found - expected) < SAME_SHARE * expected:
                continue
            bx, by, _ = _moved(back, c + 0.5, r + 0.5, found)
            # The other pixel's centre is not where the ray went: that much is no disagreement.
            dx, dy, _ = _moved(back, c + 0.5, r + 0.5, expected)
            if (bx - dx) ** 2 + (by - dy) ** 2 < SAME_PX * SAME_PX:
                agreeing[y, x] += 1


@vectorised
def _moved(way: Array, u: float, v: float, inverse: float) -> tuple[float, float, float]:
    """A pixel in the other view, and its z there over its z here."""
    x = way[0, 0, 0] * u + way[0, 0, 1] * v + way[0, 0, 2] + inverse * way[1, 0, 2]
    y = way[0, 1, 0] * u + way[0, 1, 1] * v + way[0, 1, 2] + inverse * way[1, 1, 2]
    z = way[0, 2, 0] * u + way[0, 2, 1] * v + way[0, 2, 2] + inverse * way[1, 2, 2]
    return x / z, y / z, z


@vectorised
def _sees_through(other: Float32Array, row: int, column: int, expected: float) -> bool:
    limit = expected * (1 - THROUGH_SHARE)
    for r in range(row - 1, row + 2):
        for c in range(column - 1, column + 2):
            if not other[r, c] < limit:
                return False
    return True


@vectorised
def rim_trimmed(inverse: Float32Array, level: Array, reach: int, share: float) -> Float32Array:
    """Inverse z without the rim of what stands before something farther by more than ``share``.

    Matching windows carry the nearer surface a pixel or two past its edge (foreground fattening),
    always outwards; ``reach`` pixels of that rim are taken off again. Level ground runs away from
    a flat look and is no edge: what counts is farther both than the pixel and than the level plane
    through it. ``level`` (3,) times (u, v, 1) is how far below the camera a ray comes per z.
    """
    rows, columns = inverse.shape
    out = inverse.copy()
    for y in range(rows):
        for x in range(columns):
            own = inverse[y, x]
            if not own > 0:
                continue
            below = _below(level, x, y)
            limit = own * (1 - share)
            for r in range(max(0, y - reach), min(rows, y + reach + 1)):
                for c in range(max(0, x - reach), min(columns, x + reach + 1)):
                    if not inverse[r, c] < limit:
                        continue
                    if not below > 0 or inverse[r, c] * below < limit * _below(level, c, r):
                        out[y, x] = np.nan
    return out


@vectorised
def _below(level: Array, x: int, y: int) -> float:
    return float(level[0] * (x + 0.5) + level[1] * (y + 0.5) + level[2])
