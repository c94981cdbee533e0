"""One block of the map from the views' files: read only what lies in it, and fuse."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.grid import Block
from aftermap.surface import fuse
from aftermap.surface.heights import DenseHeights, metres_of

TOLERANCE, CALM, GAP_STEP = 6.0, 2.0, 3.0
"""In standard deviations of the heights that views give one cell: what counts as one height, how
smooth heights are made, and the step that a closed gap may have."""
LEAST_SCATTER_CELLS = 0.5
"""The heights of a cell lie in all of its area."""
SHARE_OF_LARGEST = 0.7
"""The highest heights win that as many views agree on, as a share of those on any other height."""
GAP_CELLS = 5
"""Between measured cells of one surface no wider gap than this is closed."""


@dataclass(frozen=True, kw_only=True)
class FusedBlock:
    """(rows, columns) heights in metres, NaN where unknown, and how many photographs agree."""

    height_m: npt.NDArray[np.float32]
    count: npt.NDArray[np.uint8]


def tolerance_m(heights: DenseHeights) -> float:
    """How far apart heights of one place may lie and count as one, in metres."""
    return TOLERANCE * max(heights.scatter_cells, LEAST_SCATTER_CELLS) * heights.grid.cell_m


def fused_block(
    heights: DenseHeights, *, grid_row: int, grid_column: int, rows: int, columns: int
) -> FusedBlock:
    """Fuse the cells of one block (it may reach beyond the grid; there nothing is known)."""
    window = Block(row=grid_row, column=grid_column, rows=rows, columns=columns)
    parts = [part for view in heights.views if (part := view.over(window)) is not None]
    steps = np.zeros((rows, columns), np.float32)
    count = np.zeros((rows, columns), np.uint8)
    if parts:
        cells_per_step = heights.step_m / heights.grid.cell_m
        scatter = max(heights.scatter_cells, LEAST_SCATTER_CELLS) / cells_per_step
        tolerance = TOLERANCE * scatter
        stack = np.stack([part[0] for part in parts])
        views = np.stack([part[1] for part in parts])
        shared = np.zeros((rows, columns), np.uint8)
        fuse.highest_run(stack, views, int(tolerance), SHARE_OF_LARGEST, steps, count, shared)
        steps[shared == 0] = 0
        count[shared == 0] = 0
        fuse.islands_removed(steps, count, tolerance, heights.least_cells)
        steps = fuse.smoothed(steps, count, CALM * scatter)
        steps, count = fuse.gaps_closed(steps, count, GAP_CELLS, GAP_STEP * scatter)
    metres = metres_of(steps, heights.base_m, heights.step_m)
    return FusedBlock(height_m=metres, count=count)
