"""What the record holds of single buildings: columns, measurements and pictures, as it has them.

A row comes with the columns that the file has, which a file of an earlier version has fewer of
(docs/formats/buildings.md, docs/formats/evidence.md).
"""

from typing import Any, NamedTuple

from aftermap.record.geopackage import GeoPackage
from aftermap.record.map_layers import FeatureTable, layer_features

Row = dict[str, Any]
_GEOMETRY = "geom"


class MeasurementRow(NamedTuple):
    """One number that was measured of a building (by its ``fid``), with one standard deviation."""

    building: int
    name: str
    value: float
    sigma: float | None


def has_building(package: GeoPackage, source_id: str) -> bool:
    """Whether the case has a building of that id; one look by index."""
    sql = "SELECT 1 FROM building WHERE source_id = ?"
    return package.has_table("building") and bool(package.rows(sql, (source_id,)))


def building_features(package: GeoPackage, columns: tuple[str, ...]) -> FeatureTable:
    """Every building in the order of the outlines, with those of the columns that the file has."""
    return layer_features(package, "building", columns, order="fid")


def building_geometries(package: GeoPackage) -> list[bytes | None]:
    """The outlines of the buildings as GeoPackage blobs; empty in a case without buildings."""
    if not package.has_table("building"):
        return []
    return [geometry for (geometry,) in package.rows("SELECT geom FROM building")]


def building_row(package: GeoPackage, source_id: str) -> Row | None:
    """Every column of a building but its geometry; None where the case has no such building."""
    found = _rows_where(package, "building", "source_id", source_id)
    return found[0] if found else None


def measurement_rows(package: GeoPackage, building: int) -> list[MeasurementRow]:
    """What was measured of the building of that ``fid``."""
    sql = "SELECT building, name, value, sigma FROM measurement WHERE building = ?"
    if not package.has_table("measurement"):
        return []
    return [MeasurementRow(*row) for row in package.rows(sql, (building,))]


def evidence_rows(package: GeoPackage, source_id: str) -> list[Row]:
    """The pictures of a building, the best first."""
    rows = _rows_where(package, "evidence", "source_id", source_id)
    return sorted(rows, key=lambda row: int(row["rank"]))


def evidence_row(package: GeoPackage, number: int) -> Row | None:
    """The picture of that ``fid``; None where there is none."""
    found = _rows_where(package, "evidence", "fid", number)
    return found[0] if found else None


def _rows_where(package: GeoPackage, table: str, column: str, value: object) -> list[Row]:
    names = [name for name in package.columns(table) if name != _GEOMETRY]
    if not names:
        return []
    shown = ", ".join(f'"{name}"' for name in names)
    sql = f'SELECT {shown} FROM "{table}" WHERE "{column}" = ?'  # noqa: S608 - names are ours
    return [dict(zip(names, row, strict=True)) for row in package.rows(sql, (value,))]
