"""A folder of outlines drawn in pictures -> buildings with the masks that show them.

The folder holds ``instances.csv`` (``frame``, ``id_in_mask``, ``building``; further columns
``cut_by_frame_edge`` and ``storeys`` are used where they are there), one grey mask for each picture
(NAME.png beside the table or in ``instances/``; a pixel's value is its ``id_in_mask``, 0 is none),
and, where places are known, ``buildings.csv`` (``building``, ``lon``, ``lat``; WGS 84 degrees).
docs/reference/footprints.md.
"""

import csv
import hashlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

from aftermap.errors import InputError
from aftermap.geo.arrays import Array, Int32Array
from aftermap.model.outlines import (
    KnownPlace,
    OutlinedBuilding,
    OutlinedBuildings,
    PictureOutline,
)

TABLE, PLACES, MASKS = "instances.csv", "buildings.csv", "instances"
STOREY_M, ROOF_M = 3.1, 1.0
"""Height of a storey, and of a roof above the last one: where nothing was measured."""
LEAST_PX = 150
"""A smaller outline says little of where a building stands."""

Row = Mapping[str, str]


def outlines_in(folder: Path) -> OutlinedBuildings:
    """The buildings of a folder of outlines, in the order of their ids.

    Raises InputError where a table or a mask is missing or cannot be used.
    """
    rows = _rows(folder / TABLE, ("frame", "id_in_mask", "building"))
    places = _places(folder / PLACES) if (folder / PLACES).is_file() else {}
    names = sorted({row["building"] for row in rows})
    digest = hashlib.sha256((folder / TABLE).read_bytes())
    for picture in sorted({row["frame"] for row in rows}):
        digest.update(_mask_path(folder, picture).read_bytes())
    digest.update(repr(sorted(places.items())).encode())
    return OutlinedBuildings(
        folder_name=folder.name,
        sha256=digest.hexdigest(),
        buildings=tuple(
            _building(folder, name, [row for row in rows if row["building"] == name], places)
            for name in names
        ),
    )


def mask_in(path: Path) -> Int32Array:
    """(rows, columns) the value of every pixel of a picture's mask.

    Raises InputError where it cannot be read or has colours.
    """
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found is None or found.ndim != 2:
        raise InputError(f"{path}: is not a grey picture; write outlines as a PNG of one band")
    return np.asarray(found, np.int32)


def known_places_of(outlined: OutlinedBuildings) -> tuple[KnownPlace, ...]:
    """The buildings of known place, with their middle in every picture that has them whole."""
    masks: dict[Path, Int32Array] = {}
    found = []
    for one in outlined.buildings:
        if one.lonlat_deg is None:
            continue
        seen = []
        for outline in one.outlines:
            if outline.is_cut:
                continue
            if outline.mask not in masks:
                masks[outline.mask] = mask_in(outline.mask)
            middle = _middle(masks[outline.mask] == outline.mask_value)
            if middle is not None:
                seen.append((outline.picture, middle))
        found.append(
            KnownPlace(
                name=one.source_id,
                lonlat_deg=one.lonlat_deg,
                half_height_m=height_m(one.levels) / 2,
                seen_px=tuple(seen),
            )
        )
    return tuple(found)


def height_m(levels: float | None) -> float:
    """Roughly how high a building of so many storeys is; of one storey where nobody says."""
    return STOREY_M * (levels or 1.0) + ROOF_M


def _middle(inside: Array) -> tuple[float, float] | None:
    rows, columns = np.nonzero(inside)
    if len(rows) < LEAST_PX:
        return None
    return float(np.median(columns)) + 0.5, float(np.median(rows)) + 0.5


def _building(
    folder: Path,
    name: str,
    rows: Iterable[Row],
    places: Mapping[str, tuple[float, float]],
) -> OutlinedBuilding:
    own = sorted(rows, key=lambda row: row["frame"])
    levels = [value for row in own if (value := _number(row.get("storeys", ""))) is not None]
    return OutlinedBuilding(
        source_id=name,
        outlines=tuple(
            PictureOutline(
                picture=row["frame"],
                mask=_mask_path(folder, row["frame"]),
                mask_value=_whole(folder, row),
                is_cut=row.get("cut_by_frame_edge", "0").strip() not in {"", "0"},
            )
            for row in own
        ),
        lonlat_deg=places.get(name),
        levels=float(np.median(levels)) if levels else None,
    )


def _whole(folder: Path, row: Row) -> int:
    value = _number(row["id_in_mask"])
    if value is None or value != int(value) or value <= 0:
        raise InputError(
            f"{folder / TABLE}: id_in_mask of {row['building']} in {row['frame']} is "
            f"{row['id_in_mask']!r}; give the value of its pixels, 1 or more"
        )
    return int(value)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _places(path: Path) -> dict[str, tuple[float, float]]:
    found = {}
    for row in _rows(path, ("building",)):
        lon, lat = _number(row.get("lon") or ""), _number(row.get("lat") or "")
        if lon is None or lat is None:
            continue
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            raise InputError(
                f"{path}: {row['building']} lies at lon {lon:g}, lat {lat:g}, which are no degrees"
            )
        found[row["building"]] = (lon, lat)
    return found


def _rows(path: Path, wanted: tuple[str, ...]) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); a folder of outlines needs {TABLE}"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a table ({error}); save it as CSV in UTF-8") from error
    missing = [name for name in wanted if not rows or rows[0].get(name) is None]
    if missing:
        raise InputError(f"{path}: has no {' or '.join(missing)}; its columns are {wanted}")
    return [row for row in rows if row["building"]]


def _mask_path(folder: Path, picture: str) -> Path:
    name = f"{Path(picture).stem}.png"
    for path in (folder / MASKS / name, folder / name):
        if path.is_file():
            return path
    raise InputError(f"{folder}: has no mask {name} of {picture}; put it beside {TABLE}")
