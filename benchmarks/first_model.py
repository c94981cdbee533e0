"""What only training the shipped grades needs: an empty model, and its temperature."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from aftermap.assessment.ordinal import STEPS, Curve, OrdinalModel, of_steps
from aftermap.geo.arrays import Array, IntArray


def knots_of(values: Array, count: int) -> Array:
    """Rising knots at even quantiles of what is known, and no two alike."""
    known = values[np.isfinite(values)]
    if not len(known):
        return np.array([0.0, 1.0])
    knots = np.unique(np.round(np.quantile(known, np.linspace(0.02, 0.98, count)), 5))
    return knots if len(knots) > 1 else np.array([knots[0], knots[0] + 1.0])


def empty_model(
    values: Mapping[str, Array],
    directions: Mapping[str, int],
    knots: int,
    placed: Mapping[str, Sequence[float]] | None = None,
    expected: Mapping[str, Sequence[float]] | None = None,
) -> OrdinalModel:
    """A model of these measures before anything was learned.

    It says nothing but ``expected``: by measure, what each piece of its curve adds to the log odds
    of every step, (STEPS,).

    ``placed`` are the knots of the measures whose range is known from what they mean; those of all
    others lie at quantiles of ``values``.
    """
    curves = []
    for name, direction in directions.items():
        known_range = (placed or {}).get(name)
        at = knots_of(values[name], knots) if known_range is None else np.array(known_range, float)
        known = values[name][np.isfinite(values[name])]
        typical = float(np.median(known)) if len(known) else float(at[0])
        curves.append(
            Curve(
                name=name,
                knots=at,
                weights=np.repeat(
                    np.array((expected or {}).get(name, (0.0,) * STEPS))[:, None], len(at) - 1, 1
                ),
                typical=typical,
                direction=direction,
            )
        )
    return OrdinalModel(
        constants=np.zeros(STEPS), curves=tuple(curves), temperature=1.0, training={}
    )


def calibration_temperature(odds: Array, grades: IntArray) -> float:
    """The temperature that makes (N, STEPS) log odds of left-out buildings most likely."""
    rows = np.arange(len(grades))

    def loss(log_temperature: float) -> float:
        p = of_steps(odds / np.exp(log_temperature))[rows, grades]
        return float(-np.log(np.maximum(p, 1e-6)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.0, 1.5), method="bounded").x))
