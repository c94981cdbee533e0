"""A record of format 1, whose reviewers took grades back in words, is read, and then upgraded."""

from dataclasses import replace
from pathlib import Path

import pytest
from old_records import DRAW, case_of_format_1, review

from aftermap.model.assessment import WITHDRAWN, Blinding, Grade
from aftermap.record import Case
from aftermap.record.assessments import (
    add_assessments,
    add_draw,
    changed_batches,
    newest_draw,
    reviews,
)
from aftermap.record.custody import entries_of, verify_chain
from aftermap.record.reviews import (
    Showing,
    add_showing,
    newest_reviews,
    reviews_of,
    shown_since,
)
from aftermap.record.upgrade import FORMAT_VERSION, format_of, upgrade_record

OF_FORMAT_1 = (
    review(Grade.LIGHT),
    review(Grade.SEVERE),
    review(Grade.LIGHT, "takes back row 2"),
    review(None, "takes back row 1", not_assessed_reason=WITHDRAWN),
)


@pytest.fixture
def old_case(tmp_path: Path) -> Path:
    return case_of_format_1(tmp_path / "case", OF_FORMAT_1)


def told(case: Case) -> list[tuple[int, int | None, bool]]:
    return [
        (one.number, one.supersedes, one.is_withdrawn) for one in reviews_of(case.package, "B1")
    ]


TOLD = [(1, None, False), (2, None, False), (3, 2, False), (4, 1, True)]


def test_a_record_of_format_1_is_read_as_it_is(old_case):
    before = (old_case / "case.gpkg").read_bytes()
    with Case.open_to_read(old_case) as case:
        assert format_of(case.package) == 1
        assert told(case) == TOLD
        assert [one.is_withdrawn for one in newest_reviews(case.package)] == [True]
        assert [one.assessment.supersedes for one in reviews(case.package)] == [None, None, 2, 1]
        assert changed_batches(case.package) == ()
    assert (old_case / "case.gpkg").read_bytes() == before


def test_the_first_that_writes_upgrades_it_and_nothing_else_changes(old_case):
    with Case.open_to_read(old_case) as case:
        rows = case.package.rows("SELECT * FROM assessment ORDER BY fid")
    with Case.create_or_open(old_case) as case:
        assert format_of(case.package) == FORMAT_VERSION
        assert told(case) == TOLD
        names = ", ".join(case.package.columns("assessment")[:-3])
        assert case.package.rows(f"SELECT {names} FROM assessment ORDER BY fid") == rows  # noqa: S608
        assert changed_batches(case.package) == ()
        *_, entry = entries_of(case.package)
        assert (entry.action, entry.detail) == ("record upgraded", '{"from":1,"to":3}')
        assert verify_chain(entries_of(case.package)) == ()
        count = len(entries_of(case.package))
        upgrade_record(case.package, actor="test")
        assert len(entries_of(case.package)) == count


def test_grades_and_samples_from_before_are_not_known_to_be_blind(old_case):
    for opened in (Case.open_to_read, Case.create_or_open):
        with opened(old_case) as case:
            assert {one.assessment.blinding for one in reviews(case.package)} == {None}
            assert {one.blinding for one in reviews_of(case.package, "B1")} == {None}
            draw = newest_draw(case.package)
            assert (draw.never_seen, draw.replaces) == (0, None)
            assert draw.twice == ()
            assert shown_since(case.package) == {}
    with Case.create_or_open(old_case) as case:
        add_showing(case.package, "Anna", Showing.PAGE, actor="test")
        first = shown_since(case.package)
        add_showing(case.package, "anna", Showing.EXPORT, actor="test")
        assert shown_since(case.package) == first
        assert set(first) == {"anna"}
        blind = replace(review(Grade.LIGHT), blinding=Blinding.BLIND)
        add_assessments(case.package, [blind], actor="test")
        assert reviews(case.package)[-1].assessment.is_blind
        add_draw(case.package, replace(DRAW, never_seen=7, replaces=1, twice=("B1",)), actor="test")
        draw = newest_draw(case.package)
        assert (draw.never_seen, draw.replaces, draw.twice) == (7, 1, ("B1",))
        assert changed_batches(case.package) == ()


def test_a_row_that_was_made_to_take_another_back_is_found(old_case):
    with Case.create_or_open(old_case) as case, case.package.transaction() as connection:
        connection.execute("DROP TRIGGER assessment_is_never_changed")
        connection.execute("UPDATE assessment SET supersedes = 1 WHERE fid = 2")
    with Case.open_to_read(old_case) as case:
        (found,) = changed_batches(case.package)
    assert found.startswith("grades of batch 2")


def test_words_of_a_reviewer_take_nothing_back(tmp_path):
    with Case.create_or_open(tmp_path / "case") as case:
        written = review(None, not_assessed_reason=WITHDRAWN)
        add_assessments(case.package, [review(Grade.LIGHT), written], actor="test")
        assert told(case) == [(1, None, False), (2, None, False)]
