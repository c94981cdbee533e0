"""The picture of a clip's footprints shows them where they are."""

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from PIL import Image
from pyproj import CRS
from rasterio.transform import Affine

from aftermap.publish.flightmap import write_flight_map


def square(half_m: float) -> bytes:
    ring = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    corners = [v for x, y in ring for v in (500_000 + x * half_m, 4_000_000 + y * half_m)]
    return struct.pack("<BIII10d", 1, 3, 1, 5, *corners)


def test_band_and_ring_lie_where_they_were_stated(tmp_path: Path):
    crs = CRS.from_epsg(32637)
    with rasterio.open(
        tmp_path / "ortho.tif",
        "w",
        driver="GTiff",
        width=400,
        height=400,
        count=4,
        dtype="uint8",
        crs="EPSG:32637",
        transform=Affine(1, 0, 499_800, 0, -1, 4_000_200),
    ) as raster:
        raster.write(np.full((4, 400, 400), 40, np.uint8))
    rows = [
        {
            "time_s": t,
            "geometry": square(50),
            "outer": square(80),
            "camera_east_m": 500_000.0,
            "camera_north_m": 4_000_000.0,
        }
        for t in (0.0, 0.5)
    ]
    geo = {"columns": {"geometry": {"crs": crs.to_json_dict()}}}
    table = pa.Table.from_pylist(rows).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, tmp_path / "clip.parquet")
    made = write_flight_map(
        tmp_path / "ortho.tif",
        tmp_path / "clip.parquet",
        tmp_path / "map.png",
        every_s=1.0,
        longest_px=432,
    )
    pixels = np.asarray(Image.open(made)).astype(int)
    middle = pixels.shape[0] // 2
    scale = pixels.shape[0] / 172.8
    inside, band, outside = (
        pixels[middle + round(north * scale), middle + round(30 * scale)] for north in (30, 65, 84)
    )
    assert (inside == 40).all()
    assert band[0] > band[2] + 50
    assert (outside == 40).all()
