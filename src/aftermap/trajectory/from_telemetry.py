"""A clip's telemetry alone -> the path of its camera, as surely as such a record can be.

For clips, and moments of clips, that the pictures could not place: a hover, a flight by night. What
the record shares from one moment to the next (the receiver's error, the compass, the clock) is in
the covariance of every pose, so that no number of poses makes a place surer than the record is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.axes import UNKNOWN_ROLL_RAD, rotation_cam_from_world
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.crs_operation import operation_at
from aftermap.geo.track import TrackArrays, at_times
from aftermap.geo.tuples import matrix3, matrix6, vector3
from aftermap.model.camera import Camera, CameraPose
from aftermap.model.clip import Clip, ClipOffsets, Shot
from aftermap.model.media import VerticalDatum
from aftermap.model.runs import Skipped
from aftermap.model.telemetry import Track
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory

STEP_S = Fraction(1, 2)
CLOCK_SIGMA_S = 0.5
"""Of a record against its pictures where their offset was not found: subtitles lag by some."""
LEAN_SIGMA_DEG = 2.0
"""A gimbal's horizon and pitch, its mounting included."""
ROLL_UNKNOWN = (
    f"it records no roll of the camera; the horizon is taken as level, with a sigma of "
    f"{math.degrees(UNKNOWN_ROLL_RAD):.0f} degrees"
)
NORTH_SIGMA_DEG = 5.0
"""A compass beside motors, its bias included."""
NADIR_NORTH_SIGMA_DEG = 45.0
STEEPEST_DEG = -85.0
"""Straight down yaw and roll are one angle, and a recorded yaw may be either's."""
HFOV_SIGMA_SHARE = 0.05
TAKEOFF_SIGMA_M = 5.0
"""Take-off against the ground around it: a roof, a bank, a car."""
GEOID_SIGMA_M = 5.0
BAROMETER_SIGMA_M = 10.0
"""Between two flights: air pressure moves by a hectopascal in an hour."""
UNSAID_SIGMA_M = 50.0
"""Between two datums that are not told apart: what an ellipsoid and sea level may differ by."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The ground below a flight. ``level_m`` is its height at take-off, None where not known.

    ``datum`` is what that height is measured from; None where its raster does not say.
    """

    datum: VerticalDatum | None = None
    level_m: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Heights:
    """(N,) heights of the camera in ``datum``, their sigma, the ground, and how that was done."""

    up_m: Array
    sigma_m: float
    datum: VerticalDatum
    ground_m: float
    note: str


def trajectory_from_telemetry(
    clip: Clip,
    shots: Sequence[Shot],
    crs: str,
    floor: Floor,
    offsets: ClipOffsets | None = None,
) -> Trajectory | Skipped:
    """Poses every ``STEP_S`` wherever the clip's track tells place, height and angles, or why not.

    ``offsets`` are the constants that the pictures gave of this record, taken off where they are
    known. Heights are in the datum of the floor where it has one.
    """
    reason = _unusable(clip, offsets)
    track = clip.track
    if track is None or reason is not None:
        return _skipped(clip, reason or "has no telemetry")
    times = [(shot.index, time_s) for shot in shots for time_s in _steps(shot)]
    shift_s = _shift_s(offsets)
    told = at_times(track, [float(time_s) - shift_s for _, time_s in times])
    if not np.isfinite(told.lonlat_deg).any():
        return _skipped(clip, "its telemetry and its frames do not overlap in time")
    heights = _heights(track, told, floor, offsets)
    if isinstance(heights, str):
        return _skipped(clip, heights)
    complete = np.column_stack([told.lonlat_deg, told.angles_deg[:, :2], heights.up_m])
    usable = np.flatnonzero(np.isfinite(complete).all(axis=1))
    if not usable.size:
        return _skipped(clip, _what_is_missing(told))
    camera, focal_share = _camera(clip, told)
    poses = _poses(track, told, heights, crs, focal_share, offsets)
    return Trajectory(
        clip_sha256=clip.sha256,
        clip_name=clip.name,
        crs=crs,
        vertical_datum=heights.datum,
        camera=camera,
        ground_m=heights.ground_m,
        poses=tuple(_pose(*times[i], *poses.at(i)) for i in usable.tolist()),
        notes=_notes(track, heights, told.angles_deg[usable, 2]),
    )


def _notes(track: Track, heights: _Heights, roll_deg: Array) -> tuple[str, ...]:
    """How the poses were found, and whether any of their (N,) rolls, in degrees, is not known."""
    has_roll = bool(np.isfinite(roll_deg).all())
    return (
        f"located from {track.name} only: {heights.note}",
        *(() if has_roll else (f"{track.name}: {ROLL_UNKNOWN}",)),
    )


def joined_trajectory(known: Trajectory, record: Trajectory, *, apart_s: Fraction) -> Trajectory:
    """A path with the record's poses added where it has none of its shot within ``apart_s``.

    Both are of one clip, in one CRS and one datum. A shot that has poses keeps its camera.
    """
    times = {
        shot: np.array([float(p.time_s) for p in known.poses if p.shot == shot])
        for shot in {pose.shot for pose in known.poses}
    }
    added = [
        pose
        for pose in record.poses
        if pose.shot not in times
        or np.abs(times[pose.shot] - float(pose.time_s)).min() > float(apart_s)
    ]
    if not added:
        return known
    of_its_own = {pose.shot: record.camera for pose in added if pose.shot not in times}
    cameras = dict(known.shot_cameras) | of_its_own
    poses = sorted((*known.poses, *added), key=lambda pose: (pose.shot, pose.time_s))
    return replace(
        known,
        poses=tuple(poses),
        shot_cameras=tuple(sorted(cameras.items(), key=lambda c: c[0])),
        notes=(*known.notes, *record.notes),
    )


def _skipped(clip: Clip, reason: str) -> Skipped:
    return Skipped(
        name=clip.name, reason=f"not located from telemetry: {reason}", sha256=clip.sha256
    )


def _unusable(clip: Clip, offsets: ClipOffsets | None) -> str | None:
    track = clip.track
    if track is None or not track.samples:
        return "has none"
    if not any(sample.lonlat_deg for sample in track.samples):
        return f"{track.name} has times but no positions"
    if not any(sample.attitude for sample in track.samples):
        return f"{track.name} has no camera attitude"
    if track.clock != "video" and not (offsets and offsets.is_determined):
        return f"the clock of {track.name} has an unknown offset"
    return None


def _what_is_missing(told: TrackArrays) -> str:
    if not np.isfinite(told.angles_deg).all(axis=1).any():
        return "it has no camera attitude where it has positions"
    return "it never has position, height and attitude at the same time"


def _steps(shot: Shot) -> list[Fraction]:
    count = int((shot.end_s - shot.start_s) / STEP_S)
    return [shot.start_s + k * STEP_S for k in range(count + 1) if k * STEP_S < shot.end_s]


def _shift_s(offsets: ClipOffsets | None) -> float:
    if offsets is None or not offsets.is_determined:
        return 0.0
    return offsets.time_offset_s or 0.0


def _heights(
    track: Track, told: TrackArrays, floor: Floor, offsets: ClipOffsets | None
) -> _Heights | str:
    """Heights in the floor's datum by the surest way there is; a text says why there is none."""
    height, relative = told.height_m, told.relative_height_m
    has_height, has_relative = np.isfinite(height).any(), np.isfinite(relative).any()
    level_m, datum = floor.level_m, floor.datum or VerticalDatum.UNKNOWN
    if level_m is None:
        return _over_flat_ground(track, height, relative)
    if has_height and track.vertical_datum is floor.datum:
        off_m, sigma_m = _height_offset_m(offsets, track)
        note = "its heights are in the datum of the map"
        return _Heights(
            up_m=height - off_m, sigma_m=sigma_m, datum=datum, ground_m=level_m, note=note
        )
    if has_relative:
        note = (
            f"take-off height assumed at {level_m:.0f} m, the ground below its first position "
            f"(sigma {TAKEOFF_SIGMA_M:.0f} m)"
        )
        return _Heights(
            up_m=level_m + relative,
            sigma_m=TAKEOFF_SIGMA_M,
            datum=datum,
            ground_m=level_m,
            note=note,
        )
    if not has_height:
        return "no height is recorded"
    is_level = track.vertical_datum is VerticalDatum.GEOID and floor.datum is None
    sigma_m = GEOID_SIGMA_M if is_level else UNSAID_SIGMA_M
    of_ground = "unknown datum" if floor.datum is None else f"datum {floor.datum}"
    note = (
        f"its heights ({track.vertical_datum}) are compared with ground of {of_ground} (sigma "
        f"{sigma_m:.0f} m)"
    )
    return _Heights(up_m=height, sigma_m=sigma_m, datum=datum, ground_m=level_m, note=note)


def _over_flat_ground(track: Track, height: Array, relative: Array) -> _Heights | str:
    """Heights above take-off, over ground that is taken to be as high as take-off."""
    if not np.isfinite(relative).any():
        return (
            "its telemetry has no height above take-off, so its height above ground is not "
            "known; give an elevation model with --dem"
        )
    both = height - relative
    ground_m = float(np.nanmedian(both)) if np.isfinite(both).any() else 0.0
    datum = (
        track.vertical_datum if np.isfinite(both).any() else VerticalDatum.TAKEOFF_RELATIVE
    )  # the level of take-off in the datum of the record, where it has both
    return _Heights(
        up_m=ground_m + relative,
        sigma_m=TAKEOFF_SIGMA_M,
        datum=datum,
        ground_m=ground_m,
        note="the ground is assumed flat, at take-off height",
    )


def _height_offset_m(offsets: ClipOffsets | None, track: Track) -> tuple[float, float]:
    if offsets is None or offsets.height_offset_m is None:
        barometric = track.vertical_datum is VerticalDatum.BAROMETRIC
        return 0.0, max(track.sigma_vertical_m, BAROMETER_SIGMA_M if barometric else 0.0)
    return offsets.height_offset_m, max(offsets.height_sigma_m or 0.0, 1.0)


def _camera(clip: Clip, told: TrackArrays) -> tuple[Camera, float]:
    """The lens by the recorded field of view, else as the clip claims; and its relative sigma."""
    seen = told.hfov_deg[np.isfinite(told.hfov_deg)]
    focal_px, sigma_px = clip.focal.focal_px, clip.focal.sigma_px
    decision = "from the clip's metadata"
    if seen.size:
        ends = np.percentile(seen, [5, 50, 95])
        wide, focal_px, tele = clip.width_px / 2 / np.tan(np.radians(ends[::-1]) / 2)
        focal_px = float(focal_px)
        sigma_px = max(HFOV_SIGMA_SHARE * focal_px, float(abs(tele - wide)) / 2)
        decision = "from the field of view in the telemetry"
    middle = (clip.width_px / 2, clip.height_px / 2)
    camera = Camera(
        model="OPENCV",
        width_px=clip.width_px,
        height_px=clip.height_px,
        params=(focal_px, focal_px, *middle, 0.0, 0.0, 0.0, 0.0),
        focal_prior_px=clip.focal.focal_px,
        focal_prior_source=clip.focal.source,
        focal_sigma_px=sigma_px,
        focal_decision=decision,
    )
    return camera, sigma_px / focal_px


@dataclass(frozen=True, kw_only=True)
class _Poses:
    """(N, 3, 3) rotations, (N, 3) positions and (N, 6, 6) covariances."""

    rotations: Array
    positions_m: Array
    covariances: Array

    def at(self, index: int) -> tuple[Array, Array, Array]:
        return self.rotations[index], self.positions_m[index], self.covariances[index]


def _poses(
    track: Track,
    told: TrackArrays,
    heights: _Heights,
    crs: str,
    focal_share: float,
    offsets: ClipOffsets | None,
) -> _Poses:
    known = np.asarray(np.isfinite(told.lonlat_deg).all(axis=1))
    positions = np.full((len(told.time_s), 3), np.nan)
    middle = np.median(told.lonlat_deg[known], axis=0)
    into_crs = operation_at(track.name, WGS84, crs, (float(middle[0]), float(middle[1])), (crs,))
    positions[known, :2] = into_crs.moved_xy(told.lonlat_deg[known])
    positions[:, 2] = heights.up_m
    yaw_deg = told.angles_deg[:, 0] + _yaw_shift_deg(told.lonlat_deg[known], crs, offsets)
    rotations = np.stack(
        [
            rotation_cam_from_world(yaw, *rest)
            for yaw, rest in zip(yaw_deg, _rolled(told.angles_deg)[:, 1:], strict=True)
        ]
    )
    covariances = np.zeros((len(told.time_s), 6, 6))
    sigma_m = track.sigma_horizontal_m
    if into_crs.transformation is not None:
        sigma_m = math.hypot(sigma_m, into_crs.transformation.wide_sigma_m)
    clock_s = _clock_sigma_s(offsets)
    velocity = np.nan_to_num(_rate(told.time_s, positions))
    covariances[:, :3, :3] = np.diag([sigma_m**2, sigma_m**2, heights.sigma_m**2])
    covariances[:, :3, :3] += clock_s**2 * np.einsum("ni,nj->nij", velocity, velocity)
    turning = np.nan_to_num(_rate(told.time_s, _unwrapped(told.angles_deg[:, :2])))
    lens = focal_share * math.tan(math.radians(30.0))  # halfway to the border of the picture
    lean = np.hypot(math.radians(LEAN_SIGMA_DEG), np.hypot(lens, clock_s * turning[:, 1]))
    steep = told.angles_deg[:, 1] < STEEPEST_DEG
    north = np.where(steep, math.radians(NADIR_NORTH_SIGMA_DEG), _north_sigma_rad(offsets))
    for axis, sigma in ((3, lean), (4, lean), (5, np.hypot(north, clock_s * turning[:, 0]))):
        covariances[:, axis, axis] = sigma**2
    unknown_rad = np.where(np.isnan(told.angles_deg[:, 2]), UNKNOWN_ROLL_RAD, 0.0)
    views = rotations[:, 2] * unknown_rad[:, None]
    covariances[:, 3:, 3:] += np.einsum("ni,nj->nij", views, views)
    return _Poses(rotations=rotations, positions_m=positions, covariances=covariances)


def _rolled(angles_deg: Array) -> Array:
    """(N, 3) angles with a level horizon where no roll was recorded; its sigma says so."""
    return np.column_stack([angles_deg[:, :2], np.nan_to_num(angles_deg[:, 2])])


def _yaw_shift_deg(lonlat_deg: Array, crs: str, offsets: ClipOffsets | None) -> float:
    """From the recorded yaw to grid north: by the pictures, else by the meridian of the place."""
    if offsets is not None and offsets.yaw_offset_deg is not None:
        return -offsets.yaw_offset_deg
    lon, lat = np.median(lonlat_deg, axis=0)
    here, northward = transformed_xy(WGS84, crs, [(lon, lat), (lon, lat + 1e-3)])
    return math.degrees(math.atan2(*(northward - here)))


def _north_sigma_rad(offsets: ClipOffsets | None) -> float:
    if offsets is None or offsets.yaw_offset_deg is None:
        return math.radians(NORTH_SIGMA_DEG)
    return math.radians(math.hypot(LEAN_SIGMA_DEG, offsets.yaw_sigma_deg or 0.0))


def _clock_sigma_s(offsets: ClipOffsets | None) -> float:
    if offsets is None or not offsets.is_determined:
        return CLOCK_SIGMA_S
    return offsets.time_sigma_s or CLOCK_SIGMA_S


def _rate(time_s: Array, values: Array) -> Array:
    """(N, K) change a second of (N, K) values, NaN next to one that is not known; 0 of one."""
    if len(time_s) < 2 or (np.diff(time_s) <= 0).any():
        return np.zeros_like(values)
    return np.asarray(np.gradient(values, time_s, axis=0), float)


def _unwrapped(angles_deg: Array) -> Array:
    radians = np.radians(angles_deg)
    steps = np.diff(radians, axis=0, prepend=radians[:1])
    steps = np.nan_to_num((steps + np.pi) % (2 * np.pi) - np.pi)
    return np.asarray(np.cumsum(steps, axis=0), float)


def _pose(
    shot: int, time_s: Fraction, rotation: Array, position: Array, covariance: Array
) -> ClipPose:
    return ClipPose(
        time_s=time_s,
        shot=shot,
        covariance=matrix6(covariance),
        source=PoseSource.TELEMETRY,
        pose=CameraPose(
            rotation_cam_from_world=matrix3(rotation),
            position_m=vector3(position),
            covariance_m2=matrix3(covariance[:3, :3]),
        ),
    )
