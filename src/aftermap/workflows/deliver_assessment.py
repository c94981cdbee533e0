"""``aftermap assess``: what is graded goes into the record, the products and a few lines.

What people said of buildings stays as it is. A machine's grades are added as new rows where they
differ from the last ones.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from aftermap.assessment.total import TooFew
from aftermap.config import Settings
from aftermap.errors import CaseError, InputError
from aftermap.execute import LocalExecutor
from aftermap.model.assessment import GRADES, Assessment, Grade
from aftermap.model.evidence import Evidence
from aftermap.model.runs import Progress
from aftermap.publish.damage.assessment_report import (
    AssessmentFacts,
    ClassTotal,
    TotalsSection,
    link_from_report,
    write_assessment_report,
)
from aftermap.publish.damage.evidence_sheet import SheetFacts, write_evidence_sheet
from aftermap.publish.damage.measure_rows import measured_rows
from aftermap.publish.exchange.geojson import sensor_dates, write_buildings, write_streets
from aftermap.record import Case
from aftermap.record.assessments import accepted_grades, add_assessments, machine_grades, reviews
from aftermap.record.building_table import replace_buildings
from aftermap.record.building_views import replace_views
from aftermap.record.case import ACTOR, RECORD_NAME
from aftermap.record.custody import utc_now
from aftermap.record.evidence_table import place_evidence, replace_evidence
from aftermap.record.street_table import replace_streets
from aftermap.run import Runner
from aftermap.workflows.assess import ALL, Graded, Map, grade_map, map_of
from aftermap.workflows.exports import write_exports
from aftermap.workflows.products import write_styles
from aftermap.workflows.recorded_run import note_files
from aftermap.workflows.totals import TotalsOptions, totalled_in
from aftermap.workflows.totals_table import HEADINGS

NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """What a run leaves: the page to open, and what it says in a few lines."""

    report: Path
    summary_lines: tuple[str, ...]


def assess(
    case_path: Path,
    settings: Settings,
    *,
    shown: tuple[str, ...] = (),
    fresh: bool,
    progress: Progress,
    workers: int | None,
) -> Assessed:
    """Grade the buildings of a case that ``aftermap map`` has made a map of.

    ``shown`` are ids of buildings that get pictures even where there are too many for all.

    Raises CaseError where the folder holds no case.
    """
    if not (case_path / RECORD_NAME).is_file():
        raise CaseError(f"{case_path}: is not a case; create one with aftermap map FOOTAGE --case")
    with (
        Case.create_or_open(case_path) as case,
        Runner(case, command="assess", options=settings, progress=progress) as run,
        LocalExecutor(workers, progress=progress, preload=("numpy", "cv2", "numba")) as executor,
    ):
        if fresh:
            run.forget(*ALL)
        note_files(run, settings)
        run.note_given(shown=list(shown))
        made = map_of(run)
        return deliver_assessment(
            case, run, made, grade_map(made, settings, case, run, executor, shown)
        )


def deliver_assessment(case: Case, run: Runner, made: Map, found: Graded) -> Assessed:
    """Everything that was found, where people look for it."""
    _record(case, found)
    dates = sensor_dates(placed.frame for placed in made.cameras.placed)
    products = (
        write_buildings(
            found.buildings, found.grading, case.products / "buildings.geojson", sensor_date=dates
        ),
        write_streets(found.streets, case.products / "streets.geojson"),
        *write_exports(case, dates),
    )
    for path in products:
        run.deliver(path, path.name)
    run.each_time("sheets", lambda: _sheets(case, found))
    facts = AssessmentFacts(
        case_name=case.path.name,
        made_at=utc_now(),
        buildings=found.buildings,
        grading=found.grading,
        orthophoto=made.orthophoto,
        streets=found.streets,
        adopted=_accepted_grades(case),
        totals=_totals(case),
        sensor_date=dates,
        skipped=(*found.footprints.skipped, *found.streets.skipped, *found.evidence.skipped),
        notes=_notes(found),
    )
    write_styles(case, run)
    report = run.each_time("page", lambda: write_assessment_report(facts, case.products))
    run.deliver(report, report.name)
    if linked := link_from_report(case.products):
        run.deliver(linked, linked.name)
    return Assessed(report=report, summary_lines=tuple(_lines(found)))


def _accepted_grades(case: Case) -> dict[str, Grade]:
    """What the case stands by, by building."""
    kept = accepted_grades(case.package)
    named = ((name, one.assessment.grade) for name, one in kept.items())
    return {name: grade for name, grade in named if grade is not None}


def _totals(case: Case) -> TotalsSection:
    """Estimates from the blind grades of the sample, or why there are none."""
    try:
        answer = totalled_in(case, TotalsOptions())
    except (CaseError, InputError) as error:
        return TotalsSection(refusal=str(error).removeprefix(f"{case.path}: "))
    (of_case,) = answer.areas
    if isinstance(of_case.table, TooFew):
        return TotalsSection(refusal=str(of_case.table))
    return TotalsSection(
        headings=HEADINGS,
        preamble=of_case.table.preamble,
        rows=tuple(
            ClassTotal(cells=cells, sentence=str(row))
            for row, cells in zip(of_case.rows, of_case.cells, strict=True)
        ),
        notes=answer.notes,
    )


def _record(case: Case, found: Graded) -> None:
    package, grades = case.package, found.grading.assessments
    replace_buildings(
        package, found.buildings, found.grading, found.measures, _accepted_grades(case)
    )
    replace_views(package, found.buildings, found.views, found.visibility)
    replace_streets(package, found.streets)
    replace_evidence(package, found.evidence, actor=ACTOR)
    before = tuple(replace(kept.assessment, at=None) for kept in machine_grades(package))
    if before != grades:
        add_assessments(package, grades, actor=ACTOR)


def _sheets(case: Case, found: Graded) -> Path:
    """The pictures in ``products/evidence``, and a sheet for each building that has any."""
    folder = place_evidence(found.evidence, case.products)
    said = _said_of(case)
    measures = dict(enumerate(_measures(found)))
    pictures: dict[int, list[Evidence]] = {}
    for row in found.evidence.rows:
        pictures.setdefault(row.building, []).append(row)
    for place, rows in pictures.items():
        building = found.buildings.buildings[place]
        facts = SheetFacts(
            case_name=case.path.name,
            building=building,
            crs=found.buildings.crs,
            evidence=tuple(rows),
            visibility=found.visibility[place],
            assessments=said.get(building.footprint.source_id, ()),
            measures=measured_rows(measures[place]),
            made_at=utc_now(),
        )
        write_evidence_sheet(facts, (folder / rows[0].name).parent)
    return folder


def _said_of(case: Case) -> Mapping[str, tuple[Assessment, ...]]:
    """What the case stands by, the machine and every reviewer said of each building."""
    told = [*accepted_grades(case.package).values(), *machine_grades(case.package)]
    said: dict[str, tuple[Assessment, ...]] = {}
    for kept in (*told, *reviews(case.package)):
        name = kept.assessment.source_id
        said[name] = (*said.get(name, ()), kept.assessment)
    return said


def _measures(found: Graded) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(found.measures.path) as file:
        for batch in file.iter_batches(batch_size=5_000):
            yield from batch.to_pylist()


def _lines(found: Graded) -> Iterator[str]:
    grades = found.grading.assessments
    counts = Counter(one.grade for one in grades if one.grade is not None)
    told = ", ".join(f"{counts[grade]} {grade}" for grade in GRADES)
    graded = sum(counts.values())
    yield (
        f"Buildings: {graded} of {len(grades)} graded by the model ({told}). These are model "
        "grades, not estimates; draw a sample for review with aftermap sample to estimate "
        "totals."
    )
    reasons = [one.not_assessed_reason or "" for one in grades if one.grade is None]
    for count, reason in sorted(grouped_reasons(reasons), reverse=True)[:4]:
        yield f"Not assessed: {count}: {reason}"
    yield from _street_lines(found)
    for note in _notes(found):
        yield f"Note: {note}"


def grouped_reasons(reasons: list[str]) -> Iterator[tuple[int, str]]:
    """Reasons that differ in their numbers alone, as one with the range of each, and how many."""
    said: dict[tuple[str, ...], list[list[str]]] = {}
    for reason in reasons:
        said.setdefault(tuple(NUMBER.split(reason)), []).append(NUMBER.findall(reason))
    for words, numbers in said.items():
        ends = [(min(some, key=float), max(some, key=float)) for some in zip(*numbers, strict=True)]
        ranges = [low if low == high else f"{low} to {high}" for low, high in ends]
        yield len(numbers), "".join(a + b for a, b in zip(words, (*ranges, ""), strict=True))


def _notes(found: Graded) -> tuple[str, ...]:
    parts = (found.footprints, found.buildings, found.streets, found.evidence)
    return tuple(dict.fromkeys(note for part in parts for note in part.notes))


def _street_lines(found: Graded) -> Iterator[str]:
    if found.streets.has_own_lines:
        return  # no known streets: a note says so, and nothing of them is summed
    ways = Counter(pq.read_table(found.streets.path, columns=["passage"])["passage"].to_pylist())
    if ways:
        yield (
            f"Streets, sections of 10 m: {ways['truck']} passable by truck, {ways['car']} by car "
            f"only, {ways['nobody']} impassable, {ways['not_seen']} not seen (of "
            f"{sum(ways.values())})"
        )
