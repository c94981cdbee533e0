"""A raster file -> its cells over a box of its own grid, as one array without reading the rest."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from aftermap.geo.arrays import Float32Array, GenericArray
from aftermap.geo.grid import Block, grid_over, window_of
from aftermap.model.raster import Grid, Raster


def block_over(
    grid: Grid, lower_left_m: tuple[float, float], upper_right_m: tuple[float, float]
) -> Block:
    """The cells of a grid that a box touches; they may lie beyond its edge."""
    first = int(np.floor((grid.north_m - upper_right_m[1]) / grid.cell_m))
    left = int(np.floor((lower_left_m[0] - grid.east_m) / grid.cell_m))
    last = int(np.ceil((grid.north_m - lower_left_m[1]) / grid.cell_m))
    right = int(np.ceil((upper_right_m[0] - grid.east_m) / grid.cell_m))
    return Block(row=first, column=left, rows=max(1, last - first), columns=max(1, right - left))


def read_block(raster: Raster, block: Block) -> tuple[GenericArray, Grid]:
    """(bands, rows, columns) of a block and its grid.

    Beyond the raster's edge there is its no-data value, or 0 where it has none (an alpha band then
    says that nothing is there).
    """
    top, left = max(block.row, 0), max(block.column, 0)
    with rasterio.open(Path(raster.path)) as file:
        rows = max(min(block.row + block.rows, file.height) - top, 0)
        columns = max(min(block.column + block.columns, file.width) - left, 0)
        fill = 0 if raster.nodata is None else raster.nodata
        shape = (file.count, block.rows, block.columns)
        cells = np.full(shape, fill, np.dtype(file.dtypes[0]))
        if rows and columns:
            first, start = top - block.row, left - block.column
            inside = file.read(window=Window(left, top, columns, rows))
            cells[:, first : first + rows, start : start + columns] = inside
    return cells, window_of(raster.grid, block)


def read_heights(raster: Raster, block: Block) -> tuple[Float32Array, Grid]:
    """(rows, columns) of a raster of heights, NaN where there is none; and its grid."""
    cells, grid = read_block(raster, block)
    heights = cells[0].astype(np.float32)
    if raster.nodata is not None:
        heights[heights == np.float32(raster.nodata)] = np.nan
    return heights, grid


def coarse_heights(
    raster: Raster,
    lower_left_m: tuple[float, float],
    upper_right_m: tuple[float, float],
    *,
    cell_m: float,
) -> tuple[Float32Array, Grid]:
    """(rows, columns) heights over a box in cells of ``cell_m``, or in its own where larger.

    Each is the mean of the heights in it, NaN where there are none. Memory is that of the answer.
    """
    grid = grid_over(raster.grid.crs, lower_left_m, upper_right_m, max(cell_m, raster.grid.cell_m))
    finer = raster.grid.cell_m < grid.cell_m / 1.5
    with (
        rasterio.open(Path(raster.path)) as file,
        WarpedVRT(
            file,
            crs=file.crs,
            dtype="float32",
            src_nodata=raster.nodata,
            nodata=np.nan,
            transform=Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m),
            width=grid.columns,
            height=grid.rows,
            resampling=Resampling.average if finer else Resampling.nearest,
        ) as view,
    ):
        return np.asarray(view.read(1), np.float32), grid
