"""Measures -> probabilities of ordered grades, by an additive model that can be read.

For each of the four steps between the five grades the log odds of "worse than this" are a sum: a
constant and one piecewise linear curve for every measure (cumulative logits, McCullagh 1980; curves
as in generalised additive models, Hastie and Tibshirani 1986). A curve whose measure has a
direction never runs against it: a larger share of missing roof can make no grade better. A measure
that is not known adds nothing. The model is JSON: knots and weights, and how it was trained.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array

STEPS = 4
FORMAT = "aftermap-grades/1"
LEAST_CHANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What one measure adds to the log odds of every step.

    ``knots`` are (K,) rising values; ``weights`` (STEPS, K - 1) is the rise between them, 0 at
    ``typical``, the value in the middle of the training. ``direction`` is 1 where more is worse, -1
    where more is better, 0 where either can be.
    """

    name: str
    knots: Array
    weights: Array
    typical: float
    direction: int

    def added(self, values: Array) -> Array:
        """(N, STEPS) what (N,) values add; 0 where a value is not known."""
        known = np.isfinite(values)
        safe = np.where(known, values, self.typical)
        out = (ramps(safe, self.knots) - ramps(np.array([self.typical]), self.knots)) @ (
            self.weights.T
        )
        return np.asarray(np.where(known[:, None], out, 0.0))


@dataclass(frozen=True, kw_only=True)
class OrdinalModel:
    """Constants of the steps, curves of the measures, and the temperature that calibrates them."""

    constants: Array
    curves: tuple[Curve, ...]
    temperature: float
    training: Mapping[str, Any]

    def parts(self, values: Mapping[str, Array]) -> Array:
        """(measures, N, STEPS) log odds, a value that every measure adds for every building.

        ``values`` holds (N,) values of each measure by its name, NaN where not known.
        """
        count = len(next(iter(values.values())))
        nothing = np.full(count, math.nan)
        return np.array([curve.added(values.get(curve.name, nothing)) for curve in self.curves])

    def probabilities(self, parts: Array, doubt: Array) -> Array:
        """(N, STEPS + 1) probabilities; ``doubt`` (N,) is the share that says nothing, 0 to 1."""
        odds = self.constants + parts.sum(0)
        return doubted(of_steps(odds / self.temperature), doubt)

    def weights_of_measures(self, parts: Array, grade: int) -> Array:
        """(measures,) what each adds to the log odds of a grade, beside its typical value.

        ``parts`` (measures, STEPS) is what every measure adds for one building.
        """
        odds = self.constants + parts.sum(0)
        every = np.vstack([odds, odds - parts]) / self.temperature
        chance = np.clip(of_steps(every)[:, grade], LEAST_CHANCE, 1 - LEAST_CHANCE)
        log_odds = np.log(chance / (1 - chance))
        return np.asarray(log_odds[0] - log_odds[1:])


def ramps(values: Array, knots: Array) -> Array:
    """(N, K - 1) how far each value has climbed each piece between the knots, 0 to 1."""
    return np.clip((values[:, None] - knots[:-1]) / np.diff(knots), 0, 1)


def of_steps(odds: Array) -> Array:
    """(N, steps + 1) probabilities of grades for (N, steps) log odds of being worse than a step.

    Where a later step is likelier than an earlier one both get their mean (isotonic), as worse than
    severe cannot be likelier than worse than moderate.
    """
    worse = isotonic(1 / (1 + np.exp(-np.clip(odds, -40, 40))))
    edges = np.column_stack([np.ones(len(worse)), worse, np.zeros(len(worse))])
    return np.asarray(np.maximum(edges[:, :-1] - edges[:, 1:], 0))


def doubted(probabilities: Array, doubt: Array) -> Array:
    """(N, K) probabilities of which a share ``doubt`` (N,) is spread evenly."""
    share = doubt[:, None]
    return np.asarray((1 - share) * probabilities + share / probabilities.shape[1])


def isotonic(rows: Array) -> Array:
    """(N, K) the nearest values whose rows never rise (min-max formula of isotonic regression)."""
    count = rows.shape[1]
    total = np.column_stack([np.zeros(len(rows)), np.cumsum(rows, 1)])
    out = np.empty_like(rows)
    for at in range(count):
        best = np.full(len(rows), math.inf)
        for first in range(at + 1):
            means = [
                (total[:, e + 1] - total[:, first]) / (e + 1 - first) for e in range(at, count)
            ]
            best = np.minimum(best, np.max(means, axis=0))
        out[:, at] = best
    return out


def model_of(document: Mapping[str, Any]) -> OrdinalModel:
    """The model in a JSON document.

    Raises ValueError where the format or the knots of a curve are not right, and KeyError or
    TypeError where something is missing.
    """
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r}, not {FORMAT!r}")
    curves = tuple(
        Curve(
            name=str(one["measure"]),
            knots=np.array(one["knots"], float),
            weights=np.array(one["weights"], float),
            typical=float(one["typical"]),
            direction=int(one["direction"]),
        )
        for one in document["curves"]
    )
    for curve in curves:
        if (
            curve.weights.shape != (STEPS, len(curve.knots) - 1)
            or (np.diff(curve.knots) <= 0).any()
        ):
            raise ValueError(f"the curve of {curve.name} has knots and weights that do not fit")
    return OrdinalModel(
        constants=np.array(document["constants"], float).reshape(STEPS),
        curves=curves,
        temperature=float(document["temperature"]),
        training=dict(document["training"]),
    )


def document_of(model: OrdinalModel) -> dict[str, Any]:
    """The model as JSON, numbers rounded to four digits after the point."""
    return {
        "format": FORMAT,
        "constants": _rounded(model.constants),
        "temperature": round(model.temperature, 4),
        "curves": [
            {
                "measure": curve.name,
                "direction": curve.direction,
                "typical": round(curve.typical, 5),
                "knots": [round(float(knot), 5) for knot in curve.knots],
                "weights": [_rounded(row) for row in curve.weights],
            }
            for curve in model.curves
        ],
        "training": dict(model.training),
    }


def _rounded(values: Sequence[float] | Array) -> list[float]:
    return [round(float(value), 4) for value in values]
