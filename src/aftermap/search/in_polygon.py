"""A polygon on the ground -> the stretches of clips and the photographs that saw any part of it.

It goes through the R*Tree of the record and an exact test of every footprint that this finds.
"""

import json
from collections.abc import Mapping, Sequence
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aftermap.errors import CrsError, InputError
from aftermap.geo.arrays import Array
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.great_circle import LonLat
from aftermap.geo.ring import points_in, shares_inside, touching
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2, precision_of
from aftermap.geo.viewing import (
    azimuth_of_deg,
    faces_of,
    ground_sample_m,
    off_nadir_of_deg,
    rank_m,
)
from aftermap.model.sighting import CELL_SIZES_M, Sighting, cell_of
from aftermap.record.geopackage import GeoPackage
from aftermap.record.sighting_queries import (
    SegmentRow,
    flat_rings,
    hidden_percent,
    segments_in,
    sightings_crs,
)
from aftermap.search.placed_photographs import SearchedCase, placed_photographs
from aftermap.search.stretches import best_stretches, letters_of, times_of

ASKED_CELLS = 9
POINTS_PER_SIDE = 7


def seen_in_polygon(
    case: SearchedCase, ring_deg: Sequence[LonLat], *, limit: int
) -> list[Sighting]:
    """What saw any part of a ring of WGS 84, the best first.

    Nothing where the case's CRS has no coordinates for it.
    """
    try:
        crs = sightings_crs(case.package)
        found = []
        if crs is not None:
            ring_m = transformed_xy(WGS84, crs, ring_deg)
            found = clips_in_ring(case.package, ring_m, limit=limit)
        found += placed_photographs(case, ring_deg, limit=limit)
    except CrsError:  # so far away that the case's CRS has no coordinates for it
        return []
    return sorted(found, key=lambda one: one.rank_m)[:limit]


def clips_in_ring(package: GeoPackage, ring_m: npt.ArrayLike, *, limit: int) -> list[Sighting]:
    """The stretches of clips that saw any part of (N, 2) a ring in the CRS of the case's clips.

    Angles, ground sample and CE90 are of the middle of the polygon. What is hidden is asked of
    nine places in it at most; a second of which none of them is known to be seen counts as hidden.
    """
    ring = np.asarray(ring_m, float)
    (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
    rows = _touching_rows(ring, segments_in(package, (west, south, east, north)))
    if not rows:
        return []
    points = points_in(ring, per_side=POINTS_PER_SIDE)
    seen = _views_of(points, rows, _hidden_in(package, points))
    at = {row.segment: i for i, row in enumerate(rows)}
    stretches = best_stretches(zip(at, seen["rank_m"].tolist(), strict=True), limit)
    times = times_of(package, stretches)
    return [_sighting(rows[at[one.best]], at[one.best], seen, *times[one]) for one in stretches]


def ring_in(path: Path) -> list[LonLat]:
    """The outer ring of the one polygon in a GeoJSON file, in degrees of WGS 84, not closed.

    Raises InputError where the file cannot be read or holds anything else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as GeoJSON ({error}); check the file") from (
            error
        )
    shape = _shape_in(data)
    try:
        rings = {"Polygon": shape["coordinates"]}[shape["type"]]
        ring = [(float(corner[0]), float(corner[1])) for corner in rings[0]]
    except (KeyError, IndexError, TypeError, ValueError):
        raise InputError(
            f"{path}: does not contain exactly one polygon; save one polygon as GeoJSON"
        ) from None
    ring = ring[:-1] if ring[:1] == ring[-1:] else ring
    if len(ring) < 3 or not all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in ring):
        raise InputError(
            f"{path}: is not a polygon in degrees; export it in EPSG:4326, longitude before "
            "latitude"
        )
    return ring


def _shape_in(data: Any) -> Mapping[str, Any]:
    """The geometry inside features and collections of one."""
    while isinstance(data, dict):
        inner = data.get("features") or data.get("geometry")
        if inner is None:
            return data
        data = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
    return {}


def _touching_rows(ring: Array, rows: list[SegmentRow]) -> list[SegmentRow]:
    """Rows whose ground, out to CE90, shares some with the ring."""
    if not rows:
        return rows
    met = touching(ring, *flat_rings([row.outer for row in rows]))
    return [row for row, yes in zip(rows, met, strict=True) if yes]


def _views_of(
    points: Array, rows: list[SegmentRow], hidden: Mapping[int, float | None]
) -> dict[str, Array]:
    """How each second sees the middle of the points."""
    eye = _columns(rows, "camera_east_m", "camera_north_m", "camera_height_m")
    tilt, turn = np.radians(_columns(rows, "axis_off_nadir_deg", "axis_azimuth_deg")).T
    axis = np.stack(
        [np.sin(tilt) * np.sin(turn), np.sin(tilt) * np.cos(turn), -np.cos(tilt)], axis=1
    )
    focal_px, ground_m, sigma_m = _columns(rows, "focal_px", "ground_m", "ground_sigma_m").T
    spot = np.column_stack([np.broadcast_to(points.mean(axis=0), (len(rows), 2)), ground_m])
    covariance = np.frombuffer(b"".join(row.pose_covariance for row in rows), "<f4")
    spread = ground_covariance_m2(eye, spot, covariance.reshape(-1, 6, 6), ground_sigma_m=sigma_m)
    views = {
        "off_nadir_deg": off_nadir_of_deg(eye, spot),
        "azimuth_deg": azimuth_of_deg(spot, eye),
        "ground_sample_m": ground_sample_m(eye, spot, axis, focal_px),
        "ce90_m": np.minimum(ce90_m(spread), np.linalg.norm(eye - spot, axis=1)),
        "framed": shares_inside(points, *flat_rings([row.footprint for row in rows])),
    }
    views["hidden"] = _hidden_fractions(rows, views["framed"], hidden)
    shown = views["framed"] * (1 - np.nan_to_num(views["hidden"], nan=0.0))
    views["rank_m"] = rank_m(
        np.nan_to_num(views["ground_sample_m"], nan=np.inf),
        views["off_nadir_deg"],
        shown,
        views["ce90_m"],
    )
    return views


def _columns(rows: Sequence[SegmentRow], *names: str) -> Array:
    """(N, columns) of some fields of the rows."""
    return np.array([[getattr(row, name) for name in names] for row in rows], float)


def _hidden_in(package: GeoPackage, points: Array) -> dict[int, float | None]:
    """Percent hidden by segment, as the cells of a few of the points know it."""
    few = points[np.linspace(0, len(points) - 1, min(ASKED_CELLS, len(points))).astype(int)]
    places = sorted(
        {
            cell_of(level, floor(x / size), floor(y / size))
            for level, size in enumerate(CELL_SIZES_M)
            for x, y in few
        }
    )
    return hidden_percent(package, places)


def _hidden_fractions(
    rows: list[SegmentRow], framed: Array, hidden: Mapping[int, float | None]
) -> Array:
    """NaN where it is not known; 1 where the place is framed and no cell of it is seen."""
    known = [
        hidden.get(row.segment, 100.0 if share > 0.5 else None)
        for row, share in zip(rows, framed, strict=True)
    ]
    return np.array([np.nan if percent is None else percent / 100 for percent in known])


def _sighting(
    row: SegmentRow, i: int, seen: Mapping[str, Array], from_s: float, to_s: float
) -> Sighting:
    view = {
        name: float(column[i]) if np.isfinite(column[i]) else None for name, column in seen.items()
    }
    faces = faces_of(seen["azimuth_deg"][i], seen["off_nadir_deg"][i])
    return Sighting(
        clip_name=row.clip_name,
        sha256=row.clip_sha256,
        kind="clip",
        shot=row.shot,
        from_s=from_s,
        to_s=to_s,
        best_s=(row.from_s + row.to_s) / 2,
        ground_sample_m=view["ground_sample_m"],
        off_nadir_deg=view["off_nadir_deg"],
        azimuth_deg=view["azimuth_deg"],
        faces=letters_of(int(faces)),
        framed_fraction=view["framed"],
        occluded_fraction=view["hidden"],
        ce90_m=view["ce90_m"],
        precision=precision_of(view["ce90_m"]),
        source=row.source,
        rank_m=float(seen["rank_m"][i]),
        segment=row.segment,
    )
