"""Errors of a surface against the truth, of the cells that are seen and of those called measured.

(a) Of the cells that two pictures see by truth, a cell without a height counts as off.
(b) Of the cells that the map calls measured (confidence 2 or more); ``share`` is how many of the
cells that two pictures see are called measured.

A plane is taken off all heights at once, fitted robustly to the measured ones. Metres.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.robust import nmad
from benchmarks.fitting import rms, without_plane
from benchmarks.surface_truth import MEASURED, STEREO, SurfaceMap, SurfaceTruth

NEAR_M, GROSS_M = 0.25, 1.0
NEAR_WALL_M = 0.75
VIEWS = ((2, 2), (3, 3), (4, 5), (6, 9), (10, 65535))
"""Counts of views by which the stated sigma is judged, first and last."""
ANGLES_DEG = ((0, 15), (15, 30), (30, 45), (45, 90))
"""Angles off vertical of the steepest true view, the same."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """(N,) sampled true cells on the map: error of height (NaN without one), views and sigma."""

    errors_m: Array
    views: IntArray
    sigma_m: Array
    seen: BoolArray
    steepest_deg: Array
    wall_m: Array
    plane: dict[str, float]

    @property
    def measured(self) -> BoolArray:
        """Cells with a height that the map calls measured."""
        return (self.views >= MEASURED) & np.isfinite(self.errors_m)


def compared(shown: SurfaceMap, truth: SurfaceTruth) -> Compared:
    """Every sampled true cell beside the cell of the map that it falls in."""
    there = truth.there.there(truth.places_m)
    row, column, inside = shown.surface.cells_of(there[:, :2])
    views = np.where(inside, shown.confidence[row, column], 0).astype(np.int64)
    errors_m = shown.surface.at(there[:, :2]) - there[:, 2]
    fitted = np.isfinite(errors_m) & (views >= MEASURED)
    if fitted.sum() < 3:
        raise SystemExit("the map calls no cell measured that the truth knows")
    plane = without_plane(there[fitted, :2], errors_m[fitted])[1]
    away = (there[:, :2] - there[fitted, :2].mean(0)) / 100.0
    errors_m -= plane["shift_m"] + away @ [
        plane["tilt_east_m_per_100_m"],
        plane["tilt_north_m_per_100_m"],
    ]
    sigma_m = np.full(len(there), np.nan)
    if shown.sigma_m is not None:
        sigma_m = np.where(inside, shown.sigma_m[row, column], np.nan)
    return Compared(
        errors_m=errors_m / truth.there.scale,
        views=views,
        sigma_m=sigma_m / truth.there.scale,
        seen=truth.seeing >= STEREO,
        steepest_deg=truth.steepest_deg,
        wall_m=truth.wall_m,
        plane=plane,
    )


def error_figures(cells: Compared) -> dict[str, Any]:
    """Both measures, the whole outline, and how well the stated sigma holds."""
    seen, measured = cells.seen, cells.measured
    figures = {
        "seen_by_two": _of(cells.errors_m[seen]),
        "called_measured": _of(cells.errors_m[measured])
        | {
            "share": float(measured[seen].mean()),
            "seen_by_fewer": float((~seen)[measured].mean()),
        },
        "outline": _of(cells.errors_m) | {"seen_by_two": float(seen.mean())},
        "by_views": {
            _named(first, last): _of(
                cells.errors_m[measured & (cells.views >= first) & (cells.views <= last)]
            )
            for first, last in VIEWS
        },
        "by_walls": wall_figures(cells),
        "plane": cells.plane,
    }
    if np.isfinite(cells.sigma_m).any():
        figures["sigma"] = sigma_figures(cells)
    return figures


def wall_figures(cells: Compared) -> dict[str, Any]:
    """Measured cells near to true walls and away from them, and where the gross errors are."""
    near = cells.wall_m < NEAR_WALL_M
    off = cells.measured & (np.abs(cells.errors_m) >= GROSS_M)
    return {
        "near": _of(cells.errors_m[cells.measured & near]),
        "away": _of(cells.errors_m[cells.measured & ~near]),
        "off_that_are_near": float(near[off].mean()) if off.any() else None,
        "off_that_are_too_high": float((cells.errors_m[off] > 0).mean()) if off.any() else None,
        "off_that_two_see": float(cells.seen[off].mean()) if off.any() else None,
    }


def _of(errors_m: Array) -> dict[str, Any]:
    """Shares are of all cells; NMAD and RMSE of those with a height."""
    known = errors_m[np.isfinite(errors_m)]
    if not len(known):
        return {"cells": len(errors_m), "without_height": 1.0}
    off = np.abs(known)
    return {
        "within_0.25_m": float((off < NEAR_M).sum() / len(errors_m)),
        "within_1_m": float((off < GROSS_M).sum() / len(errors_m)),
        "off_by_over_1_m": float((off >= GROSS_M).mean()),
        "nmad_m": nmad(known),
        "rmse_m": rms(known),
        "without_height": 1 - len(known) / len(errors_m),
        "cells": len(errors_m),
    }


def sigma_figures(cells: Compared) -> dict[str, Any]:
    """Share of measured cells inside one and two stated sigma: all, by views, by angle."""
    known = cells.measured & np.isfinite(cells.sigma_m)
    by_views = {
        _named(first, last): _inside(cells, known & (cells.views >= first) & (cells.views <= last))
        for first, last in VIEWS
    }
    by_angle = {
        f"{first}-{last}_deg": _inside(
            cells, known & (cells.steepest_deg >= first) & (cells.steepest_deg < last)
        )
        for first, last in ANGLES_DEG
    }
    return {
        "stated": float(known.sum() / max(cells.measured.sum(), 1)),
        "all": _inside(cells, known),
        "by_views": by_views,
        "by_angle": by_angle,
    }


def _inside(cells: Compared, some: BoolArray) -> dict[str, Any]:
    if not some.any():
        return {"cells": 0}
    ratio = np.abs(cells.errors_m[some]) / cells.sigma_m[some]
    return {
        "inside_1_sigma": float((ratio <= 1).mean()),
        "inside_2_sigma": float((ratio <= 2).mean()),
        "median_sigma_m": float(np.median(cells.sigma_m[some])),
        "cells": int(some.sum()),
    }


def _named(first: int, last: int) -> str:
    if last > 1000:
        return f"{first}_or_more"
    return f"{first}" if first == last else f"{first}-{last}"
