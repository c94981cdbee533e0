"""Decisions of reviewers, written to the record at once, durably, and one after the other.

All writing of the server goes through one thread with one connection. What has come in meanwhile
is written together: one transaction, synced to the disk, before anyone is told that it is saved
(SQLite with a write-ahead log and ``synchronous = FULL``). A run that maps the case at the same
time takes its turn by SQLite's own locks.

Whether a grade is blind is decided here, in that thread: it is, unless model grades were shown to
its reviewer before. Nothing that a browser says of it is asked for.

Nothing is removed: an undo is a new row that says what holds again, and whose ``supersedes`` names
the row that it takes back.
"""

import queue
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aftermap.errors import AftermapError, InputError
from aftermap.model.assessment import (
    WITHDRAWN,
    Assessment,
    AssessorKind,
    Blinding,
    Grade,
    Reason,
    ReasonSide,
)
from aftermap.model.reviewer import name_folded
from aftermap.record.case import ACTOR
from aftermap.record.custody import utc_now
from aftermap.record.geopackage import GeoPackage
from aftermap.record.reviews import (
    ReviewRow,
    add_review,
    add_reviews,
    reviews_of,
    shown_since,
)
from aftermap.record.upgrade import upgrade_record
from aftermap.web.responses import SavedReview

Value = TypeVar("Value")

MOST_TOGETHER = 500
CLOCKS_APART = timedelta(days=1)
"""A browser whose clock is further off is not believed."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a reviewer decided of a building. ``grade`` None needs a reason.

    ``was_shown``: model grades were sent to the browser that it came from.
    """

    source_id: str
    reviewer: str
    grade: Grade | None
    not_assessed_reason: str | None = None
    note: str | None = None
    at: str | None = None
    was_shown: bool = False


@dataclass(frozen=True, kw_only=True)
class Undo:
    """A reviewer takes back the last that they decided of a building."""

    source_id: str
    reviewer: str
    at: str | None = None
    was_shown: bool = False


@dataclass(frozen=True, kw_only=True)
class _Asked:
    work: Decision | Undo | Callable[[GeoPackage], Any]
    answer: "Future[Any]"


class Writer:
    """The one thread that writes to the record of a case."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._package: GeoPackage | None = None
        self._thread = threading.Thread(target=self._write_all, name="writer", daemon=True)
        self._thread.start()

    def decide(self, work: Decision | Undo) -> "Future[SavedReview]":
        """Resolves once the decision is on the disk; fails where it could not be written."""
        return self._ask(work)

    def write(self, work: Callable[[GeoPackage], Value]) -> "Future[Value]":
        """Does any other writing in its turn."""
        return self._ask(work)

    def close(self) -> None:
        """Write what has come in, and leave one clean file."""
        self._asked.put(None)
        self._thread.join()

    def _ask(self, work: Decision | Undo | Callable[[GeoPackage], Any]) -> "Future[Any]":
        answer: Future[Any] = Future()
        self._asked.put(_Asked(work=work, answer=answer))
        return answer

    def _write_all(self) -> None:
        while True:
            first = self._asked.get()
            together = [first]
            with suppress(queue.Empty):
                while len(together) < MOST_TOGETHER:
                    together.append(self._asked.get_nowait())
            for group in _groups([one for one in together if one is not None]):
                self._answer(group)
            if None in together:
                break
        if self._package is not None:
            self._package.close()

    def _answer(self, group: Sequence[_Asked]) -> None:
        try:
            package = self._open()
            first = group[0].work
            if isinstance(first, Decision):
                works = [one.work for one in group if isinstance(one.work, Decision)]
                answers: Sequence[Any] = _write_decisions(package, works)
            elif isinstance(first, Undo):
                answers = [_take_back(package, first)]
            else:
                answers = [first(package)]
        except (AftermapError, OSError) as error:
            for one in group:
                one.answer.set_exception(error)
            return
        for one, answer in zip(group, answers, strict=True):
            one.answer.set_result(answer)

    def _open(self) -> GeoPackage:
        if self._package is None:
            package = GeoPackage(self._record, read_only=False, again=True)
            package.log_ahead()
            upgrade_record(package, actor=ACTOR)
            self._package = package
        return self._package


def _groups(asked: Sequence[_Asked]) -> list[list[_Asked]]:
    """Neighbouring decisions together; everything else alone."""
    groups: list[list[_Asked]] = []
    for one in asked:
        if groups and isinstance(one.work, Decision) and isinstance(groups[-1][0].work, Decision):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _write_decisions(package: GeoPackage, works: Sequence[Decision]) -> list[SavedReview]:
    """Decisions written in one transaction. One that is sent again is found, not written twice."""
    shown = shown_since(package)
    rows = [_assessment(work, shown) for work in works]
    numbers = add_reviews(package, rows, actor=ACTOR)
    return [_saved(number, row) for number, row in zip(numbers, rows, strict=True)]


def _take_back(package: GeoPackage, work: Undo) -> SavedReview:
    """Write what holds again once the last of a reviewer's decisions is taken back.

    Raises InputError where there is none left.
    """
    standing: list[ReviewRow] = []
    for row in reviews_of(package, work.source_id, reviewer=work.reviewer):
        if row.supersedes is None:
            standing.append(row)
        else:
            standing = [one for one in standing if one.number != row.supersedes]
    if not standing:
        raise InputError(f"{work.source_id}: you have no grade to undo")
    taken = standing.pop()
    before = standing[-1] if standing else None
    held = _assessment(
        Decision(
            source_id=work.source_id,
            reviewer=work.reviewer,
            note=before and before.note,
            at=work.at,
            grade=Grade(before.grade) if before and before.grade else None,
            not_assessed_reason=before.not_assessed_reason if before else WITHDRAWN,
            was_shown=work.was_shown,
        ),
        shown_since(package),
    )
    why = Reason(text=f"takes back row {taken.number}", side=ReasonSide.NOTE)
    held = replace(held, reasons=(why,), supersedes=taken.number, is_withdrawn=before is None)
    return _saved(add_review(package, held, actor=ACTOR), held)


def _assessment(work: Decision, shown: Collection[str]) -> Assessment:
    """The row of a decision. ``shown`` are the reviewers who were shown model grades."""
    is_blind = not work.was_shown and name_folded(work.reviewer) not in shown
    return Assessment(
        source_id=work.source_id,
        kind=AssessorKind.REVIEWER,
        assessor=work.reviewer,
        grade=work.grade,
        grades=() if work.grade is None else (work.grade,),
        not_assessed_reason=None if work.grade is not None else work.not_assessed_reason,
        note=work.note,
        at=_time_of(work.at),
        blinding=Blinding.BLIND if is_blind else Blinding.NOT_BLIND,
    )


def _time_of(at: str | None) -> str:
    """The browser's time of the decision where it can be right, else this computer's."""
    with suppress(ValueError):
        told = datetime.fromisoformat(at or "")
        if told.tzinfo is not None and abs(datetime.now(UTC) - told) <= CLOCKS_APART:
            return told.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return utc_now()


def _saved(number: int, row: Assessment) -> SavedReview:
    return SavedReview(
        number=number,
        grade=row.grade,
        not_assessed_reason=row.not_assessed_reason,
        is_withdrawn=row.is_withdrawn,
        blinding=row.blinding,
        note=row.note,
        at=row.at or "",
    )
