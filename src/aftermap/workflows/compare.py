"""``aftermap compare``: the grades of a case against another assessment of the same buildings.

Joins the record with what ``assessment`` knows of scales and other assessments.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import shapely

from aftermap.assessment.agreement import Compared, compare_assessments
from aftermap.assessment.reference_assessment import (
    OtherAssessment,
    ReferenceOptions,
    other_assessment,
)
from aftermap.assessment.scales import (
    CROSSWALK_VERSION,
    Scale,
    code_of,
)
from aftermap.errors import CaseError, InputError
from aftermap.geo.arrays import AnyArray
from aftermap.model.assessment import AssessorKind
from aftermap.model.datum import DatumTransformation
from aftermap.record import Case
from aftermap.record.outlines import building_outlines
from aftermap.workflows.exports import standing_grades


@dataclass(frozen=True, kw_only=True)
class ComparisonOutcome:
    """A comparison with what was read, told in lines or as plain values."""

    other: OtherAssessment
    compared: Compared
    ours: str
    transformation: DatumTransformation | None = None

    def lines(self) -> tuple[str, ...]:
        """The matrix, the agreement, and everything that is in neither."""
        return (
            f"{self.other.name}: {len(self.other.codes)} sites, {self.other.notes[0]}"
            + (f", imagery of {self.other.date}" if self.other.date else ""),
            *(f"not used: {one.name}: {one.reason}" for one in self.other.skipped),
            *_transformation_lines(self.transformation, self.compared.within_m),
            f"ours: {self.ours}",
            *_matrix_lines(self.compared, self.other),
            *(str(one) for one in self.compared.agreements),
            *_apart_lines(self.compared),
        )

    def plain(self) -> dict[str, Any]:
        """The same in JSON's values."""
        return {
            **asdict(self.compared),
            "crosswalk": CROSSWALK_VERSION,
            "file": self.other.name,
            "field": self.other.field,
            "date": self.other.date,
            "ours": self.ours,
            "transformation": self.transformation and asdict(self.transformation),
            "skipped": [asdict(one) for one in self.other.skipped],
        }


def compared_with(
    case_path: Path, path: Path, asked: ReferenceOptions, within_m: float
) -> ComparisonOutcome:
    """The grades of a case against another's assessment: adopted ones, else the machine's.

    Raises CaseError where the case holds no graded buildings with a place on the globe.
    """
    with Case.open_to_read(case_path) as case:
        standing = standing_grades(case)
        crs, shapes = building_outlines(case.package)
    if not standing or crs is None:
        raise CaseError(
            f"{case_path}: has no georeferenced graded buildings; run aftermap assess on a "
            "georeferenced case"
        )
    other = other_assessment(path, asked)
    _refuse_elsewhere(path, other.shapes_in(crs), list(shapes.values()), within_m)
    grades = {name: one.grade for name, one in standing.items()}
    adopted = sum(one.kind is AssessorKind.ADOPTED for one in standing.values())
    return ComparisonOutcome(
        other=other,
        compared=compare_assessments(grades, shapes, other, crs, within_m),
        ours=f"{len(grades)} buildings: {adopted} with accepted grades, the others with model "
        "grades",
        transformation=other.transformation_to(crs),
    )


def _transformation_lines(
    transformation: DatumTransformation | None, within_m: float
) -> tuple[str, ...]:
    """The datum transformation, and whether sites may miss their buildings by it."""
    if transformation is None:
        return ()
    accuracy_m = transformation.accuracy_m
    if accuracy_m is not None and 2 * accuracy_m <= within_m:
        return (str(transformation),)
    beside = "sites may be matched to a neighbouring building or to none"
    return (f"{transformation}; {beside} (--within {within_m:g} m)",)


def _refuse_elsewhere(path: Path, sites: AnyArray, ours: list[Any], within_m: float) -> None:
    """A file of another town, or in another CRS, is no file that agrees on nothing."""
    west, south, east, north = shapely.total_bounds(ours)
    box = shapely.box(west - within_m, south - within_m, east + within_m, north + within_m)
    if not shapely.intersects(box, sites).any():
        raise InputError(
            f"{path}: does not overlap the case: none of its {len(sites)} sites is near the "
            "buildings; check the area, and give the CRS with --crs if the file declares none"
        )


def _matrix_lines(found: Compared, other: OtherAssessment) -> list[str]:
    codes = list(dict.fromkeys(code for row in found.matrix.values() for code in row))
    heads = [f"{code} {_label(other.scale, code)}".strip() for code in codes]
    rows = [["ours \\ theirs", *heads]]
    rows += [[word, *(str(row[code]) for code in codes)] for word, row in found.matrix.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _label(scale: Scale, code: str) -> str:
    known = code_of(scale, code)
    return "" if known is None or known.label == code else known.label


def _apart_lines(found: Compared) -> list[str]:
    same = f"{found.same} of {found.compared} buildings graded in both assessments"
    lines = [f"{same} agree"]
    told: list[tuple[int, str]] = [
        (
            found.no_class,
            f"buildings have a grade without a class in {found.scale}; excluded from kappa",
        ),
        (len(found.differing), "buildings have sites with conflicting classes; excluded"),
    ]
    lines += [f"{count} {what}" for count, what in told if count]
    lines.append(
        f"without a site within {found.within_m:g} m (does not mean undamaged): "
        f"{_counts(found.without_site)}"
    )
    lines.append(
        f"sites without a building of the case: {_counts(found.without_building)}; not a "
        f"building, such as craters: {found.no_building}; without a class: {found.unrated}"
    )
    return lines


def _counts(by: Mapping[str, int]) -> str:
    return ", ".join(f"{count} x {word}" for word, count in by.items()) or "none"
