"""A finished map, ours or the peer's, to arrays that can be measured, in its own CRS and datum.

Rasters are north-up; metres; a cell's height stands for its centre. The peer is pyorthomosaic
(MIT), which writes heights above take-off: ``z_to_absolute_offset`` of its report is added.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from aftermap.geo.arrays import AnyArray, Array, BoolArray, Float32Array, IndexArray
from aftermap.publish.exchange.cameras import CameraEntry, read_cameras


@dataclass(frozen=True, kw_only=True)
class Heights:
    """(rows, columns) heights, NaN where there are none; outer corner of the first cell."""

    height_m: Float32Array
    west_m: float
    north_m: float
    cell_m: float

    def cells_of(self, xy_m: Array) -> tuple[IndexArray, IndexArray, Any]:
        """Row and column of (N, 2) east, north, and which of them lie on the raster."""
        column = np.floor((xy_m[:, 0] - self.west_m) / self.cell_m).astype(np.intp)
        row = np.floor((self.north_m - xy_m[:, 1]) / self.cell_m).astype(np.intp)
        rows, columns = self.height_m.shape
        inside = (row >= 0) & (column >= 0) & (row < rows) & (column < columns)
        return np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1), inside

    def at(self, xy_m: Array) -> Array:
        """(N,) height of the cell that (N, 2) east, north fall in; NaN outside."""
        row, column, inside = self.cells_of(xy_m)
        return np.where(inside, self.height_m[row, column].astype(float), np.nan)


@dataclass(frozen=True, kw_only=True)
class Products:
    """What is measured of a map. ``measured`` marks cells that were not filled in.

    ``cameras`` hold the registered photographs by name where the map has them in our format;
    positions and focal lengths are known of either map.
    """

    crs: str
    surface: Heights
    measured: BoolArray
    orthophoto: Path
    orthophoto_pixel_m: float
    given: int
    positions_m: dict[str, Array]
    focal_px: float
    cameras: dict[str, CameraEntry]

    def measured_at(self, xy_m: Array) -> BoolArray:
        """(N,) whether the cell that (N, 2) east, north fall in was measured."""
        row, column, inside = self.surface.cells_of(xy_m)
        return np.asarray(inside & self.measured[row, column])


def aftermap_products(case: Path) -> Products:
    """The map in a case."""
    folder = case / "products"
    listed = read_cameras(folder / "cameras.json")
    placed = {frame.name: frame for frame in listed.frames if frame.registered}
    return Products(
        crs=listed.crs,
        surface=heights_in(folder / "surface.tif"),
        measured=_band(folder / "confidence.tif") > 0,
        orthophoto=folder / "orthophoto.tif",
        orthophoto_pixel_m=_pixel_m(folder / "orthophoto.tif"),
        given=len(listed.frames),
        positions_m={name: np.array(frame.position_m) for name, frame in placed.items()},
        focal_px=float(np.median([frame.focal_px for frame in placed.values()])),
        cameras=placed,
    )


def peer_products(folder: Path) -> Products:
    """The map that pyorthomosaic left in a folder; measured is support 1 in its dsm_support.tif."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    cameras = report["cameras"]
    raised_m = report["z_to_absolute_offset"]
    up_m = np.array([0.0, 0.0, raised_m])
    return Products(
        crs=f"EPSG:{report['epsg']}",
        surface=heights_in(folder / "dsm.tif", raised_m=raised_m),
        measured=_band(folder / "dsm_support.tif") == 1,
        orthophoto=folder / "orthophoto.tif",
        orthophoto_pixel_m=_pixel_m(folder / "orthophoto.tif"),
        given=report["images_total"],
        positions_m={name: np.array(camera["C"]) + up_m for name, camera in cameras.items()},
        focal_px=float(np.median([camera["f"] for camera in cameras.values()])),
        cameras={},
    )


def heights_in(path: Path, *, raised_m: float = 0.0) -> Heights:
    """The heights of a raster, raised by a constant."""
    with rasterio.open(path) as raster:
        height = raster.read(1)
        known = raster.read_masks(1) > 0
        transform = raster.transform
    return Heights(
        height_m=np.where(known, height + np.float32(raised_m), np.float32(np.nan)),
        west_m=transform.c,
        north_m=transform.f,
        cell_m=transform.a,
    )


def _band(path: Path) -> AnyArray:
    with rasterio.open(path) as raster:
        return np.asarray(raster.read(1))


def _pixel_m(path: Path) -> float:
    with rasterio.open(path) as raster:
        return float(raster.transform.a)
