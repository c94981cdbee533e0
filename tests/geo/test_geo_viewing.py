"""How well a camera sees a spot: by trigonometry done by hand, and laws of scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.lens import projected_px
from aftermap.geo.viewing import (
    EAST,
    NORTH,
    SOUTH,
    WEST,
    azimuth_of_deg,
    faces_of,
    ground_sample_m,
    off_nadir_of_deg,
    rank_m,
)

UP_M = 60.0
metres = st.floats(-200, 200)


def test_angles_at_a_spot_are_those_of_the_triangle():
    ground = np.array([[0, 0, 0], [60, 0, 0], [0, 60 * np.sqrt(3), 0], [-60, -60, 60]])
    assert off_nadir_of_deg([0, 0, UP_M], ground) == pytest.approx([0, 45, 60, 90])
    # The camera stands west, south and north-east of the spots, seen from them.
    assert azimuth_of_deg(ground[1:], [0, 0, UP_M]) == pytest.approx([270, 180, 45])


@given(east=metres, north=metres, yaw=st.floats(0, 360), pitch=st.floats(-90, -20))
def test_the_ground_sample_is_the_root_of_the_ground_that_a_pixel_covers(east, north, yaw, pitch):
    """Against a square decimetre of level ground that is projected corner by corner."""
    rotation = rotation_cam_from_world(yaw, pitch, 0.0)
    position, spot = np.array([0, 0, UP_M]), np.array([east, north, 0.0])
    ray = (spot - position) @ rotation.T
    if ray[2] < 0.35 * np.linalg.norm(ray):  # beside the picture
        return
    half = 0.05
    corners = spot + half * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    x, y = projected_px((corners - position) @ rotation.T, (900, 900, 0, 0, 0, 0, 0, 0)).T
    area_px = 0.5 * abs(x @ np.roll(y, 1) - y @ np.roll(x, 1))
    (told,) = ground_sample_m(position, spot[None], rotation[2], 900.0)
    assert told == pytest.approx(2 * half / np.sqrt(area_px), rel=0.01)


def test_what_lies_above_the_camera_has_no_ground_sample():
    assert np.isnan(ground_sample_m([0, 0, 10], [[5, 0, 11]], [0, 0, -1], 900.0)[0])


@pytest.mark.parametrize(
    ("azimuth_deg", "faces"),
    [(0, NORTH), (90, EAST), (180, SOUTH), (270, WEST), (45, NORTH + EAST), (225, SOUTH + WEST)],
)
def test_a_slanting_view_shows_the_faces_towards_it(azimuth_deg, faces):
    assert faces_of(np.array([azimuth_deg]), np.array([45.0])) == [faces]
    assert faces_of(np.array([azimuth_deg]), np.array([2.0])) == [0]


def test_a_view_ranks_by_sample_slant_share_and_certainty():
    def rank(sample=0.1, slant=0.0, share=1.0, circle=0.0):
        return rank_m(*(np.array([one], float) for one in (sample, slant, share, circle)))[0]

    assert rank() == pytest.approx(0.1)
    assert rank(sample=0.2) == pytest.approx(2 * rank())
    assert rank(slant=60) == pytest.approx(rank() * np.sqrt(2))  # cos 60 degrees is a half
    assert rank(slant=90) == rank(slant=89.9) == pytest.approx(10 * rank())  # and no more
    assert rank(share=0.5) == pytest.approx(2 * rank())
    assert rank(share=0.01) == rank(share=0.1) == pytest.approx(10 * rank())
    assert rank(circle=20) == pytest.approx(2 * rank())
    assert rank(circle=np.nan) == rank(circle=1000)
