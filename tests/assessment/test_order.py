"""Medians and quantiles without numpy's cost are numpy's own."""

import numpy as np
import pytest

from aftermap.assessment.order import middle_of, quantiles_of


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1001])
def test_quantiles_are_those_of_numpy(count):
    values = np.random.default_rng(count).normal(0, 5, count)
    shares = (0.0, 0.05, 0.4, 0.5, 0.98, 1.0)
    assert quantiles_of(values, *shares) == pytest.approx(np.quantile(values, shares))
    assert middle_of(values) == pytest.approx(np.median(values))
