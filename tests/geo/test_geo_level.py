"""The level of the ground by a raster: measured heights alone, whatever a filled one is."""

import numpy as np
import pytest
import rasterio

from aftermap.geo.crs import transformed_xy
from aftermap.geo.level import ground_at_m, level_at_m

EAST_M, NORTH_M = 500_000.0, 3_978_000.0


@pytest.fixture
def surface(tmp_path):
    """Ground at 250 m; a roof of 260 m north; the east half was filled at a wild height."""
    heights = np.full((200, 200), 250.0, np.float32)
    heights[:40] = 260.0
    counts = np.full((200, 200), 3, np.uint8)
    counts[:, 100:] = 0
    heights[:, 100:] = np.random.default_rng(1).normal(900, 300, (200, 100))
    for name, values in (("surface", heights), ("confidence", counts)):
        with rasterio.open(
            tmp_path / f"{name}.tif",
            "w",
            driver="GTiff",
            count=1,
            dtype=values.dtype,
            width=200,
            height=200,
            crs="EPSG:32637",
            nodata=-9999 if name == "surface" else None,
            transform=rasterio.Affine(0.5, 0, EAST_M, 0, -0.5, NORTH_M),
        ) as file:
            file.write(values, 1)
    return tmp_path / "surface.tif"


def test_a_measured_place_has_its_own_height(surface):
    assert ground_at_m(surface, (EAST_M + 10, NORTH_M - 5)) == 260.0
    assert ground_at_m(surface, (EAST_M + 10, NORTH_M - 60)) == 250.0


def test_a_filled_place_has_the_measured_ground_around_it(surface):
    assert ground_at_m(surface, (EAST_M + 60, NORTH_M - 60)) == 250.0


def test_far_from_all_that_was_measured_nothing_is_known(surface):
    assert ground_at_m(surface, (EAST_M + 95, NORTH_M - 60)) is None
    assert ground_at_m(surface, (EAST_M + 9500, NORTH_M - 60)) is None
    assert ground_at_m(surface.with_name("none.tif"), (EAST_M, NORTH_M)) is None


def test_the_level_around_a_place_is_that_of_measured_heights(surface):
    ((lon, lat),) = transformed_xy("EPSG:32637", "EPSG:4326", [[EAST_M + 75, NORTH_M - 60]])
    assert level_at_m(surface, (lon, lat)) == 250.0
    surface.with_name("confidence.tif").unlink()
    assert level_at_m(surface, (lon, lat)) != 250.0


def test_at_the_corner_of_a_raster_its_first_row_and_column_count(tmp_path):
    """Only the corner's own cell was measured; a place beside it has that height."""
    heights = np.full((50, 50), -9999, np.float32)
    heights[0, 0] = 321.0
    with rasterio.open(
        tmp_path / "corner.tif",
        "w",
        driver="GTiff",
        count=1,
        dtype="float32",
        width=50,
        height=50,
        crs="EPSG:32637",
        nodata=-9999,
        transform=rasterio.Affine(0.5, 0, EAST_M, 0, -0.5, NORTH_M),
    ) as file:
        file.write(heights, 1)
    assert ground_at_m(tmp_path / "corner.tif", (EAST_M + 2, NORTH_M - 2)) == 321.0
    assert ground_at_m(tmp_path / "corner.tif", (EAST_M - 900, NORTH_M - 2)) is None
