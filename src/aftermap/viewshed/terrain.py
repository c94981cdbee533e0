"""A raster of heights -> windows of it in the clip's CRS, one at a time, so that memory is bounded.

Of a surface of Aftermap only measured heights count. Holes in a window, what was filled among them,
lie on the low ground around (:mod:`aftermap.geo.low_ground`) and hide nothing; beyond it the ground
is level at the low ground of the window, or at the clip's own where it has no heights at all.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from aftermap.errors import InputError
from aftermap.geo.arrays import Float32Array
from aftermap.geo.low_ground import without_holes
from aftermap.geo.march import HeightWindow, flat_heights
from aftermap.geo.measured_heights import (
    LEAST_AGREEING,
    confidence_beside,
    measured_on,
    open_cells,
)
from aftermap.model.raster import Elevation, Grid, Raster
from aftermap.model.sighting import Ground, GroundKind
from aftermap.viewshed.options import SightingOptions

Box = tuple[float, float, float, float]

MARGIN = 0.5
MOST_CELLS = 40_000_000
"""With more cells of the surface under a window each of the window's takes the height of the one
below its middle, where that was measured, and no mean."""


@dataclass
class GroundWindows:
    """The open raster, and the window that was read last: the next moment mostly needs it again."""

    raster: Any
    ground_m: float
    options: SightingOptions
    own: Elevation | None = None
    _box: Box | None = None
    _heights: HeightWindow | None = None

    def over(self, box_m: Box) -> HeightWindow:
        """Heights over west, south, east, north, and some way around it."""
        if self.raster is None:
            return flat_heights(self.ground_m)
        if self._heights is None or not _holds(self._box, box_m):
            self._box, self._heights = self._read(box_m)
        return self._heights

    def _read(self, box_m: Box) -> tuple[Box, HeightWindow]:
        west, south, east, north = box_m
        margin = MARGIN * max(east - west, north - south)
        size = max(east - west, north - south) + 2 * margin
        native = max(abs(self.raster.transform.a), abs(self.raster.transform.e))
        cell = max(native, self.options.march_cell_m, size / self.options.window_cells)
        west = np.floor((west - margin) / cell) * cell
        north = np.ceil((north + margin) / cell) * cell
        columns = int(np.ceil((east + margin - west) / cell))
        rows = int(np.ceil((north - south + margin) / cell))
        grid = Grid(
            crs="",
            east_m=float(west),
            north_m=float(north),
            cell_m=float(cell),
            columns=columns,
            rows=rows,
        )
        read, low = without_holes(self._heights_on(grid), float(cell), otherwise_m=self.ground_m)
        box = (west, north - rows * cell, west + columns * cell, north)
        return box, HeightWindow(
            height_m=read, west_m=west, north_m=north, cell_m=cell, outside_m=low
        )

    def _heights_on(self, grid: Grid) -> Float32Array:
        """(rows, columns) heights, NaN where there are none, and where none was measured."""
        if self.own is not None and _cells_under(grid, self.own.surface.grid) <= MOST_CELLS:
            return measured_on(self.own, grid).measured_m
        corner, shape = (grid.east_m, grid.north_m), (grid.rows, grid.columns)
        if self.own is None:
            return _resampled(self.raster, corner, grid.cell_m, shape)
        with (
            open_cells(self.own.surface.path) as surface,
            open_cells(self.own.confidence.path) as counts,
        ):
            read, agree = (
                _resampled(raster, corner, grid.cell_m, shape, Resampling.nearest)
                for raster in (surface, counts)
            )
        return np.where(agree >= LEAST_AGREEING, read, np.float32(np.nan))


@contextmanager
def open_ground(
    ground: Ground, crs: str, ground_m: float, options: SightingOptions
) -> Iterator[GroundWindows]:
    """Windows of the ground in a CRS; of level ground at ``ground_m`` where there is no raster.

    Raises InputError where the raster cannot be read or names no CRS.
    """
    if ground.path is None:
        yield GroundWindows(raster=None, ground_m=ground_m, options=options)
        return
    with ExitStack() as stack:
        try:
            raster = stack.enter_context(rasterio.open(ground.path))
            if raster.crs is None:
                raise InputError(
                    f"{ground.path}: declares no CRS; assign one (gdal_edit.py -a_srs) first"
                )
            own = None
            if raster.crs == rasterio.crs.CRS.from_user_input(crs):
                own = _own_map(ground, raster)
            else:
                raster = stack.enter_context(
                    WarpedVRT(
                        raster,
                        crs=crs,
                        resampling=Resampling.bilinear,
                        nodata=np.nan,
                        dtype="float32",
                    )
                )
        except RasterioIOError as error:
            raise InputError(
                f"{ground.path}: cannot be read as an elevation raster ({error}); "
                "give a GeoTIFF, or omit it for flat ground"
            ) from error
        yield GroundWindows(raster=raster, ground_m=ground_m, options=options, own=own)


def _own_map(ground: Ground, raster: Any) -> Elevation | None:
    """The surface and confidence of a map of Aftermap; None for any other raster."""
    beside = None if ground.path is None else confidence_beside(ground.path)
    if ground.kind is not GroundKind.SURFACE or beside is None:
        return None
    grid = Grid(
        crs="",
        east_m=raster.transform.c,
        north_m=raster.transform.f,
        cell_m=raster.transform.a,
        columns=raster.width,
        rows=raster.height,
    )
    return Elevation(
        surface=Raster(path=raster.name, grid=grid, nodata=raster.nodata),
        confidence=Raster(path=str(beside), grid=grid, nodata=None),
        ground_sample_m=grid.cell_m,
        measured_fraction=0.0,
        filled_fraction=0.0,
    )


def _cells_under(grid: Grid, own: Grid) -> float:
    """How many cells of a surface lie under a grid."""
    first, second = grid.area_m, own.area_m
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    return max(across, 0.0) * max(down, 0.0) / own.cell_m**2


def _resampled(
    raster: Any,
    corner: tuple[float, float],
    cell: float,
    shape: tuple[int, int],
    how: Resampling | None = None,
) -> Float32Array:
    """A window of a raster at another cell size: the mean of its heights; NaN where there are none.

    Read by way of a warped view, which aligns windows to any grid and reads overviews.
    """
    place = {
        "transform": Affine(cell, 0, corner[0], 0, -cell, corner[1]),
        "height": shape[0],
        "width": shape[1],
    }
    if how is None:  # not "or": the nearest counts as false
        finer = abs(raster.transform.a) < cell / 1.5
        how = Resampling.average if finer else Resampling.nearest
    with WarpedVRT(
        raster, crs=raster.crs, resampling=how, nodata=np.nan, dtype="float32", **place
    ) as view:
        return np.asarray(view.read(1), np.float32)


def _holds(outer: Box | None, inner: Box) -> bool:
    return outer is not None and (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[2] >= inner[2]
        and outer[3] >= inner[3]
    )
