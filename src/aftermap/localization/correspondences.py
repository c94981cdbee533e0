"""``ties.csv``: places of a map clicked in a clip's pictures, read and checked line by line.

Columns, named by a header in any order: ``time_s`` or ``frame``, ``px``, ``py``, ``lon``, ``lat``
and optionally ``height``. Pixels count from the outer corner of the first stored pixel; longitude
and latitude are WGS 84 degrees; a height is in the case's vertical datum.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from aftermap.errors import ControlError

NEEDED = ("px", "py", "lon", "lat")
COLUMNS = "time_s or frame, px, py, lon, lat and optionally height"


@dataclass(frozen=True, kw_only=True)
class Correspondence:
    """One click. ``time_s`` or ``frame`` is set, never both; ``height_m`` None: the surface's."""

    line: int
    time_s: Fraction | None
    frame: int | None
    xy_px: tuple[float, float]
    lonlat_deg: tuple[float, float]
    height_m: float | None


def correspondences_in(path: Path) -> tuple[Correspondence, ...]:
    """The ties of a file, in its order.

    Raises ControlError with line and column of the first thing that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ControlError(f"{path}: is not a text file; save it as UTF-8 text") from error
    except OSError as error:
        raise ControlError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    rows = [
        (number, [cell.strip() for cell in row])
        for number, row in enumerate(csv.reader(text.splitlines()), start=1)
        if any(cell.strip() for cell in row)
    ]
    if not rows:
        raise ControlError(f"{path}: is empty; the first line names the columns: {COLUMNS}")
    header = _header(path, *rows[0])
    if len(rows) == 1:
        raise ControlError(f"{path}: has no points; give at least 6 lines below the header")
    return tuple(_tie(path, header, number, cells) for number, cells in rows[1:])


def by_moment(ties: Sequence[Correspondence]) -> dict[Fraction | int, tuple[Correspondence, ...]]:
    """The ties of each picture, by its time (Fraction) or frame number (int), in file order."""
    found: dict[Fraction | int, list[Correspondence]] = {}
    for tie in ties:
        moment = tie.time_s if tie.time_s is not None else tie.frame
        if moment is not None:
            # Fraction(2) == 2 would put second 2 and frame 2 together; a file has only one kind.
            found.setdefault(moment, []).append(tie)
    return {moment: tuple(group) for moment, group in found.items()}


def _header(path: Path, number: int, cells: Sequence[str]) -> list[str]:
    header = [cell.casefold() for cell in cells]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise ControlError(
            f"{path}, line {number}: the header has no column {missing[0]}; name {COLUMNS}"
        )
    if ("time_s" in header) == ("frame" in header):
        raise ControlError(f"{path}, line {number}: the header must name either time_s or frame")
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise ControlError(f"{path}, line {number}: column {twice[0]} is named twice; remove one")
    return header


def _tie(path: Path, header: Sequence[str], number: int, cells: Sequence[str]) -> Correspondence:
    if len(cells) != len(header):
        raise ControlError(
            f"{path}, line {number}: has {len(cells)} columns, the header has {len(header)}; give "
            "every column and leave an unknown height empty"
        )
    row = dict(zip(header, cells, strict=True))
    px, py, lon, lat = (_number(path, number, name, row[name]) for name in NEEDED)
    for name, value, limit in (("lon", lon, 180), ("lat", lat, 90)):
        if abs(value) > limit:
            raise ControlError(
                f"{path}, line {number}: {name} is {value:g}, beyond {limit} "
                "degrees; check that lon and lat are in degrees and not swapped"
            )
    height = row.get("height") or None
    return Correspondence(
        line=number,
        time_s=_time(path, number, row["time_s"]) if "time_s" in row else None,
        frame=_frame(path, number, row["frame"]) if "frame" in row else None,
        xy_px=(px, py),
        lonlat_deg=(lon, lat),
        height_m=None if height is None else _number(path, number, "height", height),
    )


def _number(path: Path, number: int, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ControlError(
            f"{path}, line {number}: {column} is {text!r}, which is not a number; correct it"
        )
    return value


def _time(path: Path, number: int, text: str) -> Fraction:
    _number(path, number, "time_s", text)
    return Fraction(text)


def _frame(path: Path, number: int, text: str) -> int:
    if not text.isdecimal():
        raise ControlError(
            f"{path}, line {number}: frame is {text!r}, not a whole number from 0; correct it"
        )
    return int(text)
