"""Every pixel, camera and world axis convention met, each conversion once.

World: east, north, up. Camera: x right, y down, z forward. Pixels: (0, 0) is the outer corner of
the first pixel (COLMAP, GDAL); OpenCV puts (0, 0) at that pixel's centre.
"""

import math

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array

OPENCV_PIXEL_CENTRE_PX = 0.5


def corner_from_opencv_px(xy_px: npt.ArrayLike) -> Array:
    """(..., 2) pixels counted from the outer corner, from OpenCV's, from the first centre."""
    return np.asarray(xy_px, float) + OPENCV_PIXEL_CENTRE_PX


def opencv_from_corner_px(xy_px: npt.ArrayLike) -> Array:
    """(..., 2) OpenCV's pixels (first centre at 0), from pixels counted from the outer corner."""
    return np.asarray(xy_px, float) - OPENCV_PIXEL_CENTRE_PX


UNKNOWN_ROLL_RAD = math.radians(20.0)
"""Sigma of a roll that was not recorded: a gimbal holds it near 0, a fixed camera banks."""


def rotation_cam_from_world(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Array:
    """(3, 3) rotation of a camera from gimbal angles: north-east-down, Z-Y-X, pitch -90 is nadir.

    Yaw turns clockwise from north, pitch is up from the horizon, roll is clockwise about the view.
    At nadir the top of the picture points to ``yaw_deg``.
    """
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    cos_y, sin_y, cos_p, sin_p, cos_r, sin_r = (
        np.cos(yaw),
        np.sin(yaw),
        np.cos(pitch),
        np.sin(pitch),
        np.cos(roll),
        np.sin(roll),
    )
    about_z = np.array([[cos_y, -sin_y, 0], [sin_y, cos_y, 0], [0, 0, 1]])
    about_y = np.array([[cos_p, 0, sin_p], [0, 1, 0], [-sin_p, 0, cos_p]])
    about_x = np.array([[1, 0, 0], [0, cos_r, -sin_r], [0, sin_r, cos_r]])
    ned_from_body = about_z @ about_y @ about_x
    cam_from_body = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])  # body: forward, right, down
    ned_from_world = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    return np.asarray(cam_from_body @ ned_from_body.T @ ned_from_world, float)


def gimbal_angles_deg(rotation_cam_from_world: npt.ArrayLike) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a camera; the inverse of :func:`rotation_cam_from_world`.

    Within 0.01 degrees of nadir or zenith yaw and roll are one angle: all of it is given as yaw.
    """
    rotation = np.asarray(rotation_cam_from_world, float)
    cam_from_body = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    ned_from_world = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    ned_from_body = ned_from_world @ rotation.T @ cam_from_body
    pitch = float(np.degrees(np.arcsin(np.clip(-ned_from_body[2, 0], -1, 1))))
    if abs(abs(pitch) - 90) < 0.01:
        yaw = float(np.degrees(np.arctan2(-ned_from_body[0, 1], ned_from_body[1, 1])))
        return yaw, pitch, 0.0
    yaw = float(np.degrees(np.arctan2(ned_from_body[1, 0], ned_from_body[0, 0])))
    roll = float(np.degrees(np.arctan2(ned_from_body[2, 1], ned_from_body[2, 2])))
    return yaw, pitch, roll


def off_nadir_deg(rotation_cam_from_world: npt.ArrayLike) -> float:
    """Angle between the optical axis and straight down: 0 at nadir, 90 at the horizon."""
    down = -np.asarray(rotation_cam_from_world, float)[2, 2]
    return float(np.degrees(np.arccos(np.clip(down, -1, 1))))
