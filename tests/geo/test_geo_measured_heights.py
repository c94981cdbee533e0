"""Measured heights apart from filled ones: means on any grid, whatever a filled height is."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from aftermap.geo.grid import Block, grid_over
from aftermap.geo.measured_heights import (
    confidence_beside,
    filled_on,
    measured_block,
    measured_on,
    measured_over,
    open_cells,
    open_surface,
)
from aftermap.model.raster import Elevation, Grid, Raster

GRID = Grid(
    crs="EPSG:32637", east_m=500_000.0, north_m=4_000_000.0, cell_m=0.5, columns=40, rows=30
)


def written(path, values, nodata):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=40,
        height=30,
        count=1,
        dtype=values.dtype,
        crs=GRID.crs,
        nodata=nodata,
        transform=Affine(0.5, 0, GRID.east_m, 0, -0.5, GRID.north_m),
    ) as file:
        file.write(values, 1)
    return Raster(path=str(path), grid=GRID, nodata=nodata)


def elevation(folder, heights, counts):
    return Elevation(
        surface=written(folder / "surface.tif", heights.astype(np.float32), -9999.0),
        confidence=written(folder / "confidence.tif", counts.astype(np.uint8), None),
        ground_sample_m=0.1,
        measured_fraction=0.5,
        filled_fraction=0.5,
    )


@pytest.fixture
def scene(tmp_path):
    """Heights that are the number of their row, one hole, and what one photograph saw is filled."""
    heights = np.repeat(np.arange(30, dtype=np.float32)[:, None], 40, axis=1)
    heights[5, 7] = -9999
    counts = np.full((30, 40), 3)
    counts[5, 7] = 0
    counts[:, 20:] = 0
    counts[0, 20] = 1
    return elevation(tmp_path, heights, counts)


def over(scene, west, south, east, north, cell_m):
    low = GRID.east_m + west, GRID.north_m + south
    return measured_over(scene, low, (GRID.east_m + east, GRID.north_m + north), cell_m=cell_m)


def test_coarse_heights_are_means_of_what_was_measured(scene):
    found = over(scene, 0, -4, 6, 0, 2.0)
    assert found.grid.cell_m == 2.0
    assert found.measured_m[0].tolist() == pytest.approx([1.5, 1.5, 1.5])
    assert found.measured_m[1, 1] == pytest.approx((15 * 5.5 + 0.5) / 15)  # without the hole
    assert found.measured_fraction[1].tolist() == pytest.approx([1, 15 / 16, 1])
    assert not found.filled_fraction.any()


def test_what_fewer_than_two_photographs_agree_on_is_filled_and_has_no_measured_height(scene):
    found = over(scene, 9, -4, 12, 0, 1.0)
    assert np.isnan(found.measured_m[:, 1:]).all()
    assert found.filled_m[0, 1:].tolist() == pytest.approx([0.5, 0.5])
    assert found.is_filled.tolist() == [[False, True, True]] * 4
    assert np.isfinite(found.any_m).all()


def test_coarse_heights_are_never_finer_than_the_surface(scene):
    found = over(scene, 0, -4, 6, 0, 0.1)
    assert found.grid.cell_m == 0.5
    assert found.measured_m[:, 0].tolist() == list(range(8))


def test_heights_beyond_the_edge_are_neither_measured_nor_filled(scene):
    beyond = [(-8, 0, -4, 4), (-8, -4, -4, -1), (25, -4, 29, -1), (2, 1, 6, 4), (2, -29, 6, -19)]
    for cell_m in (0.5, 1.0):
        for west, south, east, north in beyond:
            found = over(scene, west, south, east, north, cell_m)
            assert np.isnan(found.any_m).all()
            assert not found.is_filled.any()


@pytest.mark.parametrize("cell_m", [1.3, 1.7, 2.0])
def test_a_cell_that_was_measured_as_a_whole_is_measured_once(scene, cell_m):
    """However many middles of the surface's cells fall into it."""
    found = over(scene, 0, -14, 9, -4, cell_m)
    inside = found.measured_fraction[1:-1, 1:-1]
    assert inside.max() == 1.0
    across = cell_m / GRID.cell_m  # at least the whole number of middles, each way
    assert inside.min() >= np.floor(across) ** 2 / across**2 - 1e-6
    assert not found.filled_fraction[:, :-1].any()


def test_a_finer_grid_is_filled_where_the_cell_below_is(scene):
    fine = grid_over(
        GRID.crs, (GRID.east_m + 9, GRID.north_m - 1), (GRID.east_m + 11, GRID.north_m), 0.1
    )
    found = filled_on(scene, fine)
    assert found.shape == (10, 20)
    assert found[:, 10:].all()
    assert not found[:, :10].any()


def test_a_block_tells_measured_from_filled_heights(scene):
    measured, filled, grid = measured_block(scene, Block(row=4, column=18, rows=2, columns=4))
    none = np.nan
    assert np.array_equal(measured, [[4, 4, none, none], [5, 5, none, none]], equal_nan=True)
    assert np.array_equal(filled, [[none, none, 4, 4], [none, none, 5, 5]], equal_nan=True)
    assert grid.east_m == GRID.east_m + 9


@pytest.mark.parametrize("cell_m", [0.5, 0.7, 1.0, 3.3])
def test_strips_give_what_one_piece_gives(scene, cell_m, monkeypatch):
    whole = over(scene, -1, -16, 21, 1, cell_m)
    monkeypatch.setattr("aftermap.geo.measured_heights.STRIP_CELLS", 40 * 3)
    strips = over(scene, -1, -16, 21, 1, cell_m)
    assert np.array_equal(whole.measured_m, strips.measured_m, equal_nan=True)
    assert np.array_equal(whole.filled_fraction, strips.filled_fraction)


@given(
    seed=st.integers(0, 2**32 - 1),
    cell_m=st.floats(0.2, 5.0),
    corner=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)
def test_no_filled_height_has_a_say_in_a_measured_one(seed, cell_m, corner, tmp_path_factory):
    rng = np.random.default_rng(seed)
    folder: Path = tmp_path_factory.mktemp("filled")
    heights, counts = rng.normal(100, 5, (30, 40)), rng.integers(0, 4, (30, 40))
    first = elevation(folder, heights, counts)
    grid = Grid(
        crs=GRID.crs,
        east_m=GRID.east_m + corner[0],
        north_m=GRID.north_m + corner[1],
        cell_m=cell_m,
        columns=max(1, int(18 / cell_m)),
        rows=max(1, int(13 / cell_m)),
    )
    before = measured_on(first, grid)
    heights[counts < 2] = rng.normal(0, 1e4, int((counts < 2).sum()))
    after = measured_on(elevation(folder, heights, counts), grid)
    assert np.array_equal(before.measured_m, after.measured_m, equal_nan=True)
    assert np.array_equal(before.is_filled, after.is_filled)
    known = np.isfinite(before.measured_m)
    low, high = heights[counts >= 2].min() - 1e-3, heights[counts >= 2].max() + 1e-3
    assert ((before.measured_m[known] >= low) & (before.measured_m[known] <= high)).all()


def test_the_confidence_of_a_surface_lies_beside_it(scene, tmp_path):
    assert confidence_beside(scene.surface.path) == Path(scene.confidence.path)
    assert confidence_beside(tmp_path / "elsewhere" / "surface.tif") is None
    assert confidence_beside(tmp_path / "dem.tif") is None


@given(rows=st.integers(1, 29), columns=st.integers(1, 39))
def test_a_thinned_read_mixes_no_filled_height_into_a_measured_one(averaged, rows, columns):
    """Every third column is filled, 9000 m high; the overviews are means."""
    surface, confidence = (Path(raster.path) for raster in (averaged.surface, averaged.confidence))
    with open_surface(surface) as file:
        heights = file.read(1, out_shape=(rows, columns))
    with open_cells(confidence) as file:
        counts = file.read(1, out_shape=(rows, columns))
    assert set(np.unique(heights)) <= {10.0, 9000.0}
    assert ((counts >= 2) == (heights == 10)).all()
    with rasterio.open(surface) as file:
        assert not np.isin(file.read(1, out_shape=(4, 5)), [10, 9000]).any()  # the trap


def test_any_other_raster_keeps_its_overviews(tmp_path, averaged):
    other = Path(averaged.surface.path).rename(tmp_path / "terrain.tif")
    with open_surface(other) as file:
        assert file.overviews(1) == [2, 4, 8]


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    heights = np.full((30, 40), 10.0)
    heights[:, ::3] = 9000
    made = elevation(tmp_path_factory.mktemp("averaged"), heights, np.where(heights > 10, 0, 3))
    with rasterio.open(made.surface.path, "r+") as file:
        file.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    return made


@pytest.mark.parametrize("cell_m", [0.75, 0.8, 0.85, 1.0, 1.3, 1.7, 2.0])
@pytest.mark.parametrize("start_m", [0.0, 0.13, 0.31])
def test_a_cell_that_was_measured_all_over_has_a_share_of_one(tmp_path, cell_m, start_m):
    counts = np.full((30, 40), 3)
    whole = elevation(tmp_path, np.full((30, 40), 7.0), counts)
    low = GRID.east_m + 4 + start_m, GRID.north_m - 12 + start_m
    found = measured_over(whole, low, (low[0] + 9, low[1] + 7), cell_m=cell_m)
    assert found.measured_fraction.min() == 1.0
    half = elevation(
        tmp_path, np.full((30, 40), 7.0), np.where(np.arange(40) % 2, 3, 0)[None] + counts * 0
    )
    some = measured_over(half, low, (low[0] + 9, low[1] + 7), cell_m=cell_m)
    assert (some.measured_fraction + some.filled_fraction).min() == 1.0
    assert some.measured_fraction.mean() == pytest.approx(0.5, abs=0.06)


def test_beyond_the_edge_of_the_surface_nothing_is_measured(tmp_path):
    whole = elevation(tmp_path, np.full((30, 40), 7.0), np.full((30, 40), 3))
    found = over(whole, -2.0, -2.0, 2.0, 2.0, 2.0)
    assert found.measured_fraction.tolist() == [[0, 0], [0, 1]]
