"""Depths of one view to heights on the ground grid: compiled loops, one view at a time."""

import numpy as np
import numpy.typing as npt

from aftermap.geo.compiled import compiled

Bytes = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


@compiled
def highest_m(  # noqa: C901 - a compiled loop is clearer whole
    inverse: Float,
    views: Bytes,
    camera: Array,
    window: Array,
    heights: Float,
    counts: Bytes,
    agreement_m: float,
) -> None:
    """Write into ``heights`` (rows, columns; NaN at first) the mean of the topmost points per cell.

    ``inverse`` is 1 / z, NaN for none, ``views`` how many views see it so. ``camera`` is fx, fy,
    cx, cy, the centre (3) and the rotation cam_from_world (9); ``window`` east, north and size of
    the cells. Points within ``agreement_m`` below the topmost one of their cell are averaged with
    it, and ``counts`` takes the largest number of views among them.
    """
    rows, columns = heights.shape
    total = np.zeros((rows, columns), np.float32)
    count = np.zeros((rows, columns), np.float32)
    for sweep in range(2):
        for v in range(inverse.shape[0]):
            y = (v + 0.5 - camera[3]) / camera[1]
            for u in range(inverse.shape[1]):
                if not inverse[v, u] > 0:
                    continue
                z = 1.0 / inverse[v, u]
                x = (u + 0.5 - camera[2]) / camera[0]
                east = camera[4] + z * (camera[7] * x + camera[10] * y + camera[13])
                north = camera[5] + z * (camera[8] * x + camera[11] * y + camera[14])
                column = int(np.floor((east - window[0]) / window[2]))
                row = int(np.floor((window[1] - north) / window[2]))
                if row < 0 or column < 0 or row >= rows or column >= columns:
                    continue
                up = np.float32(camera[6] + z * (camera[9] * x + camera[12] * y + camera[15]))
                if sweep == 0:
                    if not up <= heights[row, column]:
                        heights[row, column] = up
                elif heights[row, column] - up < agreement_m:
                    total[row, column] += up - heights[row, column]
                    count[row, column] += 1
                    counts[row, column] = max(counts[row, column], views[v, u])
    for row in range(rows):
        for column in range(columns):
            if count[row, column] > 0:
                heights[row, column] += total[row, column] / count[row, column]


@compiled
def pinholes_closed(heights: Float, counts: Bytes, agreement_m: float) -> None:
    """Close single empty cells (NaN) between two that agree, given their mean and lesser count.

    Where a pixel is larger on the ground than a cell, points leave a regular pattern of holes.
    """
    rows, columns = heights.shape
    known = heights.copy()
    for row in range(1, rows - 1):
        for column in range(1, columns - 1):
            if not np.isnan(known[row, column]):
                continue
            total, found, least = np.float32(0), 0, np.uint8(255)
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
                before = known[row - dr, column - dc]
                after = known[row + dr, column + dc]
                if abs(before - after) <= agreement_m:
                    total += before + after
                    found += 2
                    least = min(least, counts[row - dr, column - dc], counts[row + dr, column + dc])
            if found > 0:
                heights[row, column] = total / found
                counts[row, column] = least


@compiled
def cell_box(inverse: Float, camera: Array, place: Array) -> tuple[float, float, float, float]:
    """First row, first column, last row, last column of the cells that a view's points lie in."""
    west, north_m, cell = place[0], place[1], place[2]
    low_r, low_c, high_r, high_c = np.inf, np.inf, -np.inf, -np.inf
    for v in range(inverse.shape[0]):
        y = (v + 0.5 - camera[3]) / camera[1]
        for u in range(inverse.shape[1]):
            if not inverse[v, u] > 0:
                continue
            z = 1.0 / inverse[v, u]
            x = (u + 0.5 - camera[2]) / camera[0]
            east = camera[4] + z * (camera[7] * x + camera[10] * y + camera[13])
            north = camera[5] + z * (camera[8] * x + camera[11] * y + camera[14])
            column, row = (east - west) / cell, (north_m - north) / cell
            low_r, high_r = min(low_r, row), max(high_r, row)
            low_c, high_c = min(low_c, column), max(high_c, column)
    return np.floor(low_r), np.floor(low_c), np.floor(high_r), np.floor(high_c)
