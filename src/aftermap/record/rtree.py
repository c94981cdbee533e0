"""The R*Tree of a layer, as GeoPackage's extension gpkg_rtree_index has it (1.3, Annex F.3).

Programs that change a geometry bring the ST_ functions of the triggers; here the standard library
learns them by :func:`teach_envelopes`.
"""

import sqlite3
import struct
from collections.abc import Callable

from aftermap.record.geopackage import Bounds

URL = "http://www.geopackage.org/spec120/#extension_rtree"
_EXTENSIONS = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))"""
_BOX = "ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)"
_TREE = (
    "CREATE VIRTUAL TABLE rtree_<t>_geom USING rtree(id, minx, maxx, miny, maxy)",
    """CREATE TRIGGER rtree_<t>_geom_insert AFTER INSERT ON <t>
  WHEN (NEW.geom NOT NULL AND NOT ST_IsEmpty(NEW.geom))
BEGIN INSERT OR REPLACE INTO rtree_<t>_geom VALUES (NEW.fid, <box>); END""",
    """CREATE TRIGGER rtree_<t>_geom_update6 AFTER UPDATE OF geom ON <t>
  WHEN OLD.fid = NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))
    AND (OLD.geom NOTNULL AND NOT ST_IsEmpty(OLD.geom))
BEGIN UPDATE rtree_<t>_geom SET minx = ST_MinX(NEW.geom), maxx = ST_MaxX(NEW.geom),
  miny = ST_MinY(NEW.geom), maxy = ST_MaxY(NEW.geom) WHERE id = NEW.fid; END""",
    """CREATE TRIGGER rtree_<t>_geom_update7 AFTER UPDATE OF geom ON <t>
  WHEN OLD.fid = NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))
    AND (OLD.geom ISNULL OR ST_IsEmpty(OLD.geom))
BEGIN INSERT INTO rtree_<t>_geom VALUES (NEW.fid, <box>); END""",
    """CREATE TRIGGER rtree_<t>_geom_update2 AFTER UPDATE OF geom ON <t>
  WHEN OLD.fid = NEW.fid AND (NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))
BEGIN DELETE FROM rtree_<t>_geom WHERE id = OLD.fid; END""",
    """CREATE TRIGGER rtree_<t>_geom_update5 AFTER UPDATE ON <t>
  WHEN OLD.fid != NEW.fid AND (NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))
BEGIN DELETE FROM rtree_<t>_geom WHERE id = OLD.fid;
  INSERT OR REPLACE INTO rtree_<t>_geom VALUES (NEW.fid, <box>); END""",
    """CREATE TRIGGER rtree_<t>_geom_update4 AFTER UPDATE ON <t>
  WHEN OLD.fid != NEW.fid AND (NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))
BEGIN DELETE FROM rtree_<t>_geom WHERE id IN (OLD.fid, NEW.fid); END""",
    """CREATE TRIGGER rtree_<t>_geom_delete AFTER DELETE ON <t> WHEN OLD.geom NOT NULL
BEGIN DELETE FROM rtree_<t>_geom WHERE id = OLD.fid; END""",
)
_BOUNDS = "SELECT min(minx), min(miny), max(maxx), max(maxy) FROM rtree_<t>_geom"
_ENVELOPE_OF = {"ST_MinX": 8, "ST_MaxX": 16, "ST_MinY": 24, "ST_MaxY": 32}


def add_rtree(connection: sqlite3.Connection, table: str) -> None:
    """Give a layer without rows its R*Tree, and enter that in the file's extensions."""
    connection.execute(_EXTENSIONS)
    for statement in _TREE:
        connection.execute(statement.replace("<t>", table).replace("<box>", _BOX))
    connection.execute(
        "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index', ?, 'write-only')",
        (table, URL),
    )


def rtree_bounds(connection: sqlite3.Connection, table: str) -> Bounds | None:
    """The box around everything in a layer; None where it is empty. Rounded outwards."""
    found = connection.execute(_BOUNDS.replace("<t>", table)).fetchone()
    return None if found[0] is None else (found[0], found[1], found[2], found[3])


def teach_envelopes(connection: sqlite3.Connection) -> None:
    """The functions that the triggers call, for geometries with an envelope of x and y."""

    def reader(offset: int) -> Callable[[bytes | None], float | None]:
        return lambda blob: None if blob is None else struct.unpack_from("<d", blob, offset)[0]

    for name, offset in _ENVELOPE_OF.items():
        connection.create_function(name, 1, reader(offset), deterministic=True)
    connection.create_function("ST_IsEmpty", 1, lambda blob: blob is None, deterministic=True)
