"""People's labels as CSV: what is read, what is told line by line, and what a sheet may not run."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aftermap.assessment.label_files import (
    consensus_label,
    labels_in,
    labels_text,
    newest_by_reviewer,
)
from aftermap.errors import InputError
from aftermap.model.assessment import WITHDRAWN, Assessment, AssessorKind, Grade
from aftermap.model.reviewer import reviewer_name
from aftermap.model.spreadsheet import guarded, unguarded
from aftermap.web.wire import MeSent

KNOWN = {"1", "2", "-3", "بيت"}
HEAD = "source_id,grade,grades,not_assessed_reason,reviewer,at,note,confidence\n"


def said(who: str, grade: str | None, reason: str | None = None, building: str = "1") -> Assessment:
    return Assessment(
        source_id=building,
        kind=AssessorKind.REVIEWER,
        assessor=who,
        grade=None if grade is None else Grade(grade),
        not_assessed_reason=reason or (None if grade else "dark"),
    )


@pytest.fixture
def read(tmp_path):
    def _read(content: str | bytes, reviewer: str | None = None):
        path = tmp_path / "labels.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return labels_in(path, KNOWN, reviewer)

    return _read


def test_a_whole_line_is_read(read):
    text = HEAD + "1,severe,severe destroyed,,Anna,2024-05-01T12:00:00+02:00,a note,0.7\n"
    (label,) = read(text).labels
    one = label.assessment
    assert (one.grade, one.grades) == (Grade.SEVERE, (Grade.SEVERE, Grade.DESTROYED))
    assert (one.assessor, one.note, one.confidence) == ("Anna", "a note", 0.7)
    assert (one.at, one.is_possible, one.kind) == ("2024-05-01T10:00:00Z", False, "reviewer")
    assert label.line == 2


def test_what_a_spreadsheet_makes_of_the_file_is_read(read):
    text = "\ufeffSource_ID;Grade;Reviewer;Confidence\r\n بيت ; Destroyed ;anna;0,5\r\n"
    (label,) = read(text).labels
    assert (label.assessment.source_id, label.assessment.confidence) == ("بيت", 0.5)
    tabs = read("source_id\tgrade\treviewer\n1\tnone\tben\n")
    assert tabs.labels[0].assessment.grade is Grade.NONE


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("9,severe,,,anna,,,", "'9' is not a building of the case"),
        (",severe,,,anna,,,", "an empty source_id"),
        ("1,ruined,,,anna,,,", "'ruined' is no grade; one of none, light"),
        ("1,severe,,,,,,", "names no reviewer"),
        ("1,possible,,,anna,,,", "possible is an uncertainty and no grade"),
        ("1,not_assessed,,,anna,,,", "without a not_assessed_reason"),
        ("1,severe,,dark,anna,,,", "has a grade and a not_assessed_reason"),
        ("1,none,none severe,,anna,,,", "skip one in between"),
        ("1,,light moderate,,anna,,,", "has grades but no grade"),
        ("1,severe,,,anna,yesterday,,", "is no ISO 8601 time"),
        ("1,severe,,,anna,,,1.5", "is no number from 0 to 1"),
        ("1,severe,,,anna,,,sure", "is no number from 0 to 1"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_and_the_rest_goes_on(read, line, told):
    found = read(f"{HEAD}{line}\n2,light,,,anna,,,\n")
    assert [one.assessment.source_id for one in found.labels] == ["2"]
    (skipped,) = found.skipped
    assert skipped.name == "labels.csv, line 2"
    assert told in skipped.reason


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        ("source_id,grade,reviewer\n1,sev\u00e8re,a\n".encode("latin-1"), "is not UTF-8"),
        ("source_id,grade\n1,none\n".encode("utf-16"), "is not UTF-8"),
        (b"source_id,grade\n1,none\n", "has no column reviewer .or name one reviewer"),
        (b"id,class\n1,none\n", "has no column source_id, grade"),
        (b"source_id,grade,grade,reviewer\n", "the column grade twice"),
        (b'source_id,grade,reviewer\n1,"none,anna\n', "cannot be read as CSV"),
        (b"source_id\0,grade,reviewer\n", "no text file"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(read, content, told):
    with pytest.raises(InputError, match=told) as error:
        read(content)
    assert "\n" not in str(error.value)


FORGED = [
    ("Ana; 60 buildings graded twice", "SEMICOLON"),
    ("Ana, Bo", "COMMA"),
    ("Ana\uff1b alpha 0.99", "FULLWIDTH SEMICOLON"),
    ("Ana\u061b Bo", "ARABIC SEMICOLON"),
    ("An\u200bna", "ZERO WIDTH SPACE"),
    ("An\u202ena", "RIGHT-TO-LEFT OVERRIDE"),
    ("An\x07na", "control character"),
    ("--", "is no name"),
    ("a" * 81, "80"),
]


@pytest.mark.parametrize(("name", "told"), FORGED)
def test_a_name_that_forges_a_sentence_or_hides_a_character_is_refused_everywhere(read, name, told):
    for found in (
        read(f'source_id,grade,reviewer\n1,none,"{name}"\n'),
        read("source_id,grade\n1,none\n", name),
    ):
        assert not found.labels
        assert told in found.skipped[0].reason
    with pytest.raises(ValidationError, match=told):
        MeSent(reviewer=name)


@pytest.mark.parametrize(
    "name", ["Ana  Lovri\u0107 ", "Ana\u00a0Lovric\u0301", " Ana\tLovri\u0107"]
)
def test_one_name_is_recorded_the_same_from_everywhere(read, name):
    names = {
        read(f'source_id,grade,reviewer\n1,none,"{name}"\n').labels[0].assessment.assessor,
        read("source_id,grade\n1,none\n", name).labels[0].assessment.assessor,
        MeSent(reviewer=name).reviewer,
    }
    assert names == {"Ana Lovri\u0107"}


@pytest.mark.parametrize(
    "name", ["\u0645\u062d\u0645\u062f", "\u041e\u043b\u044c\u0433\u0430", "O'Neil-2", "Anna (UN)"]
)
def test_names_of_every_script_are_names(name):
    assert reviewer_name(name) == name


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        labels_in(tmp_path / "no.csv", KNOWN)


def test_one_reviewer_can_be_named_for_all(read):
    found = read("source_id,grade\n1,none\n", reviewer="  anna  b ")
    assert found.labels[0].assessment.assessor == "anna b"


def test_two_labels_by_one_reviewer_are_both_kept_and_told(read):
    found = read(HEAD + "1,light,,,anna,,,\n1,severe,,,anna,,,\n1,none,,,ben,,,\n")
    assert [one.assessment.grade for one in found.labels] == ["light", "severe", "none"]
    (note,) = found.notes
    assert "line 3: anna grades 1 again (before on line 2); both are kept" in note
    newest = newest_by_reviewer(one.assessment for one in found.labels)
    assert newest["1"]["anna"].grade is Grade.SEVERE


def test_lines_that_nobody_filled_in_are_counted(read):
    assert read(HEAD + "1,,,,,,,\n2,,,,anna,,,\n").empty == 2


def test_columns_that_are_not_read_are_told(read):
    assert read("source_id,grade,reviewer,colour\n").notes == (
        "labels.csv: not read: the columns colour",
    )


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "-cmd|' /C calc'!A0", "'=1", "''+"]
)
def test_no_cell_is_a_formula_and_all_come_back(cell):
    assert guarded(cell).startswith("'")
    assert unguarded(guarded(cell)) == cell


@given(st.text())
def test_every_text_comes_back_from_its_cell(text):
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "@", "\t", "\r"))


def test_negative_numbers_are_no_formulas():
    assert guarded(-3) == "-3"
    assert guarded("-0.125") == "-0.125"


def test_what_was_exported_is_read_again(read):
    rows = [{"source_id": "-3", "grade": "light", "reviewer": "@anna", "note": 'a "b", c;\nd'}]
    (label,) = read(labels_text(rows, ("lon",))).labels
    one = label.assessment
    assert (one.source_id, one.assessor, one.note) == ("-3", "@anna", 'a "b", c;\nd')


@pytest.mark.parametrize(
    ("words", "label"),
    [
        (["light"], "light"),
        (["light", "light", "severe"], "light"),
        (["none", "light", "destroyed"], "light"),
        (["light", "severe"], None),
        (["light", None], None),
        ([None, None, "none"], "not_assessed"),
        ([], None),
    ],
)
def test_the_label_that_stands_is_most_reviewers_word_or_open(words, label):
    by = {f"r{i}": said(f"r{i}", word) for i, word in enumerate(words)}
    assert consensus_label(by, None) == label


def test_an_adopted_grade_settles_what_reviewers_leave_open():
    by = {"a": said("a", "light"), "b": said("b", "severe")}
    assert (
        consensus_label(by, replace(said("case", "severe"), kind=AssessorKind.ADOPTED)) == "severe"
    )


def test_a_grade_that_was_taken_back_does_not_count():
    told = [said("anna", "light"), replace(said("anna", None, WITHDRAWN), is_withdrawn=True)]
    assert newest_by_reviewer(told) == {}
