"""Totals are said whole, from reviewed samples and never from the map."""

import numpy as np
import pytest

from aftermap.assessment.draw import STRATA
from aftermap.assessment.estimator import (
    Circumstances,
    Counted,
    Population,
    TooFew,
    error_matrix,
    totals_of,
)

SAID = Circumstances(
    area="the area of case raqqa",
    class_set="class set ours (crosswalk 1)",
    dates=("2024-05-01", "2024-05-03"),
    sampled=90,
)
DESTROYED = Counted(name="destroyed", labels=("destroyed",))


def population(sizes) -> Population:
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    chance = np.full((len(stratum), len(STRATA)), 0.02)
    chance[np.arange(len(stratum)), stratum] = 0.9
    return Population(
        names=tuple(f"b{i}" for i in range(len(stratum))),
        strata=STRATA,
        stratum=stratum,
        labels=STRATA,
        probabilities=chance,
    )


def reviewed(of: Population, drawn, random, wrong=0.1) -> dict[str, str]:
    found = {}
    for h, count in enumerate(drawn):
        for i in random.choice(np.flatnonzero(of.stratum == h), count, replace=False):
            label = STRATA[h] if random.random() > wrong else STRATA[random.integers(5)]
            found[of.names[i]] = label
    return found


@pytest.fixture
def town():
    of = population((400, 100, 100, 60, 50, 20))
    return of, reviewed(of, (30, 20, 15, 10, 10, 5), np.random.default_rng(1))


def test_a_total_is_a_sentence_with_all_that_it_needs(town):
    total = totals_of(*town, [DESTROYED], SAID)[0]
    text = f"{total}"
    for part in (
        "destroyed",
        "of 730 buildings",
        "95% interval",
        "the area of case raqqa",
        "class set ours",
        "2024-05-01 to 2024-05-03",
        "stratified estimator",
        "from 90 reviewed of 90 sampled",
    ):
        assert part in text
    assert str(total) == text


@pytest.mark.parametrize("spec", [".1%", ".0f", "d", "%", ">10"])
def test_a_total_cannot_be_printed_as_a_bare_percentage(town, spec):
    total = totals_of(*town, [DESTROYED], SAID)[0]
    with pytest.raises(TypeError, match="without its denominator"):
        format(total, spec)
    with pytest.raises(TypeError, match="no number"):
        float(total)


def test_the_map_is_not_counted():
    of = population((100, 0, 0, 0, 100, 0))
    labels = dict.fromkeys(of.names[:20], "none") | dict.fromkeys(of.names[180:], "none")
    total = totals_of(of, labels, [DESTROYED], SAID)[0]
    assert total.buildings == 0
    assert total.high < 40


def test_the_estimate_weighs_each_reviewed_building_by_what_it_stands_for():
    of = population((900, 0, 0, 0, 100, 0))
    labels = {of.names[i]: "destroyed" if i < 3 else "none" for i in range(30)}
    labels |= {of.names[900 + i]: "destroyed" if i < 15 else "none" for i in range(20)}
    total = totals_of(of, labels, [DESTROYED], SAID)[0]
    assert total.buildings == 900 * 3 // 30 + 100 * 15 // 20


def test_both_estimators_stand_beside_each_other(town):
    first, second = totals_of(*town, [DESTROYED], SAID)
    assert "Olofsson" in first.estimator
    assert "PPI++" in second.estimator
    assert first.of == second.of == 730


def test_classes_of_a_sample_add_up_to_the_denominator(town):
    classes = [Counted(name=name, labels=(name,)) for name in STRATA]
    found = [one for one in totals_of(*town, classes, SAID) if "Olofsson" in one.estimator]
    assert sum(one.buildings for one in found) == pytest.approx(730, abs=3)


def test_an_area_with_few_reviewed_buildings_is_told_and_not_estimated(town):
    of, labels = town
    here = of.part(np.arange(730) % 40 == 0)
    found = totals_of(here, labels, [DESTROYED], SAID)
    assert isinstance(found, TooFew)
    assert "too few reviewed buildings" in str(found)
    assert f"of {len(here.names)}" in str(found)


def test_a_small_stratum_without_a_reviewed_building_widens_the_interval_by_all_it_could_hold():
    of = population((300, 10, 0, 0, 0, 0))
    labels = dict.fromkeys(of.names[:60], "none")
    (total,) = totals_of(of, labels, [DESTROYED], SAID)
    alone = totals_of(of.part(of.stratum == 0), labels, [DESTROYED], SAID)[0]
    assert (total.low, total.high) == (alone.low, alone.high + 10)


def test_a_large_stratum_without_a_reviewed_building_is_too_few():
    of = population((300, 100, 0, 0, 0, 0))
    labels = dict.fromkeys(of.names[:60], "none")
    found = totals_of(of, labels, [DESTROYED], SAID)
    assert "100 of its buildings" in str(found)


def test_what_had_to_be_assumed_is_in_the_sentence(town):
    said = Circumstances(
        area="a", class_set="c", dates=None, sampled=95, assumption="it is assumed that 5 are alike"
    )
    text = str(totals_of(*town, [DESTROYED], said)[0])
    assert "it is assumed that 5 are alike" in text
    assert "imagery dates not known" in text


def test_the_matrix_counts_what_was_reviewed(town):
    of, labels = town
    matrix = error_matrix(of, labels)
    assert sum(sum(row.values()) for row in matrix.values()) == 90
    assert sum(matrix["none"].values()) == 30
