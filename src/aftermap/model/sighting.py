"""Which moment of which clip saw which ground, how well, and how surely."""

from dataclasses import dataclass
from enum import StrEnum

from aftermap.model.media import VerticalDatum
from aftermap.model.runs import Skipped

CELL_SIZES_M = (10, 40, 160)
"""Cells by level. A second whose CE90 is far larger than a cell is filed under larger ones."""

CELL_BITS = 25
CELL_OFFSET = 1 << (CELL_BITS - 1)


class Precision(StrEnum):
    """How finely a place is known: what a CE90 allows to be said."""

    EXACT = "exact"
    VICINITY = "vicinity"
    LOCALITY = "locality"
    NONE = "none"


class GroundKind(StrEnum):
    """What rays were marched over, from the most to the least true."""

    SURFACE = "surface"
    DEM = "dem"
    FLAT = "flat"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The heights that rays meet: a raster of the surface or of the terrain, or only a level.

    ``vertical_datum`` is what the raster's heights are measured from; a clip in another datum is
    indexed over flat ground, with a note. ``sigma_m`` is one standard deviation of a height.
    """

    kind: GroundKind
    path: str | None = None
    vertical_datum: VerticalDatum | None = None
    sigma_m: float


SURFACE_SIGMA_M = 0.5
"""Of a height of the map's surface that a ray meets, in the datum of the poses it is made of."""
FLAT_GROUND = Ground(kind=GroundKind.FLAT, sigma_m=3.0)
"""A town's ground is seldom more than a few metres off its middle level."""


@dataclass(frozen=True, kw_only=True)
class ClipIndex:
    """What one clip saw. The four files are named by their path; docs/reference/viewshed.md.

    ``name`` is what its products are called (``clips/NAME.parquet``, ``clips/NAME.stac.json``).
    ``segments`` and ``sightings`` are tables for the case's record and no products.
    """

    clip_sha256: str
    clip_name: str
    name: str
    crs: str
    ground: GroundKind
    footprints: str
    item: str
    segments: str
    sightings: str
    moments: int
    segment_count: int
    sighting_count: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SightingIndex:
    """The clips that were indexed, and those that could not be, with the reason."""

    clips: tuple[ClipIndex, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A stretch of a clip (or a photograph) that shows a spot, told by its best moment.

    ``framed_fraction`` is the share of the spot that lies in the picture as it was placed, 0 where
    only its CE90 band reaches it. ``occluded_fraction`` is the share of that which something on the
    surface hides. ``azimuth_deg`` is where the camera stands, seen from the spot, clockwise from
    grid north. What is not known is None. ``rank_m`` orders answers, the best first: the ground
    sample distance, made larger by all that makes a view worse. ``segment`` is the number of the
    best second in the layers ``segment`` and ``clip_footprint``.
    """

    clip_name: str
    sha256: str
    kind: str
    shot: int | None = None
    from_s: float | None = None
    to_s: float | None = None
    best_s: float | None = None
    ground_sample_m: float | None = None
    off_nadir_deg: float | None = None
    azimuth_deg: float | None = None
    faces: str = ""
    framed_fraction: float | None = None
    occluded_fraction: float | None = None
    ce90_m: float | None = None
    precision: Precision = Precision.NONE
    source: str
    rank_m: float
    segment: int | None = None


def cell_of(level: int, column: int, row: int) -> int:
    """The number of a cell: level, row and column (whole cells north and east of 0) in one."""
    return (((level << CELL_BITS) + row + CELL_OFFSET) << CELL_BITS) + column + CELL_OFFSET


def column_row_of(cell: int) -> tuple[int, int, int]:
    """Level, column and row of a cell's number; the inverse of :func:`cell_of`."""
    mask = (1 << CELL_BITS) - 1
    upper = cell >> CELL_BITS
    return upper >> CELL_BITS, (cell & mask) - CELL_OFFSET, (upper & mask) - CELL_OFFSET


def time_code(seconds: float) -> str:
    """Hours, minutes and seconds on a clip's own clock, to the tenth: 0:02:07.4."""
    sign, tenths = "-" if seconds < 0 else "", round(abs(seconds) * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"
