"""A lens there and back: a ray through a pixel meets that pixel again."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.axes import corner_from_opencv_px, opencv_from_corner_px
from aftermap.geo.lens import distorted, folding_r2, projected_px, rays_cam, undistorted

WIDTH, HEIGHT = 4000, 3000
FOCAL = 2700.0
IDEAL = (FOCAL, FOCAL, 2000.0, 1500.0, 0.0, 0.0, 0.0, 0.0)
LENS = (2700.0, 2700.0, 2011.0, 1490.0, -0.05, 0.02, 0.001, -0.0008)

lenses = st.builds(
    lambda focal, cx, cy, *distortion: (focal, focal * 1.001, cx, cy, *distortion),
    st.floats(2600, 4500),
    st.floats(1950, 2050),
    st.floats(1450, 1550),
    st.floats(-0.08, 0.08),
    st.floats(-0.02, 0.02),
    st.floats(-0.003, 0.003),
    st.floats(-0.003, 0.003),
)
pixels = st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT))


@given(params=lenses, xy_px=pixels, depth=st.floats(0.01, 1e4))
def test_a_point_anywhere_on_the_ray_of_a_pixel_is_seen_at_that_pixel(params, xy_px, depth):
    ray = rays_cam([xy_px], params)
    assert ray[0, 2] == 1
    assert np.allclose(projected_px(depth * ray, params), [xy_px], atol=5e-3)


@given(params=lenses, x=st.floats(-0.7, 0.7), y=st.floats(-0.55, 0.55))
def test_distortion_is_taken_out_again(params, x, y):
    assert np.allclose(undistorted(distorted([[x, y]], params), params), [[x, y]], atol=1e-7)


def test_a_wide_lens_with_strong_barrel_distortion_gives_corner_pixels_back_to_a_hundredth():
    params = (2700.0, 2700.0, 2000.0, 1500.0, -0.28, 0.08, 0.0005, -0.0005)
    grid = np.stack(np.meshgrid(np.linspace(0, WIDTH, 9), np.linspace(0, HEIGHT, 7)), axis=-1)
    assert np.abs(projected_px(rays_cam(grid, params), params) - grid).max() < 0.01


def test_the_middle_of_an_ideal_lens_looks_straight_ahead_and_pixels_follow_the_intercept_theorem():
    assert np.allclose(rays_cam([[2000.0, 1500.0]], IDEAL), [[0, 0, 1]])
    seen = projected_px([[10.0, -5.0, 100.0], [10.0, -5.0, 200.0]], IDEAL)
    assert np.allclose(seen, [[2270.0, 1365.0], [2135.0, 1432.5]])


@given(k1=st.floats(-0.5, 0.5), k2=st.floats(-0.5, 0.5))
def test_up_to_its_fold_a_lens_grows_with_the_angle_and_beyond_it_shows_nothing(k1, k2):
    limit = folding_r2(k1, k2)
    params = (1000.0, 1000.0, 500.0, 400.0, k1, k2, 0.0, 0.0)
    radius = np.linspace(0, min(np.sqrt(limit), 5.0) * 0.999, 400)
    shown = projected_px(np.column_stack([radius, 0 * radius, 1 + 0 * radius]), params)
    assert (np.diff(shown[:, 0]) > 0).all()
    if np.isfinite(limit):
        beyond = np.sqrt(limit) * np.array([1.001, 1.5, 4.0])
        places = np.column_stack([beyond, 0 * beyond, 1 + 0 * beyond])
        assert np.isnan(projected_px(places, params)).all()


def test_a_place_far_off_the_axis_is_not_folded_into_the_picture():
    """Solved for an orbit of real photographs: 54 degrees off the axis came out at (170, 822)."""
    params = (1972.348, 1972.348, 1292.878, 733.627, 0.0699, -0.2039, 0.0, 0.0005)
    assert np.isnan(projected_px([[-225.7, 17.8, 165.7]], params)).all()


def test_what_lies_behind_the_camera_is_not_in_the_picture():
    seen = projected_px([[0.0, 0.0, -1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], LENS)
    assert np.isnan(seen[:2]).all()
    assert np.isfinite(seen[2]).all()


def test_opencv_projects_to_the_same_place_half_a_pixel_apart():
    rng = np.random.default_rng(1)
    xyz = np.column_stack([rng.uniform(-0.6, 0.6, (50, 2)), np.ones(50)]) * rng.uniform(
        1, 9, (50, 1)
    )
    centre = opencv_from_corner_px(LENS[2:4])
    matrix = np.array([[LENS[0], 0, centre[0]], [0, LENS[1], centre[1]], [0, 0, 1]])
    seen, _ = cv2.projectPoints(xyz, np.zeros(3), np.zeros(3), matrix, np.array(LENS[4:8]))
    assert np.allclose(corner_from_opencv_px(seen[:, 0]), projected_px(xyz, LENS), atol=1e-6)


@pytest.mark.parametrize("shape", [(), (5,), (3, 4)])
def test_many_pixels_at_once_are_as_one_at_a_time(shape):
    rng = np.random.default_rng(2)
    xy = rng.uniform(0, [WIDTH, HEIGHT], (*shape, 2))
    rays = rays_cam(xy, LENS)
    assert rays.shape == (*shape, 3)
    for index in np.ndindex(shape):
        assert np.array_equal(rays[index], rays_cam(xy[index], LENS))


def test_a_lens_that_was_bent_too_far_has_no_rays_at_its_corners_and_says_so_quietly():
    """Of an adjustment of a forward flight: 4 of 24 rays along the border ran to infinity."""
    bent = (1037.5, 1037.5, 692.8, 497.6, 0.876, -0.133, 0.456, -0.048)
    border = [[x, y] for x in (0, 640, 1280) for y in (0, 360, 720)]
    rays = rays_cam(border, bent)
    lost = np.isnan(rays).any(axis=1)
    assert 0 < lost.sum() < len(border)
    assert np.isfinite(rays[~lost]).all()
