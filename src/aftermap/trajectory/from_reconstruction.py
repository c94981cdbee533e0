"""Placed frames of clips -> the path of each clip's camera, with poses between the frames too.

Between two placed frames of one shot the camera is taken to move and turn evenly; how far a real
one may stray from that is added to the covariance, so a pose between frames is never surer than
they are. Across a cut, and across a gap too long to be honest, nothing is filled in.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from aftermap.geo.arrays import Array
from aftermap.geo.tuples import matrix3, matrix6, vector3
from aftermap.geo.uncertainty import on_own_map as seen_on_own_map
from aftermap.model.camera import CameraPose, Matrix6, PlacedFrame, Reconstruction
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory

STEP_S = Fraction(1, 5)
LONGEST_GAP_S = Fraction(6)
ACCELERATION_M_S2 = 1.0
"""One standard deviation of a drone's acceleration while it films."""
TURNING_RAD_S2 = 0.15
"""The same of the change of its turn rate."""


def trajectories_of(
    reconstruction: Reconstruction, *, on_own_map: bool = False
) -> tuple[Trajectory, ...]:
    """The path of every clip that has placed frames, in the order in which the clips came.

    ``on_own_map``: covariances are those for looking at the surface that was made of these poses;
    of the mapped group, for only what was recorded ties another one to that surface.
    """
    by_clip: dict[str, list[PlacedFrame]] = {}
    for placed in reconstruction.placed:
        if placed.frame.moment is not None:
            by_clip.setdefault(placed.frame.moment.clip_sha256, []).append(placed)
    return tuple(
        _path(reconstruction, frames, on_own_map=on_own_map) for frames in by_clip.values()
    )


def _path(
    reconstruction: Reconstruction,
    frames: Sequence[PlacedFrame],
    *,
    on_own_map: bool,
) -> Trajectory:
    ordered = sorted(frames, key=_time_s)
    mapped = reconstruction.mapped_group
    known = [
        _pose_of(frame, _covariance(frame, on_own_map=on_own_map and frame.group == mapped))
        for frame in ordered
    ]
    poses = [known[0]]
    for first, second in itertools.pairwise(known):
        poses += [*_between(first, second), second]
    moment = ordered[0].frame.moment
    if moment is None:
        raise ValueError("a frame of a clip has a moment")
    return Trajectory(
        clip_sha256=moment.clip_sha256,
        clip_name=moment.clip_name,
        crs=reconstruction.crs,
        vertical_datum=reconstruction.vertical_datum,
        camera=reconstruction.cameras[ordered[0].camera],
        shot_cameras=tuple(
            (pose.shot, reconstruction.cameras[frame.camera])
            for pose, frame in zip(known, ordered, strict=True)
            if frame.camera != ordered[0].camera
        ),
        poses=tuple(poses),
        ground_m=float(np.median([np.mean(frame.ground_m) for frame in ordered])),
    )


def _time_s(placed: PlacedFrame) -> Fraction:
    moment = placed.frame.moment
    return Fraction(0) if moment is None else moment.time_s


def _covariance(placed: PlacedFrame, *, on_own_map: bool) -> Matrix6:
    if placed.covariance is None:
        raise ValueError(f"{placed.frame.name}: a frame of a clip has a covariance")
    if not on_own_map or placed.covariance_in_case is None:
        return placed.covariance
    return matrix6(seen_on_own_map(placed.covariance, placed.covariance_in_case))


def _pose_of(placed: PlacedFrame, covariance: Matrix6) -> ClipPose:
    moment = placed.frame.moment
    if moment is None:
        raise ValueError(f"{placed.frame.name}: a frame of a clip has a moment")
    return ClipPose(
        time_s=moment.time_s,
        shot=moment.shot,
        covariance=covariance,
        pose=replace(placed.pose, covariance_m2=matrix3(np.array(covariance)[:3, :3])),
        source=PoseSource.REGISTERED if placed.frame.is_registered else PoseSource.RECONSTRUCTION,
    )


def _between(first: ClipPose, second: ClipPose) -> Iterator[ClipPose]:
    """Poses every ``STEP_S`` between two, if they are of one shot and not too far apart in time."""
    gap_s = second.time_s - first.time_s
    if first.shot != second.shot or gap_s > LONGEST_GAP_S:
        return
    turn = Slerp(
        [0, 1],
        Rotation.from_matrix([p.pose.rotation_cam_from_world for p in (first, second)]),
    )
    start, end = (np.array(p.pose.position_m) for p in (first, second))
    spreads = np.array(first.covariance), np.array(second.covariance)
    time_s = first.time_s + STEP_S
    while time_s < second.time_s:
        share = float((time_s - first.time_s) / gap_s)
        spread = (1 - share) * spreads[0] + share * spreads[1] + _straying(share, float(gap_s))
        yield ClipPose(
            time_s=time_s,
            shot=first.shot,
            covariance=matrix6(spread),
            source=first.source,
            pose=CameraPose(
                rotation_cam_from_world=matrix3(turn(share).as_matrix()),
                position_m=vector3((1 - share) * start + share * end),
                covariance_m2=matrix3(spread[:3, :3]),
            ),
        )
        time_s += STEP_S


def _straying(share: float, gap_s: float) -> Array:
    """(6, 6) of an even acceleration that the ends do not show: a t (T - t) / 2 at time t of T."""
    reach_s2 = share * (1 - share) * gap_s**2 / 2
    sigmas = np.repeat([ACCELERATION_M_S2 * reach_s2, TURNING_RAD_S2 * reach_s2], 3)
    return np.diag(sigmas**2)
