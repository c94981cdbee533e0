"""A made-up flight whose shutter rolls: exact pixels by bisection of time, velocities by truth."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from made_up_flight import HEIGHT, LENS, Flown, flown, ground, nadir, oblique
from scipy.spatial.transform import Rotation

from aftermap.geo.lens import projected_px
from aftermap.model.clip import Moment
from aftermap.sfm.triangulate import opencv_params

STEP_M, PER_STRIP = 22.0, 6
PARAMS = opencv_params(LENS)


def pixels_when(cam, moved, turned, readout_s):
    """(P, 2) where (P, 3) places in camera axes are seen, as the row that shows each is exposed.

    ``moved`` and ``turned`` (3,) are per second. The times are bisected: no fixed point.
    """
    early, late = np.full(len(cam), -2 * readout_s), np.full(len(cam), 2 * readout_s)
    seen = np.zeros((len(cam), 2))
    for _ in range(50):
        middle = (early + late) / 2
        turns = Rotation.from_rotvec(middle[:, None] * turned)
        seen = projected_px(turns.apply(cam - middle[:, None] * moved), PARAMS)
        is_later = readout_s * (seen[:, 1] / HEIGHT - 0.5) > middle
        early, late = np.where(is_later, middle, early), np.where(is_later, late, middle)
    return seen


def rolling(made: Flown, rng, readout_s, velocities, turns, noise_px) -> Flown:
    """The flight with what a rolling shutter would have seen of the same places.

    ``velocities`` (N, 3) in the world, ``turns`` (N, 3) about the cameras' axes, a second.
    """
    truth, sights = made.truth, made.sights
    seen = np.empty_like(sights.xy_px)
    for f, rotation in enumerate(truth.rotations):
        own = sights.frame == f
        cam = (truth.points[made.point[own]] - truth.positions[f]) @ rotation.T
        seen[own] = pixels_when(cam, rotation @ velocities[f], turns[f], readout_s)
    seen += rng.normal(0, noise_px, seen.shape)
    return replace(made, sights=sights._replace(xy_px=seen))


def orbit(rng, readout_s, *, seconds=1.0, noise_px=0.3, gps_m=0.3, points=350) -> Flown:
    """A clip that circles a block, a frame a second: it moves and turns while it is exposed."""
    poses = oblique(rng, ring=24, tilt=0.3)
    made = flown(rng, poses, ground(rng, count=points), noise_px=noise_px, gps_m=gps_m)
    count = len(made.frames)
    moments = [
        Moment(clip_sha256="c" * 64, clip_name="c.mp4", time_s=Fraction(i), shot=0)
        for i in range(count)
    ]
    frames = [replace(f, moment=m) for f, m in zip(made.frames, moments, strict=True)]
    before, after = np.arange(count) - 1, (np.arange(count) + 1) % count
    rotations, positions = poses
    velocities = (positions[after] - positions[before]) / (2 * seconds)
    turns = Rotation.from_matrix(rotations[after] @ rotations[before].transpose(0, 2, 1))
    turned = turns.as_rotvec() / (2 * seconds)
    made = rolling(made, rng, readout_s, velocities, turned, noise_px)
    return replace(made, frames=tuple(frames))


def lines(rng, readout_s, *, every_s=3.0, speed_m_s=None, readout=None, points=350) -> Flown:
    """Photographs straight down along four lines, with whole seconds on their clock.

    At ``speed_m_s`` 0 the drone stops for each of them.
    """
    rotations, positions = nadir(rng, per_strip=PER_STRIP)
    made = flown(rng, (rotations, positions), ground(rng, count=points), noise_px=0.1, gps_m=0.1)
    count = len(made.frames)
    back = np.arange(count) // PER_STRIP % 2 == 1
    order = np.arange(count).reshape(-1, PER_STRIP)
    order[1::2] = order[1::2, ::-1].copy()
    number = np.argsort(order.ravel())
    speed = STEP_M / every_s if speed_m_s is None else speed_m_s
    velocities = np.where(back, -speed, speed)[:, None] * np.array([1.0, 0, 0])
    made = rolling(made, rng, readout_s, velocities, np.zeros((count, 3)), 0.1)
    frames = tuple(
        replace(f, readout=readout, taken_at=clock(every_s * n))
        for f, n in zip(made.frames, number, strict=True)
    )
    return replace(made, frames=frames)


def clock(seconds):
    return f"2026-01-01T10:{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
