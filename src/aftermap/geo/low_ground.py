"""Heights with holes -> heights without: level with the low ground nearby, where none was measured.

Rays are marched over heights without holes. What was not measured must hide nothing, so a hole is
laid as low as the ground around it: the tenth percentile of every ``BLOCK_M`` of the window,
between whose middles it runs smoothly. A block without heights is as low as the nearest with some.
"""

import cv2
import numpy as np

from aftermap.geo.arrays import BoolArray, Float32Array

BLOCK_M = 25.0
LEAST_CELLS = 8
LOW_PERCENT = 10.0


def without_holes(
    height_m: Float32Array, cell_m: float, *, otherwise_m: float
) -> tuple[Float32Array, float]:
    """(rows, columns) heights with NaN where there are none -> all of them, and the ground beyond.

    ``otherwise_m`` is for a window that holds no height at all.
    """
    known = np.isfinite(height_m)
    if not known.any():
        return np.full(height_m.shape, otherwise_m, np.float32), otherwise_m
    beyond = float(np.percentile(height_m[known], LOW_PERCENT))
    if known.all():
        return height_m, beyond
    return np.where(known, height_m, _low(height_m, known, cell_m)), beyond


def _low(height_m: Float32Array, known: BoolArray, cell_m: float) -> Float32Array:
    """(rows, columns) the low ground, from the middles of blocks."""
    rows, columns = height_m.shape
    side = max(LEAST_CELLS, round(BLOCK_M / cell_m))
    down, across = -(-rows // side), -(-columns // side)
    low = np.full((down, across), np.nan, np.float32)
    for row in range(down):
        for column in range(across):
            cut = np.s_[row * side : (row + 1) * side, column * side : (column + 1) * side]
            heights = height_m[cut][known[cut]]
            if len(heights):
                low[row, column] = np.percentile(heights, LOW_PERCENT)
    whole = _nearest(low)
    at_row = ((np.arange(rows) + 0.5) / side - 0.5).astype(np.float32)
    at_column = ((np.arange(columns) + 0.5) / side - 0.5).astype(np.float32)
    x, y = np.meshgrid(at_column, at_row)
    return np.asarray(
        cv2.remap(whole, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _nearest(low: Float32Array) -> Float32Array:
    """The blocks with the value of the nearest one where they have none of their own."""
    holes = np.isnan(low)
    if not holes.any():
        return low
    _, label = cv2.distanceTransformWithLabels(
        holes.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(int(label.max()) + 1, np.float32)
    values[label[~holes]] = low[~holes]
    return np.asarray(values[label], np.float32)
