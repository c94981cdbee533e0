"""Frames of a clip and the clip's telemetry -> frames with the place that was recorded for them.

A moment between two samples gets what lies between them, if they are close enough in time to be
honest; a moment in a longer gap gets nothing. Angles turn the short way round.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from aftermap.frames.photographs import Recorded
from aftermap.geo.axes import Array, gimbal_angles_deg
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.model.camera import Frame, Matrix3
from aftermap.model.flight import ClipPose
from aftermap.model.media import Attitude, GeoTag, VerticalDatum
from aftermap.model.telemetry import Sample, Track

LONGEST_GAP_S = Fraction(5, 2)
"""A drone at 10 m/s is 25 m on by then; the usual receivers of 1 Hz are well within."""
TURN_SIGMA_RAD = (0.03, 0.03, 0.12)
"""About east, north and up: a gimbal keeps the plumb line to two degrees, and north to seven."""
STEEPEST_DEG = -85.0
"""Straight down yaw and roll are one angle, and what is recorded may be either's."""
EDGE_S = Fraction(1)
"""How far outside its first and last sample a record still says where the camera was."""


def recorded(frames: Sequence[Frame], track: Track | None) -> tuple[Recorded, ...]:
    """The frames with their positions, heights and angles, as far as the track knows them."""
    if track is None or not track.samples:
        return tuple(Recorded(frame=frame) for frame in frames)
    times = [sample.time_s for sample in track.samples]
    return tuple(_recorded(frame, track, times) for frame in frames)


def found(frame: Frame, pose: ClipPose | None, crs: str) -> Recorded:
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
        lon_deg=float(lonlat[0]), lat_deg=float(lonlat[1]), height_m=pose.pose.position_m[2],
        vertical_datum=VerticalDatum.UNKNOWN,
        sigma_horizontal_m=math.sqrt(max(variance[0], variance[1])),
        sigma_vertical_m=math.sqrt(variance[2]),
    )  # fmt: skip


def _recorded(frame: Frame, track: Track, times: Sequence[Fraction]) -> Recorded:
    sample = None if frame.moment is None else _sample_at(track, times, frame.moment.time_s)
    if sample is None:
        return Recorded(frame=frame)
    told = replace(
        frame,
        relative_height_m=sample.relative_height_m,
        pitch_deg=None if sample.attitude is None else sample.attitude.pitch_deg,
        yaw_deg=None if sample.attitude is None else sample.attitude.yaw_deg,
        taken_at=sample.utc or sample.recorded_at or frame.taken_at,
    )
    return Recorded(frame=told, geotag=_geotag(sample, track))


def _geotag(sample: Sample, track: Track) -> GeoTag | None:
    if sample.lonlat_deg is None:
        return None
    height_m, datum = sample.height_m, track.vertical_datum
    if height_m is None and sample.relative_height_m is not None:
        height_m, datum = sample.relative_height_m, VerticalDatum.TAKEOFF_RELATIVE
    return GeoTag(
        lon_deg=sample.lonlat_deg[0], lat_deg=sample.lonlat_deg[1],
        height_m=height_m, vertical_datum=datum,
        sigma_horizontal_m=track.sigma_horizontal_m, sigma_vertical_m=track.sigma_vertical_m,
    )  # fmt: skip


def _sample_at(track: Track, times: Sequence[Fraction], time_s: Fraction) -> Sample | None:
    """What the track says of a moment; None in a gap that is too long, and beyond its ends."""
    after = bisect.bisect_left(times, time_s)
    if after == len(times) or after == 0:
        end = track.samples[min(after, len(times) - 1)]
        return end if abs(end.time_s - time_s) <= EDGE_S else None
    first, second = track.samples[after - 1], track.samples[after]
    gap_s = second.time_s - first.time_s
    if gap_s > LONGEST_GAP_S:
        near = min(first, second, key=lambda sample: abs(sample.time_s - time_s))
        return near if near.time_s == time_s else None
    return _mixed(first, second, float((time_s - first.time_s) / gap_s) if gap_s else 0.0)


def _mixed(first: Sample, second: Sample, share: float) -> Sample:
    near = second if share > 0.5 else first
    place = None
    if first.lonlat_deg is not None and second.lonlat_deg is not None:
        lon_deg = _turned(first.lonlat_deg[0], second.lonlat_deg[0], share)
        place = lon_deg, _between(first.lonlat_deg[1], second.lonlat_deg[1], share) or 0.0
    return replace(
        near,
        lonlat_deg=place,
        height_m=_between(first.height_m, second.height_m, share),
        relative_height_m=_between(first.relative_height_m, second.relative_height_m, share),
        attitude=_attitude(first.attitude, second.attitude, share),
    )


def _attitude(first: Attitude | None, second: Attitude | None, share: float) -> Attitude | None:
    if first is None or second is None:
        return None
    return Attitude(
        yaw_deg=_turned(first.yaw_deg, second.yaw_deg, share),
        pitch_deg=_turned(first.pitch_deg, second.pitch_deg, share),
        roll_deg=_turned(first.roll_deg, second.roll_deg, share),
    )


def _turned(first_deg: float, second_deg: float, share: float) -> float:
    """Between two angles the short way round, in -180 to 180."""
    way = (second_deg - first_deg + 180) % 360 - 180
    return (first_deg + share * way + 180) % 360 - 180


def _between(first: float | None, second: float | None, share: float) -> float | None:
    return None if first is None or second is None else first + share * (second - first)


def _matrix3(values: Array) -> Matrix3:
    a, b, c = ((float(row[0]), float(row[1]), float(row[2])) for row in values)
    return a, b, c
