"""What the stages of a map will take, told before they run, and refused where it is not there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aftermap.config import Quality
from aftermap.errors import ResourcesError
from aftermap.estimate import Need, Workload, need_of_all, wall_s, workload_of
from aftermap.execute import usable_cores
from aftermap.model.camera import Frame
from aftermap.model.runs import Progress
from aftermap.room import Room, room_at
from aftermap.run import Runner, Stage
from aftermap.surface import SurfaceOptions
from aftermap.workflows.stages import MESH, ORTHOPHOTO, SURFACE

Answer = TypeVar("Answer")
RoomAt = Callable[[Path], Room]

OF_A_MAP: tuple[Stage[Any], ...] = (SURFACE, ORTHOPHOTO, MESH)
LESS_WORK = {Quality.FINE: Quality.STANDARD, Quality.STANDARD: Quality.DRAFT}


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """What a map of these pictures will take, against what this machine has at the time."""

    sizes_px: tuple[tuple[int, int], ...]
    quality: Quality
    workers: int
    run: Runner
    room_at: RoomAt = room_at

    def report(self, progress: Progress) -> None:
        """Say what the stages without a finished answer will take.

        Raises ResourcesError where memory or disk do not suffice for it.
        """
        stages = [stage for stage in OF_A_MAP if not self.run.has_finished(stage)]
        if not stages:
            return
        need = self._need(stages)
        progress.stage("estimate")
        progress.note(self._line(stages, need))
        self._refuse(stages, need, sum(self.run.unfinished_bytes(stage) for stage in stages))

    def run_checked(self, stage: Stage[Answer], work: Callable[[], Answer]) -> Answer:
        """What ``work()`` gives, once memory and disk suffice for its stage.

        Where there was an earlier answer it was not known before that it would not hold.
        """
        self._refuse([stage], self._need([stage]), self.run.unfinished_bytes(stage))
        return work()

    def _need(
        self, stages: Sequence[Stage[Any]], *, quality: Quality | None = None, workers: int = 0
    ) -> Need:
        work = self._work(quality or self.quality)
        return need_of_all([stage.name for stage in stages], work, workers or self.workers)

    def _work(self, quality: Quality) -> Workload:
        options = SurfaceOptions.of(quality.value)
        return workload_of(
            self.sizes_px, matched_side_px=options.dense_side_px, sources=options.sources
        )

    def _line(self, stages: Sequence[Stage[Any]], need: Need) -> str:
        cores = min(self.workers, usable_cores())
        many = f"{cores} cores" if cores > 1 else "1 core"
        return (
            f"{_listed(stages)} for up to {len(self.sizes_px)} images: "
            f"{approximate_duration(wall_s(need.cpu_s, self.workers, cores))} on {many}, "
            f"{size(need.memory_bytes)} of memory, {size(need.disk_bytes)} of disk"
        )

    def _refuse(self, stages: Sequence[Stage[Any]], need: Need, already_bytes: int) -> None:
        """Raise ResourcesError where a need is not met; ``already_bytes`` of disk are in place."""
        room = self.room_at(self.run.case_path)
        if room.disk_bytes is not None and need.disk_bytes > room.disk_bytes + already_bytes:
            verb = "needs" if len(stages) == 1 else "need"
            raise ResourcesError(
                f"{self.run.case_path}: {_listed(stages)} {verb} about "
                f"{size(need.disk_bytes - already_bytes)} of disk, but only "
                f"{size(room.disk_bytes)} are free; free some space, "
                f"{self._less(stages)}or move the case to a larger disk"
            )
        if room.memory_bytes is not None and need.memory_bytes > room.memory_bytes:
            greedy = max(stages, key=lambda stage: self._need([stage]).memory_bytes)
            raise ResourcesError(
                f"{greedy.name}: {_workers(self.workers)} "
                f"{'needs' if self.workers == 1 else 'need'} about "
                f"{size(need.memory_bytes)} of memory, but only "
                f"{size(room.memory_bytes)} are available; "
                f"{self._smaller(stages, room.memory_bytes)}"
            )

    def _less(self, stages: Sequence[Stage[Any]]) -> str:
        if self.quality not in LESS_WORK:
            return ""
        draft = self._need(stages, quality=Quality.DRAFT)
        return f"run again with --quality draft (about {size(draft.disk_bytes)}), "

    def _smaller(self, stages: Sequence[Stage[Any]], memory_bytes: float) -> str:
        """What to do where memory does not suffice."""
        for quality in dict.fromkeys((self.quality, Quality.DRAFT)):
            for workers in range(self.workers, 0, -1):
                need = self._need(stages, quality=quality, workers=workers)
                if need.memory_bytes <= memory_bytes:
                    words = [f"--workers {workers}"] if workers < self.workers else []
                    words += ["--quality draft"] if quality != self.quality else []
                    return f"run again with {' '.join(words)}, or close other programs"
        return "close other programs, or use a machine with more memory"


def estimates_of(
    frames: Sequence[Frame], quality: Quality, workers: int, run: Runner, room: RoomAt
) -> Estimates:
    """The estimates for a map of frames."""
    sizes = tuple((frame.width_px, frame.height_px) for frame in frames)
    return Estimates(sizes_px=sizes, quality=quality, workers=workers, run=run, room_at=room)


def approximate_duration(seconds: float) -> str:
    """A time as sure as it is: "about 12 minutes"."""
    minutes = seconds / 60
    if minutes < 1.5:
        return "about a minute"
    if minutes < 90:
        return f"about {_rounded(minutes)} minutes"
    return f"about {minutes / 60:.1f} hours"


def size(size_bytes: float) -> str:
    """Bytes as a person reads them: "0.4 GB"."""
    gigabytes = max(size_bytes, 0.0) / 1e9
    return f"{gigabytes:.1f} GB" if gigabytes < 10 else f"{gigabytes:.0f} GB"


def _rounded(minutes: float) -> int:
    """To whole minutes, from 20 on to fives."""
    return round(minutes) if minutes < 20 else 5 * round(minutes / 5)


def _listed(stages: Sequence[Stage[Any]]) -> str:
    names = [stage.name for stage in stages]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _workers(count: int) -> str:
    return "one worker" if count == 1 else f"{count} workers"
