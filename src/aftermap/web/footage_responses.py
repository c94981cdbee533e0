"""What the page is told of footage: clips, photographs, and clips placed by hand.

As :mod:`aftermap.web.responses`, which says what ``null`` and a missing field mean.
"""

from typing import Annotated, Literal

from pydantic import Field

from aftermap.web.responses import LonLat, PageResponse, Ring

CopyState = Literal["ready", "original", "making", "missing", "failed"]
OnTheWireCopy = Annotated[CopyState, Field(serialization_alias="copy")]


class ClipSummary(PageResponse):
    """A clip for the list. ``placed_*`` say where in it poses are known.

    ``copy`` says how the page can play it.
    """

    sha256: str
    name: str
    width_px: int
    height_px: int
    start_s: float
    duration_s: float
    frame_rate_hz: float
    rotation_deg: int
    size_bytes: int
    recorded_at: str | None
    placed_seconds: int
    placed_from_s: float | None
    placed_to_s: float | None
    source: str | None
    ce90_m: float | None
    copy_state: OnTheWireCopy
    copy_reason: str | None
    notes: tuple[str, ...]


class PhotographSummary(PageResponse):
    """A photograph for the list, with why it is not on the map where it is not.

    ``mapped`` is 1 or 0, and null where no run has looked at it.
    """

    sha256: str
    name: str
    width_px: int
    height_px: int
    taken_at: str | None
    clock: str | None
    mapped: int | None
    reason: str | None


class FootageList(PageResponse):
    """All footage of a case; ``graphic`` holds the SHA-256 of what reviewers marked as graphic."""

    clips: list[ClipSummary]
    photographs: list[PhotographSummary]
    graphic: list[str]


class GraphicMark(PageResponse):
    """Whether an original is marked as graphic now."""

    sha256: str
    is_graphic: bool


class CopyAnswer(PageResponse):
    """How the page can play a clip now."""

    copy_state: OnTheWireCopy


class ClipTimes(PageResponse):
    """When each picture is shown, in ticks of ``tick_s``; it and the offset are fractions."""

    ticks: list[int]
    tick_s: str
    offset_s: str


class ClipPath(PageResponse):
    """What each placed moment of a clip saw, one list for each column.

    ``every``: of a long clip only every second, third ... moment is sent. ``ring`` is the ground in
    the picture, ``outer`` the same out to its CE90. A clip without poses has ``moments`` 0 and
    nothing else.
    """

    moments: int
    name: str = ""
    every: int = 1
    time_s: list[float] = Field(default_factory=list)
    shot: list[int] = Field(default_factory=list)
    source: list[str] = Field(default_factory=list)
    off_nadir_deg: list[float | None] = Field(default_factory=list)
    azimuth_deg: list[float | None] = Field(default_factory=list)
    ground_sample_m: list[float | None] = Field(default_factory=list)
    ce90_m: list[float | None] = Field(default_factory=list)
    camera: list[LonLat] = Field(default_factory=list)
    height_m: list[float] = Field(default_factory=list)
    ring: list[Ring] = Field(default_factory=list)
    outer: list[Ring] = Field(default_factory=list)


class ClickFacts(PageResponse):
    """A place clicked in a picture and on the map, as it was kept.

    ``time_s`` is a fraction; ``height_m`` null is that of the surface.
    """

    time_s: str
    px: float
    py: float
    lon: float
    lat: float
    height_m: float | None


class ClickList(PageResponse):
    """The clicks that were kept of a clip."""

    clicks: list[ClickFacts]


class SolvedView(PageResponse):
    """The camera of one picture from clicks: where it was, how well each click fits, what it sees.

    ``position`` is longitude, latitude and height, ``sigma_m`` one standard deviation east, north
    and up. Lists of clicks are in the order in which they were sent; ``outlines`` are of buildings,
    in pixels of the picture.
    """

    position: tuple[float, float, float]
    sigma_m: tuple[float, float, float]
    focal_px: float
    focal_sigma_px: float
    focal_before_px: float
    residuals_px: list[tuple[float, float]]
    left_out_px: list[float]
    used: list[bool]
    sigma_px: float
    heights_m: list[float]
    filled: list[bool]
    ring: Ring
    outer: Ring
    ce90_m: float | None
    outlines: list[list[tuple[float, float]]]


class PlacingState(PageResponse):
    """How far the placing of a clip is; ``lines`` is what ``aftermap locate`` says at its end."""

    state: Literal["none", "working", "done", "failed"]
    error: str | None = None
    lines: tuple[str, ...] = ()
