"""How far the products of two machines lie apart, and whether that is inside what is stated."""

import json

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from aftermap.workflows.stated_spread import HEIGHTS, spread_between, within_stated

CELL_M = 0.2


def made(folder, *, raised_m=0.0, moved_cells=0, moved_m=0.0):
    """Products of a slope, its grid begun some cells farther east, its cameras moved north."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    east = np.arange(60) + moved_cells
    heights = np.tile(np.sin(east / 9.0) * 3, (40, 1)) + raised_m
    heights[:5] = np.nan
    grid = {
        "crs": "EPSG:32637",
        "transform": Affine(CELL_M, 0, 500_000 + CELL_M * moved_cells, 0, -CELL_M, 100),
        "nodata": np.nan,
    }
    size = {"height": 40, "width": 60, "count": 1, "dtype": "float32"}
    with rasterio.open(folder / "surface.tif", "w", driver="GTiff", **grid, **size) as file:
        file.write(heights.astype(np.float32), 1)
    frames = [
        {
            "name": f"{number}.jpg",
            "sha256": f"{number}",
            "registered": True,
            "position_m": [*rng.normal(0, 50, 2), 80.0 + moved_m],
            "ce90_in_case_m": 0.4,
        }
        for number in range(5)
    ]
    (folder / "cameras.json").write_text(json.dumps({"frames": frames}))
    return folder


def test_the_same_products_lie_nowhere_apart_even_on_a_grid_that_begins_elsewhere(tmp_path):
    first = made(tmp_path / "a")
    assert spread_between(first, made(tmp_path / "b")) == {"surface.tif": 0.0, "cameras.json": 0.0}
    assert spread_between(first, made(tmp_path / "c", moved_cells=7))[HEIGHTS] == 0.0


def test_a_raised_surface_is_told_in_cells_and_moved_cameras_in_their_ce90(tmp_path):
    first = made(tmp_path / "a")
    apart = spread_between(first, made(tmp_path / "b", raised_m=0.1, moved_m=0.2))
    assert apart[HEIGHTS] == pytest.approx(1.4826 * 0.5, rel=1e-3)
    assert apart["cameras.json"] == pytest.approx(0.5)
    assert within_stated(spread_between(first, made(tmp_path / "c", raised_m=0.001)))
    assert not within_stated(spread_between(first, made(tmp_path / "d", raised_m=0.4)))


def test_a_camera_that_only_one_of_them_placed_lies_outside(tmp_path):
    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    listed = json.loads((second / "cameras.json").read_text())
    listed["frames"][0]["registered"] = False
    (second / "cameras.json").write_text(json.dumps(listed))
    assert not within_stated(spread_between(first, second))
