"""Buildings and streets -> GeoJSON that other maps read, in degrees of WGS 84 (RFC 7946).

Outlines are those where the map shows them. A feature's ``id`` is the building's id in the file of
footprints. docs/reference/buildings.md, docs/reference/streets.md.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import shapely
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array
from aftermap.geo.crs import LOCAL, WGS84, transformed_xy
from aftermap.geo.polygon import shape_of
from aftermap.model.assessment import (
    GRADES,
    Assessment,
    Grading,
    Visibility,
    for_and_against,
    notes_beside,
)
from aftermap.model.building import Building, Buildings
from aftermap.model.camera import Frame
from aftermap.model.street import StreetTable
from aftermap.publish.shared.files import Json, finite_json, write_whole

BUILDINGS_NAME, STREETS_NAME = "buildings.geojson", "streets.geojson"
DIGITS, FINEST_DIGITS = 8, 13
"""Of a degree: about a millimetre; and as fine as a number holds, for outlines that need it."""
_STREET_LENGTHS = (
    "length_m",
    "width_m",
    "free_width_m",
    "free_width_sigma_m",
    "clear_width_m",
    "nobody_probability",
    "seen_fraction",
    "rubble_fraction",
)


def sensor_dates(frames: Iterable[Frame]) -> tuple[str, str] | None:
    """When the first and the last of these pictures were taken, as their cameras wrote it.

    None where none of them says so. Cameras write local time without a zone more often than not;
    what clock it is stands with each original in the record.
    """
    written = sorted(frame.taken_at for frame in frames if frame.taken_at)
    return (written[0], written[-1]) if written else None


def write_buildings(
    buildings: Buildings,
    grading: Grading,
    path: Path,
    *,
    sensor_date: tuple[str, str] | None,
    clock: str | None = None,
) -> Path:
    """Write every building with its grade, or with the reason why it has none.

    ``sensor_date`` is from when to when the pictures were taken, on ``clock`` (in words).
    """
    pairs = zip(buildings.buildings, grading.assessments, strict=True)
    dated = {
        "sensor_date": None if sensor_date is None else "/".join(dict.fromkeys(sensor_date)),
        "sensor_clock": clock,
        "model_sha256": grading.model_sha256,
    }
    features = (
        _feature(
            given.source_id,
            shape_of(building.polygons_m),
            _properties(building, given) | dated,
            buildings.crs,
        )
        for building, given in pairs
    )
    return _write(features, path, buildings.crs)


def write_streets(table: StreetTable, path: Path) -> Path:
    """Write every ten metres of street, with how wide a way is left and who gets through."""
    return _write(_street_features(table), path, table.crs)


def _properties(building: Building, given: Assessment) -> dict[str, Any]:
    alignment = building.alignment
    chances = given.probabilities
    reasons, against = for_and_against(given.reasons)
    return {
        "source_id": given.source_id,
        "grade": given.grade,
        "grades": list(given.grades),
        "possible": None if given.grade is None else given.is_possible,
        "status": given.status.value,
        "probabilities": None
        if chances is None
        else {str(g): round(p, 4) for g, p in zip(GRADES, chances, strict=True)},
        "confidence": given.confidence,
        "visibility": _visibility(given.visibility),
        "reasons": list(reasons),
        "reasons_against": None if against is None else list(against),
        "notes": list(notes_beside(given.reasons)),
        "not_assessed_reason": given.not_assessed_reason,
        "assessor": given.assessor,
        "assessor_kind": given.kind,
        "shift_m": [round(value, 3) for value in alignment.shift_m],
        "shift_sigma_m": alignment.sigma_m,
        "shift_source": alignment.source,
        "area_m2": round(building.footprint.area_m2, 2),
        "levels": building.footprint.levels,
    }


def _visibility(seen: Visibility | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {
        "roof_fraction": seen.roof_fraction,
        "views": seen.views,
        "facades": seen.facades,
        "ground_sample_m": seen.ground_sample_m,
        "surface_photographs": seen.surface_photographs,
        "imagery": seen.imagery,
    }


def _street_features(table: StreetTable) -> Iterator[Json]:
    with pq.ParquetFile(table.path) as file:
        for batch in file.iter_batches(batch_size=5_000):
            for row in batch.to_pylist():
                said = {name: row[name] for name in ("source_id", "name", "piece", "passage")}
                said |= {
                    name: None if row[name] is None else round(row[name], 3)
                    for name in _STREET_LENGTHS
                }
                said |= {"vehicles": row["vehicles"], "reason": row["reason"]}
                name = f"{row['source_id']}/{row['piece']}"
                yield _feature(name, shapely.from_wkb(row["geometry"]), said, table.crs)


def _feature(name: str, shape: BaseGeometry, properties: dict[str, Any], crs: str) -> Json:
    placed = shapely.transform(shape, _to_degrees(crs, DIGITS))
    if shape.is_valid and not placed.is_valid:  # thinner than the last digit
        placed = shapely.transform(shape, _to_degrees(crs, FINEST_DIGITS))
    return {
        "type": "Feature",
        "id": name,
        "geometry": shapely.geometry.mapping(placed),
        "properties": properties,
    }


def _to_degrees(crs: str, digits: int) -> Callable[[Array], Array]:
    if crs == LOCAL:
        return lambda xy: xy.round(digits - 5)
    return lambda xy: transformed_xy(crs, WGS84, xy).round(digits)


def _write(features: Iterable[Json], path: Path, crs: str) -> Path:
    """One line a feature, so that a text editor and a diff can read the file."""
    note = (
        ' "note": "the case is not georeferenced: coordinates are units of its local frame",\n'
        if crs == LOCAL
        else ""
    )
    lines = ",\n".join(
        json.dumps(finite_json(one), ensure_ascii=False, allow_nan=False) for one in features
    )
    text = f'{{"type": "FeatureCollection",\n{note} "features": [\n{lines}\n]}}\n'
    return write_whole(text, path)
