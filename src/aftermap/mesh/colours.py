"""The orthophoto -> what ground and roofs look like, and the hatch where it has no picture.

The hatch is grey diagonals that no photograph shows: nobody saw what it covers.
"""

from pathlib import Path

import cv2
import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from aftermap.geo.arrays import BoolArray, ByteArray
from aftermap.model.raster import Grid, Raster

HATCH_DARK, HATCH_LIGHT = (112, 115, 120), (142, 145, 150)
DARK_SHARE = 0.35
OPAQUE = 128


def hatch_tile(height_px: int, width_px: int, *, tile_px: float) -> ByteArray:
    """(height, width, 3) diagonals that repeat every ``tile_px``."""
    y, x = np.mgrid[0:height_px, 0:width_px]
    is_dark = ((x + y) / tile_px) % 0.5 < 0.5 * DARK_SHARE
    return np.where(is_dark[..., None], HATCH_DARK, HATCH_LIGHT).astype(np.uint8)


def colours_at(image: Raster, grid: Grid) -> tuple[ByteArray, BoolArray]:
    """(rows, columns, 3) colours over a grid, and where the orthophoto has a picture at all."""
    finer = image.grid.cell_m < grid.cell_m / 1.5
    cells = _read_over(image, grid, Resampling.average if finer else Resampling.bilinear)
    return np.moveaxis(cells[:3], 0, -1), cells[3] >= OPAQUE


def ground_texture(image: Raster, confidence: Raster, grid: Grid, *, hatch_m: float) -> ByteArray:
    """(rows, columns, 3) of the orthophoto over a grid of pixels.

    Hatched where it has no picture, and where the height was filled in: what a picture shows there
    lies somewhere else. One cell around what was measured counts as measured, since outlines are
    straightened by as much.
    """
    colours, is_there = colours_at(image, grid)
    is_measured = _nearest(confidence, grid) > 0
    wide = 2 * max(1, round(confidence.grid.cell_m / grid.cell_m)) + 1
    near = cv2.dilate(is_measured.astype(np.uint8), np.ones((wide, wide), np.uint8)) > 0
    plain = hatch_tile(grid.rows, grid.columns, tile_px=hatch_m / grid.cell_m)
    return np.where((is_there & near)[..., None], colours, plain)


def _nearest(raster: Raster, grid: Grid) -> ByteArray:
    """(rows, columns) of a raster of bytes over another grid, 0 beyond it."""
    return np.asarray(_read_over(raster, grid, Resampling.nearest)[0], np.uint8)


def _read_over(raster: Raster, grid: Grid, resampling: Resampling) -> ByteArray:
    """(bands, rows, columns) of a raster of bytes over another grid."""
    with (
        rasterio.open(Path(raster.path)) as file,
        WarpedVRT(
            file,
            crs=file.crs,
            width=grid.columns,
            height=grid.rows,
            transform=Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m),
            resampling=resampling,
        ) as view,
    ):
        return np.asarray(view.read(), np.uint8)
