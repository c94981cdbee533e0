"""Two files of one product -> what differs between them by value, and not only by their bytes.

Rasters and pictures are held against each other by pixel, tables, geometries and JSON by value,
point clouds by their points, everything else by bytes. Times, versions, identities of runs and
sentences are no results; they are listed here.
"""

import csv
import json
import math
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import rasterio
from PIL import Image

from aftermap.record.result_tables import result_tables, rows_of_file

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
# Words for people, and what is compared through other files.
WRITTEN_FOR_PEOPLE = frozenset({".html", ".log", ".md", ".qml", ".svg", ".toml", ".vrt"})

RASTERS = frozenset({".tif", ".tiff"})
PICTURES = frozenset({".jpeg", ".jpg", ".png", ".webp"})


def differences_of(first: Path, second: Path) -> Iterator[str]:
    """What differs between two files of one kind, a line each; nothing where they hold the same."""
    if first.read_bytes() == second.read_bytes():
        return
    suffix = first.suffix.lower()
    if suffix in RASTERS:
        yield from _raster_differences(first, second)
    elif suffix in PICTURES:
        yield from _picture_differences(first, second)
    elif suffix == ".gpkg":
        yield from _table_differences(first, second)
    elif suffix in {".json", ".geojson"}:
        one, other = (json.loads(path.read_text(encoding="utf-8")) for path in (first, second))
        yield from _value_differences(one, other, "")
    elif suffix == ".csv":
        lines = (path.read_text(encoding="utf-8").splitlines() for path in (first, second))
        one, other = (list(csv.DictReader(rows)) for rows in lines)
        yield from _value_differences(one, other, "")
    elif suffix in {".xlsx", ".zip"}:
        yield from _archive_differences(first, second)
    elif suffix == ".laz":
        yield from _point_differences(first, second)
    else:
        yield "other bytes"


def _picture_differences(first: Path, second: Path) -> Iterator[str]:
    with Image.open(first) as one, Image.open(second) as other:
        if not np.array_equal(np.asarray(one), np.asarray(other)):
            yield "other pixels"


def _archive_differences(first: Path, second: Path) -> Iterator[str]:
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        if sorted(one.namelist()) != sorted(other.namelist()):
            yield "other members"


def _point_differences(first: Path, second: Path) -> Iterator[str]:
    """The header of a point cloud holds the day on which it was written; its points count."""
    one, other = laspy.read(first), laspy.read(second)
    if not np.array_equal(one.points.array, other.points.array):
        yield f"other points ({len(one.points)} before, {len(other.points)} after)"


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
    names, others = (result_tables(path) for path in (first, second))
    for name in sorted(names ^ others):
        yield f"table {name} only {'before' if name in names else 'after'}"
    for name in sorted(names & others):
        one, other = (sorted(rows_of_file(path, name), key=_values) for path in (first, second))
        yield from _value_differences(one, other, name)


def _values(row: dict[str, Any]) -> str:
    return str([value for name, value in row.items() if name not in IGNORED_KEYS])


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
