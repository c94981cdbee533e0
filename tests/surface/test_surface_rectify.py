"""A rectified pair: rows agree, and a disparity is a place in the world."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_ground import (
    EAST_M,
    FLYING_M,
    GROUND_M,
    HEIGHT_PX,
    NORTH_M,
    WIDTH_PX,
    camera,
    ground_brightness,
    picture,
    pixels_of,
    plane_height_m,
    pose,
)

from aftermap.surface.rectify import rectified, resampled, view_of

HEIGHTS_M = (GROUND_M - 2.0, GROUND_M + 12.0)
PAIRS = {
    "nadir along the strip": (pose(-6, 0, yaw=2), pose(6, 1, yaw=-3, pitch=-88.5, roll=1)),
    "nadir across, flown back": (pose(0, -8, yaw=90), pose(2, 9, up=62, yaw=268, pitch=-89)),
    "oblique side by side": (
        pose(-6, -40, yaw=0, pitch=-55),
        pose(7, -41, yaw=3, pitch=-53, roll=1),
    ),
    "oblique one behind the other": (
        pose(-40, 0, yaw=88, pitch=-65),
        pose(-28, 3, up=61, yaw=92, pitch=-67),
    ),
}


def view(at, scale=1.0):
    return view_of(camera(), at, round(WIDTH_PX * scale), round(HEIGHT_PX * scale))


def rectified_px(pair, xyz_m, centre_m, shift_px):
    """(N, 2) corner-origin pixels in one rectified picture, written out the long way."""
    xyz = (xyz_m - np.array(centre_m)) @ pair.rotation.T
    cx, cy = pair.left_principal_px
    return np.stack(
        [
            pair.focal_px * xyz[:, 0] / xyz[:, 2] + cx + shift_px,
            pair.focal_px * xyz[:, 1] / xyz[:, 2] + cy,
        ],
        axis=1,
    )


def shift_px(reference, other):
    """(2,) right and down that ``other`` is moved by, by least squares over a tile."""
    down, right = np.gradient((reference + other) / 2)
    slopes = np.stack([right.ravel(), down.ravel()], axis=1)
    normal, wanted = slopes.T @ slopes, slopes.T @ (reference - other).ravel()
    return np.linalg.solve(normal, wanted)


@pytest.mark.parametrize("name", PAIRS)
def test_rows_of_a_rectified_pair_agree_and_disparity_gives_the_place(name):
    """The right picture, laid over the left by where the plane lies, fits to 0.05 px both ways."""
    left, right = PAIRS[name]
    plane = (4.0, 0.03, -0.02)
    pair = rectified(view(left), view(right), HEIGHTS_M, 1024)
    near, far = (
        resampled(pair, view(at), picture(at, plane=plane), is_right=side).astype(np.float32)
        for at, side in ((left, False), (right, True))
    )
    u, v = np.meshgrid(np.arange(pair.width_px) + 0.5, np.arange(pair.height_px) + 0.5)
    place, depth = on_plane(pair, u, v, plane)
    there = rectified_px(pair, place, right.position_m, pair.right_shift_px)
    disparity = u.ravel() - there[:, 0]
    assert np.abs(there[:, 1] - v.ravel()).max() < 1e-6
    assert np.abs(pair.depth_m(disparity) - depth).max() < 1e-6
    warped = cv2.remap(far, (u - disparity.reshape(u.shape) - 0.5).astype(np.float32),
                       (v - 0.5).astype(np.float32), cv2.INTER_CUBIC)  # fmt: skip
    shifts = []
    for row in range(4, pair.height_px - 64, 60):
        for column in range(4, pair.width_px - 64, 60):
            tile = np.s_[row : row + 60, column : column + 60]
            if near[tile].min() > 30 and warped[tile].min() > 30:  # both show all of it
                shifts.append(shift_px(near[tile], warped[tile]))
    assert len(shifts) >= 8
    assert np.abs(shifts).max() < 0.05


def on_plane(pair, u, v, plane):
    """Where the rays of left pixels meet a plane, and how deep."""
    cx, cy = pair.left_principal_px
    ray = np.stack([u.ravel() - cx, v.ravel() - cy, np.full(u.size, pair.focal_px)], axis=1)
    ray = ray / pair.focal_px @ pair.rotation
    east, north, up = pair.left_centre_m
    _, to_east, to_north = plane
    below = up - plane_height_m(east, north, plane)
    depth = below / (to_east * ray[:, 0] + to_north * ray[:, 1] - ray[:, 2])
    return pair.left_centre_m + ray * depth[:, None], depth


def test_a_picture_read_at_half_its_size_rectifies_to_the_same_place():
    left, right = PAIRS["nadir along the strip"]
    half = rectified(view(left, 0.5), view(right, 0.5), HEIGHTS_M, 1024)
    grey = picture(left)
    small = grey.reshape(HEIGHT_PX // 2, 2, WIDTH_PX // 2, 2).mean(axis=(1, 3)).astype(np.uint8)
    shown = resampled(half, view(left, 0.5), small, is_right=False).astype(float)
    u, v = np.meshgrid(np.arange(half.width_px) + 0.5, np.arange(half.height_px) + 0.5)
    place, _ = on_plane(half, u, v, (0.0, 0.0, 0.0))
    known = ground_brightness(place[:, 0], place[:, 1]).reshape(u.shape)
    tile = np.s_[60:160, half.disparities + 60 : half.disparities + 160]
    assert np.abs(shift_px(known[tile], shown[tile])).max() < 0.05


angle = st.floats(-12, 12)


@settings(max_examples=60, deadline=None)
@given(
    heading=st.floats(0, 360), pitch=st.floats(-90, -55), base_m=st.floats(4, 25),
    towards=st.floats(0, 360), turns=st.tuples(angle, angle, angle), rise_m=st.floats(-4, 4),
)  # fmt: skip
def test_whatever_both_pictures_show_lies_in_the_range_that_is_searched(
    heading, pitch, base_m, towards, turns, rise_m
):
    yaw, pitch_turn, roll = turns
    left = pose(0, 0, yaw=heading, pitch=pitch)
    step = base_m * np.array([np.sin(np.radians(towards)), np.cos(np.radians(towards))])
    right = pose(*step, up=FLYING_M + rise_m, yaw=heading + yaw,
                 pitch=max(pitch + pitch_turn, -90.0), roll=roll)  # fmt: skip
    pair = rectified(view(left), view(right), HEIGHTS_M, 1024)
    if pair is None:
        return
    assert np.allclose(pair.rotation @ pair.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(pair.rotation) == pytest.approx(1)
    assert pair.disparities % 16 == 0
    place = seen_by_both(left, right)
    near = rectified_px(pair, place, left.position_m, 0.0)
    far = rectified_px(pair, place, right.position_m, pair.right_shift_px)
    disparity = near[:, 0] - far[:, 0]
    assert np.allclose(near[:, 1], far[:, 1], atol=1e-6)
    assert (disparity >= 0).all()
    assert (disparity <= pair.disparities).all()
    inside = (near[:, 1] >= 0) & (near[:, 1] <= pair.height_px)
    assert inside.all()
    assert (near[:, 0] >= pair.disparities - 2).all()
    assert (near[:, 0] <= pair.width_px + 2).all()
    depth = ((place - np.array(left.position_m)) @ pair.rotation.T)[:, 2]
    assert np.allclose(pair.depth_m(disparity), depth)


def seen_by_both(left, right):
    """Places inside the heights, some pixels inside both pictures."""
    rng = np.random.default_rng(8)
    spread = rng.uniform([-90, -90, HEIGHTS_M[0]], [90, 90, HEIGHTS_M[1]], (4000, 3))
    place = spread + np.array([EAST_M, NORTH_M, 0.0])
    seen = np.ones(len(place), bool)
    for at in (left, right):
        ray = (place - np.array(at.position_m)) @ np.array(at.rotation_cam_from_world).T
        sane = (ray[:, 2] > 0) & (np.abs(ray[:, :2]) < 1.2 * ray[:, 2:3]).all(axis=1)
        seen &= sane
        xy = pixels_of(at, place)
        seen &= (xy > 4).all(axis=1) & (xy < [WIDTH_PX - 4, HEIGHT_PX - 4]).all(axis=1)
    return place[seen]


@given(disparity=st.floats(0, 500), focal=st.floats(100, 4000), base=st.floats(0.5, 80))
def test_depth_and_disparity_go_there_and_back(disparity, focal, base):
    left, right = PAIRS["nadir along the strip"]
    pair = rectified(view(left), view(right), HEIGHTS_M, 1024)
    depth = pair.depth_m(disparity)
    back = pair.focal_px * pair.base_m / depth - pair.right_shift_px
    assert back == pytest.approx(disparity, abs=1e-6)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pose(0, 0), pose(0, 0)),
        (pose(0, 0), pose(0, 0, up=70)),  # the base is the line of sight
        (pose(0, 0), pose(300, 0)),  # nothing in common
        (pose(0, 0, pitch=-60), pose(5, 0, yaw=180, pitch=-10)),
    ],
)
def test_a_pair_that_leaves_nothing_to_match_is_none(left, right):
    assert rectified(view(left), view(right), HEIGHTS_M, 1024) is None


def test_a_pair_that_needs_too_wide_a_search_is_none():
    left, right = PAIRS["nadir along the strip"]
    wide = rectified(view(left), view(right), HEIGHTS_M, 1024)
    assert rectified(view(left), view(right), HEIGHTS_M, wide.disparities - 16) is None
