"""Scatter by medians: a tenth of wild values costs little; about a known middle, offsets count."""

import numpy as np
import pytest

from aftermap.geo.robust import nmad


def test_a_tenth_of_wild_values_hardly_widens_the_scatter():
    values = np.random.default_rng(1).normal(7.0, 0.5, 20_000)
    assert nmad(values) == pytest.approx(0.5, rel=0.02)
    values[::10] += 1000.0
    assert nmad(values) == pytest.approx(0.5, rel=0.2)


def test_about_a_known_middle_an_offset_counts_as_scatter():
    values = np.full(9, 3.0)
    assert nmad(values) == 0.0
    assert nmad(values, about=0.0) == pytest.approx(3 * 1.4826)
