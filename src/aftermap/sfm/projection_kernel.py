"""Where a camera sees a point, and how that changes with everything that is estimated; compiled.

A frame has six unknowns: a small rotation in camera axes, applied from the left, and its position
in the world. A camera has eight: focal length, principal point, k1, k2, p1, p2 (COLMAP's OPENCV
model with one focal length), and the readout time of its shutter. Observations are sorted by
point; ``start`` (P + 1,) says where each point's begin.

A row is exposed ``readout * (row / height - 1/2)`` after the pose of its frame, which is that of
the middle row. Until then the camera goes on as it does from the frame before to the frame after
(decision 0010).
"""

from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, Int32Array
from aftermap.geo.compiled import compiled, inlined


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


@inlined
def exposure_share(height_px: Array, frame: int, y_px: float) -> float:
    """When a row of a frame was exposed, in parts of the readout time after the middle row.

    ``height_px`` (N,) of the frames' pictures; empty where every shutter is a global one.
    """
    return y_px / height_px[frame] - 0.5 if len(height_px) else 0.0


@inlined
def residual_of(
    rotation: Array,
    position: Array,
    velocity: Array,
    lens: Array,
    share: float,
    point: Array,
    xy_px: Array,
    ideal: Array,
) -> tuple[float, float]:
    """Residual in pixels; leaves in ``ideal`` (3,) the point in camera axes at the middle row.

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


@inlined
def _off(lens: Array, x: float, y: float, xy_px: Array) -> tuple[float, float]:
    """Pixels from an observation to where a place at x/z, y/z is seen."""
    r2 = x * x + y * y
    radial = 1.0 + r2 * (lens[3] + r2 * lens[4])
    u = x * radial + 2.0 * lens[5] * x * y + lens[6] * (r2 + 2.0 * x * x)
    v = y * radial + 2.0 * lens[6] * x * y + lens[5] * (r2 + 2.0 * y * y)
    return lens[0] * u + lens[1] - xy_px[0], lens[0] * v + lens[2] - xy_px[1]


@inlined
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
def fill_jacobian(
    rotation: Array, velocity: Array, lens: Array, share: float, ideal: Array, jac: Array
) -> None:
    """Fill (2, 17) derivatives of the pixel: rotation 3, position 3, lens 8, point 3.

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
            out[m, 0], out[m, 1] = residual_of(
                state.rotations[f],
                state.positions[f],
                velocities[f],
                lens,
                exposure_share(state.course.height_px, f, sights.xy_px[m, 1]),
                state.points[p],
                sights.xy_px[m],
                ideal,
            )
