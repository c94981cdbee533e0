"""What the page is told: the shape of every answer, in JSON.

The OpenAPI schema is made of these models and of those in :mod:`aftermap.web.wire`, and
``frontend/src/api_types.ts`` of the schema (``make types``). None is ``null`` and means *not
known*; a field with a default may be missing. Rings and lines are longitude, latitude (WGS 84).
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aftermap.model.assessment import Blinding, Grade
from aftermap.model.evidence import EvidenceKind
from aftermap.model.sighting import Precision
from aftermap.web.wire import RasterName, TileKind

LonLat = tuple[float, float]
Ring = list[LonLat]
Bounds = tuple[float, float, float, float]


class PageResponse(BaseModel):
    """Everything that is answered: it is made whole, and does not change."""

    model_config = ConfigDict(frozen=True)


class Refusal(PageResponse):
    """Why a request was refused: one line for the person at the page."""

    error: str


class RasterFacts(PageResponse):
    """What the page must know of a raster. ``bounds_lonlat`` is west, south, east, north.

    ``stamp`` changes when the file is replaced.
    """

    bounds_lonlat: Bounds
    cell_m: float
    deepest_zoom: int
    stamp: str


class MeshFacts(PageResponse):
    """Where the mesh lies. ``arm_m`` east and north of its origin lie the other two places.

    ``ground_m`` is the height over the origin that the page calls 0, ``box_m`` west, south, east,
    north of all of it from the origin.
    """

    address: str
    size_bytes: int
    origin_lonlat: LonLat
    east_lonlat: LonLat
    north_lonlat: LonLat
    arm_m: float
    ground_m: float
    box_m: Bounds


class HeightSpan(PageResponse):
    """Between which heights nearly all that was measured lies, and which one the page calls 0."""

    low_m: float
    high_m: float
    base_m: float


class RunState(PageResponse):
    """The newest run that ended (UTC, "" where none has), and whether one is under way."""

    run: int
    ended_at: str
    is_running: bool


class CaseFacts(RunState):
    """What a case holds. ``missing`` says of each absent product what makes it.

    ``tiles`` names the raster that each kind of tile is made of. ``has_own_streets``: no street
    lines were given, so that the layer holds the space between buildings.
    """

    name: str
    crs: str
    is_on_globe: bool
    vertical_datum: str | None
    rasters: dict[RasterName, RasterFacts]
    missing: dict[str, str]
    height: HeightSpan | None
    mesh: MeshFacts | None
    tiles: dict[TileKind, RasterName]
    layers: list[str]
    has_buildings: bool
    has_own_streets: bool
    has_basemap: bool
    basemap_stamp: str


class Feature(PageResponse):
    """A feature of a layer (RFC 7946). What its properties are depends on the layer."""

    type: Literal["Feature"]
    id: int
    geometry: dict[str, Any] | None
    properties: dict[str, Any]


class FeatureCollection(PageResponse):
    """A layer as GeoJSON (RFC 7946)."""

    type: Literal["FeatureCollection"]
    features: list[Feature]


class PointInfo(PageResponse):
    """What the map says of one place: ``xy_m`` is in the CRS of the case."""

    xy_m: tuple[float, float]
    height_m: float | None
    photographs: int | None


class HeightProfile(PageResponse):
    """Heights along a line, and how many photographs agree on each: 0 where it was filled."""

    along_m: list[float]
    height_m: list[float | None]
    photographs: list[int | None]


class SightingFacts(PageResponse):
    """A stretch of a clip, or a photograph, that shows a spot (``model.sighting.Sighting``).

    Times are seconds of the clip, and the same as time codes.
    """

    clip_name: str
    sha256: str
    kind: Literal["clip", "photograph"]
    shot: int | None
    from_s: float | None
    to_s: float | None
    best_s: float | None
    ground_sample_m: float | None
    off_nadir_deg: float | None
    azimuth_deg: float | None
    faces: str
    framed_fraction: float | None
    occluded_fraction: float | None
    ce90_m: float | None
    precision: Precision
    source: str
    rank_m: float | None
    segment: int | None
    from_code: str | None
    to_code: str | None
    best_code: str | None


class Me(PageResponse):
    """Who reviews in this browser ("" before a name was given), and the reasons to choose from.

    ``was_shown``: model grades were sent to this reviewer, whose grades are not blind any more.
    """

    reviewer: str
    is_blind: bool
    was_shown: bool
    reasons: list[str]


class Invitation(PageResponse):
    """An address that lets one browser in, once."""

    address: str


class QueueColumns(PageResponse):
    """Every building, one list for each column, in the order of the outlines.

    ``at`` is a place on it, ``sample`` its place in the newest drawn sample, ``graders`` how many
    reviewers should grade it (null: it is not in the sample). A reviewer who works
    blind is sent no column that tells what the machine thinks; a case without buildings has no
    column but ``id``.
    """

    id: list[int]
    source_id: list[str] = Field(default_factory=list)
    at: list[LonLat] = Field(default_factory=list)
    sample: list[int | None] = Field(default_factory=list)
    graders: list[int | None] = Field(default_factory=list)
    area_m2: list[float] = Field(default_factory=list)
    grade: list[Grade | None] = Field(default_factory=list)
    adopted_grade: list[Grade | None] = Field(default_factory=list)
    confidence: list[float | None] = Field(default_factory=list)
    possible: list[int | None] = Field(default_factory=list)


class BuildingRow(PageResponse):
    """The columns of a building (docs/reference/buildings.md), those that the file has.

    A reviewer who works blind is sent none that tells what the machine thinks.
    """

    fid: int
    source_id: str
    area_m2: float
    levels: float | None = None
    grade: Grade | None = None
    adopted_grade: Grade | None = None
    confidence: float | None = None
    possible: int | None = None
    grades: str | None = None
    probabilities: list[float] | None = None
    reasons: str | None = None
    reasons_against: str | None = None
    notes: str | None = None
    not_assessed_reason: str | None = None
    roof_fraction: float | None = None
    views: int | None = None
    facades: int | None = None
    ground_sample_m: float | None = None
    surface_photographs: float | None = None
    imagery: str | None = None
    shift_east_m: float | None = None
    shift_north_m: float | None = None
    shift_sigma_m: float | None = None
    shift_residual_m: float | None = None
    shift_source: str | None = None
    assessor: str | None = None
    model_sha256: str | None = None


class MeasurementFacts(PageResponse):
    """One number that was measured of a building, with one standard deviation."""

    building: int
    name: str
    value: float | None
    sigma: float | None


class EvidenceSource(PageResponse):
    """An original that a part of an orthophoto crop is from, and the share of that part."""

    sha256: str
    name: str
    fraction: float
    clip_sha256: str | None = None
    time_s: float | None = None


class EvidenceRow(PageResponse):
    """A picture of a building (docs/reference/evidence.md), with the columns that the file has."""

    fid: int
    building: int
    source_id: str
    kind: EvidenceKind
    rank: int
    file: str
    file_sha256: str
    original_sha256: str
    original_name: str
    is_masked: int
    sources: list[EvidenceSource]
    time_s: float | None = None
    time_exact: str | None = None
    taken_at: str | None = None
    left_px: int | None = None
    top_px: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    turn_deg: float | None = None
    scale: float | None = None
    distance_m: float | None = None
    azimuth_deg: float | None = None
    off_nadir_deg: float | None = None
    ground_sample_m: float | None = None
    framed_fraction: float | None = None
    occluded_fraction: float | None = None
    faces: int | None = None
    ce90_m: float | None = None


class ReviewFacts(PageResponse):
    """A decision of a reviewer. ``at`` is UTC; ``reasons`` is the JSON text of the record.

    ``supersedes`` is the number of the row that it takes back, if any. ``blinding``: whether it was
    given without sight of model grades, null where that is not known.
    """

    number: int
    reviewer: str
    grade: Grade | None
    not_assessed_reason: str | None
    supersedes: int | None
    is_withdrawn: bool
    blinding: Blinding | None
    note: str | None
    at: str
    reasons: str


class BuildingFacts(PageResponse):
    """A building with its measurements, its pictures and what everyone says of it."""

    building: BuildingRow
    measurements: list[MeasurementFacts]
    evidence: list[EvidenceRow]
    reviews: list[ReviewFacts]


class SavedReview(PageResponse):
    """The number of a row that is on the disk, and what the reviewer's grade of it is now.

    ``is_withdrawn``: the reviewer has none, since the only one was taken back.
    """

    number: int
    grade: Grade | None
    not_assessed_reason: str | None
    is_withdrawn: bool
    blinding: Blinding | None
    note: str | None
    at: str


GradesByReviewer = dict[str, dict[str, Grade | None]]
"""The newest grade of each building by each reviewer; null is *not assessed*."""
