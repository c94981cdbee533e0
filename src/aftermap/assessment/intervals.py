"""Counts in a stratified random sample -> the total in the population, and its interval.

The interval inverts the score test of the weighted sum of the strata's proportions: the total T is
inside where estimate - T is no more than z standard deviations, these worked out at the proportions
that are the most likely ones if T is true (Wilson 1927 for one stratum, Miettinen and Nurminen 1985
for two). Counts of rare classes are skewed, so z is corrected for skewness at each end (Gart and
Nam 1988; Laud 2017; here as Cornish and Fisher's quantile, which stays monotone). No observed
variance is needed, so that a class that was not met at all still has an upper end: there, and where
all are of the class, the ends are at least as wide as the exact ones of the hypergeometric
distribution (Wang 2015, JASA 110, 1491-1499; ``most_if_none_met``).

Sampling is without replacement: a stratum counts as a sample of n (N - 1) / (N - n), and one that
was looked at as a whole is known. The ends never contradict what was counted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln
from scipy.stats import norm

from aftermap.geo.arrays import Array

CONFIDENCE = 0.95
_WIDEST_LOG10, _NARROWEST_LOG10 = 12.0, -25.0
_HALVINGS = 45
FEW = 5
"""Sampled buildings of a class, or outside of it: with fewer the ends are no nearer than with none.
With more this would change nothing, and cost as much as the interval."""
_LEAST_Z = 1.0
"""No correction lets a total fall out that is nearer than this many standard deviations."""
_ROUNDING = 1e-9
"""Of the whole: a difference that is only the arithmetic's. Where every sampled building is of the
class, or none is, variance vanishes at the estimate, and without this the interval would, too."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its ends; arrays of one shape, in buildings. The ends are whole."""

    estimate: Array
    low: Array
    high: Array


def score_interval(
    sizes: npt.ArrayLike, drawn: npt.ArrayLike, counts: npt.ArrayLike, level: float = CONFIDENCE
) -> Interval:
    """The total of a class and its interval, in buildings.

    ``sizes`` (H,) are the buildings of the strata, ``drawn`` (H,) or (..., H) how many of them were
    sampled, and ``counts`` (..., H) how many of these are of the class; fractions where reviewers
    differ. A stratum without a sampled building is estimated to be like all the others together,
    and adds all that it could hold to the upper end.

    Raises ValueError where no stratum has a sampled building, or one more than it has buildings.
    """
    size, n, x = np.broadcast_arrays(*(np.asarray(a, float) for a in (sizes, drawn, counts)))
    if not ((n >= 0) & (n <= size)).all() or not (n > 0).any(-1).all():
        raise ValueError("the strata need at least one sampled building, and no more than all")
    z = float(norm.ppf(0.5 + level / 2))
    in_part, unseen = (n > 0) & (n < size), np.where(n == 0, size, 0.0).sum(-1)
    known = np.where(n == size, x, 0.0).sum(-1)
    some = np.where(n > 0, n, 1.0)
    effective = np.where(in_part, n * (size - 1) / np.where(in_part, size - n, 1.0), 1.0)
    share = _Share(
        size=np.where(in_part, size, 0.0),
        n=effective,
        x=np.where(in_part, x / some * effective, 0.0),
    )
    low, high = (known + share.end(sign, z) for sign in (1.0, -1.0))
    whole, of_class, outside = size.sum(-1), x.sum(-1), np.where(n > 0, n - x, 0.0).sum(-1)
    exact = _most_where_few(size, n, np.minimum(of_class, outside), (1 - level) / 2)
    high = np.maximum(high + unseen, np.where(of_class < FEW, exact, 0.0))
    low = np.minimum(low, whole - np.where(outside < FEW, exact, 0.0))
    estimate = (np.where(n > 0, size, 0.0) * x / some).sum(-1)
    least, most = np.floor(of_class + 1e-9), whole - np.floor(outside + 1e-9)
    return Interval(
        estimate=estimate * whole / np.maximum(whole - unseen, 1.0),
        low=np.clip(np.floor(low + 1e-6), least, most),
        high=np.clip(np.ceil(high - 1e-6), least, most),
    )


def _most_where_few(size: Array, n: Array, counted: Array, tail: float) -> Array:
    """(...,) ``most_if_none_met`` where few were counted; 0 elsewhere."""
    found, is_few = np.zeros(counted.shape), counted < FEW
    found[is_few] = most_if_none_met(size[is_few], n[is_few], tail)
    return found


def most_if_none_met(sizes: npt.ArrayLike, drawn: npt.ArrayLike, tail: float) -> Array:
    """The most buildings (...,) that a class can have if a sample that met none is not a chance.

    ``sizes`` and ``drawn`` (..., H). It is the largest total whose probability of not being met is
    at least ``tail``, by the hypergeometric distribution: exact for one stratum. Over several it is
    the largest over all ways to spread the total (the strata's probabilities multiply; the next
    building costs n / (N - T), so that it goes where that is least), at most H - 1 too high.
    """
    size, n = np.broadcast_arrays(np.asarray(sizes, float), np.asarray(drawn, float))
    some = np.maximum(n, 1e-9)
    inside, outside = np.zeros(size.shape[:-1]), np.ones(size.shape[:-1])
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        is_out = _none_met_log(size, n, _cheapest(size, some, n, middle)) < np.log(tail)
        outside, inside = np.where(is_out, middle, outside), np.where(is_out, inside, middle)
    all_of_it = (size - n).sum(-1)
    found = _cheapest(size, some, n, outside).sum(-1)
    is_free = _none_met_log(size, n, size - n) >= np.log(tail)
    return np.asarray(np.where(is_free, all_of_it, np.minimum(found - 1, all_of_it)))


def _cheapest(size: Array, some: Array, n: Array, cost: Array) -> Array:
    """(..., H) buildings of each stratum of which the next one still costs at most ``cost``."""
    upto = np.floor(size - some / np.maximum(cost, 1e-12)[..., None] + 1e-9) + 1
    return np.asarray(np.where(n > 0, np.clip(upto, 0, size - n), size))


def _none_met_log(size: Array, n: Array, total: Array) -> Array:
    """(...,) logarithm of the probability that none of these totals (..., H) is met."""
    left = np.where(n > 0, size - total, size)
    each = gammaln(left + 1) - gammaln(left - n + 1) - gammaln(size + 1) + gammaln(size - n + 1)
    return np.asarray(np.where(n > 0, each, 0.0).sum(-1))


@dataclass(frozen=True, kw_only=True)
class _Share:
    """Strata sampled in part: sizes, effective samples, counts (..., H); size 0 of the others."""

    size: Array
    n: Array
    x: Array

    def end(self, sign: float, z: float) -> Array:
        """The lower (sign 1) or upper (-1) end, by halving Lagrange's multiplier on a log scale."""
        estimate = (self.size * self.x / self.n).sum(-1)
        rounding = _ROUNDING * self.size.sum()
        inside = np.full(estimate.shape, _NARROWEST_LOG10)
        outside = np.full(estimate.shape, _WIDEST_LOG10)
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            total, variance, third = self._under(sign * 10.0**middle)
            sigma = np.sqrt(variance)
            skewness = third / np.maximum(variance * sigma, 1e-300)
            most = np.maximum(z + sign * skewness * (z * z - 1) / 6, _LEAST_Z)
            is_out = sign * (estimate - total) > most * sigma + rounding
            outside = np.where(is_out, middle, outside)
            inside = np.where(is_out, inside, middle)
        return self._under(sign * 10.0**inside)[0]

    def _under(self, multiplier: Array) -> tuple[Array, Array, Array]:
        """Total, variance and third moment of its estimate, for one multiplier.

        The most likely proportions have x / p - (n - x) / (1 - p) = multiplier * size.
        """
        a = multiplier[..., None] * self.size
        b = a + self.n
        root = np.sqrt(np.maximum(b * b - 4 * a * self.x, 0))
        positive = b > 0
        p = np.where(
            positive,
            2 * self.x / np.where(positive, b + root, 1.0),
            (b - root) / np.where(positive, 1.0, 2 * a),
        )
        p = np.clip(p, 0, 1)
        each = self.size**2 * p * (1 - p) / self.n
        third = (each * (1 - 2 * p) * self.size / self.n).sum(-1)
        return (self.size * p).sum(-1), each.sum(-1), third
