"""Grades in the record, append-only: what the machine, each reviewer and the case itself say.

Nothing overwrites anything: a newer row stands beside the older one. Rows come in batches, and
each batch has an entry in the chain of custody with the digest of its rows. Beside them: which
samples were drawn, and which rows a model has learnt from. docs/reference/assessments.md.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aftermap.model.assessment import (
    Assessment,
    AssessorKind,
    Blinding,
    Grade,
    Reason,
    ReasonSide,
    Visibility,
)
from aftermap.model.sample import Draw, DrawnBuilding, DrawnStratum
from aftermap.record import custody
from aftermap.record.artefact import canonical_json, decode_artefact, encode_artefact
from aftermap.record.geopackage import GeoPackage, Table, add_table, has_table, insert
from aftermap.record.upgrade import ADDED_TO_ASSESSMENT, taken_back_by

ASSESSED = "assessed"
DRAWN = "sample drawn"
LEARNT = "learnt from labels"

ASSESSMENT = Table(
    name="assessment",
    description="Every grade that a machine, a reviewer or the case gave; rows are only added",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, batch INTEGER NOT NULL, source_id TEXT NOT NULL,
  kind TEXT NOT NULL, assessor TEXT NOT NULL, grade TEXT, grades TEXT NOT NULL,
  is_possible BOOLEAN NOT NULL, probabilities TEXT, confidence DOUBLE, visibility TEXT,
  reasons TEXT NOT NULL, not_assessed_reason TEXT, note TEXT, at TEXT NOT NULL,
  supersedes INTEGER, is_withdrawn BOOLEAN NOT NULL DEFAULT 0, blind TEXT""",
)
SAMPLE_DRAW = Table(
    name="sample_draw",
    description="Each probability sample that was drawn: seed, strata, and from which grades",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, drawn_at TEXT NOT NULL, seed INTEGER NOT NULL,
  machine_batch INTEGER NOT NULL, strata TEXT NOT NULL,
  never_seen INTEGER NOT NULL DEFAULT 0, replaces INTEGER""",
)
SAMPLE = Table(
    name="sample",
    description="The buildings of each drawn sample, with their probability of being drawn",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, draw INTEGER NOT NULL, source_id TEXT NOT NULL,
  stratum TEXT NOT NULL, inclusion_probability DOUBLE NOT NULL,
  graders INTEGER NOT NULL DEFAULT 1""",
)
LEARNING_LABEL = Table(
    name="learning_label",
    description="Grades that a model has learnt from; no total is estimated from them",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, assessment INTEGER NOT NULL, source_id TEXT NOT NULL,
  model_sha256 TEXT NOT NULL, at TEXT NOT NULL""",
)
GRADE_SHOWN = Table(
    name="grade_shown",
    description="When each reviewer was first shown model grades; later grades are not blind",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, reviewer TEXT NOT NULL, how TEXT NOT NULL, at TEXT NOT NULL""",
)
TABLES = (ASSESSMENT, SAMPLE_DRAW, SAMPLE, LEARNING_LABEL, GRADE_SHOWN)

_COLUMNS = (
    "source_id",
    "kind",
    "assessor",
    "grade",
    "grades",
    "is_possible",
    "probabilities",
    "confidence",
    "visibility",
    "reasons",
    "not_assessed_reason",
    "note",
    "at",
    "supersedes",
    "is_withdrawn",
    "blind",
)
_ADDED = frozenset(name for name, _ in ADDED_TO_ASSESSMENT)


@dataclass(frozen=True, kw_only=True)
class RecordedAssessment:
    """An assessment with its number in the record and the number of its batch."""

    number: int
    batch: int
    assessment: Assessment


def add_assessments(
    package: GeoPackage,
    assessments: Iterable[Assessment],
    *,
    actor: str,
    subject: str | None = None,
) -> int:
    """Add grades as one batch; its number. ``subject`` is the SHA-256 of the file they came in.

    A grade without a time gets the present one. An empty batch is recorded too: it was looked at.
    """
    now = custody.utc_now()
    rows = [_row(one, now) for one in assessments]
    make_assessment_tables(package)
    with package.transaction() as connection:
        (batch,) = connection.execute(
            "SELECT coalesce(max(batch), 0) + 1 FROM assessment"
        ).fetchone()
        for row in rows:
            insert(connection, ASSESSMENT.name, {"batch": batch, **row})
        detail = {
            "batch": batch,
            "rows": len(rows),
            "rows_sha256": _digest(rows),
            "kinds": sorted({row["kind"] for row in rows}),
        }
        custody.append(connection, actor=actor, action=ASSESSED, subject=subject, detail=detail)
    return int(batch)


def machine_grades(package: GeoPackage, batch: int | None = None) -> tuple[RecordedAssessment, ...]:
    """The machine's grades of one batch, the newest where none is named; empty where none are."""
    if batch is None:
        ((batch,),) = _rows(
            package, "SELECT max(batch) FROM assessment WHERE kind = 'machine'", ((None,),)
        )
    return _read_assessments(package, "kind = 'machine' AND batch = ?", (batch,))


def reviews(package: GeoPackage) -> tuple[RecordedAssessment, ...]:
    """All that reviewers ever said, in the order in which it was recorded."""
    return _read_assessments(package, "kind = 'reviewer'", ())


def accepted_grades(package: GeoPackage) -> dict[str, RecordedAssessment]:
    """What the case stands by: the newest adopted grade of each building that has one."""
    found = _read_assessments(package, "kind = 'adopted'", ())
    return {one.assessment.source_id: one for one in found}


def add_draw(package: GeoPackage, draw: Draw, *, actor: str) -> int:
    """Record a drawn sample; its number."""
    make_assessment_tables(package)
    with package.transaction() as connection:
        strata = canonical_json([asdict(one) for one in draw.strata])
        row = {
            "drawn_at": custody.utc_now(),
            "seed": draw.seed,
            "machine_batch": draw.machine_batch,
            "strata": strata,
            "never_seen": draw.never_seen,
            "replaces": draw.replaces,
        }
        number = insert(connection, "sample_draw", row)
        for building in draw.buildings:
            graders = 2 if building.source_id in draw.twice else 1
            row = {"draw": number, **asdict(building), "graders": graders}
            insert(connection, "sample", row)
        detail = {
            "draw": number,
            "seed": draw.seed,
            "rows": len(draw.buildings),
            "rows_sha256": _digest([asdict(one) for one in draw.buildings]),
            "twice": len(draw.twice),
        }
        custody.append(connection, actor=actor, action=DRAWN, detail=detail)
    return number


def newest_draw(package: GeoPackage) -> Draw | None:
    """The sample that was drawn last, if any was."""
    for row in _rows(package, "SELECT * FROM sample_draw ORDER BY fid DESC LIMIT 1"):
        told = dict(zip(package.columns(SAMPLE_DRAW.name), row, strict=True))
        buildings, twice = _drawn_buildings(package, told["fid"])
        return Draw(
            seed=told["seed"],
            machine_batch=told["machine_batch"],
            strata=tuple(DrawnStratum(**one) for one in json.loads(told["strata"])),
            buildings=buildings,
            twice=twice,
            never_seen=told.get("never_seen", 0),
            replaces=told.get("replaces"),
            number=told["fid"],
            drawn_at=told["drawn_at"],
        )
    return None


def replaced_samples(package: GeoPackage) -> tuple[int, ...]:
    """The numbers of all reviewed samples that a later one was drawn to replace."""
    if "replaces" not in package.columns(SAMPLE_DRAW.name):
        return ()
    sql = "SELECT DISTINCT replaces FROM sample_draw WHERE replaces IS NOT NULL ORDER BY replaces"
    return tuple(number for (number,) in _rows(package, sql))


def _drawn_buildings(
    package: GeoPackage, draw: int
) -> tuple[tuple[DrawnBuilding, ...], tuple[str, ...]]:
    """The buildings of a draw, and the ids of those for two reviewers (none before format 3)."""
    names = package.columns(SAMPLE.name)
    rows = package.rows("SELECT * FROM sample WHERE draw = ? ORDER BY fid", (draw,))
    told = [dict(zip(names, row, strict=True)) for row in rows]
    buildings = tuple(
        DrawnBuilding(
            source_id=one["source_id"],
            stratum=one["stratum"],
            inclusion_probability=one["inclusion_probability"],
        )
        for one in told
    )
    return buildings, tuple(one["source_id"] for one in told if one.get("graders", 1) > 1)


def add_learning_labels(
    package: GeoPackage, labels: Sequence[RecordedAssessment], *, model_sha256: str, actor: str
) -> None:
    """Record which rows a model has learnt from, so that no total is estimated from them."""
    make_assessment_tables(package)
    now = custody.utc_now()
    rows = [
        {
            "assessment": one.number,
            "source_id": one.assessment.source_id,
            "model_sha256": model_sha256,
            "at": now,
        }
        for one in labels
    ]
    with package.transaction() as connection:
        for row in rows:
            insert(connection, "learning_label", row)
        detail = {"rows": len(rows), "rows_sha256": _digest(rows)}
        custody.append(connection, actor=actor, action=LEARNT, subject=model_sha256, detail=detail)


def learning_labels(package: GeoPackage) -> dict[int, str]:
    """Numbers of the rows that a model has learnt from -> the SHA-256 of the (last) model."""
    return dict(_rows(package, "SELECT assessment, model_sha256 FROM learning_label ORDER BY fid"))


def changed_batches(package: GeoPackage) -> tuple[str, ...]:
    """Batches whose rows are not those that the chain of custody knows, one line each."""
    findings = []
    entries = package.rows("SELECT detail FROM custody WHERE action = ? ORDER BY seq", (ASSESSED,))
    known: set[int] = set()
    for (text,) in entries:
        detail = json.loads(text)
        batch = detail["batch"]
        known.add(batch)
        names = _columns_in(package)
        sql = f"SELECT {', '.join(names)} FROM assessment WHERE batch = ? ORDER BY fid"  # noqa: S608
        rows = [dict(zip(names, row, strict=True)) for row in _rows(package, sql, (), (batch,))]
        if _digest(rows) != detail["rows_sha256"]:
            findings.append(f"grades of batch {batch} were changed or removed after they came in")
    for (batch,) in _rows(package, "SELECT DISTINCT batch FROM assessment ORDER BY batch"):
        if batch not in known:
            findings.append(f"grades of batch {batch} have no entry in the chain of custody")
    return tuple(findings)


def make_assessment_tables(package: GeoPackage) -> None:
    """Make the tables of this module that the record does not have yet."""
    with package.transaction() as connection:
        for table in TABLES:
            if not has_table(connection, table.name):
                add_table(connection, table)
                for rule in _guards(table.name):
                    connection.execute(rule)
        connection.execute("CREATE INDEX IF NOT EXISTS assessment_batch ON assessment (batch)")


def _guards(table: str) -> list[str]:
    refusal = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only added'); END"
    return [
        f"CREATE TRIGGER {table}_is_never_{done} BEFORE {what} ON {table} {refusal}"
        for done, what in (("changed", "UPDATE"), ("removed", "DELETE"))
    ]


def _rows(
    package: GeoPackage,
    sql: str,
    without: Sequence[tuple[Any, ...]] = (),
    values: Sequence[Any] = (),
) -> list[tuple[Any, ...]]:
    """Rows of a query on these tables, or ``without`` where the case has none of them yet."""
    if not package.has_table(LEARNING_LABEL.name):
        return list(without)
    return package.rows(sql, values)


def _read_assessments(
    package: GeoPackage, which: str, values: Sequence[Any]
) -> tuple[RecordedAssessment, ...]:
    names = _columns_in(package)
    columns = ", ".join(("fid", "batch", *names))
    sql = f"SELECT {columns} FROM assessment WHERE {which} ORDER BY fid"  # noqa: S608 - ours
    return tuple(
        RecordedAssessment(
            number=number, batch=batch, assessment=_assessment(dict(zip(names, row, strict=True)))
        )
        for number, batch, *row in _rows(package, sql, (), values)
    )


def _columns_in(package: GeoPackage) -> tuple[str, ...]:
    """Those that this record has: one of format 1 has none of the added ones."""
    there = package.columns(ASSESSMENT.name)
    return tuple(name for name in _COLUMNS if name in there)


def _row(one: Assessment, now: str) -> dict[str, Any]:
    visibility = one.visibility and canonical_json(encode_artefact(one.visibility, root=None))
    probabilities = one.probabilities and canonical_json([float(p) for p in one.probabilities])
    return {
        "source_id": one.source_id,
        "kind": one.kind.value,
        "assessor": one.assessor,
        "grade": one.grade and one.grade.value,
        "grades": canonical_json([grade.value for grade in one.grades]),
        "is_possible": int(one.is_possible),
        "probabilities": probabilities,
        "confidence": None if one.confidence is None else float(one.confidence),
        "visibility": visibility,
        "reasons": canonical_json([_plain_reason(reason) for reason in one.reasons]),
        "not_assessed_reason": one.not_assessed_reason,
        "note": one.note,
        "at": one.at or now,
        "supersedes": one.supersedes,
        "is_withdrawn": int(one.is_withdrawn),
        "blind": one.blinding and one.blinding.value,
    }


def _assessment(data: Mapping[str, Any]) -> Assessment:
    probabilities, visibility = data["probabilities"], data["visibility"]
    supersedes, is_withdrawn = taken_back_by(data)
    return Assessment(
        source_id=data["source_id"],
        kind=AssessorKind(data["kind"]),
        assessor=data["assessor"],
        grade=None if data["grade"] is None else Grade(data["grade"]),
        grades=tuple(Grade(word) for word in json.loads(data["grades"])),
        is_possible=bool(data["is_possible"]),
        probabilities=None if probabilities is None else tuple(json.loads(probabilities)),
        confidence=data["confidence"],
        visibility=visibility and decode_artefact(Visibility, json.loads(visibility), root=None),
        reasons=tuple(_reason_of(plain) for plain in json.loads(data["reasons"])),
        not_assessed_reason=data["not_assessed_reason"],
        note=data["note"],
        at=data["at"],
        supersedes=supersedes,
        is_withdrawn=is_withdrawn,
        blinding=Blinding(data["blind"]) if data.get("blind") else None,
    )


def _plain_reason(one: Reason) -> str | dict[str, str]:
    """A reason as JSON: bare text for a note, as all reasons were before they had a side."""
    if one.side is ReasonSide.NOTE:
        return one.text
    return {"side": one.side.value, "text": one.text}


def _reason_of(plain: str | Mapping[str, str]) -> Reason:
    if isinstance(plain, str):
        return Reason(text=plain, side=ReasonSide.NOTE)
    return Reason(text=plain["text"], side=ReasonSide(plain["side"]))


def _digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Of the rows without added columns that say nothing: the same in every format."""
    kept = [{k: v for k, v in row.items() if v or k not in _ADDED} for row in rows]
    return hashlib.sha256(canonical_json(kept).encode()).hexdigest()
