"""Measures of a building beside those of the roofs of the same map that look most whole.

Tiles, felt and bare concrete, a soft clip and a sharp photograph differ more from each other than a
whole roof differs from a hurt one. So edges, roughness and texture also count as a ratio to what
the map's own whole roofs have: to the ``QUANTILE`` of all its buildings. Where a map holds few
buildings, that reference is drawn towards one of the training maps, and it is never above what a
whole roof of the training has, so that a district that has fallen altogether is not its own norm.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.assessment.names import NamedValues

QUANTILE = 0.3
FEW = 8.0
"""So many buildings weigh as much as the reference of the training."""
LOG2 = math.log(2.0)


@dataclass(frozen=True, kw_only=True)
class Excess:
    """A measure beside that of whole roofs: its name, and that of what it is made from.

    ``offset`` keeps the ratio of small values finite; ``usual`` is the training's reference and
    ``most`` the largest one that a map can have.
    """

    name: str
    of: str
    offset: float
    usual: float
    most: float


EXCESSES = (
    Excess(name="broken_excess_log2", of="broken_fraction", offset=0.02, usual=0.05, most=0.25),
    Excess(name="edge_excess_log2", of="edge_fraction", offset=0.03, usual=0.11, most=0.28),
    Excess(name="texture_excess_log2", of="broken_texture", offset=0.03, usual=0.085, most=0.13),
    Excess(name="rough_excess_log2", of="rough_fraction", offset=0.05, usual=0.08, most=0.2),
    Excess(name="roughness_excess_log2", of="roughness_m", offset=0.015, usual=0.024, most=0.06),
    Excess(name="residual_excess_log2", of="plane_residual_m", offset=0.02, usual=0.045, most=0.15),
)
HOLE = Excess(
    name="hole_probability_excess", of="hole_probability", offset=0.0, usual=0.1, most=0.3
)
"""A difference and no ratio."""


def add_excesses(rows: Sequence[NamedValues]) -> None:
    """Add to the measures of each building of a map how they lie beside those of whole roofs."""
    for one in EXCESSES:
        known = _known(rows, one.of)
        level = math.log2(_reference(known, one) + one.offset)
        for row in rows:
            value, sigma = row.get(one.of, (math.nan, math.nan))
            if math.isfinite(value):
                above = value + one.offset
                row[one.name] = math.log2(above) - level, sigma / (above * LOG2)
    reference = _reference(_known(rows, HOLE.of), HOLE)
    for row in rows:
        value, sigma = row.get(HOLE.of, (math.nan, math.nan))
        if math.isfinite(value):
            row[HOLE.name] = value - reference, sigma


def _known(rows: Sequence[NamedValues], name: str) -> list[float]:
    values = [row[name][0] for row in rows if name in row]
    return [value for value in values if math.isfinite(value)]


def _reference(values: Sequence[float], one: Excess) -> float:
    """What whole roofs of a map have, of the known values of its buildings."""
    if not values:
        return one.usual
    own = float(np.quantile(values, QUANTILE))
    weight = len(values) / (len(values) + FEW)
    return min(weight * own + (1 - weight) * one.usual, one.most)
