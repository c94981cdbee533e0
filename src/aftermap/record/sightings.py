"""What clips saw, in the record: segments that QGIS shows, and the table that ``seen`` asks.

docs/reference/viewshed.md describes every column. The layers are made when the first clip is
recorded, so that a case of photographs has none of them.
"""

import itertools
import sqlite3
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from aftermap.errors import CaseError
from aftermap.geo.arrays import IntArray
from aftermap.model.sighting import ClipIndex, time_code
from aftermap.record.geometry import envelope_header
from aftermap.record.geopackage import (
    Table,
    add_table,
    describe,
    has_table,
    insert_all,
    srs_id_of,
)
from aftermap.record.rtree import add_rtree, rtree_bounds, teach_envelopes

SEGMENT = Table(
    name="segment",
    description="Ground seen in each second of a clip, out to its CE90",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, clip TEXT NOT NULL, clip_sha256 TEXT NOT NULL,
  shot INTEGER NOT NULL, from_s DOUBLE NOT NULL, to_s DOUBLE NOT NULL, time_code TEXT NOT NULL,
  source TEXT NOT NULL, ce90_m DOUBLE, precision TEXT NOT NULL, ground_sample_m DOUBLE,
  off_nadir_deg DOUBLE, azimuth_deg DOUBLE, moments INTEGER NOT NULL, camera_east_m DOUBLE NOT NULL,
  camera_north_m DOUBLE NOT NULL, camera_height_m DOUBLE NOT NULL,
  axis_off_nadir_deg DOUBLE NOT NULL, axis_azimuth_deg DOUBLE NOT NULL, focal_px DOUBLE NOT NULL,
  ground TEXT NOT NULL, ground_m DOUBLE NOT NULL, ground_sigma_m DOUBLE NOT NULL,
  pose_covariance BLOB NOT NULL""",
    geometry="POLYGON",
)
CLIP_FOOTPRINT = Table(
    name="clip_footprint",
    description="Image footprint at the middle of each second of a clip",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, clip TEXT NOT NULL, time_code TEXT NOT NULL,
  source TEXT NOT NULL, ce90_m DOUBLE""",
    geometry="POLYGON",
)
LAYERS = (SEGMENT, CLIP_FOOTPRINT)
SIGHTING = Table(
    name="sighting",
    description="Which second of a clip shows which cell of the ground or building, and how well",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, place INTEGER NOT NULL, segment INTEGER NOT NULL,
  best_ms INTEGER NOT NULL, gsd_mm INTEGER NOT NULL, off_nadir_deg INTEGER NOT NULL,
  azimuth_deg INTEGER NOT NULL, faces INTEGER NOT NULL, framed_percent INTEGER NOT NULL,
  occluded_percent INTEGER, ce90_dm INTEGER, rank_um INTEGER NOT NULL""",
)
_SIGHTING_INDEXES = (
    # holds all that ranking a place asks for, so that its rows need not be read
    "CREATE INDEX sighting_place ON sighting (place, segment, rank_um, occluded_percent)",
    "CREATE UNIQUE INDEX sighting_building ON sighting (place, segment) WHERE place < 0",
)
SIGHTING_COLUMNS = (
    "place",
    "segment",
    "best_ms",
    "gsd_mm",
    "off_nadir_deg",
    "azimuth_deg",
    "faces",
    "framed_percent",
    "occluded_percent",
    "ce90_dm",
    "rank_um",
)
_SAME_IN_BOTH = (
    "shot",
    "from_s",
    "to_s",
    "source",
    "ce90_m",
    "precision",
    "ground_sample_m",
    "off_nadir_deg",
    "azimuth_deg",
    "moments",
    "camera_east_m",
    "camera_north_m",
    "camera_height_m",
    "axis_off_nadir_deg",
    "axis_azimuth_deg",
    "focal_px",
    "ground_m",
    "ground_sigma_m",
    "pose_covariance",
)

BATCH_ROWS = 20_000
SAME_MOMENT_S = 1e-6
WKB_OF_POLYGON_BYTES = 13
HEADER_BYTES = 40


def has_sightings(connection: sqlite3.Connection) -> bool:
    """Whether a clip was ever recorded in this case."""
    return has_table(connection, "sighting")


def replace_clip(connection: sqlite3.Connection, index: ClipIndex) -> None:
    """Put what a clip saw in the record, in place of what an earlier run said of that clip."""
    teach_envelopes(connection)
    if not has_sightings(connection):
        _make_layers(connection, index.crs)
    number_sightings(connection)
    _refuse_other_crs(connection, index)
    _remove(connection, index.clip_sha256)
    (last,) = connection.execute("SELECT coalesce(max(fid), -1) FROM segment").fetchone()
    fids = last + 2 + _numbers_of(index.segments)
    _add_segments(connection, index, fids)
    _add_sightings(connection, index.sightings, fids)
    for layer in LAYERS:
        bounds = rtree_bounds(connection, layer.name)
        describe(connection, layer.name, crs=index.crs, bounds=bounds)
    describe(connection, SIGHTING.name, crs=None, bounds=None)


def forget_clip(connection: sqlite3.Connection, sha256: str | None) -> None:
    """Take out what an earlier run said that a clip saw."""
    if sha256 is not None and has_sightings(connection):
        _remove(connection, sha256)


def number_sightings(connection: sqlite3.Connection) -> None:
    """Make ``sighting``, or give the rows of an earlier Aftermap the number that a layer has.

    GeoPackage 1.3, requirement 119: every attributes table has an integer primary key.
    """
    columns = {row[1] for row in connection.execute("PRAGMA table_info(sighting)")}
    if "fid" in columns:
        return
    if columns:
        connection.execute("ALTER TABLE sighting RENAME TO sighting_before")
    add_table(connection, SIGHTING)
    if columns:
        names = ", ".join(SIGHTING_COLUMNS)
        connection.execute(
            f"INSERT INTO sighting ({names}) SELECT {names} FROM sighting_before "  # noqa: S608 - ours
            "ORDER BY place, segment"
        )
        connection.execute("DROP TABLE sighting_before")
    for index in _SIGHTING_INDEXES:
        connection.execute(index)


def _make_layers(connection: sqlite3.Connection, crs: str) -> None:
    for layer in LAYERS:
        add_table(connection, layer)
        describe(connection, layer.name, crs=crs, bounds=None)
        add_rtree(connection, layer.name)
    connection.execute("CREATE INDEX segment_clip ON segment (clip_sha256)")


def _refuse_other_crs(connection: sqlite3.Connection, index: ClipIndex) -> None:
    sql = "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'segment'"
    (known,) = connection.execute(sql).fetchone()
    (count,) = connection.execute(
        "SELECT count(*) FROM segment WHERE clip_sha256 != ? LIMIT 1", (index.clip_sha256,)
    ).fetchone()
    if known != srs_id_of(index.crs) and count:
        raise CaseError(
            f"{index.clip_name}: is placed in {index.crs}, but the case holds clips in "
            f"EPSG:{known}; map all of a case in one CRS, with --crs EPSG:{known}"
        )


def _remove(connection: sqlite3.Connection, sha256: str) -> None:
    of_clip = "SELECT fid FROM segment WHERE clip_sha256 = ?"
    if connection.execute(of_clip, (sha256,)).fetchone() is None:
        return
    connection.execute(
        f"DELETE FROM sighting WHERE segment IN ({of_clip})",  # noqa: S608 - names are ours
        (sha256,),
    )
    connection.execute(
        f"DELETE FROM clip_footprint WHERE fid IN ({of_clip})",  # noqa: S608 - names are ours
        (sha256,),
    )
    connection.execute("DELETE FROM segment WHERE clip_sha256 = ?", (sha256,))


def _numbers_of(path: str) -> IntArray:
    """0, 1, 2 ... for the segments of a clip, with one left out wherever they do not follow on.

    Neighbouring numbers are therefore neighbouring seconds of one shot, which saves ``seen`` from
    looking at the segments of all that it finds.
    """
    table = pq.read_table(path, columns=["shot", "from_s", "to_s"])
    shot, start, end = (column.to_numpy() for column in table.columns)
    breaks = (np.diff(shot) != 0) | (start[1:] - end[:-1] > SAME_MOMENT_S)
    left_out = np.concatenate([[0], np.cumsum(breaks)])
    return np.asarray(np.arange(len(shot)) + left_out, np.int64)


def _add_segments(connection: sqlite3.Connection, index: ClipIndex, fids: IntArray) -> None:
    srs_id = srs_id_of(index.crs)
    for batch in _numbered_batches(index.segments, fids):
        segments = [_segment(fid, row, index, srs_id) for fid, row in batch]
        insert_all(connection, "segment", segments)
        footprints = [
            {
                "fid": fid,
                "clip": index.clip_name,
                "time_code": time_code(row["from_s"]),
                "source": row["source"],
                "ce90_m": row["ce90_m"],
                "geom": _geometry(srs_id, row["geometry"]),
            }
            for fid, row in batch
        ]
        insert_all(connection, "clip_footprint", footprints)


def _segment(fid: int, row: Mapping[str, Any], index: ClipIndex, srs_id: int) -> dict[str, Any]:
    return {
        "fid": fid,
        "clip": index.clip_name,
        "clip_sha256": index.clip_sha256,
        "time_code": time_code(row["from_s"]),
        "ground": index.ground.value,
        **{name: row[name] for name in _SAME_IN_BOTH},
        "geom": _geometry(srs_id, row["outer"]),
    }


def _add_sightings(connection: sqlite3.Connection, path: str, fids: IntArray) -> None:
    names, marks = ", ".join(SIGHTING_COLUMNS), ", ".join("?" for _ in SIGHTING_COLUMNS)
    sql = f"INSERT INTO sighting ({names}) VALUES ({marks})"  # noqa: S608 - names are ours
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=list(SIGHTING_COLUMNS)):
            columns = {name: batch.column(name).to_pylist() for name in SIGHTING_COLUMNS}
            columns["segment"] = fids[columns["segment"]].tolist()
            connection.executemany(sql, zip(*columns.values(), strict=True))


def _numbered_batches(path: str, fids: IntArray) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    numbers = iter(fids.tolist())
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(1000):
            rows = batch.to_pylist()
            yield list(zip(itertools.islice(numbers, len(rows)), rows, strict=True))


def _geometry(srs_id: int, wkb: bytes) -> bytes:
    """A polygon of one ring in WKB as GeoPackage geometry."""
    count = (len(wkb) - WKB_OF_POLYGON_BYTES) // 16
    values = struct.unpack_from(f"<{2 * count}d", wkb, WKB_OF_POLYGON_BYTES)
    xs, ys = values[::2], values[1::2]
    return envelope_header(srs_id, (min(xs), min(ys), max(xs), max(ys))) + wkb
