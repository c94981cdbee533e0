"""Disparities to heights on the grid: the topmost point of a cell, at its own place."""

import numpy as np
import pytest
from known_ground import EAST_M, GROUND_M, NORTH_M, camera, pose

from aftermap.surface import splat
from aftermap.surface.rectify import rectified, view_of

HEIGHTS_M = (GROUND_M - 3.0, GROUND_M + 14.0)
CELL_M = 0.4
TO_EAST, TO_NORTH = 0.08, -0.05
ROOF_M = GROUND_M + 9.0
COLUMNS, ROWS = 120, 90


def pair_of(kind):
    poses = {
        "nadir": (pose(-5, 0, yaw=80), pose(7, 2, yaw=95, pitch=-88)),
        "oblique": (pose(-6, -34, pitch=-58), pose(6, -35, yaw=4, pitch=-60)),
    }[kind]
    sides = [view_of(camera(), at, 600, 450) for at in poses]
    return rectified(sides[0], sides[1], HEIGHTS_M, 1024)


def rays_of(pair):
    """(N, 3) world directions of the left pixels, one metre deep."""
    u, v = np.meshgrid(np.arange(pair.width_px) + 0.5, np.arange(pair.height_px) + 0.5)
    cx, cy = pair.left_principal_px
    ray = np.stack([u.ravel() - cx, v.ravel() - cy, np.full(u.size, pair.focal_px)], 1)
    return ray / pair.focal_px @ pair.rotation


def disparity_at(pair, depth):
    known = np.isfinite(depth) & (depth > 0)
    disparity = pair.focal_px * pair.base_m / np.where(known, depth, 1) - pair.right_shift_px
    disparity = np.where(known, disparity, -1).astype(np.float32)
    return disparity.reshape(pair.height_px, pair.width_px)


def tilted_disparity(pair):
    ray, centre = rays_of(pair), pair.left_centre_m
    above = centre[2] - tilted(centre[0], centre[1])
    return disparity_at(pair, above / (TO_EAST * ray[:, 0] + TO_NORTH * ray[:, 1] - ray[:, 2]))


def house_disparity(pair):
    """A flat roof over flat ground; rays that meet a wall have no disparity."""
    ray, centre = rays_of(pair), pair.left_centre_m
    to_roof = (centre[2] - ROOF_M) / -ray[:, 2]
    to_ground = (centre[2] - GROUND_M) / -ray[:, 2]
    depth = np.where(on_house(*(centre + ray * to_roof[:, None]).T[:2]), to_roof, to_ground)
    for part in np.linspace(0, 1, 60):
        on_way = to_roof + part * (to_ground - to_roof)
        at_wall = on_house(*(centre + ray * on_way[:, None]).T[:2]) & (depth == to_ground)
        depth = np.where(at_wall, np.nan, depth)
    return disparity_at(pair, depth)


def numbers_of(pair):
    scale = np.array(
        [pair.focal_px * pair.base_m, pair.right_shift_px, pair.focal_px, *pair.left_principal_px]
    )
    corner = np.array([EAST_M - COLUMNS * CELL_M / 2, NORTH_M + ROWS * CELL_M / 2, CELL_M])
    return scale, corner


def heights_of(pair, disparity, agreement_m=2 * CELL_M):
    scale, corner = numbers_of(pair)
    heights = np.full((ROWS, COLUMNS), np.nan, np.float32)
    splat.highest_m(
        disparity, pair.rotation, pair.left_centre_m, scale, corner, heights, agreement_m
    )
    return heights


def cell_centres():
    west, north, cell = numbers_of(pair_of("nadir"))[1]
    return np.meshgrid(
        west + (np.arange(COLUMNS) + 0.5) * cell, north - (np.arange(ROWS) + 0.5) * cell
    )


def tilted(east, north):
    return GROUND_M + 4.0 + TO_EAST * (east - EAST_M) + TO_NORTH * (north - NORTH_M)


def on_house(east, north, margin_m=0.0):
    return (np.abs(east - EAST_M) < 6 + margin_m) & (np.abs(north - NORTH_M) < 5 + margin_m)


@pytest.mark.parametrize("kind", ["nadir", "oblique"])
def test_a_tilted_plane_comes_out_at_its_height(kind):
    pair = pair_of(kind)
    heights = heights_of(pair, tilted_disparity(pair))
    error = heights - tilted(*cell_centres())
    known = np.isfinite(error)
    assert known.mean() > 0.8
    # A cell's points lie anywhere in it, so a single one may be off by half a cell of slope.
    assert np.abs(error[known]).max() < 0.5 * CELL_M * (abs(TO_EAST) + abs(TO_NORTH)) + 0.01
    assert abs(error[known].mean()) < 0.002


def test_a_roof_hides_what_lies_below_it():
    pair = pair_of("oblique")
    east, north = cell_centres()
    heights = heights_of(pair, house_disparity(pair))
    inner = on_house(east, north, -CELL_M)
    assert np.nanmax(np.abs(heights[inner] - ROOF_M)) < 0.02
    outer = ~on_house(east, north, CELL_M)
    on_ground = heights[outer & np.isfinite(heights)]
    assert np.abs(on_ground - GROUND_M).max() < 0.02
    behind = (np.abs(east - EAST_M) < 5) & (north - NORTH_M > 5.5) & (north - NORTH_M < 8)
    assert np.isnan(heights[behind]).mean() > 0.9  # nobody looked behind the house


def test_points_well_below_the_topmost_one_of_a_cell_do_not_pull_it_down():
    pair = pair_of("nadir")
    scale, corner = numbers_of(pair)
    size = np.array([corner[0], corner[1], 1000.0])  # one cell holds everything
    top = np.full((1, 1), np.nan, np.float32)
    disparity = house_disparity(pair)
    splat.highest_m(disparity, pair.rotation, pair.left_centre_m, scale,
                    size - np.array([500.0, -500.0, 0]), top, 0.8)  # fmt: skip
    assert top[0, 0] == pytest.approx(ROOF_M, abs=0.02)


def test_the_box_of_cells_holds_every_point_and_no_more():
    pair = pair_of("nadir")
    scale, corner = numbers_of(pair)
    disparity = tilted_disparity(pair)
    depth = pair.depth_m(disparity).ravel()
    east, north, _ = (pair.left_centre_m + rays_of(pair) * depth[:, None]).T
    inside = (np.abs(east - EAST_M - 2) < 9) & (np.abs(north - NORTH_M) < 7)
    disparity[~inside.reshape(disparity.shape)] = -1
    top, left, bottom, right = splat.cell_box(
        disparity, pair.rotation, pair.left_centre_m, scale, corner
    )
    known = np.argwhere(np.isfinite(heights_of(pair, disparity)))
    assert top > 0
    assert bottom < ROWS - 1
    assert (top, left) == tuple(known.min(axis=0))
    assert (bottom, right) == tuple(known.max(axis=0))


def test_nothing_matched_has_an_empty_box():
    pair = pair_of("nadir")
    scale, corner = numbers_of(pair)
    nothing = np.full((10, 10), -1, np.float32)
    top, left, bottom, right = splat.cell_box(
        nothing, pair.rotation, pair.left_centre_m, scale, corner
    )
    assert bottom < top
    assert right < left


def test_single_holes_between_two_that_agree_are_closed_and_others_are_not():
    heights = np.full((7, 9), 10.0, np.float32)
    heights[:, 5:] = 30.0
    heights[2, 2] = np.nan  # in the ground
    heights[3, 6:8] = np.nan  # two in a roof: closed from above and below
    heights[0, 0] = np.nan  # a corner has nobody on its other side
    closed = splat.pinholes_closed(heights, 0.5)
    assert closed[2, 2] == 10.0
    assert (closed[3, 6:8] == 30.0).all()
    assert np.isnan(closed[0, 0])
    heights[2:5, 4] = np.nan
    heights[2:5, 3] = 10.0
    closed = splat.pinholes_closed(heights, 0.5)
    assert np.isnan(closed[3, 4])  # between ground and roof nothing is invented
