"""Measurements of damage beside the grade *none*: a limit on it, and a sentence that says so.

A model sums many measures, and those of a whole roof can outweigh a hole. A hole, a fallen part or
a lost roof plane that is measured beyond its own error is therefore never overruled in silence: the
probability of *none* is limited, and the record says which measurement contradicts it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.assessment import Reason, ReasonSide

MOST_NONE = 0.5
"""The most that *none* is given where a measurement says damage."""
BEYOND_SIGMAS = 2.0
LEAST_DEPTH_M = 1.0
"""What lies less deep below its roof is unevenness."""


@dataclass(frozen=True, kw_only=True)
class DamageSign:
    """A measure that says damage from ``least`` on where it exceeds ``BEYOND_SIGMAS`` of its sigma.

    ``words`` name it in a sentence.
    """

    name: str
    least: float
    words: str


SIGNS = (
    DamageSign(name="hole_fraction", least=0.01, words="holes in the roof"),
    DamageSign(name="low_fraction", least=0.05, words="roof missing by more than 1 m"),
    DamageSign(name="lower_plane_fraction", least=0.05, words="footprint on floors below the roof"),
)


def contradictions_of(
    values: Mapping[str, Array], sigmas: Mapping[str, Array], index: int
) -> tuple[Reason, ...]:
    """What is measured of a building that the grade *none* leaves unexplained, in sentences.

    ``values`` and ``sigmas`` are (N,) of each measure by its name, NaN where not known; ``index``
    is the building's. Empty where nothing contradicts.
    """
    if not _at(values, "deepest_m", index) > LEAST_DEPTH_M:
        return ()
    found = []
    for sign in SIGNS:
        value, sigma = _at(values, sign.name, index), _at(sigmas, sign.name, index)
        if value >= sign.least and value > BEYOND_SIGMAS * sigma:
            found.append(Reason(text=_sentence(sign, value, sigma), side=ReasonSide.CONTRADICTION))
    return tuple(found)


def limited(probabilities: Array) -> Array:
    """(K,) probabilities with at most ``MOST_NONE`` of the first; the others keep their ratios."""
    if probabilities[0] <= MOST_NONE:
        return probabilities
    rest = probabilities[1:]
    total = float(rest.sum())
    shares = rest / total if total > 0 else np.eye(len(rest))[0]
    return np.concatenate([[MOST_NONE], (1 - MOST_NONE) * shares])


def _sentence(sign: DamageSign, value: float, sigma: float) -> str:
    return (
        f"{sign.words}: {100 * value:.0f} ± {100 * sigma:.0f} %, not explained by no visible "
        f"damage, whose probability is limited to {100 * MOST_NONE:.0f} %"
    )


def _at(columns: Mapping[str, Array], name: str, index: int) -> float:
    return float(columns[name][index]) if name in columns else math.nan
