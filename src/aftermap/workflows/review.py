"""``aftermap review`` and ``aftermap sample``: people's grades into and out of a case's record.

Joins the record with what ``assessment`` knows of labels, agreement and samples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aftermap.assessment.draw import draw_sample
from aftermap.assessment.label_files import (
    MACHINE,
    PLACE,
    LabelFile,
    filled_lines,
    grades_by_reviewer,
    labels_in,
    labels_text,
    newest_by_reviewer,
    same_word,
)
from aftermap.assessment.reliability import (
    agreements,
    dawid_skene,
    disagreements,
)
from aftermap.errors import AftermapError, CaseError, InputError, PartialError
from aftermap.model.assessment import GRADES, Assessment, AssessorKind
from aftermap.record import Case
from aftermap.record.assessments import (
    accepted_grades,
    add_assessments,
    add_draw,
    machine_grades,
    newest_draw,
    reviews,
)
from aftermap.record.case import ACTOR, RECORD_NAME
from aftermap.record.disk import sha256_of_file, write_text
from aftermap.record.outlines import building_places

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class ReviewOutcome:
    """What a command says line by line, the file that it wrote, if any, and what it left out."""

    lines: tuple[str, ...]
    path: Path | None = None
    missing: AftermapError | None = None


def export_labels(
    case_path: Path, path: Path, *, reviewer: str | None, everything: bool, machine: bool
) -> ReviewOutcome:
    """A file of labels to fill in: of the newest sample, or of ``everything``.

    ``reviewer``: filled in with what that reviewer said last. ``machine``: with the machine's
    grade
    and confidence beside each building; without it the reviewers are blind to them.

    Raises CaseError where the case holds no buildings.
    """
    _refuse_filled(path)
    with Case.open_to_read(case_path) as case:
        places = building_places(case.package)
        draw = newest_draw(case.package)
        if draw is None or everything:
            names, which = sorted(places), "all buildings of the case"
        else:
            names = [one.source_id for one in draw.buildings]
            which = f"the sample of {draw.drawn_at}, seed {draw.seed}, in drawing order"
        told = _reviews(case)
        graded = {k.assessment.source_id: k.assessment for k in machine_grades(case.package)}
    if not names:
        raise CaseError(f"{case_path}: holds no buildings yet; run aftermap assess first")
    rows = [
        {
            **_place(places.get(name)),
            **(_machine(graded.get(name)) if machine else {}),
            **_label_row(told.get(name, {}).get(reviewer or ""), reviewer),
            "source_id": name,
        }
        for name in names
    ]
    write_text(path, labels_text(rows, (*PLACE, *(MACHINE if machine else ()))))
    seen = "with model grades" if machine else "without model grades"
    return ReviewOutcome(lines=(f"{len(rows)} buildings ({which}), {seen}: {path}",), path=path)


def import_labels(
    case_path: Path, path: Path, *, reviewer: str | None, adopt: bool = False
) -> ReviewOutcome:
    """Add a file's labels to the record; what was added, what was not, and how reviewers agree.

    ``adopt``: they are what the case stands by from now on, and no reviewer's word of their own.

    Raises CaseError where the case holds no buildings.
    """
    refuse_no_case(case_path)
    with Case.create_or_open(case_path) as case:
        known = set(building_places(case.package)) | {
            kept.assessment.source_id for kept in machine_grades(case.package)
        }
        if not known:
            raise CaseError(f"{case_path}: holds no buildings yet; run aftermap assess first")
        found = labels_in(path, known, reviewer)
        before = _accepted(case) if adopt else _reviews(case)
        new, again, changed = _sorted_out(found, before)
        if adopt:
            new = [replace(one, kind=AssessorKind.ADOPTED) for one in new]
        if new:
            add_assessments(case.package, new, actor=ACTOR, subject=sha256_of_file(path))
        after = _reviews(case)
    what = "accepted grades" if adopt else "grades"
    lines = [f"{len(new)} {what} imported from {path.name}", *_notes(found, again, changed)]
    return ReviewOutcome(
        lines=(*lines, *([] if adopt else agreement_lines(after))),
        missing=_unused(path, found, taken=len(new) + again),
    )


def _notes(found: LabelFile, again: int, changed: Sequence[tuple[str, str]]) -> list[str]:
    """What is said of lines that were not imported, or that stand beside an earlier grade."""
    lines = []
    if again:
        lines.append(f"{again} are already in the record unchanged and were not imported again")
    if found.empty:
        lines.append(f"{found.empty} lines have no grade yet")
    lines += found.notes
    for who, name in changed:
        lines.append(
            f"{who} had already graded {name}; the new grade counts, the earlier one stays in the "
            "record"
        )
    lines += [f"not used: {one.name}: {one.reason}" for one in found.skipped]
    return lines


def _unused(path: Path, found: LabelFile, *, taken: int) -> AftermapError | None:
    """What to say of the lines that could not be used; None where there are none."""
    if not found.skipped:
        return None
    count = "1 line" if len(found.skipped) == 1 else f"{len(found.skipped)} lines"
    kind = PartialError if taken else InputError
    return kind(
        f"{path}: {count} not used, listed above with the reason; correct the file and import "
        "it again (grades already in the record are not added twice)"
    )


def _reviews(case: Case) -> dict[str, dict[str, Assessment]]:
    return newest_by_reviewer(one.assessment for one in reviews(case.package))


def _accepted(case: Case) -> dict[str, dict[str, Assessment]]:
    return {
        name: {kept.assessment.assessor: kept.assessment}
        for name, kept in accepted_grades(case.package).items()
    }


def _sorted_out(
    found: LabelFile, before: Mapping[str, Mapping[str, Assessment]]
) -> tuple[list[Assessment], int, list[tuple[str, str]]]:
    """New grades; how many the record holds already; who graded what before."""
    last = {(who, name): one for name, by in before.items() for who, one in by.items()}
    new: list[Assessment] = []
    again, changed = 0, []
    in_record = set(last)
    for label in found.labels:
        one = label.assessment
        key = (one.assessor, one.source_id)
        if key in last and same_word(last[key], one):
            again += 1
            continue
        if key in in_record:
            changed.append(key)
            in_record.discard(key)
        last[key] = one
        new.append(one)
    return new, again, changed


def agreement_lines(newest: Mapping[str, Mapping[str, Assessment]]) -> list[str]:
    """How several reviewers agree, where they disagree, and beside it what a model makes of it."""
    labels = grades_by_reviewer(newest)
    shared = {name: by for name, by in labels.items() if len(by) > 1}
    if not shared:
        return []
    lines = [str(one) for one in agreements(labels)]
    apart = disagreements(labels)
    lines.append(
        f"reviewers disagree on {len(apart)} of {len(shared)} buildings with several grades"
    )
    if apart:
        lines[-1] += "; in brackets, the most probable grade by the model of Dawid and Skene:"
    chance = dawid_skene(labels)
    for one in apart[:_SHOWN]:
        said = ", ".join(f"{who} {grade.value}" for who, grade in one.grades)
        best = max(range(len(GRADES)), key=chance[one.source_id].__getitem__)
        model = f"{GRADES[best].value} {chance[one.source_id][best]:.2f}"
        lines.append(f"  {one.source_id}: {said} ({model})")
    if len(apart) > _SHOWN:
        lines.append(f"  and {len(apart) - _SHOWN} more")
    return lines


def sample_buildings(case_path: Path, path: Path, *, size: int, seed: int) -> ReviewOutcome:
    """Draw a sample, record it, and write the file of labels to fill in.

    Raises CaseError where the case holds no model grades.
    """
    refuse_no_case(case_path)
    _refuse_filled(path)
    with Case.create_or_open(case_path) as case:
        kept = machine_grades(case.package)
        if not kept:
            raise CaseError(f"{case_path}: has no model grades yet; run aftermap assess first")
        grades = [one.assessment for one in kept]
        draw = draw_sample(grades, size=size, seed=seed, machine_batch=kept[0].batch)
        places = building_places(case.package)
        rows = [
            {**_place(places.get(one.source_id)), "source_id": one.source_id}
            for one in draw.buildings
        ]
        add_draw(case.package, draw, actor=ACTOR)
        write_text(path, labels_text(rows, PLACE))
    count = f"{len(draw.buildings)} of {len(grades)} buildings"
    lines = [f"{count} drawn, seed {seed}, stratified by model grade:"]
    lines += [f"  {one.name}: {one.drawn} of {one.buildings}" for one in draw.strata]
    lines.append(f"For reviewers, without model grades: {path}")
    return ReviewOutcome(lines=tuple(lines), path=path)


def refuse_no_case(path: Path) -> None:
    """Raises CaseError where the folder holds no record: a typo must not make an empty case."""
    if not (path / RECORD_NAME).is_file():
        raise CaseError(f"{path}: is not a case (no {RECORD_NAME} in it); name a case folder")


def _refuse_filled(path: Path) -> None:
    """Hours of a reviewer's work must not be written over, nor a file that holds no labels."""
    if not path.exists():
        return
    filled = filled_lines(path)
    if filled is None:
        raise InputError(
            f"{path}: already exists and is not a labels file; choose another file name"
        )
    if filled:
        raise InputError(
            f"{path}: contains reviewed labels ({filled} lines) that would be lost; choose "
            "another file name, or import it with aftermap review import and move it away"
        )


def _place(lonlat: tuple[float, float] | None) -> dict[str, Any]:
    return {} if lonlat is None else {"lon": f"{lonlat[0]:.7f}", "lat": f"{lonlat[1]:.7f}"}


def _machine(one: Assessment | None) -> dict[str, Any]:
    if one is None:
        return {}
    grade = "not_assessed" if one.grade is None else one.grade.value
    confidence = None if one.confidence is None else f"{one.confidence:.2f}"
    return {"machine_grade": grade, "machine_confidence": confidence}


def _label_row(one: Assessment | None, reviewer: str | None) -> dict[str, Any]:
    if one is None:
        return {"reviewer": reviewer}
    return {
        "grade": "not_assessed" if one.grade is None else one.grade.value,
        "grades": " ".join(grade.value for grade in one.grades),
        "not_assessed_reason": one.not_assessed_reason,
        "reviewer": reviewer,
        "note": one.note,
        "confidence": one.confidence,
    }
