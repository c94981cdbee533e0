"""What the record knows against the claim that imported grades are blind.

Whoever imports a file can declare its grades blind; nobody can check that. Three things can be: the
reviewer was shown model grades before; the record has the same reviewer's grade of the building as
not blind, or as blind from the page before model grades were shown; all grades are those of the
model, where the model itself expects to be wrong.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from aftermap.assessment.label_files import Label
from aftermap.model.assessment import Assessment, Blinding
from aftermap.model.reviewer import name_folded
from aftermap.model.runs import Skipped
from aftermap.record import Case
from aftermap.record.assessments import machine_grades, reviews
from aftermap.record.custody import utc_now
from aftermap.record.reviews import shown_since

FEWEST_EXPECTED_DIFFERENCES = 7.0
"""Of so many buildings that the model expects to get wrong, a careful reviewer contradicts some:
no difference at all has a chance of one in a thousand (Poisson)."""


@dataclass(frozen=True, kw_only=True)
class DeclaredLabels:
    """Labels as they can be recorded, those refused, and what is to be said of the others."""

    labels: tuple[Label, ...]
    refused: tuple[Skipped, ...]
    notes: tuple[str, ...]


def checked_declarations(case: Case, file_name: str, labels: Sequence[Label]) -> DeclaredLabels:
    """The labels of a file without those that the record knows not to be blind.

    Labels that repeat the model throughout are kept as not known to be blind, and it is said.
    """
    shown = shown_since(case.package)
    recorded = {
        (name_folded(one.assessment.assessor), one.assessment.source_id, one.assessment.blinding)
        for one in reviews(case.package)
    }
    kept: list[Label] = []
    refused: list[Skipped] = []
    for label in labels:
        why = _why_not_blind(label.assessment, shown, recorded)
        if why is None:
            kept.append(label)
        else:
            refused.append(Skipped(name=f"{file_name}, line {label.line}", reason=why))
    model = {one.assessment.source_id: one.assessment for one in machine_grades(case.package)}
    copied = copies_of_model(kept, model)
    notes = [
        f"all {count} grades of {who} are those of the model; they are recorded as not known to be "
        "blind, whatever was declared"
        for who, count in copied.items()
    ]
    if "" in shown and any(one.assessment.is_blind for one in kept):
        notes.append(
            f"model grades were exported with --with-machine on {shown[''][:10]}, and no reviewer "
            "was named: that these grades are blind is the importer's word alone"
        )
    return DeclaredLabels(
        labels=tuple(_undeclared(one, copied) for one in kept),
        refused=tuple(refused),
        notes=tuple(notes),
    )


def _why_not_blind(
    one: Assessment,
    shown: Mapping[str, str],
    recorded: Collection[tuple[str, str, Blinding | None]],
) -> str | None:
    """Why a label that is declared blind is known not to be; None where nothing is known."""
    if not one.is_blind:
        return None
    who = name_folded(one.assessor)
    if (who, one.source_id, Blinding.NOT_BLIND) in recorded:
        return (
            f"{one.source_id}: is in the record as graded by {one.assessor} with model grades in "
            "sight; it cannot become blind: declare it --blind no"
        )
    if who in shown and (who, one.source_id, Blinding.BLIND) in recorded:
        return (
            f"{one.source_id}: {one.assessor} graded it blind on the page and was then shown model "
            "grades; a file cannot change it: declare this one --blind no"
        )
    if who in shown and (one.at or utc_now()) >= shown[who]:
        return (
            f"{one.source_id}: {one.assessor} was shown model grades on {shown[who][:10]}; declare "
            "it --blind no, or give in the column at the time before that"
        )
    return None


def copies_of_model(labels: Sequence[Label], model: Mapping[str, Assessment]) -> dict[str, int]:
    """Reviewers whose declared grades are all the model's, and how many there are."""
    same: dict[str, list[bool]] = {}
    expected: dict[str, float] = {}
    for label in labels:
        one, own = label.assessment, model.get(label.assessment.source_id)
        if not one.is_blind or own is None or own.grade is None:
            continue
        same.setdefault(one.assessor, []).append(one.grade is own.grade)
        doubt = 1.0 - (1.0 if own.confidence is None else own.confidence)
        expected[one.assessor] = expected.get(one.assessor, 0.0) + doubt
    return {
        who: len(found)
        for who, found in same.items()
        if all(found) and expected[who] >= FEWEST_EXPECTED_DIFFERENCES
    }


def _undeclared(label: Label, copied: Mapping[str, int]) -> Label:
    one = label.assessment
    if not one.is_blind or one.assessor not in copied:
        return label
    return replace(label, assessment=replace(one, blinding=None))
