"""Planes around cells are the least squares planes of the cells that are known."""

import numpy as np

from aftermap.assessment.smooth import planes_around

CELL_M, SIDE = 0.2, 7


def by_least_squares(height, known, row, column):
    """Slope east, slope north and root mean square residual, one square solved by numpy."""
    reach = SIDE // 2
    rows, columns = np.mgrid[row - reach : row + reach + 1, column - reach : column + reach + 1]
    rows, columns = rows.ravel(), columns.ravel()
    there = (rows >= 0) & (columns >= 0) & (rows < height.shape[0]) & (columns < height.shape[1])
    rows, columns = rows[there], columns[there]
    use = known[rows, columns]
    rows, columns = rows[use], columns[use]
    if len(rows) < 0.5 * SIDE * SIDE:
        return np.full(3, np.nan)
    terms = np.column_stack([np.ones(len(rows)), columns * CELL_M, -rows * CELL_M])
    solved, *_ = np.linalg.lstsq(terms, height[rows, columns], rcond=None)
    left = height[rows, columns] - terms @ solved
    return np.array([solved[1], solved[2], np.sqrt((left**2).mean())])


def test_every_square_has_its_least_squares_plane():
    rng = np.random.default_rng(5)
    height = (800 + np.cumsum(rng.normal(0, 0.2, (23, 31)), 1)).astype(np.float32)
    known = rng.random(height.shape) < 0.7
    height[~known] = np.nan
    found = np.stack(planes_around(height, known, CELL_M, SIDE))
    true = np.array(
        [[by_least_squares(height, known, r, c) for c in range(31)] for r in range(23)]
    ).transpose(2, 0, 1)
    assert np.isnan(true[0]).any()
    assert np.isfinite(true[0]).mean() > 0.5
    np.testing.assert_array_equal(np.isnan(found), np.isnan(true))
    np.testing.assert_allclose(found, true, atol=2e-4)


def test_a_slope_is_told_east_and_north_whatever_lies_below_it():
    inner = np.s_[3:-3, 3:-3]
    east, north = np.meshgrid(np.arange(20) * CELL_M, -np.arange(20) * CELL_M)
    for base in (0.0, 3000.0):
        slope_east, slope_north, rough = planes_around(
            base + 0.3 * east - 0.1 * north, np.ones((20, 20), bool), CELL_M, SIDE
        )
        np.testing.assert_allclose(slope_east[inner], 0.3, atol=1e-5)
        np.testing.assert_allclose(slope_north[inner], -0.1, atol=1e-5)
        assert rough[inner].max() < 1e-3
