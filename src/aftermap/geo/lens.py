"""Between camera axes and pixels: COLMAP's OPENCV model (Brown 1966: k1, k2, p1, p2).

``params`` are fx, fy, cx, cy, k1, k2, p1, p2. Pixels count from the outer corner.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array
from aftermap.geo.compiled import compiled
from aftermap.model.camera import CameraPose


def distorted(xy: npt.ArrayLike, params: Sequence[float]) -> Array:
    """(N, 2) distorted normalised coordinates of (N, 2) ideal ones (x/z, y/z)."""
    xy = np.asarray(xy, float)
    k1, k2, p1, p2 = params[4:8]
    x, y = xy[..., 0], xy[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * k2)
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + 2 * p2 * x * y + p1 * (r2 + 2 * y * y),
        ],
        axis=-1,
    )


def undistorted(xy: npt.ArrayLike, params: Sequence[float], *, iterations: int = 20) -> Array:
    """(N, 2) ideal normalised coordinates of (N, 2) distorted ones, by fixed-point iteration.

    Converges for lenses that do not fold the picture over itself (|k1| r^2 well under 1); NaN where
    it runs away, as it does towards the corners of a lens that an adjustment has bent too far.
    """
    target = np.asarray(xy, float)
    ideal = target.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(iterations):
            ideal = ideal - (distorted(ideal, params) - target)
    return np.where(np.isfinite(ideal).all(axis=-1, keepdims=True), ideal, np.nan)


@compiled
def folding_r2(k1: float, k2: float) -> float:
    """Squared radius (x/z, y/z) at which a lens model turns back into the picture; infinite if not.

    There the distorted radius r (1 + k1 r^2 + k2 r^4) stops growing: what lies farther out would be
    laid over what lies within, though the camera never saw it.
    """
    inner = 9 * k1 * k1 - 20 * k2
    if inner < 0:
        return np.inf
    below = np.sqrt(inner) - 3 * k1
    return 2 / below if below > 0 else np.inf


def projected_px(xyz_cam: npt.ArrayLike, params: Sequence[float]) -> Array:
    """(N, 2) pixels of (N, 3) points in camera axes.

    Points behind the camera, and those so far off its axis that the lens model folds, give NaN.
    """
    xyz = np.asarray(xyz_cam, float)
    depth = np.where(xyz[..., 2] > 0, xyz[..., 2], np.nan)
    ideal = xyz[..., :2] / depth[..., None]
    inside = (ideal**2).sum(axis=-1, keepdims=True) < folding_r2(params[4], params[5])
    xy = distorted(np.where(inside, ideal, np.nan), params)
    fx, fy, cx, cy = params[:4]
    return np.stack([fx * xy[..., 0] + cx, fy * xy[..., 1] + cy], axis=-1)


def seen_px(places_m: npt.ArrayLike, pose: CameraPose, params: Sequence[float]) -> Array:
    """(..., 2) pixels of (..., 3) places in the world. Places behind the camera give NaN."""
    away = np.asarray(places_m, float) - np.asarray(pose.position_m, float)
    return projected_px(away @ np.asarray(pose.rotation_cam_from_world, float).T, params)


def rays_cam(xy_px: npt.ArrayLike, params: Sequence[float]) -> Array:
    """(N, 3) directions in camera axes, z = 1, of (N, 2) pixels."""
    xy_px = np.asarray(xy_px, float)
    fx, fy, cx, cy = params[:4]
    xy = np.stack([(xy_px[..., 0] - cx) / fx, (xy_px[..., 1] - cy) / fy], axis=-1)
    ideal = undistorted(xy, params)
    return np.concatenate([ideal, np.ones_like(ideal[..., :1])], axis=-1)
