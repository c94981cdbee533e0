"""What is told and refused before a map is made, on machines that are made up."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.cli.failures import FAILED, status_for
from aftermap.config import Quality
from aftermap.errors import ResourcesError
from aftermap.progress import NoProgress
from aftermap.room import Room
from aftermap.workflows.resources import OF_A_MAP, Estimates, approximate_duration, size
from aftermap.workflows.stages import SURFACE

PLENTY = Room(disk_bytes=10**13, memory_bytes=10**12)
TWELVE_MEGAPIXELS = ((4000, 3000),) * 60


@dataclass
class Said(NoProgress):
    lines: list[str] = field(default_factory=list)

    def note(self, text):
        self.lines.append(text)


@dataclass(frozen=True)
class OldRun:
    """As a Runner tells of the case: which stages are finished, and bytes of unfinished work."""

    finished: tuple[str, ...] = ()
    unfinished: int = 0
    case_path: Path = Path("/cases/raqqa")

    def has_finished(self, stage):
        return stage.name in self.finished

    def unfinished_bytes(self, stage):
        return self.unfinished if stage is SURFACE else 0


def estimates(room, *, run=None, quality=Quality.STANDARD, workers=4, sizes=TWELVE_MEGAPIXELS):
    return Estimates(
        sizes_px=sizes,
        quality=quality,
        workers=workers,
        run=run or OldRun(),
        room_at=lambda _folder: room,
    )


def told(room, **changes):
    said = Said()
    estimates(room, **changes).report(said)
    return said.lines


def test_time_memory_and_disk_are_one_line_before_the_run():
    (line,) = told(PLENTY)
    assert re.fullmatch(
        r"surface, orthophoto and mesh for up to 60 images: about [\d.]+ (minutes|hours) on "
        r"\d+ cores?, [\d.]+ GB of memory, [\d.]+ GB of disk",
        line,
    )


def test_a_machine_that_does_not_tell_is_not_refused():
    assert told(Room(disk_bytes=None, memory_bytes=None))


@given(disk=st.integers(0, 10**13))
def test_a_run_goes_ahead_exactly_where_the_disk_suffices(disk):
    need = estimates(PLENTY)._need(OF_A_MAP).disk_bytes
    room = Room(disk_bytes=disk, memory_bytes=10**12)
    if disk >= need:
        assert told(room)
        return
    with pytest.raises(ResourcesError) as refused:
        told(room)
    line = str(refused.value)
    assert "\n" not in line
    assert line.startswith("/cases/raqqa: ")
    assert f"{size(disk)} are free" in line
    assert "--quality draft" in line
    assert status_for(refused.value) == FAILED


@given(
    memory=st.integers(0, 20 * 10**9), workers=st.integers(1, 16), quality=st.sampled_from(Quality)
)
def test_what_a_refusal_advises_fits(memory, workers, quality):
    room = Room(disk_bytes=10**13, memory_bytes=memory)
    asked = estimates(room, workers=workers, quality=quality)
    try:
        asked.report(Said())
    except ResourcesError as refused:
        line = str(refused)
    else:
        return
    needed, there = re.search(
        r"([\d.]+) GB of memory, but only ([\d.]+) GB are avail", line
    ).groups()
    assert float(needed) >= float(there)
    fewer, draft = re.search(r"--workers (\d+)", line), "--quality draft" in line
    if fewer or draft:
        assert told(
            room,
            workers=int(fewer[1]) if fewer else workers,
            quality=Quality.DRAFT if draft else quality,
        )
    else:
        with pytest.raises(ResourcesError):
            told(room, workers=1, quality=Quality.DRAFT)


def test_draft_is_not_advised_to_a_draft():
    for room in (Room(disk_bytes=1, memory_bytes=10**12), Room(disk_bytes=10**13, memory_bytes=1)):
        with pytest.raises(ResourcesError) as refused:
            told(room, quality=Quality.DRAFT)
        assert "draft" not in str(refused.value)


def test_depth_maps_of_a_run_that_was_stopped_count_as_disk_that_is_there():
    need = int(estimates(PLENTY)._need(OF_A_MAP).disk_bytes)
    half = Room(disk_bytes=need // 2 + 1, memory_bytes=10**12)
    assert told(half, run=OldRun(unfinished=need // 2 + 1))
    with pytest.raises(ResourcesError):
        told(half)


def test_a_finished_map_is_not_refused_and_what_no_longer_holds_is_when_it_is_made():
    nothing = Room(disk_bytes=0, memory_bytes=0)
    done = OldRun(finished=("surface", "orthophoto", "mesh"))
    assert told(nothing, run=done) == []
    with pytest.raises(ResourcesError, match="surface"):
        estimates(nothing, run=done).run_checked(SURFACE, lambda: pytest.fail("not to be begun"))
    assert estimates(PLENTY, run=done).run_checked(SURFACE, lambda: "made") == "made"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "about a minute"),
        (700, "about 12 minutes"),
        (2900, "about 50 minutes"),
        (9000, "about 2.5 hours"),
    ],
)
def test_a_time_is_told_as_surely_as_it_is_known(seconds, words):
    assert approximate_duration(seconds) == words
