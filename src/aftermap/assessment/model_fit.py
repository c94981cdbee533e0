"""Labelled measures -> the curves of an ordinal model, by penalised maximum likelihood.

Every step between grades is a logistic regression; the four share a penalty that holds their
curves together, so that a step with few buildings leans on its neighbours. Curves with a direction
are held to it by bounds (L-BFGS-B, Byrd et al. 1995). A prior model can stand in the middle of the
penalty instead of nothing: that is how a city's own labels refine the shipped model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from aftermap.assessment.ordinal import STEPS, Curve, OrdinalModel, ramps
from aftermap.geo.arrays import Array, IntArray

Limits = tuple[float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How stiff the curves are.

    ridge: pull of every weight towards the prior (nothing, where there is none).
    together: pull of a weight towards the mean of its four steps.
    constant_ridge: pull of the constants towards those of a prior.
    smooth: pull of a weight towards those of the pieces beside it, so that a curve goes on where
        there are no buildings.
    """

    ridge: float = 1.0
    together: float = 0.3
    constant_ridge: float = 0.0
    smooth: float = 0.0


def fit(
    prior: OrdinalModel,
    values: Mapping[str, Array],
    grades: IntArray,
    options: FitOptions,
    weights: Array | None = None,
) -> OrdinalModel:
    """The model nearest to ``prior`` that explains (N,) grades 0 to 4 of buildings.

    ``weights`` (N,) says how much each building counts, 1 where it is not given.
    """
    columns = np.hstack([_columns(curve, values, len(grades)) for curve in prior.curves])
    start = np.hstack([curve.weights for curve in prior.curves])
    worse = (grades[:, None] > np.arange(STEPS)).astype(float)
    counts = np.ones(len(grades)) if weights is None else weights
    beside = _steps_between(prior)

    def loss(flat: Array) -> tuple[float, Array]:
        constants, slopes = flat[:STEPS], flat[STEPS:].reshape(STEPS, -1)
        odds = constants + columns @ slopes.T
        fitted = 1 / (1 + np.exp(-np.clip(odds, -40, 40)))
        value = float((counts[:, None] * (np.logaddexp(0, odds) - worse * odds)).sum())
        pull = slopes - start
        apart = pull - pull.mean(0)
        off = constants - prior.constants
        value += options.ridge * float((pull**2).sum()) / 2
        value += options.together * float((apart**2).sum()) / 2
        value += options.constant_ridge * float((off**2).sum()) / 2
        bent = pull @ beside.T
        value += options.smooth * float((bent**2).sum()) / 2
        miss = counts[:, None] * (fitted - worse)
        slope = miss.T @ columns + options.ridge * pull + options.together * apart
        slope += options.smooth * bent @ beside
        constant = miss.sum(0) + options.constant_ridge * off
        return value, np.concatenate([constant, slope.ravel()])

    first = np.concatenate([prior.constants, start.ravel()])
    how = {"method": "L-BFGS-B", "bounds": _bounds(prior), "options": {"maxiter": 600}}
    found = minimize(loss, first, jac=True, **how)
    return _with(prior, np.asarray(found.x[:STEPS]), np.asarray(found.x[STEPS:]))


def _steps_between(prior: OrdinalModel) -> Array:
    """(S, weights of all curves) what takes each weight from the one before it in its curve."""
    sizes = [curve.weights.shape[1] for curve in prior.curves]
    later = np.concatenate([np.arange(size) > 0 for size in sizes])
    each = np.eye(len(later))
    return np.asarray((each - np.roll(each, -1, axis=1))[later])


def _bounds(prior: OrdinalModel) -> list[Limits]:
    """The least and most of every constant and weight: a curve with a direction keeps it."""
    directions = np.concatenate(
        [np.full(curve.weights.shape[1], curve.direction) for curve in prior.curves]
    )
    free: Limits = (None, None)
    limits: list[Limits] = [
        (0.0, None) if d > 0 else (None, 0.0) if d < 0 else free for d in directions
    ]
    return [free] * STEPS + limits * STEPS


def _columns(curve: Curve, values: Mapping[str, Array], count: int) -> Array:
    column = values.get(curve.name, np.full(count, np.nan))
    known = np.isfinite(column)
    safe = np.where(known, column, curve.typical)
    at = ramps(safe, curve.knots) - ramps(np.array([curve.typical]), curve.knots)
    return np.asarray(np.where(known[:, None], at, 0.0))


def _with(prior: OrdinalModel, constants: Array, slopes: Array) -> OrdinalModel:
    """The model with other constants (STEPS,) and weights (STEPS * weights of all curves,)."""
    ends = np.cumsum([curve.weights.shape[1] for curve in prior.curves])
    weights = np.split(slopes.reshape(STEPS, -1), ends[:-1], axis=1)
    curves = [replace(curve, weights=own) for curve, own in zip(prior.curves, weights, strict=True)]
    return replace(prior, constants=constants, curves=tuple(curves))
