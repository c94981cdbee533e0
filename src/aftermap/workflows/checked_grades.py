"""Checked grades of sampled buildings (``--reference``): by whom, how, and what is no check.

A check is better than the review (a visit, pictures of the ground). A file of the model's grades,
or of a reviewer's own, would make the error of reviewers vanish without a word.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aftermap.assessment.label_files import MACHINE, Label, label_rows, labels_in
from aftermap.errors import InputError
from aftermap.model.assessment import Assessment, Blinding, Grade
from aftermap.model.reviewer import name_folded, reviewer_name
from aftermap.publish.exchange.hxl import TAGS
from aftermap.record import Case
from aftermap.record.assessments import ASSESSED, machine_grades
from aftermap.record.custody import entries_of
from aftermap.record.disk import sha256_of_file
from aftermap.workflows.declared_blind import copies_of_model

CHECKED_BY, CHECKED_HOW = "checked_by", "checked_how"
_TYPED = {
    *("source_id", "lat", "lon", "grade", "grades", "status", "confidence"),
    *("not_assessed_reason", "notes", "scale"),
}
_OURS = {*TAGS, *MACHINE} - _TYPED
"""Columns that only our own products have."""


@dataclass(frozen=True, kw_only=True)
class CheckedGrades:
    """The checked grades of sampled buildings, and what every total says of them."""

    grades: Mapping[str, Grade]
    caveats: tuple[str, ...]


def checked_grades(
    case: Case, path: Path, sampled: Collection[str], reviewers: Collection[str]
) -> CheckedGrades:
    """The checked grades in a file. ``reviewers``: those of the sample.

    Raises InputError where the file cannot be used, does not say who checked and how, holds grades
    of the model or of a file of reviews, was checked by a reviewer of the sample, or where nobody
    has reviewed the sample.
    """
    digest = sha256_of_file(path) if path.is_file() else ""
    _refuse_reviews(case, path, digest)
    model = {one.assessment.source_id: one.assessment for one in machine_grades(case.package)}
    known = model.keys() | set(sampled)
    rows, columns = label_rows(path)
    _refuse_columns(path, columns)
    found = labels_in(path, known, "checked")
    for one in found.skipped:
        raise InputError(f"{one.name}: {one.reason}")
    by_line = dict(rows)
    checks = sorted({_check_of(path, one.line, by_line[one.line]) for one in found.labels})
    _refuse_reviewers(path, {who for who, _ in checks}, reviewers)
    _refuse_model(path, found.labels, model)
    grades = _of_sample(path, found.labels, sampled)
    if not reviewers:
        raise InputError(
            f"{path}: nobody has reviewed the sample; checked grades correct reviewers and replace "
            "none: have the sample graded blind first"
        )
    said = " and ".join(f"{who} ({how})" for who, how in checks)
    return CheckedGrades(
        grades=grades,
        caveats=(
            f"{len(grades)} checked grades from {path.name} (SHA-256 {digest[:12]}...), by {said}",
        ),
    )


def _refuse_reviews(case: Case, path: Path, digest: str) -> None:
    """Raises InputError where this very file was imported as reviewers' grades."""
    if any(e.subject == digest and e.action == ASSESSED for e in entries_of(case.package)):
        raise InputError(
            f"{path}: was imported as grades of reviewers, which cannot be checked by themselves; "
            "give grades from a better source, such as visits"
        )


def _refuse_columns(path: Path, columns: Sequence[str]) -> None:
    ours = [name for name in columns if name in _OURS]
    if ours:
        raise InputError(
            f"{path}: has the column {', '.join(ours)} of Aftermap's own exports, so its grades "
            "are no check; give grades from a better source, such as visits"
        )
    missing = [name for name in (CHECKED_BY, CHECKED_HOW) if name not in columns]
    if missing:
        raise InputError(
            f"{path}: has no column {', '.join(missing)}; say on each line who checked the "
            f"building ({CHECKED_BY}) and how ({CHECKED_HOW}, such as visit)"
        )


def _check_of(path: Path, line: int, row: Mapping[str, str]) -> tuple[str, str]:
    """Who checked a building, and how."""
    try:
        return (
            reviewer_name(row.get(CHECKED_BY, ""), CHECKED_BY),
            reviewer_name(row.get(CHECKED_HOW, ""), CHECKED_HOW),
        )
    except InputError as error:
        raise InputError(f"{path}, line {line}: {error}") from error


def _refuse_reviewers(path: Path, who: Collection[str], reviewers: Collection[str]) -> None:
    own = {name_folded(name) for name in reviewers}
    both = sorted(name for name in who if name_folded(name) in own)
    if both:
        raise InputError(
            f"{path}: {', '.join(both)} reviewed the sample and cannot check it as well; have it "
            "checked by somebody else"
        )


def _refuse_model(path: Path, labels: Sequence[Label], model: Mapping[str, Assessment]) -> None:
    claimed = [
        replace(one, assessment=replace(one.assessment, assessor="", blinding=Blinding.DECLARED))
        for one in labels
    ]
    copied = copies_of_model(claimed, model)
    if copied:
        raise InputError(
            f"{path}: all {sum(copied.values())} grades are those of the model, so they are no "
            "check; give grades from a better source, such as visits"
        )


def _of_sample(path: Path, labels: Sequence[Label], sampled: Collection[str]) -> dict[str, Grade]:
    checked: dict[str, Grade] = {}
    for label in labels:
        name, grade = label.assessment.source_id, label.assessment.grade
        if grade is None or name not in sampled:
            continue
        if checked.setdefault(name, grade) is not grade:
            raise InputError(
                f"{path}, line {label.line}: {name} has two checked grades; keep the right one"
            )
    if not checked:
        raise InputError(
            f"{path}: has no checked grade of a sampled building; check some of the sample "
            "(its ids: aftermap review export)"
        )
    return checked
