"""A patch of ground -> the photographs of the case that show it, as far as the record knows.

The record holds no turns of photographs: their CE90 is not known here, and what hides the ground is
not asked. Frames of clips are not photographs; :mod:`aftermap.record.seen` answers for them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array
from aftermap.geo.ring import points_in, shares_inside, touching
from aftermap.geo.viewing import (
    FACE_LETTERS,
    azimuth_of_deg,
    faces_of,
    ground_sample_m,
    off_nadir_of_deg,
    rank_m,
)
from aftermap.model.sighting import Sighting
from aftermap.record.geopackage import GeoPackage, crs_of_srs_id
from aftermap.record.seen import flat_rings

_PHOTOGRAPHS = """
SELECT p.name, p.sha256, c.east_m, c.north_m, c.height_m, c.focal_px, p.geom
FROM camera_footprint p JOIN camera c ON c.sha256 = p.sha256
WHERE p.sha256 IN (SELECT sha256 FROM media) AND c.registered"""


def photographs_crs(package: GeoPackage) -> str | None:
    """The CRS of the photographs' footprints; None where they have no place on the globe."""
    found = package.rows(
        "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'camera_footprint'"
    )
    return crs_of_srs_id(found[0][0]) if found else None


def photographs_of(
    package: GeoPackage, ring_m: npt.ArrayLike, ground_m: float | None, *, limit: int
) -> list[Sighting]:
    """Photographs that show any part of a ring (in their CRS), the best first.

    Without the height of the ground there, pixel sizes and angles are not known and None.
    """
    ring = np.asarray(ring_m, float)
    rows = package.rows(_PHOTOGRAPHS)
    if not rows:
        return []
    corners, starts = flat_rings([row[6] for row in rows])
    met = touching(ring, corners, starts)
    points = points_in(ring)
    shares = shares_inside(points, corners, starts)
    found = [
        _sighting(row, points.mean(axis=0), ground_m, float(share))
        for row, share, yes in zip(rows, shares, met, strict=True)
        if yes
    ]
    return sorted(found, key=lambda one: (one.rank_m, one.clip_name))[:limit]


def _sighting(row: Sequence[Any], xy_m: Array, ground_m: float | None, share: float) -> Sighting:
    name, sha256, *position, focal_px, _ = row
    spot = np.array([*xy_m, ground_m or 0.0])
    view: Mapping[str, Any] = {"rank_m": math.inf}
    azimuth = float(azimuth_of_deg(spot, position))
    if ground_m is not None and position[2] > ground_m:
        off_nadir = off_nadir_of_deg(position, spot)
        # Straight towards the spot: how far it is from the middle of the picture is not known.
        sample = ground_sample_m(position, spot, _towards(position, spot), focal_px)
        faces = int(faces_of(np.array(azimuth), off_nadir))
        view = {
            "ground_sample_m": float(sample),
            "off_nadir_deg": float(off_nadir),
            "faces": "".join(letter for bit, letter in FACE_LETTERS.items() if faces & bit),
            "rank_m": float(rank_m(sample, off_nadir, np.array(share), np.array(0.0))),
        }
    return Sighting(
        clip_name=name,
        sha256=sha256,
        kind="photograph",
        azimuth_deg=azimuth,
        framed_fraction=share,
        source="reconstruction",
        **view,
    )


def _towards(position_m: Sequence[float], spot_m: Array) -> Array:
    ray = spot_m - np.asarray(position_m, float)
    return np.asarray(ray / np.linalg.norm(ray), float)
