"""The buildings of a case for the page: their layer, one with its evidence, and what is said of it.

A reviewer who works blind is sent neither the machine's grades nor those of other reviewers, so
that no page can show them by mistake.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from aftermap.errors import CaseError
from aftermap.model.assessment import WITHDRAWN
from aftermap.record.assessments import newest_draw
from aftermap.web.layers import Rows, collection, geojson_features
from aftermap.web.opened import OpenedCase, ResponseCache
from aftermap.web.place import shapes_of

KEPT_BYTES = 256 << 20
DIGITS = 3

THE_MACHINES = (
    "grade",
    "grades",
    "adopted_grade",
    "confidence",
    "possible",
    "reasons",
    "reasons_against",
    "probabilities",
    "not_assessed_reason",
)
"""Columns of a building that tell what the machine thinks of it."""
ON_THE_MAP = ("grade", "adopted_grade")
"""What the map needs of a building: its colour."""
IN_THE_QUEUE = ("source_id", "area_m2", *ON_THE_MAP, "confidence", "possible")
"""What the queue needs of every building; the rest comes with the one looked at."""
LISTS = ("probabilities", "sources")

_REVIEWS = """
SELECT fid, assessor, grade, not_assessed_reason, note, at, reasons FROM assessment
WHERE kind = 'reviewer' AND source_id = ? ORDER BY fid"""
_NEWEST = """
SELECT source_id, assessor, grade, not_assessed_reason FROM assessment
WHERE fid IN (SELECT max(fid) FROM assessment WHERE kind = 'reviewer' {}
  GROUP BY source_id, assessor) ORDER BY fid"""


@dataclass
class BuildingDesk:
    """What the page asks of buildings."""

    case: OpenedCase
    _kept: ResponseCache[bytes] = field(default_factory=lambda: ResponseCache(KEPT_BYTES, len))

    @property
    def has_any(self) -> bool:
        """Whether the case has buildings."""
        return self.case.has("building") and bool(self.case.rows("SELECT 1 FROM building LIMIT 1"))

    def layer(self, *, is_blind: bool) -> bytes:
        """The outline of every building as GeoJSON, with its colour."""
        if not self.has_any:
            return collection(())
        key = "layer", is_blind, self.case.generation
        return self._kept.get(key, lambda: self._layer(is_blind=is_blind))

    def queue(self, *, is_blind: bool) -> bytes:
        """Every building as JSON text of columns, in the order of the outlines.

        ``at`` is a place on it; ``sample`` is its place in the newest drawn sample.
        """
        if not self.has_any:
            return b'{"id":[]}'
        draw = newest_draw(self.case.package)
        key = "queue", is_blind, self.case.generation, draw and draw.number
        in_sample = {one.source_id: at for at, one in enumerate(draw.buildings)} if draw else {}
        return self._kept.get(key, lambda: self._queue(in_sample, is_blind=is_blind))

    def _layer(self, *, is_blind: bool) -> bytes:
        names, rows = self._rows(ON_THE_MAP, is_blind=is_blind)
        return collection(geojson_features(rows, names, self.case.place))

    def _queue(self, in_sample: Mapping[str, int], *, is_blind: bool) -> bytes:
        names, rows = self._rows(IN_THE_QUEUE, is_blind=is_blind)
        middles = shapely.point_on_surface(shapes_of([row[1] for row in rows]))
        columns = dict(zip(names, zip(*(row[2:] for row in rows), strict=True), strict=True))
        told = {name: [_value(name, one) for one in column] for name, column in columns.items()}
        told["id"] = [row[0] for row in rows]
        told["at"] = self.case.place.lonlat_deg(shapely.get_coordinates(middles)).tolist()
        told["sample"] = [in_sample.get(source_id) for source_id in told["source_id"]]
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()

    def _rows(self, wanted: Sequence[str], *, is_blind: bool) -> tuple[list[str], Rows]:
        """The wanted columns that may be seen; fid, geom and they of each building."""
        may_be_seen = [name for name in wanted if not (is_blind and name in THE_MACHINES)]
        names = [name for name in self._columns("building") if name in may_be_seen]
        shown = "".join(f', "{name}"' for name in names)
        return names, self.case.rows(f"SELECT fid, geom{shown} FROM building ORDER BY fid")  # noqa: S608 - ours

    def one(self, source_id: str, *, reviewer: str, is_blind: bool) -> dict[str, Any]:
        """A building with its measurements, its pictures and what everyone says of it."""
        found = self._table("building", "source_id", source_id) if self.has_any else []
        if not found:
            raise CaseError(f"{source_id[:80]}: is no building of this case")
        building = {name: value for name, value in found[0].items() if name != "geom"}
        return {
            "building": without_the_machine(building) if is_blind else building,
            "measurements": self._table("measurement", "building", building["fid"]),
            "evidence": sorted(
                self._table("evidence", "source_id", source_id), key=lambda row: row["rank"]
            ),
            "reviews": self._reviews(source_id, reviewer if is_blind else None),
        }

    def _reviews(self, source_id: str, only: str | None) -> list[dict[str, Any]]:
        if not self.case.has("assessment"):
            return []
        names = ("number", "reviewer", "grade", "not_assessed_reason", "note", "at", "reasons")
        rows = [
            row_json(dict(zip(names, row, strict=True)))
            for row in self.case.rows(_REVIEWS, (source_id,))
        ]
        for row in rows:
            row["is_withdrawn"] = row["not_assessed_reason"] == WITHDRAWN
        return [row for row in rows if only is None or row["reviewer"] == only]

    def grades(self, *, reviewer: str, is_blind: bool) -> dict[str, Any]:
        """The newest grade of each building by each reviewer: building -> reviewer -> grade."""
        found: dict[str, dict[str, Any]] = {}
        if self.case.has("assessment"):
            only, values = ("AND assessor = ?", (reviewer,)) if is_blind else ("", ())
            for source_id, who, grade, reason in self.case.rows(_NEWEST.format(only), values):
                if reason != WITHDRAWN:
                    found.setdefault(source_id, {})[who] = grade
        return found

    def picture(self, number: int, sha256: str) -> Path:
        """The file of a row of evidence, which lies in the evidence folder and has that digest.

        Rows are numbered anew by each run, so a number alone may mean another building by now.
        """
        for row in self._table("evidence", "fid", number):
            if row["file_sha256"] != sha256:
                raise CaseError(f"evidence {number}: was made anew; load the page again")
            folder = (self.case.products / "evidence").resolve()
            path = (self.case.products / str(row["file"])).resolve()
            if path.is_relative_to(folder) and path.is_file():
                return path
        raise CaseError(f"evidence {number}: is not there; aftermap assess makes it again")

    def _columns(self, table: str) -> list[str]:
        return [
            name for (name,) in self.case.rows("SELECT name FROM pragma_table_info(?)", (table,))
        ]

    def _table(self, table: str, column: str, value: object) -> list[dict[str, Any]]:
        """The rows of a table in which a column has a value, as JSON values."""
        if not self.case.has(table):
            return []
        names = [name for name in self._columns(table) if name != "geom"]
        shown = ", ".join(f'"{name}"' for name in names)
        rows = self.case.rows(
            f'SELECT {shown} FROM "{table}" WHERE "{column}" = ?',  # noqa: S608 - ours
            (value,),
        )
        return [row_json(dict(zip(names, row, strict=True))) for row in rows]


def row_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON values: columns that hold JSON read, numbers short, NaN as null."""
    return {name: _value(name, value) for name, value in row.items()}


def without_the_machine(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a reviewer who works blind may see of a building."""
    return {name: value for name, value in row.items() if name not in THE_MACHINES}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS + 3) if math.isfinite(value) else None
    if isinstance(value, bytes):
        return None
    if name in LISTS and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
