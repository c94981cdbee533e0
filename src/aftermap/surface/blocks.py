"""One block of the map from the pairs' files: read only what lies in it, and fuse."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.grid import cell_centres_m, rowcol_of
from aftermap.model.raster import Grid
from aftermap.surface import fuse
from aftermap.surface.heights import DenseHeights

TOLERANCE_CELLS = 3.0


@dataclass(frozen=True, kw_only=True)
class FusedBlock:
    """(rows, columns) heights in metres, NaN where unknown, and how many photographs agree."""

    height_m: npt.NDArray[np.float32]
    count: npt.NDArray[np.uint8]


def fused_block(
    heights: DenseHeights, *, grid_row: int, grid_column: int, rows: int, columns: int
) -> FusedBlock:
    """Fuse the cells of one block (it may reach beyond the grid; there nothing is known)."""
    layers, images = [], []
    for pair in heights.pairs:
        window = pair.window
        if window is None:
            continue
        top, bottom = max(grid_row, window.row), min(grid_row + rows, window.row + window.rows)
        left = max(grid_column, window.column)
        right = min(grid_column + columns, window.column + window.columns)
        if top >= bottom or left >= right:
            continue
        kept = np.load(pair.file, mmap_mode="r")
        part = kept[
            top - window.row : bottom - window.row, left - window.column : right - window.column
        ]
        if not part.any():
            continue
        layer = np.zeros((rows, columns), np.uint16)
        layer[top - grid_row : bottom - grid_row, left - grid_column : right - grid_column] = part
        layers.append(layer)
        images.append((pair.left, pair.right))
    steps = np.zeros((rows, columns), np.float32)
    count = np.zeros((rows, columns), np.uint8)
    if layers:
        cells_per_step = heights.step_m / heights.grid.cell_m
        tolerance = TOLERANCE_CELLS / cells_per_step
        fuse.agreed(np.stack(layers), np.array(images, np.int32), int(tolerance), steps, count)
        fuse.islands_removed(steps, count, tolerance, heights.least_cells)
        steps = fuse.smoothed(steps, count, 1 / cells_per_step)
    metres = heights.base_m + (steps - 1) * heights.step_m
    return FusedBlock(height_m=np.where(steps > 0, metres, np.nan).astype(np.float32), count=count)


def with_coarse(fine: FusedBlock, coarse: DenseHeights, grid: Grid) -> FusedBlock:
    """A fine block on ``grid`` whose empty cells take what the coarse pass agreed on there.

    The coarse pass sees leaves and smooth roofs that the fine one does not.
    """
    east, north = cell_centres_m(grid)
    across = np.stack([east, np.full_like(east, north[0])], axis=1)
    down = np.stack([np.full_like(north, east[0]), north], axis=1)
    columns = np.floor(rowcol_of(coarse.grid, across)[:, 1]).astype(np.int64)
    rows = np.floor(rowcol_of(coarse.grid, down)[:, 0]).astype(np.int64)
    rough = fused_block(
        coarse, grid_row=int(rows[0]), grid_column=int(columns[0]),
        rows=int(rows[-1] - rows[0]) + 1, columns=int(columns[-1] - columns[0]) + 1,
    )  # fmt: skip
    at = np.ix_(rows - rows[0], columns - columns[0])
    empty = np.isnan(fine.height_m)
    return FusedBlock(
        height_m=np.where(empty, rough.height_m[at], fine.height_m),
        count=np.where(empty, rough.count[at], fine.count),
    )
