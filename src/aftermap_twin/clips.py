"""A district to three clips with their truth: a drone's with a sidecar, news, and MPEG-TS with KLV.

What is true of each is in truth/clips.json (docs/reference/twin.md). Local metres inside; the truth
is in the twin's CRS.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.errors import InputError
from aftermap.geo.arrays import Array, ByteArray
from aftermap.geo.lens import rays_cam
from aftermap_twin import newsroom, truth
from aftermap_twin.clip_options import ClipCamera, ClipOptions
from aftermap_twin.clip_paths import DRONE, NEWS, STREAM, FlightPath, fitted, frame_stations
from aftermap_twin.clip_telemetry import FULL_FRAME_WIDTH_MM, klv_set, sidecar_samples, srt_text
from aftermap_twin.flight import Station
from aftermap_twin.footage import (
    DRONE_CODING,
    NEWS_CODING,
    first_pts_s,
    lens_studio,
    pictures,
    write_video,
)
from aftermap_twin.options import CRS, ORIGIN_M
from aftermap_twin.render import Studio

Progress = Callable[[int, int], None]

NEWS_SHARE, STREAM_SHARE = 0.75, 0.5
"""Picture sizes beside the drone's."""
KINDS = ("drone", "news", "stream")
FADE_S = 0.4
"""To black, and from black again."""
SRT_HZ = 10
"""Blocks a second of a sidecar, or one a picture where there are more pictures."""
KLV_HZ = 5
STREAM_HFOV_DEG = 60.0
WHOLE_SIZE = "use a multiple of 8, at least 160 by 96"


@dataclass(frozen=True, kw_only=True)
class Take:
    """One shot as filmed: the lens, the poses of all its pictures, and how it begins."""

    camera: ClipCamera
    path: FlightPath
    stations: tuple[Station, ...]
    begins: str = "start"
    is_hard: bool = False


def refuse_odd_clips(options: ClipOptions) -> None:
    """Raises InputError, which names the first option that no clip can be made of."""
    demands = (
        (options.seconds >= 1, "seconds", "use 1 or more"),
        (options.width_px >= 160 and not options.width_px % 8, "width_px", WHOLE_SIZE),
        (options.height_px >= 96 and not options.height_px % 8, "height_px", WHOLE_SIZE),
        (1 <= options.drone_fps <= 60, "drone_fps", "use 1 to 60"),
        (1 <= options.news_fps <= 60, "news_fps", "use 1 to 60"),
    )
    for holds, name, advice in demands:
        if not holds:
            raise InputError(f"twin clips, {name}: {getattr(options, name)} is not valid; {advice}")


def make_clips(
    out: Path,
    studio: Studio,
    options: ClipOptions,
    progress: Progress | None = None,
    kinds: Sequence[str] = KINDS,
) -> None:
    """Clips into ``out``/clips and truth/clips.json; ``progress`` counts pictures."""
    takes = dict(zip(KINDS, _takes(studio, options), strict=True))
    made = dict(zip(KINDS, (_drone_clip, _news_clip, _stream_clip), strict=True))
    counter = _Counter(sum(len(take.stations) for kind in kinds for take in takes[kind]), progress)
    (out / "clips" / "one_hz").mkdir(parents=True, exist_ok=True)
    documents = [made[kind](out, studio, takes[kind], options, counter) for kind in kinds]
    content = {"crs": CRS, "vertical_datum": str(truth.DATUM), "clips": documents}
    # One line a frame keeps the file readable: an indented one has a line for every number.
    text = json.dumps(content, ensure_ascii=False).replace('{"frame":', '\n{"frame":')
    (out / "truth" / "clips.json").write_text(text + "\n", encoding="utf-8")


class _Counter:
    """Pictures made so far, told to ``progress``."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._progress, self._done = total, progress, 0

    def counted(self, images: Iterable[ByteArray]) -> Iterable[ByteArray]:
        for image in images:
            yield image
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)


def _takes(
    studio: Studio, options: ClipOptions
) -> tuple[tuple[Take, ...], tuple[Take, ...], tuple[Take, ...]]:
    """The drone's flight, the news shots and the stream's flight, fitted to the district.

    A shorter clip shows the first part of a flight, at the same speed; a longer one flies slower.
    """
    low = studio.site.low
    half = (float(-low[0]), float(-low[1]))
    share = options.seconds / DRONE.seconds
    slower = max(1.0, share)

    def taken(path: FlightPath, fps: Fraction, lens: tuple[float, float], *how: Any) -> Take:
        flown = fitted(path, half, path.seconds * slower)
        frames = max(2, round(path.seconds * share * fps))
        return _take(studio, options, frame_stations(flown, fps, frames), flown, lens, *how)

    return (
        (taken(DRONE, options.drone_fps, (1.0, 73.7398)),),
        tuple(
            taken(
                shot.path, options.news_fps, (NEWS_SHARE, shot.hfov_deg), shot.begins, shot.is_hard
            )
            for shot in NEWS
        ),
        (taken(STREAM, options.drone_fps, (STREAM_SHARE, STREAM_HFOV_DEG)),),
    )


def _take(
    studio: Studio,
    options: ClipOptions,
    stations: tuple[Station, ...],
    path: FlightPath,
    lens: tuple[float, float],
    begins: str = "start",
    is_hard: bool = False,  # noqa: FBT001, FBT002
) -> Take:
    size_share, hfov_deg = lens
    camera = ClipCamera(
        seed=studio.options.seed,
        hfov_deg=hfov_deg,
        readout_s=studio.options.readout_s,
        width_px=2 * round(options.width_px * size_share / 2),
        height_px=2 * round(options.height_px * size_share / 2),
    )
    return Take(camera=camera, path=path, stations=stations, begins=begins, is_hard=is_hard)


def _drone_clip(
    out: Path, studio: Studio, takes: tuple[Take, ...], options: ClipOptions, counter: _Counter
) -> dict[str, Any]:
    take, fps = takes[0], options.drone_fps
    video = out / "clips" / "DJI_0001.MP4"
    block_s = min(1 / fps, Fraction(1, SRT_HZ))
    blocks = math.ceil(len(take.stations) / fps / block_s)
    times = [float(k * block_s) for k in range(blocks)]
    focal_35mm = take.camera.focal_px / take.camera.width_px * FULL_FRAME_WIDTH_MM
    written = []
    for rate_hz, name in ((SRT_HZ, "DJI_0001.SRT"), (1, "one_hz/DJI_0001.SRT")):
        samples = sidecar_samples(take.path, times, rate_hz, options, take.camera.seed)
        text = srt_text(samples, float(block_s), focal_35mm)
        (out / "clips" / name).write_text(text, encoding="utf-8")
        written.append(_telemetry(f"clips/{name}", rate_hz, options))
    images = pictures(lens_studio(studio, take.camera), take.stations, 0)
    write_video(video, counter.counted(images), fps, DRONE_CODING)
    return _document(out, studio, video, "drone", takes, fps) | {"telemetry": written}


def _telemetry(name: str, rate_hz: int, options: ClipOptions) -> dict[str, Any]:
    return {
        "file": name,
        "position_rate_hz": rate_hz,
        "position_sigma_m": options.position_sigma_m,
        "noise": "white at 1 Hz fixes, blended between them at constant size",
        "yaw_bias_deg": options.yaw_bias_deg,
        "height_offset_m": options.height_offset_m,
        "time_offset_s": options.time_offset_s,
    }


def _news_clip(
    out: Path, studio: Studio, takes: tuple[Take, ...], options: ClipOptions, counter: _Counter
) -> dict[str, Any]:
    video = out / "clips" / "news.mp4"
    images = _edited(studio, takes, options.news_fps)
    write_video(video, counter.counted(images), options.news_fps, NEWS_CODING)
    return _document(out, studio, video, "news", takes, options.news_fps) | {"telemetry": []}


def _edited(studio: Studio, takes: tuple[Take, ...], fps: Fraction) -> Iterable[ByteArray]:
    """The shots one after the other, with graphics and the fade."""
    first = 10_000  # noise apart from the drone's clip
    for number, take in enumerate(takes):
        follows = takes[number + 1].begins if number + 1 < len(takes) else ""
        images = pictures(lens_studio(studio, take.camera), take.stations, first)
        for k, image in enumerate(images):
            light = 1.0
            if take.begins == "fade through black":
                light = min(light, k / _fade_frames(fps))
            if follows == "fade through black":
                light = min(light, (len(take.stations) - 1 - k) / _fade_frames(fps))
            yield newsroom.broadcast(image, light)
        first += len(take.stations)


def _fade_frames(fps: Fraction) -> int:
    return max(1, round(FADE_S * fps))


def _stream_clip(
    out: Path, studio: Studio, takes: tuple[Take, ...], options: ClipOptions, counter: _Counter
) -> dict[str, Any]:
    """The transport stream; its KLV has the noise of the positions but none of the constants."""
    take, fps = takes[0], options.drone_fps
    video = out / "clips" / "flight.ts"
    plain = ClipOptions(
        position_sigma_m=options.position_sigma_m,
        yaw_bias_deg=0,
        height_offset_m=0,
        time_offset_s=0,
    )
    exact = [Fraction(k, KLV_HZ) for k in range(math.ceil(len(take.stations) / fps * KLV_HZ))]
    samples = sidecar_samples(
        take.path, [float(t) for t in exact], KLV_HZ, plain, take.camera.seed + 1
    )
    camera = take.camera
    vfov = 2 * math.degrees(math.atan(camera.height_px / 2 / camera.focal_px))
    sets = [(t, klv_set(s, camera.hfov_deg, vfov)) for t, s in zip(exact, samples, strict=True)]
    images = pictures(lens_studio(studio, camera), take.stations, 20_000)
    write_video(video, counter.counted(images), fps, DRONE_CODING, sets)
    written = _telemetry("clips/flight.ts", KLV_HZ, plain)
    return _document(out, studio, video, "stream", takes, fps) | {"telemetry": [written]}


def _document(
    out: Path, studio: Studio, video: Path, kind: str, takes: Sequence[Take], fps: Fraction
) -> dict[str, Any]:
    """What is true of a clip; frames count from 0, ``time_s`` from the first picture."""
    shots: list[dict[str, Any]] = []
    frames: list[dict[str, Any]] = []
    for number, take in enumerate(takes):
        start = len(frames)
        centres = _centres_m(studio, take)
        for k, station in enumerate(take.stations):
            frames.append(_frame(start + k, fps, number, station, centres[k]))
        shots.append(_shot(number, take, start, len(frames), fps))
    return {
        "clip": str(video.relative_to(out)),
        "kind": kind,
        "fps": str(fps),
        "first_pts_s": str(first_pts_s(video)),
        "width_px": takes[0].camera.width_px,
        "height_px": takes[0].camera.height_px,
        "camera_model": "OPENCV",
        "shots": shots,
        "frames": frames,
    }


def _shot(number: int, take: Take, start: int, end: int, fps: Fraction) -> dict[str, Any]:
    return {
        "shot": number,
        "begins": take.begins,
        "is_hard": take.is_hard,
        "start_frame": start,
        "end_frame": end,
        "start_s": str(start / fps),
        "end_s": str(end / fps),
        "fade_frames": _fade_frames(fps) if take.begins.startswith("fade") else 0,
        "focal_px": take.camera.focal_px,
        "params": list(take.camera.params),
    }


def _frame(
    number: int, fps: Fraction, shot: int, station: Station, centre_m: Array
) -> dict[str, Any]:
    known = bool(np.isfinite(centre_m).all())
    return {
        "frame": number,
        "time_s": str(number / fps),
        "shot": shot,
        "position_m": [round(p + o, 4) for p, o in zip(station.position_m, ORIGIN_M, strict=True)],
        "rotation_cam_from_world": station.rotation_cam_from_world.tolist(),
        "gimbal_deg": [station.yaw_deg, station.pitch_deg, station.roll_deg],
        "centre_m": [round(float(v), 3) for v in centre_m + ORIGIN_M] if known else None,
    }


def _centres_m(studio: Studio, take: Take) -> Array:
    """(N, 3) what the middle of every picture shows, NaN beside the district; local metres."""
    camera = take.camera
    middle = rays_cam([[camera.width_px / 2, camera.height_px / 2]], camera.params)[0]
    rays = np.array([middle @ s.rotation_cam_from_world for s in take.stations])
    origins = np.array([s.position_m for s in take.stations])
    hits = studio.caster.first_hits(origins.astype(np.float32), rays.astype(np.float32))
    met = np.where(hits.triangle >= 0, hits.distance.astype(float), np.nan)
    return np.asarray(origins + rays * met[:, None], float)
