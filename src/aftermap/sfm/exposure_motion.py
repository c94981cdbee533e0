"""When frames were taken -> between which others the camera moved while each was exposed.

What a rolling shutter does to a picture is the velocity of the camera times the readout time. The
velocity is known from where the neighbours in time were: one unknown a camera is left instead of
three a picture (decision 0010).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap.model.camera import Frame
from aftermap.sfm.projection_kernel import Course

LONGEST_S = 20.0
"""Photographs farther apart in time do not tell how the camera moved when they were taken."""
LONGEST_TURNING_S = 2.5
"""A camera turns evenly for no longer than this; photographs are taken with a gimbal held still."""
REACH_S = 10.0
"""Photographs of a straight line count up to so long before and after: their clocks tell whole
seconds, and a shutter that is late moves a place without changing the speed."""
STRAIGHT = 0.9
"""A path whose steps differ by more than this (a cosine) turned there."""


def course_of(frames: Sequence[Frame], positions: Array) -> Course:
    """The neighbours of each frame, by its time and by (N, 3) positions that are roughly right.

    At a turn of the flight the step that goes on straight counts; where neither does, none.
    """
    count = len(frames)
    before, after = np.arange(count, dtype=np.int32), np.arange(count, dtype=np.int32)
    times_s = np.zeros(count)
    is_clip = np.array([frame.moment is not None for frame in frames], bool)
    for members, own_s in _taken(frames):
        times_s[members] = own_s
        reach_s = 0.0 if is_clip[members[0]] else REACH_S
        reaches = _reaches(positions[members], own_s, reach_s)
        for i, (first, last) in zip(members, reaches, strict=True):
            before[i], after[i] = members[first], members[last]
    interval_s = times_s[after] - times_s[before]
    turning_s = np.where(is_clip & (interval_s < 2 * LONGEST_TURNING_S), interval_s, 0.0)
    height_px = np.array([frame.height_px for frame in frames], float)
    return Course(
        before=before, after=after, interval_s=interval_s, turning_s=turning_s, height_px=height_px
    )


def _taken(frames: Sequence[Frame]) -> Iterator[tuple[list[int], Array]]:
    """The frames of each camera, or shot of a clip, in order of time, and their times (seconds)."""
    groups: dict[tuple[str, str, int], list[tuple[float, int]]] = {}
    for number, frame in enumerate(frames):
        time_s = _time_s(frame)
        if time_s is not None:
            clip = "" if frame.moment is None else frame.moment.clip_sha256
            shot = 0 if frame.moment is None else frame.moment.shot
            groups.setdefault((frame.camera_key, clip, shot), []).append((time_s, number))
    for group in groups.values():
        ordered = sorted(group)
        yield [number for _, number in ordered], np.array([time_s for time_s, _ in ordered])


def _time_s(frame: Frame) -> float | None:
    if frame.moment is not None:
        return float(frame.moment.time_s)
    try:
        taken = datetime.fromisoformat(frame.taken_at or "")
    except ValueError:
        return None
    zero = datetime(2000, 1, 1)  # noqa: DTZ001 - camera clocks have no zone, only differences count
    return (taken.replace(tzinfo=None) - zero).total_seconds()


def _reaches(positions: Array, times_s: Array, reach_s: float) -> Iterator[tuple[int, int]]:
    """From which to which frame around it each one flew straight on; itself where none tells.

    The frames next to it count wherever they are, others only within ``reach_s``.
    """
    goes_on = _goes_on(positions, times_s)
    count = len(positions)
    for i in range(count):
        first, last = i, i
        while first > 0 and (goes_on[first] or (first == i and goes_on[first - 1])):
            if first < i and times_s[i] - times_s[first - 1] > reach_s:
                break
            first -= 1
        while last + 1 < count and (goes_on[last] or (last == i and goes_on[last + 1])):
            if last > i and times_s[last + 1] - times_s[i] > reach_s:
                break
            last += 1
        # At the end of a line, the way to the next one is not its own.
        yield (first, last) if goes_on[i] or (first == i) != (last == i) else (i, i)


def _goes_on(positions: Array, times_s: Array) -> BoolArray:
    """(N,) whether the step into a frame and the step out of it have one direction."""
    found = np.zeros(len(positions), bool)
    if len(positions) > 2:
        apart_s = np.diff(times_s)
        is_step = (apart_s > 0) & (apart_s < LONGEST_S)
        steps = np.diff(positions, axis=0)
        steps /= np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-12)
        found[1:-1] = (steps[1:] * steps[:-1]).sum(axis=1) > STRAIGHT
        found[1:-1] &= is_step[1:] & is_step[:-1]
    return found
