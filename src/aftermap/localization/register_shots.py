"""Shots without telemetry -> where they were taken, by a reference; one shot, one piece of work.

A few frames, spread over the shot, are looked at. Each answer is one that two frames gave apart.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aftermap.errors import InputError
from aftermap.geo.masks import read_mask
from aftermap.imaging.grey import read_grey
from aftermap.localization.reference import Reference, reference_in
from aftermap.localization.register import NotLocated, ShotFrame, register_shot
from aftermap.localization.resect import clip_pose
from aftermap.model.camera import Frame
from aftermap.model.media import FocalPrior
from aftermap.model.trajectory import ClipPose, PoseSource, ShotPlace

FRAMES_LOOKED_AT = 5


@dataclass(frozen=True, kw_only=True)
class ShotTask:
    """One shot to be placed: its frames in order of time, and the reference by its files.

    ``sigma_m`` is the error of the reference as a whole, across (each axis) and up.
    """

    frames: tuple[Frame, ...]
    ortho: str
    surface: str
    sigma_m: tuple[float, float]


def shot_tasks(
    frames: Sequence[Frame], ortho: Path, surface: Path, sigma_m: tuple[float, float]
) -> tuple[ShotTask, ...]:
    """The frames of clips, shot by shot."""
    shots: dict[tuple[str, int], list[Frame]] = {}
    for frame in frames:
        if frame.moment is not None:
            shots.setdefault((frame.moment.clip_sha256, frame.moment.shot), []).append(frame)
    return tuple(
        ShotTask(frames=tuple(members), ortho=str(ortho), surface=str(surface), sigma_m=sigma_m)
        for members in shots.values()
    )


def shot_place(task: ShotTask) -> ShotPlace:
    """Where a shot was taken from, or why that is not known. Raises ValueError for a photograph."""
    first = task.frames[0]
    if first.moment is None:
        raise ValueError(f"{first.name}: is no frame of a clip")
    focal = FocalPrior(
        focal_px=first.focal_px, sigma_px=first.focal_sigma_px, source=first.focal_source
    )
    reference = _reference(task.ortho, task.surface, task.sigma_m)
    found = register_shot([_shot_frame(f) for f in _spread(task.frames)], reference, focal)
    place = ShotPlace(
        clip_sha256=first.moment.clip_sha256,
        clip_name=first.moment.clip_name,
        shot=first.moment.shot,
        crs=reference.crs,
    )
    if isinstance(found, NotLocated):
        return replace(place, reason=found.reason)
    poses: list[ClipPose] = [
        clip_pose(pose, time_s, place.shot, PoseSource.REGISTERED) for time_s, pose in found.frames
    ]
    return replace(place, poses=tuple(poses), params=found.frames[0][1].params)


@functools.lru_cache(maxsize=1)
def _reference(ortho: str, surface: str, sigma_m: tuple[float, float]) -> Reference:
    """Looked at once by each process, for it takes seconds."""
    return reference_in(Path(ortho), Path(surface), sigma_m)


def _spread(frames: Sequence[Frame]) -> list[Frame]:
    count = min(FRAMES_LOOKED_AT, len(frames))
    return [frames[round(i)] for i in np.linspace(0, len(frames) - 1, count)]


def _shot_frame(frame: Frame) -> ShotFrame:
    grey = read_grey(frame.path)
    if grey is None or frame.moment is None:
        raise InputError(f"{frame.name}: can no longer be read; run again with --fresh")
    return ShotFrame(
        time_s=frame.moment.time_s,
        grey=grey,
        mask=None if frame.mask is None else read_mask(frame.mask),
    )
