"""Sampled buildings without a grade -> bounds of a total that hold whatever those buildings are.

A building that reviewers could not assess is of some class, and nobody knows which. Whatever made
it so may go with damage: a roof under smoke, a ruin in shadow. An estimate from the graded ones
alone holds only if the others are like them (missing at random within the stratum: Little and
Rubin 2002, ch. 1.3). The bounds need no assumption (Manski 1990; Horowitz and Manski 2000, JASA
95, 77-84): they run from the lower end if none of these is of the class to the upper end if all
are.
"""

import numpy as np
import numpy.typing as npt

from aftermap.assessment.intervals import CONFIDENCE, score_interval
from aftermap.geo.arrays import Array


def bounds_of(
    sizes: npt.ArrayLike,
    drawn: npt.ArrayLike,
    graded: npt.ArrayLike,
    counts: npt.ArrayLike,
    level: float = CONFIDENCE,
) -> tuple[Array, Array]:
    """The least and the most buildings (...,) of a class, each end of an interval.

    ``sizes`` (H,) buildings of the strata; ``drawn``, ``graded`` and ``counts`` (..., H): how many
    of them were sampled, have a grade, and have one of the class.
    """
    n, x = np.asarray(drawn, float), np.asarray(counts, float)
    missing = n - np.asarray(graded, float)
    return (
        score_interval(sizes, n, x, level).low,
        score_interval(sizes, n, x + missing, level).high,
    )
