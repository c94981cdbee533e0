"""Streets in the record: the layer ``street``, one row for every ten metres.

docs/reference/streets.md describes every column. A run replaces what an earlier one said.
"""

from typing import Any

import pyarrow.parquet as pq
import shapely

from aftermap.model.street import StreetTable
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

STREET = Table(
    name="street",
    description="Street sections of 10 m: clear width and trafficability",
    columns="""
  fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, source_id TEXT NOT NULL, name TEXT,
  piece INTEGER NOT NULL, length_m DOUBLE NOT NULL, passage TEXT NOT NULL, width_m DOUBLE,
  free_width_m DOUBLE, free_width_sigma_m DOUBLE, clear_width_m DOUBLE, nobody_probability DOUBLE,
  seen_fraction DOUBLE NOT NULL, rubble_fraction DOUBLE, vehicles INTEGER NOT NULL,
  reason TEXT NOT NULL""",
    geometry="LINESTRING",
)
BATCH_ROWS = 5_000
_COLUMNS = (
    "source_id",
    "name",
    "piece",
    "length_m",
    "passage",
    "width_m",
    "free_width_m",
    "free_width_sigma_m",
    "clear_width_m",
    "nobody_probability",
    "seen_fraction",
    "rubble_fraction",
    "vehicles",
    "reason",
)


def replace_streets(package: GeoPackage, table: StreetTable) -> None:
    """Put the pieces of street in the record, in place of those of an earlier run."""
    srs_id = srs_id_of(table.crs)
    with package.transaction() as connection, pq.ParquetFile(table.path) as file:
        teach_envelopes(connection)
        if not has_table(connection, "street"):
            add_table(connection, STREET)
            describe(connection, "street", crs=table.crs, bounds=None)
            add_rtree(connection, "street")
        connection.execute("DELETE FROM street")
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            insert_all(connection, "street", [_row(row, srs_id) for row in batch.to_pylist()])
        describe(connection, "street", crs=table.crs, bounds=rtree_bounds(connection, "street"))


def _row(piece: dict[str, Any], srs_id: int) -> dict[str, Any]:
    line = shapely.from_wkb(piece["geometry"])
    geom = envelope_header(srs_id, line.bounds) + shapely.to_wkb(line, byte_order=1)
    return {name: piece[name] for name in _COLUMNS} | {"geom": geom}
