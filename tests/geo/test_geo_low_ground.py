"""Holes in heights are laid level with the low ground around them, on slopes too."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aftermap.geo.low_ground import without_holes


def test_a_hole_on_a_slope_lies_on_the_slope_below_the_roofs():
    rows, columns = np.mgrid[:400, :400]
    ground = (100 + 0.05 * columns).astype(np.float32)
    with_roofs = ground + np.where((rows % 60 < 20) & (columns % 60 < 20), 8, 0).astype(np.float32)
    with_roofs[150:250, 150:250] = np.nan
    whole, beyond = without_holes(with_roofs, 0.5, otherwise_m=0.0)
    hole = np.s_[150:250, 150:250]
    assert (
        np.abs(whole[hole] - ground[hole]).max() < 4
    )  # the low ground of the whole window lies 11 below
    assert 100 < beyond < 105
    assert np.array_equal(whole[:150], with_roofs[:150])


def test_a_window_without_heights_is_level_at_what_is_said():
    whole, beyond = without_holes(np.full((5, 4), np.nan, np.float32), 0.5, otherwise_m=31.0)
    assert (whole == 31).all()
    assert beyond == 31


@given(
    arrays(
        np.float32,
        (40, 60),
        elements=st.one_of(st.just(np.float32(np.nan)), st.floats(0, 100, width=32)),
    ),
    st.floats(0.3, 40),
)
def test_nothing_is_laid_outside_the_heights_there_are(heights, cell_m):
    whole, _ = without_holes(heights, cell_m, otherwise_m=50.0)
    known = np.isfinite(heights)
    assert np.isfinite(whole).all()
    assert np.array_equal(whole[known], heights[known])
    if known.any():
        assert whole.min() >= heights[known].min() - 1e-4
        assert whole.max() <= heights[known].max() + 1e-4
