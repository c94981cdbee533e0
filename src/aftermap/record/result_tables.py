"""The tables of a GeoPackage that hold results, as they are: two of them are compared by value."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

_OF_THE_RUN = frozenset(
    [
        "case_info",
        "custody",
        "gpkg_contents",
        "gpkg_extensions",
        "gpkg_ogr_contents",
        "layer_styles",
        "run",
        "sqlite_sequence",
        "stage_run",
    ]
)
"""Tables of runs and of custody tell of the run, not of the footage; the rest is housekeeping."""


def result_tables(path: Path) -> set[str]:
    """The names of a GeoPackage's tables that hold results."""
    with closing(_opened(path)) as base:
        found = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {name for (name,) in found}
    return {name for name in names - _OF_THE_RUN if not name.startswith("rtree")}


def rows_of_file(path: Path, table: str) -> list[dict[str, Any]]:
    """All rows of one of its tables, by column."""
    with closing(_opened(path)) as base:
        base.row_factory = sqlite3.Row
        return [dict(row) for row in base.execute(f'SELECT * FROM "{table}"')]  # noqa: S608


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)
