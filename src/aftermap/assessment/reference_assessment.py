"""Another's damage assessment, as GDAL reads it -> its sites, and what each of them says.

Reads the variants of UNOSAT's files (``Main_Damage_Site_Class_n``, ``DaSitCl``n, ``Main_Damag``,
``DmgCls_n``) and any field that is named. The coding is never guessed: the same numbers mean
opposite things in different files, so it must be said, and a coding that does not know the values
of the file is refused where another one does.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from aftermap.assessment.scales import Code, Scale, code_of
from aftermap.errors import CrsError, InputError
from aftermap.geo.arrays import AnyArray, IntArray
from aftermap.geo.crs import WGS84
from aftermap.geo.crs_operation import CrsOperation, lonlat_of, operation_at
from aftermap.model.datum import DatumTransformation
from aftermap.model.runs import Skipped

FAMILIES = (
    r"Main_Damage_Site_Class(?:_(\d+))?",
    r"Main_Dam(?:ag?)?(?:_(\d+))?",
    r"DaSitCl(\d*)",
    r"DmgCls(?:_(\d+))?",
)
"""What UNOSAT called the field of the damage class; the largest number is the newest date."""
_SENSOR_DATES = ("SensorDate{}", "SensDate{}", "SenDat{}")
_MOST_VALUES = 14
_SHOWN_VALUES = 6
_READABLE = [scale for scale in Scale if scale is not Scale.OURS]


@dataclass(frozen=True, kw_only=True)
class ReferenceOptions:
    """What the user says of the file. Nothing of it is guessed where the file leaves it open.

    ``scale``: the coding of the field. ``field`` and ``layer``: needed where the file has several.
    ``crs``: the CRS of a file that names none. ``confirm_crs``: CRSs that are right though their
    area of use does not hold the place.
    """

    scale: Scale | None = None
    field: str | None = None
    layer: str | None = None
    crs: str | None = None
    confirm_crs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OtherAssessment:
    """The sites of another's assessment.

    ``shapes`` (N,) points or polygons in ``crs``; ``codes`` what each says, None where its value is
    missing: a crater or a site that was not rated on that date, and never "no damage". ``fids`` are
    the numbers of the features, ``date`` the day of the pictures where the file tells it.
    """

    name: str
    scale: Scale
    field: str
    crs: str
    date: str | None
    shapes: AnyArray
    codes: tuple[Code | None, ...]
    fids: IntArray
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Sites by code, in the order of how many; "" are those without a value."""
        found = Counter("" if code is None else code.code for code in self.codes)
        return dict(found.most_common())

    def shapes_in(self, crs: str) -> AnyArray:
        """(N,) shapes in another CRS, their positions in its units."""
        return np.asarray(shapely.transform(self.shapes, self._operation(crs).moved_xy))

    def transformation_to(self, crs: str) -> DatumTransformation | None:
        """How its datum becomes that of another CRS; None where it is the same."""
        return self._operation(crs).transformation

    def _operation(self, crs: str) -> CrsOperation:
        """The operation of where its sites lie, so that a CRS of another place is refused."""
        place = lonlat_of(self.crs, shapely.get_coordinates(self.shapes))
        return operation_at(f"{self.name}, sites", self.crs, crs, place, self.confirmed)


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """A layer as it was read: its name, CRS, fields by name, shapes and feature numbers."""

    name: str
    crs: str | None
    fields: dict[str, AnyArray] = field(repr=False)
    shapes: AnyArray = field(repr=False)
    fids: IntArray = field(repr=False)


def other_assessment(path: Path, asked: ReferenceOptions) -> OtherAssessment:
    """The sites of a file. Raises :class:`InputError` with what the file holds and what to say."""
    layer = _layer(path, asked.layer)
    name = _field(path, layer, asked)
    values = layer.fields[name]
    if asked.scale is None:
        raise InputError(
            f"{path}: the damage scale of its field {name} ({_values(values)}) must be given; "
            f"name it with --scale, one of {', '.join(_READABLE)}"
        )
    _check_scale(path, name, values, asked.scale)
    crs = _crs(path, layer, asked)
    codes, kept, unusable = _codes(layer, values, asked.scale)
    return OtherAssessment(
        name=path.name,
        scale=asked.scale,
        field=name,
        crs=crs,
        date=_date(layer, name),
        shapes=layer.shapes[kept],
        codes=codes,
        fids=layer.fids[kept],
        skipped=tuple(
            Skipped(name=f"{path.name}, {count} sites", reason=reason)
            for reason, count in unusable.items()
        ),
        notes=(f"read as {asked.scale}: layer {layer.name}, field {name}",),
        confirmed=asked.confirm_crs,
    )


def _codes(
    layer: _Layer, values: AnyArray, scale: Scale
) -> tuple[tuple[Code | None, ...], IntArray, Counter[str]]:
    """The codes of the sites that can be used, their places, and why others cannot be."""
    codes: list[Code | None] = []
    kept: list[int] = []
    unusable: Counter[str] = Counter()
    is_nowhere = shapely.is_missing(layer.shapes) | shapely.is_empty(layer.shapes)
    for i, value in enumerate(values.tolist()):
        code = None if _is_missing(value) else code_of(scale, value)
        if code is None and not _is_missing(value):
            unusable[f"{value}: not of {scale}"] += 1
        elif is_nowhere[i]:
            unusable["has no geometry"] += 1
        else:
            codes.append(code)
            kept.append(i)
    return tuple(codes), np.array(kept, np.int64), unusable


def _layer(path: Path, asked: str | None) -> _Layer:
    names: list[str] = []
    try:
        names += [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
        if asked is None and len(names) != 1:
            raise InputError(
                f"{path}: holds {len(names)} layers ({', '.join(names) or 'none with a map'}); "
                "name one with --layer"
            )
        layer = asked or names[0]
        meta, fids, shapes, columns = pyogrio.raw.read(path, layer=layer, return_fids=True)
    except DataLayerError as error:
        raise InputError(
            f"{path}: has no layer {asked}; it holds {', '.join(names)}, name one with --layer"
        ) from error
    except DataSourceError as error:
        raise InputError(
            f"{path}: cannot be read as vector data ({error}); give a GeoPackage, shapefile or "
            "GeoJSON"
        ) from error
    fields = {str(n): column for n, column in zip(meta["fields"], columns, strict=True)}
    crs = meta["crs"]
    is_undefined = crs is None or "undefined" in crs.casefold()
    return _Layer(
        name=layer,
        crs=None if is_undefined else crs,
        fields=fields,
        shapes=shapely.from_wkb(shapes),
        fids=fids,
    )


def _field(path: Path, layer: _Layer, asked: ReferenceOptions) -> str:
    if asked.field is not None:
        if asked.field in layer.fields:
            return asked.field
        raise InputError(
            f"{path}: has no field {asked.field}; it holds {_fields(layer)}; name one with --field"
        )
    families = [found for family in FAMILIES if (found := _family(family, layer))]
    if len(families) == 1:
        return families[0]
    raise InputError(
        f"{path}: the field with the damage class is ambiguous; it has {_fields(layer)}; name "
        "one with --field and its damage scale with --scale"
    )


def _family(pattern: str, layer: _Layer) -> str | None:
    """The field of this family with the newest date, if the layer has any."""
    dated = [
        (int(match.group(1) or 0), name)
        for name in layer.fields
        if (match := re.fullmatch(pattern, name, re.IGNORECASE))
    ]
    return max(dated)[1] if dated else None


def _check_scale(path: Path, name: str, values: AnyArray, scale: Scale) -> None:
    """Refuse a coding that does not know a value of the file where another knows them all."""
    words = {value for value in values.tolist() if not _is_missing(value)}
    unknown = [word for word in words if code_of(scale, word) is None]
    if not words:
        raise InputError(f"{path}: its field {name} is empty; name another one with --field")
    if not unknown:
        return
    fitting = [other for other in _READABLE if all(code_of(other, word) for word in words)]
    if fitting or len(unknown) == len(words):
        hint = (
            (f"; all are in {', '.join(fitting)}, if that is the damage scale") if fitting else ""
        )
        raise InputError(
            f"{path}: its field {name} has values not in {scale} ({_values(values)}){hint}; find "
            "out the damage scale and name it with --scale"
        )


def _crs(path: Path, layer: _Layer, asked: ReferenceOptions) -> str:
    if layer.crs is None and asked.crs is None:
        west, south, east, north = shapely.total_bounds(layer.shapes)
        raise CrsError(
            f"{path}: declares no CRS (its places run from {west:.2f}, {south:.2f} to {east:.2f}, "
            f"{north:.2f}); name it, for degrees of WGS 84 with --crs {WGS84}"
        )
    if layer.crs is not None and asked.crs is not None and asked.crs != layer.crs:
        raise CrsError(
            f"{path}: declares {layer.crs}, and --crs {asked.crs} says another; leave --crs out, "
            "or write the right one into the file (ogr2ogr -a_srs) if it declares a wrong one"
        )
    return layer.crs or str(asked.crs)


def _date(layer: _Layer, name: str) -> str | None:
    """The newest day in the column of dates that belongs to the field, or the field's own name."""
    try:
        return date.fromisoformat(name).isoformat()
    except ValueError:
        number = (re.search(r"_?\d*$", name) or [""])[0]
    for pattern in _SENSOR_DATES:
        column = layer.fields.get(pattern.format(number))
        if column is not None:
            days = sorted(str(day)[:10] for day in column.tolist() if not _is_missing(day))
            return days[-1] if days else None
    return None


def _is_missing(value: object) -> bool:
    return value is None or value == "" or value != value  # noqa: PLR0124 - NaN and NaT


def _fields(layer: _Layer) -> str:
    few = [
        f"{name} ({_values(column)})"
        for name, column in layer.fields.items()
        if 0 < len({v for v in column.tolist() if not _is_missing(v)}) <= _MOST_VALUES
    ]
    return ", ".join(few or layer.fields) or "no fields at all"


def _values(column: AnyArray | Sequence[Any]) -> str:
    found = Counter(
        "no value" if _is_missing(value) else _plain(value) for value in np.asarray(column).tolist()
    )
    shown = [f"{count} x {word}" for word, count in found.most_common(_SHOWN_VALUES)]
    return ", ".join(shown) + (" ..." if len(found) > _SHOWN_VALUES else "")


def _plain(value: object) -> str:
    is_whole = isinstance(value, float) and value.is_integer()
    return f"{int(value)}" if is_whole else f"{value!s:.40}"  # type: ignore[call-overload]
