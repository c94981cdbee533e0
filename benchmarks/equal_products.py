"""Products of small cases made by two versions of Aftermap: are they equal?

    python -m benchmarks.equal_products make WORK [--shared FOLDER]
    python -m benchmarks.equal_products compare BEFORE AFTER

``make`` runs the practice flight, the field cases and the small cases of the benchmarks with the
aftermap of this Python (or of PYTHONPATH) and leaves a case of each in WORK. ``compare`` holds
two such folders against each other: rasters and pictures by pixel, tables, geometries and JSON by
value, the point cloud and the mesh by their bytes. What may differ is listed here: IGNORED_KEYS and
the lists after it (words, times, versions, identities of runs). A difference is printed; the exit
code is 1 where there is one.
"""

import argparse
import csv
import json
import math
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from PIL import Image

SHARED = Path(__file__).resolve().parents[2] / "shared"

# Times, versions, identities of runs, and sentences: none of them is a result.
IGNORED_KEYS = frozenset(
    [
        "added_at",
        "at",
        "command",
        "cpu_s",
        "created",
        "created_at",
        "datetime",
        "description",
        "detail",
        "digest",
        "end_datetime",
        "ended_at",
        "entry_sha256",
        "error",
        "fid",
        "file:checksum",
        "file:size",
        "finished_at",
        "generated_at",
        "generator",
        "host",
        "href",
        "keywords",
        "last_change",
        "lines",
        "made_at",
        "message",
        "note",
        "notes",
        "options",
        "peak_memory_bytes",
        "previous_sha256",
        "processing:version",
        "reason",
        "run",
        "run_id",
        "run_uuid",
        "seconds",
        "software",
        "stage_key",
        "stage_version",
        "stages",
        "start_datetime",
        "started_at",
        "styleQML",
        "summary",
        "text",
        "timestamp",
        "title",
        "tool_versions",
        "update_date",
        "updated",
        "updated_at",
        "version",
        "versions",
        "wall_s",
        "words",
    ]
)
# Tables of runs and of custody tell of the run, not of the footage.
IGNORED_TABLES = frozenset(
    [
        "case_info",
        "custody",
        "gpkg_contents",
        "gpkg_extensions",
        "gpkg_ogr_contents",
        "layer_styles",
        "run",
        "sqlite_sequence",
        "stage_run",
    ]
)
# Words for people, and what is compared through other files.
IGNORED_SUFFIXES = frozenset({".html", ".log", ".md", ".qml", ".svg", ".toml", ".vrt"})
IGNORED_FOLDERS = frozenset({"media", "stages"})

TELEMETRY_SUFFIXES = frozenset({".gpx", ".klv", ".raw", ".srt", ".ts"})
FOOTAGE_SUFFIXES = frozenset({".jpg", ".mp4", ".ts"})
FOOTPRINT_SUFFIXES = frozenset({".csv", ".geojson", ".gpkg", ".gz", ".json", ".parquet"})

RASTERS = frozenset({".tif", ".tiff"})
PICTURES = frozenset({".jpeg", ".jpg", ".png", ".webp"})


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
        differences += [f"{name}: {what}" for what in _file_differences(first, second)]
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
        if IGNORED_FOLDERS.intersection(parts) or path.suffix in IGNORED_SUFFIXES:
            continue
        if path.is_file() and path.name != ".lock":
            yield str(path.relative_to(root))


def _file_differences(first: Path, second: Path) -> Iterator[str]:
    suffix = first.suffix.lower()
    if suffix in RASTERS:
        yield from _raster_differences(first, second)
    elif suffix in PICTURES:
        with Image.open(first) as one, Image.open(second) as other:
            if not np.array_equal(np.asarray(one), np.asarray(other)):
                yield "other pixels"
    elif suffix == ".gpkg":
        yield from _table_differences(first, second)
    elif suffix in {".json", ".geojson"}:
        one, other = (json.loads(p.read_text()) for p in (first, second))
        yield from _value_differences(one, other, "")
    elif suffix == ".csv":
        one, other = (list(csv.DictReader(p.read_text().splitlines())) for p in (first, second))
        yield from _value_differences(one, other, "")
    elif suffix in {".xlsx", ".zip"}:
        with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
            if sorted(one.namelist()) != sorted(other.namelist()):
                yield "other members"
    elif first.read_bytes() != second.read_bytes():
        yield "other bytes"


def _raster_differences(first: Path, second: Path) -> Iterator[str]:
    with rasterio.open(first) as one, rasterio.open(second) as other:
        for what in ("shape", "transform", "crs", "nodata", "dtypes", "count"):
            if str(getattr(one, what)) != str(getattr(other, what)):
                yield f"{what} {getattr(one, what)} before, {getattr(other, what)} after"
                return
        differing = ~np.isclose(one.read(), other.read(), rtol=0, atol=0, equal_nan=True)
        if differing.any():
            yield f"{int(differing.sum())} of {differing.size} pixels differ"


def _table_differences(first: Path, second: Path) -> Iterator[str]:
    one, other = (sqlite3.connect(f"file:{p}?mode=ro", uri=True) for p in (first, second))
    tables = [
        {
            name
            for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith("rtree") and name not in IGNORED_TABLES
        }
        for base in (one, other)
    ]
    for name in sorted(tables[0] ^ tables[1]):
        yield f"table {name} only {'before' if name in tables[0] else 'after'}"
    for name in sorted(tables[0] & tables[1]):
        yield from _value_differences(_rows(one, name), _rows(other, name), name)


def _rows(base: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    base.row_factory = sqlite3.Row
    rows = [dict(row) for row in base.execute(f'SELECT * FROM "{table}"')]  # noqa: S608 - own table
    return sorted(rows, key=lambda row: str([v for k, v in row.items() if k not in IGNORED_KEYS]))


def _value_differences(one: Any, other: Any, where: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if key in IGNORED_KEYS:
                continue
            if (key in one) != (key in other):
                yield f"{where}.{key} only {'before' if key in one else 'after'}"
            else:
                yield from _value_differences(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{where}: {len(one)} before, {len(other)} after"
            return
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _value_differences(a, b, f"{where}[{index}]")
    elif not _same(one, other):
        yield f"{where}: {_short(one)} before, {_short(other)} after"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _as_json(one, other)
    return bool(one == other)


def _as_json(one: str, other: str) -> bool:
    """JSON in a text column is held by value too."""
    if not (one[:1] in "{[" and other[:1] in "{["):
        return False
    try:
        return not list(_value_differences(json.loads(one), json.loads(other), ""))
    except ValueError:
        return False


def _short(value: Any) -> str:
    return re.sub(r"\s+", " ", repr(value))[:80]


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
