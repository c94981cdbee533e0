"""Products of small cases made by two versions of Aftermap: are they equal?

    python -m benchmarks.equal_products make WORK [--shared FOLDER]
    python -m benchmarks.equal_products compare BEFORE AFTER

``make`` runs the practice flight, the field cases and the small cases of the benchmarks with the
aftermap of this Python (or of PYTHONPATH) and leaves a case of each in WORK. ``compare`` holds
two such folders against each other: rasters and pictures by pixel, tables, geometries and JSON by
value (``aftermap.workflows.product_values`` lists what may differ: words, times, versions,
identities of runs). A difference is printed; the exit
code is 1 where there is one.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from aftermap.workflows.product_values import WRITTEN_FOR_PEOPLE, differences_of

SHARED = Path(__file__).resolve().parents[2] / "shared"

IGNORED_FOLDERS = frozenset({"media", "stages"})

TELEMETRY_SUFFIXES = frozenset({".gpx", ".klv", ".raw", ".srt", ".ts"})
FOOTAGE_SUFFIXES = frozenset({".jpg", ".mp4", ".ts"})
FOOTPRINT_SUFFIXES = frozenset({".csv", ".geojson", ".gpkg", ".gz", ".json", ".parquet"})


def _commands(work: Path, shared: Path) -> Iterator[tuple[str, list[str | Path]]]:
    """A name and a command line, in the order in which they are run."""
    flight, practice = work / "flight", work / "practice"
    yield "twin", ["twin", flight, "--photos", "24", "--clips", "--clip-seconds", "12"]
    footprints = ["--footprints", flight / "truth/buildings.geojson"]
    footage = [flight / "images", flight / "clips"]
    yield "practice", ["map", *footage, "--case", practice, *footprints]
    yield "seen", ["seen", practice, "--at", _middle(flight), "--json"]
    yield "sample", ["sample", practice, "--size", "60"]
    yield "telemetry", ["telemetry", *_telemetry(shared / "data"), "--json"]
    pictures = sorted((shared / "data/brighton_beach/images").iterdir())
    yield "brighton", ["map", *pictures, "--case", work / "brighton"]
    fields = shared / "data/field_cases"
    plain = work / "field-practice"
    yield "field", ["map", fields / "practice/images", "--case", plain, "--quality", "draft"]
    for file in sorted(p for p in fields.glob("*/*") if p.is_file()):
        name = f"{file.parent.name}-{file.name}"
        if file.name.startswith("gcp"):
            case = work / name
            words = ["map", fields / "practice/images", "--gcp", file, "--case", case]
            yield name, [*words, "--quality", "draft"]
        elif file.suffix.lower() in FOOTPRINT_SUFFIXES:
            yield name, ["assess", plain, "--footprints", file]
    for folder in sorted(p for p in fields.iterdir() if p.is_dir() and p.name != "practice"):
        if any(p.suffix.lower() in FOOTAGE_SUFFIXES for p in folder.rglob("*")):
            case = work / folder.name
            yield folder.name, ["map", folder, "--case", case, "--quality", "draft"]


def _telemetry(data: Path) -> list[Path]:
    return sorted(p for p in data.glob("*/*") if p.suffix.lower() in TELEMETRY_SUFFIXES)


def _middle(flight: Path) -> str:
    """The middle of the practice flight's buildings, as ``--at`` takes it."""
    shapes = json.loads((flight / "truth/buildings.geojson").read_text())["features"]
    rings = [shape["geometry"]["coordinates"][0] for shape in shapes]
    lon, lat = np.mean([np.mean(np.array(ring)[:, :2], axis=0) for ring in rings], axis=0)
    return f"{lon:.7f},{lat:.7f}"


def make(work: Path, shared: Path) -> None:
    """Leaves a case of each kind in ``work``, with what each command printed."""
    work.mkdir(parents=True, exist_ok=True)
    for name, words in _commands(work, shared):
        _run([str(word) for word in words], work / f"{name}.log")


def _run(words: Sequence[str], log: Path) -> None:
    print("$ aftermap", *words, flush=True)
    if log.exists():
        print("  done before")
        return
    program = "import sys; from aftermap.cli import main; sys.exit(main())"
    running = [sys.executable, "-c", program, *words]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(running, capture_output=True, text=True, check=False, env=environment)
    if "--json" in words:
        log.with_suffix(".json").write_text(done.stdout)
    log.write_text(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    print(f"  exit {done.returncode}", flush=True)


def compare(before: Path, after: Path) -> list[str]:
    """What differs, a line each."""
    differences = []
    names = sorted({*_files(before), *_files(after)})
    for name in names:
        first, second = before / name, after / name
        if not first.exists() or not second.exists():
            differences.append(f"{name}: only {'after' if second.exists() else 'before'}")
            continue
        differences += [f"{name}: {what}" for what in differences_of(first, second)]
    return differences


def exits(before: Path, after: Path) -> list[str]:
    """Commands that ended with another code, a line each."""
    return [
        f"{log.name}: {_code(log)} before, {_code(after / log.relative_to(before))} after"
        for log in sorted(before.rglob("*.log"))
        if _code(log) != _code(after / log.relative_to(before))
    ]


def _code(log: Path) -> str:
    return log.read_text().split("\n", 1)[0] if log.exists() else "not run"


def _files(root: Path) -> Iterator[str]:
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if IGNORED_FOLDERS.intersection(parts) or path.suffix in WRITTEN_FOR_PEOPLE:
            continue
        if path.is_file() and path.name != ".lock":
            yield str(path.relative_to(root))


def main() -> None:
    """The command line: see the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    making = commands.add_parser("make")
    making.add_argument("work", type=Path)
    making.add_argument("--shared", type=Path, default=SHARED)
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    asked = parser.parse_args()
    if asked.what == "make":
        make(asked.work, asked.shared)
        return
    found = [*exits(asked.before, asked.after), *compare(asked.before, asked.after)]
    print("\n".join(found[:200]))
    print(f"{len(found)} differences" if found else "equal")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
