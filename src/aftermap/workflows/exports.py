"""What stands for the buildings of a case, in the forms of others: one row of ``EXPORTS`` a file.

The files are products, written by ``aftermap assess``. docs/architecture.md has a recipe for a new
one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aftermap.assessment.scales import Meaning, Scale, codes_for
from aftermap.model.assessment import Assessment, for_and_against, notes_beside
from aftermap.publish.exchange.hxl import hxl_text
from aftermap.publish.exchange.unosat import DamageSite, write_unosat
from aftermap.publish.shared.files import write_whole
from aftermap.record import Case
from aftermap.record.assessments import accepted_grades, machine_grades
from aftermap.record.outlines import building_places

Dates = tuple[str, str] | None
"""First and last day of the pictures (ISO 8601), where they are known."""


@dataclass(frozen=True, kw_only=True)
class ExportedBuilding:
    """What stands for a building, and longitude and latitude of a place in it, WGS 84 degrees.

    There is no place where the case has none on the globe.
    """

    assessment: Assessment
    lonlat_deg: tuple[float, float] | None


def standing_grades(case: Case) -> dict[str, Assessment]:
    """What stands for each building: its adopted grade, where there is one, else the machine's."""
    machine = {k.assessment.source_id: k.assessment for k in machine_grades(case.package)}
    adopted = {name: kept.assessment for name, kept in accepted_grades(case.package).items()}
    return machine | adopted


def write_exports(case: Case, dates: Dates) -> tuple[Path, ...]:
    """The grades of a case as every file of ``EXPORTS`` that can be made, in its products."""
    places = building_places(case.package)
    buildings = [
        ExportedBuilding(assessment=one, lonlat_deg=places.get(name))
        for name, one in standing_grades(case).items()
    ]
    written = (write(case.products / name, buildings, dates) for name, write in EXPORTS.items())
    return tuple(path for path in written if path is not None)


def _write_hxl(path: Path, buildings: Sequence[ExportedBuilding], dates: Dates) -> Path:
    return write_whole(
        hxl_text([_hxl_row(one.assessment, one.lonlat_deg, dates) for one in buildings]), path
    )


def _write_unosat(path: Path, buildings: Sequence[ExportedBuilding], dates: Dates) -> Path | None:
    sites = [
        _site(one.assessment, one.lonlat_deg, dates)
        for one in buildings
        if one.lonlat_deg is not None
    ]
    return write_unosat(path, sites) if sites else None


def _site(one: Assessment, lonlat_deg: tuple[float, float], dates: Dates) -> DamageSite:
    return DamageSite(
        site_id=one.source_id,
        lonlat_deg=lonlat_deg,
        main_class=_unosat_class(one),
        sensor_date=dates and dates[1],
        confidence=one.confidence,
        status=one.status.value,
        grade=one.grade and one.grade.value,
        grades=" ".join(grade.value for grade in one.grades) or None,
        reason=one.not_assessed_reason,
        assessor=f"{one.kind.value}: {one.assessor}",
    )


def _unosat_class(one: Assessment) -> int | None:
    """UNOSAT's code, None where it has none: what may be undamaged is never "no visible damage"."""
    if one.grade is None:
        return None
    codes = codes_for(Scale.UNOSAT, Meaning.POSSIBLE if one.is_possible else one.grade)
    return int(codes[0].code) if codes else None


def _hxl_row(
    one: Assessment, lonlat_deg: tuple[float, float] | None, dates: Dates
) -> dict[str, object]:
    lon, lat = lonlat_deg or (None, None)
    reasons, against = for_and_against(one.reasons)
    return {
        "source_id": one.source_id,
        "lat": None if lat is None else f"{lat:.7f}",
        "lon": None if lon is None else f"{lon:.7f}",
        "grade": "not_assessed" if one.grade is None else one.grade.value,
        "grades": " ".join(grade.value for grade in one.grades),
        "status": one.status.value,
        "confidence": None if one.confidence is None else f"{one.confidence:.3f}",
        "not_assessed_reason": one.not_assessed_reason,
        "reasons": "; ".join(reasons),
        "reasons_against": None if against is None else "; ".join(against),
        "notes": "; ".join(notes_beside(one.reasons)),
        "assessor": one.assessor,
        "assessor_kind": one.kind.value,
        "first_seen": dates and dates[0],
        "last_seen": dates and dates[1],
        "scale": "Aftermap grades",
    }


ExportWriter = Callable[[Path, Sequence[ExportedBuilding], Dates], Path | None]
EXPORTS: Mapping[str, ExportWriter] = {
    "buildings_hxl.csv": _write_hxl,
    "buildings_unosat.gpkg": _write_unosat,
}
"""Files by name, and what writes each; one that has nothing to hold is not written (None)."""
