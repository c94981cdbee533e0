"""Which photographs are matched with which for depth: a good angle and a large common area."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.model.camera import PlacedFrame, Reconstruction
from aftermap.surface.options import SurfaceOptions

MIN_OVERLAP = 0.25
MAX_ANGLE_DEG = 40.0
MIN_ANGLE_DEG = 3.0
MAX_TURN_DEG = 35.0
LEAST_SHARE_OF_BEST = 0.3


@dataclass(frozen=True, kw_only=True)
class StereoPair:
    """Two frames, by index into ``Reconstruction.mapped``; depth is measured in the left one."""

    left: int
    right: int
    angle_deg: float


def stereo_pairs(reconstruction: Reconstruction, options: SurfaceOptions) -> tuple[StereoPair, ...]:
    """The best pairs of the mapped group, every unordered pair once.

    Each frame asks for its ``neighbours`` best partners by score: the share of tie points in
    common, weighed by how near the intersection angle is to the best one. Partners are spread
    over directions, since a wall is only seen from its own side.
    """
    frames = reconstruction.mapped
    chosen: dict[tuple[int, int], StereoPair] = {}
    if len(frames) < 2:
        return ()
    centres = np.array([p.pose.position_m for p in frames])
    axes = np.array([p.pose.rotation_cam_from_world[2] for p in frames])
    ground = np.array([np.mean(p.ground_m) for p in frames])
    for left in range(len(frames)):
        ranked = _ranked(left, frames, centres, axes, ground, options)
        for right, angle_deg in _spread(left, ranked, centres, options.neighbours):
            key = (min(left, right), max(left, right))
            if key not in chosen:
                pair = (left, right) if (left + right) % 2 else (right, left)
                chosen[key] = StereoPair(left=pair[0], right=pair[1], angle_deg=angle_deg)
    return tuple(sorted(chosen.values(), key=lambda p: (p.left, p.right)))


def _ranked(
    left: int,
    frames: Sequence[PlacedFrame],
    centres: np.ndarray,
    axes: np.ndarray,
    ground: np.ndarray,
    options: SurfaceOptions,
) -> list[tuple[int, float, float]]:
    """(index, angle_deg, score) of the usable partners of a frame, best first."""
    target = _look_at(centres[left], axes[left], ground[left])
    to_left = centres[left] - target
    distance = np.linalg.norm(to_left)
    to_all = centres - target
    norms = np.linalg.norm(to_all, axis=1)
    cosine = (to_all @ to_left) / np.maximum(norms * distance, 1e-9)
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    turns = np.degrees(np.arccos(np.clip(axes @ axes[left], -1, 1)))
    found = []
    for right in np.flatnonzero((angles > MIN_ANGLE_DEG) & (angles < MAX_ANGLE_DEG)):
        ratio = norms[right] / distance
        if right == left or turns[right] > MAX_TURN_DEG or not 0.6 < ratio < 1.6:
            continue
        overlap = _overlap(frames[left], frames[int(right)], centres, left, int(right), ground)
        if overlap < MIN_OVERLAP:
            continue
        fit = np.exp(-(((angles[right] - options.best_angle_deg) / 14.0) ** 2))
        found.append((int(right), float(angles[right]), float(fit * overlap)))
    return sorted(found, key=lambda f: -f[2])


def _look_at(centre: np.ndarray, axis: np.ndarray, ground_m: float) -> np.ndarray:
    """Where the optical axis meets the ground, at most 3 heights away for near-horizontal views."""
    height = max(centre[2] - ground_m, 1e-6)
    reach = height / max(-axis[2], 1 / 3)
    return np.asarray(centre + axis * reach)


def _overlap(
    a: PlacedFrame,
    b: PlacedFrame,
    centres: np.ndarray,
    left: int,
    right: int,
    ground: np.ndarray,
) -> float:
    """Share of a's picture whose ground falls into b's picture (flat ground, 7 x 7 samples)."""
    params = np.array(_pinhole_of(a))
    u, v = np.meshgrid(np.linspace(0.07, 0.93, 7), np.linspace(0.07, 0.93, 7))
    rays = np.stack(
        [
            (u.ravel() * a.frame.width_px - params[2]) / params[0],
            (v.ravel() * a.frame.height_px - params[3]) / params[1],
            np.ones(49),
        ]
    )
    directions = np.array(a.pose.rotation_cam_from_world).T @ rays
    reach = (ground[left] - centres[left][2]) / np.minimum(directions[2], -0.15)
    points = centres[left][:, None] + directions * reach
    seen = np.array(b.pose.rotation_cam_from_world) @ (points - centres[right][:, None])
    fx, fy, cx, cy = _pinhole_of(b)
    front = seen[2] > 0
    x = np.where(front, seen[0] / np.where(front, seen[2], 1) * fx + cx, -1)
    y = np.where(front, seen[1] / np.where(front, seen[2], 1) * fy + cy, -1)
    inside = front & (x > 0) & (x < b.frame.width_px) & (y > 0) & (y < b.frame.height_px)
    return float(inside.mean())


def _pinhole_of(placed: PlacedFrame) -> tuple[float, float, float, float]:
    """Focal lengths and centre good enough to judge overlap: the prior focal, the middle."""
    frame = placed.frame
    return frame.focal_px, frame.focal_px, frame.width_px / 2, frame.height_px / 2


def _spread(
    left: int, ranked: list[tuple[int, float, float]], centres: np.ndarray, count: int
) -> list[tuple[int, float]]:
    """The best partners, each new one losing score for lying in a direction already taken."""
    taken: list[tuple[int, float]] = []
    directions: list[np.ndarray] = []
    left_over = list(ranked)
    while left_over and len(taken) < count:
        best = max(
            left_over, key=lambda f: f[2] * _novelty(centres[f[0]] - centres[left], directions)
        )
        if taken and best[2] < LEAST_SHARE_OF_BEST * ranked[0][2]:
            break
        left_over.remove(best)
        taken.append((best[0], best[1]))
        offset = centres[best[0]] - centres[left]
        directions.append(offset / np.linalg.norm(offset))
    return taken


def _novelty(offset: np.ndarray, directions: list[np.ndarray]) -> float:
    unit = offset / max(float(np.linalg.norm(offset)), 1e-9)
    if not directions:
        return 1.0
    return 1.0 - 0.5 * max(0.0, *(float(unit @ d) for d in directions))
