"""Whether a map without scale has the shape of the town: upright, its houses in place and raised.

The town is flat and the authors of the labels give each building a longitude and latitude (5
decimals, about a metre; how they were measured is not stated). The similarity that brings the map's
buildings there gives its scale, so that heights can be told in metres.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.crs import WGS84, transformed_xy
from benchmarks.fitting import similarity
from benchmarks.labelled_outlines import Labelled
from benchmarks.surface_truth import SurfaceMap

GROUND_BLOCKS = 40
LOW = 0.05
HIGH = 0.75
HALF = 0.5
ROUNDS = 50
FEWEST_BUILDINGS = 4
RAISED_M = 1.5
"""A building of one storey is higher than this; ground and debris are not."""


def shape_figures(shown: SurfaceMap, truth: Labelled, met_m: Mapping[str, Array]) -> dict[str, Any]:
    """``met_m`` are (N, 3) places where the outlines of each building hit, in the map's units."""
    figures: dict[str, Any] = {"ground_tilt_deg": ground_tilt_deg(shown), "buildings": len(met_m)}
    if len(met_m) < FEWEST_BUILDINGS:
        return figures
    lonlat = np.array([truth.lonlat_deg[building] for building in met_m])
    zone = f"EPSG:{32601 + int((lonlat[0, 0] + 180) // 6)}"
    there = transformed_xy(WGS84, zone, lonlat)
    here = np.array([np.median(places, axis=0)[:2] for places in met_m.values()])
    fit = similarity(here, there)
    off_m = np.linalg.norm(fit.there(here) - there, axis=1)
    raised_m = fit.scale * np.array([_raised(shown, places) for places in met_m.values()])
    return figures | {
        "metres_per_unit": fit.scale,
        "off_median_m": float(np.median(off_m)),
        "off_worst_m": float(off_m.max()),
        "spread_m": float(np.sqrt(((there - there.mean(axis=0)) ** 2).sum(axis=1).mean())),
        "raised_quartiles_m": np.quantile(raised_m, (0.25, 0.5, 0.75)).tolist(),
        "raised_m": dict(zip(met_m, raised_m.tolist(), strict=True)),
    }


def _raised(shown: SurfaceMap, places: Array) -> float:
    """How far most of a building stands above the low ground within its own size around it."""
    middle = np.median(places, axis=0)
    reach = 2 * float(np.quantile(np.linalg.norm(places[:, :2] - middle[:2], axis=1), HIGH))
    surface = shown.surface
    around = np.array([[-reach, reach], [reach, -reach]]) + middle[:2]
    (top, bottom), (left, right), _ = surface.cells_of(around)
    window = np.s_[top : bottom + 1, left : right + 1]
    ground = surface.height_m[window][shown.measured[window]]
    if not len(ground):
        return 0.0
    return float(np.quantile(places[:, 2], HIGH) - np.quantile(ground, LOW))


def ground_tilt_deg(shown: SurfaceMap) -> float:
    """The slope of a plane through the low ground: the town lies within metres of the sea.

    The lowest twentieth of the measured heights of each block; a plane by least absolute residuals.
    """
    heights = np.where(shown.measured, shown.surface.height_m, np.nan)
    step = max(1, max(heights.shape) // GROUND_BLOCKS)
    spots = []
    for row in range(0, heights.shape[0], step):
        for column in range(0, heights.shape[1], step):
            block = heights[row : row + step, column : column + step]
            if np.isfinite(block).mean() > HALF:
                low = float(np.nanquantile(block, LOW))
                spots.append((column + step / 2, row + step / 2, low / shown.surface.cell_m))
    at = np.array(spots).reshape(-1, 3)
    if len(at) < 3:
        return float("nan")
    sides = np.column_stack([at[:, :2], np.ones(len(at))])
    plane: Array = np.zeros(3)
    weight: Array = np.ones(len(at))
    for _ in range(ROUNDS):
        fit = np.linalg.lstsq(sides * weight[:, None], at[:, 2] * weight, rcond=None)[0]
        plane = np.asarray(fit, float)
        off = np.abs(at[:, 2] - sides @ plane)
        weight = np.asarray(1 / np.sqrt(np.maximum(off, 1e-3)), float)
    return float(np.degrees(np.arctan(np.hypot(plane[0], plane[1]))))
