"""Poses of a clip -> one between two of them: the one interpolation, gap rule and error model.

Between two poses of a shot the camera is taken to move on a straight line and to turn evenly. How
far a real flight strays from that is in the covariance: nothing at the poses, most in the middle.
World axes are east, north, up; metres and radians.
"""

from fractions import Fraction

import numpy as np
from scipy.spatial.transform import Rotation

from aftermap.geo.arrays import Array
from aftermap.geo.tuples import matrix3, matrix6, vector3
from aftermap.model.camera import CameraPose
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory

LONGEST_GAP_S = Fraction(5)
"""Nothing is told between poses farther apart: in the middle of five seconds even a drone that
hovers at both ends is 3 m and 27 degrees off at one sigma, as much as half of what a picture shows.
"""
ACCELERATION_M_S2 = 1.0
"""One standard deviation of a drone's acceleration while it films, on each axis."""
TURNING_RAD_S2 = 0.15
"""The same of the change of its turn rate."""
CHANGE_FRACTION = 0.8
"""One standard deviation of how much speed and turn rate change from one pose to the next, of
themselves: the faster a camera goes, the more it may brake or swerve. In the middle of the gap it
is then a tenth of the way from the line."""
NEAR_S = Fraction(1, 4)
"""Before the first pose of a shot and after its last that one is taken, within so long."""
_SURENESS = {source: rank for rank, source in enumerate(PoseSource)}


def is_bridged(one: ClipPose, other: ClipPose) -> bool:
    """Whether poses between two are told: they are of one shot, and near enough in time."""
    return one.shot == other.shot and abs(other.time_s - one.time_s) <= LONGEST_GAP_S


def pose_between(one: ClipPose, other: ClipPose, time_s: Fraction) -> ClipPose:
    """The pose at a time between two of a shot, as sure as the less sure kind of the two.

    Its covariance is the weighted mean of theirs, and more by how far a flight may leave the line.
    """
    gap_s = other.time_s - one.time_s
    weight = float((time_s - one.time_s) / gap_s)
    ends = np.array([one.pose.position_m, other.pose.position_m])
    first, last = (Rotation.from_matrix(pose.pose.rotation_cam_from_world) for pose in (one, other))
    turn = (last * first.inv()).as_rotvec()
    rotation = Rotation.from_rotvec(weight * turn) * first
    covariance = (1 - weight) * np.array(one.covariance) + weight * np.array(other.covariance)
    way_m, turn_rad = np.linalg.norm(ends[1] - ends[0]), np.linalg.norm(turn)
    covariance += _straying(weight, float(gap_s), float(way_m), float(turn_rad))
    return ClipPose(
        time_s=time_s,
        shot=one.shot,
        covariance=matrix6(covariance),
        source=max((one.source, other.source), key=_SURENESS.__getitem__),
        pose=CameraPose(
            rotation_cam_from_world=matrix3(rotation.as_matrix()),
            position_m=vector3((1 - weight) * ends[0] + weight * ends[1]),
            covariance_m2=matrix3(covariance[:3, :3]),
        ),
    )


def _straying(weight: float, gap_s: float, way_m: float, turn_rad: float) -> Array:
    """(6, 6) of an even acceleration that the ends do not show: a t (T - t) / 2 at time t of T.

    The acceleration is that of any drone, and that of one whose speed changes by a part of itself.
    """
    reach_s2 = weight * (1 - weight) * gap_s**2 / 2
    speeding = np.hypot(ACCELERATION_M_S2, CHANGE_FRACTION * way_m / gap_s**2)
    turning = np.hypot(TURNING_RAD_S2, CHANGE_FRACTION * turn_rad / gap_s**2)
    sigmas = reach_s2 * np.repeat([speeding, turning], 3)
    return np.diag(sigmas**2)


def pose_at(path: Trajectory, shot: int, time_s: Fraction) -> ClipPose | None:
    """The pose of a moment, known or between two known ones of its shot; None where neither is."""
    poses = sorted((p for p in path.poses if p.shot == shot), key=lambda pose: pose.time_s)
    before = [pose for pose in poses if pose.time_s <= time_s]
    after = [pose for pose in poses if pose.time_s >= time_s]
    if before and after:
        one, other = before[-1], after[0]
        if one.time_s == other.time_s:
            return one
        if is_bridged(one, other):
            return pose_between(one, other, time_s)
    nearest = min(poses, key=lambda pose: abs(pose.time_s - time_s), default=None)
    return nearest if nearest and abs(nearest.time_s - time_s) <= NEAR_S else None
