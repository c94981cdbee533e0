"""How high the ground reaches, place by place: what a coarse match says about where to search.

Searching only where heights can be makes the fine match several times cheaper, and safer: less
room to be wrong in.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.grid import blocks_of
from aftermap.model.raster import Grid
from aftermap.surface.blocks import fused_block
from aftermap.surface.heights import DenseHeights

Float = npt.NDArray[np.float32]

CELLS_PER_TILE = 16
BLOCK_TILES = 32
MARGIN_CELLS = 6.0


@dataclass(frozen=True, kw_only=True)
class Relief:
    """Lowest and highest ground per cell of a very coarse grid, NaN where nothing is known.

    ``lowest_m`` and ``highest_m`` are (rows, columns) float32 in the datum of the reconstruction,
    ``ground_m`` the level that most of the lower ground has; ``everywhere_m`` spans them all.
    """

    grid: Grid
    lowest_m: Float
    highest_m: Float
    ground_m: Float
    everywhere_m: tuple[float, float]


def relief_of(heights: DenseHeights, everywhere_m: tuple[float, float]) -> Relief:
    """The relief of coarsely matched pairs, with a margin above and below.

    Each tile takes the 2nd and 98th percentile of itself and its eight neighbours: a wrong patch
    of the coarse match must not widen the search, and what is smaller is within the margin.
    ``everywhere_m`` is kept where nothing at all was found.
    """
    grid, size = heights.grid, CELLS_PER_TILE
    rows, columns = -(-grid.rows // size), -(-grid.columns // size)
    bounds = np.full((3, rows, columns), np.nan, np.float32)
    for block in blocks_of(grid, BLOCK_TILES * size):
        fused = fused_block(
            heights, grid_row=block.row - size, grid_column=block.column - size,
            rows=block.rows + 2 * size, columns=block.columns + 2 * size,
        )  # fmt: skip
        _tiles(fused.height_m, bounds[:, block.row // size :, block.column // size :])
    margin_m = np.float32(MARGIN_CELLS * grid.cell_m)
    lowest, highest = bounds[0] - margin_m, bounds[2] + margin_m
    tiles = Grid(
        crs=grid.crs, east_m=grid.east_m, north_m=grid.north_m,
        cell_m=grid.cell_m * size, columns=columns, rows=rows,
    )  # fmt: skip
    if np.isfinite(lowest).any():
        everywhere_m = (float(np.nanmin(lowest)), float(np.nanmax(highest)))
    return Relief(
        grid=tiles, lowest_m=lowest, highest_m=highest, ground_m=bounds[1],
        everywhere_m=everywhere_m,
    )  # fmt: skip


def _tiles(heights: Float, bounds: Float) -> None:
    """Fill the low, ground and high of every tile of a block that has a margin of one tile."""
    size = CELLS_PER_TILE
    for i in range(min(bounds.shape[1], heights.shape[0] // size - 1)):
        for j in range(min(bounds.shape[2], heights.shape[1] // size - 1)):
            around = heights[i * size : (i + 3) * size, j * size : (j + 3) * size]
            known = around[np.isfinite(around)]
            if known.size >= size:
                bounds[:, i, j] = np.percentile(known, [2, 20, 98])
