"""Points from rays: as near to the truth as the noise of the pixels and the base allow."""

import numpy as np
import pytest
from made_up_flight import HEIGHT, LENS, WIDTH, flown, ground, nadir, oblique

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.sfm.projection_kernel import Observations, State
from aftermap.sfm.triangulate import (
    opencv_params,
    ray_angles_deg,
    rays_world,
    thinned,
    triangulate_points,
)


def flight(seed, poses=nadir, noise_px=0.3):
    rng = np.random.default_rng(seed)
    return flown(rng, poses(rng), ground(rng), noise_px=noise_px)


@pytest.mark.parametrize("poses", [nadir, oblique])
def test_exact_pixels_give_the_exact_points(poses):
    made = flight(1, poses, noise_px=0.0)
    error = triangulate_points(made.truth, made.sights) - made.truth.points
    assert np.abs(error).max() < 1e-5


@pytest.mark.parametrize("noise_px", [0.1, 0.5])
def test_points_seen_by_many_are_as_exact_as_their_rays(noise_px):
    """Across the rays a pixel is 0.08 m; along them its error grows with one over the angle."""
    made = flight(2, noise_px=noise_px)
    many = np.diff(made.sights.start) >= 6
    error = (triangulate_points(made.truth, made.sights) - made.truth.points)[many]
    pixel_m = 80 / LENS[0]
    assert many.sum() > 100
    assert error[:, :2].std() < noise_px * pixel_m
    assert error[:, 2].std() < 3 * noise_px * pixel_m
    assert np.abs(error.mean(axis=0)).max() < 0.3 * noise_px * pixel_m


def test_the_angle_between_rays_is_that_of_the_two_places():
    rotations = np.stack([rotation_cam_from_world(0, -90, 0)] * 2)
    positions = np.array([[-20.0, 0, 80], [20.0, 0, 80]])
    points = np.array([[0.0, 0, 0], [0.0, 0, 40]])
    state = State(rotations, positions, LENS[None], np.zeros(2, np.int32), points)
    sights = Observations(
        np.array([0, 1, 0, 1], np.int32), np.array([0, 2, 4], np.int32), np.zeros((4, 2))
    )
    for k, (p, i) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        cam = rotations[i] @ (points[p] - positions[i])
        ideal = State(*state)._replace(lenses=np.array([[1000.0, 600, 450, 0, 0, 0, 0]]))
        sights.xy_px[k] = 1000 * cam[:2] / cam[2] + [600, 450]
    angles = ray_angles_deg(ideal, sights)
    assert np.allclose(angles, 2 * np.degrees(np.arctan([20 / 80, 20 / 40])))


def test_each_frame_looks_through_its_own_lens():
    other = LENS * [0.7, *[1] * 7]
    rotation = rotation_cam_from_world(30, -70, 2)
    state = State(
        np.stack([rotation] * 2),
        np.zeros((2, 3)),
        np.stack([LENS, other]),
        np.array([1, 0], np.int32),
        np.zeros((0, 3)),
    )
    corner = np.array([[WIDTH, HEIGHT], [WIDTH, HEIGHT]], float)
    _, rays = rays_world(state, np.array([0, 1], np.int32), corner)
    assert np.allclose(np.linalg.norm(rays, axis=1), 1)
    off_axis = np.degrees(np.arccos(rays @ rotation[2]))
    assert off_axis[0] > off_axis[1] + 5
    assert opencv_params(LENS)[:2] == (LENS[0], LENS[0])


def test_what_is_thinned_out_leaves_the_rest_as_it_was():
    made = flight(3)
    rng = np.random.default_rng(3)
    kept = rng.random(len(made.sights.frame)) < 0.6
    good = rng.random(len(made.truth.points)) < 0.8
    state, sights, stays = thinned(made.truth, made.sights, kept, good)
    assert (np.diff(sights.start) >= 2).all()
    assert not (stays & ~kept).any()
    assert np.array_equal(sights.xy_px, made.sights.xy_px[stays])
    point = np.repeat(np.arange(len(state.points)), np.diff(sights.start))
    assert np.array_equal(state.points[point], made.truth.points[made.point[stays]])
    enough = np.bincount(made.point[kept], minlength=len(good)) >= 2
    assert len(state.points) == (enough & good).sum()


def test_nothing_to_triangulate_is_nothing():
    made = flight(4)
    none = np.zeros(len(made.sights.frame), bool)
    state, sights, _ = thinned(made.truth, made.sights, none, np.ones(len(made.truth.points), bool))
    assert triangulate_points(state, sights).shape == (0, 3)
    assert ray_angles_deg(state, sights).shape == (0,)
