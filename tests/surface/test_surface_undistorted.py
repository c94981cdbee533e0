"""Pictures without distortion: places lie where a pinhole camera sees them; masks are 0."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from known_ground import (
    EAST_M,
    GROUND_M,
    HEIGHT_PX,
    LENS,
    NORTH_M,
    WIDTH_PX,
    camera,
    pixels_of,
    placed,
    pose,
    write_picture,
)

from aftermap.errors import SurfaceError
from aftermap.surface.undistorted import UndistortTask, undistort, view_of

BENT = (*LENS[:4], -0.12, 0.03, 1e-3, -8e-4)
TARGETS_M = [(e, n) for e in (-28, -12, 9, 28) for n in (-16, -7, 8, 16)]


def targets(at):
    """(N, 3) places on the ground and (N, 2) their pixels with distortion."""
    xyz = np.array([(EAST_M + e, NORTH_M + n, GROUND_M) for e, n in TARGETS_M])
    seen = (xyz - np.array(at.position_m)) @ np.array(at.rotation_cam_from_world).T
    matrix = np.array([[BENT[0], 0, BENT[2]], [0, BENT[1], BENT[3]], [0, 0, 1]])
    bent, _ = cv2.projectPoints(seen, np.zeros(3), np.zeros(3), matrix, np.array(BENT[4:]))
    return xyz, seen, bent[:, 0]


def spots(pixels):
    """A picture with a soft bright spot around every pixel, corner-origin."""
    v, u = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX] + 0.5
    light = np.full(u.shape, 20.0)
    for x, y in pixels:
        light += 200 * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * 2.5**2))
    return np.clip(np.round(light), 1, 255).astype(np.uint8)


def spot_near(grey, place, reach):
    """Centre of brightness around a place, corner-origin."""
    c, r = (int(k) for k in place)
    part = grey[r - reach : r + reach + 1, c - reach : c + reach + 1].astype(float)
    part = np.maximum(part - 25, 0)
    v, u = np.mgrid[r - reach : r + reach + 1, c - reach : c + reach + 1] + 0.5
    return np.array([(u * part).sum(), (v * part).sum()]) / part.sum()


@pytest.mark.parametrize("side_px", [WIDTH_PX, WIDTH_PX // 2, 4 * WIDTH_PX])
def test_places_are_seen_where_a_pinhole_camera_sees_them(tmp_path, side_px):
    at = pose(1, -2, yaw=15, pitch=-84)
    _, seen, bent = targets(at)
    path = write_picture(tmp_path / "spots.png", spots(bent))
    view = view_of(placed(at, 0, path), camera(BENT), side_px, tmp_path / "grey.npy")
    assert max(view.rows, view.columns) == min(side_px, WIDTH_PX)  # never enlarged
    undistort(UndistortTask(view=view, camera=camera(BENT), path=str(path), mask=None))
    fx, fy, cx, cy = view.intrinsics
    expected = seen[:, :2] / seen[:, 2:] * [fx, fy] + [cx, cy]
    scale = view.columns / WIDTH_PX
    assert np.abs(expected - bent * scale).max() > 4 * scale  # else the lens were not tested
    grey = view.read()
    assert grey.shape == (view.rows, view.columns)
    found = np.array([spot_near(grey, place, int(9 * scale)) for place in expected])
    assert np.abs(found - expected).max() < 0.15


def test_the_lens_of_the_tests_is_the_lens_of_the_package():
    at = pose(1, -2, yaw=15, pitch=-84)
    xyz, seen, _ = targets(at)
    matrix = np.array([[LENS[0], 0, LENS[2]], [0, LENS[1], LENS[3]], [0, 0, 1]])
    put, _ = cv2.projectPoints(seen, np.zeros(3), np.zeros(3), matrix, np.array(LENS[4:]))
    assert np.allclose(put[:, 0], pixels_of(at, xyz), atol=1e-6)


def test_a_mask_reaches_the_grey_a_little_wider_and_black_ground_is_no_mask(tmp_path):
    at = pose(0, 0)
    black = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    path = write_picture(tmp_path / "black.png", black)
    mask = np.full(black.shape, 255, np.uint8)
    mask[180:260, 250:350] = 0
    mask_path = write_picture(tmp_path / "mask.png", mask)
    view = view_of(placed(at, 0, path), camera(), WIDTH_PX, tmp_path / "grey.npy")
    task = UndistortTask(view=view, camera=camera(), path=str(path), mask=str(mask_path))
    undistort(task)
    grey = view.read()
    assert (grey[179:261, 249:351] == 0).all()  # the lens bends by less than the mask is widened
    calm = np.ones(grey.shape, bool)
    calm[170:270, 240:360] = False
    calm[:12], calm[-12:], calm[:, :12], calm[:, -12:] = False, False, False, False
    assert (grey[calm] > 0).all()


def test_a_finished_view_is_kept_and_a_picture_that_vanished_is_named(tmp_path):
    path = write_picture(tmp_path / "a.png", np.full((HEIGHT_PX, WIDTH_PX), 90, np.uint8))
    view = view_of(placed(pose(0, 0), 0, path), camera(), 200, tmp_path / "grey.npy")
    task = UndistortTask(view=view, camera=camera(), path=str(path), mask=None)
    undistort(task)
    path.unlink()
    undistort(task)  # from its file
    assert not list(tmp_path.glob("*.part"))
    again = replace(task, view=replace(view, grey=str(tmp_path / "other.npy")))
    with pytest.raises(SurfaceError, match=r"a\.png: can no longer be read"):
        undistort(again)
