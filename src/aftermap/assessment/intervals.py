"""Counts in a stratified random sample -> the total in the population, and its interval.

The interval inverts the score test of the weighted sum of the strata's proportions: the total T is
inside where estimate - T is no more than z standard deviations, these worked out at the proportions
that are the most likely ones if T is true (Wilson 1927 for one stratum, Miettinen and Nurminen 1985
for two). Counts of rare classes are skewed, so z is corrected for skewness at each end (Gart and
Nam 1988; Laud 2017; here as Cornish and Fisher's quantile, which stays monotone). No observed
variance is needed, so that a class that was not met at all still has an upper end: the one that the
largest weight allows.

Sampling is without replacement: a stratum counts as a sample of n (N - 1) / (N - n), and one that
was looked at as a whole is known. The ends never contradict what was counted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from aftermap.geo.arrays import Array

CONFIDENCE = 0.95
_WIDEST_LOG10, _NARROWEST_LOG10 = 12.0, -25.0
_HALVINGS = 60
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
    """The total of a class and its interval.

    ``sizes`` and ``drawn`` are (H,) buildings and sampled buildings of the strata, of which
    every
    one was sampled; ``counts`` is (..., H): how many of the sampled ones are of the class.

    Raises ValueError where a stratum has no sampled building, or more than it has buildings.
    """
    size, n = np.asarray(sizes, float), np.asarray(drawn, float)
    x = np.asarray(counts, float)
    if not ((n >= 1) & (n <= size)).all():
        raise ValueError("every stratum needs at least one sampled building, and no more than all")
    z = float(norm.ppf(0.5 + level / 2))
    open_ = n < size
    known = x[..., ~open_].sum(-1)
    effective = n[open_] * (size[open_] - 1) / (size[open_] - n[open_])
    share = _Share(size=size[open_], n=effective, x=x[..., open_] / n[open_] * effective)
    low, high = (known + share.end(sign, z) for sign in (1.0, -1.0))
    least, most = x.sum(-1), size.sum() - (n - x).sum(-1)
    return Interval(
        estimate=(size * x / n).sum(-1),
        low=np.clip(np.floor(low + 1e-6), least, most),
        high=np.clip(np.ceil(high - 1e-6), least, most),
    )


@dataclass(frozen=True, kw_only=True)
class _Share:
    """The strata that were sampled in part: sizes (H,), effective samples (H,), counts (..., H)."""

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
