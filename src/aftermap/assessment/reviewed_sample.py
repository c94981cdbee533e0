"""The sampled buildings of a population and what people said of them -> counts by stratum.

A building counts in parts where its reviewers differ. One without a grade is in no class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.assessment.intervals import Interval, score_interval
from aftermap.assessment.nonresponse import bounds_of
from aftermap.assessment.predicted import predicted_interval
from aftermap.assessment.reliability import alpha
from aftermap.assessment.total import Reviewed
from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.model.assessment import GRADES
from aftermap.model.sample import NOT_ASSESSED, SampledBuilding


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


def counted_classes(
    classes: Sequence[tuple[str, tuple[str, ...]]], damaged: Sequence[str]
) -> tuple[Counted, ...]:
    """The classes of a scale, all damaged ones together, and those that nobody could assess."""
    return (
        *(Counted(name=name, labels=labels) for name, labels in classes),
        Counted(name=f"{damaged[0]} to {damaged[-1]}, together", labels=tuple(damaged)),
        Counted(name="not assessable", labels=(NOT_ASSESSED,)),
    )


@dataclass(frozen=True, kw_only=True)
class ReviewedSample:
    """The sampled buildings of a population: their rows there, and what people said.

    ``elsewhere``: those of the sample that are not of the population, for what they tell of the
    reviewers.
    """

    population: Population
    rows: IntArray
    sampled: tuple[SampledBuilding, ...]
    elsewhere: tuple[SampledBuilding, ...] = ()

    @classmethod
    def of(cls, population: Population, sampled: Sequence[SampledBuilding]) -> "ReviewedSample":
        """Those of the sampled buildings that are of the population."""
        places = {name: i for i, name in enumerate(population.names)}
        there = [one for one in sampled if one.source_id in places]
        return cls(
            population=population,
            rows=np.array([places[one.source_id] for one in there], np.int64),
            sampled=tuple(there),
            elsewhere=tuple(one for one in sampled if one.source_id not in places),
        )

    @property
    def sizes(self) -> IntArray:
        """(H,) the number of buildings in each stratum, sampled or not."""
        return np.bincount(self.population.stratum, minlength=len(self.population.strata))

    @property
    def stratum(self) -> IntArray:
        """(n,) the index of the stratum of each sampled building."""
        return self.population.stratum[self.rows]

    @property
    def is_graded(self) -> BoolArray:
        """(n,) whether it has a grade."""
        return np.array([bool(one.grades) for one in self.sampled], bool)

    @property
    def is_reviewed(self) -> BoolArray:
        """(n,) whether a reviewer said anything of it, be it that it cannot be assessed."""
        return np.array([bool(one.blind) for one in self.sampled], bool)

    @property
    def is_unassessable(self) -> BoolArray:
        """(n,) whether its reviewers found that the imagery does not show its grade.

        A checked grade, which comes from elsewhere, does not change that.
        """
        unable = [all(b.grade is None for b in one.blind) for one in self.sampled]
        return np.asarray(self.is_reviewed & np.array(unable, bool))

    def share(self, labels: Sequence[str]) -> Array:
        """(n,) the share of the grades of each sampled building that are in the class, 0 to 1.

        Without a grade it is 0, or 1 where ``labels`` hold ``NOT_ASSESSED`` and somebody answered.
        """
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
        graded, unable = self.is_graded, self.is_unassessable
        labels = {
            one.source_id: {b.reviewer: b.grade for b in one.blind if b.grade is not None}
            for one in (*self.sampled, *self.elsewhere)
        }
        twice = sum(one.is_graded_twice for one in (*self.sampled, *self.elsewhere))
        return Reviewed(
            reviewers=tuple(sorted({b.reviewer for one in self.sampled for b in one.blind})),
            sampled=len(self.sampled),
            graded=int(graded.sum()),
            not_assessed=int((unable & ~graded).sum()),
            unanswered=int((~self.is_reviewed & ~graded).sum()),
            graded_twice=twice,
            twice_elsewhere=sum(one.is_graded_twice for one in self.elsewhere),
            checked_elsewhere=sum(o.reference is not None for o in self.elsewhere),
            checked=sum(o.reference is not None for o in (*self.sampled, *self.elsewhere)),
            checked_unassessable=int((unable & graded).sum()),
            agreement=alpha(labels) if twice else None,
        )

    def _said(self, labels: Sequence[str]) -> tuple[BoolArray, Array]:
        """(n,) of which it is known whether they have one of the labels, and how far they do."""
        if NOT_ASSESSED in labels:
            return self.is_reviewed, self.is_unassessable.astype(float)
        return self.is_graded, self.share(labels)

    def stratified(self, labels: Sequence[str]) -> Interval:
        """The total of a class if those without a grade are like the others of their stratum."""
        asked, share = self._said(labels)
        return score_interval(self.sizes, self.counted(asked), self.counted(asked, share))

    def bounds(self, labels: Sequence[str]) -> tuple[int, int]:
        """The least and the most of it, whatever those without a grade are."""
        asked, share = self._said(labels)
        drawn = self.counted(np.ones(len(self.rows), bool))
        counts = self.counted(asked, share)
        least, most = bounds_of(self.sizes, drawn, self.counted(asked), counts)
        return int(least), int(most)

    def predicted(self, labels: Sequence[str]) -> Interval | None:
        """The prediction-powered total of a class.

        None where a stratum has fewer than two graded buildings but for one that is whole.
        """
        graded = self.is_graded
        sizes, drawn = self.sizes, self.counted(graded)
        there = sizes > 0
        if (drawn[there] < np.minimum(2, sizes[there])).any():
            return None
        place = np.cumsum(there) - 1
        columns = [self.population.labels.index(label) for label in labels]
        chance = self.population.probabilities[:, columns].sum(axis=1)
        total = np.bincount(self.population.stratum, chance, minlength=len(sizes))
        return predicted_interval(
            sizes[there],
            place[self.stratum[graded]],
            self.share(labels)[graded],
            chance[self.rows[graded]],
            total[there] / sizes[there],
        )


def grade_indices(labels: Sequence[str]) -> tuple[int, ...]:
    """The places of labels among the grades, without those that are no grade."""
    return tuple(k for k, grade in enumerate(GRADES) if grade.value in labels)
