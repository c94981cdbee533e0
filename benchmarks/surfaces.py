"""How true the surface is, on the twin's flights: the cells seen, the cells measured, the edges.

    .venv/bin/python -m benchmarks.surfaces one CASE TWIN
    .venv/bin/python -m benchmarks.surfaces share CASE
    .venv/bin/python -m benchmarks.surfaces --cases NAME=CASE:TWIN ... [--write after]

`one` prints the figures of one case (or its folder of products) as a line of JSON, `share` how
much of a map without truth is measured. --write puts the figures of all --cases, and the costs that
costs.py left beside them, into benchmarks/results/surfaces.json as those `before` or `after` the
surface was made anew; `python -m benchmarks.table` makes the table of both. The flights:
surface_flights.py; what the figures mean: surface_errors.py, roof_edges.py and wall_pixels.py.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import RESULTS, circumstances, tidy, write_result
from benchmarks.roof_edges import edge_figures
from benchmarks.surface_errors import compared, error_figures
from benchmarks.surface_truth import map_of, truth_for
from benchmarks.wall_pixels import wall_figures

STATES = ("before", "after")


def main() -> None:
    """Print figures of one case, or of all that are named and write them down."""
    options = _options()
    if options.what == "one":
        print(json.dumps(tidy(heights_report(options.paths[0], options.paths[1]))))
    elif options.what == "share":
        print(json.dumps(tidy(share_figures(options.paths[0]))))
    else:
        figures = dict(map(_case_figures, options.cases))
        if options.write:
            print(write_result("surfaces", _kept() | {options.write: circumstances() | figures}))


def _case_figures(named: str) -> tuple[str, dict[str, Any]]:
    """Name and figures of NAME=CASE or NAME=CASE:TWIN, with the cost that was kept beside it."""
    name, _, places = named.partition("=")
    case, _, twin = places.partition(":")
    figures = heights_report(Path(case), Path(twin)) if twin else share_figures(Path(case))
    for who, kept in (
        ("cost", Path(case + ".cost.json")),
        ("peer", Path(case + ".peer.cost.json")),
    ):
        if kept.exists():
            figures[who] = json.loads(kept.read_text(encoding="utf-8"))
    if "cost" in figures and "peer" in figures:
        figures["share_of_peers_cpu"] = figures["cost"]["cpu_s"] / figures["peer"]["cpu_s"]
    print(json.dumps({name: tidy(figures)}), flush=True)
    return name, figures


def _kept() -> dict[str, Any]:
    """Both states as they were written before."""
    path = RESULTS / "surfaces.json"
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {state: content[state] for state in STATES if state in content}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="?", choices=["one", "share"])
    parser.add_argument("paths", nargs="*", type=Path, help="CASE TWIN, or CASE")
    parser.add_argument("--cases", nargs="*", default=[], metavar="NAME=CASE[:TWIN]")
    parser.add_argument("--write", choices=STATES, help="put them into results/surfaces.json")
    options = parser.parse_args()
    if len(options.paths) != {"one": 2, "share": 1, None: 0}[options.what]:
        parser.error("one takes CASE TWIN, share takes CASE")
    return options


def heights_report(case_products: Path, twin_folder: Path) -> dict[str, Any]:
    """All figures of a map of a twin's flight; ``case_products`` is a case or its products."""
    shown = map_of(case_products)
    truth = truth_for(shown, twin_folder)
    return {
        "cameras": {"given": len(truth.cameras), "mapped": len(shown.cameras)},
        **error_figures(compared(shown, truth)),
        "roof_edge": edge_figures(shown, truth),
        "walls": wall_figures(shown, truth),
        **share_figures(case_products),
    }


def share_figures(case_products: Path) -> dict[str, Any]:
    """How much of a map is measured by two or more views; no truth is needed."""
    shown = map_of(case_products)
    known = np.isfinite(shown.surface.height_m)
    cell_m2 = shown.surface.cell_m**2
    return {
        "map": {
            "cell_m": shown.surface.cell_m,
            "orthophoto_pixel_m": shown.orthophoto_pixel_m,
            "area_m2": float(known.sum()) * cell_m2,
            "measured_area_m2": float(shown.measured.sum()) * cell_m2,
            "measured_share_of_area": float(shown.measured.sum() / max(known.sum(), 1)),
            "measured_share_of_raster": float(shown.measured.mean()),
        }
    }


if __name__ == "__main__":
    main()
