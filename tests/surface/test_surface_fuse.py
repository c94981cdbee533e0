"""Many heights per cell to one, and how many photographs agree on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.surface import fuse


def topmost(values, seen=None, *, width=10, share=1.0):
    """Height and count of one cell that views gave ``values``, each confirmed by ``seen``."""
    stack = np.array(values, np.uint16)[:, None, None]
    views = np.array(seen or [1] * len(values), np.uint8)[:, None, None]
    height, count = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.uint8)
    fuse.highest_run(stack, views, width, share, height, count)
    return float(height[0, 0]), int(count[0, 0])


def test_the_densest_run_wins_and_its_views_are_counted():
    assert topmost([200, 103, 100, 102, 500]) == (pytest.approx(101.67, abs=0.01), 3)


def test_a_single_view_counts_the_views_that_confirmed_it():
    assert topmost([100, 300, 305], [5, 2, 2]) == (100, 5)
    assert topmost([100, 101], [4, 3]) == (pytest.approx(100.5), 4)  # never their sum


def test_of_two_equal_runs_the_upper_one_is_taken():
    assert topmost([100, 300, 104, 304]) == (302, 2)
    assert topmost([100, 400]) == (400, 1)


def test_the_highest_run_wins_that_nearly_as_many_views_agree_on():
    values, seen = [100, 101, 102, 103, 104, 400], [4, 4, 4, 4, 4, 4]
    assert topmost(values, seen, share=0.7) == (400, 4)  # 4 of 5 is enough for a roof
    seen[-1] = 3
    assert topmost(values, seen, share=0.7) == (102, 5)  # 3 of 5 is not


def test_a_view_that_saw_nothing_has_no_say():
    assert topmost([0, 150, 0], [9, 2, 9]) == (150, 2)
    assert topmost([0, 0]) == (0, 0)


def test_a_run_is_no_wider_than_the_tolerance():
    assert topmost([100, 110, 120, 130], width=20) == (120, 3)


def test_counts_stop_at_what_a_byte_holds():
    assert topmost([100] * 300) == (100, 255)


@given(
    values=st.lists(st.integers(1, 400), min_size=1, max_size=9),
    width=st.integers(0, 60),
)
def test_no_run_holds_more_heights_than_the_one_taken(values, width):
    """Against a search over all runs; the middle half of the run taken gives the height."""
    ordered = sorted(values)
    best = max(
        ([v for v in ordered if low <= v <= low + width] for low in ordered),
        key=lambda run: (len(run), run[0]),
    )
    cut = len(best) // 4
    height, count = topmost(values, width=width)
    assert height == pytest.approx(np.mean(best[cut : len(best) - cut]), rel=1e-6)
    assert count == len(best)


@given(
    values=st.lists(st.integers(1, 400), min_size=1, max_size=9),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_order_of_the_views_does_not_matter(values, seed):
    order = np.random.default_rng(seed).permutation(len(values))
    seen = [1 + value % 4 for value in values]
    turned = topmost([values[k] for k in order], [seen[k] for k in order], share=0.7)
    assert turned == topmost(values, seen, share=0.7)


def test_small_patches_go_and_the_more_agree_the_smaller_they_may_be():
    least = 400
    for photographs, side, stays in ((2, 24, True), (2, 15, False), (3, 15, True), (3, 8, False),
                                     (4, 8, True), (9, 4, True), (5, 1, False)):  # fmt: skip
        height = np.zeros((60, 60), np.float32)
        count = np.zeros((60, 60), np.uint8)
        height[10 : 10 + side, 10 : 10 + side] = 5000
        count[10 : 10 + side, 10 : 10 + side] = photographs
        fuse.islands_removed(height, count, 100.0, least)
        kept = side * side if stays else 0
        assert ((height > 0).sum(), (count > 0).sum()) == (kept, kept), (photographs, side)


def test_a_patch_that_stands_apart_in_height_is_an_island_too():
    height = np.full((60, 60), 5000, np.float32)
    count = np.full((60, 60), 2, np.uint8)
    height[20:30, 20:30] = 6500
    height[40:50, 40:50] = 5060  # within the tolerance: the same surface
    fuse.islands_removed(height, count, 100.0, 400)
    assert (height[20:30, 20:30] == 0).all()
    assert (count[20:30, 20:30] == 0).all()
    assert (height == 0).sum() == 100


def test_smoothing_takes_the_noise_and_leaves_the_edge_of_a_roof():
    rng = np.random.default_rng(3)
    true = np.full((60, 80), 2000.0)
    true[:, 40:] = 2900.0
    height = (true + rng.normal(0, 12, true.shape)).astype(np.float32)
    height[30, 10] = 0
    count = np.full(true.shape, 3, np.uint8)
    smooth = fuse.smoothed(height, count, 64.0)
    assert smooth[30, 10] == 0
    error = smooth - true
    error[30, 10] = 0
    assert error.std() < 0.4 * 12
    assert np.abs(error[:, 38:42]).max() < 36  # no cell of the edge leans to the other side
    assert abs(error[:, 38:42].mean()) < 3


def test_smoothing_goes_with_the_cells_that_more_photographs_agree_on():
    height = np.full((1, 2), 100.0, np.float32)
    height[0, 1] = 120.0
    count = np.array([[1, 9]], np.uint8)
    smooth = fuse.smoothed(height, count, 64.0)
    assert abs(smooth[0, 0] - 120) < abs(smooth[0, 0] - 100)
    assert abs(smooth[0, 1] - 120) < 3


def test_a_hole_takes_the_lowest_around_it():
    height = np.full((30, 30), 50.0, np.float32)
    height[:, :14] = 90.0
    height[12:16, 12:16] = 0
    full = fuse.filled(height, 8, 5)
    assert (full[12:16, 12:16] == 50).all()
    assert (full[height > 0] == height[height > 0]).all()


@pytest.mark.parametrize("directions", [3, 5, 8])
def test_a_cell_with_heights_in_too_few_directions_stays_empty(directions):
    around = [(1, 1), (1, 4), (1, 7), (4, 1), (4, 7), (7, 1), (7, 4), (7, 7)]
    height = np.zeros((9, 9), np.float32)
    for number, place in enumerate(around, start=1):
        height[place] = 20 - number
        found = fuse.filled(height, 8, directions)[4, 4]
        assert found == (20 - number if number >= directions else 0)
    assert fuse.filled(height, 2, directions)[4, 4] == 0  # too far away


def test_nothing_is_filled_beyond_the_rim():
    height = np.zeros((40, 40), np.float32)
    height[8:32, 8:32] = 50
    height[18:22, 18:22] = 0  # a hole
    full = fuse.filled(height, 8, 5)
    assert (full[8:32, 8:32] == 50).all()
    full[8:32, 8:32] = 0
    assert (full == 0).all()


def gapped(width, *, right=1000.0):
    """A surface with a slit of so many columns, and what stands on the other side of it."""
    height, count = np.full((30, 30), 1000.0, np.float32), np.full((30, 30), 4, np.uint8)
    height[:, 14 + width :], count[:, 14 + width :] = right, 3
    height[:, 14 : 14 + width] = count[:, 14 : 14 + width] = 0
    return height, count


def test_small_gaps_in_one_surface_are_closed_and_count_the_least_views():
    height, count = gapped(3, right=1010.0)
    closed, views = fuse.gaps_closed(height, count, 5, 50.0)
    slit = np.s_[4:-4, 14:17]
    assert ((closed[slit] > 1000) & (closed[slit] < 1010)).all()
    assert (views[slit] == 3).all()
    known = height > 0
    assert (closed[known] == height[known]).all()
    assert (views[known] == count[known]).all()


@pytest.mark.parametrize(("width", "right"), [(8, 1000.0), (3, 1200.0)])
def test_wide_gaps_and_those_between_roof_and_street_stay_open(width, right):
    height, count = gapped(width, right=right)
    closed, views = fuse.gaps_closed(height, count, 5, 50.0)
    assert (closed == height).all()
    assert (views == count).all()


def test_closing_gaps_extends_no_rim():
    height, count = np.zeros((30, 30), np.float32), np.zeros((30, 30), np.uint8)
    height[10:20, 10:20], count[10:20, 10:20] = 1000, 5
    closed, views = fuse.gaps_closed(height, count, 5, 50.0)
    assert (closed == height).all()
    assert (views == count).all()
