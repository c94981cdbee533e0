"""Cameras, their poses, and what a reconstruction leaves behind.

World axes are east, north, up in metres of the named CRS; camera axes are x right, y down,
z forward; pixel (0, 0) is the outer corner of the first stored pixel.
"""

from dataclasses import dataclass
from enum import StrEnum

from aftermap.model.clip import ClipOffsets, Moment
from aftermap.model.datum import DatumTransformation
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.runs import Skipped

Vector3 = tuple[float, float, float]
Matrix3 = tuple[Vector3, Vector3, Vector3]
Row6 = tuple[float, float, float, float, float, float]
Matrix6 = tuple[Row6, Row6, Row6, Row6, Row6, Row6]


TRUSTED_VERTICAL_DEG = 5.0
"""A vertical less sure than this makes no top view: ground 100 m away would be 9 m off."""


class ReadoutSource(StrEnum):
    """Where the readout time of a camera's shutter comes from; NONE: taken to be a global one."""

    TABLE = "table"
    ESTIMATED = "estimated"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Readout:
    """How long a camera takes from its first row to its last, as somebody measured it.

    Seconds, with one standard deviation; 0 for a shutter that exposes all rows at once. ``basis``
    names who measured it.
    """

    readout_s: float
    sigma_s: float
    basis: str


@dataclass(frozen=True, kw_only=True)
class Camera:
    """An interior orientation shared by the frames of one camera at one setting.

    ``params`` follow COLMAP's OPENCV model: fx, fy, cx, cy, k1, k2, p1, p2 (pixels; the
    distortion terms are dimensionless, Brown-Conrady on normalised coordinates). A row is exposed
    ``readout_s`` x (row / height - 1/2) seconds after the middle one, which has the frame's pose;
    its sigma is None where nothing tells, and the shutter then is taken to be a global one.
    """

    model: str
    width_px: int
    height_px: int
    params: tuple[float, ...]
    focal_prior_px: float
    focal_prior_source: FocalSource
    focal_sigma_px: float
    focal_decision: str
    focal_if_freed_px: float | None = None
    focal_if_freed_sigma_px: float | None = None
    readout_s: float = 0.0
    readout_sigma_s: float | None = None
    readout_source: ReadoutSource = ReadoutSource.NONE
    readout_decision: str = ""

    @property
    def focal_px(self) -> float:
        """Mean of the two focal lengths, in pixels."""
        return (self.params[0] + self.params[1]) / 2


@dataclass(frozen=True, kw_only=True)
class CameraPose:
    """Where a frame was taken from: x_cam = R (X_world - position). Covariance in square metres."""

    rotation_cam_from_world: Matrix3
    position_m: Vector3
    covariance_m2: Matrix3


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture to be placed: the original it is, and the prior knowledge of where it was taken.

    ``prior_position_m`` is in the reconstruction's CRS and datum; None where nothing was recorded.
    ``prior_turn_sigma_rad`` is of a turn about east, north and up from the prior rotation.
    ``camera_key`` is shared by frames that were taken with one camera at one setting. ``moment``
    is set where the picture was taken out of a clip; ``sha256`` is then that of the picture.
    ``mask`` is the path of a grey picture of its size, 0 where something lies over the scene: a
    caption, a logo, a border, or sky. The map is made of the rest of the picture.
    ``is_registered`` is set where its shot was found in a reference, so that a prior position is no
    record of a flight. ``readout`` is what a table says of the camera's shutter; None where it is
    in none.
    """

    sha256: str
    name: str
    path: str
    width_px: int
    height_px: int
    orientation: int
    camera_key: str
    focal_px: float
    focal_sigma_px: float
    focal_source: FocalSource
    prior_position_m: Vector3 | None = None
    prior_sigma_m: Vector3 | None = None
    prior_rotation_cam_from_world: Matrix3 | None = None
    prior_turn_sigma_rad: Vector3 | None = None
    relative_height_m: float | None = None
    pitch_deg: float | None = None
    yaw_deg: float | None = None
    taken_at: str | None = None
    moment: Moment | None = None
    mask: str | None = None
    is_registered: bool = False
    readout: Readout | None = None


@dataclass(frozen=True, kw_only=True)
class FrameSet:
    """The pictures that go in, in which coordinates, and the pictures that do not.

    ``crs`` is "EPSG:n", or "LOCAL" where no picture says where it was taken. ``notes`` say, one
    line each, which recorded positions and heights are not used, and why. ``transformation`` is
    that of the recorded positions; None where their datum is that of the map.
    """

    crs: str
    vertical_datum: VerticalDatum
    frames: tuple[Frame, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()
    transformation: DatumTransformation | None = None


@dataclass(frozen=True, kw_only=True)
class PlacedFrame:
    """A frame with its pose. ``ground_m`` is the height range of the tie points that it sees.

    ``covariance`` is of position (east, north, up; m) and of a small turn about the same world axes
    (radians): the true world_from_cam is exp([turn]x) world_from_cam. ``covariance_in_case`` is the
    same without what all frames have in common (shift, turn and size of the whole): how well the
    frame fits the map that is made of them. ``velocity`` is how the camera moved (east, north, up;
    m/s) and turned (about its own axes x, y, z; rad/s) while it was exposed; None where its shutter
    is taken to be a global one.
    """

    frame: Frame
    camera: int
    pose: CameraPose
    reprojection_px: float
    tie_points: int
    group: int
    ground_m: tuple[float, float]
    covariance: Matrix6 | None = None
    covariance_in_case: Matrix6 | None = None
    velocity: Row6 | None = None


@dataclass(frozen=True, kw_only=True)
class ControlResidual:
    """A ground control mark: surveyed against measured, in metres (estimated minus surveyed).

    ``is_used`` says that a control mark holds the map. ``left_out_m`` is the residual of the map
    adjusted without this mark; None where that was not done.
    """

    name: str
    role: str
    position_m: Vector3
    residual_m: Vector3 | None
    reprojection_px: float | None
    images: tuple[str, ...]
    is_used: bool = True
    left_out_m: Vector3 | None = None


@dataclass(frozen=True, kw_only=True)
class VerticalWitness:
    """One kind of evidence of the vertical.

    ``off_deg`` is how far the combined vertical lies from it, in degrees; ``off_sigmas`` the same
    in its own sigmas. ``sigma_deg`` is its sigma along the axis it knows best,
    ``other_sigma_deg`` along the other one; None where it knows only one. ``is_used`` is False
    where all others agree without it.
    """

    name: str
    off_deg: float
    off_sigmas: float
    sigma_deg: float
    other_sigma_deg: float | None
    is_used: bool


@dataclass(frozen=True, kw_only=True)
class Vertical:
    """How surely the reconstruction's up is up.

    ``sigma_deg`` is the root mean square of the angle between the stated and the true vertical.
    ``contradiction`` names a witness that the others contradict beyond their sigmas.
    """

    sigma_deg: float
    witnesses: tuple[VerticalWitness, ...]
    contradiction: str | None = None

    @property
    def is_trusted(self) -> bool:
        """Whether a top view may be drawn from it."""
        return self.contradiction is None and self.sigma_deg <= TRUSTED_VERTICAL_DEG


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """Every placed frame in one frame of reference, and how far to trust it.

    Coordinates are absolute in ``crs``. ``points`` names an .npz file with ``xyz_m`` (N, 3)
    float64 and, per observation, ``frame_index`` and ``point_index`` (M,) int32. ``mapped_group``
    is the connected group that is mapped (the largest); other groups are kept and reported.
    ``no_map_because`` is set where no surface could be made of it, so that nothing is mapped.
    ``vertical`` is that of the mapped group where pictures alone had to find it, or where what was
    recorded contradicts the poses; None where positions or control points say which way is up.
    ``transformation`` is that of what georeferences it, the control points or the recorded
    positions; its error is in ``covariance`` of every frame and not in ``covariance_in_case``.
    ``control_sigma_m`` is how surely the adjustment knows the ground that control points hold,
    horizontally (radial) and vertically, by its own covariance; None without control.
    """

    crs: str
    vertical_datum: VerticalDatum
    cameras: tuple[Camera, ...]
    placed: tuple[PlacedFrame, ...]
    skipped: tuple[Skipped, ...]
    points: str
    mapped_group: int
    group_sizes: tuple[int, ...]
    reprojection_px: float
    control: tuple[ControlResidual, ...] = ()
    warnings: tuple[str, ...] = ()
    offsets: tuple[ClipOffsets, ...] = ()
    no_map_because: str | None = None
    vertical: Vertical | None = None
    transformation: DatumTransformation | None = None
    control_sigma_m: tuple[float, float] | None = None

    @property
    def mapped(self) -> tuple[PlacedFrame, ...]:
        """The frames that the map is made of, in the order of ``placed``: the mapped group's."""
        return tuple(p for p in self.placed if p.group == self.mapped_group)

    def why_not_mapped(self, placed: PlacedFrame) -> str | None:
        """Why the map is not made of a placed frame; None where it is."""
        if self.no_map_because is not None:
            return f"aligned, but there is no map: {self.no_map_because}"
        if placed.group != self.mapped_group:
            return "aligned, but its group does not overlap the mapped group"
        return None
