"""Which cells of the surface each picture measured itself, in files.

Where a picture's own depth lies at the height that the map has, the picture sees the place: nothing
stands in between, whatever is unknown of the ground there. The orthophoto need not guess.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from aftermap.geo.arrays import BoolArray
from aftermap.geo.grid import Block
from aftermap.model.raster import MeasuredCells, Raster
from aftermap.surface.mosaic_grid import measured_window, overlap, raster_window, within
from aftermap.surface.saving import save_whole
from aftermap.surface.view_heights import ViewHeights, metres_of

CLOSED_CELLS = 5
"""Cells between those that a picture measured count as well, as far as a window of this size."""


@dataclass(frozen=True, kw_only=True)
class MeasuredCellsTask:
    """The heights of one view, the finished surface, and where the answer goes.

    ``tolerance_m`` is how far a picture's own height may lie from that of the map.
    """

    frame: int
    view: ViewHeights
    tolerance_m: float
    base_m: float
    step_m: float
    surface: Raster
    confidence: Raster
    file: str


def write_measured_cells(task: MeasuredCellsTask) -> MeasuredCells:
    """Write the cells of a view's window that it measured as the map has them, as bits."""
    window = task.view.window or Block(row=0, column=0, rows=0, columns=0)
    bits = np.zeros((window.rows, -(-window.columns // 8)), np.uint8)
    if window.rows and window.columns:
        steps = np.load(task.view.heights, mmap_mode="r")
        own_m = metres_of(steps, task.base_m, task.step_m)
        apart_m = np.abs(own_m - raster_window(task.surface, window))
        measured = raster_window(task.confidence, window) > 0
        same = measured & (apart_m <= task.tolerance_m)
        kernel = np.ones((CLOSED_CELLS, CLOSED_CELLS), np.uint8)
        whole = cv2.morphologyEx(same.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
        bits = np.packbits(whole & measured, axis=1)
    save_whole(Path(task.file), bits)
    return MeasuredCells(
        frame=task.frame,
        path=task.file,
        window=(window.row, window.column, window.rows, window.columns),
    )


def measured_cells_over(sight: MeasuredCells, window: Block) -> BoolArray:
    """(rows, columns) whether a picture measured the cells of a window of the surface itself."""
    out = np.zeros((window.rows, window.columns), np.bool_)
    own = measured_window(sight)
    shared = overlap(own, window)
    if shared is not None:
        there, across = within(shared, own)
        kept = np.load(sight.path, mmap_mode="r")[there]
        out[within(shared, window)] = np.unpackbits(kept, axis=1, count=own.columns)[:, across] > 0
    return out
