"""Normal equations of a bundle adjustment, points eliminated (Triggs et al. 2000, section 6).

Compiled loops over plain arrays; what is estimated and how it is seen is in
:mod:`aftermap.sfm.projection_kernel`. Unknowns are in the order: frames, then cameras.
"""

from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, IntArray
from aftermap.geo.compiled import compiled, inlined
from aftermap.sfm.projection_kernel import (
    LENS,
    MIN_DEPTH,
    POSE,
    Observations,
    State,
    exposure_share,
    fill_jacobian,
    residual_of,
    velocities_of,
)

POINT_AT = POSE + LENS
RESIDUAL_AT = POINT_AT + 3
"""Columns of an observation's row: frame, camera, point, and the residual itself."""


class Equations(NamedTuple):
    """``normal`` (K, K), of which the upper triangle counts, and ``gradient`` (K,)."""

    normal: Array
    gradient: Array


class _PointTerms(NamedTuple):
    """What one point has in common with frames and cameras, one slot for each of them.

    ``mixed`` (S, 8, 3) is the slot's part of the normal equations, ``carried`` (S, 8, 3) that times
    the inverse of the point's; ``column`` and ``size`` (S,) where the slot's unknowns begin and how
    many they are; ``slot_of`` (K,) the slot of a camera, -1 for none yet. ``block`` (3, 3) is the
    point's own. ``row`` (2, 18) and ``ideal`` (3,) are filled in anew for each observation.
    """

    mixed: Array
    carried: Array
    column: IntArray
    size: IntArray
    slot_of: IntArray
    block: Array
    row: Array
    ideal: Array


@compiled
def _inverse3(a: Array, out: Array) -> None:
    """Inverse of a symmetric positive (3, 3)."""
    c00 = a[1, 1] * a[2, 2] - a[1, 2] * a[1, 2]
    c01 = a[0, 2] * a[1, 2] - a[0, 1] * a[2, 2]
    c02 = a[0, 1] * a[1, 2] - a[0, 2] * a[1, 1]
    d = 1.0 / (a[0, 0] * c00 + a[0, 1] * c01 + a[0, 2] * c02)
    out[0, 0] = c00 * d
    out[0, 1] = out[1, 0] = c01 * d
    out[0, 2] = out[2, 0] = c02 * d
    out[1, 1] = (a[0, 0] * a[2, 2] - a[0, 2] * a[0, 2]) * d
    out[1, 2] = out[2, 1] = (a[0, 1] * a[0, 2] - a[0, 0] * a[1, 2]) * d
    out[2, 2] = (a[0, 0] * a[1, 1] - a[0, 1] * a[0, 1]) * d


@compiled
def eliminate(
    state: State,
    sights: Observations,
    weight: Array,
    damping: float,
    equations: Equations,
    inverses: Array,
    pulls: Array,
) -> None:
    """Add every point's share to ``equations`` (frames first, then cameras).

    ``weight`` (M,) multiplies squared residuals. On entry ``inverses`` (P, 3, 3) and ``pulls``
    (P, 3) hold what a survey says of each point (weights and right-hand side; zero where nothing);
    they leave as the inverse of each point's damped block and its whole right-hand side. Only
    the upper triangle of the normal matrix is filled.
    """
    velocities = velocities_of(state)
    terms = _room_for_terms(state, sights)
    block = terms.block
    for p in range(len(state.points)):
        block[:] = inverses[p]
        count = _add_point(state, sights, velocities, weight, p, pulls[p], terms, equations)
        for k in range(3):
            block[k, k] += damping * block[k, k] + 1e-12
        _inverse3(block, inverses[p])
        _subtract_point(terms, count, inverses[p], pulls[p], equations)


@compiled
def _room_for_terms(state: State, sights: Observations) -> _PointTerms:
    """Slots for the point that most frames see."""
    longest = 0
    for p in range(len(state.points)):
        longest = max(longest, sights.start[p + 1] - sights.start[p])
    slots = longest + len(state.lenses)
    return _PointTerms(
        np.zeros((slots, LENS, 3)),
        np.zeros((slots, LENS, 3)),
        np.empty(slots, np.int64),
        np.empty(slots, np.int64),
        np.empty(len(state.lenses), np.int64),
        np.empty((3, 3)),
        np.empty((2, RESIDUAL_AT + 1)),
        np.empty(3),
    )


@compiled
def _add_point(
    state: State,
    sights: Observations,
    velocities: Array,
    weight: Array,
    p: int,
    pull: Array,
    terms: _PointTerms,
    equations: Equations,
) -> int:
    """Add all that sees a point; how many slots of ``terms`` that took."""
    rotations, positions, lenses, camera_of, points, course = state
    mixed, _, column, size, slot_of, block, row, ideal = terms
    normal, gradient = equations
    count = 0
    slot_of[:] = -1
    for m in range(sights.start[p], sights.start[p + 1]):
        f = sights.frame[m]
        cam = camera_of[f]
        turn, moving, lens = rotations[f], velocities[f], lenses[cam]
        share = exposure_share(course.height_px, f, sights.xy_px[m, 1])
        row[0, RESIDUAL_AT], row[1, RESIDUAL_AT] = residual_of(
            turn, positions[f], moving, lens, share, points[p], sights.xy_px[m], ideal
        )
        if ideal[2] < MIN_DEPTH or weight[m] <= 0.0:
            continue
        fill_jacobian(turn, moving, lens, share, ideal, row)
        _add_to_point(row, weight[m], block, pull)
        own, count = count, count + 1
        column[own], size[own] = POSE * f, POSE
        if slot_of[cam] < 0:
            slot_of[cam], count = count, count + 1
            column[slot_of[cam]], size[slot_of[cam]] = POSE * len(rotations) + LENS * cam, LENS
            mixed[slot_of[cam]] = 0.0
        at = slot_of[cam]
        _add_observation(
            row, weight[m], column[own], column[at], normal, gradient, mixed[own], mixed[at]
        )
    return count


@inlined
def _add_to_point(row: Array, w: float, block: Array, pull: Array) -> None:
    """One observation's part of the point's own (3, 3) block and (3,) right-hand side."""
    r0, r1 = row[0, RESIDUAL_AT], row[1, RESIDUAL_AT]
    for i in range(3):
        a0, a1 = row[0, POINT_AT + i], row[1, POINT_AT + i]
        pull[i] -= w * (a0 * r0 + a1 * r1)
        for j in range(3):
            block[i, j] += w * (a0 * row[0, POINT_AT + j] + a1 * row[1, POINT_AT + j])


@compiled
def _add_observation(
    row: Array,
    w: float,
    pose_at: int,
    lens_at: int,
    normal: Array,
    gradient: Array,
    pose_mixed: Array,
    lens_mixed: Array,
) -> None:
    """One observation's part of its frame and camera, whose unknowns begin at these columns."""
    r0, r1 = row[0, RESIDUAL_AT], row[1, RESIDUAL_AT]
    for i in range(POSE):
        a0, a1 = w * row[0, i], w * row[1, i]
        gradient[pose_at + i] -= a0 * r0 + a1 * r1
        for j in range(i, POSE):
            normal[pose_at + i, pose_at + j] += a0 * row[0, j] + a1 * row[1, j]
        for j in range(LENS):
            normal[pose_at + i, lens_at + j] += a0 * row[0, POSE + j] + a1 * row[1, POSE + j]
        for j in range(3):
            pose_mixed[i, j] = a0 * row[0, POINT_AT + j] + a1 * row[1, POINT_AT + j]
    for i in range(LENS):
        a0, a1 = w * row[0, POSE + i], w * row[1, POSE + i]
        gradient[lens_at + i] -= a0 * r0 + a1 * r1
        for j in range(i, LENS):
            normal[lens_at + i, lens_at + j] += a0 * row[0, POSE + j] + a1 * row[1, POSE + j]
        for j in range(3):
            lens_mixed[i, j] += a0 * row[0, POINT_AT + j] + a1 * row[1, POINT_AT + j]


@compiled
def _subtract_point(
    terms: _PointTerms, count: int, inverse: Array, pull: Array, equations: Equations
) -> None:
    """Take a point's part out: normal -= W V^-1 W', gradient -= W V^-1 pull."""
    mixed, carried, column, size = terms.mixed, terms.carried, terms.column, terms.size
    normal, gradient = equations
    for s in range(count):
        for i in range(size[s]):
            for j in range(3):
                carried[s, i, j] = (
                    mixed[s, i, 0] * inverse[0, j]
                    + mixed[s, i, 1] * inverse[1, j]
                    + mixed[s, i, 2] * inverse[2, j]
                )
            gradient[column[s] + i] -= (
                carried[s, i, 0] * pull[0] + carried[s, i, 1] * pull[1] + carried[s, i, 2] * pull[2]
            )
    for s in range(count):
        for t in range(count):
            if column[t] < column[s]:
                continue
            for i in range(size[s]):
                for j in range(i if s == t else 0, size[t]):
                    normal[column[s] + i, column[t] + j] -= (
                        carried[s, i, 0] * mixed[t, j, 0]
                        + carried[s, i, 1] * mixed[t, j, 1]
                        + carried[s, i, 2] * mixed[t, j, 2]
                    )


@compiled
def back_substitute(
    state: State,
    sights: Observations,
    weight: Array,
    step: Array,
    inverses: Array,
    pulls: Array,
    point_step: Array,
) -> None:
    """Fill ``point_step`` (P, 3) from the step of the frames and cameras.

    ``weight`` is (M,) a number for each observation, ``inverses`` (P, 3, 3), ``pulls`` (P, 3).
    """
    rotations, positions, lenses, camera_of, points, course = state
    velocities = velocities_of(state)
    lens_at = POSE * len(rotations)
    jac, ideal = np.empty((2, RESIDUAL_AT)), np.empty(3)
    for p in range(len(points)):
        right = pulls[p].copy()
        for m in range(sights.start[p], sights.start[p + 1]):
            f = sights.frame[m]
            cam = camera_of[f]
            turn, moving, lens = rotations[f], velocities[f], lenses[cam]
            share = exposure_share(course.height_px, f, sights.xy_px[m, 1])
            residual_of(turn, positions[f], moving, lens, share, points[p], sights.xy_px[m], ideal)
            if ideal[2] < MIN_DEPTH or weight[m] <= 0.0:
                continue
            fill_jacobian(turn, moving, lens, share, ideal, jac)
            own, of_lens = step[POSE * f :], step[lens_at + LENS * cam :]
            _take_out(jac, weight[m], own, of_lens, right)
        _fill_product(inverses[p], right, point_step[p])


@inlined
def _take_out(jac: Array, w: float, pose_step: Array, lens_step: Array, right: Array) -> None:
    """Take what the steps of a frame and its camera explain out of a point's right-hand side."""
    for row in range(2):
        moved = 0.0
        for i in range(POSE):
            moved += jac[row, i] * pose_step[i]
        for i in range(LENS):
            moved += jac[row, POSE + i] * lens_step[i]
        for k in range(3):
            right[k] -= w * jac[row, POINT_AT + k] * moved


@inlined
def _fill_product(a: Array, b: Array, out: Array) -> None:
    """Fill ``out`` (3,) with a (3, 3) times b (3,)."""
    for k in range(3):
        out[k] = a[k, 0] * b[0] + a[k, 1] * b[1] + a[k, 2] * b[2]
