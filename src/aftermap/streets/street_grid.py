"""The map over a box -> heights, what was measured, walls and leaves, on one grid of 0.1 m.

The grid is the same whatever the cells of the map are, so that memory is that of the box.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import AnyArray, Array, BoolArray, Float32Array
from aftermap.geo.grid import grid_over, rowcol_of
from aftermap.geo.measured_heights import NO_SOURCE, measured_on
from aftermap.geo.polygon import cells_inside
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster

CELL_M = 0.1
GRAIN_CELLS = 5
LEAF_EXCESS = 0.06
"""Green over the mean of red and blue, as a share of all light: leaves, seldom paint or stone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StreetWindow:
    """A window of the map, every array (rows, columns).

    ``height_m`` is NaN where nobody ``measured`` it, filled or not; ``built`` inside a footprint;
    ``leafy`` where the orthophoto is green; ``grain`` is how much the light changes within half a
    metre, over its mean; NaN where there is no picture, or one that lies over filled heights.
    """

    grid: Grid
    height_m: Float32Array
    measured: BoolArray
    built: BoolArray
    leafy: BoolArray
    grain: Float32Array

    def at(self, values: AnyArray, xy_m: Array, *, beyond: Any) -> Any:
        """The cells at (..., 2) places; ``beyond`` outside the window."""
        rows, columns = np.moveaxis(np.floor(rowcol_of(self.grid, xy_m)).astype(np.int64), -1, 0)
        inside = (rows >= 0) & (rows < self.grid.rows)
        inside &= (columns >= 0) & (columns < self.grid.columns)
        found = values[np.where(inside, rows, 0), np.where(inside, columns, 0)]
        return np.where(inside, found, beyond)


def ground_over(
    lower_left_m: tuple[float, float],
    upper_right_m: tuple[float, float],
    elevation: Elevation,
    orthophoto: Orthophoto | None,
    footprints: Sequence[BaseGeometry],
) -> StreetWindow:
    """What the map shows over a box. Cells beyond the map are not known."""
    grid = grid_over(elevation.surface.grid.crs, lower_left_m, upper_right_m, CELL_M)
    heights = measured_on(elevation, grid)
    height = np.where(heights.measured_fraction >= 0.5, heights.measured_m, np.float32(np.nan))
    built = np.zeros((grid.rows, grid.columns), bool)
    for shape in footprints:
        built |= cells_inside(shape, grid)
    rgb = np.full((3, grid.rows, grid.columns), np.nan, np.float32)
    if orthophoto is not None:
        rgb = _layer(orthophoto.image, grid, Resampling.average, (1, 2, 3))
        (source,) = _layer(orthophoto.source, grid, Resampling.nearest, (1,))
        rgb[:, heights.is_filled | (source == NO_SOURCE) | np.isnan(source)] = np.nan
    return StreetWindow(
        grid=grid,
        height_m=height,
        measured=np.isfinite(height),
        built=built,
        leafy=_is_leafy(rgb),
        grain=_grain(rgb),
    )


def _layer(raster: Raster, grid: Grid, how: Resampling, bands: tuple[int, ...]) -> Float32Array:
    """(bands, rows, columns) of a raster on another grid; NaN beyond its edge, 0 for a count."""
    own, cell = raster.grid, grid.cell_m
    found = np.full(
        (len(bands), grid.rows, grid.columns), 0.0 if raster.nodata is None else np.nan, np.float32
    )
    left, right = _overlap(own.east_m - grid.east_m, own.columns * own.cell_m, cell, grid.columns)
    top, bottom = _overlap(grid.north_m - own.north_m, own.rows * own.cell_m, cell, grid.rows)
    if right <= left or bottom <= top:
        return found
    scale = cell / own.cell_m
    window = Window(
        (grid.east_m - own.east_m + left * cell) / own.cell_m,
        (own.north_m - grid.north_m + top * cell) / own.cell_m,
        (right - left) * scale,
        (bottom - top) * scale,
    )
    with rasterio.open(Path(raster.path)) as file:
        part = file.read(
            list(bands),
            window=window,
            out_shape=(len(bands), bottom - top, right - left),
            resampling=how,
        ).astype(np.float32)
    if raster.nodata is not None:
        part[part == np.float32(raster.nodata)] = np.nan
    found[:, top:bottom, left:right] = part
    return found


def _overlap(start_m: float, length_m: float, cell_m: float, count: int) -> tuple[int, int]:
    """The first and last cell (exclusive) of a grid that lie wholly inside a raster."""
    first = max(0, math.ceil(start_m / cell_m - 1e-6))
    last = min(count, math.floor((start_m + length_m) / cell_m + 1e-6))
    return first, last


def _is_leafy(rgb: Float32Array) -> BoolArray:
    light = rgb.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = (rgb[1] - (rgb[0] + rgb[2]) / 2) / light
    return np.asarray((light > 0) & (excess > LEAF_EXCESS), bool)


def _grain(rgb: Float32Array) -> Float32Array:
    light = rgb.sum(0)
    known = np.nan_to_num(light) > 0
    light = np.where(known, light, 0).astype(np.float32)
    around = (GRAIN_CELLS, GRAIN_CELLS)
    count = np.maximum(cv2.blur(known.astype(np.float32), around), 0.5 / GRAIN_CELLS**2)
    mean = cv2.blur(light, around) / count
    square = cv2.blur(light * light, around) / count
    with np.errstate(divide="ignore", invalid="ignore"):
        grain = np.sqrt(np.maximum(square - mean * mean, 0)) / mean
    return np.where(known, grain, np.float32(np.nan)).astype(np.float32)
