"""What reviewers said, some of it twice or checked -> totals that know that reviewers err.

Each reviewer takes true grades for others at rates of his own, the same in all strata and
independent of other reviewers (``latent_class.py``). What makes these rates known:

- buildings that two reviewers graded: how often they differ (Walter and Irwig 1988,
  J. Clin. Epidemiol. 41, 923-937);
- strata: the same reviewer in strata with much and with little of a class (Hui and Walter 1980);
- checked grades, which count as the truth (Tenenbein 1970).

Where these do not tell a missed building from one that is graded too high, as with a machine whose
strata are all alike, many totals are equally likely. The interval holds them all: it is every total
whose profile likelihood is within reach of the greatest. The reach is that of two parameters, the
total and the error that it may be mistaken for: rates at the end of their range make the
likelihood of one alone too steep (docs/explanation/totals.md has the coverage).

An error that all reviewers make in the same way is in no grade and in no interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from aftermap.assessment.intervals import CONFIDENCE, Interval, most_if_none_met
from aftermap.assessment.latent_class import Held, Patterns, fit_latent_class
from aftermap.assessment.total import LoneReviewer
from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.model.assessment import GRADES
from aftermap.model.sample import SampledBuilding

FEWEST_TWICE_GRADED = 30
"""Buildings graded by two reviewers, or by one and checked: with fewer their error is not told."""
ONE_IN = 10
"""Of so many grades one is off by a step where the cost of an error not included is shown."""
FEWEST_COMPARED = 15
"""Grades of one reviewer beside another's or a checked one: with fewer his error is not told, and
the errors of others say nothing of it."""

NO_GRADE = len(GRADES)
"""The place of "without a grade" behind those of the grades."""
_CLASSES = len(GRADES) + 1
_START_RIGHT = 0.9
_REACH = float(chi2.ppf(CONFIDENCE, 2))
_TRIES = 12
_NEAR = 0.02
_LEAST_START = 1e-4


@dataclass(frozen=True, kw_only=True)
class ReviewerModel:
    """The most likely prevalences (H, K) and error matrices (J, K, K), and how likely they are.

    ``sizes`` and ``graded`` (H,) are the buildings of the strata and those of them with a grade.
    The last class is "without a grade", which nobody takes for another.
    """

    patterns: Patterns
    sizes: Array
    graded: Array
    prevalence: Array
    errors: Array
    likelihood: float

    def interval(self, places: Sequence[int]) -> Interval:
        """The total of the classes at these places and its interval, in buildings.

        It is at least as wide as that of reviewers who never err and met none of the class, or
        nothing else. A stratum without a sampled building is estimated to be like all the others
        together, and adds all that it could hold to the upper end.
        """
        is_class = np.isin(np.arange(_CLASSES), places)
        weights = self._weights()
        estimate = float((weights * self.prevalence[:, is_class].sum(1)).sum())
        seen, whole = float(weights.sum()), float(self.sizes.sum())
        most = float(most_if_none_met(self.sizes, self.graded, (1 - CONFIDENCE) / 2))
        low = self._end(is_class, estimate, 0.0)
        high = self._end(is_class, estimate, seen) + whole - seen
        return Interval(
            estimate=np.asarray(estimate * whole / seen),
            low=np.asarray(np.clip(min(np.floor(low + 1e-6), whole - most), 0, whole)),
            high=np.asarray(np.clip(max(np.ceil(high - 1e-6), most), 0, whole)),
        )

    def is_likely(self, places: Sequence[int], total: float) -> bool:
        """Whether a total is inside of the interval, by one fit and without rounding."""
        is_class = np.isin(np.arange(_CLASSES), places)
        return self._distance(is_class, total) <= _REACH

    def _weights(self) -> Array:
        return np.where(self.graded > 0, self.sizes, 0.0)

    def _distance(self, is_class: BoolArray, total: float) -> float:
        """Twice the log likelihood that is lost if this is the total."""
        prevalence = np.maximum(self.prevalence, _LEAST_START)
        errors = np.where(self.patterns.allowed, np.maximum(self.errors, _LEAST_START), 0.0)
        held = Held(self._weights(), is_class, total)
        return 2 * (self.likelihood - fit_latent_class(self.patterns, held, prevalence, errors))

    def _end(self, is_class: BoolArray, estimate: float, furthest: float) -> float:
        """The first total towards the furthest that is out of reach, by secants of the root."""
        inside, outside = estimate, furthest
        root_inside, root_outside = 0.0, np.inf
        wanted = np.sqrt(_REACH)
        step = 0.25 * (furthest - estimate)
        for _ in range(_TRIES):
            if abs(outside - inside) < max(0.5, _NEAR * abs(inside - estimate)):
                break
            if np.isfinite(root_outside):
                share = (wanted - root_inside) / max(root_outside - root_inside, 1e-9)
                at = inside + min(max(share, 0.05), 0.95) * (outside - inside)
            else:
                at = inside + min(abs(step), 0.9 * abs(outside - inside)) * np.sign(step)
            root = np.sqrt(max(self._distance(is_class, at), 0.0))
            if root <= wanted:
                inside, root_inside = at, root
            else:
                outside, root_outside = at, root
        return outside


def reviewer_model(
    sizes: Array, stratum: IntArray, sampled: Sequence[SampledBuilding], *, with_ungraded: bool
) -> ReviewerModel:
    """The model of a sample.

    ``sizes`` (H,) are the numbers of buildings of the strata; ``stratum`` (n,) is the index of the
    stratum of each sampled building.

    Without ``with_ungraded``, those without a grade are left out: they are like the others of their
    stratum. With it they are a class of their own. A stratum of size 0 only tells of the reviewers.
    """
    rows = [i for i, one in enumerate(sampled) if with_ungraded or one.grades]
    kept = [sampled[i] for i in rows]
    patterns, reviewers = _patterns(stratum[rows], kept)
    graded = np.bincount(stratum[rows], minlength=len(sizes)).astype(float)
    graded[np.asarray(sizes) == 0] = 0
    return modelled(np.asarray(sizes, float), graded, patterns, reviewers)


def modelled(sizes: Array, graded: Array, patterns: Patterns, reviewers: int) -> ReviewerModel:
    """The most likely model of patterns of answers, from two starts.

    ``sizes`` and ``graded`` (H,) are the numbers of buildings and of graded ones in each stratum.
    Raises ValueError where no start has a likelihood, which is a fault of the patterns.
    """
    best: ReviewerModel | None = None
    nothing = Held(np.asarray(sizes, float), np.zeros(_CLASSES, bool), np.nan)
    for right in (_START_RIGHT, (1 + _START_RIGHT) / 2):
        prevalence = np.full((len(sizes), _CLASSES), 1 / _CLASSES)
        errors = np.repeat(_errors_of(right, patterns.allowed)[None], max(reviewers, 1), axis=0)
        likelihood = fit_latent_class(patterns, nothing, prevalence, errors)
        if best is None or likelihood > best.likelihood + 1e-3:
            best = ReviewerModel(
                patterns=patterns,
                sizes=sizes,
                graded=graded,
                prevalence=prevalence,
                errors=errors,
                likelihood=likelihood,
            )
    if best is None:
        raise ValueError("no start was fitted")
    return best


def _errors_of(right: float, allowed: BoolArray) -> Array:
    """(K, K) a matrix that is right so often for each class, and else wrong in all allowed ways."""
    ways = np.maximum(allowed.sum(1, keepdims=True) - 1, 1)
    found = np.where(allowed, (1 - right) / ways, 0.0)
    return np.asarray(np.where(np.eye(_CLASSES, dtype=bool), 1 - found.sum(1) + found, found))


def _patterns(stratum: IntArray, sampled: Sequence[SampledBuilding]) -> tuple[Patterns, int]:
    """The patterns of answers, and how many error matrices they are about."""
    places = _matrices(sampled)
    slots = max((len(one.blind) for one in sampled), default=0) or 1
    rows = np.full((len(sampled), 2 + 2 * slots), -1, np.int64)
    for i, one in enumerate(sampled):
        rows[i, 0] = stratum[i]
        if one.reference is not None:
            rows[i, 1] = GRADES.index(one.reference)
        elif not one.grades:
            rows[i, 1] = NO_GRADE
        said = sorted((places[b.reviewer], GRADES.index(b.grade)) for b in one.blind if b.grade)
        for s, (who, grade) in enumerate(said):
            rows[i, 2 + s], rows[i, 2 + slots + s] = who, grade
    return patterns_of(rows), len(set(places.values()))


def patterns_of(rows: IntArray) -> Patterns:
    """The patterns in ``rows`` (n, 2 + 2 S), one a building, and how many buildings have each.

    A row holds the index of the stratum and of the class that is sure, then of S reviewers and of
    the S classes that they gave; -1 where there is none.

    A class may be taken for those as far off as two people ever were about one building, and at
    least for its neighbours.
    """
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    slots = (rows.shape[1] - 2) // 2
    said = np.where(distinct[:, 1] == NO_GRADE, -1, distinct[:, 1])
    answers = np.column_stack([said, distinct[:, 2 + slots :]])
    most = answers.max(1)
    least = np.where(answers < 0, most[:, None], answers).min(1)
    reach = max(1, int((most - least).max(initial=0)))
    grades = np.arange(_CLASSES)
    allowed = np.abs(grades[:, None] - grades[None, :]) <= reach
    allowed[NO_GRADE], allowed[:, NO_GRADE] = grades == NO_GRADE, grades == NO_GRADE
    return Patterns(
        counts.astype(float),
        np.ascontiguousarray(distinct[:, 0]),
        np.ascontiguousarray(distinct[:, 2 : 2 + slots]),
        np.ascontiguousarray(distinct[:, 2 + slots :]),
        np.ascontiguousarray(distinct[:, 1]),
        allowed,
    )


def _matrices(sampled: Sequence[SampledBuilding]) -> dict[str, int]:
    """The error matrix of each reviewer; those with few double grades share one."""
    compared = _compared(sampled)
    own = sorted(name for name, count in compared.items() if count >= FEWEST_TWICE_GRADED)
    return {name: own.index(name) if name in own else len(own) for name in compared}


def _compared(sampled: Sequence[SampledBuilding]) -> dict[str, int]:
    """Of each reviewer, the graded buildings that another graded too, or that were checked."""
    compared: dict[str, int] = {}
    for one in sampled:
        said = [b.reviewer for b in one.blind if b.grade is not None]
        is_compared = len(said) > 1 or one.reference is not None
        for reviewer in said:
            compared[reviewer] = compared.get(reviewer, 0) + is_compared
    return compared


def lone_reviewers(
    sampled: Sequence[SampledBuilding], elsewhere: Sequence[SampledBuilding]
) -> tuple[LoneReviewer, ...]:
    """Who graded sampled buildings alone, and was compared too seldom, there and elsewhere."""
    alone: dict[str, int] = {}
    for one in sampled:
        said = [b.reviewer for b in one.blind if b.grade is not None]
        if len(said) == 1 and one.reference is None:
            alone[said[0]] = alone.get(said[0], 0) + 1
    compared = _compared((*sampled, *elsewhere))
    graded = sum(bool(one.grades) for one in sampled)
    return tuple(
        LoneReviewer(name=name, alone=count, graded=graded, compared=compared[name])
        for name, count in sorted(alone.items())
        if compared[name] < FEWEST_COMPARED
    )


def comparisons(sampled: Sequence[SampledBuilding]) -> tuple[int, int]:
    """Buildings that two reviewers graded, and those that one graded and a reference checked."""
    checked = sum(
        one.reference is not None and any(b.grade is not None for b in one.blind) for one in sampled
    )
    return sum(one.is_graded_twice for one in sampled), checked


def cost_of_error(by_grade: Array, places: Sequence[int]) -> tuple[float, float]:
    """How far down and up a total moves if one grade in ten is a step off, always the same way.

    ``by_grade`` (5,) is the estimated number of buildings of each grade; ``places`` are the indices
    of the grades of the class. Of the true grades: each grade beside the class may hide a tenth of
    its buildings in it, and the class may have lost a tenth of each of its outermost grades. Of the
    grades given: a tenth of the outermost ones, or of those beside, may be wrong, which for a rare
    class beside a large one is far more. The larger of both counts.
    """
    beside = [k for k in range(len(GRADES)) if k not in places and {k - 1, k + 1} & set(places)]
    edges = [k for k in places if {k - 1, k + 1} & set(beside)]
    inner, outer = by_grade[edges].sum(), by_grade[beside].sum()
    up = max(inner / (ONE_IN - 1), outer / ONE_IN)
    down = max(outer / (ONE_IN - 1), inner / ONE_IN)
    return float(min(down, by_grade[list(places)].sum())), float(up)
