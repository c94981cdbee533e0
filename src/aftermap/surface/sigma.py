"""Measured heights and the photographs behind them -> the standard deviation of every height.

What a height is good for is decided by how many photographs agree on it, by what stands around it
(beside a wall a cell may belong to the roof or to the street), and by how far the heights of single
views lie apart on this flight: blur, poses and flat looks are all in that. The figures were found
on flights of the synthetic twin, straight down, slanting and a clip, whose scatter is 0.2, 0.4 and
0.65 cells: of the errors of cells of one kind, 68 of 100 lie inside.
"""

import cv2
import numpy as np

from aftermap.geo.arrays import ByteArray, Float32Array

PHOTOGRAPHS = (2, 3, 4, 6, 9)
"""Each row of the table is for so many photographs or more."""
STEPS_CELLS = (0.5, 2.0, 8.0)
"""Each column is for heights around that differ by up to so many cells; the last, by more."""
WINDOW_CELLS = 5
FAR_M = np.float32(1e6)
OF_SCATTER = np.array(
    [
        [1.63, 2.56, 5.06, 8.92],
        [1.27, 2.56, 5.06, 8.92],
        [0.94, 2.22, 5.06, 8.48],
        [0.65, 1.80, 4.31, 4.31],
        [0.50, 1.33, 3.19, 3.19],
    ],
    np.float32,
)


def sigma_m(
    height_m: Float32Array, count: ByteArray, cell_m: float, scatter_cells: Float32Array
) -> Float32Array:
    """(rows, columns) standard deviation in metres, NaN where the height was not measured.

    ``height_m`` is NaN and ``count``, of photographs that agree, 0 where nothing was measured;
    ``scatter_cells`` (rows, columns) is the standard deviation of the heights that views of the
    kind a height is from give one cell.
    """
    kernel = np.ones((WINDOW_CELLS, WINDOW_CELLS), np.uint8)
    known = np.isfinite(height_m)
    high = cv2.dilate(np.where(known, height_m, -FAR_M).astype(np.float32), kernel)
    low = cv2.erode(np.where(known, height_m, FAR_M).astype(np.float32), kernel)
    step = np.where(known, (high - low) / np.float32(cell_m), 0)
    row = np.searchsorted(PHOTOGRAPHS, np.maximum(count, PHOTOGRAPHS[0]), side="right") - 1
    column = np.searchsorted(STEPS_CELLS, step)
    found = OF_SCATTER[row, column] * scatter_cells * np.float32(cell_m)
    return np.where(known & (count > 0), found, np.nan).astype(np.float32)
