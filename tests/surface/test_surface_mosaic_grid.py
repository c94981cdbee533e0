"""Windows over windows: which cells of the surface lie under which cells of the orthophoto."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_ground import (
    EAST_M,
    FLYING_M,
    GROUND_M,
    NORTH_M,
    SAMPLE_M,
    UTM,
    grid,
    pixels_of,
    placed,
    pose,
    reconstruction,
)

from aftermap.geo.grid import Block, cell_centres_m, rowcol_of, window_of
from aftermap.model.raster import Elevation, Raster
from aftermap.surface.cog import Layer, open_cog
from aftermap.surface.mosaic_grid import (
    Sheet,
    mosaic_pictures,
    overlap,
    raster_window,
    sheet_of,
    surface_under,
    within,
)

HEIGHT = Layer(
    dtype="float32", bands=("height",), nodata=-9999.0, unit="metre", overviews="average", tags={}
)


def written(folder, values, over):
    path = Path(folder) / "surface.tif"
    with open_cog(path, over, HEIGHT) as out:
        out.write(Block(row=0, column=0, rows=over.rows, columns=over.columns), values)
    return Raster(path=str(path), grid=over, nodata=-9999.0)


@pytest.fixture
def surface(tmp_path):
    over = grid(70, 60, 0.5)
    values = GROUND_M + np.arange(60 * 70, dtype=np.float32).reshape(60, 70) / 100
    values[10:20, 30:40] = -9999.0
    return written(tmp_path, values, over), values


blocks = st.builds(
    Block,
    row=st.integers(-20, 20),
    column=st.integers(-20, 20),
    rows=st.integers(1, 30),
    columns=st.integers(1, 30),
)


def cells_in(block):
    return {
        (r, c)
        for r in range(block.row, block.row + block.rows)
        for c in range(block.column, block.column + block.columns)
    }


@given(one=blocks, other=blocks)
def test_the_overlap_of_windows_is_the_cells_in_both(one, other):
    shared = overlap(one, other)
    both = cells_in(one) & cells_in(other)
    assert both == (cells_in(shared) if shared else set())
    assert shared == overlap(other, one)
    if shared:
        numbers = np.arange(one.rows * one.columns).reshape(one.rows, one.columns)
        cut = numbers[within(shared, one)]
        assert cut.shape == (shared.rows, shared.columns)
        first = (shared.row - one.row) * one.columns + shared.column - one.column
        assert cut[0, 0] == first


def test_heights_beyond_the_raster_and_where_it_has_none_are_unknown(surface):
    raster, values = surface
    read = raster_window(raster, Block(row=-5, column=25, rows=30, columns=60))
    known = np.where(values == -9999.0, np.nan, values)
    assert np.array_equal(read[5:, :45], known[:25, 25:], equal_nan=True)
    assert np.isnan(read[:5]).all()
    assert np.isnan(read[:, 45:]).all()
    assert np.isnan(raster_window(raster, Block(row=500, column=0, rows=3, columns=4))).all()


def test_a_surface_written_anew_under_the_same_name_is_read_anew(tmp_path):
    over = grid(20, 20, 0.5)
    everything = Block(row=0, column=0, rows=20, columns=20)
    for level in (1.0, 2.0):
        raster = written(tmp_path, np.full((20, 20), level, np.float32), over)
        assert (raster_window(raster, everything) == level).all()


@pytest.fixture
def sheet(surface):
    ground = Elevation(
        surface=surface[0],
        confidence=surface[0],
        ground_sample_m=0.15,
        measured_fraction=1,
        filled_fraction=0,
    )
    frames = [placed(pose(0, 0), 0, Path("0.png"))]
    return sheet_of(reconstruction(frames), ground)


def test_pixels_and_cells_cover_the_surface_from_one_corner(sheet):
    ground = sheet.surface.grid
    for finer in (sheet.pixels, sheet.cells):
        assert (finer.east_m, finer.north_m) == (ground.east_m, ground.north_m)
        for count, cells in ((finer.columns, ground.columns), (finer.rows, ground.rows)):
            missing = cells * ground.cell_m - count * finer.cell_m
            assert -finer.cell_m < missing < 1e-6
    assert sheet.pixels.cell_m == 0.15
    assert sheet.cells.cell_m == pytest.approx(0.15 * sheet.cell_px)
    assert sheet.cell_px == 4  # a picture of 600 px is not cut into 200 cells of 3 px


@given(
    window=st.builds(
        Block,
        row=st.integers(0, 20),
        column=st.integers(0, 20),
        rows=st.integers(1, 9),
        columns=st.integers(1, 9),
    )
)
def test_the_window_under_cells_holds_them_and_hardly_more(window):
    ground = grid(70, 60, 0.5)
    cells = grid(58, 50, 0.6)
    raster = Raster(path="", grid=ground, nodata=None)
    sheet = Sheet(surface=raster, confidence=raster, pixels=cells, cells=cells, cell_px=1)
    under = surface_under(sheet, window)
    ratio = 0.6 / 0.5
    assert under.row <= window.row * ratio < under.row + 1
    bottom = (window.row + window.rows) * ratio
    assert under.row + under.rows - 1 < bottom + 1e-9
    assert bottom <= under.row + under.rows + 1e-9
    wider = surface_under(sheet, window, margin=2)
    assert (wider.row, wider.columns) == (under.row - 2, under.columns + 4)


def test_the_window_of_a_picture_holds_all_that_it_shows(tmp_path):
    over = grid(400, 400, 0.5)
    raster = Raster(path="", grid=over, nodata=None)
    ground = Elevation(
        surface=raster,
        confidence=raster,
        ground_sample_m=SAMPLE_M,
        measured_fraction=1,
        filled_fraction=0,
    )
    looks = [pose(-20, 10, yaw=30), pose(15, -40, pitch=-65), pose(5000, 0)]
    frames = [placed(at, k, Path(f"{k}.png"), ground_m=(0, 8)) for k, at in enumerate(looks)]
    built = reconstruction(frames)
    sheet = sheet_of(built, ground)
    pictures = mosaic_pictures(built, sheet)
    assert [p.index for p in pictures] == [0, 1]  # the third is nowhere near
    for picture in pictures:
        east, _ = cell_centres_m(window_of(sheet.cells, picture.window))
        assert east.min() >= over.east_m
        for height in (0.0, 8.0):
            rng = np.random.default_rng(1)
            spots = rng.uniform(-90, 90, (3000, 2)) + np.array([EAST_M, NORTH_M])
            place = np.column_stack([spots, np.full(3000, GROUND_M + height)])
            axis = (place - picture.pose.position_m) @ picture.pose.rotation_cam_from_world[2]
            shown = pixels_of(picture.pose, place)
            seen = (shown > 0).all(1) & (shown < [600, 450]).all(1) & (axis > 0.6 * FLYING_M)
            rowcol = rowcol_of(sheet.cells, spots[seen])
            window = picture.window
            assert (rowcol >= [window.row, window.column]).all()
            end = [window.row + window.rows, window.column + window.columns]
            assert (rowcol <= end).all()
    assert sheet.cells.crs == UTM
