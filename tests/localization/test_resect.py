"""Resection of made-up scenes: an oblique camera over a district with roofs."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.stats import chi2

from aftermap.errors import ControlError
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2
from aftermap.localization.camera_fit import CameraPrior
from aftermap.localization.resect import CLICK_SIGMA_PX, PLACE_SIGMA_M, resect

VIEW = CameraPrior(width_px=1280, height_px=720, focal_px=1000, focal_sigma_px=100)
ROTATION = rotation_cam_from_world(30, -40, 1)
POSITION = np.array([500_000.0, 3_980_000.0, 400.0])
LENS = (1040, 1040, 640, 360, -0.03, 0, 0, 0)


def _scene(count=14, seed=1, noise_px=0.0):
    rng = np.random.default_rng(seed)
    rays = np.stack([rng.uniform(-0.5, 0.5, count), rng.uniform(-0.28, 0.28, count)], axis=1)
    rays = np.column_stack([rays, np.ones(count)]) @ ROTATION
    height = rng.uniform(250, 275, count)
    xyz = POSITION + rays * ((height - POSITION[2]) / rays[:, 2])[:, None]
    xy = projected_px((xyz - POSITION) @ ROTATION.T, LENS)
    return xyz, xy + rng.normal(0, noise_px, xy.shape)


def _error(found):
    turn = cv2.Rodrigues(ROTATION.T @ found.rotation_cam_from_world)[0].ravel()
    return np.concatenate([POSITION - found.position_m, turn])


def test_exact_clicks_give_the_exact_camera():
    found = resect(*_scene(), VIEW)
    assert np.abs(_error(found)[:3]).max() < 1.0
    assert found.params[0] == pytest.approx(1040, abs=5)
    assert found.used.all()


def _drawn(seed, count, larger=1.0):
    """Ties with errors as they are stated: of clicks, of places, of focal length, of the lens."""
    rng = np.random.default_rng(seed)
    off, k2 = rng.normal(0, 0.002 * 1280, 2), rng.normal(0, 0.01)
    lens = (1040, 1040, 640 + off[0], 360 + off[1], rng.normal(0, 0.03), k2, 0, 0)
    rays = np.stack([rng.uniform(-0.5, 0.5, count), rng.uniform(-0.28, 0.28, count)], axis=1)
    rays = np.column_stack([rays, np.ones(count)]) @ ROTATION
    xyz = POSITION + rays * ((rng.uniform(250, 275, count) - POSITION[2]) / rays[:, 2])[:, None]
    xy = projected_px((xyz - POSITION) @ ROTATION.T, lens)
    xy += rng.normal(0, larger * CLICK_SIGMA_PX, xy.shape)
    xyz += rng.normal(0, larger, xyz.shape) * PLACE_SIGMA_M
    view = replace(VIEW, focal_px=1040 + rng.normal(0, 30), focal_sigma_px=30)
    return xyz, xy, view, lens


def _ground(rotation, position, lens):
    ray = rays_cam([[640, 360]], lens)[0] @ rotation
    return position + ray * ((260 - position[2]) / ray[2])


@pytest.mark.parametrize("count", [14, 8])
def test_nine_of_ten_cameras_lie_within_what_is_said_of_them(count):
    camera, ground = [], []
    for seed in range(200):
        xyz, xy, view, lens = _drawn(seed, count)
        found = resect(xyz, xy, view, leave_one_out=False)
        off = found.position_m - POSITION
        camera.append(off @ np.linalg.solve(found.covariance[:3, :3], off) < chi2.ppf(0.9, 3))
        seen = _ground(found.rotation_cam_from_world, found.position_m, found.params)
        circle = ce90_m(ground_covariance_m2(found.position_m, seen, found.covariance))[0]
        ground.append(np.hypot(*(seen - _ground(ROTATION, POSITION, lens))[:2]) < circle)
    assert 0.85 <= np.mean(camera) <= 0.97
    assert 0.85 <= np.mean(ground) <= 0.97


def test_clicks_that_are_worse_than_believed_say_so():
    scales = []
    for seed in range(20):
        xyz, xy, view, _ = _drawn(seed, 20, 3.0)
        scales.append(resect(xyz, xy, view, leave_one_out=False).sigma_px / CLICK_SIGMA_PX)
    assert 2.2 < np.median(scales) < 4


def test_a_wrong_click_is_left_out_and_has_the_largest_residual():
    xyz, xy = _scene(noise_px=1.0)
    xy[3] += [150, -90]
    found = resect(xyz, xy, VIEW)
    assert np.flatnonzero(~found.used).tolist() == [3]
    assert found.left_out_px.argmax() == 3
    assert np.linalg.norm(_error(found)[:3]) < 20


def test_too_few_a_line_a_plane_and_no_number_are_refused():
    xyz, xy = _scene()
    with pytest.raises(ControlError, match="5 points, but a camera needs 6"):
        resect(xyz[:5], xy[:5], VIEW)
    line = xyz[0] + np.linspace(0, 1, len(xyz))[:, None] * (xyz[1] - xyz[0])
    with pytest.raises(ControlError, match="are collinear"):
        resect(line, xy, VIEW)
    plane = xyz.copy()
    plane[:, 2] = 250
    with pytest.raises(ControlError, match="are coplanar"):
        resect(plane, xy, VIEW)
    xyz[0, 2] = np.nan
    with pytest.raises(ControlError, match="no height"):
        resect(xyz, xy, VIEW)


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (lambda xyz, xy: (xyz, np.column_stack([xy[:, 0], 720 - xy[:, 1]])), "mirrored"),
        (lambda xyz, xy: (xyz, np.column_stack([1280 - xy[:, 0], xy[:, 1]])), "mirrored"),
        (lambda xyz, xy: (xyz[:, [1, 0, 2]], xy), "fit no camera"),
        (lambda xyz, xy: (xyz, xy[::-1]), "fit no camera"),
    ],
)
def test_mirrored_and_swapped_points_are_refused(spoilt, told):
    with pytest.raises(ControlError, match=told):
        resect(*spoilt(*_scene(noise_px=1.0)), VIEW)
