"""A flight over made-up ground: true cameras and points, and what photographs would record."""

from dataclasses import dataclass, replace

import numpy as np

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.lens import projected_px
from aftermap.model.camera import Frame
from aftermap.model.media import FocalSource
from aftermap.sfm.block import BundleBlock
from aftermap.sfm.bundle import HELD, Priors, rotation_matrices
from aftermap.sfm.projection_kernel import Observations, State
from aftermap.sfm.triangulate import opencv_params

WIDTH, HEIGHT = 1200, 900
LENS = np.array([1000.0, 602.0, 448.0, -0.02, 0.008, 0.0004, -0.0003, 0.0])
ORIGIN_M = np.array([500_900.0, 3_978_400.0, 245.0])
NOTHING = np.zeros((0, 3))


@dataclass(frozen=True, kw_only=True)
class Flown:
    """Truth in metres from ORIGIN_M, and noisy observations of it. Frames know noisy positions."""

    frames: tuple[Frame, ...]
    truth: State
    sights: Observations

    @property
    def point(self):
        return np.repeat(np.arange(len(self.truth.points)), np.diff(self.sights.start))


def nadir(rng, *, strips=4, per_strip=6, height=80.0, tilt=1.5, levels=0.0):
    """Rotations and positions of a serpentine flight, straight down but for the gimbal's jitter."""
    x, y = np.meshgrid(np.arange(per_strip) * 22.0, np.arange(strips) * 26.0)
    positions = np.stack([x.ravel(), y.ravel(), np.full(x.size, height)], axis=1)
    positions += rng.normal(0, [0.8, 0.8, 0.4], positions.shape)
    positions[:, 2] += levels * (np.arange(len(positions)) % 2)
    yaw = 90.0 + 180.0 * (np.arange(len(positions)) // per_strip % 2)
    return jittered(rng, yaw, np.full(len(positions), -90.0), tilt), positions


def oblique(rng, *, ring=16, height=60.0, away=60.0, tilt=1.5):
    """Rotations and positions of a flight around a block, looking in."""
    around = np.linspace(0, 360, ring, endpoint=False)
    east, north = np.sin(np.radians(around)), np.cos(np.radians(around))
    positions = np.stack([55 + away * east, 39 + away * north, np.full(ring, height)], axis=1)
    return jittered(rng, around + 180, np.full(ring, -45.0), tilt), positions


def jittered(rng, yaw, pitch, tilt):
    return np.stack(
        [
            rotation_cam_from_world(y, p + rng.normal(0, tilt), rng.normal(0, tilt))
            for y, p in zip(yaw, pitch, strict=True)
        ]
    )


def ground(rng, *, count=700, relief=10.0):
    places = rng.uniform([-30, -30, 0], [140, 110, 1], (count, 3))
    places[:, 2] *= relief
    return places


def pixels_of(state, frame, points, lens=LENS):
    """(P, 2) pixels of points in one frame, NaN where the frame does not show them."""
    cam = (points - state.positions[frame]) @ state.rotations[frame].T
    seen = projected_px(cam, opencv_params(lens))
    inside = ((seen > 0) & (seen < [WIDTH, HEIGHT])).all(axis=1)
    return np.where(inside[:, None], seen, np.nan)


def flown(rng, poses, points, *, noise_px=0.3, gps_m=1.0, keys=None, name="DJI"):
    """What a flight with these poses over these points would record."""
    rotations, positions = poses
    keys = keys or ["FC6310 f=1000"] * len(positions)
    names = tuple(dict.fromkeys(keys))
    lenses = np.tile(LENS, (len(names), 1))
    camera_of = np.array([names.index(key) for key in keys], np.int32)
    state = State(rotations, positions, lenses, camera_of, points)
    seen = np.stack([pixels_of(state, i, points) for i in range(len(positions))])
    shown = np.isfinite(seen).all(axis=2)
    often = shown.sum(axis=0) >= 2
    point, frame = np.nonzero(shown[:, often].T)
    clean = seen[frame, np.flatnonzero(often)[point]]
    sights = Observations(
        frame.astype(np.int32),
        np.concatenate([[0], np.cumsum(shown[:, often].sum(axis=0))]).astype(np.int32),
        clean + rng.normal(0, noise_px, clean.shape),
    )
    recorded = ORIGIN_M + positions + rng.normal(0, gps_m, positions.shape)
    frames = tuple(
        frame_of(i, key, tuple(map(float, recorded[i])), gps_m, name) for i, key in enumerate(keys)
    )
    return Flown(frames=frames, truth=state._replace(points=points[often]), sights=sights)


def frame_of(number, key="FC6310 f=1000", recorded=None, sigma_m=1.0, name="DJI", **changes):
    frame = Frame(
        sha256=f"{name}{number:04d}".ljust(64, "0"),
        name=f"{name}_{number + 1:04d}.JPG",
        path=f"{name}_{number + 1:04d}.JPG",
        width_px=WIDTH,
        height_px=HEIGHT,
        orientation=1,
        camera_key=key,
        focal_px=float(LENS[0]),
        focal_sigma_px=0.01 * float(LENS[0]),
        focal_source=FocalSource.XMP_CALIBRATED,
        prior_position_m=recorded,
        prior_sigma_m=None if recorded is None else (sigma_m,) * 3,
    )
    return replace(frame, **changes)


def block_of_flown(flight, rng, *, gps_m=1.0, located=True, offset_m=ORIGIN_M, shaken=True):
    """The flight as a block that still has to be adjusted, in metres from ``offset_m``."""
    truth = flight.truth
    recorded = np.array([f.prior_position_m or (np.nan,) * 3 for f in flight.frames])
    nothing = np.full(truth.positions.shape, np.nan)
    keys = tuple(dict.fromkeys(f.camera_key for f in flight.frames))
    unknown = np.full(truth.points.shape, np.nan)
    lenses = np.array([[f.focal_px, WIDTH / 2, HEIGHT / 2, *[0] * 5] for f in flight.frames[:1]])
    lenses = np.tile(lenses, (len(keys), 1))
    sigma = [flight.frames[0].focal_sigma_px, 3, 3, 0.2, 0.2, 5e-3, 5e-3, HELD]
    start = truth._replace(lenses=lenses)
    if shaken:
        start = start._replace(
            rotations=rotation_matrices(rng.normal(0, 0.004, truth.positions.shape))
            @ truth.rotations,
            positions=truth.positions + rng.normal(0, 0.5, truth.positions.shape),
            points=truth.points + rng.normal(0, 0.5, truth.points.shape),
        )
    return BundleBlock(
        frames=flight.frames,
        camera_keys=keys,
        state=start,
        sights=flight.sights,
        sigma_px=np.full(len(flight.sights.frame), 0.3),
        knowns=Priors(
            positions=recorded - offset_m if located else nothing,
            position_sigma=np.full(truth.positions.shape, gps_m) if located else nothing,
            offset_sigma=np.full(3, gps_m) if located else np.ones(3),
            lenses=lenses,
            lens_sigma=np.tile(sigma, (len(keys), 1)),
            points=unknown,
            point_sigma=unknown,
            rotations=np.full((len(truth.rotations), 3, 3), np.nan),
            turn_sigma=np.full(truth.positions.shape, np.nan),
        ),
        offset_m=np.asarray(offset_m, float) if located else np.zeros(3),
        located=located,
    )
