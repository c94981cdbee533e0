"""Shifts of single outlines, some right and some wrong -> what its neighbours expect of each.

Whoever drew outlines off a picture was off by nearly the same next door: shifts are a smooth field
over the map plus a little of each building's own. The field is a Gaussian process (Rasmussen and
Williams, "Gaussian Processes for Machine Learning", 2006, eq. 2.23 to 2.26; Matern's covariance
of order 3/2), asked at every building from its nearest neighbours without itself, so that its own
evidence is not used twice. Wrong matches weigh less the worse they agree with what the others say
(weights of a t distribution with 4 degrees of freedom).
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.robust import nmad

NEIGHBOURS = 24
LENGTH_M = 100.0
"""Over such distances shifts are alike: a sheet of imagery, a mapper's afternoon."""
FIELD_SIGMA_M = 1.0
MEAN_SIGMA_M = 2.0
"""How far the field varies over the map, and how far all of it may be off."""
OWN_SIGMA_M = (0.1, 0.8)
"""What a building may differ from its neighbours' field: at least and at most; the data says."""
FREEDOM = 4.0
ROUNDS = 5
AT_ONCE = 1000
"""So many buildings are solved for together; it bounds the memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """(N, 2) shift that its neighbours expect of each building, and its (N, 2, 2) covariance.

    The covariance holds what a building may differ from the field, ``own_sigma_m`` each axis.
    """

    shift_m: Array
    covariance_m2: Array
    own_sigma_m: float


def expected(places_m: Array, matched: BoolArray, shift_m: Array, covariance_m2: Array) -> Expected:
    """What the ``matched`` buildings' own shifts (N, 2) and covariances say of every building.

    Where nobody is matched the answer is no shift, as uncertain as a shift is before anything
    is known.
    """
    known = np.flatnonzero(matched)
    if len(known) == 0:
        wide = np.eye(2) * (FIELD_SIGMA_M**2 + MEAN_SIGMA_M**2 + OWN_SIGMA_M[1] ** 2)
        return Expected(
            shift_m=np.zeros_like(places_m),
            covariance_m2=np.tile(wide, (len(places_m), 1, 1)),
            own_sigma_m=OWN_SIGMA_M[1],
        )
    places, shifts, covariance = places_m[known], shift_m[known], covariance_m2[known]
    near = _nearest(places, places, without_first=True)
    left = shifts - np.median(shifts[near], axis=1) if near.shape[1] else np.zeros_like(shifts)
    own = OWN_SIGMA_M[1]
    weight = _weights(left, covariance + np.eye(2) * own**2)
    for _ in range(ROUNDS if near.shape[1] else 0):
        noise = (covariance + np.eye(2) * own**2) / weight[:, None, None]
        mean, spread = _field_at(places, near, places, shifts, noise)
        left = shifts - mean
        own = _own_sigma_m(left, covariance + spread)
        weight = _weights(left, covariance + spread + np.eye(2) * own**2)
    noise = (covariance + np.eye(2) * own**2) / weight[:, None, None]
    there = _nearest(places_m, places, without_first=False)
    there = _without_self(there, known, len(places_m))
    mean, spread = _field_at(places_m, there, places, shifts, noise)
    return Expected(shift_m=mean, covariance_m2=spread + np.eye(2) * own**2, own_sigma_m=own)


def _nearest(asked_m: Array, places_m: Array, *, without_first: bool) -> IntArray:
    """(N, up to NEIGHBOURS) indices of the nearest places; the first is oneself and goes."""
    count = min(NEIGHBOURS + 1, len(places_m))
    found = cKDTree(places_m).query(asked_m, k=np.arange(1, count + 1))[1]
    return np.asarray(found[:, 1:] if without_first else found, np.int64)


def _without_self(near: IntArray, known: IntArray, count: int) -> IntArray:
    """The same with each building's own index exchanged for -1, which counts for nothing."""
    index = np.full(count, -2, np.int64)
    index[known] = np.arange(len(known))
    return np.where(near == index[:, None], -1, near)


def _field_at(
    asked_m: Array, near: IntArray, places_m: Array, shift_m: Array, noise_m2: Array
) -> tuple[Array, Array]:
    """(N, 2) mean and (N, 2, 2) covariance of the field at places, from their near ones."""
    means, spreads = [], []
    for start in range(0, len(asked_m), AT_ONCE):
        some = near[start : start + AT_ONCE]
        mean, spread = _solve(asked_m[start : start + AT_ONCE], some, places_m, shift_m, noise_m2)
        means.append(mean)
        spreads.append(spread)
    return np.concatenate(means), np.concatenate(spreads)


def _solve(
    asked_m: Array, near: IntArray, places_m: Array, shift_m: Array, noise_m2: Array
) -> tuple[Array, Array]:
    count, width = near.shape
    given = places_m[near]
    between = _alike(np.linalg.norm(given[:, :, None] - given[:, None], axis=-1))
    towards = _alike(np.linalg.norm(given - asked_m[:, None], axis=-1))
    towards[near < 0] = 0
    full = np.zeros((count, width, 2, width, 2))
    full[:, :, 0, :, 0] = full[:, :, 1, :, 1] = between
    at = np.arange(width)
    noise = np.where((near < 0)[..., None, None], 1e6 * np.eye(2), noise_m2[near])
    full[:, at, :, at, :] += np.moveaxis(noise, 1, 0)
    apart = np.zeros((count, width, 2, 2))
    apart[:, :, 0, 0] = apart[:, :, 1, 1] = towards
    cross = apart.reshape(count, 2 * width, 2)
    part = np.linalg.solve(full.reshape(count, 2 * width, 2 * width), cross)
    values = np.where((near < 0)[..., None], 0.0, shift_m[near]).reshape(count, 2 * width, 1)
    mean = (np.swapaxes(part, 1, 2) @ values)[..., 0]
    prior = np.eye(2) * (FIELD_SIGMA_M**2 + MEAN_SIGMA_M**2)
    return mean, prior - np.swapaxes(part, 1, 2) @ cross


def _alike(distance_m: Array) -> Array:
    """Covariance of the field between places that far apart, in square metres."""
    scaled = np.sqrt(3) * distance_m / LENGTH_M
    return np.asarray(MEAN_SIGMA_M**2 + FIELD_SIGMA_M**2 * (1 + scaled) * np.exp(-scaled))


def _weights(left_m: Array, covariance_m2: Array) -> Array:
    """(N,) weights of shifts by how well they agree with their neighbours."""
    solved = np.linalg.solve(covariance_m2, left_m[..., None])[..., 0]
    return np.asarray((FREEDOM + 2) / (FREEDOM + (left_m * solved).sum(-1)))


def _own_sigma_m(left_m: Array, covariance_m2: Array) -> float:
    """What buildings differ from the field beyond what their matches and the field are off."""
    explained = np.trace(covariance_m2, axis1=1, axis2=2) / 2
    surest = explained <= np.median(explained)
    spread = nmad(left_m[surest], about=0.0)
    beyond = spread**2 - float(np.median(explained[surest]))
    return float(np.clip(np.sqrt(max(beyond, 0.0)), *OWN_SIGMA_M))
