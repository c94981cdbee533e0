"""What is known of a camera and its picture's size -> how long its rolling shutter takes.

The facts are in ``readouts.csv``, each with who measured it, for photographs of the size that
was measured. A picture of the same width but another shape has the same time for each row, as
measured on cameras of both shapes (FC7203: 25 ms for 4:3, 19 ms for 16:9). One that is smaller
than all that are listed, of a camera with one entry, is taken to be a copy made smaller. Films
are not in it: their modes differ too much.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aftermap.model.camera import Readout


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """``size_px`` long side first; None: of any picture."""

    size_px: tuple[int, int] | None
    readout_s: float
    sigma_s: float
    source: str


def readout_of(make: str | None, model: str | None, size_px: tuple[int, int]) -> Readout | None:
    """The readout time of a photograph of (width, height) pixels; None where no table has it.

    Rows are read along the sensor's short side: a picture stored upright is not of it.
    """
    width_px, height_px = size_px
    entries = _entries().get(_key(make or "", model or ""), ())
    entry = _entry(entries, width_px)
    if entry is None:
        return None
    if entry.size_px is None:
        return Readout(readout_s=entry.readout_s, sigma_s=entry.sigma_s, basis=entry.source)
    if height_px > width_px:
        return None
    long_px, short_px = entry.size_px
    rows = (height_px / width_px) / (short_px / long_px)
    return Readout(
        readout_s=entry.readout_s * rows, sigma_s=entry.sigma_s * rows, basis=entry.source
    )


def _entry(entries: tuple[_Entry, ...], width_px: int) -> _Entry | None:
    for one in entries:
        if one.size_px is None or one.size_px[0] == width_px:
            return one
    if len(entries) == 1 and entries[0].size_px is not None and width_px < entries[0].size_px[0]:
        return entries[0]
    return None


def _key(make: str, model: str) -> tuple[str, str]:
    plain_make = re.sub(r"[^a-z0-9]", "", make.casefold())
    plain_model = re.sub(r"[^a-z0-9]", "", model.casefold())
    return plain_make, plain_model.removeprefix(plain_make) or plain_model


@cache
def _entries() -> Mapping[tuple[str, str], tuple[_Entry, ...]]:
    table: dict[tuple[str, str], tuple[_Entry, ...]] = {}
    text = (files("aftermap.frames") / "readouts.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        key = _key(row["make"], row["model"])
        sides = row["long_side_px"], row["short_side_px"]
        entry = _Entry(
            size_px=(int(sides[0]), int(sides[1])) if all(sides) else None,
            readout_s=float(row["readout_ms"]) / 1000,
            sigma_s=float(row["sigma_ms"] or 0) / 1000,
            source=row["source"],
        )
        table[key] = (*table.get(key, ()), entry)
    return table
