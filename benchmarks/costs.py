"""What a map costs: CPU seconds, peak memory (PSS of all processes), and the stages of its record.

    .venv/bin/python -m benchmarks.costs run LOG COMMAND...
    .venv/bin/python -m benchmarks.costs map FOOTAGE CASE [--source SRC] [WORDS of aftermap map...]
    .venv/bin/python -m benchmarks.costs fit CASE.cost.json...

`run` measures any command, such as a peer's, and keeps its cost beside LOG (CASE.peer.log makes
CASE.peer.cost.json, which surfaces.py puts beside ours). `map` runs `aftermap map` of the source
tree SRC (that of this checkout if none is named) and adds CPU seconds and peak memory of every
stage, from the case's record, and the disk that they held; it keeps them in
CASE.cost.json. `fit` makes of such files the coefficients that runs are estimated with
(stage_costs.py). Each prints a line of JSON. running.py says how costs are counted. A map that is
done in part (exit code 1) is measured all the same.
"""

import argparse
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from aftermap.estimate import as_kept, costs_from
from benchmarks.machine import circumstances, tidy
from benchmarks.running import run
from benchmarks.stage_costs import DiskWatch, case_workload, write_fit

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
    fit = ways.add_parser("fit", help="coefficients of estimates from kept costs")
    fit.add_argument("costs", type=Path, nargs="+")
    options, words = parser.parse_known_args()
    if options.way == "fit":
        written = json.loads(write_fit(options.costs, circumstances()).read_text("utf-8"))
        figures = as_kept(costs_from(written))
    elif options.way == "run":
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
    with DiskWatch(case) as disk:
        cost = run([*command, "--fresh"], log, allowed=(0, DONE_IN_PART))
    stages, left = stage_costs(case), disk.left_bytes()
    for name, peak in disk.peak_bytes.items():
        if name in stages:
            stages[name] |= {"peak_disk_bytes": peak, "left_disk_bytes": left[name]}
    figures = cost.figures() | {
        "stages": stages,
        "workers": _asked(words, "--workers", len(os.sched_getaffinity(0))),
        "workload": case_workload(case, _asked(words, "--quality", "standard")),
    }
    _keep(case.with_name(case.name + ".cost.json"), figures)
    return figures


def _asked(words: list[str], option: str, otherwise: Any) -> Any:
    """What a command line says of an option, in the kind of value that stands for none."""
    if option not in words:
        return otherwise
    return type(otherwise)(words[words.index(option) + 1])


def _keep(path: Path, figures: dict[str, Any]) -> None:
    path.write_text(json.dumps(tidy(figures), indent=1) + "\n", encoding="utf-8")


def stage_costs(case: Path) -> dict[str, dict[str, float]]:
    """Costs by stage of a case's newest run, from its record; empty where it has none."""
    record = case / "case.gpkg"
    if not record.exists():
        return {}
    with closing(sqlite3.connect(f"{record.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        kept = connection.execute("SELECT stages FROM run ORDER BY fid DESC LIMIT 1").fetchone()
    return {
        stage["stage"]: {key: stage[key] for key in STAGE_KEYS if stage.get(key) is not None}
        for stage in json.loads(kept[0] if kept and kept[0] else "[]")
    }


if __name__ == "__main__":
    main()
