"""Where the camera of a clip was, moment by moment, and how surely."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from aftermap.model.camera import Camera, CameraPose, Matrix6
from aftermap.model.media import VerticalDatum


class PoseSource(StrEnum):
    """How a pose was found, from the most to the least sure."""

    RECONSTRUCTION = "reconstruction"
    REGISTERED = "registered"
    RESECTED = "resected"
    TELEMETRY = "telemetry"


@dataclass(frozen=True, kw_only=True)
class ClipPose:
    """One moment's pose. ``pose`` is in the CRS and datum of its :class:`Trajectory`.

    ``covariance`` is of position (east, north, up; m) and of a small turn about the same world axes
    (radians): the true world_from_cam is exp([turn]x) world_from_cam. ``pose.covariance_m2`` is its
    upper left part. ``ce90_m`` is the radius of the circle in which the ground at the middle of the
    picture lies with 90 % probability; ``ce90_in_case_m`` the same on this case's own map, without
    the error that all of the map has in common.
    """

    time_s: Fraction
    shot: int
    pose: CameraPose
    covariance: Matrix6
    source: PoseSource
    ce90_m: float | None = None
    ce90_in_case_m: float | None = None


@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """The poses of one clip in order of time, as many as are known, and its camera.

    ``shot_cameras`` hold those shots of edited footage that have a camera or a zoom of their own.
    ``ground_m`` is the level of the ground below, in the same datum, for where no surface is known.
    """

    clip_sha256: str
    clip_name: str
    crs: str
    vertical_datum: VerticalDatum
    camera: Camera
    poses: tuple[ClipPose, ...]
    ground_m: float
    shot_cameras: tuple[tuple[int, Camera], ...] = ()
    notes: tuple[str, ...] = ()

    def camera_of(self, shot: int) -> Camera:
        """The camera that took a shot."""
        return dict(self.shot_cameras).get(shot, self.camera)


@dataclass(frozen=True, kw_only=True)
class ShotPlace:
    """Where the frames of one shot were taken from, by a reference; or ``reason`` why not.

    ``params`` are of the OPENCV lens model, in pixels of the clip. Heights are in the datum of the
    reference's surface.
    """

    clip_sha256: str
    clip_name: str
    shot: int
    crs: str
    poses: tuple[ClipPose, ...] = ()
    params: tuple[float, ...] = ()
    reason: str | None = None
