"""A point on the ground -> the stretches of clips and the photographs that saw it, the best first.

A point is looked up in the table ``sighting``: its cells of every size, one index search each.
"""

from math import floor

from aftermap.errors import CrsError
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.great_circle import LonLat
from aftermap.model.sighting import CELL_SIZES_M, Sighting, cell_of
from aftermap.record.geopackage import GeoPackage
from aftermap.record.sighting_queries import sightings_crs
from aftermap.search.photographs import SearchedCase, placed_photographs
from aftermap.search.stretches import stretches_seeing

XY = tuple[float, float]


def seen_at_point(case: SearchedCase, lonlat_deg: LonLat, *, limit: int) -> list[Sighting]:
    """What saw a point of WGS 84; nothing where the case's CRS has no coordinates for it."""
    try:
        found = _clips_at(case.package, lonlat_deg, limit)
        found += placed_photographs(case, [lonlat_deg], limit=limit)
    except CrsError:  # so far away that the case's CRS has no coordinates for it
        return []
    return sorted(found, key=lambda one: one.rank_m)[:limit]


def clips_at_xy(package: GeoPackage, xy_m: XY, *, limit: int) -> list[Sighting]:
    """The stretches of clips that saw a place, east and north in the CRS of the case's clips."""
    places = [
        cell_of(level, floor(xy_m[0] / size), floor(xy_m[1] / size))
        for level, size in enumerate(CELL_SIZES_M)
    ]
    return stretches_seeing(package, places, limit=limit)


def _clips_at(package: GeoPackage, lonlat_deg: LonLat, limit: int) -> list[Sighting]:
    crs = sightings_crs(package)
    if crs is None:
        return []
    ((east, north),) = transformed_xy(WGS84, crs, [lonlat_deg])
    return clips_at_xy(package, (float(east), float(north)), limit=limit)
