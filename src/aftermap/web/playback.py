"""The clips of a case as the page plays them: when each picture is shown, and what it saw.

A page plays the small copy of a clip (:mod:`aftermap.frames.proxy`), or the original where every
browser plays it as it is. Times are those of the clip; ``offset_s`` is added to what the player
says.
"""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
import shapely

from aftermap.errors import AftermapError, CaseError
from aftermap.frames.decode import OPEN_OPTIONS
from aftermap.frames.proxy import proxy_of, proxy_offset_s
from aftermap.model.clip import Clip, product_name
from aftermap.record.map_layers import PlacedSpan, placed_spans
from aftermap.record.media_table import recorded_clips
from aftermap.record.workspace import StageFolder
from aftermap.web.footage_responses import ClipSummary, ClipTimes, CopyState
from aftermap.web.opened import OpenedCase, ResponseCache, stamp_of
from aftermap.web.place import CasePlace

MOST_MOMENTS = 6000
"""Footprints of a clip that are sent; of a longer one only every second, third ... moment."""
SIMPLER_M = 0.3
KEPT_BYTES = 64 << 20
PLAYED_AS_IT_IS = ("mp4", "mov")
LARGEST_PLAYED_PX = 1920


@dataclass
class PlaybackClips:
    """The clips of a case and the making of their copies, one at a time in a process of its own."""

    case: OpenedCase
    _jobs: dict[str, "Future[str]"] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ProcessPoolExecutor | None = None
    _paths: ResponseCache[bytes] = field(default_factory=lambda: ResponseCache(KEPT_BYTES, len))
    _times: ResponseCache[ClipTimes] = field(
        default_factory=lambda: ResponseCache(KEPT_BYTES, lambda found: 16 * len(found.ticks))
    )

    def clips(self) -> list[ClipSummary]:
        """Every clip of the case, in the order of receipt."""
        spans = placed_spans(self.case.package)
        return [
            _summary(clip, spans.get(clip.sha256), *self._copy_state(clip))
            for clip in recorded_clips(self.case.package)
        ]

    def clip(self, sha256: str) -> Clip:
        """The clip of that digest. Raises CaseError where the case has none."""
        for clip in recorded_clips(self.case.package):
            if clip.sha256 == sha256:
                return clip
        raise CaseError(f"{sha256[:16]}: is not a clip of this case")

    def playable_file(self, sha256: str) -> tuple[Path, Fraction]:
        """The file that the page plays, and what is added to its times to give the clip's.

        Raises CaseError where there is no such clip, or none that a page can play.
        """
        clip = self.clip(sha256)
        copy = self._copy_path(clip)
        if copy.is_file():
            return copy, proxy_offset_s(clip)
        if _plays_as_it_is(clip):
            return self.case.original(sha256), Fraction(0)
        raise CaseError(f"{clip.name}: has no playable copy yet; request one first")

    def make_copy(self, sha256: str) -> None:
        """Begin to make the copy for playing, unless it is there or under way.

        Raises CaseError where there is no such clip, or its original is missing.
        """
        clip = self.clip(sha256)
        with self._lock:
            if self._copy_state(clip)[0] in ("ready", "making"):
                return
            original = self.case.original(sha256)
            self._jobs[sha256] = self._executor().submit(
                _make_copy, clip, original, self.case.products
            )

    def in_background(self, work: Callable[..., Any], *values: object) -> "Future[Any]":
        """``work(*values)`` in the process that makes copies, after what is under way."""
        with self._lock:
            return self._executor().submit(work, *values)

    def close(self) -> None:
        """End the process that makes copies."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _executor(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        return self._pool

    def _copy_path(self, clip: Clip) -> Path:
        """The copy that aftermap map made, else the one that is or will be made from here."""
        mapped = self.case.products / "clips" / f"{product_name(clip.name, clip.sha256)}.mp4"
        if mapped.is_file():
            return mapped
        return self.case.products / "proxies" / f"{clip.sha256}.mp4"

    def _copy_state(self, clip: Clip) -> tuple[CopyState, str | None]:
        """How the page can play a clip, and why no copy could be made where that failed."""
        if self._copy_path(clip).is_file():
            return "ready", None
        job = self._jobs.get(clip.sha256)
        if job is not None and not job.done():
            return "making", None
        reason = None if job is None or job.cancelled() else job.result()
        if _plays_as_it_is(clip):
            return "original", reason or None
        return ("failed", reason) if reason else ("missing", None)

    def times(self, sha256: str) -> ClipTimes:
        """When each picture is shown. Raises CaseError as :meth:`playable_file`."""
        path, offset_s = self.playable_file(sha256)
        key = sha256, stamp_of(path)
        return self._times.get(key, lambda: _read_times(path, offset_s))

    def path(self, sha256: str) -> bytes:
        """What each placed moment saw, as JSON text of a ``ClipPath``.

        Raises CaseError where there is no such clip.
        """
        clip = self.clip(sha256)
        found = self._footprints(clip)
        if found is None:
            return b'{"moments":0}'
        place = self.case.place
        return self._paths.get(
            (sha256, stamp_of(found)), lambda: _path_json(found, clip, place).encode()
        )

    def _footprints(self, clip: Clip) -> Path | None:
        pattern = f"*-{clip.sha256[:8]}.parquet"
        for folder in ("located", "clips"):
            found = sorted((self.case.products / folder).glob(pattern))
            if found:
                return found[0]
        return None


def _summary(
    clip: Clip, span: PlacedSpan | None, copy: CopyState, reason: str | None
) -> ClipSummary:
    return ClipSummary(
        sha256=clip.sha256,
        name=clip.name,
        width_px=clip.width_px,
        height_px=clip.height_px,
        start_s=float(clip.start_s),
        duration_s=float(clip.duration_s),
        frame_rate_hz=float(clip.frame_rate_hz),
        rotation_deg=clip.rotation_deg,
        size_bytes=clip.size_bytes,
        recorded_at=None if clip.began is None else clip.began.at,
        placed_seconds=span.seconds if span else 0,
        placed_from_s=span.from_s if span else None,
        placed_to_s=span.to_s if span else None,
        source=span.source if span else None,
        ce90_m=span.ce90_m if span else None,
        copy_state=copy,
        copy_reason=reason,
        notes=clip.notes,
    )


def _plays_as_it_is(clip: Clip) -> bool:
    """Whether every browser shows the original, at the times and with the pixels that it has."""
    return (
        clip.codec == "h264"
        and clip.container in PLAYED_AS_IT_IS
        and clip.start_s == 0
        and clip.rotation_deg == 0
        and max(clip.width_px, clip.height_px) <= LARGEST_PLAYED_PX
    )


def _make_copy(clip: Clip, original: Path, products: Path) -> str:
    """Make a copy in a process of its own; why it failed, "" where it did not."""
    try:
        proxy_of(clip, original, StageFolder(folder=products))
    except (AftermapError, OSError) as error:
        return str(error)
    return ""


def _read_times(path: Path, offset_s: Fraction) -> ClipTimes:
    with av.open(str(path), options=OPEN_OPTIONS) as container:
        stream = container.streams.video[0]
        ticks = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        base = Fraction(stream.time_base or 1)
    tick_s = f"{base.numerator}/{base.denominator}"
    return ClipTimes(ticks=ticks, tick_s=tick_s, offset_s=str(offset_s))


def _path_json(path: Path, clip: Clip, place: CasePlace) -> str:
    """A ``ClipPath`` as JSON text, from the file of a clip's footprints."""
    table = pq.read_table(path)
    thin = max(1, -(-table.num_rows // MOST_MOMENTS))
    table = table.take(np.arange(0, table.num_rows, thin))
    columns = table.to_pydict()
    eyes = np.column_stack([columns["camera_east_m"], columns["camera_north_m"]])
    told = {
        "name": clip.name,
        "moments": table.num_rows,
        "every": thin,
        "time_s": columns["time_s"],
        "shot": columns["shot"],
        "source": columns["source"],
        "off_nadir_deg": columns["off_nadir_deg"],
        "azimuth_deg": columns["azimuth_deg"],
        "ground_sample_m": columns["ground_sample_m"],
        "ce90_m": columns["ce90_m"],
        "camera": place.lonlat_deg(eyes).tolist(),
        "height_m": columns["camera_height_m"],
        "ring": _rings(columns["geometry"], place),
        "outer": _rings(columns["outer"], place),
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _rings(wkb: list[bytes], place: CasePlace) -> list[list[list[float]]]:
    shapes = shapely.simplify(shapely.from_wkb(wkb), SIMPLER_M)
    rings = shapely.get_exterior_ring(shapes)
    corners, which = shapely.get_coordinates(rings, return_index=True)
    lonlat = place.lonlat_deg(corners)
    starts = np.searchsorted(which, np.arange(1, len(rings)))
    return [ring.tolist() for ring in np.split(lonlat, starts)]
