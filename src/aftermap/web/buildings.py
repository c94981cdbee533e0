"""The buildings of a case for the page: their layer, one with its evidence, and what is said of it.

A reviewer who works blind is sent neither the machine's grades nor those of other reviewers, so
that no page can show them by mistake; nor the measurements, among which are the probability of a
hole and other readings of the machine that its grades are made of.
"""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from aftermap.errors import CaseError
from aftermap.model.assessment import Grade
from aftermap.model.sample import Draw
from aftermap.record.assessments import newest_draw
from aftermap.record.building_rows import (
    building_features,
    building_row,
    evidence_row,
    evidence_rows,
    measurement_rows,
)
from aftermap.record.geometry import shapes_of
from aftermap.record.map_layers import FeatureTable
from aftermap.record.reviews import newest_reviews, reviews_of
from aftermap.web.layers import collection, geojson_features
from aftermap.web.opened import OpenedCase, ResponseCache
from aftermap.web.responses import (
    BuildingFacts,
    BuildingRow,
    EvidenceRow,
    GradesByReviewer,
    MeasurementFacts,
    ReviewFacts,
)

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
    "notes",
    "probabilities",
    "not_assessed_reason",
    "assessor",
    "model_sha256",
)
"""Columns of a building that tell what the machine thinks of it, or whose grade is accepted."""
ON_THE_MAP = ("grade", "adopted_grade")
"""What the map needs of a building: its colour."""
IN_THE_QUEUE = ("source_id", "area_m2", *ON_THE_MAP, "confidence", "possible")
"""What the queue needs of every building; the rest comes with the one looked at."""
LISTS = ("probabilities", "sources")


@dataclass
class BuildingDesk:
    """What the page asks of buildings."""

    case: OpenedCase
    _kept: ResponseCache[bytes] = field(default_factory=lambda: ResponseCache(KEPT_BYTES, len))

    @property
    def has_any(self) -> bool:
        """Whether the case has buildings."""
        return self.case.package.has_rows("building")

    def layer(self, *, is_blind: bool) -> bytes:
        """The outline of every building as GeoJSON, with its colour."""
        if not self.has_any:
            return collection(())
        key = "layer", is_blind, self.case.generation
        return self._kept.get(key, lambda: self._layer(is_blind=is_blind))

    def queue(self, *, is_blind: bool) -> bytes:
        """Every building as JSON text of columns, in the order of the outlines.

        ``at`` is a place on it; ``sample`` is its place in the newest drawn sample, ``graders``
        how many reviewers should grade it.
        """
        if not self.has_any:
            return b'{"id":[]}'
        draw = newest_draw(self.case.package)
        key = "queue", is_blind, self.case.generation, draw and draw.number
        return self._kept.get(key, lambda: self._queue(draw, is_blind=is_blind))

    def _layer(self, *, is_blind: bool) -> bytes:
        return collection(
            geojson_features(self._features(ON_THE_MAP, is_blind=is_blind), self.case.place)
        )

    def _queue(self, draw: Draw | None, *, is_blind: bool) -> bytes:
        drawn = [one.source_id for one in draw.buildings] if draw else []
        in_sample = {name: at for at, name in enumerate(drawn)}
        graders = dict.fromkeys(drawn, 1) | (dict.fromkeys(draw.twice, 2) if draw else {})
        table = self._features(IN_THE_QUEUE, is_blind=is_blind)
        middles = shapely.point_on_surface(shapes_of([row.geometry for row in table.rows]))
        values = zip(*(row.values for row in table.rows), strict=True)
        told = {
            name: [_value(name, one) for one in column]
            for name, column in zip(table.names, values, strict=True)
        }
        told["id"] = [row.number for row in table.rows]
        told["at"] = self.case.place.lonlat_deg(shapely.get_coordinates(middles)).tolist()
        told["sample"] = [in_sample.get(source_id) for source_id in told["source_id"]]
        told["graders"] = [graders.get(source_id) for source_id in told["source_id"]]
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()

    def _features(self, wanted: Sequence[str], *, is_blind: bool) -> FeatureTable:
        """Every building with the wanted columns that may be seen."""
        return building_features(
            self.case.package,
            tuple(name for name in wanted if not (is_blind and name in THE_MACHINES)),
        )

    def facts_of(self, source_id: str, *, reviewer: str, is_blind: bool) -> BuildingFacts:
        """A building with its measurements, its pictures and what everyone says of it.

        Blind: without measurements, and with what this reviewer says alone.

        Raises CaseError where the case has no such building.
        """
        package = self.case.package
        found = building_row(package, source_id)
        if found is None:
            raise CaseError(f"{source_id[:80]}: is not a building of this case")
        shown = without_the_machine(found) if is_blind else found
        reviews = reviews_of(package, source_id, reviewer=reviewer if is_blind else None)
        return BuildingFacts(
            building=BuildingRow(**row_json(shown)),
            measurements=[
                MeasurementFacts(**row_json(row._asdict()))
                for row in ([] if is_blind else measurement_rows(package, found["fid"]))
            ],
            evidence=[EvidenceRow(**row_json(row)) for row in evidence_rows(package, source_id)],
            reviews=[ReviewFacts(**row._asdict()) for row in reviews],
        )

    def grades(self, *, reviewer: str, is_blind: bool) -> GradesByReviewer:
        """The newest grade of each building by each reviewer: building -> reviewer -> grade."""
        found: GradesByReviewer = {}
        for one in newest_reviews(self.case.package, reviewer=reviewer if is_blind else None):
            if not one.is_withdrawn:
                grade = None if one.grade is None else Grade(one.grade)
                found.setdefault(one.source_id, {})[one.reviewer] = grade
        return found

    def picture(self, number: int, sha256: str) -> Path:
        """The file of a row of evidence, which lies in the evidence folder and has that digest.

        Rows are numbered anew by each run, so a number alone may mean another building by now.
        Raises CaseError where the row is another's, or its file is not there.
        """
        row = evidence_row(self.case.package, number)
        if row is not None:
            if row["file_sha256"] != sha256:
                raise CaseError(f"evidence {number}: was replaced by a newer run; reload the page")
            folder = (self.case.products / "evidence").resolve()
            path = (self.case.products / str(row["file"])).resolve()
            if path.is_relative_to(folder) and path.is_file():
                return path
        raise CaseError(f"evidence {number}: file not found; run aftermap assess to recreate it")


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
        with suppress(ValueError):
            return json.loads(value)
        return None
    return value
