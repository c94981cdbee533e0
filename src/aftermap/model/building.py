"""Buildings: outlines as somebody drew them, and where they lie on the map.

Outlines are polygons with courtyards, in metres of a projected CRS: the outer ring first, then its
courtyards, every ring closed (its last place is its first). Large tables about buildings are
Parquet files that are named here; their column ``building`` is the place in ``Buildings``.
"""

from dataclasses import dataclass
from enum import StrEnum

from aftermap.model.datum import DatumTransformation
from aftermap.model.runs import Skipped

Ring = tuple[tuple[float, float], ...]
Polygon = tuple[Ring, ...]


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """One outline of the input file: its id there, its number there from 0, and its ground.

    ``polygons_m`` has several parts where the file has a multi-part shape. ``levels`` is what the
    file says of storeys (OSM's ``building:levels``), None where it says nothing.
    """

    source_id: str
    feature: int
    polygons_m: tuple[Polygon, ...]
    area_m2: float
    levels: float | None = None


@dataclass(frozen=True, kw_only=True)
class FootprintSet:
    """The outlines that can be used, in the CRS of the map, and those that cannot, with reasons.

    ``transformation`` is how their datum became that of the map; None where it is the same.
    """

    crs: str
    file_name: str
    file_sha256: str
    id_field: str
    footprints: tuple[Footprint, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    transformation: DatumTransformation | None = None


class ShiftSource(StrEnum):
    """What a shift was taken from, from the most to the least sure."""

    OWN = "own"
    NEIGHBOURS = "neighbours"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How far an outline was moved (east, north) to lie on its building, and how surely.

    ``sigma_m`` is one standard deviation along each axis. ``residual_m`` is how far the moved
    outline lies from the edges that it was moved onto (median; None where it had none of its own).
    """

    shift_m: tuple[float, float]
    sigma_m: float
    residual_m: float | None
    source: ShiftSource


@dataclass(frozen=True, kw_only=True)
class Building:
    """A footprint where the map shows it. ``polygons_m`` are those of the footprint, moved."""

    footprint: Footprint
    alignment: Alignment
    polygons_m: tuple[Polygon, ...]


@dataclass(frozen=True, kw_only=True)
class Buildings:
    """The buildings of a case in the order of their file."""

    crs: str
    buildings: tuple[Building, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ViewTable:
    """Which pictures show which building, and how well: a Parquet file, by building, best first.

    Columns: ``building``; ``sha256`` of the picture, and for a frame of a clip ``clip_sha256`` and
    ``time_s`` (null else); ``frame``, its place in the reconstruction's ``placed``;
    ``distance_m``; ``azimuth_deg`` (where the camera stands, clockwise from grid north);
    ``off_nadir_deg``; ``ground_sample_m``; ``framed_fraction`` of the roof in the picture;
    ``occluded_fraction`` of what is framed that something hides; ``faces`` (1 north + 2 east +
    4 south + 8 west); ``ce90_m``; ``rank_m`` as in :class:`aftermap.model.sighting.Sighting`.

    ``clip_path`` names a second file with the same columns: every frame of a clip that shows a
    building, also those that are not among its best views.
    """

    path: str
    clip_path: str
    views: int


@dataclass(frozen=True, kw_only=True)
class MeasureTable:
    """What was measured of each building: a Parquet file with one row for each, in their order.

    A measure ``x`` has the columns ``x`` and ``x_sigma``; null is not known. ``names`` are the
    measures that it holds.
    """

    path: str
    names: tuple[str, ...]
