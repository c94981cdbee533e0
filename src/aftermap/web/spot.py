"""A click on the map -> the moments and photographs that saw the spot, and what the rasters say."""

import math
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import rasterio

from aftermap.errors import AftermapError, CaseError
from aftermap.geo.arrays import Array
from aftermap.search import seen_at_point, sighting_json_with_codes
from aftermap.web.opened import OpenedCase
from aftermap.web.responses import HeightProfile, LonLat, PointInfo, SightingFacts
from aftermap.web.tiles import Tiles

LIMIT = 60
MOST_PROFILE_POINTS = 600


def moments_of(case: OpenedCase, lonlat: LonLat) -> list[SightingFacts]:
    """The stretches and photographs that saw a spot, the best first."""
    if not case.place.is_on_globe:
        return []
    found = seen_at_point(case, lonlat, limit=LIMIT)
    return [SightingFacts(**sighting_json_with_codes(one)) for one in found]


def spot_at(case: OpenedCase, tiles: Tiles, lonlat: LonLat) -> PointInfo:
    """Coordinates in the case's CRS, the surface's height, and how many photographs agree on it."""
    xy = case.place.xy_m([lonlat])
    height = count = math.nan
    with suppress(CaseError):
        (height,) = _raster_values(tiles, "surface", xy)
    with suppress(CaseError):
        (count,) = _raster_values(tiles, "confidence", xy)
    known = math.isfinite(height)
    return PointInfo(
        xy_m=(float(xy[0, 0]), float(xy[0, 1])),
        height_m=float(height) if known else None,
        photographs=int(count) if known and math.isfinite(count) else None,
    )


def height_profile(case: OpenedCase, tiles: Tiles, line: Sequence[LonLat]) -> HeightProfile:
    """Heights along a line, at most ``MOST_PROFILE_POINTS`` of them.

    Raises CaseError where there is no surface.
    """
    corners = case.place.xy_m(line)
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    cell_m = tiles.facts("surface").cell_m
    count = int(np.clip(along[-1] / cell_m, 2, MOST_PROFILE_POINTS))
    at = np.linspace(0, along[-1], count)
    xy = np.column_stack([np.interp(at, along, corners[:, axis]) for axis in range(2)])
    heights = _raster_values(tiles, "surface", xy)
    counts = np.full(len(xy), math.nan)
    with suppress(AftermapError):
        counts = _raster_values(tiles, "confidence", xy)
    return HeightProfile(
        along_m=[round(float(one), 2) for one in at],
        height_m=[round(float(one), 2) if math.isfinite(one) else None for one in heights],
        photographs=[
            int(one) if math.isfinite(one) and math.isfinite(height) else None
            for one, height in zip(counts, heights, strict=True)
        ],
    )


def _raster_values(tiles: Tiles, raster: str, xy_m: Array) -> Array:
    """(N,) values of a raster's first band, NaN where it has none."""
    with rasterio.open(tiles.path_of(raster)) as opened:
        found = [
            math.nan if value is np.ma.masked else float(value)
            for (value,) in opened.sample(xy_m.tolist(), indexes=1, masked=True)
        ]
    return np.array(found, float)
