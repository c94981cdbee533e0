"""A pose carried through a made-up shot, drawn by draping its orthophoto over its surface."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.localization.drape import draped
from aftermap.localization.reference import reference_of
from aftermap.localization.resect import Resected
from aftermap.localization.tracking import TrackedPicture, track_pose

LENS = (400, 400, 240, 135, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def district():
    rng = np.random.default_rng(5)
    height = np.full((500, 500), 250.0)
    for _ in range(40):
        row, column = rng.integers(0, 450, 2)
        height[row : row + 40, column : column + 50] = 250 + rng.uniform(4, 12)
    grey = sum(cv2.resize(rng.normal(0, 1, (500 // s, 500 // s)), (500, 500)) for s in (4, 12))
    grey = np.clip(128 + 45 * grey / grey.std(), 0, 255).astype(np.uint8)
    return reference_of("EPSG:32637", grey, height, (500_000.0, 3_980_100.0), (0.2, 0.2))


def _camera(step):
    place = np.array([500_040 + 1.0 * step, 3_980_010.0 + 0.3 * step, 310])
    return rotation_cam_from_world(5 - 0.5 * step, -55, 0), place


def _moment(district, step):
    turn, place = _camera(step)
    return TrackedPicture(
        time_s=Fraction(step, 5), grey=draped(district, turn, place, LENS, (480, 270)).grey
    )


def _start():
    turn, place = _camera(0)
    return Resected(
        rotation_cam_from_world=turn,
        position_m=place,
        params=LENS,
        covariance=np.diag([0.04, 0.04, 0.04, 1e-6, 1e-6, 1e-6]),
        focal_sigma_px=2.0,
        residuals_px=np.zeros((0, 2)),
        left_out_px=np.zeros(0),
        used=np.zeros(0, bool),
        sigma_px=1.0,
    )


def test_a_pose_is_carried_and_its_covariance_grows(district):
    found = track_pose(_start(), (_moment(district, k) for k in range(16)), district)
    assert found.stopped_s is None
    assert [time_s for time_s, _ in found.poses] == [Fraction(k, 5) for k in range(1, 16)]
    errors = [
        np.linalg.norm(p.position_m - _camera(k)[1]) for k, (_, p) in enumerate(found.poses, 1)
    ]
    assert max(errors) < 0.6
    sizes = [np.trace(pose.covariance[:3, :3]) for _, pose in found.poses]
    assert sizes[0] > 0.12
    assert sizes[-1] > sizes[0]
    last = found.poses[-1][1]
    error = last.position_m - _camera(15)[1]
    assert error @ np.linalg.solve(last.covariance[:3, :3], error) < 16


def test_a_cut_stops_it_and_is_told(district):
    shot = [_moment(district, k) for k in range(4)]
    other = np.random.default_rng(1).integers(0, 255, (270, 480)).astype(np.uint8)
    found = track_pose(
        _start(), [*shot, TrackedPicture(time_s=Fraction(4, 5), grey=other)], district
    )
    assert len(found.poses) == 3
    assert found.stopped_s == Fraction(4, 5)
    assert "corners" in found.reason


def test_nothing_to_follow_stops_at_once(district):
    blank = np.zeros((270, 480), np.uint8)
    found = track_pose(
        _start(), [TrackedPicture(time_s=Fraction(k), grey=blank) for k in (0, 1)], district
    )
    assert found.poses == ()
    assert "0 of 0 corners" in found.reason
    assert track_pose(_start(), [], district).poses == ()
