"""A video as it was received, the shots in it, and the moments that are taken out of it."""

import re
from dataclasses import dataclass
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
