"""Placed frames of clips -> the path of each clip's camera, with poses between the frames too.

Across a cut, and across a gap too long to be honest, nothing is filled in
(:mod:`aftermap.geo.pose_interpolation`).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from aftermap.geo.pose_interpolation import is_bridged, pose_between
from aftermap.geo.tuples import matrix3, matrix6
from aftermap.geo.uncertainty import on_own_map as seen_on_own_map
from aftermap.model.camera import Matrix6, PlacedFrame, Reconstruction
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory

STEP_S = Fraction(1, 5)


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
    if not is_bridged(first, second):
        return
    time_s = first.time_s + STEP_S
    while time_s < second.time_s:
        yield pose_between(first, second, time_s)
        time_s += STEP_S
