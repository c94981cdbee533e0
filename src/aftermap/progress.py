"""Progress for a person who waits: bars with the time left, or plain lines without a terminal.

All of it goes to the stream it is given (standard error), so that standard output stays free for
results.
"""

import io
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

LINE_EVERY_S = 5.0
REDRAWS_PER_S = 4
NARROW_COLUMNS = 90
"""A terminal of fewer columns gets the name, the counts and the time left, and no bar."""
COUNTS_COLUMNS = 27
"""What "1234/1234 0:00:00 left" takes beside the name."""


def progress_on(stream: TextIO | None) -> "TerminalProgress | PlainProgress":
    """The progress display that suits a stream: bars on a terminal, lines in a log.

    None is a standard error that was closed (``2>&-``, a service): the lines go nowhere.
    """
    if stream is None:
        return PlainProgress(io.StringIO())
    return TerminalProgress(stream) if stream.isatty() else PlainProgress(stream)


class NoProgress:
    """Says nothing. For use as a library."""

    def stage(self, name: str) -> None:
        """Say nothing."""

    def advance(self, label: str, done: int, total: int) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


class PlainProgress:
    """Lines of stage, work, count and per cent: at most one every few seconds, and the last one."""

    def __init__(
        self,
        stream: TextIO,
        *,
        every_s: float = LINE_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._every_s = every_s
        self._clock = clock
        self._stage = ""
        self._label = ""
        self._began_s = self._said_s = clock()

    def stage(self, name: str) -> None:
        """Start a stage with a line of its own."""
        self._stage = name
        self._label = ""
        self._say(name)

    def advance(self, label: str, done: int, total: int) -> None:
        """Say how far the work is, unless something was said a moment ago."""
        now_s = self._clock()
        if label != self._label:
            self._label, self._began_s = label, now_s
        if done < total and now_s - self._said_s < self._every_s:
            return
        share = done / total if total else 1.0
        line = f"{label} {done}/{total} ({share:.0%})"
        taken_s = now_s - self._began_s
        if 0 < done < total and taken_s > 0:
            line += f", about {span(taken_s * (total - done) / done)} left"
        self._say(_under(self._stage, line))

    def note(self, text: str) -> None:
        """A line under the name of the stage."""
        self._say(_under(self._stage, text))

    def _say(self, line: str) -> None:
        self._said_s = self._clock()
        print(line, file=self._stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to put back."""


class TerminalProgress:
    """One bar for each piece of work of the stage, with counts and the time left.

    A stage that has ended leaves one line with the time it took.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._stage = ""
        self._began_s = 0.0

    def stage(self, name: str) -> None:
        """Close the stage before and start this one."""
        self._close_stage()
        self._stage, self._began_s = name, time.monotonic()
        bars = self._shown()
        self._tasks[""] = bars.add_task(name, total=None)

    def advance(self, label: str, done: int, total: int) -> None:
        """Move the bar of that work, which appears when it is first heard of."""
        bars = self._shown()
        if "" in self._tasks:
            bars.remove_task(self._tasks.pop(""))
        if label not in self._tasks:
            self._tasks[label] = bars.add_task(_under(self._stage, label), total=total)
        bars.update(self._tasks[label], completed=done, total=total, refresh=done >= total)

    def note(self, text: str) -> None:
        """A line above the bars."""
        self._shown().console.print(_under(self._stage, text), markup=False, highlight=False)

    def _shown(self) -> "Bars":
        if self._bars is None:
            self._bars = _bars_on(self._stream)
            self._bars.start()
        return self._bars

    def _close_stage(self) -> None:
        if self._bars is None:
            return
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()
        if self._stage:
            taken = span(time.monotonic() - self._began_s)
            self._bars.console.print(f"{self._stage}  {taken}", markup=False, highlight=False)
            self._stage = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back, whatever happened."""
        if self._bars is not None:
            if kind is None:
                self._close_stage()
            self._bars.stop()
            self._bars = None


def span(seconds: float) -> str:
    """A stretch of time in the two units that matter: "8 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _under(stage: str, text: str) -> str:
    return f"{stage}: {text}" if stage else text


def _bars_on(stream: TextIO) -> "Bars":
    # Imported when a bar is first drawn: --help and runs without a terminal do not pay for it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(file=stream)
    name = TextColumn("{task.description}", markup=False)
    wide: list[ProgressColumn] = [BarColumn(), TextColumn("time"), TimeElapsedColumn()]
    if console.width < NARROW_COLUMNS:
        name.get_table_column().max_width = max(8, console.width - COUNTS_COLUMNS)
        wide = []
    return Progress(
        name,
        *wide[:1],
        MofNCompleteColumn(),
        *wide[1:],
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        refresh_per_second=REDRAWS_PER_S,
        redirect_stdout=False,
    )
