"""Every figure of the report, in one record: report.json is this record, report.html shows it.

Lengths are in metres of the CRS unless a name says otherwise (``_px`` pixels, ``_s`` seconds,
``_fraction`` of one); in a LOCAL map they are arbitrary units, and ``unit`` says so. A figure that
is not known is None, and ``not_known`` of its section says why. Residuals are estimated minus
recorded or surveyed. The format is public: docs/reference/report.md.
"""

from dataclasses import dataclass
from enum import StrEnum

from aftermap.model.camera import Vector3
from aftermap.model.datum import DatumTransformation

FORMAT = "aftermap-report"
VERSION = 1


class CautionCode(StrEnum):
    """Which warning it is; the codes of ``report.json`` (docs/reference/report.md, Warnings)."""

    LOCAL = "local"
    HEIGHT_MISMATCH = "height_mismatch"
    FOCAL_ASSUMED = "focal_assumed"
    DISCONNECTED = "disconnected"
    CHECK_ERROR = "check_error"
    NOT_CHECKED = "not_checked"
    FEW_CHECKS = "few_checks"
    VERTICAL = "vertical"
    HEIGHTS_WITHOUT_LEVEL = "heights_without_level"
    HEIGHTS_UNCHECKED = "heights_unchecked"
    FOCAL_DISAGREES = "focal_disagrees"
    LEANING = "leaning"
    GPS_SCATTER = "gps_scatter"
    GPS_WILD = "gps_wild"
    FEW_PHOTOGRAPHS = "few_photographs"
    MANY_LEFT_OUT = "many_left_out"
    MUCH_FILLED = "much_filled"
    THIN_COVERAGE = "thin_coverage"
    LOOSE_FIT = "loose_fit"
    RECONSTRUCTION = "reconstruction"


@dataclass(frozen=True, kw_only=True)
class Caution:
    """One thing to know before using the map: a stable code, and what it means in plain words."""

    code: CautionCode
    text: str
    grave: bool


@dataclass(frozen=True, kw_only=True)
class MapFigures:
    """The map itself. Low and high are the 1st and 99th percentile of the measured heights.

    Of the mapped area ``measured_fraction`` was measured, ``filled_fraction`` filled from its
    surroundings, and ``absent_fraction`` has no height.
    """

    area_m2: float
    east_extent_m: float
    north_extent_m: float
    pixel_m: float
    surface_cell_m: float
    ground_sample_m: float
    measured_fraction: float
    filled_fraction: float
    absent_fraction: float
    covered_fraction: float
    low_m: float | None
    high_m: float | None
    not_known: str | None


@dataclass(frozen=True, kw_only=True)
class CountClass:
    """The share of the surface where a count lies between two values; ``most`` None is no limit."""

    least: int
    most: int | None
    fraction: float


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How a count is spread over the surface, from its overview."""

    median: float | None
    classes: tuple[CountClass, ...]
    not_known: str | None


@dataclass(frozen=True, kw_only=True)
class Trust:
    """How far positions and heights can be trusted, one standard deviation, and on what ground.

    The absolute figures are against the world, the others inside the map: between neighbouring
    points, and over 100 m (how wrong the scale and the level are). ``other_machine_vertical_m`` is
    how far heights may differ if a machine of another kind makes the map. ``transformation`` is the
    datum transformation of what georeferences the map, in the absolute horizontal figure; None
    where the datum is the same.
    """

    horizontal_m: float | None
    horizontal_from: str
    vertical_m: float | None
    vertical_from: str
    near_horizontal_m: float
    near_vertical_m: float | None
    length_per_100_m: float | None
    height_per_100_m: float | None
    not_known: str | None
    other_machine_vertical_m: float | None = None
    transformation: DatumTransformation | None = None


@dataclass(frozen=True, kw_only=True)
class Residuals:
    """Statistics of residuals: mean and root mean square east, north, up, and horizontal RMS."""

    count: int
    mean_m: Vector3 | None
    rms_m: Vector3 | None
    rms_horizontal_m: float | None
    not_known: str | None


@dataclass(frozen=True, kw_only=True)
class GpsFigures:
    """Estimated camera positions against those the drone recorded, for the mapped photographs.

    ``wild`` positions lie far outside their own stated accuracy and the scatter of the others;
    ``without_wild`` repeats the statistics without them where there are any.
    """

    all: Residuals
    without_wild: Residuals | None
    wild: tuple[str, ...]
    without_position: int
    stated_horizontal_m: float | None
    stated_vertical_m: float | None


@dataclass(frozen=True, kw_only=True)
class ControlMark:
    """A ground control mark; residuals None where it could not be measured.

    ``left_out_m`` is the residual of the adjustment without it, None where that was not done.
    """

    name: str
    role: str
    position_m: Vector3
    residual_m: Vector3 | None
    horizontal_m: float | None
    reprojection_px: float | None
    photographs: int
    left_out_m: Vector3 | None


@dataclass(frozen=True, kw_only=True)
class ControlFigures:
    """Marks that held the solution (control) and marks kept aside to test it (check).

    ``left_out`` are those that held it, each predicted by an adjustment without it.
    """

    control: Residuals
    check: Residuals
    left_out: Residuals
    marks: tuple[ControlMark, ...]


@dataclass(frozen=True, kw_only=True)
class Lens:
    """One camera at one setting: its focal length and shutter, what went in, came out, and why."""

    camera: str
    photographs: int
    width_px: int
    height_px: int
    model: str
    params: tuple[float, ...]
    focal_px: float
    focal_sigma_px: float | None
    focal_prior_px: float
    focal_prior_source: str
    focal_decision: str
    focal_if_freed_px: float | None
    focal_if_freed_sigma_px: float | None
    readout_ms: float
    readout_sigma_ms: float | None
    readout_source: str
    readout_decision: str


@dataclass(frozen=True, kw_only=True)
class FlyingHeight:
    """Height above the ground below, against the height above take-off that the drone recorded."""

    count: int
    above_ground_m: float | None
    recorded_m: float | None
    difference_m: float | None
    difference_spread_m: float | None
    difference_fraction: float | None
    not_known: str | None


@dataclass(frozen=True, kw_only=True)
class Poses:
    """How well the photographs hold together. Sigmas are medians over the mapped photographs."""

    reprojection_px: float
    position_sigma_m: Vector3 | None
    worst_position_sigma_m: Vector3 | None
    not_known: str | None


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """One placed photograph. ``map_fraction`` is its share of the orthophoto, None without one."""

    name: str
    sha256: str
    mapped: bool
    group: int
    reason: str | None
    reprojection_px: float
    tie_points: int
    position_m: Vector3
    position_sigma_m: Vector3 | None
    gps_residual_m: Vector3 | None
    gps_wild: bool
    above_ground_m: float | None
    recorded_height_m: float | None
    map_fraction: float | None


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """One file that is not in the map, and why."""

    name: str
    sha256: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class PlacedSeconds:
    """How many seconds of a clip were placed in one way (``source`` as in cameras.json)."""

    source: str
    seconds: int


@dataclass(frozen=True, kw_only=True)
class ClipFigures:
    """One clip: what was taken out of it, how it was placed, and how far its record is off.

    The offsets are of its telemetry against its pictures, each with one standard deviation: what
    it records for time t is true of t + ``time_offset_s``; its heights less ``height_offset_m``
    and its yaw less ``yaw_offset_deg`` are those of the map. ``ground`` is what its views meet.
    """

    name: str
    sha256: str
    duration_s: float
    shots: int
    frames: int
    placed_frames: int
    telemetry: str | None
    placed: tuple[PlacedSeconds, ...]
    ground: str | None
    time_offset_s: float | None
    time_sigma_s: float | None
    height_offset_m: float | None
    height_sigma_m: float | None
    yaw_offset_deg: float | None
    yaw_sigma_deg: float | None
    notes: tuple[str, ...]
    not_known: str | None


@dataclass(frozen=True, kw_only=True)
class Photographs:
    """How many were given, placed and mapped; groups are the sizes of the connected groups."""

    given: int
    placed: int
    mapped: int
    left_out: int
    groups: tuple[int, ...]
    placed_list: tuple[Photograph, ...]
    left_out_list: tuple[LeftOut, ...]


@dataclass(frozen=True, kw_only=True)
class StageCost:
    """What one stage cost; a reused stage shows what it cost when it ran."""

    stage: str
    version: int
    started_at: str
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int
    reused: bool


@dataclass(frozen=True, kw_only=True)
class CostTable:
    """Time and memory by stage. The totals leave out what was reused."""

    wall_s: float
    cpu_s: float
    peak_memory_bytes: int
    stages: tuple[StageCost, ...]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was asked, when, and which versions of what answered."""

    case: str
    command: str
    started_at: str
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The whole report."""

    format: str
    version: int
    run: Run
    crs: str
    crs_name: str
    unit: str
    vertical_datum: str
    verdict: tuple[str, ...]
    warnings: tuple[Caution, ...]
    notes: tuple[str, ...]
    map: MapFigures
    coverage: Spread
    confidence: Spread
    trust: Trust
    poses: Poses
    gps: GpsFigures
    control: ControlFigures
    lenses: tuple[Lens, ...]
    flying_height: FlyingHeight
    photographs: Photographs
    clips: tuple[ClipFigures, ...]
    cost: CostTable


@dataclass(frozen=True, kw_only=True)
class SurfaceFigures:
    """A surface that was measured and has no orthophoto; fractions are of the mapped area."""

    surface_cell_m: float
    ground_sample_m: float
    measured_fraction: float
    filled_fraction: float


@dataclass(frozen=True, kw_only=True)
class IndexOnlyContents:
    """The report of a run without a map: ``map`` is None, and ``why`` says why.

    ``next_steps`` are what to do about it. ``poses`` is None where no picture was placed,
    ``surface`` where none was measured.
    """

    format: str
    version: int
    run: Run
    crs: str
    crs_name: str
    unit: str
    vertical_datum: str
    verdict: tuple[str, ...]
    why: str
    next_steps: tuple[str, ...]
    warnings: tuple[Caution, ...]
    notes: tuple[str, ...]
    map: None
    surface: SurfaceFigures | None
    poses: Poses | None
    lenses: tuple[Lens, ...]
    photographs: Photographs
    clips: tuple[ClipFigures, ...]
    left_out_list: tuple[LeftOut, ...]
    cost: CostTable
