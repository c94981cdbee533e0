"""A raster of heights and a place -> how high the ground there is.

Of a surface of Aftermap only what was measured counts: see :mod:`aftermap.geo.measured_heights`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from aftermap.errors import InputError
from aftermap.geo.arrays import Array
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.great_circle import METRES_PER_DEGREE
from aftermap.geo.measured_heights import LEAST_AGREEING, confidence_beside

AROUND_M = 30.0
LOW_PERCENT = 20.0
"""Roofs stand on the ground around them: of the heights around a place the low ones are ground."""
_MOST_CELLS = 400


def level_at_m(path: str | Path, lonlat_deg: tuple[float, float]) -> float | None:
    """The level of the ground around a place, in the raster's own datum; None where it has none.

    Raises InputError where the raster cannot be read or names no CRS.
    """
    try:
        with rasterio.open(path) as raster:
            if raster.crs is None:
                raise InputError(f"{path}: declares no CRS; assign one (gdal_edit.py -a_srs) first")
            ((x, y),) = transformed_xy(WGS84, raster.crs.to_string(), [lonlat_deg])
            around = AROUND_M / (METRES_PER_DEGREE if raster.crs.is_geographic else 1.0)
            return _low(_heights_around(raster, path, (float(x), float(y)), around))
    except RasterioIOError as error:
        raise InputError(
            f"{path}: cannot be read as an elevation raster ({error}); give a GeoTIFF"
        ) from error


def ground_at_m(path: str | Path, xy_m: tuple[float, float]) -> float | None:
    """The height measured at a place in the raster's CRS; where none was, the ground around it.

    None where nothing was measured within ``AROUND_M``, or there is no such raster.
    """
    if not Path(path).is_file():
        return None
    with rasterio.open(path) as raster:
        here = _heights_around(raster, path, xy_m, 0.0)
        if here.size and np.isfinite(here[0, 0]):
            return float(here[0, 0])
        return _low(_heights_around(raster, path, xy_m, AROUND_M))


def _low(heights: Array) -> float | None:
    known = heights[np.isfinite(heights)]
    return float(np.percentile(known, LOW_PERCENT)) if known.size else None


def _heights_around(raster: Any, path: str | Path, xy: tuple[float, float], around: float) -> Array:
    """(rows, columns) measured heights about a place, NaN elsewhere; its own cell with 0."""
    row, column = raster.index(*xy)
    reach = [min(_MOST_CELLS, max(0, int(around / size))) for size in raster.res]
    top, left = max(0, row - reach[1]), max(0, column - reach[0])
    rows = min(raster.height, row + reach[1] + 1) - top
    columns = min(raster.width, column + reach[0] + 1) - left
    if rows <= 0 or columns <= 0:
        return np.empty((0, 0))
    window = Window(left, top, columns, rows)
    read = raster.read(1, window=window, masked=True)
    heights = np.ma.filled(read.astype(float), np.nan)
    beside = confidence_beside(path)
    if beside is not None:
        with rasterio.open(beside) as counts:
            heights[counts.read(1, window=window) < LEAST_AGREEING] = np.nan
    return np.asarray(heights, float)
