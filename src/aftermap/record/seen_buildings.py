"""A building -> the footage that shows it, the best first: photographs, and stretches of clips.

Unlike for a spot, what hides the building was marched over the surface for each picture, from
points on its roof and its walls (``aftermap assess``).
"""

from collections.abc import Sequence
from typing import Any

from aftermap.errors import CaseError, InputError
from aftermap.geo.uncertainty import precision_of
from aftermap.geo.viewing import FACE_LETTERS
from aftermap.model.sighting import Sighting
from aftermap.record.geopackage import GeoPackage
from aftermap.record.seen import seen_in_places

_VIEWS = """
SELECT v.sha256, v.clip_sha256, v.time_s, v.azimuth_deg, v.off_nadir_deg, v.ground_sample_m,
  v.framed_fraction, v.occluded_fraction, v.faces, v.ce90_m, v.rank_m,
  coalesce((SELECT name FROM media WHERE sha256 = coalesce(v.clip_sha256, v.sha256)), v.sha256)
FROM building_view v WHERE v.building IN ({}) ORDER BY v.rank_m"""


def seen_building(package: GeoPackage, source_id: str, *, limit: int) -> list[Sighting]:
    """Photographs and stretches of clips that show a building, the best first.

    Where the record has no seconds of a clip any more, its moments are told one by one. Several
    buildings of one id count as one. A case without buildings, and an id that none has, are errors.
    """
    numbers = _numbers_of(package, source_id)
    marks = ", ".join("?" for _ in numbers)
    views = [_sighting(row) for row in package.rows(_VIEWS.format(marks), numbers)]
    clips = []
    if package.rows("SELECT 1 FROM sqlite_master WHERE name = 'sighting'"):
        clips = seen_in_places(package, [-number for number in numbers], limit=limit)
    told = {one.sha256 for one in clips}
    found = clips + [one for one in views if one.sha256 not in told]
    return sorted(found, key=lambda one: (one.rank_m, one.clip_name))[:limit]


def _numbers_of(package: GeoPackage, source_id: str) -> list[int]:
    if not package.rows("SELECT 1 FROM sqlite_master WHERE name = 'building_seen'"):
        raise CaseError(
            f"{package.path.parent}: knows no buildings yet; run aftermap assess with --footprints"
        )
    sql = "SELECT building FROM building_seen WHERE source_id = ? ORDER BY building"
    numbers = [number for (number,) in package.rows(sql, (source_id,))]
    if not numbers:
        raise InputError(
            f"{source_id}: no building of this case has this id; ids are in the column source_id "
            "of the table building_seen in case.gpkg"
        )
    return numbers


def _sighting(row: Sequence[Any]) -> Sighting:
    """A photograph, or one moment of a clip."""
    (
        sha256,
        clip,
        time_s,
        azimuth,
        off_nadir,
        sample,
        framed,
        occluded,
        faces,
        circle,
        rank,
        name,
    ) = row
    return Sighting(
        clip_name=name,
        sha256=clip or sha256,
        kind="photograph" if clip is None else "clip",
        from_s=time_s,
        to_s=time_s,
        best_s=time_s,
        ground_sample_m=sample,
        off_nadir_deg=off_nadir,
        azimuth_deg=azimuth,
        framed_fraction=framed,
        occluded_fraction=occluded,
        ce90_m=circle,
        faces="".join(letter for bit, letter in FACE_LETTERS.items() if faces & bit),
        precision=precision_of(circle),
        source="reconstruction",
        rank_m=rank,
    )
