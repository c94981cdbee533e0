"""What a camera sees of a surface: a wall hides the street behind it, and nothing else."""

import numpy as np
import pytest

from aftermap.surface.visibility import CLEAR, DOUBTFUL, HIDDEN, presumed_heights, seen_cells

ROWS, COLUMNS = 60, 120
WALL = 40  # column, 3 cells thick


def street(wall_cells=10.0):
    heights = np.zeros((ROWS, COLUMNS), np.float32)
    heights[:, WALL : WALL + 3] = wall_cells
    return heights


def test_a_wall_hides_the_street_behind_it_as_far_as_its_shadow_falls():
    above, wall = 60.0, 10.0
    seen = seen_cells(street(wall), (30.5, 0.5), above)
    row = seen[30]
    assert (row[: WALL - 2] == CLEAR).all()
    assert (row[WALL : WALL + 3] >= DOUBTFUL).all()
    reach = WALL + 2  # cells from below the camera to the far top edge
    shadow_end = reach * above / (above - wall)
    first, last = WALL + 3, round(shadow_end)
    hidden = np.flatnonzero(row == HIDDEN)
    assert abs(hidden.min() - first) <= 1
    # One cell of slack in height shortens the shadow by that much of its slope.
    slope = above / shadow_end
    assert last - 1.5 - 1 / slope <= hidden.max() <= last + 1
    assert (row[last + 4 :] == CLEAR).all()
    assert (row[hidden.max() + 1 : hidden.max() + 3] == DOUBTFUL).all()


def test_from_straight_above_nothing_is_hidden_on_either_side():
    seen = seen_cells(street(), (30.5, WALL + 1.5), 60.0)
    assert (seen[26:35, WALL - 3 : WALL + 6] > HIDDEN).all()


def test_both_sides_of_the_wall_in_turn():
    """What the camera on the right does not see, the camera on the left does."""
    from_left = seen_cells(street(), (30.5, -20.0), 60.0)
    from_right = seen_cells(street(), (30.5, COLUMNS + 20.0), 60.0)
    flat_look = np.hypot(*(np.indices((ROWS, COLUMNS)) + 0.5 - [[[30.5]], [[-20.0]]])) > 60.0
    assert ((from_left > HIDDEN) | (from_right > HIDDEN) | flat_look).all()
    assert (from_left[:, WALL : WALL + 3] > HIDDEN).all()
    assert (from_left[30, WALL + 4 : WALL + 8] == HIDDEN).all()
    assert (from_right[30, WALL - 6 : WALL - 2] == HIDDEN).all()
    assert (from_left[30, : WALL - 2] == CLEAR).all()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_north_and_west_of_what_is_hidden_is_as_doubtful_as_south_and_east(turns):
    straight = seen_cells(street(), (30.5, 0.5), 60.0)
    camera = {1: (COLUMNS - 0.5, 30.5), 2: (ROWS - 30.5, COLUMNS - 0.5), 3: (0.5, ROWS - 30.5)}
    turned = seen_cells(np.rot90(street(), turns).copy(), camera[turns], 60.0)
    differ = np.rot90(straight, turns) != turned
    assert differ.mean() < 0.02


def test_the_cell_straight_below_the_camera_is_seen():
    level = np.zeros((21, 21), np.float32)
    assert (seen_cells(level, (10.5, 10.5), 40.0) == CLEAR).all()


def test_level_ground_is_seen_whole_however_flat_the_look():
    level = np.zeros((ROWS, COLUMNS), np.float32)
    for camera in ((30.5, 60.5), (30.5, -500.0), (-300.0, 900.0)):
        assert (seen_cells(level, camera, 40.0) == CLEAR).all()


def test_unknown_cells_are_hidden_and_hide_nothing():
    heights = street(0.0)
    heights[:, WALL : WALL + 3] = np.nan
    seen = seen_cells(heights, (30.5, 0.5), 60.0)
    assert (seen[:, WALL : WALL + 3] == HIDDEN).all()
    assert (seen[:, WALL + 3 :] == CLEAR).all()
    assert (seen_cells(np.full((5, 5), np.nan, np.float32), (2, 2), 9.0) == HIDDEN).all()


def test_against_a_search_along_every_line_of_sight():
    """Boxes at random places: the sweep differs from the exact answer at edges only."""
    rng = np.random.default_rng(6)
    heights = np.zeros((50, 70), np.float32)
    for _ in range(6):
        r, c = rng.integers(0, 40), rng.integers(0, 60)
        heights[r : r + 8, c : c + 9] = rng.uniform(3, 12)
    camera, above = (-14.0, 22.0), 50.0
    exact = np.ones(heights.shape, bool)
    own = np.stack(np.indices(heights.shape), -1)
    for part in np.linspace(0, 1, 500)[:-1]:
        at = np.floor(camera + part * (own + 0.5 - camera)).astype(int)
        inside = ((at >= 0) & (at < heights.shape)).all(-1) & (at != own).any(-1)
        met = heights[tuple(np.where(inside[..., None], at, 0).transpose(2, 0, 1))]
        exact &= ~(inside & (met > above + part * (heights - above) + 1e-3))
    seen = seen_cells(heights, camera, above)
    hidden = seen == HIDDEN
    steep = np.hypot(*(own + 0.5 - camera).transpose(2, 0, 1)) < above - heights
    assert (hidden & exact & steep).sum() < 0.02 * heights.size
    assert (exact[seen == CLEAR]).mean() > 0.99
    assert hidden[~exact & ~steep].mean() > 0.75  # the rest is slack: hidden by less than a cell
    assert (seen[~exact] < CLEAR).mean() > 0.75


def test_beside_an_edge_a_flat_look_sees_nothing_and_a_steep_one_maybe():
    """Ten cells of wall; the same camera once above it and once far off at a third of its slope."""
    steep = seen_cells(street(), (30.5, 20.5), 60.0)[30]
    flat = seen_cells(street(), (30.5, -60.5), 60.0)[30]
    for row, least in ((steep, DOUBTFUL), (flat, HIDDEN)):
        last = np.flatnonzero(row[WALL + 3 :] == HIDDEN)
        assert (row[: WALL - 2] == CLEAR).all()
        assert (row[WALL + 1 : WALL + 3] == DOUBTFUL).all()  # the rim itself hides, and is no wall
        clear = WALL + 3 + last.max() + 1
        assert row[clear + (0 if least else 2) :].min() >= DOUBTFUL
    assert DOUBTFUL in steep[WALL + 3 :]
    assert DOUBTFUL not in flat[WALL + 3 :]


def test_a_hidden_sliver_is_doubtful_and_not_a_hole():
    heights = np.zeros((ROWS, COLUMNS), np.float32)
    heights[20:40, 30] = 6.0  # a fence, whose shadow is a cell or two
    seen = seen_cells(heights, (30.5, 15.5), 60.0)
    assert seen[30, 31] == DOUBTFUL
    assert (seen > HIDDEN).all()


def test_what_nobody_measured_hides_what_lies_behind_it():
    """A house of ten cells that was filled as ground: behind it nothing counts as seen."""
    heights = np.zeros((90, COLUMNS), np.float32)
    heights[:20, 10:60] = 10.0  # as high as its neighbour may be
    is_measured = np.ones(heights.shape, bool)
    is_measured[40:70, 40:60] = False
    blocking = presumed_heights(heights, is_measured)
    assert (blocking[is_measured] == heights[is_measured]).all()
    assert (blocking[44:66, 44:56] == 10.0).all()
    assert (blocking[40:42, 44:56] == 0.0).all()  # right beside measured street, as high as that
    camera, above = (55.0, 0.5), 60.0
    believed = seen_cells(heights, camera, above)
    careful = seen_cells(heights, camera, above, blocking)
    assert (believed[50:60, 60:] == CLEAR).all()
    assert (careful[52:58, 60:66] == HIDDEN).all()
    assert (careful[50:60, :36] == CLEAR).all()
    assert (careful <= believed).all()
    steep = seen_cells(heights, (55.0, 20.5), 60.0, blocking)
    assert (steep[52:58, 60:64] == DOUBTFUL).all()  # a steep look past it may be right


def test_where_nothing_was_measured_nothing_is_presumed():
    unknown = np.full((40, 40), np.nan, np.float32)
    assert np.isnan(presumed_heights(unknown, np.zeros((40, 40), bool))).all()
