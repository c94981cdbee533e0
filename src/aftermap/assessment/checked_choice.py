"""Which sampled buildings have a checked grade -> whether that can be chance.

Checked grades correct reviewers if they were drawn at random from the sample (Tenenbein 1970).
Where a team visits only what stands, or only ruins, the checks tell of these alone. Then the
reviewers' grades of the checked ones differ from those of the whole sample. The test is one of
permutation (Edgington and Onghena 2007, Randomization Tests, ch. 3): as many are drawn at random,
over and over, and it is asked how often they differ as much. Within strata it would find little: of
checks of intact buildings alone, 8 to 44 % where the whole sample finds all.

It finds what shows in the reviewers' grades. A choice by what no grade tells is not found.
"""

import numpy as np

from aftermap.assessment.reviewed_sample import ReviewedSample
from aftermap.errors import InputError
from aftermap.geo.arrays import BoolArray, IntArray
from aftermap.model.assessment import GRADES

LEAST_CHANCE = 0.01
"""Checked grades that differ as much from the sample less often than this were not drawn at random.
"""
_DRAWS = 9999
_SEED = 0


def refuse_chosen_checks(sample: ReviewedSample) -> None:
    """Raises InputError where the checked ones of a whole sample cannot be a random part of it."""
    rows = [i for i, one in enumerate(sample.sampled) if any(b.grade for b in one.blind)]
    given = [next(b.grade for b in sample.sampled[i].blind if b.grade) for i in rows]
    checked = np.array([sample.sampled[i].reference is not None for i in rows], bool)
    chance = chance_of_choice(np.array([GRADES.index(one) for one in given], np.int64), checked)
    if chance >= LEAST_CHANCE:
        return
    raise InputError(
        f"checked grades: the {int(checked.sum())} checked buildings are no random part of the "
        f"sample (by the reviewers' grades they differ from it, p = {max(chance, 1e-4):.2g}), and "
        "would correct the totals wrongly; draw the buildings to check at random from the "
        "sample, check all of those, or omit --reference"
    )


def chance_of_choice(given: IntArray, checked: BoolArray) -> float:
    """How often checks at random differ as much from the sample, 0 to 1; 1 where nothing tells.

    ``given`` (a place among the grades) and ``checked`` (n,) of graded buildings. The difference is
    chi-square: (counted - expected)^2 / expected, summed over grades.
    """
    n, m = len(given), int(checked.sum())
    if m in (0, n):
        return 1.0
    grades = np.bincount(given, minlength=len(GRADES))
    expected = m * grades / n
    met = grades > 0
    drawn = np.random.default_rng(_SEED).multivariate_hypergeometric(grades, m, _DRAWS)
    counted = np.bincount(given[checked], minlength=len(GRADES))
    found = ((counted - expected)[met] ** 2 / expected[met]).sum()
    by_chance = ((drawn - expected)[:, met] ** 2 / expected[met]).sum(1)
    return float((1 + (by_chance >= found - 1e-9).sum()) / (1 + _DRAWS))
