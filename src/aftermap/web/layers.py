"""The record's layers as GeoJSON texts (RFC 7946), each kept until another run has finished.

A layer is sent whole: 25,000 buildings are some megabytes on loopback, and the page then finds,
colours and filters them without asking again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from aftermap.errors import CaseError
from aftermap.web.opened import OpenedCase, ResponseCache
from aftermap.web.place import CasePlace, shapes_of

KEPT_BYTES = 256 << 20
SIMPLER_M = 0.5
BREAK_S = 5.0
"""Seconds of a clip that are farther apart are not joined by a line."""

Rows = list[tuple[Any, ...]]


@dataclass
class Layers:
    """Makes the texts of layers."""

    case: OpenedCase
    _kept: ResponseCache[bytes] = field(default_factory=lambda: ResponseCache(KEPT_BYTES, len))

    def names(self) -> list[str]:
        """The layers that this case has something in."""
        return [
            name
            for name, (table, _) in MAKERS.items()
            if self.case.has(table) and self.case.rows(f'SELECT 1 FROM "{table}" LIMIT 1')  # noqa: S608 - ours
        ]

    def text(self, name: str) -> bytes:
        """A layer as a GeoJSON FeatureCollection."""
        if name not in MAKERS:
            raise CaseError(f"{name[:40]}: there is no such layer")
        table, make = MAKERS[name]
        if not self.case.has(table):
            return collection(())
        key = name, self.case.generation
        return self._kept.get(key, lambda: make(self.case))


def collection(features: Sequence[str]) -> bytes:
    """Features in one text."""
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'.encode()


def geojson_features(
    rows: Rows, names: Sequence[str], place: CasePlace, *, simpler_m: float = 0.0
) -> list[str]:
    """A feature for each row: its number, its geometry, then the properties that ``names`` name."""
    shapes = shapes_of([row[1] for row in rows])
    if simpler_m:
        shapes = shapely.simplify(shapes, simpler_m)
    return [
        feature(row[0], text, dict(zip(names, row[2:], strict=True)))
        for row, text in zip(rows, place.geojson(shapes), strict=True)
    ]


def feature(number: int, geometry: str | None, properties: dict[str, Any]) -> str:
    """One feature as text."""
    told = json.dumps(properties, separators=(",", ":"), ensure_ascii=False)
    return f'{{"type":"Feature","id":{number},"geometry":{geometry or "null"},"properties":{told}}}'


def _cameras(case: OpenedCase) -> bytes:
    names = ("name", "sha256", "mapped", "reason", "height_m", "frame")
    sql = (
        "SELECT c.fid, c.geom, c.name, c.sha256, c.mapped, c.reason, round(c.height_m, 1), "
        "m.sha256 IS NULL FROM camera c LEFT JOIN media m ON m.sha256 = c.sha256 WHERE c.registered"
    )
    return collection(geojson_features(case.rows(sql), names, case.place))


def _photo_footprints(case: OpenedCase) -> bytes:
    sql = (
        "SELECT p.fid, p.geom, p.name, p.sha256 FROM camera_footprint p "
        "JOIN media m ON m.sha256 = p.sha256"
    )
    return collection(
        geojson_features(case.rows(sql), ("name", "sha256"), case.place, simpler_m=SIMPLER_M)
    )


def _clip_footprints(case: OpenedCase) -> bytes:
    sql = (
        "SELECT f.fid, f.geom, f.clip, f.source, round(f.ce90_m, 1), s.clip_sha256, s.from_s "
        "FROM clip_footprint f JOIN segment s ON s.fid = f.fid"
    )
    names = ("clip", "source", "ce90_m", "sha256", "from_s")
    return collection(geojson_features(case.rows(sql), names, case.place, simpler_m=SIMPLER_M))


def _tracks(case: OpenedCase) -> bytes:
    """The way of the camera of each clip, one line for each unbroken stretch."""
    rows = case.rows(
        "SELECT clip, clip_sha256, shot, from_s, to_s, camera_east_m, camera_north_m, source "
        "FROM segment ORDER BY clip_sha256, shot, from_s"
    )
    lines: list[list[tuple[Any, ...]]] = []
    for row in rows:
        last = lines[-1][-1] if lines else None
        follows = last is not None and last[1:3] == row[1:3] and row[3] - last[4] <= BREAK_S
        if follows:
            lines[-1].append(row)
        else:
            lines.append([row])
    features = []
    for number, line in enumerate((line for line in lines if len(line) > 1), start=1):
        xy = case.place.lonlat_deg(np.array([row[5:7] for row in line], float))
        geometry = json.dumps({"type": "LineString", "coordinates": xy.tolist()})
        told = {"clip": line[0][0], "sha256": line[0][1], "source": line[0][7]}
        features.append(feature(number, geometry, told))
    return collection(features)


def _streets(case: OpenedCase) -> bytes:
    names = [
        name
        for (name,) in case.rows("SELECT name FROM pragma_table_info('street')")
        if name not in ("fid", "geom")
    ]
    shown = ", ".join(f'"{name}"' for name in names)
    rows = case.rows(f"SELECT fid, geom, {shown} FROM street")  # noqa: S608 - the record's own
    return collection(geojson_features(rows, names, case.place))


MAKERS: dict[str, tuple[str, Callable[[OpenedCase], bytes]]] = {
    "cameras": ("camera", _cameras),
    "photo_footprints": ("camera_footprint", _photo_footprints),
    "clip_footprints": ("clip_footprint", _clip_footprints),
    "tracks": ("segment", _tracks),
    "streets": ("street", _streets),
}
"""Each layer: the table that it needs, and how its text is made."""
