"""Records as earlier versions of Aftermap wrote them."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from aftermap.model.assessment import Assessment, AssessorKind, Grade, Reason, ReasonSide
from aftermap.record import Case
from aftermap.record.assessments import add_assessments


def review(
    grade: Grade | None, *reasons: str, not_assessed_reason: str | None = None
) -> Assessment:
    """What anna says of the building B1."""
    return Assessment(
        source_id="B1",
        kind=AssessorKind.REVIEWER,
        assessor="anna",
        grade=grade,
        reasons=tuple(Reason(text=one, side=ReasonSide.NOTE) for one in reasons),
        not_assessed_reason=not_assessed_reason,
        at="2026-11-25T11:00:00Z",
    )


def case_of_format_1(path: Path, reviews: Sequence[Assessment]) -> Path:
    """A case whose table ``assessment`` has no column for what a row takes back."""
    with Case.create_or_open(path) as case:
        for one in reviews:
            add_assessments(case.package, [one], actor="test")
    with closing(sqlite3.connect(path / "case.gpkg")) as record:
        for column in ("supersedes", "is_withdrawn"):
            record.execute(f"ALTER TABLE assessment DROP COLUMN {column}")
        record.execute("UPDATE case_info SET value = '1' WHERE key = 'format_version'")
        record.commit()
    return path
