"""A pose's 6x6 covariance -> how far off the ground is that a pixel is said to show.

The ray of a pixel meets the level ground; position, turn and ground height are moved a little and
the meeting point with them (linear propagation). World axes are east, north, up; metres, radians.
Near the horizon the truth is no longer linear: below 10 degrees of depression the circle is a
lower bound.
"""

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array
from aftermap.geo.lens import rays_cam
from aftermap.model.camera import Camera, CameraPose, Matrix6
from aftermap.model.sighting import Precision

EXACT_M, VICINITY_M, LOCALITY_M = 10.0, 100.0, 1000.0
_PROBABILITY = 0.9
_RATIOS = 513
_ANGLES = 256


def ground_covariance_m2(
    position_m: npt.ArrayLike,
    ground_m: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    ground_sigma_m: npt.ArrayLike = 0.0,
) -> Array:
    """(N, 2, 2) covariance of east and north of (N, 3) points that a camera sees on the ground.

    One camera for all points, or (N, 3) positions and (N, 6, 6) covariances, one for each.
    ``covariance`` is of the position and of a small turn about the world's axes, as in
    ``model.flight.ClipPose``. NaN where a point is not below the camera: no ground is met there.
    """
    ray = np.asarray(ground_m, float).reshape(-1, 3) - np.asarray(position_m, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(ray[:, 2:] < 0, ray[:, :2] / ray[:, 2:], np.nan)
    moved = np.zeros((len(ray), 3, 6))  # of the point at the end of the ray, before it slides down
    moved[:, :, :3] = np.eye(3)
    east, north, up = ray.T
    moved[:, 0, 4], moved[:, 0, 5] = up, -north
    moved[:, 1, 3], moved[:, 1, 5] = -up, east
    moved[:, 2, 3], moved[:, 2, 4] = north, -east
    slid = moved[:, :2] - slope[:, :, None] * moved[:, 2:]
    spread = slid @ np.asarray(covariance, float) @ slid.transpose(0, 2, 1)
    height_variance = np.reshape(np.asarray(ground_sigma_m, float) ** 2, (-1, 1, 1))
    return np.asarray(spread + height_variance * slope[:, :, None] * slope[:, None, :], np.float64)


def on_own_map(covariance: npt.ArrayLike, covariance_in_case: npt.ArrayLike) -> Array:
    """(6, 6) covariance of a pose, for looking at a surface that was made of the same poses.

    What all frames of a case have in common moves the surface along with them. On the ground only
    the shift across is seen of it; a common height or tilt of both shows nowhere.
    """
    whole, within = np.asarray(covariance, float), np.asarray(covariance_in_case, float)
    across = whole[:2, :2] - within[:2, :2]
    sizes, axes = np.linalg.eigh((across + across.T) / 2)
    both = within.copy()
    both[:2, :2] += axes * np.maximum(sizes, 0) @ axes.T
    return both


def ce90_m(covariance_m2: npt.ArrayLike) -> Array:
    """(...) radius of the circle that holds 90 % of a Gaussian of (..., 2, 2) covariance.

    Of the Gaussian as it is, however long and thin: 1.645 sigma of a line to 2.146 sigma of a
    circle. NaN where the covariance is not known or is none.
    """
    spread = np.asarray(covariance_m2, float)
    mean = (spread[..., 0, 0] + spread[..., 1, 1]) / 2
    half = np.hypot((spread[..., 0, 0] - spread[..., 1, 1]) / 2, spread[..., 0, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        longest = np.sqrt(np.where(mean + half >= 0, mean + half, np.nan))
        shortest = np.sqrt(np.clip(mean - half, 0, None))
        ratio = np.where(longest > 0, shortest / longest, 1.0)
    ratios, factors = _factors()
    return np.asarray(longest * np.interp(ratio, ratios, factors), np.float64)


def ce90_in_middle_m(
    pose: CameraPose,
    covariance: Matrix6 | None,
    camera: Camera,
    level_m: float,
    level_sigma_m: float,
) -> float | None:
    """CE90 of the ground in the middle of the picture, on a level; None where it shows none."""
    if covariance is None or not np.isfinite(covariance).all():
        return None
    middle = rays_cam([[camera.width_px / 2, camera.height_px / 2]], camera.params)
    ray = middle[0] @ np.array(pose.rotation_cam_from_world)
    position = np.array(pose.position_m)
    if ray[2] >= 0 or position[2] <= level_m:
        return None
    ground = position + ray * (level_m - position[2]) / ray[2]
    spread = ground_covariance_m2(position, ground[None], covariance, ground_sigma_m=level_sigma_m)
    radius_m = min(float(ce90_m(spread)[0]), float(np.linalg.norm(ground - position)))
    return radius_m if math.isfinite(radius_m) else None


def precision_of(radius_m: float | None) -> Precision:
    """What a CE90 allows to be said of a place: exact 10 m, vicinity 100 m, locality 1 km, none."""
    if radius_m is None or not math.isfinite(radius_m) or radius_m > LOCALITY_M:
        return Precision.NONE
    if radius_m <= EXACT_M:
        return Precision.EXACT
    return Precision.VICINITY if radius_m <= VICINITY_M else Precision.LOCALITY


@cache
def _factors() -> tuple[Array, Array]:
    """CE90 over the longer sigma, by the ratio of the shorter sigma to it.

    With x = u cos(a), y = ratio u sin(a) and u Rayleigh, the probability inside a radius r is
    1 - mean over a of exp(-r^2 / 2 (cos^2 a + ratio^2 sin^2 a)); r is found by halving.
    """
    ratios = np.linspace(0, 1, _RATIOS)
    angles = (np.arange(_ANGLES) + 0.5) * (math.pi / 2 / _ANGLES)
    variance = np.cos(angles) ** 2 + ratios[:, None] ** 2 * np.sin(angles) ** 2
    low, high = np.full(_RATIOS, 1.0), np.full(_RATIOS, 3.0)
    for _ in range(40):
        middle = (low + high) / 2
        inside = 1 - np.exp(-(middle[:, None] ** 2) / (2 * variance)).mean(axis=1)
        low = np.where(inside < _PROBABILITY, middle, low)
        high = np.where(inside < _PROBABILITY, high, middle)
    return ratios, np.asarray((low + high) / 2, np.float64)
