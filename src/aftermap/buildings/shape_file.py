"""A file of outlines as GDAL reads it -> shapes, fields and CRS, as they stand in the file.

Nothing is judged here but whether the file can be read and which of its layers is meant.
"""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from aftermap.errors import CrsError, InputError
from aftermap.geo.arrays import IntArray, ObjectArray

CSV_SUFFIXES = (".csv", ".tsv")
CSV_GEOMETRY = "WKT,wkt,geometry,geom,the_geom"
"""What the column of a table with its shapes as text is called."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapeLayer:
    """What a layer holds, one entry a feature, in the file's order.

    ``shapes`` are shapely's, None where there is none or it cannot be read; x is east or longitude.
    ``crs`` is None where the file names none.
    """

    path: Path
    layer: str
    crs: str | None
    numbers: IntArray
    shapes: ObjectArray
    fields: Mapping[str, ObjectArray]


def features_in(path: Path, *, layer: str | None, wanted: Sequence[str]) -> ShapeLayer:
    """The features of a file's one layer of areas, or of the ``layer`` that is named.

    ``wanted`` are the names of the fields to read, in any case of letters. Raises InputError where
    the file, the layer or its areas cannot be read or are not there.
    """
    if not path.exists():
        raise InputError(f"{path}: does not exist; check the path of the footprints")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's words on rings; the shapes are looked at later
            named = _layer(path, layer)
            return _read_layer(path, named, {name.casefold() for name in wanted})
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as footprints ({_line(error)}); give a file that GDAL reads, "
            "such as GeoJSON, GeoPackage, a shapefile or an OSM extract"
        ) from error


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes; of a folder (a file geodatabase), of its files by name."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    found = hashlib.sha256()
    for file in files:
        if file != path:
            found.update(file.relative_to(path).as_posix().encode() + b"\0")
        with file.open("rb") as opened:
            while chunk := opened.read(1 << 20):
                found.update(chunk)
    return found.hexdigest()


def _layer(path: Path, layer: str | None) -> str:
    listed = [(str(name), str(kind or "")) for name, kind in pyogrio.list_layers(path)]
    names = ", ".join(name for name, _ in listed) or "none"
    if layer is not None:
        if layer not in {name for name, _ in listed}:
            raise InputError(f"{path}: has no layer {layer!r}; its layers are {names}")
        return layer
    areal = [name for name, kind in listed if "olygon" in kind or "Surface" in kind]
    mixed = [name for name, kind in listed if kind in ("Unknown", "GeometryCollection")]
    for found in ([name for name, _ in listed], areal, [] if areal else mixed):
        if len(found) == 1:
            return found[0]
    raise InputError(
        f"{path}: has several layers, and not exactly one of polygons; name the one with the "
        f"footprints: {names}"
    )


def _read_layer(path: Path, layer: str, wanted: set[str]) -> ShapeLayer:
    options = {"GEOM_POSSIBLE_NAMES": CSV_GEOMETRY} if path.suffix in CSV_SUFFIXES else {}
    names = [str(name) for name in pyogrio.read_info(path, layer=layer)["fields"]]
    columns = [name for name in names if name.casefold() in wanted]
    meta, numbers, wkb, values = pyogrio.raw.read(
        path, layer=layer, columns=columns, return_fids=True, **options
    )
    if wkb is None:
        raise InputError(f"{path}: has no geometry; a table needs a column WKT or geometry")
    shapes = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), object)
    fields = dict(zip((str(name) for name in meta["fields"]), values, strict=True))
    return ShapeLayer(
        path=path,
        layer=layer,
        crs=_crs(path, meta),
        numbers=np.asarray(numbers, np.int64),
        shapes=shapes,
        fields={name: np.asarray(of, object) for name, of in fields.items()},
    )


def _crs(path: Path, meta: Mapping[str, Any]) -> str | None:
    crs = meta.get("crs")
    if crs is not None and not isinstance(crs, str):
        raise CrsError(f"{path}: its CRS is not text; name it with --footprints-crs")
    return crs or None


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
