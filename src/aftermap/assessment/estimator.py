"""A reviewed probability sample -> how many buildings are of each class, said whole.

What goes in: the population with the machine's strata and probabilities (``Population``), and each
sampled building with what reviewers said of it, blind (``model.sample.SampledBuilding``). What
comes out: one table per area, with a row for each class (``total.TotalsTable``).

The method that is named first is the stratified estimator (Cochran 1977, ch. 5; Olofsson et al.
2014, eq. 2 to 6): the reviewers' grades, weighted by what each graded building stands for; where
two reviewers differ, a building counts in parts. The machine's grades only say which stratum a
building belongs to; they are never counted. Sampled buildings without a grade are never "not in the
class": ``nonresponse.py``. Beside it stands the prediction-powered estimate (``predicted.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.assessment.intervals import Interval, score_interval
from aftermap.assessment.nonresponse import bounds_of
from aftermap.assessment.predicted import predicted_interval
from aftermap.assessment.reliability import alpha
from aftermap.assessment.total import (
    Circumstances,
    Range,
    Reviewed,
    ReviewerError,
    TooFew,
    Total,
    TotalsTable,
    range_of,
)
from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.model.sample import NOT_ASSESSED, SampledBuilding

FEWEST_GRADED = 10
"""Graded buildings of an area: with fewer an estimate says nothing that can be used."""
MOST_UNSAMPLED_FRACTION = 0.05
"""Share of an area's buildings in strata without a graded one: these may be of any class."""
STRATIFIED = "stratified estimator (Olofsson et al. 2014)"
PREDICTED = "prediction-powered estimator (PPI++, in strata)"


@dataclass(frozen=True, kw_only=True)
class Population:
    """All buildings that a sample was drawn from, in any order.

    ``stratum`` (N,) is the place of each building's stratum in ``strata``; ``probabilities``
    (N, C) are the machine's of the classes named in ``labels``.
    """

    names: tuple[str, ...]
    strata: tuple[str, ...]
    stratum: IntArray
    labels: tuple[str, ...]
    probabilities: Array

    def part(self, inside: BoolArray) -> "Population":
        """Those of its buildings where (N,) ``inside`` is True, a mask."""
        rows = np.flatnonzero(inside)
        return Population(
            names=tuple(self.names[i] for i in rows.tolist()),
            strata=self.strata,
            stratum=self.stratum[rows],
            labels=self.labels,
            probabilities=self.probabilities[rows],
        )


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A class that is counted: its name, and the labels of a reviewer that belong to it."""

    name: str
    labels: tuple[str, ...]


def totals_of(
    population: Population,
    sampled: Sequence[SampledBuilding],
    classes: Sequence[Counted],
    circumstances: Circumstances,
) -> TotalsTable | TooFew:
    """The totals of the classes over a population, one row for each.

    ``sampled`` are all buildings of the sample, also those without a grade; those that are not of
    this population do not count, so that the part of an area is estimated from the same sample.
    """
    sample = _Sample.of(population, sampled)
    reviewed = sample.reviewed()
    reason = _why_too_few(sample)
    if reason is not None:
        return TooFew(
            area=circumstances.area,
            of=len(population.names),
            graded=reviewed.graded,
            reason=reason,
        )
    return TotalsTable(
        of=len(population.names),
        reviewed=reviewed,
        circumstances=circumstances,
        rows=tuple(_row(counted, sample, reviewed, circumstances) for counted in classes),
    )


def error_matrix(
    population: Population, sampled: Sequence[SampledBuilding]
) -> dict[str, dict[str, float]]:
    """Sampled buildings by the machine's stratum and the reviewers' label.

    A building that reviewers grade differently counts in parts; one that nobody looked at, nowhere.
    """
    sample = _Sample.of(population, sampled)
    found = {name: dict.fromkeys(population.labels, 0.0) for name in population.strata}
    shares = np.array([sample.share((label,)) for label in population.labels])
    for row, share in zip(sample.rows.tolist(), shares.T.tolist(), strict=True):
        of_stratum = found[population.strata[int(population.stratum[row])]]
        for label, part in zip(population.labels, share, strict=True):
            of_stratum[label] += part
    return found


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """The sampled buildings of a population: their rows there, and what people said."""

    population: Population
    rows: IntArray
    sampled: tuple[SampledBuilding, ...]

    @classmethod
    def of(cls, population: Population, sampled: Sequence[SampledBuilding]) -> "_Sample":
        places = {name: i for i, name in enumerate(population.names)}
        there = [one for one in sampled if one.source_id in places]
        return cls(
            population=population,
            rows=np.array([places[one.source_id] for one in there], np.int64),
            sampled=tuple(there),
        )

    @property
    def sizes(self) -> IntArray:
        return np.bincount(self.population.stratum, minlength=len(self.population.strata))

    @property
    def stratum(self) -> IntArray:
        return self.population.stratum[self.rows]

    @property
    def is_graded(self) -> BoolArray:
        return np.array([bool(one.grades) for one in self.sampled], bool)

    @property
    def is_answered(self) -> BoolArray:
        return np.array([bool(one.blind or one.grades) for one in self.sampled], bool)

    def share(self, labels: Sequence[str]) -> Array:
        """(n,) how much of each building is in the class by its grades, 0 without one."""
        found = np.zeros(len(self.sampled))
        for i, one in enumerate(self.sampled):
            if one.grades:
                found[i] = sum(grade.value in labels for grade in one.grades) / len(one.grades)
            elif one.blind:
                found[i] = float(NOT_ASSESSED in labels)
        return found

    def counted(self, mask: BoolArray, values: Array | None = None) -> Array:
        """(H,) sampled buildings of a mask by stratum, or the sums of their values."""
        weights = mask.astype(float) if values is None else np.where(mask, values, 0.0)
        return np.bincount(self.stratum, weights, minlength=len(self.sizes)).astype(float)

    def reviewed(self) -> Reviewed:
        """How it was reviewed."""
        graded = self.is_graded
        answered = self.is_answered
        labels = {
            one.source_id: {b.reviewer: b.grade for b in one.blind if b.grade is not None}
            for one in self.sampled
        }
        twice = sum(one.is_graded_twice for one in self.sampled)
        return Reviewed(
            reviewers=tuple(sorted({b.reviewer for one in self.sampled for b in one.blind})),
            sampled=len(self.sampled),
            graded=int(graded.sum()),
            not_assessed=int((answered & ~graded).sum()),
            unanswered=int((~answered & ~graded).sum()),
            graded_twice=twice,
            checked=sum(one.reference is not None for one in self.sampled),
            agreement=alpha(labels) if twice else None,
        )

    def predicted(self, counted: Counted) -> Interval | None:
        """None where a stratum has fewer than two graded buildings but for one that is whole."""
        graded = self.is_graded
        sizes, drawn = self.sizes, self.counted(graded)
        there = sizes > 0
        if (drawn[there] < np.minimum(2, sizes[there])).any():
            return None
        place = np.cumsum(there) - 1
        columns = [self.population.labels.index(label) for label in counted.labels]
        chance = self.population.probabilities[:, columns].sum(axis=1)
        total = np.bincount(self.population.stratum, chance, minlength=len(sizes))
        return predicted_interval(
            sizes[there],
            place[self.stratum[graded]],
            self.share(counted.labels)[graded],
            chance[self.rows[graded]],
            total[there] / sizes[there],
        )


def _why_too_few(sample: _Sample) -> str | None:
    graded = sample.is_graded
    if graded.sum() < min(FEWEST_GRADED, len(sample.population.names)) or not graded.any():
        return f"at least {FEWEST_GRADED} are needed; review more, or use a larger area"
    unsampled = int(sample.sizes[sample.counted(graded) == 0].sum())
    if unsampled > MOST_UNSAMPLED_FRACTION * len(sample.population.names):
        return (
            f"{unsampled:,} of its buildings have model grades of which none was graded by a "
            "reviewer there; draw a larger sample, or use a larger area"
        )
    return None


def _row(
    counted: Counted, sample: _Sample, reviewed: Reviewed, circumstances: Circumstances
) -> Total:
    is_of_grades = NOT_ASSESSED not in counted.labels
    asked = sample.is_graded if is_of_grades else sample.is_answered
    share = sample.share(counted.labels)
    counts = sample.counted(asked, share)
    found = score_interval(sample.sizes, sample.counted(asked), counts)
    drawn = sample.counted(np.ones(len(sample.rows), bool))
    at_least, at_most = bounds_of(sample.sizes, drawn, sample.counted(asked), counts)
    beside: list[Range] = []
    predicted = sample.predicted(counted) if is_of_grades else None
    if predicted is not None:
        beside.append(range_of(predicted, PREDICTED))
    whole = range_of(found, STRATIFIED)
    return Total(
        what=counted.name,
        buildings=whole.buildings,
        low=whole.low,
        high=whole.high,
        at_least=min(int(at_least), whole.low),
        at_most=max(int(at_most), whole.high),
        of=len(sample.population.names),
        method=STRATIFIED,
        reviewer_error=ReviewerError.NOT_INCLUDED,
        cost=None,
        beside=tuple(beside),
        reviewed=reviewed,
        circumstances=circumstances,
    )


def counted_classes(
    classes: Sequence[tuple[str, tuple[str, ...]]], damaged: Sequence[str]
) -> tuple[Counted, ...]:
    """The classes of a scale, all damaged ones together, and those that nobody could assess."""
    return (
        *(Counted(name=name, labels=labels) for name, labels in classes),
        Counted(name=f"{damaged[0]} to {damaged[-1]}, together", labels=tuple(damaged)),
        Counted(name="not assessable", labels=(NOT_ASSESSED,)),
    )
