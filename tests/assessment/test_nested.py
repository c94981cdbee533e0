"""No interval of a group ends inside that of one of its members."""

import numpy as np
import pytest

from aftermap.assessment.draw import STRATA
from aftermap.assessment.estimator import totals_of
from aftermap.assessment.reviewed_sample import Population, counted_classes
from aftermap.assessment.total import Circumstances
from aftermap.model.assessment import GRADES
from aftermap.model.sample import BlindGrade, SampledBuilding

SAID = Circumstances(area="a", class_set="c", dates=None)
CLASSES = counted_classes(
    [(grade.value, (grade.value,)) for grade in GRADES], [grade.value for grade in GRADES[1:]]
)
MORE_THAN_FEW = ([1470, 4215], [[3, 18, 3, 0, 0], [0, 4, 0, 0, 0]])
JUMP_AT_FEW = ([300, 500], [[14, 4, 1, 0, 0], [20, 0, 0, 0, 0]])
ALL_OF_A_STRATUM = ([12, 900], [[0, 12, 0, 0, 0], [40, 4, 1, 0, 0]])


def counted(sizes, grades, twice=0, ungraded=0):
    """Rows where of each stratum (H,) so many were given each grade (H, 5)."""
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    first = np.concatenate([[0], np.cumsum(sizes)])
    names = tuple(f"b{i}" for i in range(len(stratum)))
    chance = np.full((len(stratum), len(STRATA)), 1 / len(STRATA))
    of = Population(
        names=names, strata=STRATA, stratum=stratum, labels=STRATA, probabilities=chance
    )
    sample = []
    for h, row in enumerate(grades):
        said = [GRADES[g] for g, count in enumerate(row) for _ in range(count)]
        for i, grade in enumerate(said):
            found = None if len(sample) % 7 < ungraded else grade
            reviewers = "ab" if len(sample) % 4 < twice else "a"
            blind = tuple(BlindGrade(reviewer=one, grade=found) for one in reviewers)
            sample.append(SampledBuilding(source_id=names[first[h] + i], blind=blind))
    return totals_of(of, sample, CLASSES, SAID).rows


def assert_nested(rows):
    group = next(row for row in rows if row.what.endswith("together"))
    members = [row for row in rows if row.what in {grade.value for grade in GRADES[1:]}]
    assert len(members) == 4
    for one in members:
        assert one.low <= group.low
        assert one.high <= group.high
        assert one.at_least <= group.at_least
        assert one.at_most <= group.at_most
        for mine, theirs in zip(one.beside, group.beside, strict=True):
            assert mine.low <= theirs.low
            assert mine.high <= theirs.high
    for row in rows:
        assert row.at_least <= row.low <= row.buildings <= row.high <= row.at_most


@pytest.mark.parametrize("drawn", [MORE_THAN_FEW, JUMP_AT_FEW, ALL_OF_A_STRATUM])
@pytest.mark.parametrize("ungraded", [0, 1])
def test_ends_of_a_group_are_never_inside_those_of_a_member(drawn, ungraded):
    assert_nested(counted(*drawn, ungraded=ungraded))


def test_nor_are_they_in_samples_at_random():
    random = np.random.default_rng(3)
    for _ in range(8):
        sizes = random.integers(20, 600, random.integers(1, 5))
        drawn = np.minimum(sizes, random.integers(10, 30, len(sizes)))
        shares = random.dirichlet([8, 1, 0.3, 0.3, 0.3], len(sizes))
        assert_nested(counted(sizes, random.multinomial(drawn, shares).tolist()))


def test_nor_where_reviewer_error_is_included():
    rows = counted([300, 200], [[50, 5, 1, 0, 0], [10, 15, 2, 1, 4]], twice=2)
    assert rows[0].method.endswith("(latent class model)")
    assert_nested(rows)
