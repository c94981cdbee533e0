"""GeoPackage files by the standard library alone: tables that QGIS and GDAL open as they are.

OGC GeoPackage 1.3 (https://www.geopackage.org/spec130/). Features carry their CRS; plain tables
are "attributes". The file is left as one clean file when it is closed, without a journal beside it.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pyproj import CRS
from pyproj.exceptions import CRSError

from aftermap.errors import CaseError, RecordBusyError
from aftermap.geo.crs import LOCAL, WGS84, wkt_of
from aftermap.record.disk import whole_file, writing_to

APPLICATION_ID = 0x47504B47  # "GPKG"
USER_VERSION = 10300
UNDEFINED_CARTESIAN = -1
BUSY_TIMEOUT_S = 10.0

Bounds = tuple[float, float, float, float]

_PRIMARY_CODE = 0xFF
_BUSY = "another program is writing to it; close it there (QGIS?) and run again"
_ADVICE: dict[int, tuple[type[CaseError], str]] = {
    sqlite3.SQLITE_FULL: (
        CaseError,
        "the disk is full; free some space and run the same command again",
    ),
    sqlite3.SQLITE_READONLY: (
        CaseError,
        "cannot be written; put the case on a disk that can be written and try again",
    ),
    sqlite3.SQLITE_BUSY: (RecordBusyError, _BUSY),
    sqlite3.SQLITE_LOCKED: (RecordBusyError, _BUSY),
    sqlite3.SQLITE_CANTOPEN: (
        CaseError,
        "cannot be opened; check that the file is there and that you may read it",
    ),
}

_REQUIRED_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
INSERT INTO gpkg_spatial_ref_sys VALUES
  ('Undefined cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined cartesian coordinates'),
  ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinates');
"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the file: ``columns`` and ``rules`` are SQL; ``geometry`` is None for no map.

    ``geometry`` is "POINT", "POINT Z", "LINESTRING", "POLYGON" or "MULTIPOLYGON"; its column is
    called ``geom`` and may be NULL.
    """

    name: str
    description: str
    columns: str
    rules: str = ""
    geometry: str | None = None


class GeoPackage:
    """An open GeoPackage. Reading and writing go through :meth:`rows` and :meth:`transaction`."""

    def __init__(self, path: Path, *, read_only: bool, again: bool = False) -> None:
        """``again`` leaves out the check of the whole file: it was opened here before."""
        self.path = path
        with telling_what_is_wrong(path), writing_to(path):
            mode = "ro" if read_only else "rw"
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode={mode}",
                uri=True,
                isolation_level=None,
                timeout=BUSY_TIMEOUT_S,
            )
        try:
            self._check(again=again)
        except BaseException:
            self._connection.close()
            raise
        self._read_only = read_only

    def _check(self, *, again: bool) -> None:
        with telling_what_is_wrong(self.path):
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID:
                raise sqlite3.DatabaseError("file is not a GeoPackage")
            verdict = "ok"
            if not again:
                (verdict,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(str(verdict))
            self._connection.execute("PRAGMA foreign_keys = ON")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query."""
        with telling_what_is_wrong(self.path):
            return self._connection.execute(sql, values).fetchall()

    def has_table(self, name: str) -> bool:
        """Whether the file has a table of that name. Raises CaseError where it cannot be read."""
        with telling_what_is_wrong(self.path):
            return has_table(self._connection, name)

    def has_rows(self, table: str) -> bool:
        """Whether the file has that table, with something in it."""
        sql = f'SELECT 1 FROM "{table}" LIMIT 1'  # noqa: S608 - names are ours
        return self.has_table(table) and bool(self.rows(sql))

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns, in their order; empty where there is no such table."""
        return [name for (name,) in self.rows("SELECT name FROM pragma_table_info(?)", (table,))]

    def crs_of(self, table: str) -> str | None:
        """The CRS of a layer, "EPSG:n"; None where it is not there or not on the globe."""
        sql = "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = ?"
        found = self.rows(sql, (table,))
        return crs_of_srs_id(int(found[0][0])) if found else None

    def log_ahead(self) -> None:
        """Write by a write-ahead log, each transaction synced to the disk before it ends."""
        self.rows("PRAGMA journal_mode = WAL")
        self.rows("PRAGMA synchronous = FULL")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Writes that are kept together when the block ends well, and not at all otherwise."""
        with telling_what_is_wrong(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Leave one clean file: fold a write-ahead log, if another program made one, back in."""
        with suppress(sqlite3.Error):
            if not self._read_only:
                self._connection.execute("SELECT count(*) FROM sqlite_master")  # sees a new log
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create(
    path: Path, tables: Iterable[Table], *, first_rows: Callable[[sqlite3.Connection], None]
) -> None:
    """A new file with these tables and ``first_rows``, in place only once it is complete."""
    with whole_file(path) as part, telling_what_is_wrong(path):
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")  # the whole file is synced at the end
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {USER_VERSION}")
            connection.executescript(_REQUIRED_TABLES)
            add_crs(connection, WGS84)
            for table in tables:
                add_table(connection, table)
            first_rows(connection)


def srs_id_of(crs: str) -> int:
    """The number of a CRS in the file: its EPSG code, or -1 for the unscaled local frame."""
    return UNDEFINED_CARTESIAN if crs == LOCAL else int(crs.removeprefix("EPSG:"))


def crs_of_srs_id(srs_id: int) -> str | None:
    """The CRS by its number in the file, "EPSG:n"; None where it has no place on the globe."""
    return f"EPSG:{srs_id}" if srs_id > 0 else None


def add_crs(connection: sqlite3.Connection, crs: str) -> int:
    """Make a CRS ("EPSG:n" or "LOCAL") known to the file; its number there."""
    srs_id = srs_id_of(crs)
    if srs_id > 0:
        name, definition = _name_and_wkt1(crs)
        connection.execute(
            "INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, ?, NULL)",
            (name, srs_id, srs_id, definition),
        )
    return srs_id


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Whether the file has a table of that name."""
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(sql, (name,)).fetchone() is not None


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> int:
    """Add one row; the number it got."""
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    sql = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names are ours
    return int(connection.execute(sql, tuple(row.values())).lastrowid or 0)


def insert_all(
    connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Add rows that all have the same columns, in the same order; none where there are none."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in rows[0])
    marks = ", ".join("?" for _ in rows[0])
    sql = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names are ours
    connection.executemany(sql, (tuple(row.values()) for row in rows))


def describe(
    connection: sqlite3.Connection, table: str, *, crs: str | None, bounds: Bounds | None
) -> None:
    """Bring the table's entry in the contents up to date: its CRS, its extent and today's date."""
    if crs is not None:
        srs_id = add_crs(connection, crs)
        for entry in ("gpkg_contents", "gpkg_geometry_columns"):
            sql = f"UPDATE {entry} SET srs_id = ? WHERE table_name = ?"  # noqa: S608 - names are ours
            connection.execute(sql, (srs_id, table))
    connection.execute(
        "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ?, "
        "last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now') WHERE table_name = ?",
        (*(bounds or (None,) * 4), table),
    )


@contextmanager
def telling_what_is_wrong(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a line that names the file and says what to do.

    Raises CaseError for them, RecordBusyError where another program holds the file; a row that
    breaks a rule of ours stays an IntegrityError.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a row broke a rule of ours: a fault in the program, not in the disk
    except sqlite3.DatabaseError as error:
        raise _case_error(path, error) from error


def _case_error(path: Path, error: sqlite3.DatabaseError) -> CaseError:
    """By SQLite's result code (https://www.sqlite.org/rescode.html); ours have none."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & _PRIMARY_CODE
    if code in _ADVICE:
        kind, advice = _ADVICE[code]
        return kind(f"{path}: {advice}")
    return CaseError(
        f"{path}: is damaged or is not a GeoPackage ({error}); restore a "
        "copy of this file, or start a new case: the originals in media/ "
        "are intact"
    )


def add_table(connection: sqlite3.Connection, table: Table) -> None:
    """Make a table and enter it in the contents; one with ``rules`` ends a transaction."""
    kind = "attributes" if table.geometry is None else "features"
    srs_id = None if table.geometry is None else UNDEFINED_CARTESIAN
    shape = (table.geometry or "").removesuffix(" Z")
    geometry = "" if table.geometry is None else f", geom {shape}"
    connection.execute(f'CREATE TABLE "{table.name}" ({table.columns}{geometry})')
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) "
        "VALUES (?, ?, ?, ?, ?)",
        (table.name, kind, table.name, table.description, srs_id),
    )
    if table.geometry is not None:
        z = int(table.geometry.endswith(" Z"))
        connection.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, ?, 0)",
            (table.name, shape, srs_id, z),
        )
    if table.rules:
        connection.executescript(table.rules)


def _name_and_wkt1(crs: str) -> tuple[str, str]:
    """Name and WKT 1 of a CRS: the standard asks for WKT 1; newer CRSs exist only as WKT 2."""
    found = CRS.from_wkt(wkt_of(crs))
    with suppress(CRSError):
        return found.name, str(found.to_wkt("WKT1_GDAL"))
    return found.name, str(found.to_wkt())
