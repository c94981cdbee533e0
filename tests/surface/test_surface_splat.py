"""Depths of a view to heights on the grid: the topmost point of a cell, at its own place."""

from pathlib import Path

import numpy as np
import pytest
from known_ground import EAST_M, GROUND_M, NORTH_M, camera, placed, pose

from aftermap.surface import splat
from aftermap.surface.undistorted import view_of

CELL_M = 0.4
TO_EAST, TO_NORTH = 0.08, -0.05
ROOF_M = GROUND_M + 9.0
COLUMNS, ROWS = 120, 90
POSES = {"nadir": pose(-5, 0, yaw=80), "oblique": pose(-6, -34, pitch=-58)}


def view(kind):
    return view_of(placed(POSES[kind], 0, Path("0.png")), camera(), 600, Path("0.npy"))


def rays_of(seen):
    """(N, 3) world directions of the pixels, one metre deep."""
    fx, fy, cx, cy = seen.intrinsics
    u, v = np.meshgrid(np.arange(seen.columns) + 0.5, np.arange(seen.rows) + 0.5)
    ray = np.stack([(u.ravel() - cx) / fx, (v.ravel() - cy) / fy, np.ones(u.size)], 1)
    return ray @ seen.rotation


def inverse_at(seen, depth):
    known = np.isfinite(depth) & (depth > 0)
    inverse = np.where(known, 1 / np.where(known, depth, 1), np.nan).astype(np.float32)
    return inverse.reshape(seen.rows, seen.columns)


def tilted_inverse(seen):
    ray, centre = rays_of(seen), seen.centre_m
    above = centre[2] - tilted(centre[0], centre[1])
    return inverse_at(seen, above / (TO_EAST * ray[:, 0] + TO_NORTH * ray[:, 1] - ray[:, 2]))


def house_inverse(seen):
    """A flat roof over flat ground; rays that meet a wall have no depth."""
    ray, centre = rays_of(seen), seen.centre_m
    to_roof = (centre[2] - ROOF_M) / -ray[:, 2]
    to_ground = (centre[2] - GROUND_M) / -ray[:, 2]
    depth = np.where(on_house(*(centre + ray * to_roof[:, None]).T[:2]), to_roof, to_ground)
    for part in np.linspace(0, 1, 60):
        on_way = to_roof + part * (to_ground - to_roof)
        at_wall = on_house(*(centre + ray * on_way[:, None]).T[:2]) & (depth == to_ground)
        depth = np.where(at_wall, np.nan, depth)
    return inverse_at(seen, depth)


def camera_row(seen):
    return np.concatenate([seen.intrinsics, seen.centre_m, seen.rotation.ravel()])


CORNER = np.array([EAST_M - COLUMNS * CELL_M / 2, NORTH_M + ROWS * CELL_M / 2, CELL_M])


def heights_of(seen, inverse, agreement_m=2 * CELL_M):
    heights, counts = np.full((ROWS, COLUMNS), np.nan, np.float32), np.zeros((ROWS, COLUMNS), "u1")
    views = np.full(inverse.shape, 3, np.uint8)
    depths = splat.ViewDepths(inverse, views, camera_row(seen))
    splat.fill_heights(depths, splat.GroundCells(CORNER, heights, counts), agreement_m)
    assert ((counts == 3) == np.isfinite(heights)).all()
    return heights


def cell_centres():
    west, north, cell = CORNER
    return np.meshgrid(
        west + (np.arange(COLUMNS) + 0.5) * cell, north - (np.arange(ROWS) + 0.5) * cell
    )


def tilted(east, north):
    return GROUND_M + 4.0 + TO_EAST * (east - EAST_M) + TO_NORTH * (north - NORTH_M)


def on_house(east, north, margin_m=0.0):
    return (np.abs(east - EAST_M) < 6 + margin_m) & (np.abs(north - NORTH_M) < 5 + margin_m)


@pytest.mark.parametrize("kind", ["nadir", "oblique"])
def test_a_tilted_plane_comes_out_at_its_height(kind):
    seen = view(kind)
    heights = heights_of(seen, tilted_inverse(seen))
    error = heights - tilted(*cell_centres())
    known = np.isfinite(error)
    assert known.mean() > 0.8
    # A cell's points lie anywhere in it, so a single one may be off by half a cell of slope.
    assert np.abs(error[known]).max() < 0.5 * CELL_M * (abs(TO_EAST) + abs(TO_NORTH)) + 0.01
    assert abs(error[known].mean()) < 0.002


def test_a_roof_hides_what_lies_below_it():
    seen = view("oblique")
    east, north = cell_centres()
    heights = heights_of(seen, house_inverse(seen))
    inner = on_house(east, north, -CELL_M)
    assert np.nanmax(np.abs(heights[inner] - ROOF_M)) < 0.02
    outer = ~on_house(east, north, CELL_M)
    on_ground = heights[outer & np.isfinite(heights)]
    assert np.abs(on_ground - GROUND_M).max() < 0.02
    behind = (np.abs(east - EAST_M) < 5) & (north - NORTH_M > 5.5) & (north - NORTH_M < 8)
    assert np.isnan(heights[behind]).mean() > 0.9  # nobody looked behind the house


def test_a_wall_is_a_step_and_not_a_row_of_heights():
    seen = view("oblique")
    ray, centre = rays_of(seen), seen.centre_m
    to_wall = (NORTH_M - 5.0 - centre[1]) / ray[:, 1]  # the plane of the wall that faces the camera
    place = centre + ray * to_wall[:, None]
    on_wall = (to_wall > 0) & (np.abs(place[:, 0] - EAST_M) < 6)
    on_wall &= (place[:, 2] > GROUND_M) & (place[:, 2] < ROOF_M)
    house = 1 / house_inverse(seen).ravel()
    heights = heights_of(seen, inverse_at(seen, np.where(on_wall, to_wall, house)))
    east, north = cell_centres()
    before = (np.abs(east - EAST_M) < 5) & (north < NORTH_M - 5.2) & (north > NORTH_M - 8)
    assert np.nanmax(np.abs(heights[before] - GROUND_M)) < 0.02


def test_points_well_below_the_topmost_one_of_a_cell_do_not_pull_it_down():
    seen = view("nadir")
    size = np.array([CORNER[0] - 500.0, CORNER[1] + 500.0, 1000.0])  # one cell holds everything
    top, count = np.full((1, 1), np.nan, np.float32), np.zeros((1, 1), np.uint8)
    inverse = house_inverse(seen)
    views = np.full(inverse.shape, 2, np.uint8)
    depths = splat.ViewDepths(inverse, views, camera_row(seen))
    splat.fill_heights(depths, splat.GroundCells(size, top, count), 0.8)
    assert top[0, 0] == pytest.approx(ROOF_M, abs=0.02)
    assert count[0, 0] == 2


def test_the_box_of_cells_holds_every_point():
    seen = view("nadir")
    inverse = tilted_inverse(seen)
    east, north, _ = (seen.centre_m + rays_of(seen) / inverse.reshape(-1, 1)).T
    inside = (np.abs(east - EAST_M - 2) < 9) & (np.abs(north - NORTH_M) < 7)
    inverse[~inside.reshape(inverse.shape)] = np.nan
    top, left, bottom, right = splat.cell_box(inverse, camera_row(seen), CORNER)
    known = np.argwhere(np.isfinite(heights_of(seen, inverse)))
    assert top > 0
    assert bottom < ROWS - 1
    assert (top, left) == tuple(known.min(axis=0))
    assert (bottom, right) == tuple(known.max(axis=0))


def test_nothing_matched_has_an_empty_box():
    nothing = np.full((10, 10), np.nan, np.float32)
    top, left, bottom, right = splat.cell_box(nothing, camera_row(view("nadir")), CORNER)
    assert bottom < top
    assert right < left


def test_single_holes_between_two_that_agree_are_closed_and_others_are_not():
    heights = np.full((7, 9), 10.0, np.float32)
    heights[:, 5:] = 30.0
    heights[2, 2] = np.nan  # in the ground
    heights[3, 6:8] = np.nan  # two in a roof: closed from above and below
    heights[0, 0] = np.nan  # a corner has nobody on its other side
    counts = np.where(np.isfinite(heights), 4, 0).astype(np.uint8)
    counts[1, 2] = 2
    closed, seen = heights.copy(), counts.copy()
    splat.close_pinholes(closed, seen, 0.5)
    assert closed[2, 2] == 10.0
    assert seen[2, 2] == 2
    assert (closed[3, 6:8] == 30.0).all()
    assert np.isnan(closed[0, 0])
    heights[2:5, 4] = np.nan
    heights[2:5, 3] = 10.0
    splat.close_pinholes(heights, counts, 0.5)
    assert np.isnan(heights[3, 4])  # between ground and roof nothing is invented
