"""A clip's pictures against its telemetry: how far apart in time, in height, in yaw?

The pictures alone say, up to a similarity, where the camera was at every time. If the recorded
position of time t is really that of t + offset, the offset shows wherever the flight speeds up,
slows or turns: it is the one that lets a plan similarity (4 unknowns) lay the path onto the record
best. On a straight even flight, or a circle at even speed, a shift in time looks like a shift in
place; then nothing is determined, and nothing is changed.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from aftermap.geo.arrays import Array
from aftermap.geo.axes import gimbal_angles_deg
from aftermap.geo.robust import nmad
from aftermap.model.camera import Frame
from aftermap.model.clip import ClipOffsets
from aftermap.sfm.block import BundleBlock

MOST_S = 2.0
STEP_S = 0.05
MIN_FRAMES = 8
DETERMINED_S = 0.3
"""An offset less sure than this is not used."""
SURE_SIGMAS = 2.0
WILD_SIGMAS = 3.0
MIN_HEIGHTS = 4
UNKNOWN_HEIGHT_M = 500.0
"""Heights less sure than this were not recorded, or not in the datum of the block."""
STEEPEST_DEG = -80.0


def without_offsets(block: BundleBlock) -> tuple[BundleBlock, tuple[ClipOffsets, ...]]:
    """The block with its clips' recorded places moved to where their pictures say, and by how much.

    The block is adjusted already, roughly. A time offset moves positions only where it is
    determined and differs from 0 by more than its error; a height offset wherever the group holds
    other heights to compare with.
    """
    positions = block.knowns.positions.copy()
    found = []
    for members in _clips(block.frames):
        moment = block.frames[members[0]].moment
        if moment is None:
            continue
        shift_m, timed = _time_told(block, members)
        height = _height_told(block, members)
        positions[members, :2] += shift_m
        positions[members, 2] -= height.get("height_offset_m", 0.0)
        found.append(
            ClipOffsets(
                clip_sha256=moment.clip_sha256,
                clip_name=moment.clip_name,
                **timed,
                **height,
                **_yaw_told(block, members, timed.get("time_offset_s", 0.0)),
            )
        )
    return replace(block, knowns=replace(block.knowns, positions=positions)), tuple(found)


def _clips(frames: Sequence[Frame]) -> list[list[int]]:
    """Frames of each clip, in order of time."""
    found: dict[str, list[int]] = {}
    for index, frame in enumerate(frames):
        if frame.moment is not None and not frame.is_registered:
            found.setdefault(frame.moment.clip_sha256, []).append(index)
    return [sorted(members, key=lambda i: _time_s(frames[i])) for members in found.values()]


def _time_s(frame: Frame) -> float:
    return 0.0 if frame.moment is None else float(frame.moment.time_s)


def _time_told(block: BundleBlock, members: list[int]) -> tuple[Array, dict[str, Any]]:
    """The (N, 2) shift of the recorded positions that the clip's clock asks for, and that clock."""
    recorded = block.knowns.positions[members, :2]
    nothing = np.zeros_like(recorded)
    times = np.array([_time_s(block.frames[i]) for i in members])
    known = np.isfinite(recorded).all(axis=1)
    if known.sum() < MIN_FRAMES or (np.diff(times) <= 0).any():
        return nothing, {}
    path = CubicSpline(times, block.state.positions[members, :2])
    offset_s, sigma_s = time_offset_s(times[known], recorded[known], path)
    is_determined = sigma_s < DETERMINED_S and abs(offset_s) < MOST_S - STEP_S
    if not is_determined:
        return nothing, {}
    told = {"time_offset_s": offset_s, "time_sigma_s": sigma_s, "is_determined": True}
    if abs(offset_s) < SURE_SIGMAS * sigma_s:
        return nothing, told
    inside = np.clip(times + offset_s, times[0], times[-1])
    return path(times) - path(inside), told


def _height_told(block: BundleBlock, members: list[int]) -> dict[str, Any]:
    """How far the clip's heights lie above those of the rest of the group."""
    known = block.knowns.position_sigma[:, 2] < UNKNOWN_HEIGHT_M
    above_m = (block.knowns.positions - block.state.positions)[:, 2]
    own = np.zeros(len(block.frames), bool)
    own[members] = True
    ours, theirs = above_m[known & own], above_m[known & ~own]
    if min(len(ours), len(theirs)) < MIN_HEIGHTS:
        return {}
    sigma_m = np.hypot(nmad(ours) / np.sqrt(len(ours)), nmad(theirs) / np.sqrt(len(theirs)))
    return {
        "height_offset_m": float(np.median(ours) - np.median(theirs)),
        "height_sigma_m": float(sigma_m),
    }


def _yaw_told(block: BundleBlock, members: list[int], offset_s: float) -> dict[str, Any]:
    """How far the recorded yaw is turned clockwise from that of the poses; views of the side only.

    It is read at the clip's own time less ``offset_s``. Near nadir yaw and roll are one, and a
    recorded yaw may be the aircraft's.
    """
    off_deg = []
    times = np.array([_time_s(block.frames[i]) for i in members])
    told = np.array([_or_nan(block.frames[i].yaw_deg) for i in members])
    for i, recorded_deg in zip(members, turned_at_deg(times, told, offset_s), strict=True):
        yaw_deg, pitch_deg, _ = gimbal_angles_deg(block.state.rotations[i])
        if np.isfinite(recorded_deg) and pitch_deg > STEEPEST_DEG:
            off_deg.append((recorded_deg - yaw_deg + 180) % 360 - 180)
    if len(off_deg) < MIN_HEIGHTS:
        return {}
    middle = float(np.degrees(np.angle(np.exp(1j * np.radians(off_deg)).mean())))
    around = (np.array(off_deg) - middle + 180) % 360 - 180
    return {
        "yaw_offset_deg": middle + float(np.median(around)),
        "yaw_sigma_deg": nmad(around) / float(np.sqrt(len(around))),
    }


def turned_at_deg(times_s: Array, yaws_deg: Array, offset_s: float) -> Array:
    """(N,) yaws that were recorded at (N,) times, as they are true of these times.

    What was recorded for time t is true of t + ``offset_s``; NaN where nothing was, and beyond the
    first and last.
    """
    if offset_s == 0.0:
        return yaws_deg
    known = np.isfinite(yaws_deg)
    if not known.any():
        return np.full_like(yaws_deg, np.nan)
    unwrapped = np.unwrap(yaws_deg[known], period=360.0)
    return np.asarray(
        np.interp(times_s - offset_s, times_s[known], unwrapped, left=np.nan, right=np.nan), float
    )


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


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
