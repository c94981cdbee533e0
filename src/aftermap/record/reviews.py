"""What reviewers decided of buildings, as rows: the newest, all of one building, and new ones.

Rows are only added (:mod:`aftermap.record.assessments`): a second thought is a row of its own.
Beside them: which reviewers were shown model grades, from when on none of their grades is blind.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

from aftermap.model.assessment import Assessment, Blinding
from aftermap.model.reviewer import name_folded
from aftermap.record import custody
from aftermap.record.assessments import (
    ASSESSMENT,
    GRADE_SHOWN,
    add_assessments,
    make_assessment_tables,
)
from aftermap.record.geopackage import GeoPackage, insert
from aftermap.record.upgrade import taken_back_by

SHOWN = "model grades shown"

_OF_BUILDING = """
SELECT * FROM assessment WHERE kind = 'reviewer' AND source_id = ? ORDER BY fid"""
_NEWEST = """
SELECT * FROM assessment
WHERE fid IN (SELECT max(fid) FROM assessment WHERE kind = 'reviewer' GROUP BY source_id, assessor)
ORDER BY fid"""
_SAME = """
SELECT fid FROM assessment
WHERE source_id = ? AND kind = 'reviewer' AND assessor = ? AND at = ? ORDER BY fid"""
_INDEX = "CREATE INDEX IF NOT EXISTS assessment_source ON assessment (source_id)"


class Showing(StrEnum):
    """How a reviewer was shown model grades: on the page, or in an exported file of labels."""

    PAGE = "page"
    EXPORT = "export"


class ReviewRow(NamedTuple):
    """A decision with its number in the record. ``at`` is UTC; ``reasons`` is JSON text.

    ``supersedes`` is the number of the row that it takes back; ``is_withdrawn``: none was left.
    """

    number: int
    reviewer: str
    grade: str | None
    not_assessed_reason: str | None
    note: str | None
    at: str
    reasons: str
    supersedes: int | None
    is_withdrawn: bool
    blinding: Blinding | None


class NewestReview(NamedTuple):
    """What a reviewer said last of a building."""

    source_id: str
    reviewer: str
    grade: str | None
    not_assessed_reason: str | None
    is_withdrawn: bool


def reviews_of(
    package: GeoPackage, source_id: str, *, reviewer: str | None = None
) -> list[ReviewRow]:
    """All that reviewers (or the one named) ever said of a building, the oldest first."""
    if not package.has_table(ASSESSMENT.name):
        return []
    rows = [_review(row) for row in _rows(package, _OF_BUILDING, (source_id,))]
    return [row for row in rows if reviewer in (None, row.reviewer)]


def newest_reviews(package: GeoPackage, *, reviewer: str | None = None) -> list[NewestReview]:
    """What each reviewer (or the one named) said last of each building, in the order of record."""
    if not package.has_table(ASSESSMENT.name):
        return []
    rows = [_newest(row) for row in _rows(package, _NEWEST)]
    return [row for row in rows if reviewer in (None, row.reviewer)]


def add_reviews(package: GeoPackage, reviews: Sequence[Assessment], *, actor: str) -> list[int]:
    """Add what reviewers decided as one batch; the number of each in the record.

    A decision that is there (same building, reviewer and time) is found and not added again.
    Raises CaseError where the record cannot be written.
    """
    new: list[Assessment] = []
    for one in reviews:
        if one not in new and not _numbers_of(package, one):
            new.append(one)
    if new:
        add_assessments(package, new, actor=actor)
        with package.transaction() as connection:
            connection.execute(_INDEX)
    return [_numbers_of(package, one)[-1] for one in reviews]


def add_review(package: GeoPackage, review: Assessment, *, actor: str) -> int:
    """Add one decision, even where another of the same time is there; its number.

    Raises CaseError where the record cannot be written.
    """
    add_assessments(package, [review], actor=actor)
    return _numbers_of(package, review)[-1]


def add_showing(package: GeoPackage, reviewer: str, how: Showing, *, actor: str) -> None:
    """Record that a reviewer ("" where nobody is named) is shown model grades, once for each.

    Raises CaseError where the record cannot be written.
    """
    if name_folded(reviewer) in shown_since(package):
        return
    make_assessment_tables(package)
    row = {"reviewer": reviewer, "how": how.value, "at": custody.utc_now()}
    with package.transaction() as connection:
        insert(connection, GRADE_SHOWN.name, row)
        custody.append(connection, actor=actor, action=SHOWN, detail={"how": how.value})


def shown_since(package: GeoPackage) -> dict[str, str]:
    """Reviewers who were shown model grades -> since when (UTC); names as in `name_folded`."""
    if not package.has_table(GRADE_SHOWN.name):
        return {}
    rows = package.rows("SELECT reviewer, at FROM grade_shown ORDER BY fid DESC")
    return {name_folded(reviewer): at for reviewer, at in rows}


def one_name_each(every: Iterable[Assessment]) -> list[Assessment]:
    """The grades with each reviewer under the name met first: Anna and anna are no two people."""
    names: dict[str, str] = {}
    return [
        replace(one, assessor=names.setdefault(name_folded(one.assessor), one.assessor))
        for one in every
    ]


def _rows(package: GeoPackage, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Whole rows of ``assessment`` by column; those of a record of format 1 have fewer."""
    names = package.columns(ASSESSMENT.name)
    return [dict(zip(names, row, strict=True)) for row in package.rows(sql, values)]


def _review(row: Mapping[str, Any]) -> ReviewRow:
    supersedes, is_withdrawn = taken_back_by(row)
    return ReviewRow(
        number=row["fid"],
        reviewer=row["assessor"],
        grade=row["grade"],
        not_assessed_reason=row["not_assessed_reason"],
        note=row["note"],
        at=row["at"],
        reasons=row["reasons"],
        supersedes=supersedes,
        is_withdrawn=is_withdrawn,
        blinding=Blinding(row["blind"]) if row.get("blind") else None,
    )


def _newest(row: Mapping[str, Any]) -> NewestReview:
    _, is_withdrawn = taken_back_by(row)
    return NewestReview(
        source_id=row["source_id"],
        reviewer=row["assessor"],
        grade=row["grade"],
        not_assessed_reason=row["not_assessed_reason"],
        is_withdrawn=is_withdrawn,
    )


def _numbers_of(package: GeoPackage, review: Assessment) -> list[int]:
    if not package.has_table(ASSESSMENT.name):
        return []
    found = package.rows(_SAME, (review.source_id, review.assessor, review.at))
    return [number for (number,) in found]
