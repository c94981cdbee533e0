"""Values of which some are wrong -> how far the others scatter, by medians."""

import numpy as np

from aftermap.geo.arrays import FloatingArray

SIGMA_PER_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation (Hampel 1974)."""


def nmad(values: FloatingArray, *, about: float | None = None) -> float:
    """Standard deviation of known values, any shape, by their median distance from ``about``.

    ``about`` is their own median where none is given; in the unit of the values.
    """
    middle = np.median(values) if about is None else about
    return SIGMA_PER_MAD * float(np.median(np.abs(values - middle)))
