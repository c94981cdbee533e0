"""Cameras and tie points -> what roll, gimbal, path and the lowest points say of the vertical.

Directions are in the frame of the rotations, whatever it is; nothing here reads a picture.
"""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.camera import Frame
from aftermap.sfm.vertical import Witness, known_direction

GROUND, GIMBAL = "ground", "gimbal"
ROLL_SIGMA_DEG = 1.2
"""Of the roll of a whole flight: gimbals sit askew by this much, and hands do by more."""
ROLL_JITTER_DEG = 2.0
GIMBAL_SIGMA_DEG = 1.0
LEVEL_PATH_DEG = 10.0
"""How far a flight climbs or sinks, as an angle."""
LEVEL_SURVEY_DEG = 2.5
"""The same where the cameras lie in one plane as only a held height makes them."""
HELD_SHARE = 0.03
"""Cameras that lie off their plane by less than this share of its shorter side held their height.
"""
FEWEST_HELD = 8
TERRAIN_SIGMA_DEG = 0.8
"""Slope of the ground of a town over a few hundred metres."""
TOLERANCE_SHARE = 0.02
"""Thickness of the ground, as a share of the cameras' height above it."""
TRIALS = 1500
BELOW_COSTS = 4.0
"""So many points on a plane are needed to make up for one below it."""
MOST_POINTS = 2500
MOST_ABOVE = 0.95
"""Share of the cameras that are above the ground; a wrongly placed one may not be."""
MOST_LOOKING_UP = 0.5
"""Sine of the angle above the horizon beyond which no flight's mean view lies."""
CELLS = 12


def roll_witness(rotations: Array) -> Witness:
    """Cameras are held level: the mean square of the sine of their roll is small.

    ``rotations`` are (N, 3, 3) cam_from_world.
    """
    across = rotations[:, 0]
    variance = np.radians(ROLL_SIGMA_DEG) ** 2 + np.radians(ROLL_JITTER_DEG) ** 2 / len(across)
    return Witness(name="roll", information=across.T @ across / len(across) / variance)


def recorded_ups(rotations: Array, frames: Sequence[Frame]) -> Array:
    """(N, 3) unit vectors up by recorded pitch and level x axis of the frames with a pitch."""
    told = [i for i, frame in enumerate(frames) if frame.pitch_deg is not None]
    pitch = np.radians([frames[i].pitch_deg or 0.0 for i in told])
    own = np.stack([0 * pitch, -np.cos(pitch), np.sin(pitch)], axis=1)
    return np.asarray(np.einsum("ni,nij->nj", own, rotations[told]))


def gimbal_witness(rotations: Array, frames: Sequence[Frame]) -> Witness | None:
    """Recorded pitch: with the level x axis it fixes the vertical in each camera.

    ``rotations`` are (N, 3, 3) cam_from_world.
    """
    ups = recorded_ups(rotations, frames)
    if not len(ups):
        return None
    mean = ups.sum(axis=0)
    mean /= np.linalg.norm(mean)
    scatter = np.degrees(np.arccos(np.clip(ups @ mean, -1, 1)))
    sigma = np.hypot(GIMBAL_SIGMA_DEG, float(np.median(scatter)) / np.sqrt(len(ups)))
    return known_direction(GIMBAL, mean, float(sigma))


def path_witness(positions: Array) -> Witness | None:
    """Flights go roughly level; one that fills a plane closely is level rather well.

    ``positions`` are (N, 3) camera positions in the frame of the reconstruction.
    """
    steps = np.diff(positions, axis=0)
    length = np.linalg.norm(steps, axis=1)
    if len(positions) < 3 or length.sum() <= 0:
        return None
    # The mean of d d' over the way that is flown, d being its direction.
    along = (steps / np.maximum(length, 1e-300)[:, None]).T @ steps / length.sum()
    information = along / np.radians(LEVEL_PATH_DEG) ** 2
    centred = positions - positions.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    held = sizes[1] > 0.25 * sizes[0] and sizes[2] < HELD_SHARE * sizes[1]
    if held and len(positions) >= FEWEST_HELD:
        across = np.eye(3) - np.outer(axes[2], axes[2])
        information = across / np.radians(LEVEL_SURVEY_DEG) ** 2
    return Witness(name="flight path", information=information)


def ground_witness(
    rotations: Array, positions: Array, points: Array, *, seed: int = 7
) -> Witness | None:
    """The plane that most tie points lie on and hardly any lies below: the ground.

    Rotations are (N, 3, 3) cam_from_world, positions (N, 3), points (P, 3).
    """
    found = ground_plane(rotations, positions, points, seed=seed)
    if found is None:
        return None
    normal, sigma_deg = found[0], found[2]
    return known_direction(GROUND, normal, float(np.hypot(sigma_deg, TERRAIN_SIGMA_DEG)))


def ground_plane(
    rotations: Array,
    positions: Array,
    points: Array,
    *,
    up: Array | None = None,
    seed: int = 7,
) -> tuple[Array, float, float] | None:
    """Upward unit normal, level (normal @ x) and formal sigma in degrees of the lowest plane.

    Rotations are (N, 3, 3) cam_from_world, positions (N, 3), points (P, 3). RANSAC over threes of
    points, one of each part of the scene counting alike; planes that cameras roll or look up over
    are not tried. With ``up`` (3,) the normal is given and only the level is found.
    """
    rng = np.random.default_rng(seed)
    near = _near(positions, points, rng)
    if len(near) < 30:
        return None
    seen_from = positions[:: max(1, len(positions) // 30)]
    normals, levels = _candidates(near, rng) if up is None else _levels(near, up)
    flip = np.median(seen_from @ normals.T, axis=0) < levels
    normals = np.where(flip[:, None], -normals, normals)
    levels = np.where(flip, -levels, levels)
    height = np.median(seen_from @ normals.T - levels, axis=0)
    possible = (seen_from @ normals.T - levels > 0).mean(axis=0) > MOST_ABOVE
    if up is None:
        roll = np.sqrt(((normals @ rotations[:, 0].T) ** 2).mean(axis=1))
        possible &= roll < np.sin(np.radians(12.0))
        possible &= (normals @ rotations[:, 2].T).mean(axis=1) < MOST_LOOKING_UP
    normals, levels, height = normals[possible], levels[possible], height[possible]
    if not len(normals):
        return None
    weight = _evened(near)
    planes = zip(normals, levels, height, strict=True)
    scores = [_score(near @ n - k, weight, TOLERANCE_SHARE * h) for n, k, h in planes]
    best = int(np.argmax(scores))
    if up is not None:
        return up, float(levels[best]), 0.0
    return _refined(near, weight, normals[best], levels[best], TOLERANCE_SHARE * height[best])


def _near(positions: Array, points: Array, rng: np.random.Generator) -> Array:
    """Points that are not far compared with the others: their depth is worth something."""
    if len(points) > MOST_POINTS:
        points = points[rng.choice(len(points), MOST_POINTS, replace=False)]
    some = positions[:: max(1, len(positions) // 30)]
    away = np.linalg.norm(points[:, None] - some[None], axis=2).min(axis=1)
    return np.asarray(points[away < 2.5 * np.percentile(away, 35)])


def _candidates(points: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    threes = points[rng.integers(0, len(points), (TRIALS, 3))]
    normals = np.cross(threes[:, 1] - threes[:, 0], threes[:, 2] - threes[:, 0])
    length = np.linalg.norm(normals, axis=1)
    longest = np.linalg.norm(threes[:, 1] - threes[:, 0], axis=1) ** 2
    good = length > 0.05 * np.maximum(longest, 1e-300)
    normals = normals[good] / length[good, None]
    return normals, (normals * threes[good, 0]).sum(axis=1)


def _levels(points: Array, up: Array) -> tuple[Array, Array]:
    levels = np.percentile(points @ up, np.linspace(0.5, 80, 160))
    return np.tile(up, (len(levels), 1)), levels


def _evened(points: Array) -> Array:
    """(N,) weights that make every part of the scene count alike, at most."""
    centred = points - np.median(points, axis=0)
    flat = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    low, high = np.percentile(flat, [2, 98], axis=0)
    cell = np.clip((flat - low) / np.maximum(high - low, 1e-12) * CELLS, 0, CELLS - 1).astype(int)
    key = cell[:, 0] * CELLS + cell[:, 1]
    return np.asarray(1 / np.sqrt(np.bincount(key, minlength=CELLS * CELLS)[key]))


def _score(above: Array, weight: Array, tolerance: float) -> float:
    on = np.exp(-0.5 * (above / tolerance) ** 2)
    return float(weight @ (on - BELOW_COSTS * (above < -3 * tolerance)))


def _refined(
    points: Array, weight: Array, normal: Array, level: float, tolerance: float
) -> tuple[Array, float, float]:
    """The plane fitted to what lies on it, hardly drawn up by what stands on it."""
    middle = points.mean(axis=0)
    for _ in range(15):
        above = points @ normal - level
        narrow = np.where(above > 0, 0.7 * tolerance, 1.5 * tolerance)
        trust = weight * np.exp(-0.5 * (above / narrow) ** 2)
        middle = trust @ points / trust.sum()
        _, _, axes = np.linalg.svd((points - middle) * np.sqrt(trust)[:, None], full_matrices=False)
        again = axes[2] * np.sign(axes[2] @ normal)
        level = float(again @ middle)
        if again @ normal > 1 - 1e-12:
            break
        normal = again
    above = points @ normal - level
    on = np.abs(above) < 2 * tolerance
    spread = np.sqrt(np.average((points[on] - middle) ** 2 @ np.ones(3), weights=weight[on]) / 2)
    count = max(float((weight[on] ** 2).sum()), 3.0)
    sigma = float(np.degrees(above[on].std() / max(spread, 1e-12) * np.sqrt(2 / count)))
    return normal, level, sigma
