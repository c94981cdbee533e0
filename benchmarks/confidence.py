"""What each count of ``confidence.tif`` is worth: errors against the truth of the twin's flights.

    .venv/bin/python -m benchmarks.confidence FLIGHT=CASE [FLIGHT=CASE ...]

A flight is a folder made by ``aftermap twin``, its case one that ``aftermap map`` made of it.
Errors are those of benchmarks/surface_errors.py, over true cells that two pictures or more see.
Writes benchmarks/results/confidence.json, and its table into docs/reference/rasters.md.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array, IntArray
from benchmarks.machine import write_result
from benchmarks.surface_errors import compared
from benchmarks.surface_truth import map_of, truth_for

COUNTS = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3": (3, 3), "4": (4, 4), "5, 6": (5, 6)}
MANY = "7 or more"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "rasters.md"
HEAD = "| confidence | cells | within 0.25 m | within 1 m | median error |"


def main() -> None:
    """Measure what the command line names, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", metavar="FLIGHT=CASE")
    found: dict[str, dict[str, Any]] = {}
    errors, views = [], []
    for pair in parser.parse_args().pairs:
        flight, case = (Path(part) for part in pair.split("="))
        shown = map_of(case)
        cells = compared(shown, truth_for(shown, flight))
        known = cells.seen & np.isfinite(cells.errors_m)
        errors.append(cells.errors_m[known])
        views.append(cells.views[known])
        found[flight.name] = by_count(errors[-1], views[-1])
        print(flight.name, found[flight.name], flush=True)
    whole = by_count(np.concatenate(errors), np.concatenate(views))
    print(write_result("confidence", {"flights": found, "all": whole}))
    text = PAGE.read_text("utf-8")
    table = "\n".join(table_of(whole))
    between = r"(<!-- confidence -->\n).*?(<!-- end -->)"
    PAGE.write_text(re.sub(between, rf"\g<1>{table}\n\g<2>", text, flags=re.DOTALL), "utf-8")


def by_count(errors_m: Array, views: IntArray) -> dict[str, dict[str, float]]:
    """How far (N,) heights are off, by how many photographs agree on each."""
    groups = {name: (views >= low) & (views <= high) for name, (low, high) in COUNTS.items()}
    groups[MANY] = views > max(high for _, high in COUNTS.values())
    return {name: _figures(np.abs(errors_m[some])) for name, some in groups.items() if some.any()}


def _figures(off_m: Array) -> dict[str, float]:
    return {
        "cells": len(off_m),
        "within_0.25_m": float((off_m <= 0.25).mean()),
        "within_1_m": float((off_m <= 1.0).mean()),
        "median_m": float(np.median(off_m)),
    }


def table_of(found: dict[str, dict[str, float]]) -> list[str]:
    """The table of rasters.md."""
    cells = sum(one["cells"] for one in found.values())
    lines = [HEAD, "|---|---|---|---|---|"]
    for name, one in found.items():
        shares = (one["cells"] / cells, one["within_0.25_m"], one["within_1_m"])
        told = " | ".join(f"{100 * share:.1f} %" for share in shares)
        lines.append(f"| {name} | {told} | {one['median_m']:.3f} m |")
    return lines


if __name__ == "__main__":
    main()
