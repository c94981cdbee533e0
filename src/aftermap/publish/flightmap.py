"""An orthophoto and the footprints of a clip -> a picture of both, with the band of CE90.

For documents and reports. The band is yellow: the true border of a footprint lies in it nine times
of ten. The camera's way is a line with a dot at each footprint that is drawn.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import rasterio
from PIL import Image, ImageDraw
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from aftermap.geo.crs import transformed_xy
from aftermap.model.raster import Grid

Array = npt.NDArray[np.float64]

BAND, RING, WAY = (255, 214, 10), (255, 255, 255), (0, 190, 255)
BAND_ALPHA = 95
MARGIN = 0.04
_WKB_OF_POLYGON_BYTES = 13


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """One footprint: its ring, its outer ring and the camera, east and north."""

    ring_m: Array
    outer_m: Array
    camera_m: Array


def write_flight_map(
    orthophoto: Path, footprints: Path, picture: Path, *, every_s: float, longest_px: int = 1600
) -> Path:
    """Draw the footprints of a clip, one every so many seconds, over the orthophoto around them.

    ``footprints`` is a clip's GeoParquet file; both files may be in any CRS. ``picture`` is written
    in the format of its ending, north up.
    """
    with rasterio.open(orthophoto) as raster:
        crs = f"EPSG:{raster.crs.to_epsg()}"
        drawn = list(_footprints_in(footprints, every_s, crs))
        grid, pixels = _ground_around(raster, drawn, longest_px, crs)
    image = Image.fromarray(pixels).convert("RGBA")
    for one in drawn:
        image = _with_band(image, _px(one.outer_m, grid), _px(one.ring_m, grid))
    pen = ImageDraw.Draw(image)
    width = max(2, longest_px // 500)
    for one in drawn:
        ring = _px(one.ring_m, grid)
        pen.line([*ring, ring[0]], fill=RING, width=width, joint="curve")
    way = _px(np.array([one.camera_m for one in drawn]), grid)
    pen.line(way, fill=WAY, width=width)
    for x, y in way:
        pen.ellipse((x - 2 * width, y - 2 * width, x + 2 * width, y + 2 * width), fill=WAY)
    image.convert("RGB").save(picture, quality=88)
    return picture


def _footprints_in(path: Path, every_s: float, crs: str) -> Iterator[_Drawn]:
    with pq.ParquetFile(path) as file:
        own = _crs_in(file)
        columns = ["time_s", "geometry", "outer", "camera_east_m", "camera_north_m"]
        following = -np.inf
        for batch in file.iter_batches(1000, columns=columns):
            for row in batch.to_pylist():
                if row["time_s"] < following:
                    continue
                following = row["time_s"] + every_s
                camera = [(row["camera_east_m"], row["camera_north_m"])]
                yield _Drawn(
                    ring_m=transformed_xy(own, crs, _corners(row["geometry"])),
                    outer_m=transformed_xy(own, crs, _corners(row["outer"])),
                    camera_m=transformed_xy(own, crs, camera)[0],
                )


def _crs_in(file: pq.ParquetFile) -> str:
    geo = json.loads(file.schema_arrow.metadata[b"geo"])
    return f"EPSG:{geo['columns']['geometry']['crs']['id']['code']}"


def _corners(wkb: bytes) -> Array:
    return np.frombuffer(wkb, "<f8", offset=_WKB_OF_POLYGON_BYTES).reshape(-1, 2)


def _ground_around(
    raster: Any, drawn: Sequence[_Drawn], longest_px: int, crs: str
) -> tuple[Grid, npt.NDArray[np.uint8]]:
    """The orthophoto around everything that is drawn; grey where there is none."""
    corners = np.concatenate([np.vstack([one.outer_m, one.camera_m]) for one in drawn])
    low, high = corners.min(axis=0), corners.max(axis=0)
    room = MARGIN * (high - low).max()
    (west, south), (east, north) = low - room, high + room
    cell = max(east - west, north - south) / longest_px
    rows, columns = round((north - south) / cell), round((east - west) / cell)
    with WarpedVRT(
        raster,
        crs=raster.crs,
        transform=rasterio.Affine(cell, 0, west, 0, -cell, north),
        width=columns,
        height=rows,
        resampling=Resampling.average,
    ) as view:
        bands = view.read((1, 2, 3))
    pixels = np.moveaxis(bands, 0, -1).astype(np.uint8)
    empty = (pixels == 0).all(axis=-1)
    pixels[empty] = 90
    grid = Grid(crs=crs, east_m=west, north_m=north, cell_m=cell, columns=columns, rows=rows)
    return grid, np.ascontiguousarray(pixels)


def _with_band(
    image: Image.Image, outer: list[tuple[float, float]], ring: list[tuple[float, float]]
) -> Image.Image:
    """The picture with what lies between two rings made yellow."""
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    pen.polygon(outer, fill=(*BAND, BAND_ALPHA))
    pen.polygon(ring, fill=(0, 0, 0, 0))
    return Image.alpha_composite(image, layer)


def _px(xy_m: Array, grid: Grid) -> list[tuple[float, float]]:
    x = (xy_m[:, 0] - grid.east_m) / grid.cell_m
    y = (grid.north_m - xy_m[:, 1]) / grid.cell_m
    return list(zip(x.tolist(), y.tolist(), strict=True))
