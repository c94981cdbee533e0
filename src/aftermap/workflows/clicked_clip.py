"""A clip -> what locating asks of it: its times and shots, and a pose carried through its pictures.

Times are the clip's own; a frame number counts the pictures that can be decoded, from 0.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from aftermap.errors import ControlError, InputError
from aftermap.frames.auto_masks import WIDTH_PX, mask_of
from aftermap.frames.decode import Decoded, Losses, decoded_frames, luma_of
from aftermap.frames.given_masks import GivenMask, kept_by
from aftermap.frames.shots import shots_of, thumb_of, transitions_in
from aftermap.geo.arrays import ByteArray
from aftermap.geo.masks import mask_at_size
from aftermap.localization.correspondences import Correspondence
from aftermap.localization.reference import Reference
from aftermap.localization.resect import Resected
from aftermap.localization.tracking import Carried, TrackedPicture, track_pose
from aftermap.model.clip import Clip, Shot, Sidecar

CARRY_S = Fraction(10)
"""How far a pose is carried each way: corners are chosen anew by then, and errors have grown."""
STEP_S = Fraction(1, 16)
"""Pictures closer than this are passed over."""
SIDE_PX = 1280
"""Longer side at which pictures are followed."""
SAMPLES = 40


@dataclass(frozen=True, kw_only=True)
class Film:
    """A clip with the exact times of its pictures, its shots, and the mask that it was given.

    ``kept`` is (rows, columns) of the clip, 0 where it is left out; None where all of it is used.
    """

    clip: Clip
    path: Path
    times_s: tuple[Fraction, ...]
    shots: tuple[Shot, ...]
    kept: ByteArray | None = None

    def time_of(self, moment: Fraction | int) -> Fraction:
        """The time of the picture that is meant: by its number, or the one nearest to a time.

        Raises ControlError where the clip has no such picture.
        """
        if isinstance(moment, int):
            if moment >= len(self.times_s):
                raise ControlError(
                    f"{self.clip.name}: has {len(self.times_s)} frames, and the points name frame "
                    f"{moment}; frames count from 0"
                )
            return self.times_s[moment]
        at = bisect_left(self.times_s, moment)
        near = min(self.times_s[max(0, at - 1) : at + 1], key=lambda time: abs(time - moment))
        if abs(near - moment) > 1 / self.clip.frame_rate_hz:
            raise ControlError(
                f"{self.clip.name}: has no frame at {float(moment):.3f} s; give a time from "
                f"{float(self.times_s[0]):.3f} to {float(self.times_s[-1]):.3f} s"
            )
        return near

    def shot_at(self, time_s: Fraction) -> Shot:
        """The shot that a moment belongs to."""
        return [shot for shot in self.shots if shot.start_s <= time_s][-1]

    def check_inside(self, ties: Sequence[Correspondence]) -> None:
        """Raise where a click lies beside the picture."""
        width, height = self.clip.width_px, self.clip.height_px
        for tie in ties:
            x, y = tie.xy_px
            if not (0 <= x <= width and 0 <= y <= height):
                raise ControlError(
                    f"points, line {tie.line}: pixel {x:g}, {y:g} is outside the frame "
                    f"of {width} by {height}; give pixel coordinates of "
                    f"{self.clip.name} itself"
                )


def film_of(clip: Clip, path: Path, mask: Sidecar | None = None) -> Film:
    """The times and shots of a clip; costs one decoding of it.

    Raises InputError where no picture can be decoded.
    """
    times, thumbs = [], []
    for one in decoded_frames(path, Losses()):
        times.append(one.time_s)
        thumbs.append(thumb_of(one.frame))
    if not times:
        raise InputError(f"{clip.name}: no frame can be decoded; copy the file again")
    changes = transitions_in(np.stack(thumbs), times)
    shots = shots_of(changes, times, max(times[-1], clip.start_s + clip.duration_s))
    kept = None if mask is None else kept_by(GivenMask.of(clip, mask))
    return Film(clip=clip, path=path, times_s=tuple(times), shots=shots, kept=kept)


def carried_both_ways(
    film: Film, shot: Shot, time_s: Fraction, pose: Resected, surface: Reference
) -> tuple[Carried, Carried]:
    """The pose carried back and on, through the shot or up to ``CARRY_S`` each way."""
    factor = max(1.0, max(film.clip.width_px, film.clip.height_px) / SIDE_PX)
    low, high = max(shot.start_s, time_s - CARRY_S), min(shot.end_s, time_s + CARRY_S)
    pictures, mask = _pictures(film, low, high, time_s, factor)
    small = replace(pose, params=_scaled(pose.params, 1 / factor))
    before = [one for one in reversed(pictures) if one.time_s <= time_s]
    after = [one for one in pictures if one.time_s >= time_s]
    ways = (
        track_pose(small, (replace(one, mask=mask) for one in way), surface)
        for way in (before, after)
    )
    back, on = (
        replace(way, poses=tuple((at, _enlarged(p, factor)) for at, p in way.poses)) for way in ways
    )
    return back, on


def _pictures(
    film: Film, low_s: Fraction, high_s: Fraction, needed_s: Fraction, factor: float
) -> tuple[list[TrackedPicture], ByteArray | None]:
    """The pictures of a stretch, thinned to ``STEP_S`` and shrunk, and the mask of all of them."""
    moments: list[TrackedPicture] = []
    samples = []
    for one in _from_to(film.path, low_s, high_s):
        time_s = one.time_s
        if moments and time_s != needed_s and time_s - moments[-1].time_s < STEP_S:
            continue
        grey = luma_of(one.frame)
        width, height = round(grey.shape[1] / factor), round(grey.shape[0] / factor)
        if factor > 1:
            shrunk = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
            grey = np.asarray(shrunk, np.uint8)
        moments.append(TrackedPicture(time_s=time_s, grey=grey))
        if len(moments) % max(1, int((high_s - low_s) / STEP_S / SAMPLES)) == 0:
            colour = one.frame.to_ndarray(
                format="bgr24", width=WIDTH_PX, height=max(2, round(height * WIDTH_PX / width))
            )
            samples.append(np.asarray(colour, np.uint8))
    size = moments[0].grey.shape[::-1] if moments else (1, 1)
    found = mask_of(samples, (size[0], size[1]))
    return moments, found if film.kept is None else _both(film.kept, found, (size[0], size[1]))


def _both(kept: ByteArray, found: ByteArray | None, size_px: tuple[int, int]) -> ByteArray:
    """What the given mask and the one that was found, if any, both leave in."""
    small = mask_at_size(kept, (size_px[1], size_px[0]))
    return small if found is None else np.minimum(small, found)


def _from_to(path: Path, low_s: Fraction, high_s: Fraction) -> Iterator[Decoded]:
    for one in decoded_frames(path, Losses()):
        if one.time_s >= high_s:
            return
        if one.time_s >= low_s:
            yield one


def _scaled(params: Sequence[float], factor: float) -> tuple[float, ...]:
    return (*(float(value) * factor for value in params[:4]), *params[4:])


def _enlarged(pose: Resected, factor: float) -> Resected:
    return replace(
        pose,
        params=_scaled(pose.params, factor),
        residuals_px=pose.residuals_px * factor,
        sigma_px=pose.sigma_px * factor,
    )
