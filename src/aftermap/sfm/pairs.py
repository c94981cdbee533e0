"""Which frames may show the same ground: by recorded positions, by time, by a vote of features."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from aftermap.geo.arrays import Array, Int32Array
from aftermap.model.camera import Frame
from aftermap.sfm.options import PoseOptions

SECTORS = 6
"""Directions in which neighbours are looked for, so that the next flight line is never missed
however dense the photographs are along one."""
PER_SECTOR = 2
IN_SEQUENCE = 4
"""How far apart, in frames that were chosen, two frames of one shot are always compared."""
VOTERS_MOST = 256
VOTERS_IN_ALL = 60_000
"""Features that vote, over all photographs together: the cost grows with its square."""


def pairs_by_position(frames: Sequence[Frame], options: PoseOptions) -> Int32Array:
    """(M, 2) indices of frames taken near one another, each pair once, smaller index first.

    Frames without a position are left out; see :func:`voters_per_frame` for those.
    """
    placed = [i for i, f in enumerate(frames) if f.prior_position_m is not None]
    xyz = np.array([frames[i].prior_position_m for i in placed], float).reshape(-1, 3)
    found: set[tuple[int, int]] = set()
    for a, centre in enumerate(xyz):
        for b in _near(xyz[:, :2] - centre[:2], a, options.neighbours):
            i, j = placed[a], placed[b]
            found.add((min(i, j), max(i, j)))
    return np.array(sorted(found), np.int32).reshape(-1, 2)


def _near(offset_m: Array, own: int, neighbours: int) -> list[int]:
    """The nearest in every direction, and the nearest of all."""
    distance = np.hypot(offset_m[:, 0], offset_m[:, 1])
    distance[own] = np.inf
    order = np.argsort(distance, kind="stable")[: 16 * neighbours]
    order = order[np.isfinite(distance[order])]
    sector = np.floor(
        (np.arctan2(offset_m[order, 1], offset_m[order, 0]) / (2 * np.pi) + 0.5) * SECTORS
    ).astype(int)
    chosen = list(order[: neighbours // 2])
    for s in range(SECTORS):
        chosen += list(order[sector % SECTORS == s][:PER_SECTOR])
    return [int(i) for i in dict.fromkeys(chosen)]


def all_pairs(count: int) -> Int32Array:
    """(M, 2) indices: every pair of ``count`` frames, the smaller index first."""
    return np.stack(np.triu_indices(count, 1), axis=1).astype(np.int32)


def pairs_in_sequence(frames: Sequence[Frame]) -> Int32Array:
    """(M, 2) indices of frames that follow each other closely in one shot of a clip."""
    shots: dict[tuple[str, int], list[tuple[Fraction, int]]] = {}
    for index, frame in enumerate(frames):
        if frame.moment is not None:
            shot = frame.moment.clip_sha256, frame.moment.shot
            shots.setdefault(shot, []).append((frame.moment.time_s, index))
    found = set()
    for members in shots.values():
        order = [index for _, index in sorted(members)]
        for step in range(1, IN_SEQUENCE + 1):
            found |= {(min(i, j), max(i, j)) for i, j in zip(order, order[step:], strict=False)}
    return np.array(sorted(found), np.int32).reshape(-1, 2)


def voters_per_frame(count: int) -> int:
    """How many features of each frame vote on which frames look alike."""
    return int(np.clip(VOTERS_IN_ALL // max(count, 1), 32, VOTERS_MOST))


def pairs_by_vote(votes: Int32Array, per_frame: int) -> Int32Array:
    """(M, 2) pairs from an (N, N) count of likely matches: the best few of every frame.

    Photographs are mostly numbered as they were taken, so the two next in order always count.
    """
    both = votes + votes.T
    np.fill_diagonal(both, -1)
    found: set[tuple[int, int]] = set()
    for i, row in enumerate(both):
        best = np.argsort(-row, kind="stable")[:per_frame]
        for j in (*best[row[best] > 0], i + 1, i + 2):
            if j < len(both) and j != i:
                found.add((min(i, int(j)), max(i, int(j))))
    return np.array(sorted(found), np.int32).reshape(-1, 2)
