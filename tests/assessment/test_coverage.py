"""Totals hold the truth where machines are wrong, grades are missing and reviewers err.

A small, seeded part of ``benchmarks/coverage.py``, pooled over its rows, so that chance is small.
"""

import numpy as np
import pytest
from benchmarks.coverage import simulated
from benchmarks.coverage_reviewers import reviewer_rows
from benchmarks.coverage_worlds import worlds


@pytest.fixture(scope="module")
def rows():
    return simulated(60, 15, only_city="quarter")["rows"]


def covered(rows, kind, **which):
    kept = [
        row["covered"]
        for row in rows
        if row["kind"] == kind
        and row["expected_in_sample"] >= 10
        and all(row[key] == value for key, value in which.items())
    ]
    assert kept
    return np.mean(kept)


@pytest.mark.parametrize("machine", ["calibrated", "over-confident", "flat", "biased"])
@pytest.mark.parametrize("kind", ["stratified", "prediction-powered"])
def test_intervals_hold_whatever_the_machine_is_like(rows, machine, kind):
    assert covered(rows, kind, machine=machine) >= 0.93


def test_bounds_hold_where_half_of_the_destroyed_have_no_grade_and_the_estimate_does_not(rows):
    of = {"missing": "half of destroyed", "class": "destroyed"}
    assert covered(rows, "missing half of destroyed: bounds", **of) >= 0.95
    assert covered(rows, "missing half of destroyed: estimate", **of) < 0.8
    assert covered(rows, "missing at random: estimate") >= 0.93


def test_intervals_hold_in_an_area_where_the_damage_is_clustered(rows):
    assert covered(rows, "damaged area") >= 0.93


def test_double_grades_and_checked_grades_make_up_for_reviewers_who_err():
    random = np.random.default_rng(7)
    city = [one for one in worlds(random) if one.city == "city"][:1]
    found = reviewer_rows(city, (100,), 20, random)
    assert covered(found, "reviewer error, 30 graded twice") >= 0.93
    assert covered(found, "reviewer error, 30 checked") >= 0.93
    alone = "one reviewer, error not included"
    step = {"reviewers": "a step off, 20 %", "class": "all damaged"}
    assert covered(found, alone, **step) < 0.6
    assert covered(found, alone, reviewers="never wrong") >= 0.9
