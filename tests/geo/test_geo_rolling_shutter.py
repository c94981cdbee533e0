"""Where a rolling camera sees a place: against the definition, row by row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from aftermap.geo.lens import projected_px
from aftermap.geo.rolling_shutter import rolled_px

LENS = (2700.0, 2700.0, 2011.0, 1490.0, -0.05, 0.02, 0.001, -0.0008)
HEIGHT_PX = 3000

places = st.tuples(st.floats(-20, 20), st.floats(-15, 15), st.floats(40, 90))


@given(
    place=places,
    moved=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    turned=st.tuples(*[st.floats(-0.01, 0.01)] * 3),
)
def test_a_place_is_seen_in_the_row_that_is_exposed_while_it_is_there(place, moved, turned):
    seen = rolled_px([place], LENS, HEIGHT_PX, moved, turned)[0]
    share = seen[1] / HEIGHT_PX - 0.5
    then = Rotation.from_rotvec(share * np.array(turned)).apply(place - share * np.array(moved))
    assert np.abs(projected_px(then, LENS) - seen).max() < 0.01


@given(place=places)
def test_a_camera_at_rest_sees_as_a_lens_does(place):
    seen = rolled_px([place], LENS, HEIGHT_PX, np.zeros(3), np.zeros(3))
    assert np.array_equal(seen, projected_px([place], LENS))


def test_flying_up_the_picture_over_level_ground_stretches_it_by_way_over_footprint():
    """The first order that decision 0010 states: f v T / (Z h)."""
    ideal = (3000.0, 3000.0, 2000.0, 1500.0, 0, 0, 0, 0)
    ahead = np.array([[0, -20.0, 60.0], [0, 20.0, 60.0]])
    still, moving = (
        rolled_px(ahead, ideal, HEIGHT_PX, [0, -way, 0], np.zeros(3)) for way in (0.0, 0.3)
    )
    footprint_m = 60.0 * HEIGHT_PX / 3000.0
    stretch = np.diff(moving[:, 1]) / np.diff(still[:, 1]) - 1
    assert np.allclose(stretch, 0.3 / footprint_m, rtol=0.02)


def test_behind_the_camera_nothing_is_seen():
    assert np.isnan(rolled_px([[0, 0, -5.0]], LENS, HEIGHT_PX, [0.1, 0, 0], np.zeros(3))).all()
