"""Normal equations of a bundle adjustment, points eliminated (Triggs et al. 2000, section 6).

Compiled loops over plain arrays. A frame has six unknowns: a small rotation in camera axes,
applied from the left, and its position in the world. A camera has eight: focal length, principal
point, k1, k2, p1, p2 (COLMAP's OPENCV model with one focal length), and the readout time of its
shutter. Observations are sorted by point; ``start`` (P + 1,) says where each point's begin.

A row is exposed ``readout * (row / height - 1/2)`` after the pose of its frame, which is that of
the middle row. Until then the camera goes on as it does from the frame before to the frame after
(decision 0010).
"""

from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, Int32Array, IntArray
from aftermap.geo.compiled import compiled


class Course(NamedTuple):
    """Between which frames each frame was taken, all (N,), and the height of its picture.

    From frame ``before`` to frame ``after`` the camera moved for ``interval_s`` and turned for
    ``turning_s``; 0 where its velocity or turn rate is not known, and taken to be none.
    """

    before: Int32Array
    after: Int32Array
    interval_s: Array
    turning_s: Array
    height_px: Array


NO_COURSE = Course(
    before=np.zeros(0, np.int32),
    after=np.zeros(0, np.int32),
    interval_s=np.zeros(0),
    turning_s=np.zeros(0),
    height_px=np.zeros(0),
)
"""Nothing is known of when the frames were taken: every shutter is a global one."""


class State(NamedTuple):
    """Everything that is estimated.

    ``rotations`` (N, 3, 3) cam_from_world, ``positions`` (N, 3), ``lenses`` (K, 8) per camera (the
    last one the readout time in seconds), ``camera_of`` (N,) which camera a frame was taken with,
    ``points`` (P, 3); ``course`` is known, and may be empty.
    """

    rotations: Array
    positions: Array
    lenses: Array
    camera_of: Int32Array
    points: Array
    course: Course = NO_COURSE


class Observations(NamedTuple):
    """Observations sorted by point: frame (M,), start (P + 1,), corner-origin pixels (M, 2)."""

    frame: Int32Array
    start: Int32Array
    xy_px: Array


POSE = 6
LENS = 8
READOUT = 7
MIN_DEPTH = 1e-6
INSTANT_S = 1e-9
"""Readout times below this are those of global shutters, held at 0."""


@compiled
def velocities_of(state: State) -> Array:
    """(N, 6) turn in camera axes (radians) and motion in the world, both per second."""
    rotations, positions, _, _, _, course = state
    out = np.zeros((len(rotations), POSE))
    turn = np.empty((3, 3))
    for f in range(len(course.before)):
        first, last = course.before[f], course.after[f]
        if course.interval_s[f] > 0:
            for i in range(3):
                out[f, 3 + i] = (positions[last, i] - positions[first, i]) / course.interval_s[f]
        if course.turning_s[f] > 0:
            for i in range(3):
                for j in range(3):
                    turn[i, j] = (rotations[last, i] * rotations[first, j]).sum()
            x = turn[2, 1] - turn[1, 2]
            y = turn[0, 2] - turn[2, 0]
            z = turn[1, 0] - turn[0, 1]
            sine = np.sqrt(x * x + y * y + z * z) / 2
            angle = np.arctan2(sine, (turn[0, 0] + turn[1, 1] + turn[2, 2] - 1) / 2)
            per_s = (0.5 if sine < 1e-9 else angle / (2 * sine)) / course.turning_s[f]
            out[f, 0], out[f, 1], out[f, 2] = per_s * x, per_s * y, per_s * z
    return out


@compiled
def _share(state: State, sights: Observations, m: int) -> float:
    """When an observation was exposed, in parts of the readout time after the middle row."""
    height_px = state.course.height_px
    if len(height_px) == 0:
        return 0.0
    return float(sights.xy_px[m, 1] / height_px[sights.frame[m]] - 0.5)


@compiled
def _residual(
    rotation: Array,
    position: Array,
    velocity: Array,
    lens: Array,
    share: float,
    point: Array,
    xy_px: Array,
    ideal: Array,
) -> tuple[float, float]:
    """Residual in pixels; leaves in ``ideal`` the point in camera axes at the middle row.

    Behind the camera: huge.
    """
    dx = point[0] - position[0]
    dy = point[1] - position[1]
    dz = point[2] - position[2]
    for i in range(3):
        ideal[i] = rotation[i, 0] * dx + rotation[i, 1] * dy + rotation[i, 2] * dz
    if ideal[2] < MIN_DEPTH:
        return 1e6, 1e6
    later = lens[READOUT] * share
    if abs(later) < INSTANT_S:
        return _off(lens, ideal[0] / ideal[2], ideal[1] / ideal[2], xy_px)
    x, y, z = _seen_later(rotation, velocity, later, ideal)
    return _off(lens, x / z, y / z, xy_px)


@compiled
def _off(lens: Array, x: float, y: float, xy_px: Array) -> tuple[float, float]:
    """Pixels from an observation to where a place at x/z, y/z is seen."""
    r2 = x * x + y * y
    radial = 1.0 + r2 * (lens[3] + r2 * lens[4])
    u = x * radial + 2.0 * lens[5] * x * y + lens[6] * (r2 + 2.0 * x * x)
    v = y * radial + 2.0 * lens[6] * x * y + lens[5] * (r2 + 2.0 * y * y)
    return lens[0] * u + lens[1] - xy_px[0], lens[0] * v + lens[2] - xy_px[1]


@compiled
def _seen_later(
    rotation: Array, velocity: Array, later: float, ideal: Array
) -> tuple[float, float, float]:
    """A point in camera axes once the camera has moved on and turned (to the second order)."""
    east, north, up = later * velocity[3], later * velocity[4], later * velocity[5]
    a = ideal[0] - rotation[0, 0] * east - rotation[0, 1] * north - rotation[0, 2] * up
    b = ideal[1] - rotation[1, 0] * east - rotation[1, 1] * north - rotation[1, 2] * up
    c = ideal[2] - rotation[2, 0] * east - rotation[2, 1] * north - rotation[2, 2] * up
    x, y, z = later * velocity[0], later * velocity[1], later * velocity[2]
    u = y * c - z * b
    v = z * a - x * c
    w = x * b - y * a
    return (
        a + u + 0.5 * (y * w - z * v),
        b + v + 0.5 * (z * u - x * w),
        max(c + w + 0.5 * (x * v - y * u), MIN_DEPTH),
    )


@compiled
def _jacobian(
    rotation: Array, velocity: Array, lens: Array, share: float, ideal: Array, jac: Array
) -> None:
    """(2, 17) derivatives of the pixel: rotation 3, position 3, lens 8, point 3.

    They are those of the middle row, which differ by thousandths and, unlike those of the row
    itself, leave free what pictures do not show: where the whole block lies, its turn and its size.
    """
    inverse = 1.0 / ideal[2]
    x = ideal[0] * inverse
    y = ideal[1] * inverse
    f, k1, k2, p1, p2 = lens[0], lens[3], lens[4], lens[5], lens[6]
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * k2)
    slope = 2.0 * (k1 + 2.0 * r2 * k2)
    xx = f * (radial + x * x * slope + 2.0 * p1 * y + 6.0 * p2 * x)
    xy = f * (x * y * slope + 2.0 * p1 * x + 2.0 * p2 * y)
    yy = f * (radial + y * y * slope + 2.0 * p2 * x + 6.0 * p1 * y)
    for row in range(2):
        a = (xx if row == 0 else xy) * inverse
        b = (xy if row == 0 else yy) * inverse
        c = -(a * x + b * y)
        jac[row, 0] = c * ideal[1] - b * ideal[2]
        jac[row, 1] = a * ideal[2] - c * ideal[0]
        jac[row, 2] = b * ideal[0] - a * ideal[1]
        for k in range(3):
            world = a * rotation[0, k] + b * rotation[1, k] + c * rotation[2, k]
            jac[row, 3 + k] = -world
            jac[row, 14 + k] = world
        jac[row, 13] = 0.0
        for k in range(POSE):
            jac[row, 13] += share * jac[row, k] * velocity[k]
    jac[0, 6] = x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x)
    jac[1, 6] = y * radial + 2.0 * p2 * x * y + p1 * (r2 + 2.0 * y * y)
    jac[0, 7], jac[0, 8], jac[1, 7], jac[1, 8] = 1.0, 0.0, 0.0, 1.0
    jac[0, 9], jac[1, 9] = f * x * r2, f * y * r2
    jac[0, 10], jac[1, 10] = f * x * r2 * r2, f * y * r2 * r2
    jac[0, 11], jac[1, 11] = 2.0 * f * x * y, f * (r2 + 2.0 * y * y)
    jac[0, 12], jac[1, 12] = f * (r2 + 2.0 * x * x), 2.0 * f * x * y


@compiled
def residuals_px(state: State, sights: Observations, out: Array) -> None:
    """Fill ``out`` (M, 2) with projected minus observed pixels."""
    ideal = np.empty(3)
    velocities = velocities_of(state)
    for p in range(len(state.points)):
        for m in range(sights.start[p], sights.start[p + 1]):
            f = sights.frame[m]
            lens = state.lenses[state.camera_of[f]]
            out[m, 0], out[m, 1] = _residual(
                state.rotations[f],
                state.positions[f],
                velocities[f],
                lens,
                _share(state, sights, m),
                state.points[p],
                sights.xy_px[m],
                ideal,
            )


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
    normal: Array,
    gradient: Array,
    inverses: Array,
    pulls: Array,
) -> None:
    """Add every point's share to ``normal`` and ``gradient`` (frames first, then lenses).

    ``weight`` (M,) multiplies squared residuals. On entry ``inverses`` (P, 3, 3) and ``pulls``
    (P, 3) hold what a survey says of each point (weights and right-hand side; zero where nothing);
    they leave as the inverse of each point's damped block and its whole right-hand side. Only
    the upper triangle of ``normal`` is filled.
    """
    rotations, positions, lenses, camera_of, points, _ = state
    velocities = velocities_of(state)
    frame, start, xy_px = sights
    lens_at = POSE * len(rotations)
    longest = 0
    for p in range(len(points)):
        longest = max(longest, start[p + 1] - start[p])
    jac = np.empty((2, 17))
    ideal = np.empty(3)
    block = np.empty((3, 3))
    mixed = np.zeros((longest + len(lenses), LENS, 3))
    carried = np.zeros((longest + len(lenses), LENS, 3))
    column = np.empty(longest + len(lenses), np.int64)
    size = np.empty(longest + len(lenses), np.int64)
    slot_of = np.full(len(lenses), -1, np.int64)
    for p in range(len(points)):
        block[:] = inverses[p]
        pull = pulls[p]
        count = 0
        slot_of[:] = -1
        for m in range(start[p], start[p + 1]):
            f = frame[m]
            cam = camera_of[f]
            share = _share(state, sights, m)
            r0, r1 = _residual(
                rotations[f],
                positions[f],
                velocities[f],
                lenses[cam],
                share,
                points[p],
                xy_px[m],
                ideal,
            )
            if ideal[2] < MIN_DEPTH or weight[m] <= 0.0:
                continue
            _jacobian(rotations[f], velocities[f], lenses[cam], share, ideal, jac)
            w = weight[m]
            for i in range(3):
                pull[i] -= w * (jac[0, 14 + i] * r0 + jac[1, 14 + i] * r1)
                for j in range(3):
                    block[i, j] += w * (
                        jac[0, 14 + i] * jac[0, 14 + j] + jac[1, 14 + i] * jac[1, 14 + j]
                    )
            own = count
            count += 1
            column[own] = POSE * f
            size[own] = POSE
            lens_slot = slot_of[cam]
            if lens_slot < 0:
                lens_slot = count
                count += 1
                slot_of[cam] = lens_slot
                column[lens_slot] = lens_at + LENS * cam
                size[lens_slot] = LENS
                mixed[lens_slot] = 0.0
            _add_observation(
                jac,
                r0,
                r1,
                w,
                column[own],
                column[lens_slot],
                normal,
                gradient,
                mixed[own],
                mixed[lens_slot],
            )
        for k in range(3):
            block[k, k] += damping * block[k, k] + 1e-12
        _inverse3(block, inverses[p])
        _subtract_point(mixed, carried, column, size, count, inverses[p], pull, normal, gradient)


@compiled
def _add_observation(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    jac: Array,
    r0: float,
    r1: float,
    w: float,
    pose_at: int,
    lens_at: int,
    normal: Array,
    gradient: Array,
    pose_mixed: Array,
    lens_mixed: Array,
) -> None:
    for i in range(POSE):
        a0, a1 = w * jac[0, i], w * jac[1, i]
        gradient[pose_at + i] -= a0 * r0 + a1 * r1
        for j in range(i, POSE):
            normal[pose_at + i, pose_at + j] += a0 * jac[0, j] + a1 * jac[1, j]
        for j in range(LENS):
            normal[pose_at + i, lens_at + j] += a0 * jac[0, 6 + j] + a1 * jac[1, 6 + j]
        for j in range(3):
            pose_mixed[i, j] = a0 * jac[0, 14 + j] + a1 * jac[1, 14 + j]
    for i in range(LENS):
        a0, a1 = w * jac[0, 6 + i], w * jac[1, 6 + i]
        gradient[lens_at + i] -= a0 * r0 + a1 * r1
        for j in range(i, LENS):
            normal[lens_at + i, lens_at + j] += a0 * jac[0, 6 + j] + a1 * jac[1, 6 + j]
        for j in range(3):
            lens_mixed[i, j] += a0 * jac[0, 14 + j] + a1 * jac[1, 14 + j]


@compiled
def _subtract_point(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    mixed: Array,
    carried: Array,
    column: IntArray,
    size: IntArray,
    count: int,
    inverse: Array,
    pull: Array,
    normal: Array,
    gradient: Array,
) -> None:
    """Take a point's part out: normal -= W V^-1 W', gradient -= W V^-1 pull."""
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
    """Fill ``point_step`` (P, 3) from the step of the frames and lenses.

    ``weight`` is (M,) a number for each observation; ``inverses`` (P, 3, 3) and ``pulls`` (P, 3)
    are
    those of :func:`eliminate`.
    """
    rotations, positions, lenses, camera_of, points, _ = state
    velocities = velocities_of(state)
    frame, start, xy_px = sights
    lens_at = POSE * len(rotations)
    jac = np.empty((2, 17))
    ideal = np.empty(3)
    for p in range(len(points)):
        right = pulls[p].copy()
        for m in range(start[p], start[p + 1]):
            f = frame[m]
            cam = camera_of[f]
            share = _share(state, sights, m)
            _residual(
                rotations[f],
                positions[f],
                velocities[f],
                lenses[cam],
                share,
                points[p],
                xy_px[m],
                ideal,
            )
            if ideal[2] < MIN_DEPTH or weight[m] <= 0.0:
                continue
            _jacobian(rotations[f], velocities[f], lenses[cam], share, ideal, jac)
            for row in range(2):
                moved = 0.0
                for i in range(POSE):
                    moved += jac[row, i] * step[POSE * f + i]
                for i in range(LENS):
                    moved += jac[row, 6 + i] * step[lens_at + LENS * cam + i]
                for k in range(3):
                    right[k] -= weight[m] * jac[row, 14 + k] * moved
        for k in range(3):
            point_step[p, k] = (
                inverses[p, k, 0] * right[0]
                + inverses[p, k, 1] * right[1]
                + inverses[p, k, 2] * right[2]
            )
