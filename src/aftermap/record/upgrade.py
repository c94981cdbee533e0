"""The format of a record: which one this Aftermap writes, and how an older one becomes it.

A record of an older format is read as it is, and upgraded by the first that writes to it. Nothing
in it is changed but its version; what is new is added, with an entry in the chain of custody.

Format 2: ``assessment`` has the columns ``supersedes`` and ``is_withdrawn``. In format 1 a row that
takes back another one says so in its reasons, in words; :func:`taken_back_by` alone reads those.

Format 3: ``assessment`` has the column ``blind``, NULL (not known) in all rows from before;
``sample`` says how many should grade a building, ``sample_draw`` how many buildings were never seen
and which sample was replaced; ``grade_shown`` says who was shown model grades.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from aftermap.model.assessment import WITHDRAWN
from aftermap.record import custody
from aftermap.record.geopackage import GeoPackage, has_table

FORMAT_VERSION = 3
UPGRADED = "record upgraded"
ADDED_TO_ASSESSMENT = (
    ("supersedes", "INTEGER"),
    ("is_withdrawn", "BOOLEAN NOT NULL DEFAULT 0"),
    ("blind", "TEXT"),
)
ADDED_TO_SAMPLE = (("graders", "INTEGER NOT NULL DEFAULT 1"),)
ADDED_TO_SAMPLE_DRAW = (("never_seen", "INTEGER NOT NULL DEFAULT 0"), ("replaces", "INTEGER"))
_ADDED = {
    "assessment": ADDED_TO_ASSESSMENT,
    "sample": ADDED_TO_SAMPLE,
    "sample_draw": ADDED_TO_SAMPLE_DRAW,
}
_IN_WORDS = re.compile(r"takes back row (\d+)")


def format_of(package: GeoPackage) -> int | None:
    """The format version of a case's record; None where the file is the record of no case."""
    if not package.has_table("case_info"):
        return None
    rows = package.rows("SELECT value FROM case_info WHERE key = 'format_version'")
    return int(rows[0][0]) if rows and str(rows[0][0]).isdigit() else None


def upgrade_record(package: GeoPackage, *, actor: str) -> None:
    """Bring a record of an older format up to date, in one transaction.

    Raises CaseError where it cannot be written.
    """
    found = format_of(package)
    if found is None or found >= FORMAT_VERSION:
        return
    with package.transaction() as connection:
        for table, added in _ADDED.items():
            if not has_table(connection, table):
                continue
            sql = f"SELECT name FROM pragma_table_info('{table}')"  # noqa: S608 - ours
            there = {name for (name,) in connection.execute(sql)}
            for name, kind in added:
                if name not in there:
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
        connection.execute(
            "UPDATE case_info SET value = ? WHERE key = 'format_version'", (str(FORMAT_VERSION),)
        )
        detail = {"from": found, "to": FORMAT_VERSION}
        custody.append(connection, actor=actor, action=UPGRADED, detail=detail)


def taken_back_by(row: Mapping[str, Any]) -> tuple[int | None, bool]:
    """The number of the row that a row of ``assessment`` takes back, and whether no grade is left.

    ``row`` has the columns that the record has, of either format.
    """
    if row.get("supersedes") is not None:
        return int(row["supersedes"]), bool(row["is_withdrawn"])
    said = json.loads(row["reasons"])
    words = _IN_WORDS.fullmatch(said[0]) if len(said) == 1 and isinstance(said[0], str) else None
    if words is None:
        return None, False
    return int(words[1]), row["not_assessed_reason"] == WITHDRAWN
