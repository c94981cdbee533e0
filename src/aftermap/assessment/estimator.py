"""A reviewed probability sample -> how many buildings are of each class, said whole.

The estimate is the stratified one (Cochran 1977, ch. 5; Olofsson et al. 2014, eq. 2 to 6): the
reviewers' grades, weighted by what each sampled building stands for. The machine's grades only say
which stratum a building belongs to; they are never counted. Beside it stands the
prediction-powered estimate (``predicted.py``). Intervals: ``intervals.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from aftermap.assessment.intervals import CONFIDENCE, Interval, score_interval
from aftermap.assessment.predicted import predicted_interval
from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.model.sample import NOT_ASSESSED

FEWEST_REVIEWED = 10
"""Reviewed buildings of an area: with fewer an estimate says nothing that can be used."""
MOST_UNSAMPLED_FRACTION = 0.05
"""Share of an area's buildings in strata without a reviewed one: these may be of any class."""
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


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What every sentence says of its circumstances.

    ``dates`` are the first and last day of the pictures, None where they are not known.
    ``assumption`` is what had to be assumed, in words; empty where nothing had to.
    """

    area: str
    class_set: str
    dates: tuple[str, str] | None
    sampled: int
    assumption: str = ""


@dataclass(frozen=True, kw_only=True)
class Total:
    """How many buildings of how many are of a class: a sentence, and no number that stands alone.

    ``str()`` is the sentence with denominator, class set, dates, area, estimator and interval. It
    cannot be formatted as a number or a percentage.
    """

    what: str
    buildings: int
    low: int
    high: int
    of: int
    reviewed: int
    estimator: str
    circumstances: Circumstances

    def __str__(self) -> str:
        share = [f"{100 * count / self.of:.1f}" for count in (self.buildings, self.low, self.high)]
        context = self.circumstances
        assumed = f"; {context.assumption}" if context.assumption else ""
        return (
            f"{self.what}: an estimated {self.buildings:,} of {self.of:,} buildings "
            f"({CONFIDENCE:.0%} interval {self.low:,} to {self.high:,}; "
            f"{share[0]} %, {share[1]} to {share[2]} %) in {context.area}, "
            f"{context.class_set}, {_dates(context.dates)}; {self.estimator} from "
            f"{self.reviewed} reviewed of {context.sampled} sampled buildings{assumed}"
        )

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError(
                f"a total cannot be formatted as {spec!r}: without its denominator, interval and "
                "circumstances it says nothing; print it as it is"
            )
        return str(self)

    def __float__(self) -> NoReturn:
        raise TypeError("a total is a sentence and no number; print it as it is")


@dataclass(frozen=True, kw_only=True)
class TooFew:
    """An area for which nothing is estimated, and why."""

    area: str
    of: int
    reviewed: int
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.area}: too few reviewed buildings for an estimate ({self.reviewed} of "
            f"{self.of:,}): {self.reason}"
        )


def totals_of(
    population: Population,
    reviewed: Mapping[str, str],
    classes: Sequence[Counted],
    circumstances: Circumstances,
) -> tuple[Total, ...] | TooFew:
    """The totals of the classes over a population, by both estimators, class by class.

    ``reviewed`` is what people said of sampled buildings, by name; those that are not of this
    population do not count, so that the part of an area is estimated from the same sample. Strata
    without a reviewed building widen the interval by all that they could hold.
    """
    sample = _Sample.of(population, reviewed)
    reason = _why_too_few(sample)
    if reason is not None:
        return TooFew(
            area=circumstances.area,
            of=int(sample.sizes.sum()),
            reviewed=len(sample.rows),
            reason=reason,
        )
    found = []
    for counted in classes:
        found.append(_total(counted, sample, sample.stratified(counted), STRATIFIED, circumstances))
        predicted = sample.predicted(counted)
        if predicted is not None:
            found.append(_total(counted, sample, predicted, PREDICTED, circumstances))
    return tuple(found)


def error_matrix(population: Population, reviewed: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Sampled buildings by the machine's stratum and the reviewers' label, as counts."""
    sample = _Sample.of(population, reviewed)
    found = {name: dict.fromkeys(population.labels, 0) for name in population.strata}
    for row, label in zip(sample.rows.tolist(), sample.labels, strict=True):
        found[population.strata[int(population.stratum[row])]][label] += 1
    return found


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """The reviewed buildings of a population: their rows there, and their labels."""

    population: Population
    rows: IntArray
    labels: tuple[str, ...]

    @classmethod
    def of(cls, population: Population, reviewed: Mapping[str, str]) -> "_Sample":
        rows = [i for i, name in enumerate(population.names) if name in reviewed]
        return cls(
            population=population,
            rows=np.array(rows, np.int64),
            labels=tuple(reviewed[population.names[i]] for i in rows),
        )

    @property
    def sizes(self) -> IntArray:
        return np.bincount(self.population.stratum, minlength=len(self.population.strata))

    @property
    def drawn(self) -> IntArray:
        strata = len(self.population.strata)
        return np.bincount(self.population.stratum[self.rows], minlength=strata)

    def stratified(self, counted: Counted) -> Interval:
        is_class = np.isin(self.labels, counted.labels)
        stratum = self.population.stratum[self.rows]
        counts = np.bincount(stratum[is_class], minlength=len(self.sizes))
        seen = self.drawn > 0
        found = score_interval(self.sizes[seen], self.drawn[seen], counts[seen])
        unseen = int(self.sizes[~seen].sum())
        share = float(found.estimate) / int(self.sizes[seen].sum())
        return Interval(
            estimate=found.estimate + share * unseen, low=found.low, high=found.high + unseen
        )

    def predicted(self, counted: Counted) -> Interval | None:
        """None where a stratum has fewer than two reviewed buildings but for one that is whole."""
        sizes, drawn = self.sizes, self.drawn
        there = sizes > 0
        if (drawn[there] < np.minimum(2, sizes[there])).any():
            return None
        place = np.cumsum(there) - 1
        columns = [self.population.labels.index(label) for label in counted.labels]
        chance = self.population.probabilities[:, columns].sum(axis=1)
        total = np.bincount(self.population.stratum, chance, minlength=len(sizes))
        return predicted_interval(
            sizes[there],
            place[self.population.stratum[self.rows]],
            np.isin(self.labels, counted.labels),
            chance[self.rows],
            total[there] / sizes[there],
        )


def _why_too_few(sample: _Sample) -> str | None:
    if len(sample.rows) < min(FEWEST_REVIEWED, len(sample.population.names)) or not len(
        sample.rows
    ):
        return f"at least {FEWEST_REVIEWED} are needed; review more, or use a larger area"
    unsampled = int(sample.sizes[sample.drawn == 0].sum())
    if unsampled > MOST_UNSAMPLED_FRACTION * len(sample.population.names):
        return (
            f"{unsampled:,} of its buildings have model grades of which none was reviewed there; "
            "draw a larger sample, or use a larger area"
        )
    return None


def _total(
    counted: Counted, sample: _Sample, found: Interval, estimator: str, circumstances: Circumstances
) -> Total:
    return Total(
        what=counted.name,
        buildings=round(float(found.estimate)),
        low=int(found.low),
        high=int(found.high),
        of=len(sample.population.names),
        reviewed=len(sample.rows),
        estimator=estimator,
        circumstances=circumstances,
    )


def _dates(dates: tuple[str, str] | None) -> str:
    if dates is None:
        return "imagery dates not known"
    days = f"on {dates[0]}" if dates[0] == dates[1] else f"{dates[0]} to {dates[1]}"
    return f"as seen {days} (by the cameras' clocks)"


def counted_classes(
    classes: Sequence[tuple[str, tuple[str, ...]]], damaged: Sequence[str]
) -> tuple[Counted, ...]:
    """The classes of a scale, all damaged ones together, and those that nobody could assess."""
    return (
        *(Counted(name=name, labels=labels) for name, labels in classes),
        Counted(name=f"{damaged[0]} to {damaged[-1]}, together", labels=tuple(damaged)),
        Counted(name="not assessable", labels=(NOT_ASSESSED,)),
    )
