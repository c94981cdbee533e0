"""How high the ground reaches, place by place: what a coarse match says about where to search.

Searching only where heights can be makes the fine match several times cheaper, and safer: less
room to be wrong in.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.grid import blocks_of, rowcol_of
from aftermap.model.raster import Grid
from aftermap.surface.blocks import fused_block
from aftermap.surface.heights import DenseHeights
from aftermap.surface.rectify import RectifiedPair

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

    def disparity_ranges(self, pair: RectifiedPair, tile_px: int) -> npt.NDArray[np.int64]:
        """(tile rows, tile columns, 2) first and last whole disparity to search in each tile.

        Both are -1 where the coarse match found no ground at all: open water, sky.
        """
        down, across = -(-pair.height_px // tile_px), -(-pair.width_px // tile_px)
        ranges = np.zeros((down, across, 2), np.int64)
        for i in range(down):
            for j in range(across):
                box = (j * tile_px, i * tile_px, (j + 1) * tile_px, (i + 1) * tile_px)
                ranges[i, j] = self._range_of(pair, box) or (-1, -1)
        return ranges

    def _range_of(
        self, pair: RectifiedPair, box_px: tuple[int, int, int, int]
    ) -> tuple[int, int] | None:
        """First and last disparity of a tile, or None where the coarse match found no ground.

        The ground under a tile depends on its height and the height on the ground: three rounds,
        starting from the whole range, are enough.
        """
        u = np.linspace(box_px[0], box_px[2], 3)
        v = np.linspace(box_px[1], box_px[3], 3)
        x, y = (g.ravel() for g in np.meshgrid(u, v))
        cx, cy = pair.left_principal_px
        rays = np.stack([(x - cx) / pair.focal_px, (y - cy) / pair.focal_px, np.ones(9)], axis=1)
        world = rays @ pair.rotation
        limits = self.everywhere_m
        for _ in range(3):
            found = self._heights_under(pair, world, limits)
            if found is None:
                return None
            limits = found
        steep = np.maximum(-world[:, 2], 0.1)
        depths = (pair.left_centre_m[2] - np.array(limits))[None, :] / steep[:, None]
        near, far = max(float(depths.min()), 1e-3), max(float(depths.max()), 1e-3)
        scale = pair.focal_px * pair.base_m
        first = int(np.floor(scale / far - pair.right_shift_px)) - 2
        last = int(np.ceil(scale / near - pair.right_shift_px)) + 2
        return min(max(first, 0), pair.disparities - 16), min(max(last, 1), pair.disparities)

    def _heights_under(
        self,
        pair: RectifiedPair,
        world: npt.NDArray[np.float64],
        limits: tuple[float, float],
    ) -> tuple[float, float] | None:
        """Lowest and highest known ground that the rays can meet between two heights."""
        steep = np.maximum(-world[:, 2], 0.1)
        spots = []
        for height in limits:
            reach = (pair.left_centre_m[2] - height) / steep
            spots.append(pair.left_centre_m[:2] + world[:, :2] * reach[:, None])
        rowcol = np.floor(rowcol_of(self.grid, np.concatenate(spots))).astype(int)
        first = np.clip(rowcol.min(axis=0), 0, None)
        last = np.clip(rowcol.max(axis=0) + 1, 0, None)
        lowest = self.lowest_m[first[0] : last[0], first[1] : last[1]]
        highest = self.highest_m[first[0] : last[0], first[1] : last[1]]
        known = np.isfinite(lowest)
        if not known.any():
            return None
        return float(lowest[known].min()), float(highest[known].max())


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
