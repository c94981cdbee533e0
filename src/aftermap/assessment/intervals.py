"""Counts in a stratified random sample -> the total in the population, and its interval.

The interval inverts the score test of the weighted sum of the strata's proportions: the total T is
inside where (estimate - T)^2 <= z^2 V(T), with V worked out at the proportions that are the most
likely ones if T is true. For one stratum this is Wilson's interval (1927); for two, that of
Miettinen and Nurminen (1985). It needs no observed variance, so that a class that was not met at
all still has an upper end: the one that the largest weight allows.

Sampling is without replacement: a stratum counts as a sample of n (N - 1) / (N - n), and one that
was looked at as a whole is known. The ends never contradict what was counted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95
_WIDEST_LOG10, _NARROWEST_LOG10 = 12.0, -25.0
_HALVINGS = 60


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

    ``sizes`` and ``drawn`` are (H,) buildings and sampled buildings of the strata, of which every
    one was sampled; ``counts`` is (..., H): how many of the sampled ones are of the class.
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
        inside = np.full(estimate.shape, _NARROWEST_LOG10)
        outside = np.full(estimate.shape, _WIDEST_LOG10)
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            total, variance = self._under(sign * 10.0**middle)
            is_out = (total - estimate) ** 2 > z * z * variance
            outside = np.where(is_out, middle, outside)
            inside = np.where(is_out, inside, middle)
        return self._under(sign * 10.0**inside)[0]

    def _under(self, multiplier: Array) -> tuple[Array, Array]:
        """Total and variance where x / p - (n - x) / (1 - p) = multiplier * size in all strata."""
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
        return (self.size * p).sum(-1), (self.size**2 * p * (1 - p) / self.n).sum(-1)
