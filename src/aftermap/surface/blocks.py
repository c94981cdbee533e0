"""One block of the map from the views' files: read only what lies in it, and fuse."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import ByteArray, Float32Array, Uint16Array
from aftermap.geo.grid import Block
from aftermap.surface import fuse
from aftermap.surface.view_heights import DenseHeights, metres_of

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
    """(rows, columns) heights in metres, NaN where unknown, and how many photographs agree.

    ``scatter_cells`` (rows, columns) is that of the views a height is from.
    """

    height_m: Float32Array
    count: ByteArray
    scatter_cells: Float32Array


def tolerance_m(cell_m: float, scatter_cells: float) -> float:
    """How far apart heights of one place may lie and count as one, in metres."""
    return TOLERANCE * max(scatter_cells, LEAST_SCATTER_CELLS) * cell_m


def fused_block(
    heights: DenseHeights, *, grid_row: int, grid_column: int, rows: int, columns: int
) -> FusedBlock:
    """Fuse the cells of one block (it may reach beyond the grid; there nothing is known)."""
    window = Block(row=grid_row, column=grid_column, rows=rows, columns=columns)
    steps = np.zeros((rows, columns), np.float32)
    count = np.zeros((rows, columns), np.uint8)
    scatter = np.zeros((rows, columns), np.float32)
    for one in heights.rounds:
        parts = [part for k in one.places if (part := heights.views[k].over(window)) is not None]
        if parts and not count.all():
            found = _fused(parts, heights, one.scatter_cells)
            open_ = count == 0
            steps[open_], count[open_] = found[0][open_], found[1][open_]
            scatter[open_] = one.scatter_cells
    metres = metres_of(steps, heights.base_m, heights.step_m)
    return FusedBlock(height_m=metres, count=count, scatter_cells=scatter)


def _fused(
    parts: Sequence[tuple[Uint16Array, ByteArray]],
    heights: DenseHeights,
    scatter_cells: float,
) -> tuple[Float32Array, ByteArray]:
    """(rows, columns) steps that most views share, 0 for none, and how many agree on them."""
    scatter = max(scatter_cells, LEAST_SCATTER_CELLS) * heights.grid.cell_m / heights.step_m
    stack = np.stack([part[0] for part in parts])
    views = np.stack([part[1] for part in parts])
    steps = np.zeros(stack.shape[1:], np.float32)
    count, shared = np.zeros(steps.shape, np.uint8), np.zeros(steps.shape, np.uint8)
    tolerance = TOLERANCE * scatter
    fuse.highest_run(stack, views, int(tolerance), SHARE_OF_LARGEST, steps, count, shared)
    steps[shared == 0] = 0
    count[shared == 0] = 0
    fuse.remove_islands(steps, count, tolerance, heights.least_cells)
    steps = fuse.smoothed(steps, count, CALM * scatter)
    return fuse.gaps_closed(steps, count, GAP_CELLS, GAP_STEP * scatter)
