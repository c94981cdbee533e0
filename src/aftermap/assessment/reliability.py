"""How far reviewers agree with one another, and who disagrees where.

Krippendorff's alpha with the ordinal difference (Krippendorff 2011, "Computing Krippendorff's
Alpha-Reliability") for any number of reviewers and gaps; Cohen's kappa with quadratic weights
(Cohen 1968) for two. Intervals: percentiles of the Bayesian bootstrap of buildings (Rubin 1981,
Annals of Statistics 9, 130-134), 1,000 draws, seeded, as wide as one more building could make them
(the imprecise Dirichlet model with s = 1: Walley 1996, JRSS B 58, 3-57). So that full agreement on
a few buildings is not sure to be full agreement. Beside them, and never instead, what Dawid and
Skene's model (1979) makes of the reviewers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from aftermap.assessment.intervals import CONFIDENCE
from aftermap.geo.arrays import Array
from aftermap.model.assessment import GRADES, Grade

DRAWS = 1000
_SEED = 20240501
_CELLS_AT_ONCE = 4_000_000
_STEPS = 200
_CONVERGED = 1e-6
_PRIOR = 0.5
_PRIOR_RIGHT = 2.0

Labels = Mapping[str, Mapping[str, Grade]]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A figure of agreement (1 perfect, 0 chance) with its interval.

    ``buildings`` are those that it rests on. None is not known: nothing varies, or too few.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    buildings: int

    def __str__(self) -> str:
        if self.value is None or self.low is None or self.high is None:
            return f"{self.name}: not known ({self.buildings} buildings, nothing that varies)"
        return (
            f"{self.name} {self.value:.2f} ({CONFIDENCE:.0%} interval {self.low:.2f} to "
            f"{self.high:.2f}) on {self.buildings} buildings"
        )


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """A building that reviewers graded differently; the most different first."""

    source_id: str
    grades: tuple[tuple[str, Grade], ...]

    @property
    def steps(self) -> int:
        """How many grades lie between the lowest and the highest."""
        places = [GRADES.index(grade) for _, grade in self.grades]
        return max(places) - min(places)


def alpha(labels: Labels) -> Agreement:
    """Krippendorff's ordinal alpha of the grades of each building by reviewer."""
    counts = np.array([_counts(by.values()) for by in labels.values() if len(by) > 1])
    counts = counts.reshape(-1, len(GRADES))
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(GRADES))
    each = pairs / np.maximum(counts.sum(1) - 1, 1)[:, None, None]
    return _with_interval("Krippendorff's alpha (ordinal)", each, _alpha)


def kappa(first: Sequence[Grade], second: Sequence[Grade], name: str) -> Agreement:
    """Cohen's kappa with quadratic weights of two lists of grades for the same buildings."""
    return kappa_of(
        [GRADES.index(one) for one in first],
        [GRADES.index(one) for one in second],
        len(GRADES),
        name,
    )


def kappa_of(first: Sequence[int], second: Sequence[int], classes: int, name: str) -> Agreement:
    """The same for places in any ordered list of so many classes."""
    eye = np.eye(classes)
    each = eye[np.array(first, int), :, None] * eye[np.array(second, int), None, :]
    return _with_interval(f"Cohen's kappa (quadratic weights) of {name}", each, _kappa)


def agreements(labels: Labels) -> tuple[Agreement, ...]:
    """Alpha over all reviewers, then kappa of each two that share buildings."""
    reviewers = sorted({name for by in labels.values() for name in by})
    found = [alpha(labels)]
    for one, other in combinations(reviewers, 2):
        both = [(by[one], by[other]) for by in labels.values() if one in by and other in by]
        if both:
            found.append(kappa([a for a, _ in both], [b for _, b in both], f"{one} and {other}"))
    return tuple(found)


def disagreements(labels: Labels) -> tuple[Disagreement, ...]:
    """Buildings that were graded differently, the widest apart first, then by name."""
    found = [
        Disagreement(source_id=name, grades=tuple(sorted(by.items())))
        for name, by in labels.items()
        if len(set(by.values())) > 1
    ]
    return tuple(sorted(found, key=lambda one: (-one.steps, one.source_id)))


def dawid_skene(labels: Labels) -> dict[str, tuple[float, ...]]:
    """Probabilities of the grades of each building, reviewers weighed by how they agree.

    Expectation maximisation from the mean of the reviewers' grades, with a weak prior that a
    reviewer is more often right than not. A model's word: it is shown beside the plain figures.
    """
    names = sorted(labels)
    reviewers = sorted({name for by in labels.values() for name in by})
    given = np.zeros((len(names), len(reviewers), len(GRADES)))
    for i, name in enumerate(names):
        for reviewer, grade in labels[name].items():
            given[i, reviewers.index(reviewer), GRADES.index(grade)] = 1
    chance = given.sum(1) / np.maximum(given.sum((1, 2))[:, None], 1)
    for _ in range(_STEPS):
        shares = (chance.sum(0) + _PRIOR) / (chance.sum() + _PRIOR * len(GRADES))
        errors = (
            np.einsum("ik,ijl->jkl", chance, given) + _PRIOR + _PRIOR_RIGHT * np.eye(len(GRADES))
        )
        errors /= errors.sum(2, keepdims=True)
        likely = np.log(shares) + np.einsum("ijl,jkl->ik", given, np.log(errors))
        newer = np.exp(likely - likely.max(1, keepdims=True))
        newer /= newer.sum(1, keepdims=True)
        step = float(np.abs(newer - chance).max(initial=0))
        chance = newer
        if step < _CONVERGED:
            break
    return {name: tuple(row) for name, row in zip(names, chance.tolist(), strict=True)}


def _counts(grades: Iterable[Grade]) -> list[int]:
    found = list(grades)
    return [found.count(grade) for grade in GRADES]


def _alpha(pairs: Array) -> Array:
    """(...,) alpha of (..., C, C) coincidences; NaN where all grades are the same."""
    n = pairs.sum(-1)
    upto = np.cumsum(n, -1)
    middle = upto - n / 2
    apart = (middle[..., :, None] - middle[..., None, :]) ** 2
    total = n.sum(-1)
    seen = (pairs * apart).sum((-1, -2))
    by_chance = (n[..., :, None] * n[..., None, :] * apart).sum((-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - (total - 1) * seen / by_chance)


def _kappa(table: Array) -> Array:
    """(...,) quadratic kappa of (..., C, C) tables; NaN where both always say the same one."""
    classes = table.shape[-1]
    places = np.arange(classes)
    apart = (places[:, None] - places[None, :]) ** 2
    total = table.sum((-1, -2))
    seen = (table * apart).sum((-1, -2))
    by_chance = (table.sum(-1)[..., :, None] * table.sum(-2)[..., None, :] * apart).sum((-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - seen * total / by_chance)


def _with_interval(name: str, each: Array, figure: Callable[[Array], Array]) -> Agreement:
    """A figure of the summed tables of buildings (N, C, C), and its interval."""
    buildings = len(each)
    value = float(figure(each.sum(0))) if buildings else float("nan")
    if not np.isfinite(value):
        return Agreement(name=name, value=None, low=None, high=None, buildings=buildings)
    tail = (1 - CONFIDENCE) / 2
    ends = [np.nanquantile(figure(each_draw), [tail, 1 - tail]) for each_draw in _drawn(each)]
    return Agreement(
        name=name,
        value=value,
        low=min(value, *(float(low) for low, _ in ends)),
        high=max(value, *(float(high) for _, high in ends)),
        buildings=buildings,
    )


def _drawn(each: Array) -> Iterable[Array]:
    """Tables (DRAWS, C, C) from the Bayesian bootstrap, once for each thing one more could say.

    One more building is graded alike, in any class, or by chance: each grade as often as it was
    given so far, half way to equally often.
    """
    buildings, classes = len(each), each.shape[-1]
    table = each.sum(0)
    whole, of_one = table.sum(), np.median(each.sum((1, 2)))
    margin = (table.sum(0) + table.sum(1)) / (2 * whole)
    by_chance = (margin + 1 / classes) / 2
    random = np.random.default_rng(_SEED)
    at_once = max(1, _CELLS_AT_ONCE // buildings)
    for more in (np.eye(classes) / classes, np.outer(by_chance, by_chance)):
        tables = []
        for start in range(0, DRAWS, at_once):
            count = min(at_once, DRAWS - start)
            weights = random.standard_exponential((count, buildings))
            drawn = (weights @ each.reshape(buildings, -1)).reshape(count, classes, classes)
            other = of_one * random.standard_gamma(more, (count, classes, classes))
            tables.append(drawn + (other + other.swapaxes(1, 2)) / 2)
        found = np.concatenate(tables)
        yield found * ((whole + of_one) / found.sum((1, 2), keepdims=True))
