"""Who saw which building, in the record: its views, how well it was seen, and seconds of clips.

``building_seen`` has a row for every building and gives it the number by which the other tables
know it: its place in the footprint file, from 1. In ``sighting`` a building is that number negated.
docs/reference/evidence.md describes every column.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from aftermap.geo.arrays import AnyArray, Array
from aftermap.model.assessment import Visibility
from aftermap.model.building import Buildings, ViewTable
from aftermap.record.geopackage import GeoPackage, Table, add_table, has_table, insert_all
from aftermap.record.sightings import (
    SAME_MOMENT_S,
    SIGHTING_COLUMNS,
    has_sightings,
    number_sightings,
)

SEEN = Table(
    name="building_seen",
    description="Visibility of each building; independent of its damage",
    columns="""
  building INTEGER PRIMARY KEY NOT NULL, source_id TEXT NOT NULL, roof_fraction DOUBLE NOT NULL,
  views INTEGER NOT NULL, facades INTEGER NOT NULL, ground_sample_m DOUBLE,
  surface_photographs DOUBLE""",
)
VIEW = Table(
    name="building_view",
    description="Best views of each building: image, viewpoint and occlusion",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, building INTEGER NOT NULL, source_id TEXT NOT NULL,
  rank INTEGER NOT NULL, sha256 TEXT NOT NULL, clip_sha256 TEXT, time_s DOUBLE,
  distance_m DOUBLE NOT NULL, azimuth_deg DOUBLE NOT NULL, off_nadir_deg DOUBLE NOT NULL,
  ground_sample_m DOUBLE, framed_fraction DOUBLE NOT NULL, occluded_fraction DOUBLE NOT NULL,
  faces INTEGER NOT NULL, ce90_m DOUBLE, rank_m DOUBLE NOT NULL""",
)
_FROM_FILE = (
    "sha256",
    "clip_sha256",
    "time_s",
    "distance_m",
    "azimuth_deg",
    "off_nadir_deg",
    "ground_sample_m",
    "framed_fraction",
    "occluded_fraction",
    "faces",
    "ce90_m",
    "rank_m",
)
_CLIP_COLUMNS = ("building", *(name for name in _FROM_FILE if name not in ("sha256", "distance_m")))
_BETTER = """
INSERT INTO sighting ({names}) VALUES ({marks})
ON CONFLICT (place, segment) WHERE place < 0 DO UPDATE SET {better}
WHERE excluded.rank_um < sighting.rank_um"""
_SEGMENTS = "SELECT fid, from_s, to_s FROM segment WHERE clip_sha256 = ? ORDER BY from_s, fid"
BATCH_ROWS = 50_000


def _row_of(one: Visibility) -> dict[str, Any]:
    """The columns of ``building_seen``; the kind of imagery stands in the layer ``building``."""
    return {name: value for name, value in asdict(one).items() if name != "imagery"}


def replace_views(
    package: GeoPackage, buildings: Buildings, views: ViewTable, visibility: Sequence[Visibility]
) -> None:
    """Put the newest run's views in the record, and the seconds of clips that show a building.

    Seconds are those that ``aftermap map`` recorded; a clip that it maps again loses its rows until
    buildings are assessed again.
    """
    with package.transaction() as connection:
        _make_tables(connection)
        ids = [one.footprint.source_id for one in buildings.buildings]
        seen = [
            {"building": i, "source_id": name, **_row_of(one)}
            for i, (name, one) in enumerate(zip(ids, visibility, strict=True), start=1)
        ]
        insert_all(connection, SEEN.name, seen)
        for rows in _view_rows(views.path, ids):
            insert_all(connection, VIEW.name, rows)
        if has_sightings(connection):
            number_sightings(connection)
            connection.execute("DELETE FROM sighting WHERE place < 0")
            _add_seconds(connection, views.clip_path)


def _make_tables(connection: sqlite3.Connection) -> None:
    if not has_table(connection, SEEN.name):
        for table in (SEEN, VIEW):
            add_table(connection, table)
            connection.execute(f"CREATE INDEX {table.name}_id ON {table.name} (source_id)")
    for table in (SEEN, VIEW):
        connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names are ours


def _view_rows(path: str, ids: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """The rows of ``building_view``; the file has them by building, the best first."""
    building, rank = -1, 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            rows = []
            for row in batch.to_pylist():
                rank = rank + 1 if row["building"] == building else 1
                building = row["building"]
                known = {name: row[name] for name in _FROM_FILE}
                rows.append(
                    {"building": building + 1, "source_id": ids[building], "rank": rank, **known}
                )
            yield rows


def _add_seconds(connection: sqlite3.Connection, path: str) -> None:
    """Rows of ``sighting`` for the seconds that hold a placed frame; the best frame of each."""
    better = ", ".join(f"{name} = excluded.{name}" for name in SIGHTING_COLUMNS[2:])
    marks = ", ".join("?" for _ in SIGHTING_COLUMNS)
    sql = _BETTER.format(names=", ".join(SIGHTING_COLUMNS), marks=marks, better=better)
    segments: dict[str, Array] = {}
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=list(_CLIP_COLUMNS)):
            columns = {
                name: batch.column(name).to_numpy(zero_copy_only=False) for name in _CLIP_COLUMNS
            }
            clips = columns.pop("clip_sha256")
            for clip in dict.fromkeys(clips.tolist()):
                if clip not in segments:
                    found = connection.execute(_SEGMENTS, (clip,)).fetchall()
                    segments[clip] = np.array(found, float).reshape(-1, 3)
                mine = {name: column[clips == clip] for name, column in columns.items()}
                connection.executemany(sql, _second_rows(mine, segments[clip]))


def _second_rows(views: dict[str, AnyArray], segments: Array) -> list[tuple[Any, ...]]:
    """One row for each view that lies in a recorded second, in the order of the table's columns."""
    if len(segments) == 0:
        return []
    time_s = views["time_s"].astype(float)
    at = np.searchsorted(segments[:, 1], time_s + SAME_MOMENT_S, side="right") - 1
    second = segments[np.maximum(at, 0)]
    kept = (at >= 0) & (time_s <= second[:, 2] + SAME_MOMENT_S)
    circle = views["ce90_m"].astype(float)
    columns = {
        "place": -(views["building"] + 1),
        "segment": second[:, 0],
        "best_ms": (time_s - second[:, 1]) * 1000,
        "gsd_mm": views["ground_sample_m"] * 1000,
        "off_nadir_deg": views["off_nadir_deg"],
        "azimuth_deg": views["azimuth_deg"],
        "faces": views["faces"],
        "framed_percent": views["framed_fraction"] * 100,
        "occluded_percent": views["occluded_fraction"] * 100,
        "ce90_dm": np.ceil(np.nan_to_num(circle) * 10),
        "rank_um": np.clip(views["rank_m"] * 1e6, 0, 2**31 - 1),
    }
    whole = [
        np.rint(columns[name][kept].astype(float)).astype(int).tolist() for name in SIGHTING_COLUMNS
    ]
    unknown = SIGHTING_COLUMNS.index("ce90_dm")
    whole[unknown] = [
        None if not known else value
        for value, known in zip(whole[unknown], np.isfinite(circle[kept]), strict=True)
    ]
    return list(zip(*whole, strict=True))
