"""UNOSAT's points of Raqqa read, crosswalked, written in UNOSAT's schema and read again.

    .venv/bin/python -m benchmarks.unosat [--data DIR]

Writes benchmarks/results/unosat.json.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import shapely

from aftermap.assessment.reference_assessment import ReferenceOptions, other_assessment
from aftermap.assessment.scales import Scale
from aftermap.publish.exchange.unosat import write_unosat
from aftermap.workflows.compare import unosat_sites
from benchmarks.machine import write_result

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
ASKED = ReferenceOptions(
    scale=Scale.UNOSAT_RECODED, layer="raqqa_damage", field="2017-10-21", crs="EPSG:4326"
)


def main() -> None:
    """Make the round trip and write what was lost on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    folder = parser.parse_args().data / "unosat"
    began_s = time.process_time()
    first = other_assessment(folder / "raqqa_damage.gpkg", ASKED)
    sites, skipped = unosat_sites(first)
    with tempfile.TemporaryDirectory() as place:
        path = write_unosat(Path(place) / "raqqa.gpkg", sites)
        again = other_assessment(path, ReferenceOptions(scale=Scale.UNOSAT))
    pairs = list(zip(first.codes, again.codes, strict=True))
    apart = shapely.distance(first.shapes, again.shapes)
    figures = {
        "points": len(first.codes),
        "rated_in_3_classes": sum(again.counts()[code] for code in "123"),
        "no_visible_damage": again.counts()["6"],
        "kept_apart_without_a_rating": again.counts()[""],
        "by_code_before": first.counts(),
        "by_code_after": again.counts(),
        "left_out": len(skipped),
        "changed": sum((a and a.grades) != (b and b.grades) for a, b in pairs),
        "moved_most_deg": float(np.max(apart)),
        "cpu_s": time.process_time() - began_s,
    }
    print(write_result("unosat", figures))
    print(figures)


if __name__ == "__main__":
    main()
