"""A video as it was received, the shots in it, and the moments that are taken out of it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path, PurePath

from aftermap.model.media import FocalPrior
from aftermap.model.telemetry import Track


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One video file. Identity is the SHA-256 of its bytes; ``name`` is what the user called it.

    Width and height are of the pixels as coded; ``rotation_deg`` is how far a player turns them
    clockwise, and is kept, never applied. Times are presentation times in seconds, exact, and
    ``start_s`` is that of the first frame, which need not be 0. ``frame_rate_hz`` is the average;
    where ``is_variable_rate`` no moment may be computed from a frame number.
    """

    sha256: str
    name: str
    size_bytes: int
    container: str
    codec: str
    width_px: int
    height_px: int
    rotation_deg: int = 0
    time_base_s: Fraction
    start_s: Fraction
    duration_s: Fraction
    frame_rate_hz: Fraction
    is_variable_rate: bool = False
    make: str | None = None
    camera: str | None = None
    recorded_at: str | None = None
    focal: FocalPrior
    track: Track | None = None
    notes: tuple[str, ...] = ()

    @property
    def began(self) -> "Began | None":
        """When it begins by the best clock that says so; None where none does.

        First a recorder that says it is UTC, then the video file, then the recorder's own clock.
        """
        samples = self.track.samples if self.track is not None and self._is_synchronous else ()
        universal = next(((s.utc, s.time_s) for s in samples if s.utc), None)
        if universal is not None and (at := _before(*universal, self.start_s)):
            return Began(at=at, clock="UTC by the telemetry")
        if self.recorded_at is not None:
            return Began(at=self.recorded_at, clock=FILE_CLOCK)
        local = next(((s.recorded_at, s.time_s) for s in samples if s.recorded_at), None)
        if local is not None and (at := _before(*local, self.start_s)):
            return Began(at=at, clock="the recorder's clock in the telemetry; zone unknown")
        return None

    @property
    def _is_synchronous(self) -> bool:
        """Whether the times of its telemetry are those of the video."""
        return self.track is not None and self.track.clock == "video"


FILE_CLOCK = "as the video file claims; zone unknown unless it is given"


@dataclass(frozen=True, kw_only=True)
class Began:
    """When a clip begins: ISO 8601 as the named clock tells it, without a zone where that is so."""

    at: str
    clock: str


def _before(at: str | None, time_s: Fraction, start_s: Fraction) -> str | None:
    """The time of the first frame, by a time that was recorded ``time_s`` into the clip."""
    try:
        found = datetime.fromisoformat(at or "")
    except ValueError:
        return None
    begun = found - timedelta(seconds=float(time_s - start_s))
    return begun.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """A file that carries the name of another, as the store keeps it: telemetry, or a mask."""

    name: str
    sha256: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A stretch of a clip that one camera took without a break, from cut to cut.

    ``index`` counts from 0. ``start_s`` is the time of its first frame, ``end_s`` that of the first
    frame after it. ``begins`` says how: "clip" (the clip's own start), "cut" or "fade".
    """

    index: int
    start_s: Fraction
    end_s: Fraction
    begins: str


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Where in which clip a frame was taken from."""

    clip_sha256: str
    clip_name: str
    time_s: Fraction
    shot: int


@dataclass(frozen=True, kw_only=True)
class ClipOffsets:
    """How far a clip's telemetry is from its pictures: three constants, each with one sigma.

    What it records for time t is true of t + ``time_offset_s``; its heights less
    ``height_offset_m`` are those of the rest of the group; its yaw less ``yaw_offset_deg`` is that
    of the camera. None where nothing tells; a time is used where ``is_determined``.
    """

    clip_sha256: str
    clip_name: str
    time_offset_s: float | None = None
    time_sigma_s: float | None = None
    is_determined: bool = False
    height_offset_m: float | None = None
    height_sigma_m: float | None = None
    yaw_offset_deg: float | None = None
    yaw_sigma_deg: float | None = None


def product_name(clip_name: str, sha256: str) -> str:
    """What a clip's products are called: its name as far as every disk takes it, and its hash."""
    stem = re.sub(r"[^\w.-]+", "_", PurePath(clip_name).stem).strip("._")[:60]
    return f"{stem or 'clip'}-{sha256[:8]}"
