"""How far off the ground is that a picture shows: against formulas and against chance itself."""

import numpy as np
import pytest
from drawn_errors import drawn_ce90_m
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.lens import rays_cam
from aftermap.geo.uncertainty import (
    ce90_in_middle_m,
    ce90_m,
    ground_covariance_m2,
    on_own_map,
    precision_of,
)
from aftermap.model.camera import Camera, CameraPose
from aftermap.model.media import FocalSource
from aftermap.model.sighting import Precision

DRAWS = 40_000
GOOD = (2.0, 0.5, 2.0, 2.5)
OLD = (5.0, 3.0, 8.0, 3.0)


def covariance_of(position_m, pitch_deg, yaw_deg, height_m):
    """Of a camera that looks north: pitch turns about east, yaw about up."""
    turn = np.radians([pitch_deg, 0.0, yaw_deg])
    return np.diag([position_m**2, position_m**2, height_m**2, *turn**2])


def middle_of(height_m, pitch_deg):
    """Where a camera above 0, 0 that looks north sees the middle of its picture."""
    axis = rotation_cam_from_world(0.0, pitch_deg, 0.0)[2]
    return np.array([0.0, 0.0, height_m]), axis * (-height_m / axis[2]) + [0, 0, height_m]


def drawn_on_ground(position_m, spot_m, covariance, *, ground_sigma_m=0.0, seed=1):
    """(N, 2) errors on the ground of poses drawn from their covariance, by geometry alone."""
    random = np.random.default_rng(seed)
    draws = random.multivariate_normal(np.zeros(6), covariance, DRAWS)
    eye = position_m + draws[:, :3]
    ray = Rotation.from_rotvec(draws[:, 3:]).apply(spot_m - position_m)
    level = spot_m[2] + random.normal(0, ground_sigma_m, DRAWS)
    reach = (level - eye[:, 2]) / ray[:, 2]
    return (eye + ray * reach[:, None])[:, :2] - spot_m[:2]


def random_covariance(seed):
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(6, 6)) * np.array([1, 1, 1, 0.01, 0.01, 0.01])[:, None]
    return mixed @ mixed.T


def test_circle_and_line_have_their_known_ce90():
    assert ce90_m(np.eye(2)) == pytest.approx(np.sqrt(2 * np.log(10)), abs=1e-6)
    assert ce90_m(np.diag([4.0, 0.0])) == pytest.approx(2 * 1.644854, abs=1e-5)
    assert ce90_m(np.zeros((2, 2))) == 0.0
    assert np.isnan(ce90_m(np.full((2, 2), np.nan)))


@given(ratio=st.floats(0.0, 1.0), sigma=st.floats(0.01, 1000.0), angle=st.floats(0.0, np.pi))
def test_ce90_holds_nine_of_ten_draws(ratio, sigma, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    spread = turn @ np.diag([sigma**2, (ratio * sigma) ** 2]) @ turn.T
    draws = np.random.default_rng(0).normal(size=(20_000, 2)) * [sigma, ratio * sigma]
    inside = np.mean(np.linalg.norm(draws @ turn.T, axis=1) <= ce90_m(spread))
    assert 0.89 < inside < 0.91


@given(factor=st.floats(0.1, 10.0), seed=st.integers(0, 1000))
def test_twice_the_sigma_is_twice_the_circle(factor, seed):
    spot, eye = [[40.0, 60.0, 0.0]], [0.0, 0.0, 100.0]
    covariance = random_covariance(seed)
    one = ce90_m(ground_covariance_m2(eye, spot, covariance, ground_sigma_m=1.0))
    more = ce90_m(ground_covariance_m2(eye, spot, covariance * factor**2, ground_sigma_m=factor))
    assert more == pytest.approx(factor * one)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spot", [(0.0, 0.0), (80.0, -30.0), (-120.0, 150.0)])
def test_covariance_is_that_of_drawn_poses(seed, spot):
    eye, ground = np.array([0.0, 0.0, 120.0]), np.array([*spot, 10.0])
    covariance = random_covariance(seed) * 0.25
    stated = ground_covariance_m2(eye, [ground], covariance, ground_sigma_m=0.8)[0]
    errors = drawn_on_ground(eye, ground, covariance, ground_sigma_m=0.8)
    drawn = np.cov(errors.T)
    assert drawn == pytest.approx(stated, abs=0.05 * np.trace(stated))
    inside = np.mean(np.linalg.norm(errors, axis=1) <= ce90_m(stated))
    assert 0.88 < inside < 0.92


# shared/reference/telemetry.md, "where a frame's centre falls": measured there by Monte Carlo.
@pytest.mark.parametrize(
    ("height_m", "pitch_deg", "sigmas", "published_m"),
    [
        (100, -90, GOOD, 6),
        (100, -45, GOOD, 9),
        (100, -30, GOOD, 13),
        (150, -20, GOOD, 29),
        (100, -90, OLD, 11),
        (100, -45, OLD, 29),
        (100, -30, OLD, 51),
        (150, -20, OLD, 141),
    ],
)
def test_telemetry_alone_names_a_block_and_not_a_building(height_m, pitch_deg, sigmas, published_m):
    position, pitch, yaw, height = sigmas
    eye, spot = middle_of(height_m, pitch_deg)
    stated = ce90_m(ground_covariance_m2(eye, [spot], covariance_of(position, pitch, yaw, height)))[
        0
    ]
    assert stated == pytest.approx(published_m, rel=0.26)


def test_each_camera_may_have_its_own_covariance():
    eyes = np.array([[0.0, 0.0, 100.0], [10.0, 0.0, 80.0]])
    spots = np.array([[30.0, 5.0, 0.0], [0.0, 40.0, 2.0]])
    covariances = np.stack([random_covariance(1), random_covariance(2)])
    together = ground_covariance_m2(eyes, spots, covariances, ground_sigma_m=[1.0, 2.0])
    for i in range(2):
        alone = ground_covariance_m2(
            eyes[i], spots[i : i + 1], covariances[i], ground_sigma_m=i + 1
        )
        assert together[i] == pytest.approx(alone[0])


def test_ground_above_the_camera_has_no_circle():
    spread = ground_covariance_m2([0, 0, 10], [[5, 5, 10], [5, 5, 12]], np.eye(6))
    assert np.isnan(ce90_m(spread)).all()


@pytest.mark.parametrize(
    ("circle_m", "precision"),
    [
        (0.0, Precision.EXACT),
        (10.0, Precision.EXACT),
        (10.1, Precision.VICINITY),
        (100.0, Precision.VICINITY),
        (999.0, Precision.LOCALITY),
        (1001.0, Precision.NONE),
        (float("nan"), Precision.NONE),
        (float("inf"), Precision.NONE),
        (None, Precision.NONE),
    ],
)
def test_precision_follows_from_the_circle(circle_m, precision):
    assert precision_of(circle_m) is precision


def test_a_tilt_and_a_height_that_the_map_shares_do_not_show_on_it():
    within = np.diag([0.01, 0.01, 0.02, 1e-6, 1e-6, 1e-6])
    shared = np.diag([9.0, 9.0, 25.0, 1e-3, 1e-3, 1e-3])
    both = on_own_map(within + shared, within)
    assert both[:2, :2] == pytest.approx(np.diag([9.01, 9.01]))
    assert both[2:, 2:] == pytest.approx(within[2:, 2:])
    # What is said of the whole may be smaller by rounding; a variance never turns negative.
    assert on_own_map(within * 0.999, within) == pytest.approx(within)


CAMERA = Camera(
    model="OPENCV",
    width_px=1200,
    height_px=900,
    params=(1000.0, 1000.0, 580.0, 430.0, -0.1, 0.02, 0.0, 0.0),
    focal_prior_px=1000.0,
    focal_prior_source=FocalSource.FOCAL_35MM,
    focal_sigma_px=5.0,
    focal_decision="made up",
)


def looking(pitch_deg, *, up_m=300.0, yaw_deg=30.0):
    rotation = rotation_cam_from_world(yaw_deg, pitch_deg, 0.0)
    return CameraPose(
        rotation_cam_from_world=tuple(tuple(row) for row in rotation.tolist()),
        position_m=(500_100.0, 3_978_000.0, up_m),
        covariance_m2=None,
    )


@pytest.mark.parametrize("pitch_deg", [-90.0, -60.0, -35.0])
def test_the_circle_in_the_middle_is_that_of_drawn_cameras(pitch_deg):
    covariance, pose = np.diag([1.0, 2.0, 3.0, 1e-4, 1e-4, 4e-4]), looking(pitch_deg)
    (ray,) = rays_cam([[600, 450]], CAMERA.params) @ np.array(pose.rotation_cam_from_world)
    drawn = drawn_ce90_m(np.array(pose.position_m), ray, covariance, 240.0, 5.0)
    told = ce90_in_middle_m(pose, covariance, CAMERA, 240.0, 5.0)
    assert told == pytest.approx(drawn, rel=0.04)


def test_the_circle_in_the_middle_never_reaches_beyond_the_camera():
    unsure = np.diag([1e6, 1e6, 1e6, 1.0, 1.0, 1.0])
    told = ce90_in_middle_m(looking(-90.0), unsure, CAMERA, 240.0, 5.0)
    assert 60.0 < told < 60.2  # 60 m up; the middle is a little beside the principal point


def test_where_the_middle_shows_no_ground_there_is_no_circle():
    sure = np.eye(6) * 1e-6
    assert ce90_in_middle_m(looking(20.0), sure, CAMERA, 240.0, 5.0) is None  # the sky
    assert ce90_in_middle_m(looking(-60.0), sure, CAMERA, 300.0, 5.0) is None  # not above it
    assert ce90_in_middle_m(looking(-60.0), None, CAMERA, 240.0, 5.0) is None
    assert ce90_in_middle_m(looking(-60.0), sure * np.nan, CAMERA, 240.0, 5.0) is None
