"""Tracks and poses -> points: the place nearest to all rays, and which points can be trusted."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from aftermap.geo.arrays import Array, BoolArray, Int32Array
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.geo.rolling_shutter import rolled_px
from aftermap.sfm.projection_kernel import INSTANT_S, READOUT, Observations, State, velocities_of


def opencv_params(lens: Sequence[float] | Array) -> tuple[float, ...]:
    """COLMAP's eight OPENCV parameters (fx, fy, cx, cy in pixels, k1, k2, p1, p2) of one lens.

    ``lens`` is (8,), a lens of the adjustment, which has one focal length.
    """
    return (float(lens[0]), *(float(v) for v in lens[:READOUT]))


def rays_world(state: State, frame: Int32Array, xy_px: Array) -> tuple[Array, Array]:
    """(M, 3) where the rays of (M, 2) pixels of ``frame`` (M,) begin, and their unit directions.

    Both in the world, each at the moment in which its row was exposed.
    """
    rays = np.empty((len(frame), 3))
    camera = state.camera_of[frame]
    for k in np.unique(camera):
        own = camera == k
        rays[own] = rays_cam(xy_px[own], opencv_params(state.lenses[k]))
    centres = state.positions[frame]
    if is_rolling(state):
        moved = velocities_of(state)[frame] * _later_s(state, frame, xy_px[:, 1])[:, None]
        rays = Rotation.from_rotvec(-moved[:, :3]).apply(rays)
        centres = centres + moved[:, 3:]
    rays = np.einsum("mji,mj->mi", state.rotations[frame], rays)
    return centres, np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))


def pixels_in(state: State, frame: int, points: Array) -> Array:
    """(P, 2) pixels where one frame sees (P, 3) points of the world; NaN behind it."""
    lens = state.lenses[state.camera_of[frame]]
    cam = (points - state.positions[frame]) @ state.rotations[frame].T
    if not is_rolling(state):
        return projected_px(cam, opencv_params(lens))
    turned, moved = np.split(lens[READOUT] * velocities_of(state)[frame], 2)
    height_px = float(state.course.height_px[frame])
    return rolled_px(cam, opencv_params(lens), height_px, state.rotations[frame] @ moved, turned)


def is_rolling(state: State) -> bool:
    """Whether any frame is taken to have been exposed row by row on the move."""
    if not len(state.course.height_px):
        return False
    return bool((np.abs(state.lenses[:, READOUT]) > INSTANT_S).any())


def _later_s(state: State, frame: Int32Array, row_px: Array) -> Array:
    """(M,) how long after the middle row of its frame a row was exposed."""
    share = row_px / state.course.height_px[frame] - 0.5
    return np.asarray(share * state.lenses[state.camera_of[frame], READOUT])


def triangulate_points(state: State, sights: Observations) -> Array:
    """(P, 3) positions nearest to their rays in the least-squares sense."""
    count = len(sights.start) - 1
    centres, rays = rays_world(state, sights.frame, sights.xy_px)
    across = np.eye(3) - rays[:, :, None] * rays[:, None, :]
    normal = _summed(across.reshape(-1, 9), sights.start).reshape(count, 3, 3)
    right = _summed(np.einsum("mij,mj->mi", across, centres), sights.start)
    return np.asarray(np.linalg.solve(normal + 1e-9 * np.eye(3), right[..., None])[..., 0])


def ray_angles_deg(state: State, sights: Observations) -> Array:
    """(P,) twice the largest angle between a ray and the mean ray of its point."""
    _, rays = rays_world(state, sights.frame, sights.xy_px)
    mean = _summed(rays, sights.start)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    point = np.repeat(np.arange(len(mean)), np.diff(sights.start))
    cosine = np.clip((rays * mean[point]).sum(axis=1), -1, 1)
    angle = np.zeros(len(mean))
    np.maximum.at(angle, point, 2 * np.degrees(np.arccos(cosine)))
    return angle


def _summed(values: Array, start: Int32Array) -> Array:
    """(P, K) sums over each point's observations of (M, K) values; zero where it has none."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray(total[start[1:]] - total[start[:-1]])


def thinned(
    state: State, sights: Observations, kept: BoolArray, good: BoolArray
) -> tuple[State, Observations, BoolArray]:
    """Only the kept observations (M,) of good points (P,) that keep two; and which ones (M,)."""
    count = len(sights.start) - 1
    point = np.repeat(np.arange(count), np.diff(sights.start))
    seen = np.bincount(point[kept], minlength=count)
    stays = good & (seen >= 2)
    kept = kept & stays[point]
    start = np.concatenate([[0], np.cumsum(seen[stays])]).astype(np.int32)
    thin = Observations(sights.frame[kept], start, sights.xy_px[kept])
    return state._replace(points=state.points[stays]), thin, kept
