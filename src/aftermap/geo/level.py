"""A raster of heights and a place -> how high the ground there is."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from aftermap.errors import InputError
from aftermap.geo.crs import WGS84, transformed_xy

AROUND_M = 30.0
LOW_PERCENT = 20.0
"""Roofs stand on the ground around them: of the heights around a place the low ones are ground."""
_METRES_PER_DEGREE = 111_320.0
_MOST_CELLS = 400


def level_at_m(path: str | Path, lonlat_deg: tuple[float, float]) -> float | None:
    """The level of the ground around a place, in the raster's own datum; None where it has none."""
    try:
        with rasterio.open(path) as raster:
            if raster.crs is None:
                raise InputError(
                    f"{path}: does not say its CRS; assign one (gdal_edit.py -a_srs) first"
                )
            ((x, y),) = transformed_xy(WGS84, raster.crs.to_string(), [lonlat_deg])
            around = AROUND_M / (_METRES_PER_DEGREE if raster.crs.is_geographic else 1.0)
            row, column = raster.index(x, y)
            reach = [min(_MOST_CELLS, max(0, int(around / size))) for size in raster.res]
            top, left = max(0, row - reach[1]), max(0, column - reach[0])
            rows = min(raster.height, row + reach[1] + 1) - top
            columns = min(raster.width, column + reach[0] + 1) - left
            if rows <= 0 or columns <= 0:
                return None
            read = raster.read(1, window=Window(left, top, columns, rows), masked=True)
    except RasterioIOError as error:
        raise InputError(
            f"{path}: is not a raster of heights that can be read ({error}); give a GeoTIFF"
        ) from error
    heights = np.ma.filled(read.astype(float), np.nan)
    known = heights[np.isfinite(heights)]
    return float(np.percentile(known, LOW_PERCENT)) if known.size else None
