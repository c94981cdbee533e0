"""surface_measured.vrt: the heights that photographs agree on, for any GDAL program."""

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from aftermap.geo.crs import LOCAL, wkt_of
from aftermap.geo.measured_heights import LEAST_AGREEING
from aftermap.record.measured_view import write_measured_view
from aftermap.record.styles import style_of, write_raster_styles

ROWS, COLUMNS, NODATA = 60, 70, -9999.0


def products(folder, crs="EPSG:32637"):
    """Counts from 0 to 9; what fewer than two agree on is 9000 m high, a part is absent."""
    counts = np.random.default_rng(3).integers(0, 10, (ROWS, COLUMNS)).astype(np.uint8)
    heights = np.where(counts >= LEAST_AGREEING, 10 + counts, 9000).astype(np.float32)
    counts[:10], heights[:10] = 0, NODATA
    for name, values, nodata in (("surface", heights, NODATA), ("confidence", counts, None)):
        with rasterio.open(
            folder / f"{name}.tif",
            "w",
            driver="GTiff",
            width=COLUMNS,
            height=ROWS,
            count=1,
            dtype=values.dtype,
            nodata=nodata,
            crs=wkt_of(crs),
            transform=Affine(0.25, 0, 500_000, 0, -0.25, 4_000_000),
        ) as file:
            file.write(values, 1)
            file.update_tags(AFTERMAP_VERTICAL_DATUM="geoid")
    return heights, counts


@pytest.mark.parametrize("crs", ["EPSG:32637", LOCAL])
def test_only_measured_heights_are_there_and_none_is_changed(tmp_path, crs):
    heights, counts = products(tmp_path, crs)
    path = write_measured_view(tmp_path)
    assert path == tmp_path / "surface_measured.vrt"
    with rasterio.open(path) as view, rasterio.open(tmp_path / "surface.tif") as surface:
        found = view.read(1, masked=True)
        assert view.crs == surface.crs
        assert view.transform == surface.transform
        assert view.tags()["AFTERMAP_VERTICAL_DATUM"] == "geoid"
    assert ((~found.mask) == (counts >= LEAST_AGREEING)).all()
    assert (found.compressed() == heights[counts >= LEAST_AGREEING]).all()


def test_nothing_filled_gets_into_another_projection_or_a_mean(tmp_path):
    products(tmp_path)
    path = write_measured_view(tmp_path)
    with (
        rasterio.open(path) as view,
        WarpedVRT(
            view, crs=CRS.from_epsg(3857), resampling=Resampling.average, nodata=-1
        ) as warped,
    ):
        assert warped.read(1, masked=True).compressed().max() < 20
    with rasterio.open(path) as view:
        assert view.read(1, out_shape=(13, 17), masked=True).max() < 20


def test_it_moves_with_its_folder_and_has_a_style(tmp_path):
    (tmp_path / "here").mkdir()
    _, counts = products(tmp_path / "here")
    made = {path.name for path in write_raster_styles(tmp_path / "here")}
    assert made == {"surface_measured.vrt", "surface_measured.qml", "surface.qml", "confidence.qml"}
    moved = (tmp_path / "here").rename(tmp_path / "there")
    with rasterio.open(moved / "surface_measured.vrt") as view:
        assert view.read(1, masked=True).count() == (counts >= LEAST_AGREEING).sum()
    assert "hillshade" in style_of("surface_measured")


def test_without_a_confidence_nothing_is_called_measured(tmp_path):
    products(tmp_path)
    (tmp_path / "confidence.tif").unlink()
    assert write_measured_view(tmp_path) is None
    assert {path.name for path in write_raster_styles(tmp_path)} == {"surface.qml"}
