"""Scales of damage: what is lost on which edge, and the four traps of published code."""

import pytest

from aftermap.assessment.scales import (
    Meaning,
    Scale,
    classes_in,
    code_of,
    codes_for,
    codes_of,
    edges,
)
from aftermap.model.assessment import GRADES, Grade

OTHERS = [scale for scale in Scale if scale is not Scale.OURS]


def ours(word: str) -> Grade | Meaning:
    return Grade(word) if word in set(GRADES) else Meaning(word)


@pytest.mark.parametrize("edge", edges(), ids=lambda e: f"{e.scale}-{e.code}-{e.ours}")
def test_an_edge_is_marked_lossy_just_where_something_is_lost(edge):
    code = code_of(edge.scale, edge.code)
    word = ours(edge.ours)
    read_alone = code.grades == (word,) or (not code.grades and code.meaning == word)
    written_alone = [c.code for c in codes_for(edge.scale, word)] == [edge.code]
    assert edge.is_lossy != (edge.direction == "both" and read_alone and written_alone)


@pytest.mark.parametrize("scale", OTHERS)
def test_every_code_is_read_as_itself_by_code_and_by_label(scale):
    for code in codes_of(scale):
        assert code_of(scale, code.code) == code
        assert code_of(scale, code.label.upper()).meaning is code.meaning


@pytest.mark.parametrize("value", [1, 1.0, "1", "1.0", "Destroyed", " destroyed "])
def test_unosat_is_read_as_number_and_as_words(value):
    assert code_of(Scale.UNOSAT, value).grades == (Grade.DESTROYED,)


def test_the_same_number_means_opposite_things_in_a_recoding():
    assert code_of(Scale.UNOSAT, 1).grades == (Grade.DESTROYED,)
    assert code_of(Scale.UNOSAT_RECODED, 1).grades == (Grade.MODERATE,)
    assert code_of(Scale.UNOSAT, 0) is None


def test_trap_unclassified_is_not_read_as_no_damage():
    code = code_of(Scale.XBD, "un-classified")
    assert code.meaning is Meaning.NOT_ASSESSED
    assert code.grades == ()


def test_trap_possibly_damaged_is_not_folded_into_negligible():
    code = code_of(Scale.CEMS, "Possibly damaged")
    assert code.meaning is Meaning.POSSIBLE
    assert code.grades == ()
    for value in (4, 11):
        assert code_of(Scale.UNOSAT, value).meaning is Meaning.POSSIBLE


@pytest.mark.parametrize("value", [5, 7, 9, 10, 12])
def test_craters_and_the_like_are_no_buildings(value):
    code = code_of(Scale.UNOSAT, value)
    assert (code.meaning, code.grades) == (Meaning.NO_BUILDING, ())


def test_damage_of_an_unknown_grade_is_no_grade():
    assert code_of(Scale.UNOSAT, 13).meaning is Meaning.DAMAGED
    assert [c.code for c in codes_for(Scale.UNOSAT, Meaning.DAMAGED)] == ["13"]


def test_codes_that_overlap_are_sets_and_are_not_decided():
    assert code_of(Scale.EMS98, 4).grades == (Grade.SEVERE, Grade.DESTROYED)
    assert [c.code for c in codes_for(Scale.EMS98, Grade.SEVERE)] == ["3", "4"]
    assert codes_for(Scale.UNOSAT, Grade.LIGHT) == ()


@pytest.mark.parametrize("scale", [s for s in Scale if s is not Scale.UNOSAT_RECODED])
def test_the_classes_of_a_scale_hold_every_grade_once(scale):
    grades = [grade for one in classes_in(scale) for grade in one.grades]
    assert grades == list(GRADES)


def test_grades_that_a_scale_cannot_tell_apart_are_one_class():
    labels = {one.grades: one.label for one in classes_in(Scale.CEMS)}
    assert labels[Grade.MODERATE, Grade.SEVERE] == "Damaged"
    assert labels[(Grade.LIGHT,)] == "No visible damage or Possibly damaged"
    unosat = {one.grades: one.label for one in classes_in(Scale.UNOSAT)}
    assert unosat[(Grade.LIGHT,)] == "light (no class in unosat)"
