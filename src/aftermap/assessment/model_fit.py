"""Labelled measures -> the curves of an ordinal model, by penalised maximum likelihood.

Every step between grades is a logistic regression; the four share a penalty that holds their
curves together, so that a step with few buildings leans on its neighbours. Curves with a direction
are held to it by bounds (L-BFGS-B, Byrd et al. 1995). A prior model can stand in the middle of the
penalty instead of nothing: that is how a city's own labels refine the shipped model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from aftermap.assessment.ordinal import STEPS, Curve, OrdinalModel, of_steps, ramps
from aftermap.geo.arrays import Array, IntArray


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """How stiff the curves are.

    ridge: pull of every weight towards the prior (nothing, where there is none).
    together: pull of a weight towards the mean of its four steps.
    constant_ridge: pull of the constants towards those of a prior.
    """

    ridge: float = 1.0
    together: float = 0.3
    constant_ridge: float = 0.0


def knots_of(values: Array, count: int) -> Array:
    """(count,) rising knots at even quantiles of the known ones of (N,) values, no two alike."""
    known = values[np.isfinite(values)]
    if not len(known):
        return np.array([0.0, 1.0])
    knots = np.unique(np.round(np.quantile(known, np.linspace(0.02, 0.98, count)), 5))
    return knots if len(knots) > 1 else np.array([knots[0], knots[0] + 1.0])


def empty_model(
    values: Mapping[str, Array], directions: Mapping[str, int], knots: int
) -> OrdinalModel:
    """A model of these measures, (N,) values each, that says nothing yet."""
    curves = []
    for name, direction in directions.items():
        at = knots_of(values[name], knots)
        known = values[name][np.isfinite(values[name])]
        typical = float(np.median(known)) if len(known) else float(at[0])
        curves.append(
            Curve(
                name=name,
                knots=at,
                weights=np.zeros((STEPS, len(at) - 1)),
                typical=typical,
                direction=direction,
            )
        )
    return OrdinalModel(
        constants=np.zeros(STEPS), curves=tuple(curves), temperature=1.0, training={}
    )


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
        miss = counts[:, None] * (fitted - worse)
        slope = miss.T @ columns + options.ridge * pull + options.together * apart
        constant = miss.sum(0) + options.constant_ridge * off
        return value, np.concatenate([constant, slope.ravel()])

    directions = np.concatenate(
        [np.full(curve.weights.shape[1], curve.direction) for curve in prior.curves]
    )
    limits = [(0.0, None) if d > 0 else (None, 0.0) if d < 0 else (None, None) for d in directions]
    bounds = [(None, None)] * STEPS + limits * STEPS
    first = np.concatenate([prior.constants, start.ravel()])
    found = minimize(
        loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 600}
    )
    return _with(prior, np.asarray(found.x[:STEPS]), np.asarray(found.x[STEPS:]))


def calibration_temperature(odds: Array, grades: IntArray) -> float:
    """The temperature that makes (N, STEPS) log odds of left-out buildings most likely.

    ``grades`` (N,) are the true ones, a number from 0 to 4 each.
    """
    rows = np.arange(len(grades))

    def loss(log_temperature: float) -> float:
        p = of_steps(odds / np.exp(log_temperature))[rows, grades]
        return float(-np.log(np.maximum(p, 1e-6)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.0, 1.5), method="bounded").x))


def _columns(curve: Curve, values: Mapping[str, Array], count: int) -> Array:
    column = values.get(curve.name, np.full(count, np.nan))
    known = np.isfinite(column)
    safe = np.where(known, column, curve.typical)
    at = ramps(safe, curve.knots) - ramps(np.array([curve.typical]), curve.knots)
    return np.asarray(np.where(known[:, None], at, 0.0))


def _with(prior: OrdinalModel, constants: Array, slopes: Array) -> OrdinalModel:
    wide = slopes.reshape(STEPS, -1)
    curves: list[Curve] = []
    first = 0
    for curve in prior.curves:
        last = first + curve.weights.shape[1]
        curves.append(
            Curve(
                name=curve.name,
                knots=curve.knots,
                weights=wide[:, first:last],
                typical=curve.typical,
                direction=curve.direction,
            )
        )
        first = last
    return OrdinalModel(
        constants=constants,
        curves=tuple(curves),
        temperature=prior.temperature,
        training=prior.training,
    )


def weighted_kappa(
    true: Sequence[int] | IntArray, given: Sequence[int] | IntArray, grades: int = 5
) -> float:
    """Cohen's kappa with quadratic weights of two lists of grades, (N,) numbers from 0 up."""
    matrix = np.zeros((grades, grades))
    np.add.at(matrix, (np.asarray(true), np.asarray(given)), 1)
    apart = (np.arange(grades)[:, None] - np.arange(grades)) ** 2
    chance = np.outer(matrix.sum(1), matrix.sum(0)) / matrix.sum()
    return float(1 - (apart * matrix).sum() / (apart * chance).sum())
