"""What was asked, what came out, and what was left out and why; and who does the work."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class SkipReason(StrEnum):
    """Why something was left out, where code decides by it; ``Skipped.reason`` is for people."""

    NOT_LOCATED = "not_located"
    NO_TELEMETRY = "no_telemetry"


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Something that was left out. It is listed with its reason, never dropped quietly.

    ``code`` is given where code decides by it; ``reason`` is never compared.
    """

    name: str
    reason: str
    sha256: str | None = None
    code: SkipReason | None = None


NAMED_SKIPPED = 20
"""So many left out for one reason are named each; beyond that they are counted."""


def skipped_in_order(
    names: Sequence[str], reasons: Mapping[int, str], noun: str
) -> tuple[Skipped, ...]:
    """What was left out of a file, by its place there; many of one ``noun`` and reason counted."""
    counts: dict[str, int] = {}
    out = []
    for place, reason in sorted(reasons.items()):
        counts[reason] = counts.get(reason, 0) + 1
        if counts[reason] <= NAMED_SKIPPED:
            out.append(Skipped(name=names[place], reason=reason))
    for reason, count in counts.items():
        more = count - NAMED_SKIPPED
        if more > 0:
            name = f"{more:,} more {noun}{'' if more == 1 else 's'}"
            out.append(Skipped(name=name, reason=f"each {reason}"))
    return tuple(out)


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """What one stage cost and which code made it. ``reused`` means an earlier answer still held."""

    stage: str
    version: int
    key: str
    started_at: str
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int
    reused: bool


class Executor(Protocol):
    """Does independent pieces of work: on this machine's cores today, on a cluster tomorrow."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], *, label: str
    ) -> Iterator[Result]:
        """Yield ``work(item)`` for every item, in the order of the items, showing progress."""
        ...


class Progress(Protocol):
    """Says how far the work has come, to a person who waits."""

    def stage(self, name: str) -> None:
        """Name the stage that starts now."""
        ...

    def advance(self, label: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` pieces of the work called ``label`` are finished."""
        ...

    def note(self, text: str) -> None:
        """Say one thing that a person who waits wants to know."""
        ...


class Workspace(Protocol):
    """The folder of one stage. Finished items survive a kill and are found by the next run.

    A workspace can be pickled, so that a worker process writes its own items.
    """

    def path(self, name: str) -> Path:
        """Where the file of that name is or will be; its folder exists."""
        ...

    def writing(self, name: str) -> AbstractContextManager[Path]:
        """A temporary path that becomes ``path(name)`` when the block ends without an error."""
        ...

    def item(self, name: str, make: Callable[[Path], None]) -> Path:
        """The finished file of that name, made by ``make(temporary_path)`` if it is not there."""
        ...
