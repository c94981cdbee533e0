"""Where a camera looks and what a pixel means: conventions that a map user could check by eye."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.axes import (
    corner_from_opencv_px,
    gimbal_angles_deg,
    off_nadir_deg,
    opencv_from_corner_px,
    rotation_cam_from_world,
)

EAST, NORTH, UP = np.eye(3)
ANGLE = st.floats(-180, 180)
PITCH = st.floats(-90, 90)


def turn_deg(first, second):
    """The angle between two rotations."""
    return np.degrees(2 * np.arcsin(min(1.0, np.linalg.norm(first - second) / np.sqrt(8))))


def test_opencv_finds_a_dot_half_a_pixel_left_of_where_gdal_and_colmap_put_it():
    picture = np.zeros((21, 31), np.uint8)
    picture[7, 11] = 255
    moments = cv2.moments(picture)
    opencv = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    assert np.allclose(corner_from_opencv_px(opencv), [11.5, 7.5])


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=1, max_size=5))
def test_a_pixel_comes_back_from_opencv(pixels):
    assert np.allclose(corner_from_opencv_px(opencv_from_corner_px(pixels)), pixels, atol=1e-9)


@pytest.mark.parametrize(
    ("yaw", "top"), [(0, NORTH), (90, EAST), (180, -NORTH), (-90, -EAST), (45, EAST + NORTH)]
)
def test_straight_down_the_top_of_the_picture_points_to_the_yaw(yaw, top):
    rotation = rotation_cam_from_world(yaw, -90, 0)
    assert np.allclose(rotation @ -UP, [0, 0, 1], atol=1e-12)
    assert np.allclose(rotation @ top / np.linalg.norm(top), [0, -1, 0], atol=1e-12)


def test_a_level_camera_with_yaw_90_looks_east_with_south_on_its_right_and_the_sky_on_top():
    rotation = rotation_cam_from_world(90, 0, 0)
    assert np.allclose(rotation @ EAST, [0, 0, 1], atol=1e-12)
    assert np.allclose(rotation @ -NORTH, [1, 0, 0], atol=1e-12)
    assert np.allclose(rotation @ UP, [0, -1, 0], atol=1e-12)


def test_pitch_minus_30_looks_below_the_horizon():
    view = rotation_cam_from_world(0, -30, 0).T @ [0, 0, 1]
    assert np.allclose(view, [0, np.cos(np.pi / 6), -0.5], atol=1e-12)


def test_a_camera_rolled_clockwise_has_its_right_side_down():
    right = rotation_cam_from_world(0, 0, 10).T @ [1, 0, 0]
    assert np.allclose(right, [np.cos(np.radians(10)), 0, -np.sin(np.radians(10))], atol=1e-12)


@given(yaw=ANGLE, pitch=PITCH, roll=ANGLE)
def test_a_rotation_is_one_and_comes_back_from_its_gimbal_angles(yaw, pitch, roll):
    rotation = rotation_cam_from_world(yaw, pitch, roll)
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    again = rotation_cam_from_world(*gimbal_angles_deg(rotation))
    gimbal_lock = abs(abs(pitch) - 90) < 0.011
    assert turn_deg(again, rotation) < (0.02 if gimbal_lock else 1e-6)


@given(yaw=st.floats(-179, 179), pitch=st.floats(-89.9, 89.9), roll=st.floats(-179, 179))
def test_gimbal_angles_come_back_from_their_rotation(yaw, pitch, roll):
    found = gimbal_angles_deg(rotation_cam_from_world(yaw, pitch, roll))
    assert np.allclose(found, [yaw, pitch, roll], atol=1e-6)


@given(yaw=st.floats(-179, 179), roll=st.floats(-60, 60))
def test_straight_down_yaw_and_roll_are_given_as_one_yaw(yaw, roll):
    found_yaw, pitch, found_roll = gimbal_angles_deg(rotation_cam_from_world(yaw, -90, roll))
    assert pitch == pytest.approx(-90, abs=1e-5)
    assert found_roll == 0
    turn = (found_yaw - (yaw + roll) + 180) % 360 - 180
    assert abs(turn) < 1e-6


@given(yaw=ANGLE, pitch=PITCH, roll=ANGLE)
def test_off_nadir_is_the_pitch_counted_from_straight_down(yaw, pitch, roll):
    assert off_nadir_deg(rotation_cam_from_world(yaw, pitch, roll)) == pytest.approx(
        90 + pitch, abs=1e-5
    )


@pytest.mark.parametrize("pitch_deg", [-90.0, 90.0])
def test_rounding_does_not_take_the_pitch_away_from_a_camera_that_looks_straight(pitch_deg):
    rotation = rotation_cam_from_world(30.0, pitch_deg, 0.0) * (1 + 1e-12)
    assert gimbal_angles_deg(rotation)[1] == pytest.approx(pitch_deg)
