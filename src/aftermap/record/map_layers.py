"""The layers of the record as rows for a map: geometries as the file holds them, and columns.

Geometries are GeoPackage blobs in the CRS of their layer (:meth:`GeoPackage.crs_of`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from aftermap.geo.crs import LOCAL
from aftermap.model.street import OWN_LINE
from aftermap.record.geopackage import GeoPackage

_CAMERAS = """
SELECT c.fid, c.geom, c.name, c.sha256, c.mapped, c.reason, round(c.height_m, 1), m.sha256 IS NULL
FROM camera c LEFT JOIN media m ON m.sha256 = c.sha256 WHERE c.registered"""
_PHOTO_FOOTPRINTS = """
SELECT p.fid, p.geom, p.name, p.sha256
FROM camera_footprint p JOIN media m ON m.sha256 = p.sha256"""
_CLIP_FOOTPRINTS = """
SELECT f.fid, f.geom, f.clip, f.source, round(f.ce90_m, 1), s.clip_sha256, s.from_s
FROM clip_footprint f JOIN segment s ON s.fid = f.fid"""
_TRACKS = """
SELECT clip, clip_sha256, shot, from_s, to_s, camera_east_m, camera_north_m, source
FROM segment ORDER BY clip_sha256, shot, from_s"""
_SPANS = """
SELECT clip_sha256, count(*), min(from_s), max(to_s), group_concat(DISTINCT source), min(ce90_m)
FROM segment GROUP BY clip_sha256"""
_KEYS = ("fid", "geom")


class FeatureRow(NamedTuple):
    """A feature: its number, its geometry, and its values in the order of the table's names."""

    number: int
    geometry: bytes | None
    values: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class FeatureTable:
    """The features of a layer, and what their values are called."""

    names: tuple[str, ...]
    rows: tuple[FeatureRow, ...]


class TrackSecond(NamedTuple):
    """Where the camera of a clip was in one second, in the CRS of the layer ``segment``."""

    clip: str
    sha256: str
    shot: int
    from_s: float
    to_s: float
    east_m: float
    north_m: float
    source: str


@dataclass(frozen=True, kw_only=True)
class PlacedSpan:
    """Where in a clip poses are known: how many seconds, from when to when, and how well.

    ``source`` lists what the poses come from, with commas; ``ce90_m`` is that of the best second.
    """

    seconds: int
    from_s: float
    to_s: float
    source: str
    ce90_m: float | None


def case_crs(package: GeoPackage) -> str:
    """The CRS of a case: that of its cameras, else of its buildings, else "LOCAL"."""
    return package.crs_of("camera") or package.crs_of("building") or LOCAL


def camera_datum(package: GeoPackage) -> str | None:
    """The vertical datum of the cameras' heights; None in a case without cameras."""
    found = package.rows("SELECT vertical_datum FROM camera LIMIT 1")
    return str(found[0][0]) if found else None


def camera_features(package: GeoPackage) -> FeatureTable:
    """Where photographs and frames of clips were taken from; ``frame`` is 1 for a frame."""
    names = ("name", "sha256", "mapped", "reason", "height_m", "frame")
    return _features(names, package.rows(_CAMERAS))


def photo_footprint_features(package: GeoPackage) -> FeatureTable:
    """The ground that each mapped photograph sees; frames of clips are left out."""
    return _features(("name", "sha256"), package.rows(_PHOTO_FOOTPRINTS))


def clip_footprint_features(package: GeoPackage) -> FeatureTable:
    """The ground in the picture in each second of each clip."""
    names = ("clip", "source", "ce90_m", "sha256", "from_s")
    return _features(names, package.rows(_CLIP_FOOTPRINTS))


def street_features(package: GeoPackage) -> FeatureTable:
    """The pieces of street, with every column."""
    return layer_features(package, "street")


def has_own_streets(package: GeoPackage) -> bool:
    """Whether the streets are lines between buildings, as no street lines were given."""
    if not package.has_table("street"):
        return False
    sql = "SELECT 1 FROM street WHERE source_id LIKE ? LIMIT 1"
    return bool(package.rows(sql, (f"{OWN_LINE}-%",)))


def layer_features(
    package: GeoPackage, table: str, columns: Sequence[str] | None = None, *, order: str = ""
) -> FeatureTable:
    """The features of a layer with the columns of those names that it has; None asks for all."""
    names = [
        name
        for name in package.columns(table)
        if name not in _KEYS and (columns is None or name in columns)
    ]
    shown = "".join(f', "{name}"' for name in names)
    by = f' ORDER BY "{order}"' if order else ""
    sql = f'SELECT fid, geom{shown} FROM "{table}"{by}'  # noqa: S608 - names are the file's own
    return _features(tuple(names), package.rows(sql))


def track_seconds(package: GeoPackage) -> list[TrackSecond]:
    """The way of the camera of each clip, by clip, shot and time."""
    return [TrackSecond(*row) for row in package.rows(_TRACKS)]


def placed_spans(package: GeoPackage) -> dict[str, PlacedSpan]:
    """Where poses are known in each clip, by its SHA-256; empty in a case without clips."""
    if not package.has_table("segment"):
        return {}
    return {
        sha256: PlacedSpan(seconds=count, from_s=first, to_s=last, source=source, ce90_m=circle)
        for sha256, count, first, last, source, circle in package.rows(_SPANS)
    }


def _features(names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> FeatureTable:
    return FeatureTable(
        names=names, rows=tuple(FeatureRow(row[0], row[1], row[2:]) for row in rows)
    )
