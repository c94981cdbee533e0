"""Grades of fallible reviewers -> the most likely true classes, and how likely any total is.

The latent class model of Dawid and Skene (1979, Applied Statistics 28, 20-28, eq. 2.3 to 2.5), with
prevalences of its own in each stratum and error matrices that all strata share (Hui and Walter
1980, Biometrics 36, 167-171), fitted by expectation maximisation. For a profile likelihood the
total is held at a value while all else is fitted anew. A grade that was checked counts as the truth
(Tenenbein 1970, JASA 65, 1350-1361). The loops are in machine code: a total takes thousands of
steps.
"""

import math
from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.compiled import compiled, inlined

LEAST_RIGHT = 0.5
"""A reviewer gives a building of any true class that class at least this often. Without it, two
classes could change their names and nothing in the grades would tell."""
STEPS = 3000
_CONVERGED = 1e-6
_HALVINGS = 50
_NEVER = 1e-300
_LEAST_PREVALENCE = 1e-9
_LEAST_ERROR = 1e-7


class Patterns(NamedTuple):
    """Sampled buildings by what was said of them.

    ``counts`` (P,) buildings of each pattern; its ``stratum`` (P,); the classes ``given`` (P, S),
    -1 where nothing was, by the reviewers ``who`` (P, S), as places in the error matrices; the
    class that is ``sure`` (P,), -1 where it is not; ``allowed`` (K, K): which class may be taken
    for which.
    """

    counts: Array
    stratum: IntArray
    who: IntArray
    given: IntArray
    sure: IntArray
    allowed: BoolArray


class Held(NamedTuple):
    """A total that is held: the sum of ``weights`` (H,) times the prevalence of ``is_class`` (K,).

    NaN as ``total``: nothing is held.
    """

    weights: Array
    is_class: BoolArray
    total: float


@compiled
def fit_latent_class(patterns: Patterns, held: Held, prevalence: Array, errors: Array) -> float:
    """Fit ``prevalence`` (H, K) and ``errors`` (J, K, K) in place; the log likelihood reached.

    ``prevalence`` is the share of each class in each stratum. ``errors`` are the probabilities of
    the grades given (last axis) for each true class, of J reviewers or groups of them; 0 to 1.
    """
    mass, heard = np.empty(prevalence.shape), np.empty(errors.shape)
    likelihood = before = -np.inf
    for step in range(STEPS):
        likelihood = _expect(patterns, prevalence, errors, mass, heard)
        if step > 0 and likelihood - before < _CONVERGED:
            break
        if step > 0:  # the first likelihood is that of a start at which no total is held
            before = likelihood
        _fit_prevalence(prevalence, mass, held)
        _fit_errors(errors, heard, patterns.allowed)
    return likelihood


@compiled
def _expect(
    patterns: Patterns, prevalence: Array, errors: Array, mass: Array, heard: Array
) -> float:
    """The log likelihood; expected buildings by class into ``mass``, by answers into ``heard``."""
    classes = prevalence.shape[1]
    belief = np.empty(classes)
    mass[:], heard[:] = 0.0, 0.0
    likelihood = 0.0
    for p in range(len(patterns.counts)):
        h = patterns.stratum[p]
        whole = 0.0
        for k in range(classes):
            is_possible = patterns.sure[p] < 0 or patterns.sure[p] == k
            chance = prevalence[h, k] if is_possible else 0.0
            for s in range(patterns.given.shape[1]):
                if patterns.given[p, s] >= 0:
                    chance *= errors[patterns.who[p, s], k, patterns.given[p, s]]
            belief[k] = chance
            whole += chance
        likelihood += patterns.counts[p] * math.log(max(whole, _NEVER))
        for k in range(classes):
            part = patterns.counts[p] * belief[k] / max(whole, _NEVER)
            mass[h, k] += part
            for s in range(patterns.given.shape[1]):
                if patterns.given[p, s] >= 0:
                    heard[patterns.who[p, s], k, patterns.given[p, s]] += part
    return likelihood


@inlined
def _share_under(inside: float, outside: float, pull: float) -> float:
    """The p from 0 to 1 that solves inside / p - outside / (1 - p) = -pull."""
    if pull == 0:
        return inside / max(inside + outside, _NEVER)
    b = inside + outside - pull
    root = math.sqrt(max(b * b + 4 * pull * inside, 0.0))
    found = 2 * inside / (b + root) if b > 0 else (root - b) / (2 * pull)
    return min(max(found, 0.0), 1.0)


@compiled
def _shares(inside: Array, outside: Array, held: Held) -> Array:
    """(H,) the class's most likely prevalence, by halving Lagrange's multiplier on a log scale."""
    share = inside / np.maximum(inside + outside, _NEVER)
    if math.isnan(held.total):
        return share
    sign = 1.0 if held.total > (held.weights * share).sum() else -1.0
    low, high = -12.0, 12.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = 0.0
        for h in range(len(share)):
            pull = sign * held.weights[h] * 10.0**middle
            reached += held.weights[h] * _share_under(inside[h], outside[h], pull)
        if sign * (reached - held.total) < 0:
            low = middle
        else:
            high = middle
    for h in range(len(share)):
        share[h] = _share_under(inside[h], outside[h], sign * held.weights[h] * 10.0**high)
    return share


@compiled
def _fit_prevalence(prevalence: Array, mass: Array, held: Held) -> None:
    strata, classes = mass.shape
    inside, outside = np.zeros(strata), np.zeros(strata)
    for h in range(strata):
        for k in range(classes):
            if held.is_class[k]:
                inside[h] += mass[h, k]
            else:
                outside[h] += mass[h, k]
    share = _shares(inside, outside, held)
    members = held.is_class.sum()
    for h in range(strata):
        for k in range(classes):
            is_in = held.is_class[k]
            of_side = inside[h] if is_in else outside[h]
            part = share[h] if is_in else 1 - share[h]
            alike = members if is_in else classes - members
            of_class = mass[h, k] / of_side if of_side > _LEAST_PREVALENCE else 1.0 / alike
            prevalence[h, k] = max(part * of_class, _LEAST_PREVALENCE)


@compiled
def _fit_errors(errors: Array, heard: Array, allowed: BoolArray) -> None:
    """The most likely error matrices, each right at least ``LEAST_RIGHT`` of the time."""
    reviewers, classes = errors.shape[0], errors.shape[1]
    for j in range(reviewers):
        for k in range(classes):
            whole = heard[j, k].sum()
            if whole < _LEAST_PREVALENCE:
                continue
            right = max(heard[j, k, k] / whole, LEAST_RIGHT)
            wrong = whole - heard[j, k, k]
            for g in range(classes):
                if g == k:
                    errors[j, k, g] = right
                elif allowed[k, g] and wrong > 0:
                    errors[j, k, g] = max((1 - right) * heard[j, k, g] / wrong, _LEAST_ERROR)
