"""Recorded positions beside adjusted ones -> how far they scatter, and what that leaves open.

A receiver's error has a part that all positions of a flight share, which nothing in the flight
shows, and a part that scatters, which the adjustment shows. What is recorded of a receiver is the
size of the whole. So the shared part keeps the stated sigma, and the scatter is measured: in plan
and in height, for the photographs and for each clip. That changes no estimate, only how surely it
is said to be known.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap.model.camera import Frame
from aftermap.sfm.bundle import CAUCHY_POSITION, Adjusted, Priors
from aftermap.sfm.projection_kernel import POSE

STATED_COUNTS = 4.0
"""The stated sigma counts as much as so many residuals: few positions do not overrule it."""
TAKEN_IN_PLAN, TAKEN_IN_HEIGHT = 4.0, 3.0
"""Residuals that the shift, turn and size of the whole take with them (north, and two tilts)."""
UNKNOWN_HEIGHT_M = 500.0
"""Heights less sure than this were not recorded, or not in the datum of the block."""
MOST_ALIKE = 0.9
PLAN, HEIGHT = slice(0, 2), slice(2, 3)


def as_scattered(knowns: Priors, estimate: Adjusted, frames: Sequence[Frame]) -> Priors:
    """The same with the sigmas of the recorded positions as large as their residuals show.

    Errors of neighbours that are alike tell less than as many that are not, and count so much less.
    """
    off_m = knowns.positions - estimate.state.positions - estimate.offset_m
    sigma_m = knowns.position_sigma.copy()
    known = np.isfinite(off_m).all(axis=1)
    for axes, taken in ((PLAN, TAKEN_IN_PLAN), (HEIGHT, TAKEN_IN_HEIGHT)):
        told = known & (knowns.position_sigma[:, axes] < UNKNOWN_HEIGHT_M).all(axis=1)
        share = taken / max(float(told.sum()), 1.0)
        for members in _receivers(frames):
            own = told & members
            standard = off_m[own, axes] / knowns.position_sigma[own, axes]
            sigma_m[own, axes] *= _size(standard, share)
    return replace(knowns, position_sigma=sigma_m)


def within_the_case(covariance: Array, positions: Array, rotations: Array) -> Array:
    """(F, 6, 6) covariance of frames (turn of the camera, position) as parts of one whole.

    Shift, turn and size of all frames together are taken out, by the S-transformation of Baarda
    (1973) onto the inner constraints of the positions: what is left is how well a frame fits the
    others, and the map that is made of them. ``covariance`` begins with 6 rows a frame.
    """
    count = POSE * len(positions)
    whole = _similarity(positions, rotations)
    only_positions = np.where(np.arange(count)[:, None] % POSE >= POSE - 3, whole, 0.0)
    # S = I - G (B' G)^-1 B', with the seven directions G and only their positions B.
    back = np.linalg.pinv(only_positions.T @ whole) @ only_positions.T
    seen = back @ covariance[:count, :count]
    common = seen @ back.T
    parts = []
    for start in range(0, count, POSE):
        own = slice(start, start + POSE)
        cross = whole[own] @ seen[:, own]
        parts.append(covariance[own, own] - cross - cross.T + whole[own] @ common @ whole[own].T)
    return np.array(parts)


def _receivers(frames: Sequence[Frame]) -> list[BoolArray]:
    """Which frames got their positions from one receiver: all photographs, each clip, each shot."""
    names = [
        ("", 0)
        if frame.moment is None
        else (frame.moment.clip_sha256, frame.moment.shot if frame.is_registered else -1)
        for frame in frames
    ]
    return [np.array([name == one for name in names]) for one in dict.fromkeys(names)]


def _size(standard: Array, share: float) -> float:
    """By what the stated sigma is to be multiplied, from (N, D) residuals in parts of it.

    Residuals that the adjustment did not believe count as little as they did there.
    """
    trust = 1 / (1 + (standard**2).sum(axis=1) / CAUCHY_POSITION**2)
    squares = float((trust[:, None] * standard**2).sum())
    spare = max(float(trust.sum()) * (standard.shape[1] - share), 0.0)
    variance = (STATED_COUNTS + squares) / (STATED_COUNTS + spare)
    return float(np.sqrt(variance * _alike(standard)))


def _alike(standard: Array) -> float:
    """How many times fewer residuals there are in truth, by how neighbours resemble each other."""
    if len(standard) < 2 * STATED_COUNTS:
        return 1.0
    squares = float((standard**2).sum())
    alike = float((standard[1:] * standard[:-1]).sum()) / max(squares, 1e-30)
    alike = min(max(alike, 0.0), MOST_ALIKE)
    return (1 + alike) / (1 - alike)


def _similarity(positions: Array, rotations: Array) -> Array:
    """(6 F, 7) what a shift, a turn and a change of size do to turns of cameras and positions."""
    directions = np.zeros((POSE * len(positions), 7))
    at = POSE * np.arange(len(positions))
    centred = positions - positions.mean(axis=0)
    for axis in range(3):
        unit = np.eye(3)[axis]
        directions[at + 3 + axis, axis] = 1
        directions[at[:, None] + np.arange(3), 3 + axis] = -rotations @ unit
        directions[at[:, None] + 3 + np.arange(3), 3 + axis] = np.cross(unit, centred)
        directions[at + 3 + axis, 6] = centred[:, axis]
    return directions
