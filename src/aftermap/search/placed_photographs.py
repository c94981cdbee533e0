"""A patch of ground -> the photographs of the case that show it, as far as the record knows.

The record holds no rotations of photographs: their CE90 is not known here, and what hides the
ground is not asked. Frames of clips are not photographs; :mod:`aftermap.search.stretches` answers
for them.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.great_circle import LonLat
from aftermap.geo.level import ground_at_m
from aftermap.geo.ring import points_in, shares_inside, touching
from aftermap.geo.viewing import (
    azimuth_of_deg,
    faces_of,
    ground_sample_m,
    off_nadir_of_deg,
    rank_m,
)
from aftermap.model.sighting import Sighting
from aftermap.record.geopackage import GeoPackage
from aftermap.record.sighting_queries import (
    PhotographRow,
    flat_rings,
    photograph_rows,
    photographs_crs,
)
from aftermap.search.stretches import letters_of

SPOT_M = 0.5
"""A point is asked for as a square that reaches so far from it."""


class SearchedCase(Protocol):
    """What a search reads of a case."""

    @property
    def package(self) -> GeoPackage:
        """The record."""
        ...

    @property
    def products(self) -> Path:
        """The folder of the map's rasters."""
        ...


def placed_photographs(
    case: SearchedCase, corners: Sequence[LonLat], *, limit: int
) -> list[Sighting]:
    """Photographs that show a point, or any part of a polygon, of WGS 84, the best first.

    Raises CrsError where the place is so far away that the case's CRS has no coordinates for it.
    """
    crs = photographs_crs(case.package)
    if crs is None:
        return []
    ring = transformed_xy(WGS84, crs, corners)
    east, north = ring.mean(axis=0)
    ground_m = ground_at_m(case.products / "surface.tif", (float(east), float(north)))
    if len(ring) == 1:
        ring = ring + SPOT_M * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return _photographs_of(case.package, ring, ground_m, limit)


def _photographs_of(
    package: GeoPackage, ring: Array, ground_m: float | None, limit: int
) -> list[Sighting]:
    """Without the height of the ground there, pixel sizes and angles are not known and None."""
    rows = photograph_rows(package)
    if not rows:
        return []
    corners, starts = flat_rings([row.footprint for row in rows])
    met = touching(ring, corners, starts)
    points = points_in(ring)
    shares = shares_inside(points, corners, starts)
    found = [
        _sighting(row, points.mean(axis=0), ground_m, float(share))
        for row, share, yes in zip(rows, shares, met, strict=True)
        if yes
    ]
    return sorted(found, key=lambda one: (one.rank_m, one.clip_name))[:limit]


def _sighting(row: PhotographRow, xy_m: Array, ground_m: float | None, share: float) -> Sighting:
    position = row.east_m, row.north_m, row.height_m
    spot = np.array([*xy_m, ground_m or 0.0])
    view: Mapping[str, Any] = {"rank_m": math.inf}
    azimuth = float(azimuth_of_deg(spot, position))
    if ground_m is not None and row.height_m > ground_m:
        off_nadir = off_nadir_of_deg(position, spot)
        # Straight towards the spot: how far it is from the middle of the picture is not known.
        sample = ground_sample_m(position, spot, _towards(position, spot), row.focal_px)
        view = {
            "ground_sample_m": float(sample),
            "off_nadir_deg": float(off_nadir),
            "faces": letters_of(int(faces_of(np.array(azimuth), off_nadir))),
            "rank_m": float(rank_m(sample, off_nadir, np.array(share), np.array(0.0))),
        }
    return Sighting(
        clip_name=row.name,
        sha256=row.sha256,
        kind="photograph",
        azimuth_deg=azimuth,
        framed_fraction=share,
        source="reconstruction",
        **view,
    )


def _towards(position_m: Sequence[float], spot_m: Array) -> Array:
    ray = spot_m - np.asarray(position_m, float)
    return np.asarray(ray / np.linalg.norm(ray), float)
