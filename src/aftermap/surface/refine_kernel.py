"""Sub-pixel inverse distances by least squares over several sources: compiled loops.

The Gauss-Newton step of least-squares matching (Lucas and Kanade 1981; Ackermann 1984) with one
unknown a pixel, its inverse distance, and all sources that look alike there.
"""

import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array, Int32Array
from aftermap.geo.compiled import vectorised


@vectorised
def sample_source(
    source: ByteArray,
    size: tuple[int, int],
    warp: Array,
    inverse: Float32Array,
    shift: float,
    out: Float32Array,
    seen: ByteArray,
) -> None:
    """Fill ``out`` (rows, columns) float32 with the grey of a source at pixels' inverse distances.

    ``source`` uint8 is of ``size``, row by row; ``warp`` (2, 3, 3) is A and B of :func:`warps_of`;
    ``inverse`` (rows, columns) is w, to which ``shift`` is added. ``seen`` (rows, columns) uint8 is
    0 where w is NaN or the source shows nothing.
    """
    rows, columns = size
    height, width = inverse.shape
    at = np.empty(width, np.int32)
    across, down = np.empty(width, np.float32), np.empty(width, np.float32)
    right, bottom = np.float32(columns - 1.001), np.float32(rows - 1.001)
    zero, half = np.float32(0), np.float32(0.5)
    first, second = warp[0].astype(np.float32), warp[1].astype(np.float32)
    for y in range(height):
        ax, ay, az = _along_row(first, np.float32(y + 0.5))
        bx, by, bz = _along_row(second, np.float32(y + 0.5))
        for x in range(width):
            u = np.float32(x) + half
            w = inverse[y, x] + np.float32(shift)
            z = first[2, 0] * u + az + w * (second[2, 0] * u + bz)
            px = (first[0, 0] * u + ax + w * (second[0, 0] * u + bx)) / z - half
            py = (first[1, 0] * u + ay + w * (second[1, 0] * u + by)) / z - half
            inside = (z > zero) & (px >= zero) & (px <= right) & (py >= zero) & (py <= bottom)
            px = px if inside else zero
            py = py if inside else zero
            c, r = np.int32(px), np.int32(py)
            across[x] = px - np.float32(c)
            down[x] = py - np.float32(r)
            at[x] = np.int32(np.int32(r * columns) + c)
            seen[y, x] = np.uint8(inside)
        _read_row(source, columns, at, across, down, out[y], seen[y])


@vectorised
def _along_row(matrix: Float32Array, v: np.float32) -> tuple[np.float32, np.float32, np.float32]:
    """What is the same for all pixels of a row when a matrix is applied to them."""
    return (
        matrix[0, 1] * v + matrix[0, 2],
        matrix[1, 1] * v + matrix[1, 2],
        matrix[2, 1] * v + matrix[2, 2],
    )


@vectorised
def _read_row(
    source: ByteArray,
    columns: int,
    at: Int32Array,
    across: Float32Array,
    down: Float32Array,
    out: Float32Array,
    seen: ByteArray,
) -> None:
    """Fill a row with a source read bilinearly, and take from ``seen`` where it shows nothing."""
    for x in range(len(at)):
        i = at[x]
        a, b = np.float32(source[i]), np.float32(source[i + 1])
        d, e = np.float32(source[i + columns]), np.float32(source[i + columns + 1])
        upper = a + across[x] * (b - a)
        lower = d + across[x] * (e - d)
        out[x] = upper + down[x] * (lower - upper)
        seen[x] &= np.uint8(min(a, b, d, e) > np.float32(0))


@vectorised
def specks_closed(inverse: Float32Array, grey: ByteArray) -> Float32Array:
    """Inverse distances (rows, columns), single unknown pixels (NaN) taken over from a neighbour.

    Of the eight around it, from that whose ``grey`` (rows, columns) is most like the pixel's: an
    edge of depth follows the edge of the picture (after Kopf et al. 2007).
    """
    rows, columns = inverse.shape
    out = inverse.copy()
    for y in range(rows):
        for x in range(columns):
            if inverse[y, x] > 0:
                continue
            nearest = 256.0
            for r in range(max(0, y - 1), min(rows, y + 2)):
                for c in range(max(0, x - 1), min(columns, x + 2)):
                    apart = abs(float(grey[r, c]) - float(grey[y, x]))
                    if inverse[r, c] > 0 and apart < nearest:
                        nearest = apart
                        out[y, x] = inverse[r, c]
    return out


@vectorised
def levelled(inverse: Float32Array, tolerance: float, reach: int) -> Float32Array:
    """Inverse distances (rows, columns) as the mean of their surroundings on the same surface.

    Those within ``reach`` pixels that differ by no more than ``tolerance`` count; NaN where none
    do. Whole planes leave steps, and a window of least squares moves all that is in it alike.
    """
    rows, columns = inverse.shape
    out = np.empty((rows, columns), np.float32)
    limit = np.float32(tolerance)
    for y in range(rows):
        top, bottom = max(0, y - reach), min(rows, y + reach + 1)
        for x in range(columns):
            own = inverse[y, x]
            total, count = np.float32(0), np.float32(0)
            for r in range(top, bottom):
                for c in range(max(0, x - reach), min(columns, x + reach + 1)):
                    apart = inverse[r, c] - own
                    if abs(apart) <= limit:
                        total += apart
                        count += np.float32(1)
            out[y, x] = own + total / count if count > 0 else own
    return out
