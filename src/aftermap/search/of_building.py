"""A building -> the footage that shows it, the best first: photographs, and stretches of clips.

Unlike for a spot, what hides the building was marched over the surface for each picture, from
points on its roof and its walls (``aftermap assess``).
"""

from aftermap.geo.uncertainty import precision_of
from aftermap.model.sighting import Sighting
from aftermap.record.geopackage import GeoPackage
from aftermap.record.sighting_queries import (
    BuildingViewRow,
    building_view_rows,
    numbers_of_building,
    sightings_crs,
)
from aftermap.search.stretches import letters_of, stretches_seeing


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
