"""People's grades in and out as CSV, and what several reviewers' grades of a building come to.

Columns of the file: docs/reference/assessments.md. Written as UTF-8 with a byte order mark, so that
a spreadsheet reads every script; read with commas, semicolons or tabs. A line that cannot be used
is told with its number, and the rest goes on.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median_low

from aftermap.errors import InputError
from aftermap.model.assessment import GRADES, Assessment, AssessorKind, Blinding, Grade
from aftermap.model.reviewer import reviewer_name
from aftermap.model.runs import Skipped
from aftermap.model.sample import NOT_ASSESSED
from aftermap.model.spreadsheet import guarded, unguarded

ASKED = ("grade", "grades", "not_assessed_reason", "reviewer", "at", "note", "confidence", "blind")
"""What a reviewer fills in, beside ``source_id``."""
NEEDED = ("source_id", "grade", "reviewer")
PLACE = ("lon", "lat")
GRADERS = ("graders",)
MACHINE = ("machine_grade", "machine_confidence")
"""What an export shows beside that; none is read back."""
YES, NO = "yes", "no"
POSSIBLE = "possible"

_BYTE_ORDER_MARK = "\ufeff"
_DELIMITERS = (",", ";", "\t")
_SHORT = 40


@dataclass(frozen=True, kw_only=True)
class Label:
    """One line of a reviewer's file that can be used, with the number of that line."""

    line: int
    assessment: Assessment


@dataclass(frozen=True, kw_only=True)
class LabelFile:
    """What a file of labels holds: usable lines, those left out with reasons, and notes.

    ``empty`` counts lines that nobody has filled in yet. ``shows_model``: model grades stand beside
    the labels, none of which is blind.
    """

    labels: tuple[Label, ...]
    skipped: tuple[Skipped, ...]
    empty: int
    notes: tuple[str, ...]
    shows_model: bool = False


def labels_text(rows: Sequence[Mapping[str, object]], before: Sequence[str] = ()) -> str:
    """A file of labels to fill in: ``before`` are the columns beside those that are asked.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it; plain numbers,
    as negative ids are, stay as they are.
    """
    stream = io.StringIO()
    stream.write(_BYTE_ORDER_MARK)
    columns = ("source_id", *before, *ASKED)
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([guarded(row.get(name)) for name in columns])
    return stream.getvalue()


def labels_in(
    path: Path,
    known: Collection[str],
    reviewer: str | None = None,
    *,
    is_blind: bool | None = None,
) -> LabelFile:
    """The labels of a file. ``known`` are the ids of the case's buildings.

    ``reviewer`` signs the lines that name none; ``is_blind`` declares of those that do not say so
    themselves whether they were given without sight of model grades (None: nothing is declared).
    Raises :class:`InputError` where the file as a whole cannot be used: not readable, not UTF-8,
    empty, without the columns, or declared blind although it shows model grades.
    """
    rows, columns = label_rows(path)
    _check_columns(path, columns, reviewer)
    shows_model = any(row.get(name) for _, row in rows for name in MACHINE)
    said = {None: "", True: YES, False: NO}[is_blind]
    if shows_model:
        said = _blind_beside_model(path, rows, said)
    labels, skipped, empty = [], [], 0
    for line, row in rows:
        found = _label(line, {**row, "blind": row.get("blind") or said}, known, reviewer)
        if isinstance(found, Label):
            labels.append(found)
        elif found is None:
            empty += 1
        else:
            skipped.append(Skipped(name=f"{path.name}, line {line}", reason=found))
    notes = (*_told_twice(path, labels), *_not_read(path, columns))
    return LabelFile(
        labels=tuple(labels),
        skipped=tuple(skipped),
        empty=empty,
        notes=notes,
        shows_model=shows_model,
    )


def _not_read(path: Path, columns: Sequence[str]) -> Iterator[str]:
    """A note that names the columns that nothing is read from, if there are any."""
    read = {"source_id", *ASKED, *PLACE, *GRADERS, *MACHINE}
    extra = [name for name in columns if name not in read]
    if extra:
        yield f"{path.name}: not read: the columns {', '.join(extra)}"


def _blind_beside_model(
    path: Path, rows: Sequence[tuple[int, Mapping[str, str]]], said: str
) -> str:
    """What is declared of labels beside model grades; raises InputError where it is blind."""
    if YES in {said, *(row.get("blind", "").casefold() for _, row in rows)}:
        raise InputError(
            f"{path}: shows model grades (column {MACHINE[0]}), so its grades are not blind; "
            f"import it with --blind {NO}, or have a file without that column graded"
        )
    return NO


def filled_lines(path: Path) -> int | None:
    """How many lines of a file of labels hold more than ids, places and a reviewer's name.

    None where the file is none of labels.
    """
    try:
        rows, columns = label_rows(path)
    except InputError:
        return None
    if not {"source_id", "grade"} <= set(columns):
        return None
    said = [name for name in ASKED if name not in ("reviewer", "at", "blind")]
    return sum(any(row.get(name) for name in said) for _, row in rows)


def label_rows(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """Lines with their numbers, and the names of the columns in small letters."""
    text = _text_of(path)
    first = next(iter(text.splitlines()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        columns = [cell.strip().casefold() for cell in next(reader, [])]
        rows = [
            (reader.line_num, {n: unguarded(c.strip()) for n, c in zip(columns, row, strict=False)})
            for row in reader
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise InputError(
            f"{path}: cannot be read as CSV ({error}); save it again as CSV UTF-8"
        ) from error
    return rows, columns


def _text_of(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}); name a CSV file of labels"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is not UTF-8 (byte {error.start}); save it as CSV UTF-8 and import it again"
        ) from error
    if "\0" in text:
        raise InputError(f"{path}: is no text file; save it as CSV UTF-8 and import it again")
    if not text.strip():
        raise InputError(f"{path}: is empty; export a file with aftermap review export first")
    return text


def _check_columns(path: Path, columns: Sequence[str], reviewer: str | None) -> None:
    needed = [name for name in NEEDED if name != "reviewer" or reviewer is None]
    missing = [name for name in needed if name not in columns]
    if missing:
        hint = " (or name one reviewer for all with --reviewer)" if "reviewer" in missing else ""
        raise InputError(
            f"{path}: has no column {', '.join(missing)}{hint}; its first line must name "
            f"{', '.join(needed)}, and may name {', '.join(n for n in ASKED if n not in needed)}"
        )
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise InputError(f"{path}: has the column {', '.join(twice)} twice; keep one of them")


def _label(
    line: int, row: Mapping[str, str], known: Collection[str], reviewer: str | None
) -> Label | str | None:
    """A label, or why the line is no label, or None where it was not filled in."""
    if not row.get("grade") and not row.get("grades") and not row.get("not_assessed_reason"):
        return None
    try:
        return Label(line=line, assessment=_assessment(row, known, reviewer))
    except _LineError as error:
        return str(error)


class _LineError(Exception):
    """Why a line cannot be used; told to the user with its number."""


def _assessment(row: Mapping[str, str], known: Collection[str], reviewer: str | None) -> Assessment:
    source_id = row.get("source_id", "")
    if source_id not in known:
        shown = f"{source_id!r:.{_SHORT}}" if source_id else "an empty source_id"
        raise _LineError(f"{shown} is not a building of the case; use the ids of the export")
    if not (row.get("reviewer") or reviewer):
        raise _LineError(f"{source_id}: names no reviewer; add one")
    try:
        name = reviewer_name(row.get("reviewer") or reviewer or "")
    except InputError as error:
        raise _LineError(f"{source_id}: {error}") from error
    grade, grades = _grades(row, source_id)
    reason = row.get("not_assessed_reason") or None
    if grade is not None and reason:
        raise _LineError(f"{source_id}: has a grade and a not_assessed_reason; keep one of them")
    if grade is None and not reason:
        raise _LineError(f"{source_id}: is {NOT_ASSESSED} without a not_assessed_reason; give one")
    return Assessment(
        source_id=source_id,
        kind=AssessorKind.REVIEWER,
        assessor=name,
        grade=grade,
        grades=grades,
        is_possible=Grade.NONE in grades and len(grades) > 1,
        confidence=_confidence(row.get("confidence", ""), source_id),
        not_assessed_reason=reason,
        note=row.get("note") or None,
        at=_time(row.get("at", ""), source_id),
        blinding=_blinding(row.get("blind", ""), source_id),
    )


def _blinding(text: str, source_id: str) -> Blinding | None:
    """What is declared of a label; None where nothing is."""
    known = {"": None, YES: Blinding.DECLARED, NO: Blinding.NOT_BLIND}
    if text.casefold() not in known:
        raise _LineError(f"{source_id}: blind {text!r:.{_SHORT}} is neither {YES} nor {NO}")
    return known[text.casefold()]


def _grades(row: Mapping[str, str], source_id: str) -> tuple[Grade | None, tuple[Grade, ...]]:
    """The grade and the run of grades that the reviewer holds possible."""
    word = row.get("grade", "").casefold().replace(" ", "_")
    words = [
        w.casefold() for w in row.get("grades", "").replace(",", " ").replace(";", " ").split()
    ]
    if POSSIBLE in (word, *words):
        raise _LineError(
            f"{source_id}: possible is an uncertainty and no grade; give the most probable grade, "
            "and in grades all that it may be"
        )
    if word in ("", NOT_ASSESSED):
        if words:
            raise _LineError(f"{source_id}: has grades but no grade; give the most probable one")
        return None, ()
    unknown = [w for w in (word, *words) if w not in set(GRADES)]
    if unknown:
        raise _LineError(
            f"{source_id}: {unknown[0]!r:.{_SHORT}} is no grade; one of {', '.join(GRADES)} or "
            f"{NOT_ASSESSED} is asked"
        )
    places = sorted({GRADES.index(Grade(w)) for w in (word, *words)})
    if places[-1] - places[0] != len(places) - 1:
        raise _LineError(f"{source_id}: its grades skip one in between; add that as well")
    return Grade(word), tuple(GRADES[place] for place in places)


def _confidence(text: str, source_id: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise _LineError(f"{source_id}: confidence {text!r:.{_SHORT}} is no number from 0 to 1")
    return value


def _time(text: str, source_id: str) -> str | None:
    """A time in UTC; without a zone it is taken to be UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _LineError(
            f"{source_id}: at {text!r:.{_SHORT}} is no ISO 8601 time, such as 2024-05-01T10:00:00Z"
        ) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _told_twice(path: Path, labels: Sequence[Label]) -> Iterator[str]:
    last: dict[tuple[str, str], int] = {}
    for label in labels:
        key = (label.assessment.assessor, label.assessment.source_id)
        if key in last:
            yield (
                f"{path.name}, line {label.line}: {key[0]} grades {key[1]} again (before on line "
                f"{last[key]}); both are kept, and the later one counts"
            )
        last[key] = label.line


def newest_by_reviewer(
    reviews: Iterable[Assessment],
) -> dict[str, dict[str, Assessment]]:
    """By building and reviewer what they said last; a grade that was taken back is not there."""
    found: dict[str, dict[str, Assessment]] = {}
    for one in reviews:
        by = found.setdefault(one.source_id, {})
        if one.is_withdrawn:
            by.pop(one.assessor, None)
        else:
            by[one.assessor] = one
    return {name: by for name, by in found.items() if by}


def grades_by_reviewer(
    newest: Mapping[str, Mapping[str, Assessment]],
) -> dict[str, dict[str, Grade]]:
    """The same with grades only, as the figures of agreement take them."""
    graded = {
        name: {who: one.grade for who, one in by.items() if one.grade is not None}
        for name, by in newest.items()
    }
    return {name: by for name, by in graded.items() if by}


def consensus_label(
    by_reviewer: Mapping[str, Assessment], adopted: Assessment | None
) -> str | None:
    """The label that stands for a building: a grade, "not_assessed", or None where it is open.

    The adopted grade, where there is one. Else what most reviewers say; where no word has most, the
    middle grade of an odd number of reviewers who all gave one; else it is open until one is
    adopted.
    """
    if adopted is not None:
        return adopted.grade.value if adopted.grade is not None else NOT_ASSESSED
    words = [NOT_ASSESSED if o.grade is None else o.grade.value for o in by_reviewer.values()]
    if not words:
        return None
    most = max(words, key=words.count)
    if 2 * words.count(most) > len(words):
        return most
    if len(words) % 2 and NOT_ASSESSED not in words:
        return GRADES[median_low([GRADES.index(Grade(word)) for word in words])].value
    return None


def same_word(one: Assessment, other: Assessment) -> bool:
    """Whether two labels of a reviewer say the same, whenever they were given."""
    names = ("grade", "grades", "not_assessed_reason", "note", "confidence")
    return all(getattr(one, name) == getattr(other, name) for name in names)
