"""Streets of a practice flight: blocked or free against the truth, with and without given widths.

    python -m benchmarks.streets FLIGHT=CASE [FLIGHT=CASE ...]

A flight is a folder made by ``aftermap twin``, its case one that ``aftermap map`` made of it. The
footprints are the true ones, aligned to the map. Lines are the true axes, as they are and 1 m
beside themselves. Writes benchmarks/results/streets.json.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely

from aftermap.buildings.align import aligned_buildings
from aftermap.buildings.footprints import footprints_in
from aftermap.execute import LocalExecutor
from aftermap.geo.crs import transformed_xy
from aftermap.geo.robust import nmad
from aftermap.model.building import Buildings
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Executor
from aftermap.model.street import CAR_M, Street, StreetSet
from aftermap.progress import NoProgress
from aftermap.record import StageFolder
from aftermap.record.artefact import decode_artefact
from aftermap.streets import trafficability_of
from benchmarks.machine import write_result

BESIDE_M = 1.5
"""How far beside a true street a middle of the space between buildings may lie."""
WAYS = {
    "width given": (True, 0.0),
    "width given, lines 1 m off": (True, 1.0),
    "no width": (False, 0.0),
    "no width, lines 1 m off": (False, 1.0),
}


def answer(case: Path, stage: str, kind: type) -> Any:
    """What a stage of a case answered."""
    (path,) = (case / "products" / "stages").glob(f"{stage}-*/answer.json")
    return decode_artefact(kind, json.loads(path.read_text())["answer"], root=case)


def buildings_in(
    flight: Path, elevation: Elevation, picture: Orthophoto, files: StageFolder, executor: Executor
) -> Buildings:
    """The true footprints, moved onto the map as ``aftermap assess`` moves them."""
    grid = elevation.surface.grid
    footprints = footprints_in(
        flight / "truth/buildings.geojson",
        id_field=None,
        crs=None,
        map_crs=grid.crs,
        area_m=grid.area_m,
    )
    return aligned_buildings(footprints, elevation, picture, files, executor)


def truth_in(flight: Path, crs: str) -> dict[str, list[tuple[dict[str, Any], np.ndarray]]]:
    """The true pieces by street, with their ends in metres."""
    by: dict[str, list[tuple[dict[str, Any], np.ndarray]]] = {}
    for feature in json.loads((flight / "truth/streets.geojson").read_text())["features"]:
        ends = transformed_xy("EPSG:4326", crs, feature["geometry"]["coordinates"])
        by.setdefault(feature["properties"]["street"], []).append((feature["properties"], ends))
    return by


def lines_of(truth: Any, crs: str, *, has_width: bool, beside_m: float) -> StreetSet:
    """The true axes as lines that somebody drew, by turns left and right of themselves."""
    streets = []
    for number, (name, pieces) in enumerate(truth.items()):
        line = np.array([pieces[0][1][0], *(ends[1] for _, ends in pieces)])
        run = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
        line += np.array([-run[1], run[0]]) * beside_m * (1 if number % 2 else -1)
        width = pieces[0][0]["width_m"] if has_width else None
        streets.append(
            Street(
                source_id=name,
                feature=number,
                width_m=width,
                lines_m=(tuple(map(tuple, line.tolist())),),
            )
        )
    return StreetSet(
        crs=crs, file_name="truth", file_sha256="", id_field="street", streets=tuple(streets)
    )


def scored(table: str, truth: Any) -> dict[str, Any]:
    """How often blocked and free were told apart, over the true pieces that the map shows."""
    rows = pq.read_table(table).to_pylist()
    middles = [
        shapely.line_interpolate_point(shapely.from_wkb(r["geometry"]), 0.5, normalized=True)
        for r in rows
    ]
    tree = shapely.STRtree(middles)
    counts = dict.fromkeys(("blocked", "false_alarm", "missed", "free", "not_seen"), 0)
    errors, off = [], []
    for pieces in truth.values():
        for facts, ends in pieces:
            nearest = rows[int(tree.nearest(shapely.Point(ends.mean(0))))] if rows else None
            if not facts["mapped"] or nearest is None:
                continue
            free = nearest["free_width_m"]
            if free is None:
                counts["not_seen"] += 1
                continue
            said, true = free < CAR_M, facts["blocked"]
            key = ("blocked" if true else "false_alarm") if said else ("missed" if true else "free")
            counts[key] += 1
            errors.append(free - facts["free_width_m"])
            off.append((nearest["nobody_probability"], float(true)))
    return {**counts, "errors_m": errors, "chances": off}


def own_lines(table: str, truth: Any) -> dict[str, int]:
    """Without lines: how many pieces nobody gets through, of true streets and of other space."""
    ends = [(facts, ends) for pieces in truth.values() for facts, ends in pieces]
    axes = [shapely.LineString(places) for _, places in ends]
    tree = shapely.STRtree(axes)
    counts = {"pieces": 0, "nobody_on_streets": 0, "nobody_elsewhere": 0}
    for row in pq.read_table(table, columns=["geometry", "passage"]).to_pylist():
        line = shapely.from_wkb(row["geometry"])
        middle = shapely.line_interpolate_point(line, 0.5, normalized=True)
        nearest = int(tree.nearest(middle))
        is_street = axes[nearest].distance(middle) <= ends[nearest][0]["width_m"] / 2 + BESIDE_M
        counts["pieces"] += 1
        if row["passage"] == "nobody":
            counts["nobody_on_streets" if is_street else "nobody_elsewhere"] += 1
    return counts


def told(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures over several districts."""
    sums = {k: sum(p[k] for p in parts) for k in parts[0] if k not in ("errors_m", "chances")}
    errors = np.concatenate([p["errors_m"] for p in parts])
    chances = np.concatenate([p["chances"] for p in parts])
    wrong = sums["false_alarm"] + sums["missed"]
    f1 = {
        "blocked": 2 * sums["blocked"] / max(2 * sums["blocked"] + wrong, 1),
        "free": 2 * sums["free"] / max(2 * sums["free"] + wrong, 1),
    }
    sure = np.abs(chances[:, 0] - 0.5) > 0.4
    return {
        **sums,
        "f1_blocked": round(f1["blocked"], 3),
        "f1_free": round(f1["free"], 3),
        "f1_mean": round(sum(f1.values()) / 2, 3),
        "f1_by_piece": round((sums["blocked"] + sums["free"]) / (len(errors) or 1), 3),
        "median_error_m": round(float(np.median(errors)), 2),
        "nmad_m": round(nmad(errors), 2),
        "within_half_metre": round(float((np.abs(errors) < 0.5).mean()), 3),
        "sure": int(sure.sum()),
        "wrong_of_sure": int(((chances[:, 0] > 0.5) != (chances[:, 1] > 0.5))[sure].sum()),
        "brier": round(float(((chances[:, 0] - chances[:, 1]) ** 2).mean()), 4),
    }


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", metavar="FLIGHT=CASE")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--work", type=Path, default=Path("build/streets"))
    given = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {way: [] for way in given.ways}
    without: Counter[str] = Counter()
    begun = time.process_time()
    with LocalExecutor(1, progress=NoProgress()) as executor:
        for pair in given.pairs:
            flight, case = (Path(part) for part in pair.split("="))
            elevation, picture = (
                answer(case, "surface", Elevation),
                answer(case, "orthophoto", Orthophoto),
            )
            crs = elevation.surface.grid.crs
            files = StageFolder(folder=given.work / case.parent.name)
            truth = truth_in(flight, crs)
            buildings = buildings_in(flight, elevation, picture, files, executor)
            own = trafficability_of(None, buildings, elevation, picture, files, executor)
            without.update(own_lines(own.path, truth))
            for way in given.ways:
                has_width, beside_m = WAYS[way]
                lines = lines_of(truth, crs, has_width=has_width, beside_m=beside_m)
                table = trafficability_of(lines, buildings, elevation, picture, files, executor)
                results[way].append(scored(table.path, truth))
                print(pair, way, told(results[way][-1:]), flush=True)
    told_of = {way: told(parts) for way, parts in results.items()}
    print(
        dict(without),
        json.dumps(told_of, indent=1),
        f"{time.process_time() - begun:.0f} s of CPU here",
    )
    names = [Path(pair.split("=")[0]).parent.name for pair in given.pairs]
    print(write_result("streets", {"districts": names, "ways": told_of, "no_lines": dict(without)}))


if __name__ == "__main__":
    main()
