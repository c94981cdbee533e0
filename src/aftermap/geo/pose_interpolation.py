"""Two poses of a clip -> one between them, on the straight line and the even turn."""

from fractions import Fraction

import numpy as np
from scipy.spatial.transform import Rotation

from aftermap.geo.tuples import matrix3, matrix6, vector3
from aftermap.model.camera import CameraPose
from aftermap.model.trajectory import ClipPose, PoseSource

_SURENESS = {source: rank for rank, source in enumerate(PoseSource)}


def pose_between(
    one: ClipPose, other: ClipPose, time_s: Fraction, *, sag_fraction: float
) -> ClipPose:
    """A pose filled in on the straight line and the even turn between two poses of a shot.

    Its covariance is the weighted mean of theirs, and more by how far a real flight may leave that
    line: ``sag_fraction`` of the way and of the turn, as one standard deviation.
    """
    weight = float((time_s - one.time_s) / (other.time_s - one.time_s))
    ends = np.array([one.pose.position_m, other.pose.position_m])
    first, last = (Rotation.from_matrix(pose.pose.rotation_cam_from_world) for pose in (one, other))
    turn = (last * first.inv()).as_rotvec()
    rotation = (Rotation.from_rotvec(weight * turn) * first).as_matrix()
    covariance = (1 - weight) * np.array(one.covariance) + weight * np.array(other.covariance)
    way = np.linalg.norm(ends[1] - ends[0])
    sag = sag_fraction * np.repeat([way, np.linalg.norm(turn)], 3)
    covariance = covariance + np.diag(sag**2)
    pose = CameraPose(
        rotation_cam_from_world=matrix3(rotation),
        position_m=vector3((1 - weight) * ends[0] + weight * ends[1]),
        covariance_m2=matrix3(covariance[:3, :3]),
    )
    source = max((one.source, other.source), key=_SURENESS.__getitem__)
    return ClipPose(
        time_s=time_s, shot=one.shot, pose=pose, covariance=matrix6(covariance), source=source
    )
