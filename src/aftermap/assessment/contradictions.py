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
HOLES, EDGE, RAGGED = "hole_fraction", "edge_loss_fraction", "ragged_loss_fraction"
LEAST_FRACTION = 0.01
STRAIGHT_FRACTION = 0.25
"""Of what is lost at the edge; where less is ragged it may be a storey set back, which is said."""


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """What is measured of a building that the grade *none* leaves unexplained, in a sentence.

    ``limits``: the probability of *none* is limited by it.
    """

    reason: Reason
    limits: bool


def contradictions_of(
    values: Mapping[str, Array], sigmas: Mapping[str, Array], index: int
) -> tuple[Contradiction, ...]:
    """The measurements that contradict *none*; empty where there is none.

    ``values`` and ``sigmas`` are (N,) of each measure by its name, NaN where not known; ``index``
    is the building's.
    """
    found = []
    for name, words in ((HOLES, "holes in the roof"), (EDGE, "roof missing at its edge")):
        value, sigma = _at(values, name, index), _at(sigmas, name, index)
        if not (value >= LEAST_FRACTION and value > BEYOND_SIGMAS * sigma):
            continue
        is_straight = name == EDGE and _at(values, RAGGED, index) < STRAIGHT_FRACTION * value
        why = (
            "with straight sides, taken for a storey set back"
            if is_straight
            else f"so no visible damage gets at most {100 * MOST_NONE:.0f} %"
        )
        text = f"{words}: {100 * value:.0f} ± {100 * sigma:.0f} %, {why}"
        reason = Reason(text=text, side=ReasonSide.CONTRADICTION)
        found.append(Contradiction(reason=reason, limits=not is_straight))
    return tuple(found)


def limited(probabilities: Array) -> Array:
    """(K,) probabilities with at most ``MOST_NONE`` of the first; the others keep their ratios."""
    if probabilities[0] <= MOST_NONE:
        return probabilities
    rest = probabilities[1:]
    total = float(rest.sum())
    shares = rest / total if total > 0 else np.eye(len(rest))[0]
    return np.concatenate([[MOST_NONE], (1 - MOST_NONE) * shares])


def _at(columns: Mapping[str, Array], name: str, index: int) -> float:
    return float(columns[name][index]) if name in columns else math.nan
