"""The grid of a map: every place has one cell, every cell one block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.grid import Block, blocks_of, cell_centres_m, grid_over, rowcol_of, window_of
from aftermap.model.raster import Grid

UTM = "EPSG:32637"
GRID = Grid(crs=UTM, east_m=500_100.0, north_m=3_978_600.0, cell_m=0.25, columns=130, rows=90)


@st.composite
def grids(draw):
    return Grid(
        crs=UTM,
        east_m=draw(st.floats(1e5, 9e5)),
        north_m=draw(st.floats(-1e6, 9e6)),
        cell_m=draw(st.floats(0.01, 5.0)),
        columns=draw(st.integers(1, 70)),
        rows=draw(st.integers(1, 70)),
    )


@given(grid=grids())
def test_the_centre_of_every_cell_lies_at_half_past_its_row_and_column(grid):
    east, north = cell_centres_m(grid)
    assert (len(east), len(north)) == (grid.columns, grid.rows)
    places = np.stack(np.meshgrid(east, north), axis=-1)
    row, column = np.indices((grid.rows, grid.columns))
    expected = np.stack([row + 0.5, column + 0.5], axis=-1)
    assert np.allclose(rowcol_of(grid, places), expected, atol=1e-5)


def test_rows_run_south_and_columns_east_from_the_outer_corner():
    corner = [GRID.east_m, GRID.north_m]
    assert np.allclose(rowcol_of(GRID, [corner]), [[0, 0]])
    assert np.allclose(rowcol_of(GRID, [[corner[0] + 1, corner[1] - 2]]), [[8, 4]])


@given(rows=st.integers(1, 200), columns=st.integers(1, 200), size=st.integers(1, 90))
def test_blocks_cover_every_cell_exactly_once(rows, columns, size):
    grid = Grid(crs=UTM, east_m=0, north_m=0, cell_m=1, columns=columns, rows=rows)
    times = np.zeros((rows, columns), int)
    for block in blocks_of(grid, size):
        assert 1 <= block.rows <= size
        assert 1 <= block.columns <= size
        times[block.row : block.row + block.rows, block.column : block.column + block.columns] += 1
    assert (times == 1).all()


@given(grid=grids(), size=st.integers(1, 40), margin=st.integers(0, 9))
def test_a_window_with_its_margin_has_its_cells_where_the_whole_grid_has_them(grid, size, margin):
    east, north = cell_centres_m(grid)
    for block in blocks_of(grid, size):
        window = window_of(grid, block, margin=margin)
        own_east, own_north = cell_centres_m(window)
        inside = slice(margin, margin + block.columns), slice(margin, margin + block.rows)
        assert (window.crs, window.cell_m) == (grid.crs, grid.cell_m)
        assert np.allclose(
            own_east[inside[0]], east[block.column : block.column + block.columns], atol=1e-6
        )
        assert np.allclose(
            own_north[inside[1]], north[block.row : block.row + block.rows], atol=1e-6
        )
        assert window.columns == block.columns + 2 * margin
        assert window.rows == block.rows + 2 * margin


def test_a_window_at_the_corner_reaches_beyond_the_grid_by_its_margin():
    window = window_of(GRID, Block(row=0, column=0, rows=10, columns=20), margin=4)
    assert (window.east_m, window.north_m) == (GRID.east_m - 1, GRID.north_m + 1)


@given(
    west=st.floats(1e5, 9e5),
    south=st.floats(-1e6, 9e6),
    width=st.floats(0, 300),
    height=st.floats(0, 300),
    cell=st.sampled_from([0.01, 0.05, 0.077, 0.1, 0.25, 1.0, 3.0]),
)
def test_the_grid_over_a_box_covers_it_with_no_row_or_column_to_spare(
    west, south, width, height, cell
):
    grid = grid_over(UTM, (west, south), (west + width, south + height), cell)
    slack = 1e-4
    first, last = rowcol_of(grid, [[west, south + height], [west + width, south]])
    assert (first >= -slack).all()
    assert (first < 1 + slack).all()
    size = np.array([grid.rows, grid.columns])
    assert (last <= size + slack).all()
    assert ((last > size - 1 - slack) | (size == 1)).all()


@given(shift=st.integers(-400, 400))
def test_two_maps_of_overlapping_areas_have_their_cells_in_the_same_places(shift):
    first = grid_over(UTM, (500_000.3, 3_978_000.1), (500_050.0, 3_978_050.0), 0.25)
    second = grid_over(
        UTM, (500_000.3 + shift / 7, 3_978_000.1), (500_050.0 + shift / 7, 3_978_050.0), 0.25
    )
    apart = (second.east_m - first.east_m) / 0.25
    assert apart == pytest.approx(round(apart), abs=1e-6)
