"""Records as earlier versions of Aftermap wrote them."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from aftermap.model.assessment import Assessment, AssessorKind, Grade, Reason, ReasonSide
from aftermap.model.sample import Draw, DrawnBuilding, DrawnStratum
from aftermap.record import Case
from aftermap.record.assessments import add_assessments, add_draw

DRAW = Draw(
    seed=3,
    machine_batch=1,
    strata=(DrawnStratum(name="severe", buildings=4, drawn=1),),
    buildings=(DrawnBuilding(source_id="B1", stratum="severe", inclusion_probability=0.25),),
)
ADDED_LATER = {
    "assessment": ("supersedes", "is_withdrawn", "blind"),
    "sample": ("graders",),
    "sample_draw": ("never_seen", "replaces"),
}


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
    """A case whose tables have none of the columns of later formats, with a drawn sample."""
    with Case.create_or_open(path) as case:
        add_draw(case.package, DRAW, actor="test")
        for one in reviews:
            add_assessments(case.package, [one], actor="test")
    with closing(sqlite3.connect(path / "case.gpkg")) as record:
        for table, columns in ADDED_LATER.items():
            for column in columns:
                record.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        record.execute("DROP TABLE grade_shown")
        record.execute("DELETE FROM gpkg_contents WHERE table_name = 'grade_shown'")
        record.execute("UPDATE case_info SET value = '1' WHERE key = 'format_version'")
        record.commit()
    return path
