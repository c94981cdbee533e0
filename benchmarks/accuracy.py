"""How accurate the maps are: photographs placed, surface, cameras, marks, ground control.

    .venv/bin/python -m benchmarks.accuracy --case WORK [--data DIR] [--twin DIR]

Maps what WORK does not yet hold (`standard`), measures it, and writes
benchmarks/results/accuracy.json. What is measured how, and against which goal:
docs/reference/benchmarks.md.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aftermap.publish.exchange.cameras import read_cameras
from benchmarks.cloud import against_cloud
from benchmarks.machine import tidy, write_result
from benchmarks.marks import found_marks, nothing_removed, true_marks, without_similarity
from benchmarks.products import Products, aftermap_products
from benchmarks.running import aftermap_command, run
from benchmarks.twin_truth import (
    Truth,
    camera_figures,
    deformation_figures,
    map_from_truth,
    surface_figures,
    truth_of,
    with_true_heights,
)

CHECKOUT = Path(__file__).resolve().parent.parent
PICTURES = (".jpg", ".jpeg")
SHARED = CHECKOUT.parent / "shared" / "data"


def main() -> None:
    """Measure everything that can be, print it, and write it down."""
    options = _options()
    work: Path = options.case
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "brighton_beach": lambda: brighton_figures(options.data / "brighton_beach", work),
        "twin": lambda: twin_figures(made_twin(options.twin, work), work),
        "twin_with_control": lambda: control_figures(made_twin(options.twin, work), work),
        "ochota_city": lambda: ochota_figures(options.data / "ochota_city", work),
    }
    figures: dict[str, Any] = {}
    for name in options.only or parts:
        figures[name] = parts[name]()
        print(json.dumps({name: tidy(figures[name])}, indent=1), flush=True)
    if not options.only:
        print(write_result("accuracy", figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=SHARED, help="the shared data folder")
    parser.add_argument("--twin", type=Path, help="a made twin; made in the work folder if absent")
    parser.add_argument("--case", type=Path, required=True, help="work folder for the cases")
    parser.add_argument("--only", action="append", help="one part; nothing is written then")
    return parser.parse_args()


def made_twin(twin: Path | None, work: Path) -> Path:
    """The twin that was named, or the default one, made if it is missing."""
    folder = twin or work / "flight"
    if not (folder / "truth").exists():
        run(aftermap_command("twin", folder), work / "flight.log")
    return folder


def mapped(photographs: Path, case: Path, *words: str | Path) -> Path:
    """The case, after `aftermap map` has made or resumed it."""
    log = case.with_name(case.name + ".log")
    run(aftermap_command("map", photographs, "--case", case, *words), log)
    return case


def skipped(folder: Path) -> dict[str, Any]:
    """Why nothing was measured."""
    return {"skipped": f"no folder {folder.name} in the data folder; name it with --data"}


def brighton_figures(data: Path, work: Path) -> dict[str, Any]:
    """Photographs placed, and the map against the reference cloud."""
    if not data.exists():
        return skipped(data)
    case = mapped(data / "images", work / "brighton_beach")
    cloud = against_cloud(aftermap_products(case), data / "model.laz")
    return {"photographs": placed(case), "cloud": cloud}


def ochota_figures(data: Path, work: Path) -> dict[str, Any]:
    """Photographs placed; they have no positions, so nothing else can be compared."""
    if not data.exists():
        return skipped(data)
    return {"photographs": placed(mapped(data, work / "ochota_city"))}


def placed(case: Path) -> dict[str, Any]:
    """Photographs given (files that look like one), placed, and in the largest group."""
    listed = read_cameras(case / "products" / "cameras.json").frames
    frames = [frame for frame in listed if Path(frame.name).suffix.lower() in PICTURES]
    return {
        "given": len(frames),
        "registered": sum(frame.registered for frame in frames),
        "in_one_model": sum(frame.mapped for frame in frames),
        "left_out": {f.name: f.reason for f in frames if not f.registered},
    }


def twin_figures(twin: Path, work: Path) -> dict[str, Any]:
    """Surface, cameras and marks without ground control, against the truth."""
    case = mapped(twin / "images", work / "twin")
    products, truth = aftermap_products(case), truth_of(twin)
    return {
        "photographs": placed(case),
        **measured_on_twin(products, truth, twin),
        "surface_if_perfect": surface_figures(with_true_heights(products, truth), truth),
        "pose_induced_deformation": deformation_figures(products, truth),
    }


def measured_on_twin(products: Products, truth: Truth, twin: Path) -> dict[str, Any]:
    """What can be measured of any map of the twin, ours or the peer's."""
    there = map_from_truth(products, truth)
    marks = true_marks(twin)
    # The heights of the marks go along, as the similarity is one in space.
    places = {name: there.there(mark[None])[0] for name, mark in marks.items()}
    found = found_marks(products, places)
    return {
        "surface": surface_figures(products, truth),
        "cameras": camera_figures(products, truth),
        "marks": {"painted": len(marks)} | without_similarity(products, found),
    }


def control_figures(twin: Path, work: Path) -> dict[str, Any]:
    """With ground control: check marks as the orthophoto and surface show them, nothing removed.

    ``report`` is the map's own account of the same marks: intersected from the pixels of the
    control file, against the survey.
    """
    gcp = work / "half_checked.txt"
    gcp.write_text(half_checked((twin / "truth" / "gcp_list.txt").read_text(encoding="utf-8")))
    case = mapped(twin / "images", work / "twin_control", "--gcp", gcp)
    products, marks = aftermap_products(case), true_marks(twin)
    report = json.loads((case / "products" / "report.json").read_text(encoding="utf-8"))
    figures: dict[str, Any] = {"report": {}}
    for role in ("control", "check"):
        names = [m["name"] for m in report["control"]["marks"] if m["role"] == role]
        found = found_marks(products, {name: marks[name] for name in names})
        figures[role] = {"of": len(names)} | nothing_removed(products, found)
        figures["report"][role] = report["control"][role]
    figures["report"]["pixel_m"] = report["map"]["pixel_m"]
    figures["pose_induced_deformation"] = deformation_figures(products, truth_of(twin))
    return figures


def half_checked(gcp: str) -> str:
    """The control file with a role for each mark: every second one tests."""
    first, *lines = gcp.splitlines()
    names = sorted({line.split()[6] for line in lines})
    roles = {name: ("control", "check")[i % 2] for i, name in enumerate(names)}
    return "\n".join([first, *(f"{line} {roles[line.split()[6]]}" for line in lines)]) + "\n"


if __name__ == "__main__":
    main()
