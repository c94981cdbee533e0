"""Many heights per cell to one, and how many photographs agree on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.surface import fuse


def fused(values, views=None, width=10, share=0.7):
    """Height and count of one cell in which views gave ``values``, seen so by ``views``."""
    stack = np.array(values, np.uint16)[:, None, None]
    seen = np.array(views or [1] * len(values), np.uint8)[:, None, None]
    height, count = np.zeros((1, 1), np.float32), np.zeros((1, 1), np.uint8)
    fuse.highest_run(stack, seen, width, share, height, count, count.copy())
    return float(height[0, 0]), int(count[0, 0])


def test_the_largest_run_wins_where_no_higher_one_is_nearly_as_large():
    assert fused([200, 103, 100, 102, 500]) == (pytest.approx(101.67, abs=0.01), 3)


def test_a_higher_run_wins_that_nearly_as_many_photographs_agree_on():
    ground, roof = [100, 101, 102, 103], [300, 301, 302]
    assert fused(ground + roof) == (pytest.approx(301), 3)
    assert fused(ground + roof, share=0.8)[1] == 4


def test_photographs_that_confirm_a_height_from_elsewhere_count():
    assert fused([100, 300], views=[5, 2]) == (100, 5)
    assert fused([100, 300], views=[2, 2]) == (300, 2)


@pytest.mark.parametrize(
    ("values", "views", "expected"),
    [
        ([100, 101], [2, 2], True),
        ([100, 101, 102, 190], [4, 4, 4, 2], True),
        ([100, 101, 190, 191], None, False),  # a wall: two heights, two views each
        ([100, 0, 0], [2, 0, 0], False),  # another view agrees, and puts it into another cell
        ([100, 101, 140, 180, 220], [5, 5, 5, 5, 5], False),
    ],
)
def test_a_height_is_shared_where_most_views_of_the_cell_have_it(values, views, expected):
    stack = np.array(values, np.uint16)[:, None, None]
    seen = np.array(views or [2] * len(values), np.uint8)[:, None, None]
    shared = np.zeros((1, 1), np.uint8)
    fuse.highest_run(stack, seen, 5, 0.7, np.zeros((1, 1), np.float32), shared.copy(), shared)
    assert bool(shared[0, 0]) == expected


def test_a_view_that_saw_nothing_has_no_say():
    assert fused([0, 150, 0], views=[9, 2, 9]) == (150, 2)
    assert fused([0, 0]) == (0, 0)


def test_a_run_is_no_wider_than_the_tolerance():
    assert fused([100, 110, 120, 130], width=20)[1] == 3


def test_counts_stop_at_what_a_byte_holds():
    assert fused([100] * 300) == (100, 255)


@given(
    values=st.lists(st.integers(1, 400), min_size=1, max_size=9),
    width=st.integers(0, 60),
)
def test_the_run_taken_is_the_highest_of_those_large_enough(values, width):
    """Against a search over all runs; the middle half of the run taken gives the height."""
    ordered = sorted(values)
    runs = [[v for v in ordered if high - width <= v <= high] for high in ordered]
    most = max(len(run) for run in runs)
    height, count = fused(values, width=width)

    def middle(run):
        return np.mean(run[len(run) // 4 : len(run) - len(run) // 4])

    taken = [run for run in runs if len(run) == count and height == pytest.approx(middle(run))]
    assert taken
    assert count >= 0.7 * most
    large = [run for run in runs if len(run) >= np.ceil(0.7 * most)]
    assert any(all(other[0] <= run[-1] for other in large) for run in taken)  # none lies above


def test_small_patches_go_and_the_more_agree_the_smaller_they_may_be():
    least = 400
    for photographs, side, stays in (
        (2, 24, True),
        (2, 15, False),
        (3, 15, True),
        (3, 8, False),
        (4, 8, True),
        (9, 4, True),
        (5, 1, False),
    ):
        height = np.zeros((60, 60), np.float32)
        count = np.zeros((60, 60), np.uint8)
        height[10 : 10 + side, 10 : 10 + side] = 5000
        count[10 : 10 + side, 10 : 10 + side] = photographs
        fuse.remove_islands(height, count, 100.0, least)
        kept = side * side if stays else 0
        assert ((height > 0).sum(), (count > 0).sum()) == (kept, kept), (photographs, side)


def test_a_patch_that_stands_apart_in_height_is_an_island_too():
    height = np.full((60, 60), 5000, np.float32)
    count = np.full((60, 60), 2, np.uint8)
    height[20:30, 20:30] = 6500
    height[40:50, 40:50] = 5060  # within the tolerance: the same surface
    fuse.remove_islands(height, count, 100.0, 400)
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
    full = fuse.filled(height, 8, 3)
    assert (full[12:16, 12:16] == 50).all()
    assert (full[height > 0] == height[height > 0]).all()


def test_a_cell_with_heights_in_fewer_than_three_directions_stays_empty():
    height = np.zeros((9, 9), np.float32)
    height[4, 1] = height[4, 7] = 5
    assert fuse.filled(height, 8, 3)[4, 4] == 0
    height[1, 1] = 4
    assert fuse.filled(height, 8, 3)[4, 4] == 4
    assert fuse.filled(height, 2, 3)[4, 4] == 0  # too far away


def test_small_gaps_in_one_surface_are_closed_and_wide_ones_and_edges_are_not():
    height, count = np.full((20, 20), 50.0, np.float32), np.full((20, 20), 4, np.uint8)
    height[5:8, 5:8] = height[12:19, 3:10] = 0
    height[:, 12:] = 90
    height[8, 10:13] = 0
    count[height == 0] = 0
    count[4, 6] = 2
    closed, photographs = fuse.gaps_closed(height, count, 5, 2.0)
    assert (closed[5:8, 5:8] == 50).all()
    assert photographs[5, 6] == 2
    assert closed[15, 6] == 0
    assert set(np.unique(closed[8, 10:13])) <= {0, 50, 90}
    assert (closed[height > 0] == height[height > 0]).all()
