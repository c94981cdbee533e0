"""What is known of one building -> a printable page: images, grade, confidence, visibility, hashes.

The page lies beside the images that it shows and works offline: a content security policy forbids
scripts and every request but images. Names are shown as text, whatever they contain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from aftermap.geo.crs import LOCAL, WGS84, transformed_xy
from aftermap.geo.viewing import FACE_LETTERS
from aftermap.model.assessment import (
    GRADES,
    Assessment,
    AssessorKind,
    ReasonSide,
    Visibility,
    reasons_on,
)
from aftermap.model.building import Building, ShiftSource
from aftermap.model.evidence import Evidence, EvidenceKind
from aftermap.publish.shared.files import write_whole
from aftermap.publish.shared.ramps import GRADE_COLOURS
from aftermap.publish.shared.templates import page_environment, style_sheet
from aftermap.publish.shared.wording import (
    GRADE_WORDS,
    NARROW,
    NOT_KNOWN,
    approximate_length,
    grouped_digits,
)

SHEET_NAME = "sheet.html"
WHO = {
    AssessorKind.MACHINE: "model grade",
    AssessorKind.REVIEWER: "reviewer",
    AssessorKind.ADOPTED: "accepted grade",
}
SIDES = {
    ReasonSide.CONTRADICTION: "Contradicts this grade",
    ReasonSide.FOR: "For this grade",
    ReasonSide.AGAINST: "Against this grade",
    ReasonSide.NOTE: "",
}
SHIFTED_BY = {
    ShiftSource.OWN: "matched to its own edges",
    ShiftSource.NEIGHBOURS: "matched to its neighbours",
}


@dataclass(frozen=True, kw_only=True)
class MeasureRow:
    """One measurement in words, with its unit; None is not known. Shares have the unit "%"."""

    name: str
    value: float | None
    sigma: float | None = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class SheetFacts:
    """The facts of a sheet. ``assessments`` may be empty: evidence needs no grade."""

    case_name: str
    building: Building
    crs: str
    evidence: tuple[Evidence, ...]
    visibility: Visibility
    assessments: tuple[Assessment, ...] = ()
    measures: tuple[MeasureRow, ...] = field(default=())
    made_at: str


def write_evidence_sheet(facts: SheetFacts, folder: Path) -> Path:
    """Write ``sheet.html`` into the folder where the building's pictures are."""
    return write_whole(evidence_sheet(facts), folder / SHEET_NAME)


def evidence_sheet(facts: SheetFacts) -> str:
    """The page of one building, as HTML. Pictures are named by their file, beside the page."""
    environment = page_environment()
    of_kind = {kind: [e for e in facts.evidence if e.kind is kind] for kind in EvidenceKind}
    return environment.get_template("evidence.html").render(
        f=facts,
        css=style_sheet("evidence.css"),
        place=_place(facts),
        head=_head(facts.assessments),
        assessments=[_told(one) for one in facts.assessments],
        visibility=_visibility(facts.visibility),
        alignment=_alignment(facts.building),
        measures=[_measured(one) for one in facts.measures],
        plans=[*of_kind[EvidenceKind.ORTHOPHOTO], *of_kind[EvidenceKind.PROFILE]],
        views=of_kind[EvidenceKind.VIEW],
        rows=[_row(one) for one in facts.evidence],
        file_of=lambda row: PurePosixPath(row.name).name,
        words_of=_words_of,
    )


def _place(facts: SheetFacts) -> str:
    """Latitude and longitude of the building; its coordinates where the case has no CRS."""
    corners = facts.building.polygons_m[0][0][:-1]
    middle = [sum(axis) / len(corners) for axis in zip(*corners, strict=True)]
    if facts.crs == LOCAL:
        east, north = (grouped_digits(value, 2) for value in middle)
        return f"local coordinates {east} east, {north} north"
    ((lon, lat),) = transformed_xy(facts.crs, WGS84, [middle])
    return f"{abs(lat):.5f}° {'S' if lat < 0 else 'N'}, {abs(lon):.5f}° {'W' if lon < 0 else 'E'}"


def _head(assessments: Sequence[Assessment]) -> dict[str, Any] | None:
    """The grade that the case stands by, else the machine's; None without any."""
    for kind in (AssessorKind.ADOPTED, AssessorKind.MACHINE, AssessorKind.REVIEWER):
        for one in assessments:
            if one.kind is kind:
                return _told(one)
    return None


def _told(one: Assessment) -> dict[str, Any]:
    grades = [str(grade) for grade in one.grades]
    name = GRADE_WORDS[str(one.grade)] if one.grade else "not assessed"
    run = ""
    if len(grades) > 1:
        run = f"{'uncertain: ' if one.is_possible else ''}{grades[0]} to {grades[-1]}"
    bars = [
        (str(grade), f"{share * 100:.1f}", f"{share:.0%}", GRADE_COLOURS[str(grade)])
        for grade, share in zip(GRADES, one.probabilities or (), strict=False)
    ]
    return {
        "name": name,
        "run": run,
        "bars": bars,
        "who": WHO[one.kind],
        "assessor": one.assessor,
        "confidence": _share(one.confidence),
        "why": [
            (words, texts)
            for side, words in SIDES.items()
            if (texts := reasons_on(side, one.reasons))
        ],
        "at": one.at,
        "not_assessed": one.not_assessed_reason,
        "note": one.note,
        "colour": GRADE_COLOURS[str(one.grade)] if one.grade else "#8a949a",
    }


def _visibility(seen: Visibility) -> list[tuple[str, str]]:
    agree = seen.surface_photographs
    return [
        ("roof measured", _share(seen.roof_fraction)),
        ("views", f"{seen.views}"),
        ("sides visible", f"{seen.facades} of 4"),
        ("best GSD", approximate_length(seen.ground_sample_m)),
        ("images that agree", NOT_KNOWN if agree is None else f"{agree:g}"),
        ("best imagery", NOT_KNOWN if seen.imagery is None else seen.imagery.words),
    ]


def _alignment(building: Building) -> str:
    moved = building.alignment
    east, north = moved.shift_m
    residual = (
        "" if moved.residual_m is None else f", residual {approximate_length(moved.residual_m)}"
    )
    sigma = f"± {approximate_length(moved.sigma_m)}"
    if moved.source is ShiftSource.NONE:
        return f"not shifted ({sigma}{residual})"
    return (
        f"shifted {grouped_digits(east, 2)}{NARROW}m east and "
        f"{grouped_digits(north, 2)}{NARROW}m north, {SHIFTED_BY[moved.source]} "
        f"({sigma}{residual})"
    )


def _measured(one: MeasureRow) -> tuple[str, str]:
    if one.value is None or not math.isfinite(one.value):
        return one.name, NOT_KNOWN
    times, decimals = (100, 0) if one.unit == "%" else (1, 2 if abs(one.value) < 100 else 0)
    value = grouped_digits(one.value * times, decimals)
    spread = ""
    if one.sigma is not None and math.isfinite(one.sigma):
        spread = f" ± {grouped_digits(one.sigma * times, decimals)}"
    return one.name, f"{value}{spread}{NARROW}{one.unit}".rstrip(NARROW)


def _row(one: Evidence) -> dict[str, Any]:
    window = ""
    if one.window is not None:
        cut = one.window
        window = f"{cut.left_px}, {cut.top_px}, {cut.width_px} by {cut.height_px}"
        if cut.turn_deg:
            window += f"; rotated {cut.turn_deg:.1f}°".replace("-", "\u2212")
    return {
        "file": PurePosixPath(one.name).name,
        "digest": one.file_sha256,
        "original": one.original_name,
        "original_digest": one.original_sha256,
        "time": "" if one.time_exact is None else f"{one.time_s:.3f}{NARROW}s",
        "window": window,
    }


def _words_of(row: Evidence) -> str:
    """The text alternative of an image."""
    if row.kind is EvidenceKind.ORTHOPHOTO:
        return "orthophoto of the building with its footprint"
    if row.kind is EvidenceKind.PROFILE:
        return "height profile across the building"
    sides = "".join(letter for bit, letter in FACE_LETTERS.items() if (row.faces or 0) & bit)
    seen = f", showing sides {', '.join(sides)}" if sides else ""
    return f"view {row.rank} from azimuth {row.azimuth_deg:.0f} degrees{seen}"


def _share(value: float | None) -> str:
    return NOT_KNOWN if value is None else f"{grouped_digits(value * 100)}{NARROW}%"
