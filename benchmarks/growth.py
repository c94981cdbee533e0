"""How the cost of a map grows with its photographs: twin flights of 25 to 200, CPU per photograph.

    .venv/bin/python -m benchmarks.growth --case WORK [--photos 25 --photos 50 ...]

Flights are made in WORK where they are missing (about 2.6 CPU seconds a photograph), mapped afresh
one after the other (`standard`), and benchmarks/results/growth.json is written. A flight has whole
lines, so it may hold a few photographs more or less than was asked for.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.machine import tidy, write_result
from benchmarks.running import aftermap_command, run

PHOTOS = (25, 50, 100, 200)


def main() -> None:
    """Fly, map and write down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--case", type=Path, required=True, help="work folder")
    parser.add_argument("--photos", type=int, action="append", help="size of a flight")
    options = parser.parse_args()
    flights = []
    for photos in options.photos or PHOTOS:
        flights.append(_flight_figures(photos, options.case))
        print(json.dumps(tidy(flights[-1]), indent=1), flush=True)
    each = [flight["cpu_s_per_photograph"] for flight in flights]
    print(write_result("growth", {"flights": flights, "last_over_first": each[-1] / each[0]}))


def _flight_figures(photos: int, work: Path) -> dict[str, Any]:
    flight, case = work / f"flight_{photos}", work / f"case_{photos}"
    if not (flight / "truth").exists():
        run(aftermap_command("twin", flight, "--photos", photos), work / f"flight_{photos}.log")
    words = ("map", flight / "images", "--case", case, "--quality", "standard", "--fresh")
    cost = run(aftermap_command(*words), work / f"case_{photos}.log")
    report = json.loads((case / "products" / "report.json").read_text(encoding="utf-8"))
    count = report["photographs"]["given"]
    stages = {stage["stage"]: stage["cpu_s"] / count for stage in report["cost"]["stages"]}
    return {
        "photographs": count,
        "mapped": report["photographs"]["mapped"],
        "area_m2": report["map"]["area_m2"],
        "cost": cost.figures(),
        "cpu_s_per_photograph": cost.cpu_s / count,
        "cpu_s_per_photograph_by_stage": stages,
    }


if __name__ == "__main__":
    main()
