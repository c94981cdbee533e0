"""A file of building footprints -> outlines in the CRS of the map, and what is wrong with the rest.

Anything that GDAL reads, in any CRS. What is kept is valid, flat, areal, within ``NEAR_M`` of the
map and drawn once; an outline is never moved or simplified here. docs/reference/footprints.md.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from aftermap.buildings.outline_repair import (
    counted,
    doubles,
    has_broken_coordinates,
    too_small,
    valid_areas,
)
from aftermap.buildings.shape_file import ShapeLayer, features_in, sha256_of
from aftermap.errors import CrsError, InputError
from aftermap.geo.arrays import Array, BoolArray, IntArray, ObjectArray
from aftermap.geo.crs import LOCAL, transformed_xy
from aftermap.geo.crs_operation import CrsOperation, operation_over
from aftermap.geo.polygon import polygons_of
from aftermap.model.building import Footprint, FootprintSet
from aftermap.model.runs import skipped_in_order

Box = tuple[float, float, float, float]

ID_FIELDS = ("osm_id", "id")
WAY_FIELD = "osm_way_id"
LEVEL_FIELDS = ("building:levels", "building_levels", "building_l", "levels")
TAGS_FIELD = "other_tags"
BUILDING_FIELD = "building"
WANTED_FIELDS = (*ID_FIELDS, WAY_FIELD, *LEVEL_FIELDS, TAGS_FIELD, BUILDING_FIELD)
NEAR_M = 100.0
"""Outlines within this of the map's box belong to the case; the others are of another place."""
REACH_M = 5000.0
"""No building ends so far beyond the map: a place of it must be wrong."""
MOST_LEVELS = 200
_TAG = re.compile(r'"building:levels"=>"([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class _Ids:
    names: tuple[str, ...]
    field: str
    notes: tuple[str, ...]


def footprints_in(
    path: Path,
    *,
    id_field: str | None,
    crs: str | None,
    map_crs: str,
    area_m: Box,
    layer: str | None = None,
    confirmed: Collection[str] = (),
) -> FootprintSet:
    """The footprints of a file that lie on the map, ``area_m``, in ``map_crs``.

    ``crs`` is that of a file that names none; ``confirmed`` are CRSs that the user stands by
    outside their area of use. Raises InputError or CrsError where none is usable.
    """
    wanted = (*WANTED_FIELDS, id_field) if id_field else WANTED_FIELDS
    features = features_in(path, layer=layer, wanted=wanted)
    file_crs, crs_notes = _crs_of(features, crs, map_crs)
    into_map = operation_over(f"{path.name}, footprints", file_crs, map_crs, area_m, confirmed)
    ids = _ids_of(features, id_field)
    reasons = _no_areas(features) | _no_buildings(features)
    shapes, far = _on_map(features, reasons, into_map, (file_crs, map_crs), area_m)
    reasons |= far
    usable = np.array([i for i in range(len(shapes)) if i not in reasons], np.int64)
    clean = valid_areas(shapes[usable])
    reasons |= {int(usable[place]): reason for place, reason in clean.reasons.items()}
    usable = np.delete(usable, sorted(clean.reasons))
    areas = np.delete(clean.shapes, sorted(clean.reasons))
    worse, overlapping = _unfit(areas, [ids.names[i] for i in usable])
    reasons |= {int(usable[place]): reason for place, reason in worse.items()}
    kept = [place for place in range(len(usable)) if place not in worse]
    _refuse_nothing(features, ids, reasons, kept)
    flattened = _height_notes(features.shapes[usable[kept]])
    notes = (*crs_notes, *ids.notes, *clean.notes, *overlapping, *flattened)
    told = () if into_map.transformation is None else (str(into_map.transformation),)
    return FootprintSet(
        crs=map_crs,
        file_name=path.name,
        file_sha256=sha256_of(path),
        id_field=ids.field,
        footprints=_footprints(features, ids.names, usable[kept], areas[kept]),
        skipped=skipped_in_order([one_line(name) for name in ids.names], reasons, "outline"),
        notes=(*told, *(f"{path.name}: {note}" for note in notes)),
        transformation=into_map.transformation,
    )


def _height_notes(shapes: ObjectArray) -> list[str]:
    raised = int(shapely.has_z(shapes).sum())
    return [f"{counted(raised)} with heights; the heights were ignored"] if raised else []


def _footprints(
    features: ShapeLayer, names: Sequence[str], places: IntArray, areas: ObjectArray
) -> tuple[Footprint, ...]:
    """The footprints of the features at ``places``, with their areas in the map's CRS."""
    levels = _levels_of(features)
    return tuple(
        Footprint(
            source_id=names[place],
            feature=int(place),
            polygons_m=polygons_of(area),
            area_m2=float(area.area),
            levels=levels[place],
        )
        for place, area in zip(places, areas, strict=True)
    )


def _crs_of(features: ShapeLayer, given: str | None, map_crs: str) -> tuple[str, list[str]]:
    """The CRS to read the file in, in two dimensions, and what to say of it."""
    if map_crs == LOCAL:
        if given == LOCAL:
            return LOCAL, []
        raise CrsError(
            f"{features.path}: the case has no place on the globe, so footprints cannot be laid on "
            "it; map it with positions or control points, or draw footprints on its own picture "
            f"and name --footprints-crs {LOCAL}"
        )
    named = given or features.crs
    if named is None:
        raise CrsError(
            f"{features.path}: names no CRS; say in which one its outlines are with "
            "--footprints-crs, such as EPSG:4326"
        )
    notes = []
    if given is not None and features.crs is not None and given != features.crs:
        notes.append(f"read as {given}, as requested, not in the CRS of the file")
    try:
        return str(CRS.from_user_input(named).to_2d().to_wkt()), notes
    except CRSError as error:
        raise CrsError(
            f"{features.path}: its CRS is not one this installation knows ({named[:60]!r}); "
            "name it by its code with --footprints-crs, such as EPSG:4326"
        ) from error


def _ids_of(features: ShapeLayer, id_field: str | None) -> _Ids:
    by_name = {name.casefold(): name for name in features.fields}
    if id_field is not None and id_field.casefold() not in by_name:
        raise InputError(
            f"{features.path}: has no field {id_field!r}; name another with --id-field, or none"
        )
    candidates = (id_field,) if id_field is not None else (*ID_FIELDS, WAY_FIELD)
    field = next((by_name[n.casefold()] for n in candidates if n.casefold() in by_name), None)
    count = len(features.shapes)
    texts = [_text(v) for v in features.fields[field]] if field else [None] * count
    if field and field.casefold() == "osm_id" and WAY_FIELD in by_name:
        ways = features.fields[by_name[WAY_FIELD]]
        texts = [one or _text(other) for one, other in zip(texts, ways, strict=True)]
    notes = []
    nameless = sum(text is None for text in texts)
    if nameless:
        which = "there is no field of ids" if field is None else f"{counted(nameless)} without id"
        notes.append(f"{which}: the feature's number in the file is used")
    filled = [text or str(n) for text, n in zip(texts, features.numbers.tolist(), strict=True)]
    names, repeated = _unique(filled)
    if repeated:
        notes.append(f"{counted(repeated, 'id')} given again: the second is called ID#2, and so on")
    return _Ids(names=names, field=field or "feature", notes=tuple(notes))


def _unique(names: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """The names, made unique by ``#2`` and so on; and how many had to be."""
    taken, out, repeated = set(names), [], 0
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        if seen[name] == 1:
            out.append(name)
            continue
        repeated += 1
        while f"{name}#{seen[name]}" in taken:
            seen[name] += 1
        out.append(f"{name}#{seen[name]}")
        taken.add(out[-1])
    return tuple(out), repeated


def _text(value: object) -> str | None:
    """A field's value as text; None where it is empty. Whole floats are numbers of objects."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def _levels_of(features: ShapeLayer) -> list[float | None]:
    """Storeys by feature, from the first field that names them, else from OSM's other tags."""
    by_name = {name.casefold(): features.fields[name] for name in features.fields}
    levels: list[float | None] = [None] * len(features.shapes)
    for name in (*LEVEL_FIELDS, TAGS_FIELD):
        for place, value in enumerate(by_name.get(name, ())):
            text = _text(value)
            if levels[place] is None and text is not None:
                tag = _TAG.search(text) if name == TAGS_FIELD else None
                levels[place] = _number(tag[1] if tag else text)
    return levels


def _number(text: str) -> float | None:
    try:
        levels = float(text.replace(",", "."))
    except ValueError:
        return None
    return levels if 0 < levels <= MOST_LEVELS else None


def _no_areas(features: ShapeLayer) -> dict[int, str]:
    """Features without a usable shape; an error where the file holds no area at all."""
    broken = has_broken_coordinates(features.shapes)
    reasons = dict.fromkeys(
        np.flatnonzero(broken).tolist(), "has a coordinate that is not a number"
    )
    kinds = shapely.get_type_id(features.shapes)
    if not np.isin(kinds, (3, 6, 7)).any():
        held = {"nothing" if k < 0 else "points or lines" for k in kinds.tolist()} or {"nothing"}
        raise InputError(
            f"{features.path}, layer {features.layer}: holds no polygons "
            f"({' and '.join(sorted(held))}); footprints are areas, give a file of those"
        )
    return reasons


def _no_buildings(features: ShapeLayer) -> dict[int, str]:
    """Areas that the file itself calls no building, where it says so of its others (OSM)."""
    field = next((n for n in features.fields if n.casefold() == BUILDING_FIELD), None)
    if field is None:
        return {}
    words = [_text(value) for value in features.fields[field]]
    if not any(word is not None and word != "no" for word in words):
        return {}
    reason = "is not a building: its tag building is empty or no"
    return {i: reason for i, word in enumerate(words) if word is None or word == "no"}


def _on_map(
    features: ShapeLayer,
    known: Mapping[int, str],
    into_map: CrsOperation,
    crs: tuple[str, str],
    area_m: Box,
) -> tuple[ObjectArray, dict[int, str]]:
    """(N,) the shapes on the map in its CRS, None elsewhere, and why others are not on it.

    ``crs`` are those of the file and of the map.

    Outlines are sought in the file's CRS first, so that one that lies anywhere (or nowhere on the
    globe) stops none of the others.
    """
    near = _seen_from(*crs, area_m, NEAR_M)
    reach = _seen_from(*crs, area_m, REACH_M)
    bounds = shapely.bounds(features.shapes)
    there = np.isfinite(bounds).all(1) & np.array([i not in known for i in range(len(bounds))])
    close, inside = there & _touching(bounds, near), _within(bounds, reach)
    moved = np.full(len(bounds), None, object)
    moved[close & inside] = shapely.transform(features.shapes[close & inside], into_map.moved_xy)
    grown = (*(value - NEAR_M for value in area_m[:2]), *(value + NEAR_M for value in area_m[2:]))
    close &= ~inside | _touching(shapely.bounds(moved), np.array(grown))
    if there.any() and not close.any():
        _refuse_far(features.path, bounds[there], _seen_from(*crs, area_m, 0.0))
    beyond = f"is more than {NEAR_M:g} m outside the map"
    out = dict.fromkeys(np.flatnonzero(there & ~close).tolist(), beyond)
    far = f"reaches more than {REACH_M / 1000:g} km beyond the map; one of its corners is wrong"
    return moved, out | dict.fromkeys(np.flatnonzero(close & ~inside).tolist(), far)


def _seen_from(file_crs: str, map_crs: str, area_m: Box, margin_m: float) -> Array:
    """The map's box with a margin as a box in the file's CRS: x and y from, x and y to."""
    west, south, east, north = area_m
    x = np.linspace(west - margin_m, east + margin_m, 9)
    y = np.linspace(south - margin_m, north + margin_m, 9)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    xy = transformed_xy(map_crs, file_crs, places)
    return np.concatenate([xy.min(0), xy.max(0)])


def _touching(bounds: Array, box: Array) -> BoolArray:
    return np.asarray((bounds[:, :2] <= box[2:]).all(1) & (bounds[:, 2:] >= box[:2]).all(1))


def _within(bounds: Array, box: Array) -> BoolArray:
    return np.asarray((bounds[:, :2] >= box[:2]).all(1) & (bounds[:, 2:] <= box[2:]).all(1))


def _refuse_far(path: Path, bounds: Array, box: Array) -> None:
    """Raise an error that says where the file and the map lie, in the file's own CRS."""
    held = np.concatenate([bounds[:, :2].min(0), bounds[:, 2:].max(0)])
    turned = _touching(bounds[:, [1, 0, 3, 2]], box).any()
    advice = (
        "its axes are swapped: write x (east, longitude) before y (north, latitude)"
        if turned
        else "check that it is of this place, that x (longitude) comes before y (latitude), and "
        "that its CRS is right (--footprints-crs names another)"
    )
    raise InputError(
        f"{path}: no outline is on the map: the file has {_range(held)}, the map "
        f"{_range(box)}; {advice}"
    )


def _range(box: Array) -> str:
    digits = 4 if np.abs(box).max() <= 360 else 0
    west, south, east, north = (f"{value:.{digits}f}" for value in box)
    return f"x {west} to {east} and y {south} to {north}"


def _unfit(areas: ObjectArray, names: Sequence[str]) -> tuple[dict[int, str], list[str]]:
    """Slivers and repeated outlines by place, and what to say of overlapping ones."""
    reasons = too_small(areas)
    fit = np.array([place for place in range(len(areas)) if place not in reasons], np.int64)
    same, overlapping = doubles(areas[fit])
    for later, first in same.items():
        reasons[int(fit[later])] = f"has the same outline as {one_line(names[int(fit[first])])}"
    notes = f"{counted(overlapping, 'pair')} of outlines overlap by more than half of the smaller"
    return reasons, [notes] if overlapping else []


def _refuse_nothing(
    features: ShapeLayer, ids: _Ids, reasons: Mapping[int, str], kept: Sequence[int]
) -> None:
    if not kept:
        first = min(reasons)
        raise InputError(
            f"{features.path}: none of its {counted(len(reasons), 'feature')} can be used (the "
            f"first, {one_line(ids.names[first])}, {reasons[first]}); give footprints of this map"
        )


def one_line(name: str) -> str:
    """An id as it can stand in one line of text, whatever it holds."""
    return name if name.isprintable() else repr(name)
