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
from aftermap.record.geometry import shapes_of
from aftermap.record.map_layers import (
    FeatureTable,
    TrackSecond,
    camera_features,
    clip_footprint_features,
    photo_footprint_features,
    street_features,
    track_seconds,
)
from aftermap.web.opened import OpenedCase, ResponseCache
from aftermap.web.place import CasePlace

KEPT_BYTES = 256 << 20
SIMPLER_M = 0.5
BREAK_S = 5.0
"""Seconds of a clip that are farther apart are not joined by a line."""


@dataclass
class Layers:
    """Makes the texts of layers."""

    case: OpenedCase
    _kept: ResponseCache[bytes] = field(default_factory=lambda: ResponseCache(KEPT_BYTES, len))

    def names(self) -> list[str]:
        """The layers that this case has something in."""
        return [name for name, (table, _) in MAKERS.items() if self.case.package.has_rows(table)]

    def text(self, name: str) -> bytes:
        """A layer as a GeoJSON FeatureCollection. Raises CaseError for an unknown name."""
        if name not in MAKERS:
            raise CaseError(f"{name[:40]}: is not a layer of this case")
        table, make = MAKERS[name]
        if not self.case.package.has_table(table):
            return collection(())
        key = name, self.case.generation
        return self._kept.get(key, lambda: make(self.case))


def collection(features: Sequence[str]) -> bytes:
    """Features in one text."""
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'.encode()


def geojson_features(table: FeatureTable, place: CasePlace, *, simpler_m: float = 0.0) -> list[str]:
    """A feature for each row of a layer, its outline made simpler by at most ``simpler_m``."""
    shapes = shapes_of([row.geometry for row in table.rows])
    if simpler_m:
        shapes = shapely.simplify(shapes, simpler_m)
    return [
        feature(row.number, text, dict(zip(table.names, row.values, strict=True)))
        for row, text in zip(table.rows, place.geojson(shapes), strict=True)
    ]


def feature(number: int, geometry: str | None, properties: dict[str, Any]) -> str:
    """One feature as text."""
    told = json.dumps(properties, separators=(",", ":"), ensure_ascii=False)
    return f'{{"type":"Feature","id":{number},"geometry":{geometry or "null"},"properties":{told}}}'


def _cameras(case: OpenedCase) -> bytes:
    return collection(geojson_features(camera_features(case.package), case.place))


def _photo_footprints(case: OpenedCase) -> bytes:
    found = photo_footprint_features(case.package)
    return collection(geojson_features(found, case.place, simpler_m=SIMPLER_M))


def _clip_footprints(case: OpenedCase) -> bytes:
    found = clip_footprint_features(case.package)
    return collection(geojson_features(found, case.place, simpler_m=SIMPLER_M))


def _tracks(case: OpenedCase) -> bytes:
    """The way of the camera of each clip, one line for each unbroken stretch."""
    lines: list[list[TrackSecond]] = []
    for second in track_seconds(case.package):
        if lines and _goes_on(lines[-1][-1], second):
            lines[-1].append(second)
        else:
            lines.append([second])
    features = []
    for number, line in enumerate((line for line in lines if len(line) > 1), start=1):
        xy = case.place.lonlat_deg(np.array([(one.east_m, one.north_m) for one in line], float))
        geometry = json.dumps({"type": "LineString", "coordinates": xy.tolist()})
        first = line[0]
        told = {"clip": first.clip, "sha256": first.sha256, "source": first.source}
        features.append(feature(number, geometry, told))
    return collection(features)


def _goes_on(last: TrackSecond, second: TrackSecond) -> bool:
    """Whether a second follows on another, in the same shot of the same clip."""
    is_same_shot = (last.sha256, last.shot) == (second.sha256, second.shot)
    return is_same_shot and second.from_s - last.to_s <= BREAK_S


def _streets(case: OpenedCase) -> bytes:
    return collection(geojson_features(street_features(case.package), case.place))


MAKERS: dict[str, tuple[str, Callable[[OpenedCase], bytes]]] = {
    "cameras": ("camera", _cameras),
    "photo_footprints": ("camera_footprint", _photo_footprints),
    "clip_footprints": ("clip_footprint", _clip_footprints),
    "tracks": ("segment", _tracks),
    "streets": ("street", _streets),
}
"""Each layer: the table that it needs, and how its text is made."""
