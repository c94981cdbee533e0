"""Grades on seeds that nothing was trained on, from video only, and on whole real roofs.

    python -m benchmarks.grades --seeds FOLDER --clip CASE:TRUTH --ochota CASE --brighton CASE

Footprints are tested two ways: true outlines 0.25 m off, and true outlines shifted by 2 m in a
direction that turns over the map and aligned by Aftermap itself. A map of video lies a metre or two
off the truth, so that its outlines are aligned as well. Storeys are not told.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rasterio

from aftermap.assessment.grade import grade_buildings
from aftermap.assessment.measure import measure_buildings
from aftermap.assessment.reliability import kappa_of
from aftermap.buildings.align import aligned_buildings
from aftermap.geo.arrays import Array, IntArray
from aftermap.geo.polygon import shape_of, shifted
from aftermap.model.assessment import GRADES, Grade, Grading, Visibility
from aftermap.model.building import Buildings, Footprint, FootprintSet
from benchmarks.grading_data import (
    Folder,
    Here,
    Map,
    Truth,
    building_at,
    jittered,
    map_of,
    truth_of,
    with_rasters,
    written,
)
from benchmarks.machine import write_result

DATA = Path(__file__).parent / "data"
SHIFT_M = 2.0
SURE = 0.8
KIOSK_M = (576709.6, 5188139.5, 3.7)
"""East, north and radius of the eight-sided kiosk in brighton_beach, read off the orthophoto."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """True and given grades (0 to 4) of assessed buildings; true grades of those not assessed."""

    true: IntArray
    given: IntArray
    probabilities: Array
    not_assessed: tuple[Grade, ...] = ()


def outcome_of(where: Map, buildings: Buildings, grades: Sequence[Grade]) -> Outcome:
    """What the shipped model says of buildings whose grades are known."""
    found = grading_of(where, buildings)
    pairs = list(zip(found.assessments, grades, strict=True))
    known = [(a, g) for a, g in pairs if a.grade is not None]
    return Outcome(
        true=np.array([GRADES.index(g) for _, g in known], int),
        given=np.array([GRADES.index(a.grade) for a, _ in known if a.grade is not None], int),
        probabilities=np.array([a.probabilities for a, _ in known], float).reshape(-1, 5),
        not_assessed=tuple(g for a, g in pairs if a.grade is None),
    )


def grading_of(where: Map, buildings: Buildings) -> Grading:
    """The shipped model's grades; every building counts as seen by some picture."""
    with TemporaryDirectory() as folder:
        table = measure_buildings(
            buildings, where.elevation, where.orthophoto, None, Folder(folder=Path(folder)), Here()
        )
        seen = Visibility(
            roof_fraction=1.0,
            views=3,
            facades=0,
            surface_photographs=None,
            ground_sample_m=where.elevation.ground_sample_m,
        )
        return grade_buildings(buildings, table, [seen] * len(buildings.buildings))


def shifted_and_aligned(where: Map, truth: Truth, by_m: float = SHIFT_M) -> Buildings:
    """True outlines off in a direction that turns over 200 m, as Aftermap brings them back."""
    footprints = []
    for one in truth.buildings.buildings:
        shape = shape_of(one.polygons_m)
        angle = (shape.centroid.x + shape.centroid.y) / 200.0 * math.pi
        off = (by_m * math.cos(angle), by_m * math.sin(angle))
        footprints.append(replace(one.footprint, polygons_m=shifted(one.polygons_m, off)))
    given = FootprintSet(
        crs=truth.buildings.crs,
        file_name="shifted.geojson",
        file_sha256="0" * 64,
        id_field="id",
        footprints=tuple(footprints),
    )
    with TemporaryDirectory() as folder:
        return aligned_buildings(
            given, where.elevation, where.orthophoto, Folder(folder=Path(folder)), Here()
        )


def _kappa(true: IntArray, given: IntArray) -> float:
    agreement = kappa_of(true.tolist(), given.tolist(), len(GRADES), "the model")
    return math.nan if agreement.value is None else agreement.value


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What several maps come to together."""
    true = np.concatenate([one.true for one in outcomes])
    given = np.concatenate([one.given for one in outcomes])
    p = np.concatenate([one.probabilities for one in outcomes])
    matrix = np.zeros((5, 5), int)
    np.add.at(matrix, (true, given), 1)
    f1 = 2 * np.diag(matrix) / np.maximum(matrix.sum(0) + matrix.sum(1), 1)
    sure = p.max(1) > SURE
    left = [str(grade) for one in outcomes for grade in one.not_assessed]
    return {
        "buildings": len(true),
        "not_assessed": {str(grade): left.count(str(grade)) for grade in GRADES},
        "kappa": _kappa(true, given),
        "kappa_by_map": [_kappa(one.true, one.given) for one in outcomes],
        "f1": {str(grade): float(f1[k]) for k, grade in enumerate(GRADES)},
        "damaged_against_none": float(((true > 0) == (given > 0)).mean()),
        "calibration_error": calibration_error(p, true),
        "wrong_by_two_and_sure": float(((np.abs(true - given) >= 2) & sure).mean()),
        "confusion_true_by_given": matrix.tolist(),
        "reliability": reliability(p, true),
    }


def reliability(p: Array, true: IntArray) -> list[dict[str, float]]:
    """How often the given grade was right, by how sure it was; tenths with buildings in them."""
    confidence, right = p.max(1), p.argmax(1) == true
    tenth = np.minimum((confidence * 10).astype(int), 9)
    return [
        {
            "confidence": float(confidence[tenth == k].mean()),
            "right": float(right[tenth == k].mean()),
            "buildings": int((tenth == k).sum()),
        }
        for k in range(10)
        if (tenth == k).any()
    ]


def calibration_error(p: Array, true: IntArray) -> float:
    """Mean gap between confidence and share right, over tenths (ECE; Guo et al. 2017)."""
    rows = reliability(p, true)
    gaps = sum(row["buildings"] * abs(row["confidence"] - row["right"]) for row in rows)
    return float(gaps / len(true))


def real_roofs(grading: Grading) -> dict[str, Any]:
    """How whole real roofs are graded."""
    grades = [str(one.grade) if one.grade else "not_assessed" for one in grading.assessments]
    return {
        "roofs": len(grades),
        "grades": {name: grades.count(name) for name in sorted(set(grades))},
        "severe_or_destroyed": sum(name in {"severe", "destroyed"} for name in grades),
        "each": {
            one.source_id: {
                "grade": name,
                "confidence": one.confidence,
                "reasons": list(one.reasons),
                "not_assessed_reason": one.not_assessed_reason,
            }
            for one, name in zip(grading.assessments, grades, strict=True)
        },
    }


def in_metres(where: Map, unit_m: float, folder: Path) -> Map:
    """A map of a local frame, told how long its unit is, and laid in a metric CRS."""
    rasters = {}
    for name, raster in (
        ("surface", where.elevation.surface),
        ("confidence", where.elevation.confidence),
        ("image", where.orthophoto.image),
    ):
        with rasterio.open(raster.path) as file:
            bands = file.read()
        if name == "surface":
            bands[bands != np.float32(raster.nodata or 0)] *= np.float32(unit_m)
        grid = raster.grid
        scaled = replace(
            raster,
            grid=replace(
                grid, crs="EPSG:32634", east_m=grid.east_m * unit_m, north_m=grid.north_m * unit_m
            ),
        )
        rasters[name] = written(bands, scaled, folder / f"{name}.tif", grid.cell_m * unit_m)
    found = with_rasters(where, rasters)
    sample = where.elevation.ground_sample_m * unit_m
    return replace(found, elevation=replace(found.elevation, ground_sample_m=sample))


def ochota(case: Path) -> dict[str, Any]:
    """The roofs drawn on ochota_city, with and without its scale."""
    document = json.loads((DATA / "ochota_roofs.geojson").read_text(encoding="utf-8"))
    unit = float(document["unit_m"])
    where = map_of(case)
    with TemporaryDirectory() as folder:
        scaled = in_metres(where, unit, Path(folder))
        with_scale = grading_of(scaled, _drawn(document, unit, "EPSG:32634"))
    without = grading_of(where, _drawn(document, 1.0, where.elevation.surface.grid.crs))
    return real_roofs(with_scale) | {
        "unit_m": unit,
        "assessed_without_scale": sum(one.grade is not None for one in without.assessments),
    }


def _drawn(document: Mapping[str, Any], unit_m: float, crs: str) -> Buildings:
    made = []
    for number, feature in enumerate(document["features"]):
        ring = tuple((x * unit_m, y * unit_m) for x, y in feature["geometry"]["coordinates"][0])
        made.append(_building(feature["properties"]["id"], number, ring))
    return Buildings(crs=crs, buildings=tuple(made))


def _building(name: str, number: int, ring: tuple[tuple[float, float], ...]) -> Any:
    footprint = Footprint(
        source_id=name,
        feature=number,
        polygons_m=((ring,),),
        area_m2=float(shape_of(((ring,),)).area),
    )
    return building_at(footprint, (0.0, 0.0))


def kiosk(case: Path) -> dict[str, Any]:
    """The kiosk on the beach: a small whole roof of eight slopes."""
    where = map_of(case)
    east, north, radius = KIOSK_M
    turns = np.linspace(0, 2 * math.pi, 9)
    ring = tuple(
        (east + radius * math.cos(t), north + radius * math.sin(t)) for t in turns.tolist()
    )
    found = Buildings(
        crs=where.elevation.surface.grid.crs, buildings=(_building("kiosk", 0, ring),)
    )
    return real_roofs(grading_of(where, found))


def main() -> None:
    """Measure what there is and write results/grades.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=Path, required=True)
    parser.add_argument("--held-out", default="21,22,23,24,25")
    parser.add_argument("--clip")
    parser.add_argument("--ochota", type=Path)
    parser.add_argument("--brighton", type=Path)
    given = parser.parse_args()
    found: dict[str, Any] = {}
    names = [
        name
        for name in given.held_out.split(",")
        if (given.seeds / name / "case/products/report.html").exists()
    ]
    ways: dict[str, list[Outcome]] = {"aligned": [], "shifted_2_m": []}
    for name in names:
        where = map_of(given.seeds / name / "case")
        crs = where.elevation.surface.grid.crs
        truth = truth_of(given.seeds / name / "flight/truth", crs)
        near = jittered(truth.buildings, 0.25, int(name))
        ways["aligned"].append(outcome_of(where, near, truth.grades))
        ways["shifted_2_m"].append(
            outcome_of(where, shifted_and_aligned(where, truth), truth.grades)
        )
    found["held_out_seeds"] = names
    found |= {way: figures(outcomes) for way, outcomes in ways.items() if outcomes}
    if given.clip:
        case, truth_folder = (Path(part) for part in given.clip.split(":"))
        where = map_of(case)
        truth = truth_of(truth_folder, where.elevation.surface.grid.crs)
        near = shifted_and_aligned(where, truth, 0.0)
        found["video_only"] = figures([outcome_of(where, near, truth.grades)])
    if given.ochota:
        found["ochota_city"] = ochota(given.ochota)
    if given.brighton:
        found["brighton_beach_kiosk"] = kiosk(given.brighton)
    write_result("grades", found)
    print(json.dumps({k: v for k, v in found.items() if k != "ochota_city"}, indent=1))


if __name__ == "__main__":
    main()
