"""What is taken off before two maps are compared: a similarity, or a tilted plane.

Both are least squares; the plane is fitted again and again without what lies beyond 3 sigma, so
that walls and roofs that one map lacks do not tilt it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.robust import nmad

FIRST_REACH_M = 1.0
LEAST_SIGMA_M = 0.03
ROUNDS = 12


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """there = scale * rotation @ (here - here_middle) + there_middle, in 2 or 3 dimensions."""

    scale: float
    rotation: Array
    here_middle: Array
    there_middle: Array

    def there(self, here: Array) -> Array:
        """(N, D) points moved."""
        turned = (here - self.here_middle) @ self.rotation.T
        return np.asarray(self.scale * turned + self.there_middle)

    def here(self, there: Array) -> Array:
        """(N, D) points moved back."""
        turned = (there - self.there_middle) @ self.rotation / self.scale
        return np.asarray(turned + self.here_middle)


def similarity(here: Array, there: Array) -> Similarity:
    """The similarity with the least squares between (N, D) pairs (Umeyama 1991, eq. 40 to 43)."""
    here_middle, there_middle = here.mean(0), there.mean(0)
    a, b = here - here_middle, there - there_middle
    u, singular, vt = np.linalg.svd(b.T @ a)
    signs = np.ones(len(singular))
    signs[-1] = np.sign(np.linalg.det(u @ vt))
    return Similarity(
        scale=float((singular * signs).sum() / (a**2).sum()),
        rotation=u @ np.diag(signs) @ vt,
        here_middle=here_middle,
        there_middle=there_middle,
    )


def rms(errors: Array) -> float:
    """Root of the mean of squares."""
    return float(np.sqrt(np.mean(errors**2)))


def without_plane(xy_m: Array, errors_m: Array) -> tuple[Array, dict[str, float]]:
    """(N,) errors left when shift and tilt are taken off robustly, and what was taken off."""
    away = (xy_m - xy_m.mean(0)) / 100.0
    design = np.column_stack([np.ones(len(away)), away])
    used = np.abs(errors_m - np.median(errors_m)) < FIRST_REACH_M
    plane, left = np.zeros(3), errors_m
    for _ in range(ROUNDS):
        plane = np.linalg.lstsq(design[used], errors_m[used], rcond=None)[0]
        left = errors_m - design @ plane
        used = np.abs(left) < 3 * max(nmad(left), LEAST_SIGMA_M)
    east, north = plane[1:]
    removed = {
        "shift_m": float(plane[0]),
        "tilt_east_m_per_100_m": float(east),
        "tilt_north_m_per_100_m": float(north),
    }
    return np.asarray(left), removed


def spread(errors_m: Array) -> dict[str, Any]:
    """NMAD, RMSE and the shares within 0.25 and 1 m of errors in height."""
    return {
        "nmad_m": nmad(errors_m),
        "rmse_m": rms(errors_m),
        "within_0.25_m": float(np.mean(np.abs(errors_m) < 0.25)),
        "within_1_m": float(np.mean(np.abs(errors_m) < 1.0)),
        "cells": len(errors_m),
    }
