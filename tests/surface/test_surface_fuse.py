"""Many heights per cell to one, and how many photographs agree on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.surface import fuse


def agreed(values, images, width=10):
    """Height and count of one cell whose pairs gave ``values``."""
    stack = np.array(values, np.uint16)[:, None, None]
    height, count = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.uint8)
    fuse.agreed(stack, np.array(images, np.int32), width, height, count)
    return float(height[0, 0]), int(count[0, 0])


def test_the_densest_run_wins_and_distinct_photographs_are_counted():
    images = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert agreed([200, 103, 100, 102, 500], images) == (pytest.approx(101.67, abs=0.01), 4)


def test_the_same_photographs_in_many_pairs_count_once():
    assert agreed([100, 101, 102], [(0, 1), (1, 2), (2, 0)]) == (pytest.approx(101), 3)
    assert agreed([100, 101], [(0, 1), (0, 1)])[1] == 2


def test_of_two_equal_runs_the_upper_one_is_taken():
    images = [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert agreed([100, 300, 104, 304], images) == (302, 4)
    assert agreed([100, 400], images[:2]) == (400, 2)


def test_a_pair_that_saw_nothing_has_no_say():
    assert agreed([0, 150, 0], [(0, 1), (2, 3), (4, 5)]) == (150, 2)
    assert agreed([0, 0], [(0, 1), (2, 3)]) == (0, 0)


def test_a_run_is_no_wider_than_the_tolerance():
    height, count = agreed([100, 110, 120, 130], [(0, 1), (2, 3), (4, 5), (6, 7)], width=20)
    assert (height, count) == (120, 6)


def test_counts_stop_at_what_a_byte_holds():
    images = [(2 * k, 2 * k + 1) for k in range(150)]
    assert agreed([100] * 150, images) == (100, 255)


@given(
    values=st.lists(st.integers(1, 400), min_size=1, max_size=9),
    width=st.integers(0, 60),
)
def test_no_run_holds_more_heights_than_the_one_taken(values, width):
    """Against a search over all runs; the middle half of the run taken gives the height."""
    images = [(2 * k, 2 * k + 1) for k in range(len(values))]
    ordered = sorted(values)
    best = max(
        ([v for v in ordered if low <= v <= low + width] for low in ordered),
        key=lambda run: (len(run), run[0]),
    )
    cut = len(best) // 4
    height, count = agreed(values, images, width)
    assert height == pytest.approx(np.mean(best[cut : len(best) - cut]), rel=1e-6)
    assert count == 2 * len(best)


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
    full = fuse.filled(height, 8)
    assert (full[12:16, 12:16] == 50).all()
    assert (full[height > 0] == height[height > 0]).all()


def test_a_cell_with_heights_in_fewer_than_three_directions_stays_empty():
    height = np.zeros((9, 9), np.float32)
    height[4, 1] = height[4, 7] = 5
    assert fuse.filled(height, 8)[4, 4] == 0
    height[1, 1] = 4
    assert fuse.filled(height, 8)[4, 4] == 4
    assert fuse.filled(height, 2)[4, 4] == 0  # too far away
