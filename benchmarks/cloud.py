"""A map against a point cloud that another program made of the same photographs.

Each point is compared with the surface cell it falls in, in the CRS of both. The cloud is no
survey: it shares the photographs' GPS, and its own noise is part of what is found.
"""

from pathlib import Path
from typing import Any

import laspy
import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.robust import nmad
from benchmarks.fitting import spread, without_plane
from benchmarks.products import Products

BOWL_REACH_M = 0.5
"""Errors beyond this do not take part in the fit of a bowl: they are things, not its shape."""


def against_cloud(products: Products, cloud: Path) -> dict[str, Any]:
    """Height, spread and cover.

    ``ground``: medians over the points of the cloud that fall on measured cells, of the points'
    own heights and of the cells' heights, nothing removed. ``spread``: of the errors of height on
    measured cells once a plane is off (no horizontal shift: it would follow a bowl); and with a
    second-degree surface off as well, ``without_bowl_nmad_m``. ``covered`` are shares of points.
    """
    points = _points(cloud, products.crs)
    measured = products.measured_at(points[:, :2])
    height_m = products.surface.at(points[:, :2])
    xy = points[measured, :2]
    left, removed = without_plane(xy, height_m[measured] - points[measured, 2])
    return {
        "ground": {
            "median_m": float(np.median(height_m[measured])),
            "cloud_median_m": float(np.median(points[measured, 2])),
            "cloud_median_of_all_m": float(np.median(points[:, 2])),
        },
        "removed": removed,
        "spread": spread(left),
        "without_bowl_nmad_m": nmad(_without_bowl(xy, left)),
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


def _without_bowl(xy_m: Array, errors_m: Array) -> Array:
    away = (xy_m - xy_m.mean(0)) / 100.0
    design = np.column_stack([np.ones(len(away)), away, away**2, away[:, 0] * away[:, 1]])
    used = np.abs(errors_m) < BOWL_REACH_M
    return np.asarray(
        errors_m - design @ np.linalg.lstsq(design[used], errors_m[used], rcond=None)[0]
    )
