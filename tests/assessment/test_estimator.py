"""Totals are said whole, from reviewed samples and never from the map."""

from dataclasses import replace

import numpy as np
import pytest

from aftermap.assessment.draw import STRATA
from aftermap.assessment.estimator import CORRECTED, PREDICTED, error_matrix, totals_of
from aftermap.assessment.intervals import Interval
from aftermap.assessment.reviewed_sample import Counted, Population, counted_classes
from aftermap.assessment.reviewer_error import cost_of_error
from aftermap.assessment.total import (
    ALIKE,
    ALSO_IN_CLASSES,
    REVIEWED_ALIKE,
    Circumstances,
    ReviewerError,
    TooFew,
    range_of,
)
from aftermap.model.assessment import Grade
from aftermap.model.sample import NOT_ASSESSED, BlindGrade, SampledBuilding
from aftermap.workflows.totals_table import REVIEWER_ERROR, row_of_total

SAID = Circumstances(
    area="the area of case raqqa",
    class_set="class set ours (crosswalk 1)",
    dates=("2024-05-01", "2024-05-03"),
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


def said(labels) -> list[SampledBuilding]:
    """What one reviewer said, by building; None where nobody looked."""
    return [
        SampledBuilding(
            source_id=name,
            blind=()
            if label is None
            else (BlindGrade(reviewer="a", grade=None if label == NOT_ASSESSED else Grade(label)),),
        )
        for name, label in labels.items()
    ]


def reviewed(of: Population, drawn, random, wrong=0.1) -> list[SampledBuilding]:
    found = {}
    for h, count in enumerate(drawn):
        for i in random.choice(np.flatnonzero(of.stratum == h), count, replace=False):
            is_right = h < 5 and random.random() > wrong
            label = STRATA[h] if is_right else STRATA[random.integers(5)]
            found[of.names[i]] = label
    return said(found)


@pytest.fixture
def town():
    of = population((400, 100, 100, 60, 50, 20))
    return of, reviewed(of, (30, 20, 15, 10, 10, 5), np.random.default_rng(1))


def test_a_total_is_a_sentence_with_all_that_it_needs(town):
    total = totals_of(*town, [DESTROYED], SAID).rows[0]
    text = f"{total}"
    for part in (
        "destroyed",
        "of 730 buildings",
        "95% interval",
        "the area of case raqqa",
        "class set ours",
        "2024-05-01 to 2024-05-03",
        "stratified estimator",
        "graded of 90 sampled",
    ):
        assert part in text
    assert str(total) == text


@pytest.mark.parametrize("spec", [".1%", ".0f", "d", "%", ">10"])
def test_a_total_cannot_be_printed_as_a_bare_percentage(town, spec):
    total = totals_of(*town, [DESTROYED], SAID).rows[0]
    with pytest.raises(TypeError, match="without its denominator"):
        format(total, spec)
    with pytest.raises(TypeError, match="no number"):
        float(total)


def test_the_map_is_not_counted():
    of = population((100, 0, 0, 0, 100, 0))
    labels = dict.fromkeys(of.names[:20], "none") | dict.fromkeys(of.names[180:], "none")
    total = totals_of(of, said(labels), [DESTROYED], SAID).rows[0]
    assert total.buildings == 0
    assert total.high < 40


def test_the_estimate_weighs_each_reviewed_building_by_what_it_stands_for():
    of = population((900, 0, 0, 0, 100, 0))
    labels = {of.names[i]: "destroyed" if i < 3 else "none" for i in range(30)}
    labels |= {of.names[900 + i]: "destroyed" if i < 15 else "none" for i in range(20)}
    total = totals_of(of, said(labels), [DESTROYED], SAID).rows[0]
    assert total.buildings == 900 * 3 // 30 + 100 * 15 // 20


def test_both_estimators_stand_beside_each_other(town):
    (row,) = totals_of(*town, [DESTROYED], SAID).rows
    assert "Olofsson" in row.method
    assert [one.what for one in row.beside] == [PREDICTED]


def test_classes_of_a_sample_add_up_to_the_denominator(town):
    classes = [Counted(name=name, labels=(name,)) for name in STRATA]
    classes_of_grades = [one for one in classes if one.name != NOT_ASSESSED]
    found = totals_of(*town, classes_of_grades, SAID).rows
    assert sum(one.buildings for one in found) == pytest.approx(730, abs=3)


def test_an_area_with_few_reviewed_buildings_is_told_and_not_estimated(town):
    of, labels = town
    here = of.part(np.arange(730) % 40 == 0)
    found = totals_of(here, labels, [DESTROYED], SAID)
    assert isinstance(found, TooFew)
    assert "too few graded buildings" in str(found)
    assert f"of {len(here.names)}" in str(found)


def test_a_small_stratum_without_a_reviewed_building_widens_the_interval_by_all_it_could_hold():
    of = population((300, 10, 0, 0, 0, 0))
    labels = dict.fromkeys(of.names[:60], "none")
    (total,) = totals_of(of, said(labels), [DESTROYED], SAID).rows
    alone = totals_of(of.part(of.stratum == 0), said(labels), [DESTROYED], SAID).rows[0]
    assert (total.low, total.high) == (alone.low, alone.high + 10)


def test_a_large_stratum_without_a_reviewed_building_is_too_few():
    of = population((300, 100, 0, 0, 0, 0))
    labels = dict.fromkeys(of.names[:60], "none")
    found = totals_of(of, said(labels), [DESTROYED], SAID)
    assert "100 of its buildings" in str(found)


def test_buildings_without_a_grade_are_never_not_in_the_class():
    of = population((200, 0, 0, 0, 0, 0))
    labels = dict.fromkeys(of.names[:30], "none") | dict.fromkeys(of.names[30:60], "destroyed")
    labels |= dict.fromkeys(of.names[60:70], NOT_ASSESSED) | dict.fromkeys(of.names[70:80])
    table = totals_of(of, said(labels), [DESTROYED], SAID)
    (total,) = table.rows
    assert total.buildings == 100
    assert total.at_least < 80
    assert total.at_most > 120
    reviewed = table.reviewed
    assert (reviewed.graded, reviewed.not_assessed, reviewed.unanswered) == (60, 10, 10)
    for text in (str(total), "\n".join(table.preamble)):
        assert "60 graded of 80 sampled" in text
    assert "at least" in str(total)
    assert "10 could not be assessed, 10 not reviewed" in "\n".join(table.preamble)


def test_every_caveat_is_in_the_sentence_and_above_the_table(town):
    circumstances = Circumstances(
        area="a", class_set="c", dates=None, never_seen=1200, caveats=("not all labels are blind",)
    )
    table = totals_of(*town, [DESTROYED], circumstances)
    for text in (str(table.rows[0]), "\n".join(table.preamble)):
        assert "not all labels are blind" in text
        assert "imagery dates not known" in text
        assert "1,200 buildings that no picture shows are not counted" in text


def test_a_row_says_what_it_assumes_and_the_table_says_it_too():
    of = population((300, 0, 0, 100, 0, 0))
    found = reviewed(of, (60, 0, 0, 20, 0, 0), np.random.default_rng(3))
    hidden = [
        replace(one, blind=(BlindGrade(reviewer="a", grade=None),)) if i % 4 == 0 else one
        for i, one in enumerate(found)
    ]
    table = totals_of(of, hidden, counted_classes([], ["destroyed"]), SAID)
    *_, destroyed, unable = table.rows
    above = "\n".join(table.preamble)
    assert ALIKE in str(destroyed)
    assert ALIKE in above
    assert ALSO_IN_CLASSES in above
    assert ALSO_IN_CLASSES in str(unable)
    assert (unable.assumption, ALIKE in str(unable)) == ("", False)
    assert "whatever" not in str(unable)
    some = [replace(one, blind=()) if i % 8 == 0 else one for i, one in enumerate(found)]
    (*_, unable) = totals_of(of, some, counted_classes([], ["destroyed"]), SAID).rows
    assert unable.assumption == REVIEWED_ALIKE
    assert "whatever the 10 that nobody reviewed are" in str(unable)


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0.0"), (4, "under 0.1"), (7, "0.1"), (12_000, "over 99.9"), (12_004, "100.0")],
)
def test_a_percentage_is_none_or_all_only_where_it_is(town, count, words):
    row = totals_of(*town, [DESTROYED], SAID).rows[0]
    text = str(replace(row, buildings=count, low=count, high=count, of=12_004))
    assert f"; {words} %, {words} to {words} %)" in text


def test_an_estimate_lies_in_its_own_interval():
    for estimate, said in ((-3.2, 0), (120.0, 90), (41.6, 42)):
        found = range_of(Interval(estimate=estimate, low=0, high=90), "x")
        assert (found.low, found.buildings, found.high) == (0, said, 90)


def test_an_error_of_the_grades_given_counts_for_a_rare_class_beside_a_large_one():
    by_grade = np.array([0.0, 0.0, 0.0, 900.0, 10.0])
    down, up = cost_of_error(by_grade, (4,))
    assert (down, up) == (10.0, 90.0)
    down, up = cost_of_error(by_grade, (3,))
    assert (down, up) == (90.0, 100.0)


def test_the_matrix_counts_what_was_reviewed(town):
    of, labels = town
    matrix = error_matrix(of, labels)
    assert sum(sum(row.values()) for row in matrix.values()) == 90
    assert sum(matrix["none"].values()) == 30


def twice_graded(of, count, second, reference=0):
    """A town's sample by reviewer a, of which b graded so many too, and so many were checked."""
    random = np.random.default_rng(2)
    found = []
    for i, one in enumerate(reviewed(of, (60, 30, 20, 15, 20, 0), random, wrong=0.3)):
        (first,) = one.blind
        other = BlindGrade(reviewer="b", grade=second(first.grade, i))
        blind = (first, other) if i % 4 < count else (first,)
        checked = first.grade if i % 4 < reference else None
        found.append(SampledBuilding(source_id=one.source_id, blind=blind, reference=checked))
    return found


def test_double_grades_widen_the_interval_by_the_error_of_the_reviewers():
    of = population((400, 200, 100, 60, 100, 0))
    alone = totals_of(of, twice_graded(of, 0, lambda g, _: g), [DESTROYED], SAID).rows[0]
    agree = totals_of(of, twice_graded(of, 2, lambda g, _: g), [DESTROYED], SAID).rows[0]
    apart = twice_graded(of, 2, lambda g, i: Grade.SEVERE if g == "destroyed" and i % 8 else g)
    differ = totals_of(of, apart, [DESTROYED], SAID).rows[0]
    assert alone.reviewer_error is ReviewerError.NOT_INCLUDED
    assert "reviewer error not included" in str(alone)
    assert "if one grade in 10, given or true, were a step off" in str(alone)
    assert agree.reviewer_error is ReviewerError.DOUBLE_GRADES
    assert agree.method == CORRECTED
    assert "reviewers a, b; 73 buildings graded twice; Krippendorff" in str(agree)
    assert agree.beside[0].what.endswith("uncorrected")
    assert alone.high - alone.low < agree.high - agree.low < differ.high - differ.low


def test_checked_grades_correct_an_error_that_a_reviewer_always_makes():
    """The reviewer calls every second destroyed building severe; the references say so."""
    of = population((300, 0, 0, 150, 0, 0))
    found = []
    for i in range(150):
        true = Grade.NONE if i < 75 else (Grade.DESTROYED, Grade.SEVERE)[i % 3 == 0]
        said_ = Grade.SEVERE if true is Grade.DESTROYED and i % 2 else true
        found.append(
            SampledBuilding(
                source_id=of.names[i if i < 75 else 225 + i],
                blind=(BlindGrade(reviewer="a", grade=said_),),
                reference=true if i % 4 in (0, 3) else None,
            )
        )
    (row,) = totals_of(of, found, [DESTROYED], SAID).rows
    assert row.reviewer_error is ReviewerError.REFERENCE
    assert row.low <= 100 <= row.high
    assert abs(row.buildings - 100) < abs(row.beside[0].buildings - 100)
    assert "75 with a checked grade" in str(row)


def test_where_grades_are_missing_the_bounds_hold_reviewer_error_too():
    of = population((400, 200, 100, 60, 100, 0))
    sample = twice_graded(of, 2, lambda g, _: g)
    missing = [
        SampledBuilding(source_id=one.source_id, blind=(BlindGrade(reviewer="a", grade=None),))
        if i % 7 == 0
        else one
        for i, one in enumerate(sample)
    ]
    whole = totals_of(of, sample, [DESTROYED], SAID).rows[0]
    part = totals_of(of, missing, [DESTROYED], SAID).rows[0]
    assert part.at_least < part.low < part.high < part.at_most
    assert (whole.at_least, whole.at_most) == (whole.low, whole.high)
    assert part.at_most - part.high > 0.5 * 860 / 7


def test_in_an_area_the_whole_sample_tells_of_the_reviewers():
    of = population((400, 200, 100, 60, 100, 0))
    sample = twice_graded(of, 2, lambda g, i: Grade.SEVERE if g == "destroyed" and i % 8 else g)
    area = of.part(np.arange(860) % 3 == 0)
    there = [one for one in sample if one.source_id in area.names]
    assert sum(one.is_graded_twice for one in there) < 30
    alone = totals_of(area, there, [DESTROYED], SAID).rows[0]
    known = totals_of(area, sample, [DESTROYED], SAID).rows[0]
    assert alone.reviewer_error is ReviewerError.NOT_INCLUDED
    assert known.reviewer_error is ReviewerError.DOUBLE_GRADES
    assert known.reviewed.graded == alone.reviewed.graded
    assert known.reviewed.graded_twice == 73
    assert known.high - known.low > alone.high - alone.low


def test_checked_grades_leave_what_reviewers_could_not_assess_from_the_imagery():
    of = population((200, 0, 0, 0, 0, 0))
    labels = dict.fromkeys(of.names[:50], "none") | dict.fromkeys(of.names[50:80], NOT_ASSESSED)
    visited = dict.fromkeys(of.names[50:80], Grade.DESTROYED)
    sample = [
        SampledBuilding(
            source_id=one.source_id, blind=one.blind, reference=visited.get(one.source_id)
        )
        for one in said(labels)
    ]
    classes = [DESTROYED, Counted(name="not assessable", labels=(NOT_ASSESSED,))]
    before = totals_of(of, said(labels), classes, SAID).rows
    table = totals_of(of, sample, classes, SAID)
    destroyed, unable = table.rows
    ends = ("buildings", "low", "high", "at_least", "at_most")
    assert [getattr(unable, name) for name in ends] == [getattr(before[1], name) for name in ends]
    assert (before[0].buildings, destroyed.buildings, unable.buildings) == (0, 75, 75)
    assert "30 of these not assessable from the imagery" in str(table.reviewed)
    assert sum(sum(row.values()) for row in error_matrix(of, sample).values()) == 80


def test_checked_grades_alone_are_no_review():
    of = population((200, 0, 0, 0, 0, 0))
    alone = [SampledBuilding(source_id=one, reference=Grade.NONE) for one in of.names[:50]]
    assert "no reviewer has looked" in str(totals_of(of, alone, [DESTROYED], SAID))


@pytest.mark.parametrize(
    ("compared", "is_included"), [(0, False), (14, False), (15, True)], ids=str
)
def test_the_error_of_one_whom_nobody_compared_is_not_included(compared, is_included):
    """Reviewers b and c compare 35 buildings of each other; a grades 110 alone."""
    of = population((400, 200, 100, 60, 100, 0))
    found = []
    for i, one in enumerate(twice_graded(of, 0, lambda g, _: g)):
        left = i - i // 4 - 1
        who = "bc" if i % 4 == 0 else "ab" if left < compared else "a"
        grade = one.grades[0]
        blind = tuple(BlindGrade(reviewer=name, grade=grade) for name in who)
        found.append(SampledBuilding(source_id=one.source_id, blind=blind))
    alone = sum(len(one.blind) == 1 for one in found)
    (row,) = totals_of(of, found, [DESTROYED], SAID).rows
    assert (row.reviewer_error is ReviewerError.DOUBLE_GRADES) is is_included
    named = f"not included for a, who graded {alone} of 145 alone ({compared} compared"
    assert (named in str(row)) is not is_included
    assert (named in row_of_total(row, 0)[REVIEWER_ERROR]) is not is_included
