"""``aftermap review``: people's grades into and out of a case's record.

Joins the record with what ``assessment`` knows of labels and agreement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from aftermap.assessment.label_files import (
    GRADERS,
    MACHINE,
    NO,
    PLACE,
    YES,
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
from aftermap.model.assessment import GRADES, Assessment, AssessorKind, Blinding
from aftermap.model.reviewer import name_folded, reviewer_name
from aftermap.model.sample import Draw
from aftermap.record import Case
from aftermap.record.assessments import (
    accepted_grades,
    add_assessments,
    machine_grades,
    newest_draw,
    reviews,
)
from aftermap.record.case import ACTOR, RECORD_NAME
from aftermap.record.disk import sha256_of_file, write_text
from aftermap.record.outlines import building_places
from aftermap.record.reviews import Showing, add_showing, one_name_each
from aftermap.workflows.declared_blind import checked_declarations

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class ReviewOutcome:
    """What a command says line by line, the file that it wrote, if any, and what it left out."""

    lines: tuple[str, ...]
    path: Path | None = None
    missing: AftermapError | None = None


class Exported(StrEnum):
    """Which buildings an export of labels holds; all of them where no sample was drawn."""

    SAMPLE = "sample"
    SECOND = "second"
    ALL = "all"


def export_labels(
    case_path: Path, path: Path, *, reviewer: str | None, which: Exported, machine: bool
) -> ReviewOutcome:
    """A file of labels to fill in: of the newest sample, of its part for two reviewers, or of all.

    ``reviewer``: filled in with what that reviewer said last. ``machine``: with the machine's
    grade and confidence beside each building, which is recorded before the file is written;
    without it the reviewers are blind to them.

    Raises CaseError where the case holds no buildings, InputError where no sample says which
    buildings are for a second reviewer.
    """
    refuse_filled(path)
    reviewer = reviewer and reviewer_name(reviewer)
    with Case.open_to_read(case_path) as case:
        places = building_places(case.package)
        draw = newest_draw(case.package)
        names, what = _exported(case_path, draw, sorted(places), which)
        told = _reviews(case)
        graded = {k.assessment.source_id: k.assessment for k in machine_grades(case.package)}
    if not names:
        raise CaseError(f"{case_path}: holds no buildings yet; run aftermap assess first")
    if machine:
        with Case.create_or_open(case_path) as case:
            add_showing(case.package, reviewer or "", Showing.EXPORT, actor=ACTOR)
    graders = {} if draw is None else graders_of(draw)
    rows = [
        {
            **place_columns(places.get(name)),
            **(_machine(graded.get(name)) if machine else {}),
            **_label_row(_said_by(reviewer, told.get(name, {})), reviewer),
            GRADERS[0]: graders.get(name),
            "source_id": name,
        }
        for name in names
    ]
    write_text(path, labels_text(rows, (*PLACE, *GRADERS, *(MACHINE if machine else ()))))
    seen = "with model grades" if machine else "without model grades"
    return ReviewOutcome(lines=(f"{len(rows)} buildings ({what}), {seen}: {path}",), path=path)


def _exported(
    case_path: Path, draw: Draw | None, every: list[str], which: Exported
) -> tuple[list[str], str]:
    """The buildings of an export, and what they are."""
    if which is Exported.SECOND and (draw is None or not draw.twice):
        raise InputError(
            f"{case_path}: no sample says which buildings are for a second reviewer; draw one with "
            "aftermap sample"
        )
    if draw is None or which is Exported.ALL:
        return every, "all buildings of the case"
    names = [one.source_id for one in draw.buildings]
    sample = f"the sample of {draw.drawn_at}, seed {draw.seed}"
    if which is Exported.SECOND:
        for_two = set(draw.twice)
        return [name for name in names if name in for_two], f"for a second reviewer, of {sample}"
    return names, f"{sample}, in drawing order"


def graders_of(draw: Draw) -> dict[str, int]:
    """How many reviewers should grade each building of a sample."""
    for_two = set(draw.twice)
    return {one.source_id: 2 if one.source_id in for_two else 1 for one in draw.buildings}


def import_labels(
    case_path: Path,
    path: Path,
    *,
    reviewer: str | None,
    is_blind: bool | None = None,
    adopt: bool = False,
) -> ReviewOutcome:
    """Add a file's labels to the record; what was added, what was not, and how reviewers agree.

    ``is_blind``: what is declared of labels that do not say whether they were given without sight
    of model grades. ``adopt``: they are what the case stands by from now on, and no reviewer's word
    of their own.

    Raises CaseError where the case holds no buildings.
    """
    refuse_no_case(case_path)
    reviewer = reviewer and reviewer_name(reviewer)
    with Case.create_or_open(case_path) as case:
        found = labels_in(path, _known_ids(case_path, case), reviewer, is_blind=is_blind)
        if not adopt:
            found = _declared(case, path, found)
        before = _accepted(case) if adopt else _reviews(case)
        new, again, changed = _sorted_out(found, before)
        if adopt:
            new = [replace(one, kind=AssessorKind.ADOPTED, blinding=None) for one in new]
        if new:
            add_assessments(case.package, new, actor=ACTOR, subject=sha256_of_file(path))
        after = _reviews(case)
    what = "accepted grades" if adopt else "grades"
    count = f"{len(new)} {what} imported from {path.name}"
    lines = [count + ("" if adopt else _blindness(new)), *_notes(found, again, changed)]
    return ReviewOutcome(
        lines=(*lines, *([] if adopt else agreement_lines(after))),
        missing=_unused(path, found, taken=len(new) + again),
    )


def _known_ids(case_path: Path, case: Case) -> set[str]:
    """The ids of the case's buildings; a CaseError where it holds none."""
    known = set(building_places(case.package)) | {
        kept.assessment.source_id for kept in machine_grades(case.package)
    }
    if not known:
        raise CaseError(f"{case_path}: holds no buildings yet; run aftermap assess first")
    return known


def _declared(case: Case, path: Path, found: LabelFile) -> LabelFile:
    """The file without the labels that are declared blind and are known not to be."""
    checked = checked_declarations(case, path.name, found.labels)
    return replace(
        found,
        labels=checked.labels,
        skipped=(*found.skipped, *checked.refused),
        notes=(*found.notes, *checked.notes),
    )


def _blindness(new: Sequence[Assessment]) -> str:
    """How many of the new grades are blind, in words; "" where there are none."""
    kinds = {
        "declared blind": sum(one.is_blind for one in new),
        "not blind": sum(one.blinding is Blinding.NOT_BLIND for one in new),
        "not known to be blind (see --blind)": sum(one.blinding is None for one in new),
    }
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    return f": {told}" if told else ""


def _notes(found: LabelFile, again: int, changed: Sequence[tuple[str, str]]) -> list[str]:
    """What is said of lines that were not imported, or that stand beside an earlier grade."""
    lines = []
    if again:
        lines.append(f"{again} are already in the record unchanged and were not imported again")
    if found.empty:
        lines.append(f"{found.empty} lines have no grade yet")
    lines += found.notes
    for who, name in changed[:_SHOWN]:
        lines.append(
            f"{who} had already graded {name}; the new grade counts, the earlier one stays in the "
            "record"
        )
    if len(changed) > _SHOWN:
        lines.append(f"and so for {len(changed) - _SHOWN} more buildings")
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
    return newest_by_reviewer(one_name_each(one.assessment for one in reviews(case.package)))


def _accepted(case: Case) -> dict[str, dict[str, Assessment]]:
    return {
        name: {kept.assessment.assessor: kept.assessment}
        for name, kept in accepted_grades(case.package).items()
    }


def _sorted_out(
    found: LabelFile, before: Mapping[str, Mapping[str, Assessment]]
) -> tuple[list[Assessment], int, list[tuple[str, str]]]:
    """New grades; how many the record holds already; who graded what before."""
    last = {(name_folded(who), name): one for name, by in before.items() for who, one in by.items()}
    new: list[Assessment] = []
    again, changed = 0, []
    in_record = set(last)
    for label in found.labels:
        one = label.assessment
        key = (name_folded(one.assessor), one.source_id)
        if key in last and _says_no_more(one, last[key]):
            again += 1
            continue
        if key in in_record and not same_word(last[key], one):
            changed.append((one.assessor, one.source_id))
            in_record.discard(key)
        last[key] = one
        new.append(one)
    return new, again, changed


def _says_no_more(one: Assessment, last: Assessment) -> bool:
    """Whether a label is what its reviewer said last, and tells nothing new of its blindness."""
    is_same = one.blinding is None or (last.blinding is not None and one.is_blind == last.is_blind)
    return is_same and same_word(last, one)


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


def refuse_no_case(path: Path) -> None:
    """Raises CaseError where the folder holds no record: a typo must not make an empty case."""
    if not (path / RECORD_NAME).is_file():
        raise CaseError(f"{path}: is not a case (no {RECORD_NAME} in it); name a case folder")


def refuse_filled(path: Path) -> None:
    """Raise InputError where a file must not be written over.

    That is one with labels of a reviewer, or one that is not a labels file.
    """
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


def place_columns(lonlat: tuple[float, float] | None) -> dict[str, Any]:
    """The columns of a place inside a building, degrees; none where it is not known."""
    return {} if lonlat is None else {"lon": f"{lonlat[0]:.7f}", "lat": f"{lonlat[1]:.7f}"}


def _machine(one: Assessment | None) -> dict[str, Any]:
    if one is None:
        return {}
    grade = "not_assessed" if one.grade is None else one.grade.value
    confidence = None if one.confidence is None else f"{one.confidence:.2f}"
    return {"machine_grade": grade, "machine_confidence": confidence}


def _said_by(reviewer: str | None, by: Mapping[str, Assessment]) -> Assessment | None:
    """What a reviewer said, in whatever spelling of the name."""
    who = name_folded(reviewer or "")
    return next((one for name, one in by.items() if name_folded(name) == who), None)


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
        "at": one.at,
        "blind": "" if one.blinding is None else YES if one.is_blind else NO,
    }
