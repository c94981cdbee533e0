"""What all pictures see of a surface to the outline of what is drawn of it.

Measured cells that no picture sees stay empty. So do the flames and islands that are left of ground
at the rim, seen between two things or by chance: an outline loses its fringe and gains nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import BoolArray, ByteArray
from aftermap.geo.grid import Block, blocks_of
from aftermap.surface.drawable import EMPTY, MARGIN_CELLS, MEASURED, drawn_in, without_fringes
from aftermap.surface.mosaic_grid import Sheet, overlap, within
from aftermap.surface.thumbnail_pass import CoarseView, seen_in

REGION_CELLS = 1024
CORE_CELLS = 5
LEAST_CELLS = 1500


def write_outline(sheet: Sheet, coarse_views: Sequence[CoarseView], path: Path) -> None:
    """Write an .npy over the cells of the surface: EMPTY to MEASURED, as they are drawn."""
    ground = sheet.surface.grid
    kept = np.lib.format.open_memmap(path, "w+", np.uint8, (ground.rows, ground.columns))
    for region in blocks_of(ground, REGION_CELLS):
        around = Block(
            row=region.row - MARGIN_CELLS,
            column=region.column - MARGIN_CELLS,
            rows=region.rows + 2 * MARGIN_CELLS,
            columns=region.columns + 2 * MARGIN_CELLS,
        )
        kinds = drawn_in(sheet, around)
        shown = without_fringes(
            (kinds == MEASURED) & _seen_by_any(coarse_views, around), CORE_CELLS, LEAST_CELLS
        )
        kinds[(kinds == MEASURED) & ~shown] = EMPTY
        rows = slice(region.row, region.row + region.rows)
        columns = slice(region.column, region.column + region.columns)
        kept[rows, columns] = kinds[within(region, around)]
    kept.flush()


def outline_in(path: str, window: Block) -> ByteArray:
    """(rows, columns) label of the kinds of the cells of a window, EMPTY beyond the surface."""
    kept = np.load(path, mmap_mode="r")
    whole = Block(row=0, column=0, rows=kept.shape[0], columns=kept.shape[1])
    kinds = np.full((window.rows, window.columns), EMPTY, np.uint8)
    shared = overlap(window, whole)
    if shared is not None:
        kinds[within(shared, window)] = kept[within(shared, whole)]
    return kinds


def _seen_by_any(coarse_views: Sequence[CoarseView], window: Block) -> BoolArray:
    seen = np.zeros((window.rows, window.columns), np.bool_)
    for coarse_view in coarse_views:
        if overlap(coarse_view.window, window) is not None:
            seen |= seen_in(coarse_view, window) > 0
    return seen
