"""Grades in the record: rows are only added, and what came in cannot be changed unnoticed."""

import sqlite3
from dataclasses import replace

import pytest

from aftermap.model.assessment import (
    Assessment,
    AssessorKind,
    Grade,
    Reason,
    ReasonSide,
    Visibility,
)
from aftermap.model.sample import Draw, DrawnBuilding, DrawnStratum
from aftermap.record import Case
from aftermap.record.assessments import (
    accepted_grades,
    add_assessments,
    add_draw,
    add_learning_labels,
    changed_batches,
    learning_labels,
    machine_grades,
    newest_draw,
    reviews,
)
from aftermap.record.custody import entries_of, verify_chain
from aftermap.record.verification import findings_in

MACHINE = Assessment(
    source_id="بيت 1",
    kind=AssessorKind.MACHINE,
    assessor="model 1",
    grade=Grade.SEVERE,
    grades=(Grade.SEVERE, Grade.DESTROYED),
    probabilities=(0.0, 0.05, 0.1, 0.6, 0.25),
    confidence=0.6,
    reasons=(
        Reason(text="roof plane residual 0.8 m", side=ReasonSide.FOR),
        Reason(text="rubble apron on 1 of 4 sides", side=ReasonSide.AGAINST),
    ),
    at="2026-11-25T10:00:00.000Z",
    visibility=Visibility(
        roof_fraction=0.9, views=7, facades=2, ground_sample_m=0.03, surface_photographs=None
    ),
)
REVIEW = Assessment(
    source_id="بيت 1",
    kind=AssessorKind.REVIEWER,
    assessor="anna",
    grade=Grade.DESTROYED,
    note="floors lie on each other",
    confidence=1,
    at="2026-11-25T11:00:00Z",
)
UNSEEN = Assessment(
    source_id="2",
    kind=AssessorKind.MACHINE,
    assessor="model 1",
    grade=None,
    not_assessed_reason="roof not seen",
)
SLIPPED_IN = """
INSERT INTO assessment (batch, source_id, kind, assessor, grades, is_possible, reasons, at)
VALUES (2, 'x', 'reviewer', 'eve', '[]', 0, '[]', '')"""
DRAW = Draw(
    seed=3,
    machine_batch=1,
    strata=(DrawnStratum(name="severe", buildings=4, drawn=1),),
    buildings=(DrawnBuilding(source_id="2", stratum="severe", inclusion_probability=0.25),),
)


class Quiet:
    def stage(self, name): ...
    def advance(self, *_): ...
    def note(self, text): ...


def test_reasons_from_before_they_had_a_side_are_read_as_notes(case):
    note = Reason(text="roof plane residual 0.8 m", side=ReasonSide.NOTE)
    add_assessments(case.package, [replace(MACHINE, reasons=(note,))], actor="test")
    assert case.package.rows("SELECT reasons FROM assessment") == [(f'["{note.text}"]',)]
    assert machine_grades(case.package)[0].assessment.reasons == (note,)


def test_what_was_added_is_read_again(case):
    batch = add_assessments(case.package, [MACHINE, UNSEEN], actor="test")
    found = machine_grades(case.package)
    assert [one.batch for one in found] == [batch, batch]
    assert found[0].assessment == MACHINE
    assert replace(found[1].assessment, at=None) == UNSEEN
    assert found[1].assessment.at.endswith("Z")


def test_a_new_case_has_no_grades_and_asking_writes_nothing(case):
    assert machine_grades(case.package) == ()
    assert reviews(case.package) == ()
    assert accepted_grades(case.package) == {}
    assert newest_draw(case.package) is None
    assert learning_labels(case.package) == {}
    assert not case.package.rows("SELECT 1 FROM sqlite_master WHERE name = 'assessment'")


def test_the_machines_newest_run_stands_and_earlier_ones_stay(case):
    first = add_assessments(case.package, [MACHINE, UNSEEN], actor="test")
    add_assessments(case.package, [replace(MACHINE, grade=Grade.LIGHT)], actor="test")
    assert [k.assessment.grade for k in machine_grades(case.package)] == [Grade.LIGHT]
    assert len(machine_grades(case.package, first)) == 2


def test_machine_reviewer_and_adopted_grade_stand_side_by_side(case):
    adopted = replace(REVIEW, kind=AssessorKind.ADOPTED, grade=Grade.SEVERE)
    add_assessments(case.package, [MACHINE], actor="test")
    add_assessments(case.package, [REVIEW], actor="test", subject="c" * 64)
    add_assessments(case.package, [adopted], actor="test")
    assert machine_grades(case.package)[0].assessment.grade is Grade.SEVERE
    assert [k.assessment for k in reviews(case.package)] == [REVIEW]
    assert accepted_grades(case.package)["بيت 1"].assessment == adopted


@pytest.mark.parametrize("table", ["assessment", "sample_draw", "sample", "learning_label"])
@pytest.mark.parametrize("change", ["UPDATE {} SET fid = 99", "DELETE FROM {}"])
def test_rows_can_be_neither_changed_nor_removed(case, table, change):
    add_assessments(case.package, [MACHINE], actor="test")
    add_draw(case.package, DRAW, actor="test")
    add_learning_labels(
        case.package, machine_grades(case.package), model_sha256="d" * 64, actor="test"
    )
    with (
        pytest.raises(sqlite3.IntegrityError, match="only added"),
        case.package.transaction() as connection,
    ):
        connection.execute(change.format(table))


def test_every_batch_has_its_entry_in_the_chain(case):
    add_assessments(case.package, [MACHINE], actor="test")
    add_assessments(case.package, [REVIEW], actor="test", subject="c" * 64)
    add_draw(case.package, DRAW, actor="test")
    entries = entries_of(case.package)
    assert [e.action for e in entries[-3:]] == ["assessed", "assessed", "sample drawn"]
    assert entries[-2].subject == "c" * 64
    assert "anna" not in entries[-2].detail
    assert verify_chain(entries) == ()
    assert changed_batches(case.package) == ()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE assessment SET grade = 'none' WHERE batch = 2",
        "DELETE FROM assessment WHERE batch = 2",
        SLIPPED_IN,
    ],
)
def test_a_grade_that_was_changed_from_outside_is_found(tmp_path, change):
    path = tmp_path / "case"
    with Case.create_or_open(path) as case:
        add_assessments(case.package, [MACHINE], actor="test")
        add_assessments(case.package, [REVIEW], actor="test")
    connection = sqlite3.connect(path / "case.gpkg")
    with connection:
        connection.execute("DROP TRIGGER assessment_is_never_changed")
        connection.execute("DROP TRIGGER assessment_is_never_removed")
        connection.execute(change)
    connection.close()
    with Case.open_to_read(path) as case:
        assert findings_in(case, Quiet()) == (
            "grades of batch 2 were changed or removed after they came in",
        )


def test_a_drawn_sample_is_read_again(case):
    number = add_draw(case.package, DRAW, actor="test")
    add_draw(case.package, replace(DRAW, seed=4), actor="test")
    found = newest_draw(case.package)
    assert (found.seed, found.number) == (4, number + 1)
    assert (found.strata, found.buildings) == (DRAW.strata, DRAW.buildings)
    assert found.drawn_at.endswith("Z")


def test_labels_that_a_model_learnt_from_are_known_by_their_row(case):
    add_assessments(case.package, [REVIEW, replace(REVIEW, assessor="ben")], actor="test")
    anna, _ = reviews(case.package)
    add_learning_labels(case.package, [anna], model_sha256="e" * 64, actor="test")
    assert learning_labels(case.package) == {anna.number: "e" * 64}
