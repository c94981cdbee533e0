"""How well a camera sees a spot on the ground: from where, how steeply, in how large pixels.

World axes are east, north, up in metres. Points are (N, 3); one camera, or one for each point.
"""

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, IntArray

NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8
FACE_LETTERS = {NORTH: "N", EAST: "E", SOUTH: "S", WEST: "W"}
FACE_SINE = 0.26
"""A wall is seen where its normal is within 75 degrees of the line of sight."""

SURE_M = 20.0
UNSURE_M = 1000.0
LEAST_SHARE = 0.1


def off_nadir_of_deg(position_m: npt.ArrayLike, ground_m: npt.ArrayLike) -> Array:
    """(N,) angle at the camera between straight down and (N, 3) points on the ground."""
    ray = np.asarray(ground_m, float) - np.asarray(position_m, float)
    return np.asarray(np.degrees(np.arctan2(np.hypot(ray[..., 0], ray[..., 1]), -ray[..., 2])))


def azimuth_of_deg(ground_m: npt.ArrayLike, position_m: npt.ArrayLike) -> Array:
    """(N,) 0 to 360 clockwise from grid north: where the camera stands, seen from the ground."""
    away = np.asarray(position_m, float) - np.asarray(ground_m, float)
    return np.asarray(np.degrees(np.arctan2(away[..., 0], away[..., 1])) % 360.0)


def ground_sample_m(
    position_m: npt.ArrayLike,
    ground_m: npt.ArrayLike,
    axis: npt.ArrayLike,
    focal_px: npt.ArrayLike,
) -> Array:
    """(N,) side of a square of level ground as large as a pixel shows at (N, 3) points.

    A pixel at an angle a from the optical ``axis`` sees cos^3 a / f^2 of the sphere, and level
    ground is foreshortened by the cosine of the off-nadir angle. The lens's distortion is left out.
    """
    ray = np.asarray(ground_m, float) - np.asarray(position_m, float)
    distance = np.linalg.norm(ray, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        cos_axis = np.clip((ray * np.asarray(axis, float)).sum(axis=-1) / distance, 0, 1)
        cos_down = np.where(ray[..., 2] < 0, -ray[..., 2] / distance, np.nan)
        return np.asarray(
            distance / np.asarray(focal_px, float) * cos_axis**1.5 / np.sqrt(cos_down)
        )


def faces_of(azimuth_deg: Array, off_nadir_deg: Array) -> IntArray:
    """(N,) which faces of an upright block a camera there sees: NORTH + EAST + SOUTH + WEST."""
    azimuth, slant = np.radians(azimuth_deg), np.sin(np.radians(off_nadir_deg))
    north, east = np.cos(azimuth) * slant, np.sin(azimuth) * slant
    return np.asarray(
        NORTH * (north > FACE_SINE)
        + SOUTH * (north < -FACE_SINE)
        + EAST * (east > FACE_SINE)
        + WEST * (east < -FACE_SINE)
    )


def rank_m(sample_m: Array, off_nadir_deg: Array, visible_share: Array, circle_m: Array) -> Array:
    """(N,) by which views are ordered, the smallest first.

    The ground sample distance, foreshortened once more; twice as large where half of the spot is
    hidden or outside the picture, and twice as large where the CE90 is 20 m.
    """
    upright = np.sqrt(np.clip(np.cos(np.radians(off_nadir_deg)), 0.01, 1))
    unsure = 1 + np.nan_to_num(circle_m, nan=UNSURE_M) / SURE_M
    return np.asarray(sample_m / upright * unsure / np.maximum(visible_share, LEAST_SHARE))
