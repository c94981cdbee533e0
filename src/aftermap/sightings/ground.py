"""A raster of heights -> windows of it in the clip's CRS, one at a time, so that memory is bounded.

Holes in a window, and the ground beyond it, are level at the low ground of the window (the tenth
percentile of its heights), or at the clip's own ground level where it has no heights at all.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from aftermap.errors import InputError
from aftermap.geo.march import Heights, flat_heights
from aftermap.model.sighting import Ground
from aftermap.sightings.options import SightingOptions

Array = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

MARGIN = 0.5
LOW_GROUND_PERCENT = 10.0


@dataclass
class GroundWindows:
    """The open raster, and the window that was read last: the next moment mostly needs it again."""

    raster: Any
    ground_m: float
    options: SightingOptions
    _box: Box | None = None
    _heights: Heights | None = None

    def over(self, box_m: Box) -> Heights:
        """Heights over west, south, east, north, and some way around it."""
        if self.raster is None:
            return flat_heights(self.ground_m)
        if self._heights is None or not _holds(self._box, box_m):
            self._box, self._heights = self._read(box_m)
        return self._heights

    def _read(self, box_m: Box) -> tuple[Box, Heights]:
        west, south, east, north = box_m
        margin = MARGIN * max(east - west, north - south)
        size = max(east - west, north - south) + 2 * margin
        native = max(abs(self.raster.transform.a), abs(self.raster.transform.e))
        cell = max(native, self.options.march_cell_m, size / self.options.window_cells)
        west = np.floor((west - margin) / cell) * cell
        north = np.ceil((north + margin) / cell) * cell
        columns = int(np.ceil((east + margin - west) / cell))
        rows = int(np.ceil((north - south + margin) / cell))
        read = _resampled(self.raster, (west, north), cell, (rows, columns))
        read, low = _without_holes(read, self.ground_m)
        box = (west, north - rows * cell, west + columns * cell, north)
        return box, Heights(height_m=read, west_m=west, north_m=north, cell_m=cell, outside_m=low)


@contextmanager
def open_ground(
    ground: Ground, crs: str, ground_m: float, options: SightingOptions
) -> Iterator[GroundWindows]:
    """Windows of the ground in a CRS; of level ground at ``ground_m`` where there is no raster."""
    if ground.path is None:
        yield GroundWindows(raster=None, ground_m=ground_m, options=options)
        return
    with ExitStack() as stack:
        try:
            raster = stack.enter_context(rasterio.open(ground.path))
            if raster.crs is None:
                raise InputError(
                    f"{ground.path}: does not say its CRS; assign one (gdal_edit -a_srs) first"
                )
            if raster.crs != rasterio.crs.CRS.from_user_input(crs):
                raster = stack.enter_context(
                    WarpedVRT(raster, crs=crs, resampling=Resampling.bilinear, nodata=np.nan,
                              dtype="float32")
                )  # fmt: skip
        except RasterioIOError as error:
            raise InputError(
                f"{ground.path}: is not a raster of heights that can be read ({error}); "
                "give a GeoTIFF, or leave it out for flat ground"
            ) from error
        yield GroundWindows(raster=raster, ground_m=ground_m, options=options)


def _resampled(
    raster: Any, corner: tuple[float, float], cell: float, shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """A window of a raster at another cell size: the mean of its heights; NaN where there are none.

    Read by way of a warped view, which aligns windows to any grid and reads overviews.
    """
    place = {
        "transform": Affine(cell, 0, corner[0], 0, -cell, corner[1]),
        "height": shape[0],
        "width": shape[1],
    }
    finer = abs(raster.transform.a) < cell / 1.5
    resampling = Resampling.average if finer else Resampling.nearest
    with WarpedVRT(
        raster, crs=raster.crs, resampling=resampling, nodata=np.nan, dtype="float32", **place
    ) as view:
        return np.asarray(view.read(1), np.float32)


def _without_holes(
    heights: npt.NDArray[np.float32], ground_m: float
) -> tuple[npt.NDArray[np.float32], float]:
    known = np.isfinite(heights)
    if not known.any():
        return np.full_like(heights, ground_m), ground_m
    low = float(np.percentile(heights[known], LOW_GROUND_PERCENT))
    return np.where(known, heights, np.float32(low)), low


def _holds(outer: Box | None, inner: Box) -> bool:
    return outer is not None and (
        outer[0] <= inner[0] and outer[1] <= inner[1]
        and outer[2] >= inner[2] and outer[3] >= inner[3]
    )  # fmt: skip
