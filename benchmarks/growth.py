"""How the cost of a map grows with its photographs: twin flights of 25 to 200, CPU per photograph.

    .venv/bin/python -m benchmarks.growth --case WORK [--photos 25 --photos 50 ...]
        [--size 800x600] [--quality draft]

Flights are made in WORK where they are missing (about 2.6 CPU seconds a photograph), mapped afresh
one after the other, and benchmarks/results/growth.json is written. A flight has whole lines, so it
may hold a few photographs more or less than was asked for. Peaks are of every stage by itself.
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
    parser.add_argument("--size", default="1200x900", help="of a photograph, in pixels")
    parser.add_argument("--quality", default="standard")
    options = parser.parse_args()
    flights = []
    for photos in options.photos or PHOTOS:
        flights.append(_flight_figures(photos, options.case, options.size, options.quality))
        print(json.dumps(tidy(flights[-1]), indent=1), flush=True)
    each = [flight["cpu_s_per_photograph"] for flight in flights]
    result = {"size": options.size, "quality": options.quality, "flights": flights}
    print(write_result("growth", result | {"last_over_first": each[-1] / each[0]}))


def _flight_figures(photos: int, work: Path, size: str, quality: str) -> dict[str, Any]:
    flight, case = work / f"flight_{photos}_{size}", work / f"case_{photos}_{size}_{quality}"
    if not (flight / "truth").exists():
        fly = aftermap_command("twin", flight, "--photos", photos, "--size", size)
        run(fly, flight.with_suffix(".log"))
    words = ("map", flight / "images", "--case", case, "--quality", quality, "--fresh")
    cost = run(aftermap_command(*words), case.with_suffix(".log"))
    report = json.loads((case / "products" / "report.json").read_text(encoding="utf-8"))
    count = report["photographs"]["given"]
    kept = report["cost"]["stages"]
    stages = {stage["stage"]: stage["cpu_s"] / count for stage in kept}
    return {
        "photographs": count,
        "mapped": report["photographs"]["mapped"],
        "area_m2": report["map"]["area_m2"],
        "cost": cost.figures(),
        "cpu_s_per_photograph": cost.cpu_s / count,
        "cpu_s_per_photograph_by_stage": stages,
        "peak_memory_bytes_by_stage": {one["stage"]: one["peak_memory_bytes"] for one in kept},
    }


if __name__ == "__main__":
    main()
