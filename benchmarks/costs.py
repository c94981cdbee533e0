"""What a map costs: CPU seconds, peak memory (PSS of all processes), and the stages of its record.

    .venv/bin/python -m benchmarks.costs run LOG COMMAND...
    .venv/bin/python -m benchmarks.costs map FOOTAGE CASE [--source SRC] [WORDS of aftermap map...]

`run` measures any command, such as a peer's, and keeps its cost beside LOG (CASE.peer.log makes
CASE.peer.cost.json, which surfaces.py puts beside ours). `map` runs `aftermap map` of the source
tree SRC (that of this checkout if none is named) and adds CPU seconds and peak memory of every
stage, where the case's report has them; it keeps them in CASE.cost.json. Each prints a line of
JSON. running.py says how costs are counted. A map that is done in part (exit code 1) is measured
all the same.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import tidy
from benchmarks.running import run

CHECKOUT = Path(__file__).resolve().parent.parent
DONE_IN_PART = 1
STAGE_KEYS = ("cpu_s", "peak_memory_bytes", "wall_s")


def main() -> None:
    """Measure what is named and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ways = parser.add_subparsers(dest="way", required=True)
    plain = ways.add_parser("run", help="any command")
    plain.add_argument("log", type=Path)
    plain.add_argument("command", nargs=argparse.REMAINDER)
    ours = ways.add_parser("map", help="aftermap map")
    ours.add_argument("footage", type=Path)
    ours.add_argument("case", type=Path)
    ours.add_argument("--source", type=Path, default=CHECKOUT / "src")
    options, words = parser.parse_known_args()
    if options.way == "run":
        figures = run(options.command + words, options.log).figures()
        _keep(options.log.with_suffix(".cost.json"), figures)
    else:
        figures = map_cost(options.footage, options.case, words, source=options.source)
    print(json.dumps(tidy(figures)))


def map_cost(footage: Path, case: Path, words: list[str], *, source: Path) -> dict[str, Any]:
    """`aftermap map` of a source tree, afresh, and what it cost by its own record as well."""
    program = "from aftermap.cli import main; main()"
    os.environ["PYTHONPATH"] = str(source)
    command = [sys.executable, "-c", program, "map", str(footage), "--case", str(case), *words]
    log = case.with_name(case.name + ".log")
    cost = run([*command, "--fresh"], log, allowed=(0, DONE_IN_PART))
    figures = cost.figures() | {"stages": stage_costs(case)}
    _keep(case.with_name(case.name + ".cost.json"), figures)
    return figures


def _keep(path: Path, figures: dict[str, Any]) -> None:
    path.write_text(json.dumps(tidy(figures), indent=1) + "\n", encoding="utf-8")


def stage_costs(case: Path) -> dict[str, dict[str, float]]:
    """Costs by stage as the case's report has them; empty where it has none."""
    report = case / "products" / "report.json"
    if not report.exists():
        return {}
    cost = json.loads(report.read_text(encoding="utf-8")).get("cost") or {}
    return {
        stage["stage"]: {key: stage[key] for key in STAGE_KEYS if stage.get(key) is not None}
        for stage in cost.get("stages", [])
    }


if __name__ == "__main__":
    main()
