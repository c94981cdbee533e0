"""Surface and orthophoto of a block -> where heights fall and brightness changes, and whither.

Both come as gradients cut to length below 1, so that a wall of one floor counts nearly as much as
one of ten, and a roof's slope or the grain of rubble little.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.windows import Window

from aftermap.geo.grid import Block, window_of
from aftermap.geo.windows import block_over
from aftermap.model.raster import Grid, Raster

Float = npt.NDArray[np.float32]

SMOOTH_M = 0.2
"""Sigma of the blur before gradients are taken; the grain of a matched surface is as coarse."""
HALF_FALL = 2.0
"""Metres a metre at which a fall counts half. Roofs are flatter, and walls many times steeper."""
HALF_CONTRAST = 2.0
"""Median contrasts of the block at which a contrast counts half."""
SPARSE = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Edges:
    """(rows, columns) parts to the east and to the north of a gradient shorter than 1; its grid.

    ``known`` is True where there are heights (or a picture); gradients are 0 elsewhere.
    """

    east: Float
    north: Float
    known: npt.NDArray[np.bool_]
    grid: Grid


def falls_in(
    surface: Raster,
    lower_left_m: tuple[float, float],
    upper_right_m: tuple[float, float],
    *,
    cell_m: float,
) -> Edges:
    """The falls of a surface over a box, as vectors downhill, in cells of ``cell_m`` or so."""
    cells, grid = _read(surface, lower_left_m, upper_right_m, cell_m)
    height = cells[0].astype(np.float32)
    known = np.isfinite(height)
    if surface.nodata is not None:
        known &= height != np.float32(surface.nodata)
    east, north = _slopes(height, known, grid.cell_m)
    steep = np.hypot(east, north) + np.float32(HALF_FALL)
    return Edges(east=-east / steep, north=-north / steep, known=known, grid=grid)


def contrasts_in(
    picture: Raster,
    lower_left_m: tuple[float, float],
    upper_right_m: tuple[float, float],
    *,
    cell_m: float,
) -> Edges:
    """The changes of brightness of an orthophoto: vectors that point to the brighter side."""
    cells, grid = _read(picture, lower_left_m, upper_right_m, cell_m)
    colours = np.ascontiguousarray(np.moveaxis(cells[:3], 0, -1))
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY).astype(np.float32)
    known = cells[3] > 0
    east, north = _slopes(grey, known, grid.cell_m)
    strength = np.asarray(np.hypot(east, north), np.float32)
    some = strength[::SPARSE, ::SPARSE][known[::SPARSE, ::SPARSE]]
    usual = float(np.median(some)) if some.size else 1.0
    strength = strength + np.float32(HALF_CONTRAST * max(usual, 1e-3))
    return Edges(east=east / strength, north=north / strength, known=known, grid=grid)


def _slopes(values: Float, known: npt.NDArray[np.bool_], cell_m: float) -> tuple[Float, Float]:
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


def _read(
    raster: Raster,
    lower_left_m: tuple[float, float],
    upper_right_m: tuple[float, float],
    cell_m: float,
) -> tuple[npt.NDArray[np.generic], Grid]:
    """(bands, rows, columns) of a box in joined cells, from the raster's overviews; and its grid.

    Beyond the raster there is its no-data value, or 0.
    """
    joined = 1 << int(np.log2(max(1.0, 1.2 * cell_m / raster.grid.cell_m)))
    fine = block_over(raster.grid, lower_left_m, upper_right_m)
    row, column = fine.row // joined, fine.column // joined
    rows, columns = -(-fine.rows // joined) + 1, -(-fine.columns // joined) + 1
    block = Block(
        row=row * joined, column=column * joined, rows=rows * joined, columns=columns * joined
    )
    over = window_of(raster.grid, block)
    grid = Grid(
        crs=over.crs, east_m=over.east_m, north_m=over.north_m, cell_m=over.cell_m * joined,
        rows=rows, columns=columns,
    )  # fmt: skip
    with rasterio.open(raster.path) as file:
        fill = 0 if raster.nodata is None else raster.nodata
        cells = np.full((file.count, rows, columns), fill, file.dtypes[0])
        top, left = max(0, -row), max(0, -column)
        bottom = min(rows, raster.grid.rows // joined - row)
        right = min(columns, raster.grid.columns // joined - column)
        if bottom > top and right > left:
            window = Window(
                (column + left) * joined, (row + top) * joined,
                (right - left) * joined, (bottom - top) * joined,
            )  # fmt: skip
            cells[:, top:bottom, left:right] = file.read(
                window=window, out_shape=(file.count, bottom - top, right - left),
                resampling=Resampling.average,
            )  # fmt: skip
    return cells, grid
