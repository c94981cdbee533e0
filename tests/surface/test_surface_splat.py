"""Depths of a view to heights on the grid: the topmost point of a cell, at its own place."""

import numpy as np
import pytest
from known_ground import EAST_M, GROUND_M, NORTH_M, pose
from known_views import (
    HALF_M,
    ROOF_M,
    house_inverse,
    pinhole,
    places,
    plane_inverse,
)

from aftermap.surface import splat

CELL_M = 0.4
COLUMNS, ROWS = 120, 90
TO_EAST, TO_NORTH = 0.08, -0.05
TILTED = (4.0, TO_EAST, TO_NORTH)
CORNER = np.array([EAST_M - COLUMNS * CELL_M / 2, NORTH_M + ROWS * CELL_M / 2, CELL_M])
POSES = {"nadir": pose(-2, 1, yaw=80, pitch=-88), "oblique": pose(-3, -34, pitch=-58)}


def view_of(kind):
    """A view whose pixels are about as large as a cell, or smaller."""
    return pinhole(POSES[kind], rows=450, columns=600)


def camera_of(view):
    return np.concatenate([view.intrinsics, view.centre_m, view.rotation.ravel()])


def splatted(view, inverse, views=None, agreement_m=2 * CELL_M):
    heights = np.full((ROWS, COLUMNS), np.nan, np.float32)
    counts = np.zeros((ROWS, COLUMNS), np.uint8)
    views = np.full(inverse.shape, 3, np.uint8) if views is None else views
    splat.highest_m(
        inverse.astype(np.float32), views, camera_of(view), CORNER, heights, counts, agreement_m
    )
    return heights, counts


def cell_centres():
    """East and north of every cell, from the middle of the ground."""
    return np.meshgrid(
        CORNER[0] - EAST_M + (np.arange(COLUMNS) + 0.5) * CELL_M,
        CORNER[1] - NORTH_M - (np.arange(ROWS) + 0.5) * CELL_M,
    )


def on_house(east, north, margin_m=0.0):
    return (np.abs(east) < HALF_M[0] + margin_m) & (np.abs(north) < HALF_M[1] + margin_m)


@pytest.mark.parametrize("kind", ["nadir", "oblique"])
def test_a_tilted_plane_comes_out_at_its_height(kind):
    view = view_of(kind)
    heights, counts = splatted(view, plane_inverse(view, TILTED))
    east, north = cell_centres()
    error = heights - (GROUND_M + 4.0 + TO_EAST * east + TO_NORTH * north)
    known = np.isfinite(error)
    assert known.mean() > 0.8
    # A cell's points lie anywhere in it, so a single one may be off by half a cell of slope.
    assert np.abs(error[known]).max() < 0.5 * CELL_M * (abs(TO_EAST) + abs(TO_NORTH)) + 0.01
    assert abs(error[known].mean()) < 0.002
    assert (counts[known] == 3).all()
    assert (counts[~known] == 0).all()


def test_a_roof_hides_what_lies_below_it_and_no_wall_is_on_the_street():
    view = view_of("oblique")
    east, north = cell_centres()
    heights, _ = splatted(view, house_inverse(view))
    inner = on_house(east, north, -CELL_M)
    assert np.nanmax(np.abs(heights[inner] - GROUND_M - ROOF_M)) < 0.02
    outer = ~on_house(east, north, CELL_M)
    on_ground = heights[outer & np.isfinite(heights)]
    assert np.abs(on_ground - GROUND_M).max() < 0.02
    behind = (np.abs(east) < 7) & (north > 6.5) & (north < 9)
    assert np.isnan(heights[behind]).mean() > 0.9  # nobody looked behind the house


def test_a_wall_is_told_from_roof_and_ground():
    view = view_of("oblique")
    inverse = house_inverse(view)
    up = places(view, inverse)[..., 2] - GROUND_M
    found = splat.facades(inverse.astype(np.float32), camera_of(view))
    wall = (up > 1.5) & (up < ROOF_M - 1.5)
    assert wall.sum() > 1000
    assert found[wall].mean() > 0.99
    level = np.ones(up.shape, bool)
    level[np.abs(up) > 0.01] = False
    calm = level & np.roll(level, 6, 0) & np.roll(level, -6, 0)
    calm &= np.roll(level, 6, 1) & np.roll(level, -6, 1)
    assert calm.sum() > 10_000
    assert not found[calm].any()


def test_points_well_below_the_topmost_one_of_a_cell_do_not_pull_it_down():
    view = view_of("nadir")
    top, count = np.full((1, 1), np.nan, np.float32), np.zeros((1, 1), np.uint8)
    inverse = house_inverse(view).astype(np.float32)
    up = places(view, inverse)[..., 2] - GROUND_M
    views = np.where(up > 1, 2, 9).astype(np.uint8)
    everything = np.array([EAST_M - 500, NORTH_M + 500, 1000.0])  # one cell
    splat.highest_m(inverse, views, camera_of(view), everything, top, count, 0.8)
    assert top[0, 0] == pytest.approx(GROUND_M + ROOF_M, abs=0.02)
    assert count[0, 0] == 2  # what more views see below does not vouch for it


def test_the_box_of_cells_holds_every_point_and_no_more():
    view = view_of("nadir")
    inverse = plane_inverse(view, TILTED)
    xyz = places(view, inverse) - [EAST_M, NORTH_M, 0]
    inverse[(np.abs(xyz[..., 0] - 2) > 9) | (np.abs(xyz[..., 1]) > 7)] = np.nan
    box = splat.cell_box(inverse.astype(np.float32), camera_of(view), CORNER)
    known = np.argwhere(np.isfinite(splatted(view, inverse)[0]))
    assert box[0] > 0
    assert box[2] < ROWS - 1
    assert box[:2] == tuple(known.min(axis=0))
    assert box[2:] == tuple(known.max(axis=0))


def test_nothing_measured_has_no_box():
    view = view_of("nadir")
    nothing = np.full((view.rows, view.columns), np.nan, np.float32)
    assert not np.isfinite(splat.cell_box(nothing, camera_of(view), CORNER)).any()
    heights, counts = splatted(view, nothing)
    assert np.isnan(heights).all()
    assert (counts == 0).all()


def test_single_holes_between_two_that_agree_are_closed_and_others_are_not():
    heights = np.full((7, 9), 10.0, np.float32)
    heights[:, 5:] = 30.0
    heights[2, 2] = np.nan  # in the ground
    heights[3, 6:8] = np.nan  # two in a roof: closed from above and below
    heights[0, 0] = np.nan  # a corner has nobody on its other side
    counts = np.where(np.isnan(heights), 0, 4).astype(np.uint8)
    counts[1, 2] = 2
    splat.pinholes_closed(heights, counts, 0.5)
    assert heights[2, 2] == 10.0
    assert counts[2, 2] == 2  # the least of those it lies between
    assert (heights[3, 6:8] == 30.0).all()
    assert (counts[3, 6:8] == 4).all()
    assert np.isnan(heights[0, 0])
    assert counts[0, 0] == 0


def test_no_hole_is_closed_between_ground_and_roof():
    heights = np.full((7, 9), 10.0, np.float32)
    heights[:, 5:] = 30.0
    heights[2:5, 4] = np.nan
    counts = np.where(np.isnan(heights), 0, 4).astype(np.uint8)
    splat.pinholes_closed(heights, counts, 0.5)
    assert np.isnan(heights[3, 4])
