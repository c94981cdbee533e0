"""Measured heights and the photographs behind them -> the standard deviation of every height.

What a height is good for is decided by how many photographs agree on it and by what stands around
it: beside a wall a cell may belong to the roof or to the street. The figures were found on flights
of the synthetic twin, straight down and slanting: of the errors of cells of one kind, 68 of 100 lie
inside. They are in cells, since a cell is about what a pixel covers on the ground, and grow with
the slant of the looks: an error along a flat look lies on the ground before it lies in height.
"""

import cv2
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

PHOTOGRAPHS = (2, 3, 4, 6, 9)
"""Each row of the table is for so many photographs or more."""
STEPS_CELLS = (0.5, 2.0, 8.0)
"""Each column is for heights around that differ by up to so many cells; the last, by more."""
WINDOW_CELLS = 5
SLANT_POWER = 2.5
FAR_M = np.float32(1e6)
SIGMA_CELLS = np.array(
    [
        [0.36, 0.58, 1.11, 1.91],
        [0.28, 0.58, 1.11, 1.91],
        [0.21, 0.51, 1.11, 1.79],
        [0.14, 0.41, 0.95, 0.95],
        [0.11, 0.31, 0.70, 0.70],
    ],
    np.float32,
)


def sigma_m(height_m: Float, count: Bytes, cell_m: float, down: float) -> Float:
    """(rows, columns) standard deviation in metres, NaN where the height was not measured.

    ``height_m`` is NaN and ``count``, of photographs that agree, 0 where nothing was measured;
    ``down`` is how steeply the photographs look down, the sine of it.
    """
    kernel = np.ones((WINDOW_CELLS, WINDOW_CELLS), np.uint8)
    known = np.isfinite(height_m)
    high = cv2.dilate(np.where(known, height_m, -FAR_M).astype(np.float32), kernel)
    low = cv2.erode(np.where(known, height_m, FAR_M).astype(np.float32), kernel)
    step = np.where(known, (high - low) / np.float32(cell_m), 0)
    row = np.searchsorted(PHOTOGRAPHS, np.maximum(count, PHOTOGRAPHS[0]), side="right") - 1
    column = np.searchsorted(STEPS_CELLS, step)
    found = SIGMA_CELLS[row, column] * np.float32(cell_m / down**SLANT_POWER)
    return np.where(known & (count > 0), found, np.nan).astype(np.float32)
