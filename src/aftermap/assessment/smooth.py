"""Heights of cells -> the slope and roughness of the plane that fits around each.

One pass over sums of columns instead of a filter for every product of east, north and height.
"""

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Float32Array, FloatingArray
from aftermap.geo.compiled import compiled

LEAST_KNOWN = 0.5
LEAST_SPREAD_M4 = 1e-9


def planes_around(
    height_m: FloatingArray, known: BoolArray, cell_m: float, side: int
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Slope east, slope north and roughness of least squares planes in squares of ``side`` cells.

    Each is (rows, columns): slopes without unit, roughness in metres. ``side`` is odd. NaN where
    fewer
    than ``LEAST_KNOWN`` of a square's cells are known.
    """
    base = float(np.median(height_m[known])) if known.any() else 0.0
    above = np.where(known, height_m - base, 0).astype(np.float64)
    weight = np.asarray(known, np.float64)
    out = np.empty((3, *height_m.shape), np.float32)
    _planes_around(above, weight, cell_m, side // 2, out)
    return out[0], out[1], out[2]


@compiled
def _planes_around(
    above: Array, weight: Array, cell_m: float, reach: int, out: Float32Array
) -> None:
    """Fill (3, rows, columns): every square is summed about its own middle, in cells."""
    rows, columns = above.shape
    side = 2 * reach + 1
    tall = np.zeros((6, columns + 2 * reach))
    sums = np.zeros((10, columns))
    for row in range(rows):
        _sum_columns(above, weight, row, reach, tall)
        sums[:] = 0.0
        for step in range(side):
            x = float(step - reach)
            near = tall[:, step : step + columns]
            for k in range(6):
                _add(sums[k], near[k], 1.0)
            _add(sums[6], near[0], x)
            _add(sums[7], near[0], x * x)
            _add(sums[8], near[1], x)
            _add(sums[9], near[3], x)
        _solve(sums, cell_m, LEAST_KNOWN * side * side, out[:, row])


@compiled
def _sum_columns(above: Array, weight: Array, row: int, reach: int, tall: Array) -> None:
    """Fill the sums of 1, y, yy, z, zy, zz over the part of each column that is near a row."""
    columns = above.shape[1]
    tall[:] = 0.0
    near = tall[:, reach : reach + columns]
    for other in range(max(0, row - reach), min(above.shape[0], row + reach + 1)):
        y = float(row - other)
        _add(near[0], weight[other], 1.0)
        _add(near[1], weight[other], y)
        _add(near[2], weight[other], y * y)
        _add(near[3], above[other], 1.0)
        _add(near[4], above[other], y)
        for column in range(columns):
            near[5, column] += above[other, column] * above[other, column]


@compiled
def _add(to: Array, values: Array, times: float) -> None:
    """Add (columns,) values so many times; apart, so that machine code takes several at once."""
    for column in range(len(to)):
        to[column] += times * values[column]


@compiled
def _solve(sums: Array, cell_m: float, least: float, out: Float32Array) -> None:
    """Fill slopes and roughness from the sums of 1, y, yy, z, zy, zz, x, xx, xy, xz."""
    for column in range(sums.shape[1]):
        n = sums[0, column]
        if n < least:
            out[:, column] = np.nan
            continue
        mx, my, mz = sums[6, column] / n * cell_m, sums[1, column] / n * cell_m, sums[3, column] / n
        xx = sums[7, column] / n * cell_m * cell_m - mx * mx
        yy = sums[2, column] / n * cell_m * cell_m - my * my
        xy = sums[8, column] / n * cell_m * cell_m - mx * my
        xz = sums[9, column] / n * cell_m - mx * mz
        yz = sums[4, column] / n * cell_m - my * mz
        down = xx * yy - xy * xy
        if not down > LEAST_SPREAD_M4:
            out[:, column] = np.nan
            continue
        east, north = (yy * xz - xy * yz) / down, (xx * yz - xy * xz) / down
        left = sums[5, column] / n - mz * mz - east * xz - north * yz
        out[0, column], out[1, column], out[2, column] = east, north, np.sqrt(max(left, 0.0))
