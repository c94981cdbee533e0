"""What a person who waits gets to see."""

import io

import pytest

from aftermap.progress import PlainProgress, TerminalProgress, progress_on, span


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_log_gets_few_lines_and_always_the_last(stream):
    clock = Clock()
    progress = PlainProgress(stream, every_s=5, clock=clock)
    progress.stage("poses")
    for done in range(1, 101):
        clock.now_s += 0.125
        progress.advance("matching pairs", done, 100)
    assert stream.getvalue().splitlines() == [
        "poses",
        "poses: matching pairs 40/100 (40%), about 7 s left",
        "poses: matching pairs 80/100 (80%), about 2 s left",
        "poses: matching pairs 100/100 (100%)",
    ]


def test_short_work_says_only_its_end(stream):
    progress = PlainProgress(stream)
    progress.advance("reading", 1, 2)
    progress.advance("reading", 2, 2)
    progress.advance("nothing at all", 0, 0)
    assert stream.getvalue().splitlines() == ["reading 2/2 (100%)", "nothing at all 0/0 (100%)"]


def test_a_terminal_gets_bars_with_stage_counts_and_time_left():
    terminal = Terminal()
    with progress_on(terminal) as progress:
        assert isinstance(progress, TerminalProgress)
        progress.stage("poses")
        progress.advance("matching [pairs]", 3, 8)
        progress.note("2 photographs are left out")
        progress.stage("surface")
        progress.advance("stereo", 8, 8)
    shown = terminal.getvalue()
    for words in ("poses: matching [pairs]", "left", "2 photographs are left out", "8/8"):
        assert words in shown
    assert "poses  0 s" in shown


def test_no_terminal_gets_lines(stream):
    assert isinstance(progress_on(stream), PlainProgress)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_spans_are_in_the_units_that_matter(seconds, words):
    assert span(seconds) == words
