"""Rough poses -> the world by recorded positions: the map's CRS minus an offset.

Without positions the frame is made in ``levelling.py``.
"""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.camera import Frame

DOWN_SIGMA = 0.1
"""How well the guessed direction of the plumb line is trusted, in radians."""
MAX_TURNS = 20


def similarity(source: Array, target: Array, weight: Array) -> tuple[float, Array, Array]:
    """Scale, rotation and shift that lay (N, 3) ``source`` onto ``target`` (Umeyama 1991)."""
    share = weight / weight.sum()
    mean_s, mean_t = share @ source, share @ target
    a, b = source - mean_s, target - mean_t
    u, d, vt = np.linalg.svd((b * share[:, None]).T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / max(share @ (a**2).sum(axis=1), 1e-30))
    return scale, rotation, mean_t - scale * rotation @ mean_s


def world_from_positions(
    positions: Array, down: Array, depth: float, recorded: Array, sigma_m: Array
) -> tuple[float, Array, Array] | None:
    """The similarity that lays (N, 3) positions onto recorded ones, wild ones left aside.

    ``down`` is the guessed plumb line and ``depth`` the distance to the ground, both in the
    frame of the positions: they decide how a single flight line is turned about itself. None
    where the positions are all one place.
    """
    gaps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    steps = np.linalg.norm(np.diff(recorded, axis=0), axis=1)
    if np.median(gaps) <= 0 or np.median(steps) <= 0:
        return None
    scale = float(np.median(steps / np.maximum(gaps, 1e-12)))
    trust = 1 / (sigma_m**2).mean(axis=1)
    kept = np.ones(len(positions))
    found = 1.0, np.eye(3), np.zeros(3)
    for _ in range(MAX_TURNS):
        source = np.concatenate([positions, positions + depth * down])
        lowered = recorded - [0, 0, scale * depth]
        plumb = np.full(len(positions), 1 / max(DOWN_SIGMA * scale * depth, 1e-9) ** 2)
        weight = np.concatenate([trust * kept, plumb * kept])
        found = similarity(source, np.concatenate([recorded, lowered]), weight)
        miss = np.linalg.norm(_moved(positions, found) - recorded, axis=1)
        typical = max(float(np.median(miss)), float(np.median(sigma_m)))
        again = 1 / (1 + (miss / (3 * typical)) ** 2) ** 2
        if np.abs(again - kept).max() < 1e-3 and abs(found[0] - scale) < 1e-4 * scale:
            break
        kept, scale = again, found[0]
    return found


def _moved(points: Array, world: tuple[float, Array, Array]) -> Array:
    scale, rotation, shift = world
    return np.asarray(scale * points @ rotation.T + shift)


def plumb_line(rotations: Array, frames: Sequence[Frame]) -> Array:
    """(3,) unit direction that is most likely down, in the frame of the (N, 3, 3) rotations.

    Gimbals hold a camera's x axis level, and some tell their pitch; where none is told the mean
    viewing direction is taken for down, softly.
    """
    normal = 1e-3 * np.eye(3)
    right = np.zeros(3)
    for rotation, frame in zip(rotations, frames, strict=True):
        across, ahead = rotation[0], rotation[2]
        if frame.pitch_deg is None:
            normal += 0.1 * np.outer(ahead, ahead)
            right += 0.1 * ahead
        else:
            normal += np.outer(across, across) + np.outer(ahead, ahead)
            right += ahead * np.sin(np.radians(-frame.pitch_deg))
    down = np.asarray(np.linalg.solve(normal, right), np.float64)
    length = float(np.linalg.norm(down))
    return down / length if length > 1e-6 else np.array([0.0, 0.0, 1.0])
