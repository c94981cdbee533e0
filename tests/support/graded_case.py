"""A case of square buildings in a row of blocks, graded by a machine that is often right."""

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from aftermap.model.assessment import (
    GRADES,
    Assessment,
    AssessorKind,
    Grade,
    Reason,
    ReasonSide,
)
from aftermap.record import Case
from aftermap.record.assessments import add_assessments
from aftermap.record.geopackage import Table, add_table, describe, insert, srs_id_of

CRS = "EPSG:32637"
EAST, NORTH = 500_900.0, 3_978_400.0
SIDE_M, APART_M, COLUMNS = 10.0, 20.0, 40

BUILDING = Table(
    name="building",
    description="made for a test",
    columns="fid INTEGER PRIMARY KEY NOT NULL, source_id TEXT NOT NULL UNIQUE, area_m2 DOUBLE",
    geometry="MULTIPOLYGON",
)


@dataclass(frozen=True, kw_only=True)
class GradedCase:
    """Where it is, and the true grade of every building."""

    path: Path
    truth: dict[str, Grade]


def outline(index: int):
    east = EAST + APART_M * (index % COLUMNS)
    north = NORTH + APART_M * (index // COLUMNS)
    return shapely.MultiPolygon([shapely.box(east, north, east + SIDE_M, north + SIDE_M)])


def middle(index: int) -> tuple[float, float]:
    point = outline(index).centroid
    return point.x, point.y


def graded_case(path: Path, buildings: int = 300, seed: int = 1, unseen: int = 10) -> GradedCase:
    """A case with so many buildings; the first ``unseen`` ones are not assessed."""
    random = np.random.default_rng(seed)
    shares = (0.5, 0.15, 0.15, 0.1, 0.1)
    truth = {f"b{i}": GRADES[k] for i, k in enumerate(random.choice(5, buildings, p=shares))}
    with Case.create_or_open(path) as case:
        _add_outlines(case, buildings)
        add_assessments(case.package, _graded(truth, random, unseen), actor="test")
    return GradedCase(path=path, truth=truth)


def _add_outlines(case: Case, buildings: int) -> None:
    with case.package.transaction() as connection:
        add_table(connection, BUILDING)
        describe(connection, "building", crs=CRS, bounds=None)
        for i in range(buildings):
            blob = struct.pack("<2sBBi", b"GP", 0, 1, srs_id_of(CRS)) + shapely.to_wkb(outline(i))
            insert(connection, "building", {"source_id": f"b{i}", "area_m2": 100.0, "geom": blob})


def _graded(truth, random, unseen):
    for i, (name, grade) in enumerate(truth.items()):
        if i < unseen:
            yield Assessment(
                source_id=name,
                kind=AssessorKind.MACHINE,
                assessor="model 1",
                grade=None,
                not_assessed_reason="roof not seen",
            )
            continue
        place = GRADES.index(grade) + int(random.choice((-1, 0, 0, 0, 0, 0, 0, 1)))
        place = min(max(place, 0), 4)
        weights = [math.exp(-2.0 * abs(place - other)) for other in range(5)]
        chance = tuple(weight / sum(weights) for weight in weights)
        yield Assessment(
            source_id=name,
            kind=AssessorKind.MACHINE,
            assessor="model 1",
            grade=GRADES[place],
            grades=(GRADES[place],),
            probabilities=chance,
            confidence=max(chance),
            reasons=(Reason(text="made up", side=ReasonSide.FOR),),
        )
