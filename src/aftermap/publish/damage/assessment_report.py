"""Graded buildings and streets -> assessment.html: maps, classes, and what is not known.

The page is one file that works offline, as report.html. A count of model grades is never called a
total: a total is an estimate with its interval. docs/reference/buildings.md.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aftermap.geo.crs import LOCAL
from aftermap.model.assessment import (
    GRADES,
    Assessment,
    Grade,
    Grading,
    ReasonSide,
    reasons_on,
)
from aftermap.model.building import Buildings
from aftermap.model.raster import Orthophoto
from aftermap.model.runs import Skipped
from aftermap.model.street import StreetTable
from aftermap.publish.damage.assessment_maps import (
    HATCHED,
    PASSAGE_COLOURS,
    SEEN_COLOURS,
    SEEN_FROM,
    backdrop_of,
    by_grade,
    by_passage,
    by_visibility,
    seen_class,
)
from aftermap.publish.report.page import HTML_NAME as REPORT_NAME
from aftermap.publish.shared.files import write_whole
from aftermap.publish.shared.ramps import GRADE_COLOURS
from aftermap.publish.shared.templates import page_environment, style_sheet
from aftermap.publish.shared.wording import GRADE_WORDS, grouped_digits

HTML_NAME = "assessment.html"
LINK_HERE = "<!-- buildings -->"
LINK = (
    f'<p class="where"><a href="{HTML_NAME}">Damage assessment: building grades, visibility and '
    "street trafficability</a></p>"
)
PASSAGE_WORDS = {
    "truck": "passable by truck (3.5 m or more)",
    "car": "passable by car (2.5 to 3.5 m)",
    "nobody": "impassable (less than 2.5 m)",
    "not_seen": "not seen",
}
SEEN_WORDS = ("less than 50 %", "50 to 80 %", "80 to 95 %", "95 % or more")
UNSURE_BELOW = 0.6
MOST_LISTED = 300


@dataclass(frozen=True, kw_only=True)
class ClassTotal:
    """An estimated total of one class: the cells of its row by column, and its sentence."""

    cells: Mapping[str, str]
    sentence: str


@dataclass(frozen=True, kw_only=True)
class TotalsSection:
    """The table of totals: its columns with their headings, what is said above it, and its rows.

    ``refusal`` says why there are no rows; empty where there are.
    """

    headings: Mapping[str, str] = field(default_factory=dict)
    preamble: tuple[str, ...] = ()
    rows: tuple[ClassTotal, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, kw_only=True)
class AssessmentFacts:
    """The facts of the page.

    ``adopted`` are the accepted grades, by ``source_id``; they are drawn in place of model grades.
    ``totals`` are estimates from a reviewed sample.
    ``sensor_date`` is the first and the last time at which pictures were taken.
    """

    case_name: str
    made_at: str
    buildings: Buildings
    grading: Grading
    orthophoto: Orthophoto
    streets: StreetTable | None = None
    adopted: Mapping[str, Grade] | None = None
    totals: TotalsSection = TotalsSection()
    sensor_date: tuple[str, str] | None = None
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a legend with its number: no colour means hatched."""

    colour: str
    words: str
    count: str
    share: float


def write_assessment_report(facts: AssessmentFacts, folder: str | Path) -> Path:
    """Write assessment.html into the folder."""
    return write_whole(assessment_page(facts), Path(folder) / HTML_NAME)


def link_from_report(folder: str | Path) -> Path | None:
    """Make the folder's report.html lead to assessment.html; None where there is no report."""
    path = Path(folder) / REPORT_NAME
    if not path.exists():
        return None
    page = path.read_text("utf-8")
    return path if LINK in page else write_whole(page.replace(LINK_HERE, LINK, 1), path)


def assessment_page(facts: AssessmentFacts) -> str:
    """The page as text."""
    environment = page_environment()
    environment.filters.update(grouped=grouped_digits, why=_why)
    given = facts.grading.assessments
    shown = tuple(_standing(one, facts.adopted) for one in given)
    backdrop, built = backdrop_of(facts.orthophoto), facts.buildings.buildings
    streets: Any = None
    if facts.streets is not None and facts.streets.pieces:
        shapes, metres = by_passage(facts.streets, backdrop.grid)
        streets = {
            "shapes": shapes,
            "rows": _passage_rows(None if facts.streets.has_own_lines else metres),
            "table": facts.streets,
        }
    return environment.get_template("assessment.html").render(
        f=facts,
        css=style_sheet("report.css", "assessment.css"),
        has_place=facts.buildings.crs != LOCAL,
        backdrop=backdrop,
        grades={"shapes": by_grade(built, shown, backdrop.grid), "rows": _grade_rows(shown)},
        seen={"shapes": by_visibility(built, given, backdrop.grid), "rows": _seen_rows(given)},
        streets=streets,
        counts=_counts(given, facts),
        unsure=_unsure(given),
        reasons=_reasons(given),
        grade_words=GRADE_WORDS,
        most=MOST_LISTED,
    )


def _standing(one: Assessment, adopted: Mapping[str, Grade] | None) -> Assessment:
    """The assessment to draw: the accepted grade, else the model grade."""
    grade = (adopted or {}).get(one.source_id)
    if grade is None:
        return one
    return Assessment(
        source_id=one.source_id,
        kind=one.kind,
        assessor=one.assessor,
        grade=grade,
        confidence=1.0,
        visibility=one.visibility,
    )


def _grade_rows(shown: tuple[Assessment, ...]) -> list[Row]:
    counts = Counter(HATCHED if one.grade is None else str(one.grade) for one in shown)
    of = max(len(shown), 1)
    rows = [
        Row(
            colour=GRADE_COLOURS[grade],
            words=GRADE_WORDS[grade],
            count=grouped_digits(counts[grade]),
            share=counts[grade] / of,
        )
        for grade in map(str, GRADES)
    ]
    missing = counts[HATCHED]
    words = "not assessed: not seen well enough"
    return [*rows, Row(colour="", words=words, count=grouped_digits(missing), share=missing / of)]


def _seen_rows(given: tuple[Assessment, ...]) -> list[Row]:
    counts = Counter(
        len(SEEN_FROM) if one.visibility is None else seen_class(one.visibility.roof_fraction)
        for one in given
    )
    of = max(len(given), 1)
    words = (*SEEN_WORDS, "not known")
    colours = (*SEEN_COLOURS, "")
    order = [*reversed(range(len(SEEN_FROM))), len(SEEN_FROM)]
    return [
        Row(
            colour=colours[k], words=words[k], count=grouped_digits(counts[k]), share=counts[k] / of
        )
        for k in order
        if k < len(SEEN_FROM) or counts[k]
    ]


def _passage_rows(metres: Mapping[str, float] | None) -> list[Row]:
    """The legend of streets, with lengths; without them where these are no known streets."""
    kinds = [(str(kind), colour) for kind, colour in PASSAGE_COLOURS.items()]
    if metres is None:
        return [Row(colour=c, words=PASSAGE_WORDS[k], count="", share=0.0) for k, c in kinds]
    of = max(sum(metres.values()), 1e-9)
    return [
        Row(
            colour=colour,
            words=PASSAGE_WORDS[kind],
            count=f"{grouped_digits(metres[kind])} m",
            share=metres[kind] / of,
        )
        for kind, colour in kinds
    ]


def _counts(given: tuple[Assessment, ...], facts: AssessmentFacts) -> dict[str, int]:
    graded = [one for one in given if one.grade is not None]
    return {
        "buildings": len(given),
        "graded": len(graded),
        "not_assessed": len(given) - len(graded),
        "sure": sum((one.confidence or 0.0) > 0.8 for one in graded),
        "possible": sum(one.is_possible for one in graded),
        "facades": sum(one.visibility is not None and one.visibility.facades > 0 for one in given),
        "adopted": len(facts.adopted or {}),
    }


def _unsure(given: tuple[Assessment, ...]) -> list[Assessment]:
    """The graded buildings to look at first, the least sure ahead."""
    found = [
        one
        for one in given
        if one.grade is not None and (one.is_possible or (one.confidence or 0.0) < UNSURE_BELOW)
    ]
    return sorted(found, key=lambda one: (one.confidence or 0.0, one.source_id))


def _why(one: Assessment) -> str:
    """The reasons for a grade and against it, in one line."""
    sides = (
        (side, "; ".join(reasons_on(side, one.reasons)))
        for side in (
            ReasonSide.CONTRADICTION,
            ReasonSide.FOR,
            ReasonSide.AGAINST,
            ReasonSide.NOTE,
        )
    )
    return ". ".join(
        text if side is ReasonSide.NOTE else f"{side.capitalize()}: {text}"
        for side, text in sides
        if text
    )


def _reasons(given: tuple[Assessment, ...]) -> list[tuple[str, list[str]]]:
    """Reasons why buildings are not assessed, the most frequent first, and their ids."""
    found: dict[str, list[str]] = {}
    for one in given:
        if one.grade is None:
            reason = one.not_assessed_reason or "no reason recorded"
            found.setdefault(reason, []).append(one.source_id)
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
