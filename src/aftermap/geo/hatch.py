"""The hatching of what was not measured: a pattern of a raster's rows and columns, laid nowhere.

The pattern hangs on the rows and columns of the whole raster, so that blocks and tiles of it that
are drawn apart meet without a seam.
"""

import numpy as np

from aftermap.geo.arrays import ByteArray

PAPER, STROKE = 198, 156
"""Grey between the strokes of a hatching, and of the strokes; no photograph is so even."""
PERIOD_PX = 12
STROKE_FRACTION = 1 / 3


def hatch_mask(
    rows: int, columns: int, first_row: int, first_column: int, period: int
) -> ByteArray:
    """(rows, columns) uint8: 1 on a stroke, 0 between strokes, which run up to the right.

    ``period`` is in cells from stroke to stroke, along a row or a column. The same cell of a raster
    has the same value in every window of it; ``first_row`` and ``first_column`` are the window's.
    """
    diagonal = (first_row + np.arange(rows))[:, None] + (first_column + np.arange(columns))
    stroke = max(1, round(STROKE_FRACTION * period))
    return np.asarray(np.mod(diagonal, max(2, period)) < stroke, np.uint8)


def hatched_grey(
    rows: int, columns: int, first_row: int, first_column: int, period: int
) -> ByteArray:
    """(rows, columns) uint8 grey of the hatch: ``STROKE`` on a stroke, ``PAPER`` between."""
    return np.where(
        hatch_mask(rows, columns, first_row, first_column, period) > 0,
        np.uint8(STROKE),
        np.uint8(PAPER),
    )
