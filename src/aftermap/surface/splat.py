"""Disparities to heights on the ground grid: compiled loops, one pair at a time."""

import numpy as np
import numpy.typing as npt

from aftermap.geo.compiled import compiled

Float = npt.NDArray[np.float32]


@compiled
def highest_m(  # noqa: C901 - a compiled loop is clearer whole
    disparity: Float,
    rotation: npt.NDArray[np.float64],
    centre_m: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    window: npt.NDArray[np.float64],
    heights: Float,
    agreement_m: float,
) -> None:
    """Write into ``heights`` (rows, columns; NaN at first) the mean of the topmost points per cell.

    ``rotation`` is rectified camera from world; ``scale`` holds focal_px * base_m, right shift,
    focal_px, principal column, principal row; ``window`` east, north and size of the cells.
    Points within ``agreement_m`` below the topmost one of their cell are averaged with it.
    """
    rows, columns = heights.shape
    total = np.zeros((rows, columns), np.float32)
    count = np.zeros((rows, columns), np.float32)
    for sweep in range(2):
        for v in range(disparity.shape[0]):
            y = (v + 0.5 - scale[4]) / scale[2]
            for u in range(disparity.shape[1]):
                d = disparity[v, u]
                if d < 0:
                    continue
                x = (u + 0.5 - scale[3]) / scale[2]
                z = scale[0] / (d + scale[1])
                east = centre_m[0] + z * (rotation[0, 0] * x + rotation[1, 0] * y + rotation[2, 0])
                north = centre_m[1] + z * (rotation[0, 1] * x + rotation[1, 1] * y + rotation[2, 1])
                column = int(np.floor((east - window[0]) / window[2]))
                row = int(np.floor((window[1] - north) / window[2]))
                if row < 0 or column < 0 or row >= rows or column >= columns:
                    continue
                up = np.float32(
                    centre_m[2] + z * (rotation[0, 2] * x + rotation[1, 2] * y + rotation[2, 2])
                )
                if sweep == 0:
                    if not up <= heights[row, column]:
                        heights[row, column] = up
                elif heights[row, column] - up < agreement_m:
                    total[row, column] += up - heights[row, column]
                    count[row, column] += 1
    for row in range(rows):
        for column in range(columns):
            if count[row, column] > 0:
                heights[row, column] += total[row, column] / count[row, column]


@compiled
def pinholes_closed(heights: Float, agreement_m: float) -> Float:
    """Heights with single empty cells (NaN) between two that agree given their mean.

    Where a pixel is larger on the ground than a cell, points leave a regular pattern of holes.
    """
    rows, columns = heights.shape
    out = heights.copy()
    for row in range(1, rows - 1):
        for column in range(1, columns - 1):
            if not np.isnan(heights[row, column]):
                continue
            total, count = np.float32(0), 0
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
                before = heights[row - dr, column - dc]
                after = heights[row + dr, column + dc]
                if abs(before - after) <= agreement_m:
                    total += before + after
                    count += 2
            if count > 0:
                out[row, column] = total / count
    return out


@compiled
def cell_box(
    disparity: Float,
    rotation: npt.NDArray[np.float64],
    centre_m: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    cells: npt.NDArray[np.float64],
) -> tuple[float, float, float, float]:
    """First row, first column, last row, last column that the points of a pair fall into."""
    west, north, cell = cells
    low_r, low_c, high_r, high_c = 1e18, 1e18, -1e18, -1e18
    for v in range(disparity.shape[0]):
        y = (v + 0.5 - scale[4]) / scale[2]
        for u in range(disparity.shape[1]):
            d = disparity[v, u]
            if d < 0:
                continue
            x = (u + 0.5 - scale[3]) / scale[2]
            z = scale[0] / (d + scale[1])
            column = centre_m[0] + z * (rotation[0, 0] * x + rotation[1, 0] * y + rotation[2, 0])
            row = centre_m[1] + z * (rotation[0, 1] * x + rotation[1, 1] * y + rotation[2, 1])
            column = (column - west) / cell
            row = (north - row) / cell
            low_r, high_r = min(low_r, row), max(high_r, row)
            low_c, high_c = min(low_c, column), max(high_c, column)
    return np.floor(low_r), np.floor(low_c), np.floor(high_r), np.floor(high_c)
