"""What the page must know of the mesh before it loads it: where it lies, and how large it is."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.errors import CaseError
from aftermap.web.opened import OpenedCase, stamp_of
from aftermap.web.place import CasePlace
from aftermap.web.responses import Bounds, MeshFacts
from aftermap.web.tiles import DamagedError

ADDRESS = "/media/mesh"
ARM_M = 1000.0
MOST_TEXT_BYTES = 64 << 20


def mesh_path(case: OpenedCase) -> Path:
    """The mesh of the case. Raises CaseError, which says what makes it, where there is none."""
    path = case.products / "mesh.glb"
    if not path.is_file():
        raise CaseError("products/mesh.glb: not found; run aftermap map to create it")
    return path


def mesh_facts(case: OpenedCase, place: CasePlace, *, ground_m: float) -> MeshFacts:
    """The facts of the mesh; ``ground_m`` is the height of the case that the page calls 0.

    Raises CaseError where there is no mesh, DamagedError where it cannot be read.
    """
    path = mesh_path(case)
    text = _description(path)
    try:
        east, north, height = text["asset"]["extras"]["origin_m"]
        box = _box_m(text)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _damage_error(path) from error
    places = place.lonlat_deg([(east, north), (east + ARM_M, north), (east, north + ARM_M)])
    corners = [(float(lon), float(lat)) for lon, lat in places]
    return MeshFacts(
        address=f"{ADDRESS}?v={stamp_of(path)}",
        size_bytes=path.stat().st_size,
        origin_lonlat=corners[0],
        east_lonlat=corners[1],
        north_lonlat=corners[2],
        arm_m=ARM_M,
        ground_m=ground_m - height,
        box_m=box,
    )


def _description(path: Path) -> dict[str, Any]:
    """The JSON chunk of a binary glTF."""
    try:
        with path.open("rb") as file:
            magic, _, _, length, kind = struct.unpack("<4sIII4s", file.read(20))
            if magic != b"glTF" or kind != b"JSON" or length > MOST_TEXT_BYTES:
                raise _damage_error(path)
            found: dict[str, Any] = json.loads(file.read(length))
            return found
    except (struct.error, ValueError) as error:
        raise _damage_error(path) from error


def _damage_error(path: Path) -> DamagedError:
    return DamagedError(f"products/{path.name}: cannot be read; run aftermap map to recreate it")


def _box_m(text: dict[str, Any]) -> Bounds:
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for node in text["nodes"]:
        for primitive in text["meshes"][node["mesh"]]["primitives"]:
            found = text["accessors"][primitive["attributes"]["POSITION"]]
            corner, scale = np.array(node["translation"]), np.array(node["scale"])
            low = np.minimum(low, corner + scale * found["min"])
            high = np.maximum(high, corner + scale * found["max"])
    if not np.isfinite(low).all():
        raise ValueError("a mesh without anything in it")
    return float(low[0]), float(-high[2]), float(high[0]), float(-low[2])
