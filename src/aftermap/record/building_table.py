"""Buildings in the record: the layer ``building`` that QGIS shows, and what was measured of each.

docs/reference/buildings.md describes every column. The tables are made when buildings are first
recorded. A run replaces what an earlier one said; what people said is in tables of their own.
"""

import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow.parquet as pq
import shapely

from aftermap.geo.polygon import shape_of
from aftermap.model.assessment import (
    Assessment,
    Grade,
    Grading,
    Visibility,
    for_and_against,
    notes_beside,
)
from aftermap.model.building import Building, Buildings, MeasureTable
from aftermap.record.artefact import canonical_json
from aftermap.record.geometry import envelope_header
from aftermap.record.geopackage import (
    GeoPackage,
    Table,
    add_table,
    describe,
    has_table,
    insert_all,
    srs_id_of,
)
from aftermap.record.rtree import add_rtree, rtree_bounds, teach_envelopes

BUILDING = Table(
    name="building",
    description="Buildings with their grade, or why they have none",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, source_id TEXT NOT NULL UNIQUE, area_m2 DOUBLE NOT NULL,
  levels DOUBLE, grade TEXT, adopted_grade TEXT, confidence DOUBLE, possible BOOLEAN,
  grades TEXT NOT NULL, probabilities TEXT, reasons TEXT NOT NULL, reasons_against TEXT,
  notes TEXT, not_assessed_reason TEXT, roof_fraction DOUBLE, views INTEGER, facades INTEGER,
  ground_sample_m DOUBLE, surface_photographs DOUBLE, imagery TEXT, shift_east_m DOUBLE NOT NULL,
  shift_north_m DOUBLE NOT NULL,
  shift_sigma_m DOUBLE, shift_residual_m DOUBLE, shift_source TEXT NOT NULL, assessor TEXT NOT NULL,
  model_sha256 TEXT NOT NULL""",
    geometry="MULTIPOLYGON",
)
MEASUREMENT = Table(
    name="measurement",
    description="What was measured of each building, with its standard deviation",
    columns="""
  fid INTEGER PRIMARY KEY NOT NULL, building INTEGER NOT NULL, name TEXT NOT NULL,
  value DOUBLE NOT NULL, sigma DOUBLE, UNIQUE (building, name)""",
)
BATCH_ROWS = 5_000


def replace_buildings(
    package: GeoPackage,
    buildings: Buildings,
    grading: Grading,
    measures: MeasureTable | None,
    adopted: Mapping[str, Grade] | None = None,
) -> None:
    """Put buildings, grades and measurements in the record, in place of those of an earlier run.

    ``adopted`` are the grades that the case stands by, by ``source_id``. A building's ``fid`` is
    its place in ``buildings``, from 1.
    """
    srs_id = srs_id_of(buildings.crs)
    pairs = zip(buildings.buildings, grading.assessments, strict=True)
    rows = (
        _row(fid, building, given, srs_id)
        | {
            "adopted_grade": _text((adopted or {}).get(given.source_id)),
            "model_sha256": grading.model_sha256,
        }
        for fid, (building, given) in enumerate(pairs, start=1)
    )
    with package.transaction() as connection:
        teach_envelopes(connection)
        if not has_table(connection, "building"):
            add_table(connection, BUILDING)
            describe(connection, "building", crs=buildings.crs, bounds=None)
            add_rtree(connection, "building")
        _add_later_columns(connection)
        connection.execute("DELETE FROM building")
        _empty_measurement(connection)
        for batch in _batches(rows):
            insert_all(connection, "building", batch)
        for batch in _batches(_measurements(measures) if measures else iter(())):
            insert_all(connection, "measurement", batch)
        bounds = rtree_bounds(connection, "building")
        describe(connection, "building", crs=buildings.crs, bounds=bounds)
        describe(connection, "measurement", crs=None, bounds=None)


def _empty_measurement(connection: sqlite3.Connection) -> None:
    """Leave ``measurement`` without rows; that of an earlier Aftermap was no layer."""
    there = {row[1] for row in connection.execute("PRAGMA table_info(measurement)")}
    if "fid" in there:
        connection.execute("DELETE FROM measurement")
        return
    connection.execute("DROP TABLE IF EXISTS measurement")
    add_table(connection, MEASUREMENT)


def _add_later_columns(connection: sqlite3.Connection) -> None:
    """Add the columns that a table of an earlier version lacks."""
    there = {row[1] for row in connection.execute("PRAGMA table_info(building)")}
    for name in ("reasons_against", "imagery", "notes"):
        if name not in there:
            connection.execute(f"ALTER TABLE building ADD COLUMN {name} TEXT")


def multipolygon(srs_id: int, building: Building) -> bytes:
    """A building's outlines as GeoPackage geometry."""
    shape = shape_of(building.polygons_m)
    return envelope_header(srs_id, shape.bounds) + bytes(shapely.to_wkb(shape, byte_order=1))


def _row(fid: int, building: Building, given: Assessment, srs_id: int) -> dict[str, Any]:
    footprint, alignment = building.footprint, building.alignment
    if footprint.source_id != given.source_id:
        raise ValueError(f"{given.source_id}: is graded in the place of {footprint.source_id}")
    chances = given.probabilities
    reasons, against = for_and_against(given.reasons)
    return {
        "fid": fid,
        "source_id": footprint.source_id,
        "geom": multipolygon(srs_id, building),
        "area_m2": footprint.area_m2,
        "levels": footprint.levels,
        "grade": _text(given.grade),
        "confidence": given.confidence,
        "possible": None if given.grade is None else given.is_possible,
        "grades": ", ".join(given.grades),
        "probabilities": None if chances is None else canonical_json(list(chances)),
        "reasons": "; ".join(reasons),
        "reasons_against": None if against is None else "; ".join(against),
        "notes": "; ".join(notes_beside(given.reasons)) or None,
        "not_assessed_reason": given.not_assessed_reason,
        **_visibility(given.visibility),
        "shift_east_m": alignment.shift_m[0],
        "shift_north_m": alignment.shift_m[1],
        "shift_sigma_m": alignment.sigma_m,
        "shift_residual_m": alignment.residual_m,
        "shift_source": alignment.source.value,
        "assessor": given.assessor,
    }


def _visibility(seen: Visibility | None) -> dict[str, Any]:
    return {
        "roof_fraction": seen and seen.roof_fraction,
        "views": seen and seen.views,
        "facades": seen and seen.facades,
        "ground_sample_m": seen and seen.ground_sample_m,
        "surface_photographs": seen and seen.surface_photographs,
        "imagery": seen and seen.imagery and seen.imagery.value,
    }


def _measurements(measures: MeasureTable) -> Iterator[dict[str, Any]]:
    """One row for each number that is known, a batch of buildings in memory at a time."""
    fid = 0
    with pq.ParquetFile(measures.path) as file:
        known = set(file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for row in batch.to_pylist():
                fid += 1
                for name in measures.names:
                    value = row[name]
                    if value is None or value != value:  # noqa: PLR0124 - NaN: not known
                        continue
                    sigma = row[f"{name}_sigma"] if f"{name}_sigma" in known else None
                    yield {
                        "building": fid,
                        "name": name,
                        "value": float(value),
                        "sigma": None if sigma is None or sigma != sigma else float(sigma),  # noqa: PLR0124
                    }


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(itertools.islice(rows, BATCH_ROWS)):
        yield batch


def _text(grade: Grade | None) -> str | None:
    return None if grade is None else grade.value
