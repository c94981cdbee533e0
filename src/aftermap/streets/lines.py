"""A file of street lines -> lines in the CRS of the map, and what is wrong with the rest.

Anything that GDAL reads, in any CRS. Lines are never moved or simplified here; what lies off the
map is counted. docs/reference/streets.md.
"""

import hashlib
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from aftermap.errors import CrsError, InputError
from aftermap.geo.arrays import Array, ObjectArray
from aftermap.geo.crs import LOCAL, transformed_xy
from aftermap.geo.crs_operation import CrsOperation, operation_over
from aftermap.model.runs import skipped_in_order
from aftermap.model.street import Line, Street, StreetSet

Box = tuple[float, float, float, float]

ID_FIELDS = ("osm_id", "id", "full_id", "@id")
NAME_FIELD, KIND_FIELD, WIDTH_FIELD, TAGS_FIELD = "name", "highway", "width", "other_tags"
WANTED = (*ID_FIELDS, NAME_FIELD, KIND_FIELD, WIDTH_FIELD, TAGS_FIELD)
NO_WAY = {
    "steps",
    "corridor",
    "platform",
    "proposed",
    "construction",
    "elevator",
    "via_ferrata",
    "razed",
}
SHORTEST_M = 1.0
WIDTHS_M = (1.0, 80.0)
_WIDTH_TAG = re.compile(r'"width"=>"([^"]*)"')
_NUMBER = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*(?:m|metres?|meters?)?\s*$")


def street_lines_in(
    path: Path,
    *,
    map_crs: str,
    area_m: Box,
    crs: str | None = None,
    confirmed: Collection[str] = (),
) -> StreetSet:
    """The street lines of a file that reach the map, in ``map_crs``.

    ``area_m`` is the map's west, south, east and north; ``crs`` is that of the file where the file
    names none; ``confirmed`` are CRSs that the user stands by outside their area of use. Raises
    ``InputError`` or ``CrsError`` where nothing in the file can be used.
    """
    shapes, fields, named = _read_features(path)
    file_crs = _crs_of(path, crs or named, map_crs)
    into_map = operation_over(f"{path.name}, streets", file_crs, map_crs, area_m, confirmed)
    names, field = _names(fields, len(shapes))
    kinds = _texts(fields.get(KIND_FIELD), len(shapes))
    reasons = _no_streets(path, shapes, kinds)
    moved = _in_map_crs(path, shapes, reasons, into_map, _seen_from(file_crs, map_crs, area_m))
    kept = [place for place in range(len(shapes)) if place not in reasons]
    if not kept:
        raise _nothing_usable(path, names, reasons)
    return StreetSet(
        crs=map_crs,
        file_name=path.name,
        file_sha256=_sha256_of(path),
        id_field=field,
        streets=_streets(fields, moved, names, kept),
        skipped=skipped_in_order(names, reasons, "line"),
        notes=() if into_map.transformation is None else (str(into_map.transformation),),
        transformation=into_map.transformation,
    )


def _streets(
    fields: Mapping[str, ObjectArray],
    moved: ObjectArray,
    names: Sequence[str],
    kept: Sequence[int],
) -> tuple[Street, ...]:
    """The streets of the features that are kept, from lines in the CRS of the map."""
    titles, kinds = (_texts(fields.get(name), len(names)) for name in (NAME_FIELD, KIND_FIELD))
    widths = _widths(fields, len(names))
    return tuple(
        Street(
            source_id=names[i],
            feature=i,
            lines_m=_lines_of(moved[i]),
            name=titles[i],
            kind=kinds[i],
            width_m=widths[i],
        )
        for i in kept
    )


def _nothing_usable(path: Path, names: Sequence[str], reasons: Mapping[int, str]) -> InputError:
    """The error that says that no line can be used, and why the first one cannot."""
    first = min(reasons)
    return InputError(
        f"{path}: none of its {len(names)} lines can be used (the first, {names[first]}, "
        f"{reasons[first]}); give street lines of this map, or leave --streets out"
    )


def _read_features(path: Path) -> tuple[ObjectArray, dict[str, ObjectArray], str | None]:
    """Shapes, fields by lower-case name, and the CRS that the file names."""
    if not path.exists():
        raise InputError(f"{path}: does not exist; check the path of the street lines")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layer = _layer(path)
            known = [str(name) for name in pyogrio.read_info(path, layer=layer)["fields"]]
            columns = [name for name in known if name.casefold() in WANTED]
            meta, _, wkb, values = pyogrio.raw.read(path, layer=layer, columns=columns)
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as street lines ({' '.join(str(error).split())}); give a file "
            "that GDAL reads, such as GeoJSON, GeoPackage, a shapefile or an OSM extract"
        ) from error
    if wkb is None or not len(wkb):
        raise InputError(f"{path}: has no lines; give a file of street lines")
    shapes = np.asarray(shapely.force_2d(shapely.from_wkb(wkb, on_invalid="ignore")), object)
    fields = {
        str(name).casefold(): np.asarray(of, object)
        for name, of in zip(meta["fields"], values, strict=True)
    }
    return shapes, fields, meta.get("crs") or None


def _layer(path: Path) -> str:
    listed = [(str(name), str(kind or "")) for name, kind in pyogrio.list_layers(path)]
    linear = [name for name, kind in listed if "LineString" in kind]
    for found in ([name for name, _ in listed], linear, [n for n in linear if n == "lines"]):
        if len(found) == 1:
            return found[0]
    names = ", ".join(name for name, _ in listed) or "none"
    raise InputError(
        f"{path}: has several layers, and not exactly one of lines ({names}); save the "
        "streets as a separate file"
    )


def _crs_of(path: Path, named: Any, map_crs: str) -> str:
    if map_crs == LOCAL:
        if named == LOCAL:
            return LOCAL
        raise CrsError(
            f"{path}: the case has no place on the globe, so streets cannot be laid on it; map it "
            "with positions or control points, or leave --streets out"
        )
    if not isinstance(named, str):
        raise CrsError(
            f"{path}: declares no CRS; save it with one, for example as GeoJSON in lon/lat degrees"
        )
    try:
        return str(CRS.from_user_input(named).to_2d().to_wkt())
    except CRSError as error:
        raise CrsError(
            f"{path}: its CRS is not one this installation knows ({named[:60]!r}); "
            "save it in another, for example as GeoJSON in lon/lat degrees"
        ) from error


def _no_streets(path: Path, shapes: ObjectArray, kinds: Sequence[str | None]) -> dict[int, str]:
    """Why features are no streets; an error where the file holds no line at all."""
    types = shapely.get_type_id(shapes)
    if not np.isin(types, (1, 5)).any():
        raise InputError(f"{path}: has no lines; streets must be lines")
    reasons = dict.fromkeys(np.flatnonzero(~np.isin(types, (1, 5))).tolist(), "is not a line")
    finite = np.isfinite(shapely.bounds(shapes)).all(1)
    for place in np.flatnonzero(~finite).tolist():
        reasons.setdefault(place, "is empty, or has a coordinate that is not a number")
    if any(kinds):
        for place, kind in enumerate(kinds):
            if kind is None or kind in NO_WAY:
                what = "its tag highway is empty" if kind is None else f"highway={kind}"
                reasons.setdefault(place, f"is not for vehicles: {what}")
    return reasons


def _seen_from(file_crs: str, map_crs: str, area_m: Box) -> Array:
    """(M, 2) places all over the map, in the CRS of the file."""
    places = np.stack(np.meshgrid(np.linspace(*area_m[::2], 9), np.linspace(*area_m[1::2], 9)), -1)
    return transformed_xy(map_crs, file_crs, places.reshape(-1, 2))


def _in_map_crs(
    path: Path,
    shapes: ObjectArray,
    reasons: dict[int, str],
    into_map: CrsOperation,
    seen: Array,
) -> ObjectArray:
    """(N,) the lines that reach the map, in its CRS; the others get their reason.

    ``seen`` (M, 2) are places all over the map, in the CRS of the file.
    """
    near = shapely.box(*seen.min(0), *seen.max(0))
    given = np.array([place for place in range(len(shapes)) if place not in reasons], np.int64)
    reaching = shapely.intersects(shapes[given], near)
    if len(given) and not reaching.any():
        west, south, east, north = shapely.total_bounds(shapes[given])
        raise InputError(
            f"{path}: no line reaches the map: the file has x {west:.5g} to {east:.5g} and y "
            f"{south:.5g} to {north:.5g}, the map x {seen[:, 0].min():.5g} to "
            f"{seen[:, 0].max():.5g} and y {seen[:, 1].min():.5g} to {seen[:, 1].max():.5g}; check "
            "that it is of this place and that x (longitude) comes before y (latitude)"
        )
    reasons |= dict.fromkeys(given[~reaching].tolist(), "is outside the map")
    moved = np.full(len(shapes), None, object)
    reach = near.buffer(max(*(seen.max(0) - seen.min(0))) * 20)
    for place in given[reaching].tolist():
        if not shapely.covered_by(shapes[place], reach):
            reasons[place] = "reaches far beyond the map; one of its coordinates is wrong"
            continue
        line = shapely.transform(shapes[place], into_map.moved_xy)
        if shapely.length(line) < SHORTEST_M:
            reasons[place] = f"is shorter than {SHORTEST_M:g} m"
        moved[place] = line
    return moved


def _lines_of(shape: BaseGeometry) -> tuple[Line, ...]:
    parts = shapely.get_parts(shape)
    return tuple(
        tuple((float(x), float(y)) for x, y in shapely.get_coordinates(part))
        for part in parts
        if part.length > 0
    )


def _names(fields: Mapping[str, ObjectArray], count: int) -> tuple[list[str], str]:
    """The lines' ids, made unique by ``#2`` and so on, and the field that they come from."""
    field = next((name for name in ID_FIELDS if name in fields), None)
    found = _texts(fields.get(field or ""), count)
    taken: dict[str, int] = {}
    names = []
    for place, text in enumerate(found):
        name = text or str(place)
        taken[name] = taken.get(name, 0) + 1
        names.append(name if taken[name] == 1 else f"{name}#{taken[name]}")
    return names, field or "feature"


def _texts(values: ObjectArray | None, count: int) -> list[str | None]:
    if values is None:
        return [None] * count
    return [_text(value) for value in values]


def _text(value: object) -> str | None:
    if value is None or value != value:  # noqa: PLR0124 - NaN, of whatever kind of number
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def _widths(fields: Mapping[str, ObjectArray], count: int) -> list[float | None]:
    """Widths in metres, from the field of that name, else from OSM's other tags."""
    plain = _texts(fields.get(WIDTH_FIELD), count)
    tags = [_WIDTH_TAG.search(text or "") for text in _texts(fields.get(TAGS_FIELD), count)]
    texts = [own or (tag and tag[1]) for own, tag in zip(plain, tags, strict=True)]
    return [_width(text) for text in texts]


def _width(text: str | None) -> float | None:
    match = _NUMBER.match(text or "")
    width = float(match[1].replace(",", ".")) if match else 0.0
    return width if WIDTHS_M[0] <= width <= WIDTHS_M[1] else None


def _sha256_of(path: Path) -> str:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    found = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while chunk := opened.read(1 << 20):
                found.update(chunk)
    return found.hexdigest()
