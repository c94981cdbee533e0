"""Windows of rasters: cells over a box, wherever it lies."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from aftermap.geo.grid import Block
from aftermap.geo.windows import block_over, coarse_heights, read_block, read_heights
from aftermap.model.raster import Grid, Raster

GRID = Grid(
    crs="EPSG:32637", east_m=500_000.0, north_m=4_000_000.0, cell_m=0.5, columns=40, rows=30
)


@pytest.fixture
def raster(tmp_path):
    """Heights that are the number of their row; one cell of them is a hole."""
    heights = np.repeat(np.arange(30, dtype=np.float32)[:, None], 40, axis=1)
    heights[5, 7] = -9999
    path = tmp_path / "heights.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=40,
        height=30,
        count=1,
        dtype="float32",
        crs=GRID.crs,
        nodata=-9999.0,
        transform=Affine(0.5, 0, GRID.east_m, 0, -0.5, GRID.north_m),
    ) as file:
        file.write(heights, 1)
    return Raster(path=str(path), grid=GRID, nodata=-9999.0)


def test_a_block_beyond_the_edge_is_filled_with_no_data(raster):
    cells, grid = read_block(raster, Block(row=-2, column=38, rows=4, columns=4))
    assert cells.shape == (1, 4, 4)
    assert cells[0, 2:, :2].tolist() == [[0, 0], [1, 1]]
    assert (cells[0, :2] == -9999).all()
    assert (cells[0, :, 2:] == -9999).all()
    assert (grid.east_m, grid.north_m) == (GRID.east_m + 19, GRID.north_m + 1)


def test_a_block_far_away_is_all_no_data(raster):
    cells, _ = read_block(raster, Block(row=900, column=-900, rows=2, columns=3))
    assert cells.shape == (1, 2, 3)
    assert (cells == -9999).all()


def test_a_hole_in_heights_is_not_a_number(raster):
    corner = (GRID.east_m + 3.5, GRID.north_m - 3.0), (GRID.east_m + 4.0, GRID.north_m - 2.5)
    heights, _ = read_heights(raster, block_over(GRID, *corner))
    assert heights.shape == (1, 1)
    assert np.isnan(heights[0, 0])


def test_coarse_heights_are_the_mean_of_what_lies_in_each_cell(raster):
    """Rows of half a metre in cells of two metres: means of four rows, a hole left out."""
    corner = (GRID.east_m, GRID.north_m - 12.0), (GRID.east_m + 8.0, GRID.north_m)
    heights, grid = coarse_heights(raster, *corner, cell_m=2.0)
    assert (grid.cell_m, grid.rows, grid.columns) == (2.0, 6, 4)
    assert heights[:, 0] == pytest.approx(np.arange(6) * 4 + 1.5)
    (with_hole,) = heights[1, 1:2]
    rows = [row for row in (4, 5, 6, 7) for column in range(4, 8) if (row, column) != (5, 7)]
    assert with_hole == pytest.approx(np.mean(rows))


def test_coarse_heights_in_cells_of_the_raster_or_smaller_are_its_own(raster):
    corner = (GRID.east_m + 2.0, GRID.north_m - 4.0), (GRID.east_m + 6.0, GRID.north_m)
    heights, grid = coarse_heights(raster, *corner, cell_m=0.1)
    assert grid.cell_m == GRID.cell_m
    own = np.repeat(np.arange(8.0)[:, None], 8, axis=1)
    own[5, 3] = np.nan
    assert np.array_equal(heights, own, equal_nan=True)


def test_coarse_heights_beyond_the_raster_are_not_known(raster):
    corner = (GRID.east_m - 50.0, GRID.north_m), (GRID.east_m - 40.0, GRID.north_m + 10.0)
    assert np.isnan(coarse_heights(raster, *corner, cell_m=1.0)[0]).all()


def test_coarse_heights_in_cells_hardly_larger_are_those_of_single_cells(raster):
    """A mean would mix a row with a sliver of the next."""
    corner = (GRID.east_m + 12.0, GRID.north_m - 6.0), (GRID.east_m + 18.0, GRID.north_m)
    heights, grid = coarse_heights(raster, *corner, cell_m=0.6)
    middles = GRID.north_m - (grid.north_m - 0.6 * (np.arange(grid.rows) + 0.5))
    assert heights[1:-1, 1] == pytest.approx(np.floor(middles / 0.5)[1:-1])
