"""What a picture measured itself it sees, whatever is unknown of the ground before it."""

import numpy as np
import pytest
import rasterio
from affine import Affine

from aftermap.geo.grid import Block
from aftermap.model.raster import Grid, Raster
from aftermap.surface.measured_cells import (
    MeasuredCellsTask,
    measured_cells_over,
    write_measured_cells,
)
from aftermap.surface.view_heights import ViewHeights
from aftermap.surface.visibility import CLEAR, DOUBTFUL, HIDDEN, presumed_heights, seen_cells

CELL_M, BASE_M, STEP_M = 0.5, 90.0, 0.01
GRID = Grid(crs="EPSG:32637", east_m=1000, north_m=2000, cell_m=CELL_M, columns=60, rows=50)


def raster(path, values, nodata):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=60,
        height=50,
        count=1,
        dtype=values.dtype,
        nodata=nodata,
        crs=GRID.crs,
        transform=Affine(CELL_M, 0, GRID.east_m, 0, -CELL_M, GRID.north_m),
    ) as out:
        out.write(values, 1)
    return Raster(path=str(path), grid=GRID, nodata=nodata)


@pytest.fixture
def task(tmp_path):
    """A view over part of the map: it has a wall 4 m high where the map has the street."""
    heights = np.full((20, 30), 100.0)
    heights[:, 10:20] = 104.0
    heights[5, 25] = np.nan  # a speck that it did not measure
    heights[12:, 22:] = np.nan
    steps = np.where(np.isfinite(heights), np.round((heights - BASE_M) / STEP_M) + 1, 0)
    np.save(tmp_path / "view.npy", steps.astype(np.uint16))
    confidence = np.full((50, 60), 3, np.uint8)
    confidence[:, :12] = 0  # filled
    return MeasuredCellsTask(
        frame=7,
        view=ViewHeights(
            heights=str(tmp_path / "view.npy"),
            views="none",
            window=Block(row=8, column=10, rows=20, columns=30),
        ),
        tolerance_m=1.5,
        base_m=BASE_M,
        step_m=STEP_M,
        surface=raster(tmp_path / "surface.tif", np.full((50, 60), 100.3, np.float32), -9999.0),
        confidence=raster(tmp_path / "confidence.tif", confidence, None),
        file=str(tmp_path / "sight.npy"),
    )


def test_a_picture_measured_what_it_has_at_the_height_of_the_map(task):
    found = measured_cells_over(
        write_measured_cells(task), Block(row=0, column=0, rows=50, columns=60)
    )
    expected = np.zeros((50, 60), bool)
    expected[8:28, 12:40] = True
    expected[8:28, 20:30] = False  # the wall is not the street
    expected[20:28, 32:40] = False
    assert (found == expected).all()


def test_a_window_takes_its_part_and_one_elsewhere_nothing(task):
    file = write_measured_cells(task)
    whole = measured_cells_over(file, Block(row=-5, column=-7, rows=70, columns=80))
    part = measured_cells_over(file, Block(row=10, column=15, rows=9, columns=11))
    assert (part == whole[15:24, 22:33]).all()
    assert part.any()
    assert not measured_cells_over(file, Block(row=200, column=0, rows=5, columns=5)).any()


def test_a_view_without_heights_measured_nothing(task):
    empty = MeasuredCellsTask(
        frame=0,
        view=ViewHeights(heights="none", views="none", window=None),
        tolerance_m=1.5,
        base_m=BASE_M,
        step_m=STEP_M,
        surface=task.surface,
        confidence=task.confidence,
        file=task.file,
    )
    assert not measured_cells_over(
        write_measured_cells(empty), Block(row=0, column=0, rows=50, columns=60)
    ).any()


def test_ground_behind_an_unknown_stretch_is_seen_only_by_who_measured_it():
    heights = np.full((40, 120), 2.0, np.float32)
    is_measured = np.ones(heights.shape, bool)
    is_measured[:, 50:60] = False  # nobody knows what stands there
    heights[:, 20:24] = 9.0  # as high as things are here
    own = np.zeros(heights.shape, bool)
    own[:, 60:100] = True
    camera, above = (20.0, -60.0), 25.0
    guess = presumed_heights(heights, is_measured)
    alone = seen_cells(heights, camera, above, guess)
    assert (alone[5:-5, 62:80] == HIDDEN).all()
    seen = seen_cells(heights, camera, above, guess, own)
    assert (seen[5:-5, 66:80] == CLEAR).all()
    assert (seen[5:-5, 102:] == alone[5:-5, 102:]).all()
    wall = heights.copy()
    wall[:, 40:44] = 30.0  # what is measured and higher hides all the same
    assert (seen_cells(wall, camera, above, guess, own)[5:-5, 62:80] == HIDDEN).all()
    assert DOUBTFUL < CLEAR
