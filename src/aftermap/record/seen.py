"""A spot or a patch of ground -> the stretches of footage that saw it, the best first.

A spot is looked up in the table ``sighting``: its cells of every size, one index search each. A
polygon goes through the R*Tree and an exact test of every footprint that it finds. Neighbouring
seconds of a shot become one stretch, told by its best moment.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import floor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, IntArray
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.ring import points_in, shares_inside, touching
from aftermap.geo.uncertainty import ce90_m, ground_covariance_m2, precision_of
from aftermap.geo.viewing import (
    FACE_LETTERS,
    azimuth_of_deg,
    faces_of,
    ground_sample_m,
    off_nadir_of_deg,
    rank_m,
)
from aftermap.model.sighting import CELL_SIZES_M, Sighting, cell_of
from aftermap.record.geopackage import GeoPackage, crs_of_srs_id
from aftermap.record.sightings import HEADER_BYTES, WKB_OF_POLYGON_BYTES

XY = tuple[float, float]

ASKED_CELLS = 9
POINTS_PER_SIDE = 7
LONGEST_FILLED = 6
"""So many seconds at most lie between two placed frames of a stretch."""

_AT = "SELECT segment, rank_um FROM sighting WHERE place IN ({})"
_BEST = """
SELECT s.segment, g.clip_sha256, g.shot, g.from_s, s.rank_um, s.best_ms, s.gsd_mm,
  s.off_nadir_deg, s.azimuth_deg, s.faces, s.framed_percent, s.occluded_percent, s.ce90_dm,
  g.clip, g.source
FROM sighting s JOIN segment g ON g.fid = s.segment WHERE s.place IN ({}) AND s.segment IN ({})"""
_TIMES = "SELECT fid, from_s, to_s FROM segment WHERE fid IN ({})"
_WITHIN = """
SELECT g.fid, g.clip_sha256, g.shot, g.from_s, g.to_s, g.clip, g.source, g.camera_east_m,
  g.camera_north_m, g.camera_height_m, g.axis_off_nadir_deg, g.axis_azimuth_deg, g.focal_px,
  g.ground_m, g.ground_sigma_m, g.pose_covariance, g.geom, f.geom
FROM rtree_segment_geom r JOIN segment g ON g.fid = r.id JOIN clip_footprint f ON f.fid = r.id
WHERE r.minx <= ? AND r.maxx >= ? AND r.miny <= ? AND r.maxy >= ?"""
_FILLED = "SELECT count(*) FROM segment WHERE fid > ? AND fid < ? AND moments = 0"
_HIDDEN = """
SELECT segment, avg(occluded_percent) FROM sighting WHERE place IN ({}) GROUP BY segment"""


class _Stretch(NamedTuple):
    """The numbers of its best, first and last segment."""

    best: int
    first: int
    last: int


def seen_at(package: GeoPackage, lonlat_deg: XY, *, limit: int) -> list[Sighting]:
    """The stretches of clips that saw a spot (WGS 84), the best first; none where none did."""
    crs = sightings_crs(package)
    if crs is None:
        return []
    (xy,) = transformed_xy(WGS84, crs, [lonlat_deg])
    return seen_at_xy(package, (float(xy[0]), float(xy[1])), limit=limit)


def seen_at_xy(package: GeoPackage, xy_m: XY, *, limit: int) -> list[Sighting]:
    """As :func:`seen_at`, for east and north in the CRS of the case's clips."""
    places = [
        cell_of(level, floor(xy_m[0] / size), floor(xy_m[1] / size))
        for level, size in enumerate(CELL_SIZES_M)
    ]
    return seen_in_places(package, places, limit=limit)


def seen_in_places(package: GeoPackage, places: Sequence[int], *, limit: int) -> list[Sighting]:
    """The stretches of clips that saw any of some places, as ``sighting`` numbers them.

    Seconds that no placed frame lies in have no rows for buildings; between two that show one they
    are part of the stretch, as the camera's way is filled in there.
    """
    found = package.rows(_AT.format(_marks(places)), places)
    if places and max(places) < 0:
        found += _between(package, sorted({segment for segment, _ in found}))
    stretches = _best_stretches(found, limit)
    numbers = [stretch.best for stretch in stretches]
    sql = _BEST.format(_marks(places), _marks(numbers))
    rows = {row[0]: row for row in package.rows(sql, [*places, *numbers])}
    times = _times_of(package, stretches)
    return [_sighting_of_row(rows[one.best], *times[one]) for one in stretches]


def seen_within(package: GeoPackage, ring_lonlat: Sequence[XY], *, limit: int) -> list[Sighting]:
    """The stretches of clips that saw any part of a polygon (WGS 84), the best first."""
    crs = sightings_crs(package)
    if crs is None:
        return []
    return seen_within_xy(package, transformed_xy(WGS84, crs, ring_lonlat), limit=limit)


def seen_within_xy(package: GeoPackage, ring_m: npt.ArrayLike, *, limit: int) -> list[Sighting]:
    """As :func:`seen_within`, for a ring in the CRS of the case's clips.

    Angles, ground sample and CE90 are of the middle of the polygon. What is hidden is asked of
    nine places in it at most; a second of which none of them is known to be seen counts as hidden.
    """
    ring = np.asarray(ring_m, float)
    (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
    rows = package.rows(_WITHIN, (east, west, north, south))
    rows = _that_touch(ring, rows)
    if not rows:
        return []
    points = points_in(ring, per_side=POINTS_PER_SIDE)
    seen = _views_of(points, rows, _hidden_in(package, points))
    at = {row[0]: i for i, row in enumerate(rows)}
    stretches = _best_stretches(zip(at, seen["rank_m"].tolist(), strict=True), limit)
    times = _times_of(package, stretches)
    return [
        _sighting_of_view(rows[at[one.best]], at[one.best], seen, *times[one]) for one in stretches
    ]


def sightings_crs(package: GeoPackage) -> str | None:
    """The CRS of what clips saw, "EPSG:n"; None in a case without clips."""
    found = package.rows("SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'segment'")
    return crs_of_srs_id(found[0][0]) if found else None


def footprints_of(package: GeoPackage, segments: Sequence[int]) -> dict[int, Array]:
    """(N, 2) closed ring of ground in the picture, by the number of the segment."""
    sql = f"SELECT fid, geom FROM clip_footprint WHERE fid IN ({_marks(segments)})"  # noqa: S608
    return {fid: _ring_of(geom) for fid, geom in package.rows(sql, segments)}


def _between(package: GeoPackage, segments: Sequence[int]) -> list[tuple[int, float]]:
    """The filled-in seconds between segments of one stretch, ranked last."""
    gaps = [(a, b) for a, b in pairwise(segments) if 1 < b - a <= LONGEST_FILLED + 1]
    return [
        (number, math.inf)
        for a, b in gaps
        if package.rows(_FILLED, (a, b)) == [(b - a - 1,)]
        for number in range(a + 1, b)
    ]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)


def _best_stretches(found: Iterable[tuple[int, float]], limit: int) -> list[_Stretch]:
    """Neighbouring segments as one, the best first; of each segment found its number and rank."""
    stretches = []
    best, rank, first, last = -1, math.inf, -1, -2
    for segment, its_rank in sorted(found):
        if segment != last + 1:
            stretches.append((rank, best, first, last))
            best, rank, first = segment, its_rank, segment
        elif its_rank < rank:
            best, rank = segment, its_rank
        last = segment
    stretches.append((rank, best, first, last))
    chosen = heapq.nsmallest(limit, stretches[1:])
    return [_Stretch(best=best, first=first, last=last) for _, best, first, last in chosen]


def _times_of(
    package: GeoPackage, stretches: Sequence[_Stretch]
) -> dict[_Stretch, tuple[float, float]]:
    """From and to of every stretch."""
    ends = [number for one in stretches for number in (one.first, one.last)]
    times = {fid: span for fid, *span in package.rows(_TIMES.format(_marks(ends)), ends)}
    return {one: (times[one.first][0], times[one.last][1]) for one in stretches}


def _sighting_of_row(row: tuple[Any, ...], from_s: float, to_s: float) -> Sighting:
    (
        segment,
        sha256,
        shot,
        second_s,
        rank,
        best_ms,
        gsd,
        off_nadir,
        azimuth,
        faces,
        framed,
        occluded,
        circle,
        clip,
        source,
    ) = row
    ce90 = None if circle is None else circle / 10
    return Sighting(
        clip_name=clip,
        sha256=sha256,
        kind="clip",
        shot=shot,
        from_s=from_s,
        to_s=to_s,
        best_s=second_s + best_ms / 1000,
        ground_sample_m=gsd / 1000,
        off_nadir_deg=off_nadir,
        azimuth_deg=azimuth,
        faces=_letters(faces),
        framed_fraction=framed / 100,
        occluded_fraction=None if occluded is None else occluded / 100,
        ce90_m=ce90,
        precision=precision_of(ce90),
        source=source,
        rank_m=rank / 1e6,
        segment=segment,
    )


def _letters(faces: int) -> str:
    return "".join(letter for bit, letter in FACE_LETTERS.items() if faces & bit)


def _that_touch(ring: Array, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows whose ground, out to CE90, shares some with the ring."""
    if not rows:
        return rows
    met = touching(ring, *flat_rings([row[16] for row in rows]))
    return [row for row, yes in zip(rows, met, strict=True) if yes]


def flat_rings(geometries: Sequence[bytes]) -> tuple[Array, IntArray]:
    """The corners of GeoPackage polygons, one after the other; where each begins.

    The last corner of each, which repeats the first, is left out.
    """
    skip = HEADER_BYTES + WKB_OF_POLYGON_BYTES
    corners = [np.frombuffer(blob, "<f8", offset=skip, count=-1)[:-2] for blob in geometries]
    sizes = np.array([len(one) // 2 for one in corners])
    return np.concatenate(corners).reshape(-1, 2), np.concatenate([[0], np.cumsum(sizes)])


def _ring_of(geometry: bytes) -> Array:
    return np.frombuffer(geometry, "<f8", offset=HEADER_BYTES + WKB_OF_POLYGON_BYTES).reshape(-1, 2)


def _views_of(
    points: Array, rows: list[tuple[Any, ...]], hidden: Mapping[int, float | None]
) -> dict[str, Array]:
    """How each second sees the middle of the points."""
    numbers = np.array([row[7:15] for row in rows], float)
    eye, ground = numbers[:, :3], numbers[:, 6]
    tilt, turn = np.radians(numbers[:, 3]), np.radians(numbers[:, 4])
    axis = np.stack(
        [np.sin(tilt) * np.sin(turn), np.sin(tilt) * np.cos(turn), -np.cos(tilt)], axis=1
    )
    spot = np.column_stack([np.broadcast_to(points.mean(axis=0), (len(rows), 2)), ground])
    covariance = np.frombuffer(b"".join(row[15] for row in rows), "<f4").reshape(-1, 6, 6)
    spread = ground_covariance_m2(eye, spot, covariance, ground_sigma_m=numbers[:, 7])
    views = {
        "off_nadir_deg": off_nadir_of_deg(eye, spot),
        "azimuth_deg": azimuth_of_deg(spot, eye),
        "ground_sample_m": ground_sample_m(eye, spot, axis, numbers[:, 5]),
        "ce90_m": np.minimum(ce90_m(spread), np.linalg.norm(eye - spot, axis=1)),
        "framed": shares_inside(points, *flat_rings([row[17] for row in rows])),
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
    return dict(package.rows(_HIDDEN.format(_marks(places)), places))


def _hidden_fractions(
    rows: list[tuple[Any, ...]], framed: Array, hidden: Mapping[int, float | None]
) -> Array:
    """NaN where it is not known; 1 where the place is framed and no cell of it is seen."""
    known = [
        hidden.get(row[0], 100.0 if share > 0.5 else None)
        for row, share in zip(rows, framed, strict=True)
    ]
    return np.array([np.nan if percent is None else percent / 100 for percent in known])


def _sighting_of_view(
    row: tuple[Any, ...], i: int, seen: Mapping[str, Array], from_s: float, to_s: float
) -> Sighting:
    view = {
        name: float(column[i]) if np.isfinite(column[i]) else None for name, column in seen.items()
    }
    faces = faces_of(seen["azimuth_deg"][i], seen["off_nadir_deg"][i])
    return Sighting(
        clip_name=row[5],
        sha256=row[1],
        kind="clip",
        shot=row[2],
        from_s=from_s,
        to_s=to_s,
        best_s=(row[3] + row[4]) / 2,
        ground_sample_m=view["ground_sample_m"],
        off_nadir_deg=view["off_nadir_deg"],
        azimuth_deg=view["azimuth_deg"],
        faces=_letters(int(faces)),
        framed_fraction=view["framed"],
        occluded_fraction=view["hidden"],
        ce90_m=view["ce90_m"],
        precision=precision_of(view["ce90_m"]),
        source=row[6],
        rank_m=float(seen["rank_m"][i]),
        segment=row[0],
    )
