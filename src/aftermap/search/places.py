"""A point or a building -> the footage that saw it, the best first.

Both are places that the table ``sighting`` numbers: a point lies in a cell of every size, a
building has a number below 0. What hides a building was marched over the surface for each picture,
from points on its roof and its walls (``aftermap assess``).
"""

from math import floor

from aftermap.errors import CrsError
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.great_circle import LonLat
from aftermap.geo.uncertainty import precision_of
from aftermap.model.sighting import CELL_SIZES_M, Sighting, cell_of
from aftermap.record.geopackage import GeoPackage
from aftermap.record.sighting_queries import (
    BuildingViewRow,
    building_view_rows,
    numbers_of_building,
    sightings_crs,
)
from aftermap.search.placed_photographs import SearchedCase, placed_photographs
from aftermap.search.stretches import letters_of, stretches_seeing

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


def seen_of_building(package: GeoPackage, source_id: str, *, limit: int) -> list[Sighting]:
    """Photographs and stretches of clips that show a building, the best first.

    Where the record has no seconds of a clip any more, its moments are listed one by one. Several
    buildings of one id count as one. Raises CaseError where the case knows no buildings, InputError
    where none has the id.
    """
    numbers = numbers_of_building(package, source_id)
    views = [_sighting(row) for row in building_view_rows(package, numbers)]
    clips = []
    if sightings_crs(package) is not None:
        clips = stretches_seeing(package, [-number for number in numbers], limit=limit)
    told = {one.sha256 for one in clips}
    found = clips + [one for one in views if one.sha256 not in told]
    return sorted(found, key=lambda one: (one.rank_m, one.clip_name))[:limit]


def _clips_at(package: GeoPackage, lonlat_deg: LonLat, limit: int) -> list[Sighting]:
    crs = sightings_crs(package)
    if crs is None:
        return []
    ((east, north),) = transformed_xy(WGS84, crs, [lonlat_deg])
    return clips_at_xy(package, (float(east), float(north)), limit=limit)


def _sighting(row: BuildingViewRow) -> Sighting:
    """A photograph, or one moment of a clip."""
    return Sighting(
        clip_name=row.name,
        sha256=row.clip_sha256 or row.sha256,
        kind="photograph" if row.clip_sha256 is None else "clip",
        from_s=row.time_s,
        to_s=row.time_s,
        best_s=row.time_s,
        ground_sample_m=row.ground_sample_m,
        off_nadir_deg=row.off_nadir_deg,
        azimuth_deg=row.azimuth_deg,
        framed_fraction=row.framed_fraction,
        occluded_fraction=row.occluded_fraction,
        ce90_m=row.ce90_m,
        faces=letters_of(row.faces),
        precision=precision_of(row.ce90_m),
        source="reconstruction",
        rank_m=row.rank_m,
    )
