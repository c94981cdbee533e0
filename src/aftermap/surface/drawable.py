"""Heights and the photographs that agree on them to what the orthophoto draws of each cell.

Only measured ground is drawn from photographs. Specks and threads of it are no finding but chance,
and a ragged rim is worse than none, so what is too thin or too small is not drawn: nothing is ever
added, an outline only loses its fringe.
"""

import cv2
import numpy as np

from aftermap.geo.arrays import AnyArray, BoolArray, ByteArray, Float32Array
from aftermap.geo.grid import Block
from aftermap.surface.mosaic_grid import Sheet, raster_window

EMPTY, FILLED, GAP, MEASURED = 0, 1, 2, 3
DENSE_WINDOW_CELLS, DENSE_SHARE = 31, 0.8
"""Only what lies as near as half the window to where so much of it was measured is drawn."""
GAP_M2 = 3.0
"""A filled patch up to this size, with measured ground all around it, is a gap: a hole in a roof,
a shaft. The pictures show what can be seen through it, and nothing around it is distorted."""
MARGIN_CELLS = 64
CORE_CELLS = 3
LEAST_CELLS = 60
"""Fewer connected cells than this stand for nothing. Less than MARGIN_CELLS times CORE_CELLS, so
that a block sees all of a patch that it may drop."""


def drawn_in(sheet: Sheet, window: Block) -> ByteArray:
    """(rows, columns) label EMPTY, FILLED, GAP or MEASURED over a window of the surface raster.

    The same cell gets the same answer in every window.
    """
    around = Block(
        row=window.row - MARGIN_CELLS,
        column=window.column - MARGIN_CELLS,
        rows=window.rows + 2 * MARGIN_CELLS,
        columns=window.columns + 2 * MARGIN_CELLS,
    )
    kinds = drawable_kinds(
        raster_window(sheet.surface, around), raster_window(sheet.confidence, around)
    )
    kinds[gaps(kinds, GAP_M2 / sheet.surface.grid.cell_m**2)] = GAP
    return kinds[MARGIN_CELLS:-MARGIN_CELLS, MARGIN_CELLS:-MARGIN_CELLS]


def drawable_kinds(heights_m: Float32Array, photographs: Float32Array) -> ByteArray:
    """(rows, columns) label of what is drawn of cells with a height (NaN: none).

    ``photographs`` (rows, columns) is how many agree on the height.
    """
    known = without_fringes(np.isfinite(heights_m), CORE_CELLS, LEAST_CELLS)
    measured = known & (photographs > 0)
    measured = without_fringes(measured, CORE_CELLS, LEAST_CELLS)  # no photographs: NaN or 0
    measured &= dense(measured)
    return np.where(measured, MEASURED, np.where(known, FILLED, EMPTY)).astype(np.uint8)


def dense(measured: BoolArray) -> BoolArray:
    """(rows, columns) what lies within reach of ground that was mostly measured.

    A roof of which only rags were measured looks like one that was hit; without them it is plainly
    not measured. Straight edges and corners of what was measured well stay.
    """
    window = np.ones((DENSE_WINDOW_CELLS, DENSE_WINDOW_CELLS), np.uint8)
    share = cv2.boxFilter(measured.astype(np.float32), cv2.CV_32F, window.shape)
    core = (share >= DENSE_SHARE).astype(np.uint8)
    return np.asarray(cv2.dilate(core, window) > 0)


def gaps(kinds: ByteArray, most_cells: float) -> BoolArray:
    """(rows, columns) which FILLED cells lie in a small patch that MEASURED ones enclose."""
    filled = (kinds == FILLED).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(filled, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] <= most_cells
    small &= stats[:, cv2.CC_STAT_WIDTH] < MARGIN_CELLS
    small &= stats[:, cv2.CC_STAT_HEIGHT] < MARGIN_CELLS
    small &= ~_touch_border(np.asarray(labels), count)
    beside = cv2.dilate((kinds == EMPTY).astype(np.uint8), np.ones((3, 3), np.uint8))
    small[np.unique(labels[beside > 0])] = False
    small[0] = False
    return np.asarray(small[labels])


def least_drawn(sheet: Sheet) -> int:
    """The least kind of cell that photographs are taken for."""
    return FILLED if sheet.draped else GAP


def without_fringes(mask: BoolArray, core_cells: int, least_cells: int) -> BoolArray:
    """A mask (rows, columns) without threads and fringes narrower than ``core_cells`` and islands.

    Islands of fewer than ``least_cells`` go. Holes of a cell or two do not count against what lies
    around them, but stay holes.
    """
    narrow = np.ones((CORE_CELLS, CORE_CELLS), np.uint8)
    whole = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, narrow)
    kernel = np.ones((core_cells, core_cells), np.uint8)
    core = cv2.morphologyEx(whole, cv2.MORPH_OPEN, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=4)
    kept = stats[:, cv2.CC_STAT_AREA] >= least_cells
    kept |= _touch_border(np.asarray(labels), count)
    kept[0] = False
    return np.asarray(kept[labels] & mask)


def _touch_border(labels: AnyArray, count: int) -> BoolArray:
    """(count,) whether a patch goes on beyond the window, as far as that can be told."""
    touching = np.zeros(count, np.bool_)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching[side] = True
    return touching
