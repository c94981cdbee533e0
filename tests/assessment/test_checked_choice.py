"""Checked grades that were not drawn at random from the sample are refused."""

import numpy as np
import pytest

from aftermap.assessment.checked_choice import LEAST_CHANCE, chance_of_choice
from aftermap.assessment.draw import STRATA
from aftermap.assessment.estimator import totals_of
from aftermap.assessment.reviewed_sample import Counted, Population
from aftermap.assessment.total import Circumstances, ReviewerError, TotalsTable
from aftermap.errors import InputError
from aftermap.model.assessment import GRADES
from aftermap.model.sample import BlindGrade, SampledBuilding

SAID = Circumstances(area="a", class_set="c", dates=None)
LIGHT = [Counted(name="light", labels=("light",))]


def totals(is_checked, seed=9):
    """A reviewer who calls a fifth of the intact light; checked where (true, chance) says."""
    random = np.random.default_rng(seed)
    true = random.choice(5, 1000, p=[0.6, 0.15, 0.1, 0.08, 0.07])
    model = np.where(random.random(1000) < 0.4, np.clip(true + 1, 0, 4), true)
    names = tuple(f"b{i}" for i in range(1000))
    of = Population(
        names=names,
        strata=STRATA,
        stratum=model,
        labels=STRATA,
        probabilities=np.full((1000, 6), 1 / 6),
    )
    sample = []
    for h in range(5):
        for i in random.permutation(np.flatnonzero(model == h))[:40]:
            said = 1 if true[i] == 0 and random.random() < 0.2 else true[i]
            checked = GRADES[true[i]] if is_checked(true[i], h, random.random()) else None
            blind = (BlindGrade(reviewer="a", grade=GRADES[said]),)
            sample.append(SampledBuilding(source_id=names[i], blind=blind, reference=checked))
    return totals_of(of, sample, LIGHT, SAID)


@pytest.mark.parametrize(
    "is_checked",
    [
        lambda true, _, chance: true == 0 and chance < 0.5,
        lambda true, _, chance: true > 0 and chance < 0.35,
        lambda true, _, chance: true == 4 and chance < 0.9,
        lambda true, _, chance: chance < (0.6 if true in (0, 4) else 0.1),
    ],
    ids=["intact", "damaged", "destroyed", "clear cases"],
)
def test_checks_of_chosen_buildings_are_refused(is_checked):
    with pytest.raises(InputError, match="draw the buildings to check at random from the sample"):
        totals(is_checked)


@pytest.mark.parametrize(
    "is_checked",
    [
        lambda _, __, chance: chance < 0.25,
        lambda _, __, chance: chance > 0.7,
        lambda *_: True,
    ],
    ids=["a quarter", "others", "all"],
)
def test_checks_at_random_are_taken(is_checked):
    table = totals(is_checked)
    assert isinstance(table, TotalsTable)
    assert table.rows[0].reviewer_error is ReviewerError.REFERENCE
    assert "if these were drawn at random" in str(table.rows[0])


def test_checks_at_random_are_refused_as_seldom_as_it_says():
    random = np.random.default_rng(5)
    given = random.choice(5, 80, p=[0.6, 0.2, 0.1, 0.06, 0.04])
    found = [chance_of_choice(given, random.permutation(80) < 20) for _ in range(150)]
    assert np.mean(np.array(found) < LEAST_CHANCE) < 0.04
    assert 0.35 < np.mean(found) < 0.7


def test_without_checks_there_is_nothing_to_refuse():
    nobody = np.zeros(6, bool)
    assert chance_of_choice(np.arange(6) % 5, nobody) == 1


def test_chosen_checks_are_refused_also_where_the_whole_has_too_few_grades_for_a_total():
    """Its areas may have enough, and are estimated by the same checks."""
    names = tuple(f"b{i}" for i in range(400))
    of = Population(
        names=names,
        strata=STRATA,
        stratum=np.repeat([0, 1], 200),
        labels=STRATA,
        probabilities=np.full((400, 6), 1 / 6),
    )
    sample = [
        SampledBuilding(
            source_id=names[i],
            blind=(BlindGrade(reviewer="a", grade=GRADES[i % 2]),),
            reference=GRADES[0] if i % 2 == 0 else None,
        )
        for i in range(80)
    ]
    with pytest.raises(InputError, match="no random part"):
        totals_of(of, sample, LIGHT, SAID)
