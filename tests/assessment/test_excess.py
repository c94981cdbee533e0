"""Measures beside those of the whole roofs of the same map."""

import math

import numpy as np
import pytest

from aftermap.assessment.excess import EXCESSES, HOLE, add_excesses

EDGES = next(one for one in EXCESSES if one.of == "edge_fraction")


def excesses(values, of="edge_fraction", name=EDGES.name):
    rows = [{of: (value, 0.01)} for value in values]
    add_excesses(rows)
    return [row.get(name, (math.nan, math.nan))[0] for row in rows]


def test_the_same_damage_counts_alike_on_a_plain_map_and_on_a_busy_one():
    plain = excesses([0.02] * 40 + [0.17])
    busy = excesses([0.12] * 40 + [0.57])
    assert plain[0] == pytest.approx(0, abs=0.6)
    assert busy[0] == pytest.approx(0, abs=0.1)
    assert plain[-1] == pytest.approx(busy[-1], abs=0.5)
    assert plain[-1] > 1.5


def test_a_district_that_has_fallen_is_not_its_own_norm():
    assert min(excesses([0.6] * 60)) > 0.9


def test_one_building_is_held_against_the_training():
    (alone,) = excesses([EDGES.usual])
    assert alone == pytest.approx(0, abs=1e-9)
    assert excesses([0.5])[0] > 1


def test_what_is_not_known_stays_so_and_holes_are_a_difference():
    assert np.isnan(excesses([math.nan])).all()
    rows = [{"hole_probability": (p, 0.1)} for p in [0.2] * 60 + [0.9]]
    add_excesses(rows)
    assert rows[-1][HOLE.name][0] == pytest.approx(0.7, abs=0.02)
    assert rows[-1][HOLE.name][1] == 0.1


def test_the_sigma_of_a_ratio_is_that_of_its_logarithm():
    rows = [{"edge_fraction": (0.3, 0.03)}]
    add_excesses(rows)
    step = math.log2((0.33 + EDGES.offset) / (0.3 + EDGES.offset))
    assert rows[0][EDGES.name][1] == pytest.approx(step, rel=0.06)
