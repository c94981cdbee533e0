"""A map against a point cloud that another program made of the same photographs.

Each point is compared with the surface cell it falls in, in the CRS of both. The cloud is no
survey: it shares the photographs' GPS, and its own noise is part of what is found.
"""

from pathlib import Path
from typing import Any

import laspy
import numpy as np
import numpy.typing as npt

from benchmarks.fitting import nmad, spread, without_plane
from benchmarks.products import Products

Array = npt.NDArray[np.float64]

COARSE_STEPS_M = np.arange(-3.0, 3.01, 0.5)
FINE_STEPS_M = (np.arange(-0.4, 0.41, 0.1), np.arange(-0.08, 0.081, 0.02))
EVERY = 31
"""Of the points, so many are passed over while the horizontal shift is looked for."""


def against_cloud(products: Products, cloud: Path) -> dict[str, Any]:
    """Height, spread and cover. ``spread`` is after shift (east, north, up) and tilt are off.

    ``ground``: medians over the points of the cloud that fall on measured cells, of the points'
    own heights and of the cells' heights, nothing removed. ``covered`` are shares of the points.
    """
    points = _points(cloud, products.crs)
    measured = products.measured_at(points[:, :2])
    height_m = products.surface.at(points[:, :2])
    shift_m = _horizontal_shift_m(products, points)
    shifted, removed = _left(products, points, shift_m)
    unshifted, _ = _left(products, points, np.zeros(2))
    return {
        "ground": {
            "median_m": float(np.median(height_m[measured])),
            "cloud_median_m": float(np.median(points[measured, 2])),
            "cloud_median_of_all_m": float(np.median(points[:, 2])),
        },
        "removed": {"east_m": shift_m[0], "north_m": shift_m[1]} | removed,
        "spread": spread(shifted),
        "spread_without_horizontal_shift": spread(unshifted),
        "covered_measured": float(measured.mean()),
        "covered_measured_or_filled": float(np.isfinite(height_m).mean()),
        "points": len(points),
    }


def _points(cloud: Path, crs: str) -> Array:
    """(N, 3) east, north, height."""
    read = laspy.read(cloud)
    theirs = read.header.parse_crs()
    if theirs is None or theirs.to_epsg() != int(crs.removeprefix("EPSG:")):
        raise SystemExit(f"{cloud} is in {theirs}, the map in {crs}; they must be the same")
    return np.column_stack([read.x, read.y, read.z])


def _left(products: Products, points: Array, shift_m: Array) -> tuple[Array, dict[str, float]]:
    """Cell minus point of the points on measured cells, without plane; what was taken off."""
    xy = points[:, :2] + shift_m
    on = products.measured_at(xy)
    return without_plane(points[on, :2], products.surface.at(xy[on]) - points[on, 2])


def _horizontal_shift_m(products: Products, points: Array) -> Array:
    """(2,) east, north from cloud to map at which the NMAD is smallest, to 2 cm."""
    some = points[::EVERY]

    def nmad_at(shift: Array) -> float:
        return nmad(_left(products, some, shift)[0])

    best = np.zeros(2)
    for steps in (COARSE_STEPS_M, *FINE_STEPS_M):
        tried = [best + np.array([east, north]) for east in steps for north in steps]
        best = min(tried, key=nmad_at)
    return best
