"""Agreement of reviewers against published and worked-out figures."""

import numpy as np
import pytest

from aftermap.assessment.reliability import (
    agreements,
    alpha,
    dawid_skene,
    disagreements,
    kappa,
    kappa_of,
)
from aftermap.model.assessment import GRADES, Grade

KRIPPENDORFF = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}
"""Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: ordinal 0.815."""


def labels_of(table):
    columns = {name: text.split() for name, text in table.items()}
    count = len(next(iter(columns.values())))
    return {
        f"u{i}": {
            who: GRADES[int(words[i]) - 1] for who, words in columns.items() if words[i] != "."
        }
        for i in range(count)
    }


def test_alpha_is_krippendorffs_own_figure():
    found = alpha(labels_of(KRIPPENDORFF))
    assert found.value == pytest.approx(0.815, abs=0.0005)
    assert found.buildings == 11
    assert found.low < found.value < found.high


def test_kappa_is_one_where_all_agree_and_nothing_is_known_where_nothing_varies():
    grades = [*GRADES, *GRADES]
    assert kappa(grades, grades, "two").value == 1
    none = [Grade.NONE] * 5
    found = kappa(none, none, "two")
    assert (found.value, found.low, found.high) == (None, None, None)
    assert "not known" in str(found)


def test_kappa_is_the_one_worked_out_by_hand():
    first = [Grade.NONE, Grade.NONE, Grade.LIGHT, Grade.MODERATE]
    second = [Grade.NONE, Grade.LIGHT, Grade.LIGHT, Grade.NONE]
    # Observed squared steps 0 1 0 4, mean 1.25; by chance: mean over all pairs of marginals.
    places = [0, 0, 1, 2], [0, 1, 1, 0]
    by_chance = np.mean([(a - b) ** 2 for a in places[0] for b in places[1]])
    assert kappa(first, second, "two").value == pytest.approx(1 - 1.25 / by_chance)


def test_chance_has_no_agreement_and_the_interval_says_so():
    random = np.random.default_rng(1)
    labels = {
        f"b{i}": {who: GRADES[random.integers(5)] for who in ("anna", "ben", "carla")}
        for i in range(200)
    }
    found = agreements(labels)
    assert len(found) == 4
    assert sum(one.low < 0 < one.high for one in found) >= 3
    assert all(abs(one.value) < 0.15 for one in found)


def test_the_interval_of_kappa_holds_the_kappa_of_many():
    random = np.random.default_rng(4)

    def pair(count):
        first = random.integers(0, 5, count)
        second = np.clip(first + random.integers(-1, 2, count), 0, 4)
        return [[GRADES[k] for k in one] for one in (first, second)]

    true = kappa(*pair(20_000), "many").value
    found = [kappa(*pair(100), "few") for _ in range(25)]
    assert np.mean([one.low <= true <= one.high for one in found]) > 0.85


def test_disagreements_come_with_the_widest_first():
    labels = {
        "a": {"x": Grade.NONE, "y": Grade.LIGHT},
        "b": {"x": Grade.NONE, "y": Grade.DESTROYED},
        "c": {"x": Grade.SEVERE, "y": Grade.SEVERE},
    }
    found = disagreements(labels)
    assert [(one.source_id, one.steps) for one in found] == [("b", 4), ("a", 1)]


def test_dawid_and_skene_find_the_careless_reviewer():
    random = np.random.default_rng(8)
    labels, truth = {}, {}
    for i in range(120):
        true = random.integers(5)
        truth[f"b{i}"] = GRADES[true]
        by = {f"good{k}": GRADES[true] for k in range(3) if random.random() < 0.9}
        by |= {f"bad{k}": GRADES[random.integers(5)] for k in range(2)}
        labels[f"b{i}"] = by
    chance = dawid_skene(labels)
    right = [GRADES[int(np.argmax(chance[name]))] == grade for name, grade in truth.items()]
    assert np.mean(right) > 0.97


def test_four_buildings_that_were_graded_alike_are_not_sure_to_agree():
    grades = [Grade.NONE, Grade.NONE, Grade.DESTROYED, Grade.DESTROYED]
    labels = {f"b{i}": {"a": grade, "b": grade} for i, grade in enumerate(grades)}
    for found in (kappa(grades, grades, "two"), alpha(labels)):
        assert found.value == found.high == 1
        assert found.low < 0.6
    often = kappa(grades * 25, grades * 25, "two")
    assert 0.9 < often.low < 1


@pytest.mark.parametrize(("error", "share_of_none"), [(0.05, 0.5), (0.3, 0.5), (0.15, 0.9)])
def test_intervals_of_agreement_hold_the_truth_at_fifteen_buildings(error, share_of_none):
    """Two reviewers who are a step off so often, independently; the figure of all buildings."""
    random = np.random.default_rng(4)
    shares = np.array([share_of_none, *[(1 - share_of_none) / 4] * 4])
    true = random.choice(5, 200_000, p=shares)

    def graded() -> np.ndarray:
        steps = np.where(random.random(len(true)) < error, random.choice([-1, 1], len(true)), 0)
        return np.abs(4 - np.abs(4 - (true + steps)))

    first, second = graded(), graded()
    whole = ((first - second) ** 2).mean()
    by_chance = ((first - random.permutation(second)) ** 2).mean()
    covered = []
    for start in range(0, 60 * 15, 15):
        rows = slice(start, start + 15)
        found = kappa_of(first[rows].tolist(), second[rows].tolist(), 5, "two")
        if found.value is not None:
            covered.append(found.low <= 1 - whole / by_chance <= found.high)
    assert np.mean(covered) >= 0.9
