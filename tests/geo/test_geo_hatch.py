"""The hatching: one pattern for a whole raster, whatever window of it is drawn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.hatch import PAPER, STROKE, hatch_mask, hatched_grey

starts = st.integers(-(10**6), 10**6)
periods = st.integers(2, 40)


@given(
    row=starts, column=starts, cut=st.tuples(st.integers(0, 20), st.integers(0, 20)), period=periods
)
def test_a_window_shows_what_the_whole_shows_there(
    row: int, column: int, cut: tuple[int, int], period: int
) -> None:
    whole = hatch_mask(40, 50, row, column, period)
    part = hatch_mask(20, 30, row + cut[0], column + cut[1], period)
    assert np.array_equal(part, whole[cut[0] : cut[0] + 20, cut[1] : cut[1] + 30])


@given(row=starts, column=starts, period=periods)
def test_every_line_of_two_periods_has_strokes_and_paper(
    row: int, column: int, period: int
) -> None:
    drawn = hatch_mask(2 * period, 2 * period, row, column, period)
    assert set(drawn.sum(0)) == set(drawn.sum(1)) == {2 * max(1, round(period / 3))}
    steps = (row + np.arange(2 * period))[:, None] + column + np.arange(2 * period)
    assert np.array_equal(drawn == 1, steps % period < max(1, round(period / 3)))


def test_the_grey_of_a_hatching_is_that_of_its_strokes_and_paper() -> None:
    grey = hatched_grey(9, 9, 4, -3, 5)
    assert np.array_equal(grey == STROKE, hatch_mask(9, 9, 4, -3, 5) == 1)
    assert set(np.unique(grey)) == {PAPER, STROKE}
