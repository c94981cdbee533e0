"""How far products of one footage lie apart on machines of other kinds.

    python -m benchmarks.reproducibility --case WORK [--twin DIR] [--only NAME]

Maps a practice flight with clips (draft) once for each stand-in below and holds its products
against those of the first. ``fixed``: as commands compute, which set the same instructions on every
machine with AVX2, whatever its libraries would choose; they must be equal. ``own``: each library
chooses for itself (AFTERMAP_ARITHMETIC=own), as on machines without AVX2 or of another kind; what
is measured there bounds what products state (docs/explanation/reproducibility.md).
"""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.geo.robust import nmad
from aftermap.workflows.product_values import differences_of
from aftermap.workflows.stated_spread import overlaid, spread_between
from benchmarks.machine import write_result
from benchmarks.running import aftermap_command, run

OWN = {"AFTERMAP_ARITHMETIC": "own"}
NO_AVX512 = {"OPENCV_CPU_DISABLE": "AVX512-SKX", "OPENCV_IPP": "avx2"}
NO_AVX2 = {"OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2", "OPENCV_IPP": "sse42"}
OLDEST = {
    **NO_AVX2,
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "NUMBA_CPU_NAME": "generic",
    "OPENBLAS_CORETYPE": "Nehalem",
}
STAND_INS: dict[str, tuple[Mapping[str, str], int]] = {
    "fixed": ({}, 2),
    "fixed-oldest-1": (OLDEST, 1),
    "own": (OWN, 2),
    "own-without-avx2": (OWN | NO_AVX2, 2),
    "own-oldest": (OWN | OLDEST, 2),
    "fixed-4": ({"OPENBLAS_CORETYPE": "Zen"}, 4),
    "own-blas-haswell": (OWN | {"OPENBLAS_CORETYPE": "Haswell"}, 2),
    "own-numba-generic": (OWN | {"NUMBA_CPU_NAME": "generic"}, 2),
    "own-without-avx512": (OWN | NO_AVX512, 2),
}
"""Variables, and how many workers."""


def main() -> None:
    """Map what is not there yet, compare, print, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", type=Path, required=True, help="work folder for the cases")
    parser.add_argument("--twin", type=Path, help="a made twin; made in the work folder if absent")
    parser.add_argument("--only", action="append", help="a stand-in; nothing is written then")
    asked = parser.parse_args()
    flight = made_flight(asked.twin, asked.case)
    names = asked.only or list(STAND_INS)
    cases = {name: mapped(flight, asked.case, name) for name in names}
    figures = {name: figures_of(case, cases[names[0]], flight) for name, case in cases.items()}
    print(json.dumps(figures, indent=1))
    if not asked.only:
        print(write_result("reproducibility", figures))


def made_flight(twin: Path | None, work: Path) -> Path:
    """The flight that was named, or a small one with clips, made if it is missing."""
    folder = twin or work / "flight"
    if not (folder / "truth").exists():
        words = ("--photos", "12", "--clips", "--clip-seconds", "12")
        run(aftermap_command("twin", folder, *words), work / "flight.log")
    return folder


def mapped(flight: Path, work: Path, name: str) -> Path:
    """The case of a stand-in, mapped if it is missing."""
    variables, workers = STAND_INS[name]
    case = work / name
    if not (case / "products" / "report.json").exists():
        before = dict(os.environ)
        os.environ.update(variables)
        words = ("--quality", "draft", "--no-proxies", "--workers", workers)
        footage = (flight / "images", flight / "clips")
        cost = run(aftermap_command("map", *footage, "--case", case, *words), work / f"{name}.log")
        os.environ.clear()
        os.environ.update(before)
        (work / f"{name}.cost.json").write_text(json.dumps(cost.figures()))
    return case


def figures_of(case: Path, first: Path, flight: Path) -> dict[str, Any]:
    """The heights against the truth, and what lies between these products and the first ones."""
    products = sorted(p for p in (first / "products").iterdir() if p.is_file())
    pairs = {p.name: (p, case / "products" / p.name) for p in products}
    return {
        "cpu_s": json.loads(case.with_name(f"{case.name}.cost.json").read_text())["cpu_s"],
        "height_nmad_m": height_nmad_m(case, flight),
        "other_products": [
            name for name, (one, other) in pairs.items() if list(differences_of(one, other))
        ],
        "spread": spread_between(first / "products", case / "products"),
    }


def height_nmad_m(case: Path, flight: Path) -> float:
    """NMAD of the surface against the truth, a common shift taken out."""
    found = overlaid(case / "products" / "surface.tif", flight / "truth" / "surface.tif")
    if found is None:
        return float("nan")
    off = (found[0] - found[1])[0]
    return float(nmad(off[np.isfinite(off)]))


if __name__ == "__main__":
    main()
