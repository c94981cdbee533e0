"""What a map costs, ours beside pyorthomosaic's: CPU, wall, memory, and both maps' accuracy.

    .venv/bin/python -m benchmarks.speed --case WORK --peer PATH_TO/orthomosaic-3d [--data DIR]
        [--twin DIR] [--measure-only]

Both programs map brighton_beach and the twin afresh, one after the other; both maps are measured
in the same way; benchmarks/results/speed.json holds all of it. The peer (PyPI, MIT) has an
environment of its own; without --peer only ours is run. running.py says how costs are counted.
WORK keeps every cost beside its map: --measure-only measures the maps again without making them.
"""

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import SHARED, made_twin, measured_on_twin, skipped
from benchmarks.cloud import against_cloud
from benchmarks.machine import tidy, write_result
from benchmarks.products import Products, aftermap_products, peer_products
from benchmarks.running import Cost, aftermap_command, run
from benchmarks.twin_truth import truth_of

PEER = "pyorthomosaic"


def main() -> None:
    """Run both programs on both sets of photographs and write down what was found."""
    options = _options()
    figures: dict[str, Any] = {PEER: _peer_version(options.peer)}
    for name in ("brighton_beach", "twin"):
        figures[name] = _set_figures(name, options)
        print(json.dumps({name: tidy(figures[name])}, indent=1), flush=True)
    print(write_result("speed", figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=SHARED, help="the shared data folder")
    parser.add_argument("--twin", type=Path, help="a made twin; made in the work folder if absent")
    parser.add_argument("--case", type=Path, required=True, help="work folder")
    parser.add_argument("--peer", type=Path, help="the peer's program orthomosaic-3d")
    parser.add_argument("--measure-only", action="store_true", help="use the maps of the last run")
    return parser.parse_args()


def _set_figures(name: str, options: argparse.Namespace) -> dict[str, Any]:
    root = made_twin(options.twin, options.case) if name == "twin" else options.data / name
    if not root.exists():
        return skipped(root)
    case, out = options.case / name, options.case / f"{name}_peer"
    figures = {"aftermap": _aftermap(root, case, is_made=options.measure_only)}
    if options.peer is not None:
        figures["peer"] = _peer(root, out, options.peer, is_made=options.measure_only)
        ours, theirs = (figures[who]["cost"]["cpu_s"] for who in ("aftermap", "peer"))
        figures["share_of_peers_cpu"] = ours / theirs
    return figures


def _aftermap(root: Path, case: Path, *, is_made: bool) -> dict[str, Any]:
    words = ("map", root / "images", "--case", case, "--quality", "standard", "--fresh")
    cost = _last_cost(case) if is_made else _cost(aftermap_command(*words), case)
    report = json.loads((case / "products" / "report.json").read_text(encoding="utf-8"))
    stages = {stage["stage"]: stage["cpu_s"] for stage in report["cost"]["stages"]}
    return _figures(root, aftermap_products(case), cost) | {"cpu_s_by_stage": stages}


def _peer(root: Path, out: Path, program: Path, *, is_made: bool) -> dict[str, Any]:
    command = [str(program), str(root / "images"), "-o", str(out), "--backend", "cpu"]
    if not is_made:
        shutil.rmtree(out, ignore_errors=True)
    cost = _last_cost(out) if is_made else _cost(command, out)
    return _figures(root, peer_products(out), cost)


def _cost(command: list[str], made: Path) -> Cost:
    """Run a command that makes a map, and keep what it cost beside the map."""
    cost = run(command, made.with_name(made.name + ".log"))
    made.with_name(made.name + ".cost.json").write_text(json.dumps(cost.figures()), "utf-8")
    return cost


def _last_cost(made: Path) -> Cost:
    kept = made.with_name(made.name + ".cost.json").read_text(encoding="utf-8")
    return Cost(**json.loads(kept))


def _figures(root: Path, products: Products, cost: Cost) -> dict[str, Any]:
    placed = {"registered": len(products.positions_m), "given": products.given}
    if (root / "truth").exists():
        accuracy = measured_on_twin(products, truth_of(root), root)
    else:
        accuracy = {"cloud": against_cloud(products, root / "model.laz")}
    size = {
        "pixel_m": products.orthophoto_pixel_m,
        "cell_m": products.surface.cell_m,
        "area_m2": float(np.isfinite(products.surface.height_m).sum()) * products.surface.cell_m**2,
        "measured_area_m2": float(products.measured.sum()) * products.surface.cell_m**2,
    }
    return {"cost": cost.figures(), "photographs": placed, "map": size, "accuracy": accuracy}


def _peer_version(program: Path | None) -> str:
    """Its version, asked of the Python beside the program."""
    if program is None:
        return "not run; name its program with --peer"
    asked = f"import importlib.metadata as m; print(m.version({PEER!r}))"
    done = subprocess.run(
        [program.with_name("python"), "-c", asked], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "version unknown"


if __name__ == "__main__":
    main()
