"""Where a map puts the edges of roofs: how far outside the true ones, and how straight.

Every true outline is walked in steps of STEP_M. At a step, the profile across the wall is read off
the true surface; it counts where the truth drops by more than WALL_M at the outline and nowhere
else within REACH_M. The map's edge is the offset at which "higher than half the wall inside,
lower outside" fits its own profile best; where cells are missing at the edge, the roof ends with
its last cell. Offsets are along the outward normal, positive outside. Metres, the twin's CRS.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.crs import WGS84, transformed_xy
from benchmarks.surface_truth import STEREO, SurfaceMap, SurfaceTruth, views_of

WALL_M = 2.0
STEP_M = 0.25
MARGIN_M = 0.75
"""Of a wall's ends: corners are no straight edges."""
REACH_M = 1.5
OFFSETS_M = np.arange(-REACH_M, REACH_M + 1e-9, 0.02)
SLACK_M = 0.12
"""So far from the outline the truth may have its drop: its cells are as large."""
RIM_M = 0.1
"""So far inside the outline the rim is looked at."""
LEAST_ROOF_M = 0.5
"""So much of a profile must be roof before an edge counts as found."""
FEWEST = 12
"""Found edge points that a line is fitted to."""
TRIM_M = 0.5
"""A point so far from the line does not pull at it; it counts all the same."""


@dataclass(frozen=True, kw_only=True)
class EdgePoints:
    """(N,) points on straight true walls that stand free.

    ``wall`` numbers the wall, ``along_m`` is the place on it; ``xy_m`` and ``out`` are (N, 2).
    """

    wall: IntArray
    along_m: Array
    xy_m: Array
    out: Array
    roof_m: Array
    foot_m: Array

    def only(self, some: BoolArray) -> "EdgePoints":
        """The points that are marked."""
        return replace(self, **{name: value[some] for name, value in vars(self).items()})

    def profiles_xy_m(self) -> Array:
        """(N, K, 2) places across the walls."""
        return np.asarray(self.xy_m[:, None] + OFFSETS_M[None, :, None] * self.out[:, None])


def edge_figures(shown: SurfaceMap, truth: SurfaceTruth) -> dict[str, Any]:
    """Edges of the measured cells, and of all that the map gives a height (filled ones too)."""
    points = true_edges(truth)
    kept = {"measured": shown.measured, "with_height": np.isfinite(shown.surface.height_m)}
    return {"points": len(points.wall)} | {
        name: _figures(points, found_edges_m(points, shown, truth, cells), shown, truth)
        for name, cells in kept.items()
    }


def true_edges(truth: SurfaceTruth) -> EdgePoints:
    """Points of outlines at which the true surface drops, and that two pictures may see."""
    points = _outline_points(truth.folder / "buildings.geojson", truth.crs)
    profiles = points.profiles_xy_m()
    heights = truth.surface.at(profiles.reshape(-1, 2)).reshape(profiles.shape[:2])
    inside, outside = OFFSETS_M < -SLACK_M, OFFSETS_M > SLACK_M
    known = np.isfinite(heights).all(1)
    points, heights = points.only(known), heights[known]
    roof_m, foot_m = np.median(heights[:, inside], 1), np.median(heights[:, outside], 1)
    middle = ((roof_m + foot_m) / 2)[:, None]
    free = (heights[:, inside] > middle).all(1) & (heights[:, outside] < middle).all(1)
    points = replace(points, roof_m=roof_m, foot_m=foot_m)
    points = points.only((roof_m - foot_m > WALL_M) & free)
    return points.only(_seen_by_two(points, truth))


def _seen_by_two(points: EdgePoints, truth: SurfaceTruth) -> BoolArray:
    """Whether two true pictures see the rim of the roof, or the parapet that stands on it."""
    xy_m = points.xy_m - RIM_M * points.out
    rim = np.column_stack([xy_m, truth.surface.at(xy_m)])
    return views_of(truth.folder, truth.surface, rim, truth.cameras)[0] >= STEREO


def found_edges_m(
    points: EdgePoints, shown: SurfaceMap, truth: SurfaceTruth, kept: BoolArray
) -> Array:
    """(N,) offset of the map's edge from the true one, NaN where it has none within reach."""
    heights = replace(
        shown.surface, height_m=np.where(kept, shown.surface.height_m, np.float32(np.nan))
    )
    profiles = points.profiles_xy_m()
    middle_m = (points.roof_m + points.foot_m) / 2
    places = np.concatenate(
        [profiles, np.broadcast_to(middle_m[:, None, None], (*profiles.shape[:2], 1))], axis=2
    )
    there = truth.there.there(places.reshape(-1, 3))
    found = (heights.at(there[:, :2]) - there[:, 2]).reshape(profiles.shape[:2])
    return steps_m(found > 0, np.isfinite(found))


def steps_m(is_high: BoolArray, is_known: BoolArray) -> Array:
    """(N,) offset at which (N, K) profiles step from high to low with the fewest exceptions.

    Of several offsets that fit equally the innermost behind the last high cell is taken. NaN where
    too little of the inside is high, or no step fits within reach.
    """
    high, low = is_high & is_known, ~is_high & is_known
    count = high.shape[1]
    zero = np.zeros((len(high), 1), int)
    low_before = np.concatenate([zero, np.cumsum(low, 1)], 1)
    high_before = np.concatenate([zero, np.cumsum(high, 1)], 1)
    exceptions = low_before + (high_before[:, -1:] - high_before)
    place = np.argmin(exceptions, 1)
    step = OFFSETS_M[1] - OFFSETS_M[0]
    is_found = (high_before[np.arange(len(high)), place] * step >= LEAST_ROOF_M) & (place < count)
    return np.where(is_found, OFFSETS_M[0] + (place - 0.5) * step, np.nan)


def _figures(
    points: EdgePoints, edges_m: Array, shown: SurfaceMap, truth: SurfaceTruth
) -> dict[str, Any]:
    found = np.isfinite(edges_m)
    if not found.any():
        return {"found": 0.0}
    off = edges_m[found]
    pixel_m = shown.orthophoto_pixel_m / truth.there.scale
    return {
        "found": float(found.mean()),
        "outside_median_m": float(np.median(off)),
        "outside_mean_m": float(off.mean()),
        "off_median_m": float(np.median(np.abs(off))),
        "off_p90_m": float(np.percentile(np.abs(off), 90)),
        **straightness(points.only(found), off, pixel_m),
    }


def straightness(points: EdgePoints, edges_m: Array, pixel_m: float) -> dict[str, Any]:
    """Deviations of edge points from the best line of their wall, in orthophoto pixels."""
    each = []
    for wall in np.unique(points.wall):
        own = points.wall == wall
        if own.sum() >= FEWEST:
            each.append(_from_line(points.along_m[own], edges_m[own]) / pixel_m)
    if not each:
        return {"walls": 0}
    pooled = np.abs(np.concatenate(each))
    return {
        "walls": len(each),
        "straightness_median_px": float(np.median(pooled)),
        "straightness_of_walls_median_px": float(np.median([np.median(np.abs(e)) for e in each])),
        "straightness_p90_px": float(np.percentile(pooled, 90)),
    }


def _from_line(along_m: Array, edges_m: Array) -> Array:
    """Residuals of the line that most points lie near."""
    design = np.column_stack([np.ones(len(along_m)), along_m - along_m.mean()])
    left = edges_m - np.median(edges_m)
    for _ in range(5):
        near = np.abs(left) < TRIM_M
        if near.sum() < 3:
            break
        left = edges_m - design @ np.linalg.lstsq(design[near], edges_m[near], rcond=None)[0]
    return np.asarray(left)


def _outline_points(buildings: Path, crs: str) -> EdgePoints:
    """Points along all outlines; roof and foot are not known yet."""
    parts: list[tuple[Array, ...]] = []
    for wall, (start, end) in enumerate(_walls(buildings, crs)):
        run = end - start
        length = float(np.linalg.norm(run))
        along = np.arange(MARGIN_M, length - MARGIN_M, STEP_M)
        # Outer rings run anticlockwise, courtyards clockwise: outside is to the right of both.
        out = np.array([run[1], -run[0]]) / max(length, 1e-9)
        xy = start + along[:, None] * run / max(length, 1e-9)
        parts.append((np.full(len(along), wall), along, xy, np.tile(out, (len(along), 1))))
    wall_no, along_m, xy_m, outwards = (np.concatenate(part) for part in zip(*parts, strict=True))
    nothing = np.full(len(along_m), np.nan)
    return EdgePoints(
        wall=wall_no, along_m=along_m, xy_m=xy_m, out=outwards, roof_m=nothing, foot_m=nothing
    )


def _walls(buildings: Path, crs: str) -> Iterator[tuple[Array, Array]]:
    """Start and end of every straight wall; vertices that do not bend a wall are passed over."""
    for feature in json.loads(buildings.read_text(encoding="utf-8"))["features"]:
        for ring in feature["geometry"]["coordinates"]:
            corners = transformed_xy(WGS84, crs, np.array(ring)[:-1])
            before, after = np.roll(corners, 1, 0), np.roll(corners, -1, 0)
            a, b = corners - before, after - corners
            bend = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
            turns = corners[bend > 0.02 * np.hypot(*a.T) * np.hypot(*b.T)]
            yield from zip(turns, np.roll(turns, -1, 0), strict=True)
