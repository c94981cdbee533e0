"""Which grades of a sample totals are estimated from: those that were given blind.

A grade that its reviewer gave after seeing the model's repeats the model's errors, and the total
would hold them without a word. So only blind grades count, on the page or as declared, and a grade
that was given later with model grades in sight changes none of them. A label that a model has
learnt from counts nowhere, nor does a building that was reviewed without being drawn.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aftermap.assessment.label_files import newest_by_reviewer
from aftermap.errors import InputError
from aftermap.model.assessment import Assessment, Blinding, Grade
from aftermap.model.sample import NOT_ASSESSED, BlindGrade, Draw, SampledBuilding
from aftermap.record import Case
from aftermap.record.assessments import (
    accepted_grades,
    learning_labels,
    machine_grades,
    replaced_samples,
    reviews,
)
from aftermap.record.reviews import one_name_each
from aftermap.workflows.checked_grades import checked_grades

Newest = Mapping[str, Mapping[str, Assessment]]

_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class SampledGrades:
    """What totals are estimated from, and what must be said of it.

    ``accepted``: the accepted grade of each sampled building that has one, "not_assessed" or a
    grade; it is never counted. ``used``: the grades that count. ``caveats`` belong to every total
    beside those of `caveats_in`, ``notes`` beside the totals.
    """

    sampled: tuple[SampledBuilding, ...]
    accepted: Mapping[str, str]
    used: Newest
    caveats: tuple[str, ...]
    notes: tuple[str, ...]

    def caveats_in(self, names: Collection[str]) -> tuple[str, ...]:
        """What every total over the buildings named says, counted among these."""
        there = [one.source_id for one in self.sampled if one.source_id in names]
        return (*_blindness(self.used, there), *self.caveats)

    @property
    def differing(self) -> int:
        """Sampled buildings whose accepted grade is none of their blind ones."""
        return sum(
            self.accepted[one.source_id] not in words_of(one)
            for one in self.sampled
            if one.blind and one.source_id in self.accepted
        )

    def differing_in(self, labels: Collection[str], names: Collection[str]) -> int:
        """Of the buildings named, those that are of a class by one and not by the other."""
        count = 0
        for one in self.sampled:
            accepted = self.accepted.get(one.source_id)
            if accepted is None or not one.blind or one.source_id not in names:
                continue
            count += {accepted in labels}.isdisjoint(word in labels for word in words_of(one))
        return count


def sampled_grades(
    case: Case, draw: Draw, *, reference: Path | None, with_unblinded: bool
) -> SampledGrades:
    """The blind grades of a sample's buildings.

    ``reference``: a CSV file of checked grades. ``with_unblinded``: take grades that are not known
    to be blind as well, and say so.

    Raises InputError where sampled buildings have only grades that are not known to be blind or
    that a model has learnt from, or where the file of checked grades cannot be used.
    """
    learnt = learning_labels(case.package)
    kept = reviews(case.package)
    sampled = [one.source_id for one in draw.buildings]
    every = one_name_each(one.assessment for one in kept if one.number not in learnt)
    newest = newest_by_reviewer(every)
    _refuse_learnt(
        case, {o.assessment.source_id for o in kept if o.number in learnt}, newest, sampled
    )
    blind = newest_by_reviewer(one for one in every if one.is_blind)
    used = newest if with_unblinded else blind
    if not with_unblinded:
        _refuse_unblinded(case, [name for name in sampled if name in newest.keys() - blind.keys()])
    who = {said for name in sampled for said in used.get(name, {})}
    checked = None if reference is None else checked_grades(case, reference, sampled, who)
    grades = {} if checked is None else checked.grades
    accepted = accepted_grades(case.package)
    return SampledGrades(
        sampled=tuple(_building(name, used.get(name, {}), grades.get(name)) for name in sampled),
        accepted={
            name: _word(accepted[name].assessment.grade) for name in sampled if name in accepted
        },
        used=used,
        caveats=(
            *(() if checked is None else checked.caveats),
            *_replaced(case, draw),
        ),
        notes=(
            *_left_out(newest, blind, sampled, with_unblinded=with_unblinded),
            *_beyond(case, draw, newest),
        ),
    )


def words_of(one: SampledBuilding) -> list[str]:
    """What its reviewers said, in words of the classes."""
    return [_word(said.grade) for said in one.blind]


def _word(grade: Grade | None) -> str:
    return NOT_ASSESSED if grade is None else grade.value


def _building(
    name: str, said: Mapping[str, Assessment], reference: Grade | None
) -> SampledBuilding:
    grades = tuple(BlindGrade(reviewer=who, grade=one.grade) for who, one in said.items())
    return SampledBuilding(source_id=name, blind=grades, reference=reference)


def _refuse_learnt(
    case: Case, taught: Collection[str], newest: Newest, sampled: Sequence[str]
) -> None:
    refused = [name for name in sampled if name in taught and name not in newest]
    if refused:
        raise InputError(
            f"{case.path}: a model was trained on the labels of {len(refused)} sampled buildings "
            f"({_some(refused)}), so they cannot test it; draw a new sample with aftermap sample "
            "and have it reviewed"
        )


def refuse_unreviewed(case: Case, sampled: Sequence[SampledBuilding]) -> None:
    """Raises InputError where nobody has looked at some of the sampled buildings."""
    open_ = [one.source_id for one in sampled if not one.blind and one.reference is None]
    if open_:
        raise InputError(
            f"{case.path}: {len(open_)} of {len(sampled)} sampled buildings have not been reviewed "
            f"({_some(open_)}); have them reviewed, or go on without them with --assume-alike"
        )


def _refuse_unblinded(case: Case, names: Sequence[str]) -> None:
    if names:
        raise InputError(
            f"{case.path}: the grades of {len(names)} sampled buildings ({_some(names)}) are not "
            "known to be blind; if model grades were not in sight, import them again with "
            "aftermap review import --blind yes; else have these buildings graded blind by "
            "another reviewer, or count them with --include-unblinded, which every total then says"
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


def _blindness(used: Newest, sampled: Sequence[str]) -> tuple[str, ...]:
    """What every total says of how blind its grades are; nothing where the page saw to it."""
    of = sum(bool(used.get(name)) for name in sampled)
    open_ = sum(any(not o.is_blind for o in used.get(name, {}).values()) for name in sampled)
    declared = sum(
        any(one.blinding is Blinding.DECLARED for one in used.get(name, {}).values())
        for name in sampled
    )
    said = []
    if open_:
        said.append(
            f"not known to be blind: the grades of {open_} of {of} reviewed buildings, whose "
            "reviewers may have seen model grades, so the model's errors may be in this total"
        )
    if declared:
        said.append(
            f"declared blind by whoever imported them: the grades of {declared} of {of} reviewed "
            "buildings"
        )
    return tuple(said)


def _replaced(case: Case, draw: Draw) -> tuple[str, ...]:
    earlier = [str(number) for number in replaced_samples(case.package) if number != draw.number]
    if not earlier:
        return ()
    samples = f"sample{'s' if len(earlier) > 1 else ''} {' and '.join(earlier)}"
    return (
        f"sample {draw.number} of {draw.drawn_at[:10]} was drawn to replace the reviewed {samples}",
    )


def _left_out(
    newest: Newest, blind: Newest, sampled: Sequence[str], *, with_unblinded: bool
) -> list[str]:
    """What is said of grades that were given after the blind ones, or beside them."""
    if with_unblinded:
        return []
    changed = beside = 0
    for name in sampled:
        for who in newest.get(name, {}).keys() | blind.get(name, {}).keys():
            first, last = blind.get(name, {}).get(who), newest.get(name, {}).get(who)
            beside += first is None
            changed += first is not None and (last is None or last.grade is not first.grade)
    notes = []
    if changed:
        notes.append(
            f"{changed} blind grades were changed or withdrawn after their reviewer had seen model "
            "grades; the blind ones count"
        )
    if beside:
        notes.append(
            f"{beside} grades that are not known to be blind were left out; the blind grades of "
            "these buildings by other reviewers count"
        )
    return notes


def _beyond(case: Case, draw: Draw, reviewed: Newest) -> list[str]:
    """What is said of buildings outside of the sample, and of model grades that are newer."""
    notes = []
    others = reviewed.keys() - {one.source_id for one in draw.buildings}
    if others:
        notes.append(
            f"{len(others)} reviewed buildings are not in the sample and were not used: their "
            "inclusion probability is not known"
        )
    latest = machine_grades(case.package)
    if latest and latest[0].batch != draw.machine_batch:
        notes.append(
            "the model has regraded the buildings since the sample was drawn; the strata and "
            "probabilities are those of the earlier grades, and the totals remain valid"
        )
    return notes
