"""The placing of clips by what was clicked in them: one job for each.

They run in the process that makes the copies of clips.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from aftermap.errors import InputError
from aftermap.localization.correspondences import correspondences_in
from aftermap.model.clip import Clip
from aftermap.web.footage_responses import ClickFacts, PlacingState
from aftermap.web.locate import (
    Click,
    LocateResult,
    keep_clicks,
    locate_clip,
    refuse_without_surface,
)
from aftermap.web.opened import OpenedCase
from aftermap.web.playback import PlaybackClips


@dataclass
class PlacingJobs:
    """What is being placed, and how what was placed ended."""

    case: OpenedCase
    footage: PlaybackClips
    _jobs: "dict[str, Future[LocateResult]]" = field(default_factory=dict)

    def start(self, sha256: str, clicks: list[Click]) -> None:
        """Keep the clicks of a clip, and begin to place it by them.

        Raises CaseError where there is no such clip, no surface, or no place on the globe, and
        InputError where the clip is being placed already.
        """
        refuse_without_surface(self.case)
        clip = self.footage.clip(sha256)
        if sha256 in self._jobs and not self._jobs[sha256].done():
            raise InputError(f"{clip.name}: is already being located; wait until that has finished")
        ties = keep_clicks(self.case, clip, clicks)
        self._jobs[sha256] = self.footage.in_background(locate_clip, self.case.path, clip, ties)

    def state(self, sha256: str) -> PlacingState:
        """How far the placing of a clip is."""
        job = self._jobs.get(sha256)
        if job is None:
            return PlacingState(state="none")
        if not job.done():
            return PlacingState(state="working")
        if job.cancelled() or job.exception() is not None:
            return PlacingState(state="failed", error="locating stopped unexpectedly; save again")
        ended = job.result()
        state: Any = "failed" if ended.error else "done"
        return PlacingState(state=state, error=ended.error, lines=ended.lines)

    def kept_clicks(self, clip: Clip) -> list[ClickFacts]:
        """The clicks that were kept of a clip before."""
        path = self.case.path / "ties" / f"{clip.sha256}.csv"
        if not path.is_file():
            return []
        return [
            ClickFacts(
                time_s=str(tie.time_s),
                px=tie.xy_px[0],
                py=tie.xy_px[1],
                lon=tie.lonlat_deg[0],
                lat=tie.lonlat_deg[1],
                height_m=tie.height_m,
            )
            for tie in correspondences_in(path)
        ]
