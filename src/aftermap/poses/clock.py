"""A clip's pictures against its telemetry's clock: how far apart are the two, in seconds?

The pictures alone say, up to a similarity, where the camera was at every time. If the recorded
position of time t is really that of t + offset, the offset shows wherever the flight speeds up,
slows or turns: it is the one that lets a plan similarity (4 unknowns) lay the path onto the record
best. On a straight even flight, or a circle at even speed, a shift in time looks like a shift in
place; then nothing is determined, and nothing is changed.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from aftermap.model.camera import Frame
from aftermap.model.clip import ClipClock
from aftermap.poses.group import Block

Array = npt.NDArray[np.float64]

MOST_S = 2.0
STEP_S = 0.05
MIN_FRAMES = 8
DETERMINED_S = 0.3
"""An offset less sure than this is not used."""
SURE_SIGMAS = 2.0
WILD_SIGMAS = 3.0


def on_time(block: Block) -> tuple[Block, tuple[ClipClock, ...]]:
    """The block with its clips' recorded positions moved to their pictures' time, and the clocks.

    The block is adjusted already, roughly. Only offsets that are determined and differ from 0 by
    more than their error move anything; the others are reported as they are.
    """
    positions = block.knowns.positions.copy()
    clocks = []
    for members in _clips(block.frames):
        moved = _moved_by(block, members)
        if moved is None:
            continue
        clock, shift_m = moved
        clocks.append(clock)
        positions[members, :2] += shift_m
    return replace(block, knowns=replace(block.knowns, positions=positions)), tuple(clocks)


def _clips(frames: Sequence[Frame]) -> list[list[int]]:
    """Frames of each clip, in order of time."""
    found: dict[str, list[int]] = {}
    for index, frame in enumerate(frames):
        if frame.moment is not None:
            found.setdefault(frame.moment.clip_sha256, []).append(index)
    return [sorted(members, key=lambda i: _time_s(frames[i])) for members in found.values()]


def _time_s(frame: Frame) -> float:
    return 0.0 if frame.moment is None else float(frame.moment.time_s)


def _moved_by(block: Block, members: list[int]) -> tuple[ClipClock, Array] | None:
    """The clock of one clip, and the (N, 2) shift of its recorded positions that it asks for."""
    recorded = block.knowns.positions[members, :2]
    times = np.array([_time_s(block.frames[i]) for i in members])
    known = np.isfinite(recorded).all(axis=1)
    moment = block.frames[members[0]].moment
    if moment is None or known.sum() < MIN_FRAMES or (np.diff(times) <= 0).any():
        return None
    path = CubicSpline(times, block.state.positions[members, :2])
    offset_s, sigma_s = time_offset_s(times[known], recorded[known], path)
    clock = ClipClock(
        clip_sha256=moment.clip_sha256, time_offset_s=offset_s, sigma_s=sigma_s,
        is_determined=sigma_s < DETERMINED_S and abs(offset_s) < MOST_S - STEP_S,
    )  # fmt: skip
    if not clock.is_determined or abs(offset_s) < SURE_SIGMAS * sigma_s:
        return clock, np.zeros_like(recorded)
    inside = np.clip(times + offset_s, times[0], times[-1])
    return clock, path(times) - path(inside)


def time_offset_s(times_s: Array, recorded_m: Array, path: CubicSpline) -> tuple[float, float]:
    """The offset that fits best and its standard deviation; ``recorded_m`` is (N, 2), in plan.

    The deviation is infinite where the cost has no lowest point to speak of.
    """
    inner = (times_s - MOST_S >= path.x[0]) & (times_s + MOST_S <= path.x[-1])
    used = inner if inner.sum() >= MIN_FRAMES else np.ones(len(times_s), bool)
    weight = np.ones(int(used.sum()))
    offsets = np.arange(-MOST_S, MOST_S + STEP_S / 2, STEP_S)
    best, costs = 0, np.zeros(len(offsets))
    for _ in range(4):
        misses = [_miss_m(path(times_s[used] + d), recorded_m[used], weight) for d in offsets]
        costs = np.array([float((weight * (m**2).sum(axis=1)).sum()) for m in misses])
        best = int(np.argmin(costs))
        squared = (misses[best] ** 2).sum(axis=1)
        typical = max(float(np.median(squared)) / 1.386, 1e-12)
        weight = 1 / (1 + squared / (2 * WILD_SIGMAS**2 * typical))
    if best in (0, len(offsets) - 1):
        return float(offsets[best]), float("inf")
    around = slice(max(best - 6, 0), best + 7)
    bend, slope, _ = np.polyfit(offsets[around] - offsets[best], costs[around], 2)
    if bend <= 0:
        return float(offsets[best]), float("inf")
    variance_m2 = costs[best] / max(2 * weight.sum() - 5, 1.0)
    return float(offsets[best] - slope / (2 * bend)), float(np.sqrt(variance_m2 / bend))


def _miss_m(source: Array, target: Array, weight: Array) -> Array:
    """(N, 2) what a plan similarity leaves between two sets of places."""
    share = weight / weight.sum()
    mean_s, mean_t = share @ source, share @ target
    a = (source - mean_s) @ [1, 1j]
    b = (target - mean_t) @ [1, 1j]
    turn = (share * b * a.conj()).sum() / max(float((share * np.abs(a) ** 2).sum()), 1e-12)
    left = b - turn * a
    return np.stack([left.real, left.imag], axis=1)
