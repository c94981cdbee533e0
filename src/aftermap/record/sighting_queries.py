"""The record's tables -> rows of what saw a place: every query behind :mod:`aftermap.search`.

Coordinates are in the CRS of the layer that is asked, in metres; geometry is GeoPackage binary with
an envelope of x and y (:func:`aftermap.record.geometry.envelope_header`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aftermap.errors import CaseError, InputError
from aftermap.geo.arrays import Array, IntArray
from aftermap.record.geopackage import Bounds, GeoPackage
from aftermap.record.sightings import HEADER_BYTES, WKB_OF_POLYGON_BYTES

_RANKS = "SELECT segment, rank_um FROM sighting WHERE place IN ({})"
_VIEWS = """
SELECT s.segment, g.clip_sha256, g.shot, g.from_s, s.rank_um, s.best_ms, s.gsd_mm,
  s.off_nadir_deg, s.azimuth_deg, s.faces, s.framed_percent, s.occluded_percent, s.ce90_dm,
  g.clip, g.source
FROM sighting s JOIN segment g ON g.fid = s.segment WHERE s.place IN ({}) AND s.segment IN ({})"""
_TIMES = "SELECT fid, from_s, to_s FROM segment WHERE fid IN ({})"
_IN_BOX = """
SELECT g.fid, g.clip_sha256, g.shot, g.from_s, g.to_s, g.clip, g.source, g.camera_east_m,
  g.camera_north_m, g.camera_height_m, g.axis_off_nadir_deg, g.axis_azimuth_deg, g.focal_px,
  g.ground_m, g.ground_sigma_m, g.pose_covariance, g.geom, f.geom
FROM rtree_segment_geom r JOIN segment g ON g.fid = r.id JOIN clip_footprint f ON f.fid = r.id
WHERE r.minx <= ? AND r.maxx >= ? AND r.miny <= ? AND r.maxy >= ?"""
_FILLED = "SELECT count(*) FROM segment WHERE fid > ? AND fid < ? AND moments = 0"
_HIDDEN = """
SELECT segment, avg(occluded_percent) FROM sighting WHERE place IN ({}) GROUP BY segment"""
_PHOTOGRAPHS = """
SELECT p.name, p.sha256, c.east_m, c.north_m, c.height_m, c.focal_px, p.geom
FROM camera_footprint p JOIN camera c ON c.sha256 = p.sha256
WHERE p.sha256 IN (SELECT sha256 FROM media) AND c.registered"""
_BUILDING_VIEWS = """
SELECT v.sha256, v.clip_sha256, v.time_s, v.azimuth_deg, v.off_nadir_deg, v.ground_sample_m,
  v.framed_fraction, v.occluded_fraction, v.faces, v.ce90_m, v.rank_m,
  coalesce((SELECT name FROM media WHERE sha256 = coalesce(v.clip_sha256, v.sha256)), v.sha256)
FROM building_view v WHERE v.building IN ({}) ORDER BY v.rank_m"""


class SightingRow(NamedTuple):
    """How one second of a clip sees a cell or a building, in the units of the table."""

    segment: int
    clip_sha256: str
    shot: int
    from_s: float
    rank_um: int
    best_ms: int
    gsd_mm: int
    off_nadir_deg: int
    azimuth_deg: int
    faces: int
    framed_percent: int
    occluded_percent: int | None
    ce90_dm: int | None
    clip_name: str
    source: str


class SegmentRow(NamedTuple):
    """One second of a clip: its camera, the ground below it, and its outlines.

    ``pose_covariance`` is (6, 6) float32; ``outer`` is the ground out to CE90, ``footprint`` the
    ground in the picture.
    """

    segment: int
    clip_sha256: str
    shot: int
    from_s: float
    to_s: float
    clip_name: str
    source: str
    camera_east_m: float
    camera_north_m: float
    camera_height_m: float
    axis_off_nadir_deg: float
    axis_azimuth_deg: float
    focal_px: float
    ground_m: float
    ground_sigma_m: float
    pose_covariance: bytes
    outer: bytes
    footprint: bytes


class PhotographRow(NamedTuple):
    """A placed photograph: its camera, and the ground in the picture."""

    name: str
    sha256: str
    east_m: float
    north_m: float
    height_m: float
    focal_px: float
    footprint: bytes


class BuildingViewRow(NamedTuple):
    """How a photograph, or one moment of a clip, sees a building."""

    sha256: str
    clip_sha256: str | None
    time_s: float | None
    azimuth_deg: float
    off_nadir_deg: float
    ground_sample_m: float
    framed_fraction: float
    occluded_fraction: float
    faces: int
    ce90_m: float | None
    rank_m: float
    name: str


def sightings_crs(package: GeoPackage) -> str | None:
    """The CRS of what clips saw, "EPSG:n"; None in a case without clips."""
    return package.crs_of("segment")


def photographs_crs(package: GeoPackage) -> str | None:
    """The CRS of the photographs' footprints; None where they have no place on the globe."""
    return package.crs_of("camera_footprint")


def ranks_of(package: GeoPackage, places: Sequence[int]) -> list[tuple[int, float]]:
    """Segment and rank in micrometres of all that saw any of some places."""
    return [
        (segment, rank) for segment, rank in package.rows(_RANKS.format(_marks(places)), places)
    ]


def views_of_segments(
    package: GeoPackage, places: Sequence[int], segments: Sequence[int]
) -> dict[int, SightingRow]:
    """How some segments see any of some places, by the number of the segment."""
    sql = _VIEWS.format(_marks(places), _marks(segments))
    return {row[0]: SightingRow._make(row) for row in package.rows(sql, [*places, *segments])}


def spans_of(package: GeoPackage, segments: Sequence[int]) -> dict[int, tuple[float, float]]:
    """From and to of segments in seconds of their clip, by number."""
    rows = package.rows(_TIMES.format(_marks(segments)), segments)
    return {segment: (from_s, to_s) for segment, from_s, to_s in rows}


def are_filled_between(package: GeoPackage, first: int, last: int) -> bool:
    """Whether every segment between two holds no placed frame, and each of them is there."""
    return package.rows(_FILLED, (first, last)) == [(last - first - 1,)]


def segments_in(package: GeoPackage, box_m: Bounds) -> list[SegmentRow]:
    """Segments whose outline's box meets one: west, south, east, north."""
    west, south, east, north = box_m
    return [SegmentRow._make(row) for row in package.rows(_IN_BOX, (east, west, north, south))]


def hidden_percent(package: GeoPackage, places: Sequence[int]) -> dict[int, float | None]:
    """What share of some places is hidden from each segment that saw any; None is not known."""
    return dict(package.rows(_HIDDEN.format(_marks(places)), places))


def footprints_of(package: GeoPackage, segments: Sequence[int]) -> dict[int, Array]:
    """(N, 2) closed ring of ground in the picture, by the number of the segment."""
    sql = f"SELECT fid, geom FROM clip_footprint WHERE fid IN ({_marks(segments)})"  # noqa: S608
    skip = HEADER_BYTES + WKB_OF_POLYGON_BYTES
    return {
        fid: np.frombuffer(geom, "<f8", offset=skip).reshape(-1, 2)
        for fid, geom in package.rows(sql, segments)
    }


def photograph_rows(package: GeoPackage) -> list[PhotographRow]:
    """Every placed photograph of the case; frames of clips are none."""
    return [PhotographRow._make(row) for row in package.rows(_PHOTOGRAPHS)]


def numbers_of_building(package: GeoPackage, source_id: str) -> list[int]:
    """The numbers of the buildings with an id.

    Raises CaseError where the case knows no buildings, InputError where none has the id.
    """
    if not package.has_table("building_seen"):
        raise CaseError(
            f"{package.path.parent}: has no buildings yet; run aftermap assess with --footprints"
        )
    sql = "SELECT building FROM building_seen WHERE source_id = ? ORDER BY building"
    numbers = [number for (number,) in package.rows(sql, (source_id,))]
    if not numbers:
        raise InputError(
            f"{source_id}: no building of this case has this id; ids are in the column source_id "
            "of the table building_seen in case.gpkg"
        )
    return numbers


def building_view_rows(package: GeoPackage, numbers: Sequence[int]) -> list[BuildingViewRow]:
    """The photographs and moments that see some buildings, the best first."""
    rows = package.rows(_BUILDING_VIEWS.format(_marks(numbers)), numbers)
    return [BuildingViewRow._make(row) for row in rows]


def flat_rings(geometries: Sequence[bytes]) -> tuple[Array, IntArray]:
    """(N, 2) corners of GeoPackage polygons, one after the other; where each begins.

    The last corner of each, which repeats the first, is left out.
    """
    skip = HEADER_BYTES + WKB_OF_POLYGON_BYTES
    corners = [np.frombuffer(blob, "<f8", offset=skip, count=-1)[:-2] for blob in geometries]
    sizes = np.array([len(one) // 2 for one in corners])
    return np.concatenate(corners).reshape(-1, 2), np.concatenate([[0], np.cumsum(sizes)])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)
