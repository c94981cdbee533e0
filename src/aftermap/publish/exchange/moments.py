"""A clip's path -> the pose of one moment, and how surely its picture is placed on the ground."""

import math
from fractions import Fraction

import numpy as np

from aftermap.geo.lens import rays_cam
from aftermap.geo.pose_interpolation import pose_between
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2
from aftermap.model.camera import Camera, CameraPose, Matrix6
from aftermap.model.trajectory import ClipPose, Trajectory

LONGEST_GAP_S = Fraction(5)
SAG_FRACTION = 0.1
NEAR_S = Fraction(1, 4)


def pose_at(path: Trajectory, shot: int, time_s: Fraction) -> ClipPose | None:
    """The pose of a moment, known or between two known ones of its shot; None where neither is."""
    poses = sorted((p for p in path.poses if p.shot == shot), key=lambda pose: pose.time_s)
    before = [pose for pose in poses if pose.time_s <= time_s]
    after = [pose for pose in poses if pose.time_s >= time_s]
    if before and after:
        one, other = before[-1], after[0]
        if one.time_s == other.time_s:
            return one
        if other.time_s - one.time_s <= LONGEST_GAP_S:
            return pose_between(one, other, time_s, sag_fraction=SAG_FRACTION)
    nearest = min(poses, key=lambda pose: abs(pose.time_s - time_s), default=None)
    return nearest if nearest and abs(nearest.time_s - time_s) <= NEAR_S else None


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
