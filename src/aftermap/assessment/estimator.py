"""A reviewed probability sample -> how many buildings are of each class, said whole.

What goes in: the population with the machine's strata and probabilities (``Population``), and each
sampled building with what reviewers said of it, blind (``model.sample.SampledBuilding``). What
comes out: one table per area, with a row for each class (``total.TotalsTable``).

The method that is named first is the stratified estimator (Cochran 1977, ch. 5; Olofsson et al.
2014, eq. 2 to 6): the reviewers' grades, weighted by what each graded building stands for; where
two reviewers differ, a building counts in parts. From 30 buildings on that two reviewers graded, or
that one graded and a reference checked, it is corrected for the error of reviewers
(``reviewer_error.py``); with fewer, or where one who graded alone was hardly compared, the sentence
says that the error is not included, and what it would do. The machine's grades only say which
stratum a building belongs to; they are never counted.
Sampled buildings without a grade are never "not in the class" (``nonresponse.py``). Beside it
stands the prediction-powered estimate (``predicted.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aftermap.assessment.checked_choice import refuse_chosen_checks
from aftermap.assessment.nested import nested_rows
from aftermap.assessment.reviewed_sample import Counted, Population, ReviewedSample, grade_indices
from aftermap.assessment.reviewer_error import (
    FEWEST_TWICE_GRADED,
    NO_GRADE,
    ONE_IN,
    ReviewerModel,
    comparisons,
    cost_of_error,
    lone_reviewers,
    reviewer_model,
)
from aftermap.assessment.total import (
    Circumstances,
    LoneReviewer,
    Range,
    ReviewerError,
    TooFew,
    Total,
    TotalsTable,
    range_of,
)
from aftermap.model.assessment import GRADES
from aftermap.model.sample import NOT_ASSESSED, SampledBuilding

FEWEST_GRADED = 10
"""Graded buildings of an area: with fewer an estimate says nothing that can be used."""
MOST_UNSAMPLED_FRACTION = 0.05
"""Share of an area's buildings in strata without a graded one: these may be of any class."""
STRATIFIED = "stratified estimator (Olofsson et al. 2014)"
CORRECTED = "stratified estimator corrected for reviewer error (latent class model)"
PREDICTED = "prediction-powered estimator (PPI++, in strata; reviewer error not included)"


def totals_of(
    population: Population,
    sampled: Sequence[SampledBuilding],
    classes: Sequence[Counted],
    circumstances: Circumstances,
) -> TotalsTable | TooFew:
    """The totals of the classes over a population, one row for each.

    ``sampled`` are all buildings of the sample, also those without a grade; those that are not of
    this population do not count, so that the part of an area is estimated from the same sample.

    Raises InputError where checked grades of a whole sample are no random part of it.
    """
    sample = ReviewedSample.of(population, sampled)
    if not sample.elsewhere:
        refuse_chosen_checks(sample)
    reviewed = sample.reviewed()
    reason = _why_too_few(sample)
    if reason is not None:
        return TooFew(
            area=circumstances.area,
            of=len(population.names),
            graded=reviewed.graded,
            reason=reason,
        )
    lone = _lone(sample)
    models = None if lone else _models(sample)
    return TotalsTable(
        of=len(population.names),
        reviewed=reviewed,
        circumstances=circumstances,
        rows=nested_rows(
            classes,
            [
                replace(_row(counted, sample, models, circumstances), lone_reviewers=lone)
                for counted in classes
            ],
        ),
    )


def error_matrix(
    population: Population, sampled: Sequence[SampledBuilding]
) -> dict[str, dict[str, float]]:
    """Sampled buildings by the machine's stratum and the reviewers' label.

    A building that reviewers grade differently counts in parts; one that nobody looked at, nowhere.
    """
    sample = ReviewedSample.of(population, sampled)
    found = {name: dict.fromkeys(population.labels, 0.0) for name in population.strata}
    shares = np.array([sample.share((label,)) for label in population.labels])
    for row, share in zip(sample.rows.tolist(), shares.T.tolist(), strict=True):
        of_stratum = found[population.strata[int(population.stratum[row])]]
        for label, part in zip(population.labels, share, strict=True):
            of_stratum[label] += part
    return found


def _why_too_few(sample: ReviewedSample) -> str | None:
    graded = sample.is_graded
    if not sample.is_reviewed.any():
        return "no reviewer has looked at a sampled one, and checked grades alone are no review"
    if graded.sum() < min(FEWEST_GRADED, len(sample.population.names)) or not graded.any():
        return f"at least {FEWEST_GRADED} are needed; review more, or use a larger area"
    unsampled = int(sample.sizes[sample.counted(graded) == 0].sum())
    if unsampled > MOST_UNSAMPLED_FRACTION * len(sample.population.names):
        return (
            f"{unsampled:,} of its buildings have model grades of which none was graded by a "
            "reviewer there; draw a larger sample, or use a larger area"
        )
    return None


@dataclass(frozen=True, kw_only=True)
class _Models:
    """Reviewers' errors with those without a grade left out, and with them as a class."""

    alike: ReviewerModel
    any_class: ReviewerModel
    source: ReviewerError


def _is_compared(sample: ReviewedSample) -> bool:
    """Whether enough buildings were graded twice, or graded and checked, here and elsewhere."""
    return max(comparisons((*sample.sampled, *sample.elsewhere))) >= FEWEST_TWICE_GRADED


def _lone(sample: ReviewedSample) -> tuple[LoneReviewer, ...]:
    """Those who graded alone and of whom the comparisons tell nothing; none without comparisons."""
    return lone_reviewers(sample.sampled, sample.elsewhere) if _is_compared(sample) else ()


def _models(sample: ReviewedSample) -> _Models | None:
    """None where too few buildings were graded twice, or graded and checked.

    The sample outside of the population tells of the reviewers too, as a stratum without weight.
    """
    everyone = (*sample.sampled, *sample.elsewhere)
    _, checked = comparisons(everyone)
    if not _is_compared(sample):
        return None
    sizes = np.append(sample.sizes, 0).astype(float)
    outside = np.full(len(sample.elsewhere), len(sample.sizes))
    stratum = np.concatenate([sample.stratum, outside])
    alike = reviewer_model(sizes, stratum, everyone, with_ungraded=False)
    any_class = alike
    if not sample.is_graded.all():
        any_class = reviewer_model(sizes, stratum, everyone, with_ungraded=True)
    is_checked = checked >= FEWEST_TWICE_GRADED
    source = ReviewerError.REFERENCE if is_checked else ReviewerError.DOUBLE_GRADES
    return _Models(alike=alike, any_class=any_class, source=source)


def _row(
    counted: Counted, sample: ReviewedSample, models: _Models | None, circumstances: Circumstances
) -> Total:
    if models is None or NOT_ASSESSED in counted.labels:
        return _uncorrected(counted, sample, circumstances)
    plain = range_of(sample.stratified(counted.labels), f"{STRATIFIED}, uncorrected")
    places = grade_indices(counted.labels)
    found = range_of(models.alike.interval(places), CORRECTED)
    return Total(
        what=counted.name,
        buildings=found.buildings,
        low=found.low,
        high=found.high,
        at_least=min(int(models.any_class.interval(places).low), found.low),
        at_most=max(int(models.any_class.interval((*places, NO_GRADE)).high), found.high),
        of=len(sample.population.names),
        method=CORRECTED,
        reviewer_error=models.source,
        cost=None,
        beside=(plain, *_predicted(counted, sample)),
        reviewed=sample.reviewed(),
        circumstances=circumstances,
    )


def _uncorrected(counted: Counted, sample: ReviewedSample, circumstances: Circumstances) -> Total:
    found = range_of(sample.stratified(counted.labels), STRATIFIED)
    at_least, at_most = sample.bounds(counted.labels)
    return Total(
        what=counted.name,
        buildings=found.buildings,
        low=found.low,
        high=found.high,
        at_least=min(at_least, found.low),
        at_most=max(at_most, found.high),
        of=len(sample.population.names),
        method=STRATIFIED,
        reviewer_error=ReviewerError.NOT_INCLUDED,
        cost=_cost(counted, sample, found.buildings),
        beside=_predicted(counted, sample),
        reviewed=sample.reviewed(),
        circumstances=circumstances,
        is_class=NOT_ASSESSED not in counted.labels,
    )


def _cost(counted: Counted, sample: ReviewedSample, buildings: int) -> Range | None:
    """What an error of reviewers would do to an estimate; None of those that nobody can assess."""
    places = grade_indices(counted.labels)
    if not places:
        return None
    by_grade = np.array([float(sample.stratified((one.value,)).estimate) for one in GRADES])
    down, up = cost_of_error(by_grade, places)
    of = len(sample.population.names)
    return Range(
        what=f"if one grade in {ONE_IN}, given or true, were a step off, always the same way",
        buildings=buildings,
        low=max(0, round(buildings - down)),
        high=min(of, round(buildings + up)),
    )


def _predicted(counted: Counted, sample: ReviewedSample) -> tuple[Range, ...]:
    if NOT_ASSESSED in counted.labels:
        return ()
    found = sample.predicted(counted.labels)
    return () if found is None else (range_of(found, PREDICTED),)
