"""Frames of a clip and the clip's telemetry -> frames with the place that was recorded for them.

A moment between two samples gets what lies between them, if they are close enough in time to be
honest; a moment in a longer gap gets nothing. Angles turn the short way round.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aftermap.frames.photographs import Recorded
from aftermap.geo.axes import UNKNOWN_ROLL_RAD, gimbal_angles_deg, rotation_cam_from_world
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.track import TrackArrays, at_times
from aftermap.geo.tuples import matrix3
from aftermap.model.camera import Frame
from aftermap.model.media import GeoTag, VerticalDatum
from aftermap.model.telemetry import Track
from aftermap.model.trajectory import ClipPose

TURN_SIGMA_RAD = (0.03, 0.03, 0.12)
"""About east, north and up: a gimbal keeps the plumb line to two degrees, and north to seven."""
STEEPEST_DEG = -85.0
"""Straight down yaw and roll are one angle, and what is recorded may be either's."""


def with_recorded_positions(frames: Sequence[Frame], track: Track | None) -> tuple[Recorded, ...]:
    """The frames with their positions, heights and angles, as far as the track knows them."""
    if track is None:
        return tuple(Recorded(frame=frame) for frame in frames)
    moments = [frame.moment.time_s if frame.moment else math.nan for frame in frames]
    told = at_times(track, np.array([float(time_s) for time_s in moments]))
    return tuple(_with_record(frame, told, i, track) for i, frame in enumerate(frames))


def with_found_pose(frame: Frame, pose: ClipPose | None, crs: str) -> Recorded:
    """A frame of a shot that was found in a reference, with its own pose if it has one."""
    told = replace(frame, is_registered=True)
    if pose is None:
        return Recorded(frame=told)
    turns = [math.sqrt(pose.covariance[axis][axis]) for axis in (3, 4, 5)]
    told = replace(
        told,
        pitch_deg=gimbal_angles_deg(pose.pose.rotation_cam_from_world)[1],
        prior_rotation_cam_from_world=pose.pose.rotation_cam_from_world,
        prior_turn_sigma_rad=(turns[0], turns[1], turns[2]),
    )
    return Recorded(frame=told, geotag=_geotag_of(pose, crs))


def _geotag_of(pose: ClipPose, crs: str) -> GeoTag:
    """The place of a pose that a reference gave, whose heights are in a datum of its own."""
    lonlat = transformed_xy(crs, WGS84, [pose.pose.position_m[:2]])[0]
    variance = [pose.covariance[axis][axis] for axis in range(3)]
    return GeoTag(
        lon_deg=float(lonlat[0]),
        lat_deg=float(lonlat[1]),
        height_m=pose.pose.position_m[2],
        vertical_datum=VerticalDatum.UNKNOWN,
        sigma_horizontal_m=math.sqrt(max(variance[0], variance[1])),
        sigma_vertical_m=math.sqrt(variance[2]),
    )


def _with_record(frame: Frame, told: TrackArrays, index: int, track: Track) -> Recorded:
    yaw_deg, pitch_deg, roll_deg = (_finite(angle) for angle in told.angles_deg[index])
    with_told = replace(
        frame,
        relative_height_m=_finite(told.relative_height_m[index]),
        pitch_deg=pitch_deg,
        yaw_deg=yaw_deg,
    )
    if yaw_deg is not None and pitch_deg is not None and pitch_deg > STEEPEST_DEG:
        rotation = rotation_cam_from_world(yaw_deg, pitch_deg, roll_deg or 0.0)
        turn_sigma_rad = TURN_SIGMA_RAD
        if roll_deg is None:  # about the view, which each axis of the world has a part of
            about = np.hypot(TURN_SIGMA_RAD, UNKNOWN_ROLL_RAD * rotation[2])
            turn_sigma_rad = (float(about[0]), float(about[1]), float(about[2]))
        with_told = replace(
            with_told,
            prior_rotation_cam_from_world=matrix3(rotation),
            prior_turn_sigma_rad=turn_sigma_rad,
        )
    return Recorded(frame=with_told, geotag=_geotag(told, index, track))


def _geotag(told: TrackArrays, index: int, track: Track) -> GeoTag | None:
    lon_deg, lat_deg = (_finite(angle) for angle in told.lonlat_deg[index])
    if lon_deg is None or lat_deg is None:
        return None
    height_m, datum = _finite(told.height_m[index]), track.vertical_datum
    relative_m = _finite(told.relative_height_m[index])
    if height_m is None and relative_m is not None:
        height_m, datum = relative_m, VerticalDatum.TAKEOFF_RELATIVE
    return GeoTag(
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        height_m=height_m,
        vertical_datum=datum,
        sigma_horizontal_m=track.sigma_horizontal_m,
        sigma_vertical_m=track.sigma_vertical_m,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
