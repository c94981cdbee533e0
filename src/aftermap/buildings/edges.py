"""Surface and orthophoto of a block -> where heights fall and brightness changes, and whither.

Both come as gradients cut to length below 1, so that a wall of one floor counts nearly as much as
one of ten, and a roof's slope or the grain of rubble little.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.windows import Window

from aftermap.geo.arrays import AnyArray, BoolArray, Float32Array
from aftermap.geo.grid import Block, window_of
from aftermap.geo.measured_heights import NO_SOURCE, measured_on, measured_over
from aftermap.geo.windows import block_over
from aftermap.imaging.grey import grey_of_rgb
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster

SMOOTH_M = 0.2
"""Sigma of the blur before gradients are taken; the grain of a matched surface is as coarse."""
HALF_FALL = 2.0
"""Metres a metre at which a fall counts half. Roofs are flatter, and walls many times steeper."""
HALF_CONTRAST = 2.0
"""Median contrasts of the block at which a contrast counts half."""
SPARSE = 5
GAP_M = 1.2
LEAST_FILLED = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientField:
    """(rows, columns) parts to the east and to the north of a gradient shorter than 1; its grid.

    ``known`` is True where there are heights (or a picture); gradients are 0 elsewhere.
    """

    east: Float32Array
    north: Float32Array
    known: BoolArray
    grid: Grid


def falls_in(
    elevation: Elevation,
    lower_left_m: tuple[float, float],
    upper_right_m: tuple[float, float],
    *,
    cell_m: float,
) -> GradientField:
    """The falls of what was measured over a box, as vectors downhill, in cells of about ``cell_m``.

    Filled heights have no falls. Between a roof and the ground matching leaves gaps, though: what
    lies within ``GAP_M`` of measured cells is as low as the lowest, so a roof ends at its rim.
    """
    joined = _joined(elevation.surface, cell_m)
    heights = measured_over(
        elevation, lower_left_m, upper_right_m, cell_m=joined * elevation.surface.grid.cell_m
    )
    return falls_of(_bridged(heights.measured_m, heights.grid.cell_m), heights.grid)


def falls_of(height: Float32Array, grid: Grid) -> GradientField:
    """The falls of (rows, columns) heights, NaN where there are none."""
    known = np.isfinite(height)
    east, north = _slopes(height, known, grid.cell_m)
    steep = np.hypot(east, north) + np.float32(HALF_FALL)
    return GradientField(east=-east / steep, north=-north / steep, known=known, grid=grid)


def contrasts_in(
    orthophoto: Orthophoto,
    elevation: Elevation,
    lower_left_m: tuple[float, float],
    upper_right_m: tuple[float, float],
    *,
    cell_m: float,
) -> GradientField:
    """The changes of brightness of an orthophoto: vectors that point to the brighter side.

    What it shows over filled heights, a hatching or a picture laid over a guess, has none.
    """
    box = lower_left_m, upper_right_m
    cells, grid = _read_box(orthophoto.image, box, cell_m, Resampling.average)
    source, _ = _read_box(orthophoto.source, box, cell_m, Resampling.nearest)
    colours = np.ascontiguousarray(np.moveaxis(cells[:3], 0, -1))
    grey = grey_of_rgb(colours).astype(np.float32)
    known = (cells[3] > 0) & (source[0] != NO_SOURCE)
    known &= measured_on(elevation, grid).filled_fraction < LEAST_FILLED
    east, north = _slopes(grey, known, grid.cell_m)
    strength = np.asarray(np.hypot(east, north), np.float32)
    some = strength[::SPARSE, ::SPARSE][known[::SPARSE, ::SPARSE]]
    usual = float(np.median(some)) if some.size else 1.0
    strength = strength + np.float32(HALF_CONTRAST * max(usual, 1e-3))
    return GradientField(east=east / strength, north=north / strength, known=known, grid=grid)


def _joined(raster: Raster, cell_m: float) -> int:
    """How many cells of a raster, a power of two, are joined to about ``cell_m``."""
    return 1 << int(np.log2(max(1.0, 1.2 * cell_m / raster.grid.cell_m)))


def _bridged(height: Float32Array, cell_m: float) -> Float32Array:
    """Heights with narrow gaps as low as the lowest height about them."""
    known = np.isfinite(height)
    if known.all():
        return height
    side = 2 * max(1, round(GAP_M / cell_m)) + 1
    low = cv2.erode(
        np.where(known, height, np.float32(np.inf)),
        np.ones((side, side), np.uint8),
        borderType=cv2.BORDER_REPLICATE,
    )
    return np.where(known | np.isinf(low), height, low).astype(np.float32)


def _slopes(
    values: Float32Array, known: BoolArray, cell_m: float
) -> tuple[Float32Array, Float32Array]:
    """Change per metre to the east and north of blurred values; 0 beside and at unknown ones."""
    sigma = SMOOTH_M / cell_m
    level = float(values[known].mean()) if known.any() else 0.0
    filled = np.where(known, values - np.float32(level), np.float32(0)).astype(np.float32)
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), sigma)
    smooth = cv2.GaussianBlur(filled, (0, 0), sigma) / np.maximum(share, np.float32(1e-3))
    sure = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    per_m = sure / np.float32(2 * cell_m)
    kernel = np.array([[-1, 0, 1]], np.float32)
    east = cv2.filter2D(smooth, -1, kernel) * per_m
    south = cv2.filter2D(smooth, -1, kernel.T) * per_m
    return east, -south


def _read_box(
    raster: Raster,
    box_m: tuple[tuple[float, float], tuple[float, float]],
    cell_m: float,
    how: Resampling,
) -> tuple[AnyArray, Grid]:
    """(bands, rows, columns) of a box in joined cells, from the raster's overviews; and its grid.

    Beyond the raster there is its no-data value, or 0.
    """
    joined = _joined(raster, cell_m)
    fine = block_over(raster.grid, *box_m)
    row, column = fine.row // joined, fine.column // joined
    rows, columns = -(-fine.rows // joined) + 1, -(-fine.columns // joined) + 1
    block = Block(
        row=row * joined, column=column * joined, rows=rows * joined, columns=columns * joined
    )
    over = window_of(raster.grid, block)
    grid = replace(over, cell_m=over.cell_m * joined, rows=rows, columns=columns)
    cells = Block(row=row, column=column, rows=rows, columns=columns)
    return _read_joined(raster, cells, joined, how), grid


def _read_joined(raster: Raster, block: Block, joined: int, how: Resampling) -> AnyArray:
    """(bands, rows, columns) of a block of joined cells; no data beyond the raster, or 0."""
    top, left = max(0, -block.row), max(0, -block.column)
    bottom = min(block.rows, raster.grid.rows // joined - block.row)
    right = min(block.columns, raster.grid.columns // joined - block.column)
    with rasterio.open(raster.path) as file:
        fill = 0 if raster.nodata is None else raster.nodata
        cells = np.full((file.count, block.rows, block.columns), fill, file.dtypes[0])
        if bottom > top and right > left:
            window = Window(
                (block.column + left) * joined,
                (block.row + top) * joined,
                (right - left) * joined,
                (bottom - top) * joined,
            )
            cells[:, top:bottom, left:right] = file.read(
                window=window, out_shape=(file.count, bottom - top, right - left), resampling=how
            )
    return cells
