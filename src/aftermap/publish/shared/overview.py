"""Raster files to small arrays: the reader's view of a map, never the whole of it.

A read asks GDAL for a reduced shape, which it answers from the overviews of the cloud-optimised
file, so memory is bounded by the size of the picture and not by the size of the map. Heights are
read whole, strip by strip: their overviews mix measured and filled ones.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError

from aftermap.errors import CaseError
from aftermap.geo.arrays import BoolArray, ByteArray, Float32Array, Uint16Array
from aftermap.geo.low_ground import without_holes
from aftermap.geo.measured_heights import measured_on
from aftermap.model.raster import Elevation, Grid, Raster

NO_SOURCE = 65535


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Heights on a coarse grid: (rows, columns) float32 metres, NaN where nothing is known.

    A cell that is mostly ``filled`` has a height that was taken over from around it.
    """

    grid: Grid
    height_m: Float32Array
    filled: BoolArray

    @property
    def measured_m(self) -> Float32Array:
        """(rows, columns) heights in metres that photographs agree on, NaN elsewhere."""
        return np.where(self.filled, np.float32(np.nan), self.height_m)

    @property
    def known(self) -> BoolArray:
        """(rows, columns) mask: there is a height, measured or filled."""
        return np.isfinite(self.height_m)


def coarse_grid(grid: Grid, longest: int) -> Grid:
    """The grid in at most ``longest`` cells a side, over the same ground."""
    factor = max(1.0, max(grid.rows, grid.columns) / longest)
    columns = max(1, round(grid.columns / factor))
    return Grid(
        crs=grid.crs,
        east_m=grid.east_m,
        north_m=grid.north_m,
        cell_m=grid.cell_m * grid.columns / columns,
        columns=columns,
        rows=max(1, round(grid.rows / factor)),
    )


def height_overview(elevation: Elevation, longest: int) -> Surface:
    """The heights, averaged over each coarse cell's measured part, else over its filled one."""
    grid = coarse_grid(elevation.surface.grid, longest)
    for raster in (elevation.surface, elevation.confidence):
        with _opened(raster):
            pass
    heights = measured_on(elevation, grid)
    return Surface(grid=grid, height_m=heights.any_m, filled=heights.is_filled)


def over_low_ground(surface: Surface) -> Surface:
    """The same with filled cells on the low measured ground around them: a guess of our own."""
    measured = surface.measured_m
    if not np.isfinite(measured).any():
        return surface
    whole, _ = without_holes(measured, surface.grid.cell_m, otherwise_m=0.0)
    return replace(surface, height_m=np.where(surface.known, whole, np.float32(np.nan)))


def colour_overview(raster: Raster, longest: int) -> tuple[Grid, ByteArray]:
    """(rows, columns, 4) colours: red, green, blue, and alpha 0 where there is none."""
    grid = coarse_grid(raster.grid, longest)
    with _opened(raster) as file:
        bands = file.read(
            (1, 2, 3, 4), out_shape=(4, grid.rows, grid.columns), resampling=Resampling.average
        )
    return grid, np.ascontiguousarray(np.moveaxis(bands, 0, -1).astype(np.uint8))


def counts_of(raster: Raster, grid: Grid) -> Uint16Array:
    """(rows, columns) counts or indices on a coarse grid: the nearest value, never a mean."""
    with _opened(raster) as file:
        values = file.read(1, out_shape=(grid.rows, grid.columns), resampling=Resampling.nearest)
    return np.asarray(values, np.uint16)


def covered_area_m2(raster: Raster, longest: int = 2048) -> float:
    """Ground covered by an RGB + alpha picture, in square metres (square units if local)."""
    grid = coarse_grid(raster.grid, longest)
    with _opened(raster) as file:
        alpha = file.read(4, out_shape=(grid.rows, grid.columns), resampling=Resampling.average)
    whole = raster.grid.rows * raster.grid.columns * raster.grid.cell_m**2
    return float((alpha / 255).mean() * whole)


def heights_within(surface: Surface, xy_m: tuple[float, float], radius_m: float) -> Float32Array:
    """(N,) measured heights in metres of the cells within a radius of a position; may be empty."""
    grid = surface.grid
    row = (grid.north_m - xy_m[1]) / grid.cell_m
    column = (xy_m[0] - grid.east_m) / grid.cell_m
    reach = max(1, math.ceil(radius_m / grid.cell_m))
    top, left = max(0, math.floor(row) - reach), max(0, math.floor(column) - reach)
    part = surface.measured_m[top : max(0, math.floor(row) + reach + 1)]
    part = part[:, left : max(0, math.floor(column) + reach + 1)]
    return part[np.isfinite(part)]


@contextmanager
def _opened(raster: Raster) -> Iterator[Any]:
    try:
        with rasterio.open(raster.path) as file:
            yield file
    except RasterioIOError as error:
        raise CaseError(
            f"{raster.path}: cannot be read for the report ({error}); "
            "run the same command again to recreate it"
        ) from error
