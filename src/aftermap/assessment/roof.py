"""A building's cells -> its roof: height, planes, and roughness.

Heights are above the ground around the building. Only measured cells inside the outline off its rim
are counted; what was filled in is no evidence.
"""

import math

import numpy as np

from aftermap.assessment.names import NamedValues
from aftermap.assessment.order import middle_of, quantiles_of
from aftermap.assessment.roof_planes import Planes, planes_through
from aftermap.assessment.site import BuildingSite, places_of
from aftermap.geo.arrays import Array, BoolArray
from aftermap.geo.robust import SIGMA_PER_MAD

LOWER_LEVEL_M = 1.6
ROUGH_M = 0.2
FALLEN_M = 2.6
"""Whole roofs are higher. In larger buildings a heap is what lies below 0.4 of the roof."""
FALLEN_FRACTION = 0.4
BARE_M = 0.7
"""Whole to look at and lower than this above the ground: ground and no part of a building."""
SLOPE_BINS = (0.18, 0.47, 1.0, 2.1)
"""Rise over run of 10, 25, 45 and 65 degrees."""
AZIMUTHS = 8


def planes_of_roof(site: BuildingSite, seed: int) -> Planes:
    """The planes through the used cells of a site, which are counted from its window's middle."""
    xyz, slopes, rough = roof_cells(site)
    return planes_through(xyz, slopes, rough, site.cell_area_m2, seed)


def roof_measures(site: BuildingSite, planes: Planes) -> NamedValues:
    """The measures of a roof by name, each with one sigma; ``planes`` are ``planes_of_roof``."""
    used = site.used
    xyz, slopes, rough = roof_cells(site)
    above = xyz[:, 2] - site.ground_m
    count = site.independent_count(used)
    return (
        _heights(site, above, planes, count)
        | _planarity(xyz, planes, count)
        | _unevenness(slopes, rough, count)
    )


def cells_on_roof(site: BuildingSite, planes: Planes) -> BoolArray:
    """(rows, columns) of the site's window: used cells of planes at the height of the roof."""
    roofs = planes.level_m >= reference_level_m(planes) - LOWER_LEVEL_M
    on_roof = np.zeros(site.used.shape, bool)
    on_roof[site.used] = np.append(roofs, False)[planes.of_cell]
    return on_roof


def roof_cells(site: BuildingSite) -> tuple[Array, Array, Array]:
    """(N, 3) places of the used cells, (N, 2) slopes and (N,) roughness; 9 where not known."""
    xyz, slopes = places_of(site, site.used)
    rough = site.cells.rough_m[site.used].astype(float)
    return xyz, np.nan_to_num(slopes, nan=9.0), np.nan_to_num(rough, nan=9.0)


def whole_measures(
    site: BuildingSite, on_roof: BoolArray, broken: BoolArray, roof_height_m: float
) -> NamedValues:
    """Which share of the roof is there and looks whole, looks broken, has fallen and looks broken.

    ``broken`` is (rows, columns) the cells of the site that a picture shows broken.
    """
    used = site.used
    count = site.independent_count(used)
    above = site.cells.height_m - site.ground_m
    fallen = max(FALLEN_M, FALLEN_FRACTION * roof_height_m)
    return {
        "whole_fraction": share((on_roof & ~broken)[used], count),
        "broken_fraction": share(broken[used], count),
        "fallen_fraction": share((broken & (above < fallen))[used], count),
        "bare_fraction": share((~broken & (above < BARE_M))[used], count),
    }


def share(mask: BoolArray, count: float) -> tuple[float, float]:
    """Share of True in a mask of any shape (...), and one sigma of it.

    ``count`` cells of it are independent (Agresti-Coull).
    """
    return share_with_sigma(float(mask.mean()) if len(mask) else math.nan, count)


def share_with_sigma(value: float, count: float) -> tuple[float, float]:
    """A share and one sigma of it, of ``count`` independent observations (Agresti-Coull)."""
    middle = (value * count + 2) / (count + 4)
    return value, math.sqrt(middle * (1 - middle) / (count + 4))


def reference_level_m(planes: Planes) -> float:
    """Height of the roof: the highest of the planes that are at least half as large as the largest.

    Stair heads and dormers are smaller and do not count. NaN where there is no plane.
    """
    if not len(planes.level_m):
        return math.nan
    large = planes.area_m2 >= 0.5 * planes.area_m2[0]
    return float(planes.level_m[large].max())


def _heights(site: BuildingSite, above: Array, planes: Planes, count: float) -> NamedValues:
    middle, top = quantiles_of(above, 0.5, 0.95)
    spread = SIGMA_PER_MAD * middle_of(np.abs(above - middle))
    sigma = math.hypot(site.ground_sigma_m, 1.25 * spread / math.sqrt(count))
    level = reference_level_m(planes) - site.ground_m
    roof = level if math.isfinite(level) else float(top)
    roof = max(roof, 0.5 * float(top))
    half = share(above < 0.5 * roof, count)
    return {
        "height_m": (float(middle), sigma),
        "roof_height_m": (roof, site.ground_sigma_m),
        "below_half_fraction": half,
        "height_spread_fraction": (spread / max(roof, 1.0), spread / max(roof, 1.0) / count**0.5),
    }


def _planarity(xyz: Array, planes: Planes, count: float) -> NamedValues:
    planar = planes.of_cell >= 0
    total = max(1, len(xyz))
    largest = float((planes.of_cell == 0).sum()) / total
    level = reference_level_m(planes)
    per_plane = planes.level_m[planes.of_cell] if len(planes.level_m) else np.zeros(total)
    if len(planes.level_m):
        lower = planar & (per_plane < level - LOWER_LEVEL_M) & (xyz[:, 2] < level - LOWER_LEVEL_M)
        standing = planar & (per_plane >= level - LOWER_LEVEL_M)
    else:
        lower = standing = np.zeros(total, bool)
    residual = planes.residual_m
    return {
        "plane_residual_m": (residual, residual / math.sqrt(2 * count)),
        "plane_count": (float(len(planes.level_m)), 1.0),
        "plane_fraction": share(planar, count),
        "largest_plane_fraction": (largest, share(planes.of_cell == 0, count)[1]),
        "lower_plane_fraction": share(lower, count),
        "standing_fraction": share(standing, count),
    }


def _unevenness(slopes: Array, rough: Array, count: float) -> NamedValues:
    ok = rough < 9
    if not ok.any():
        nothing = (math.nan, math.nan)
        return dict.fromkeys(("roughness_m", "rough_fraction", "normal_entropy"), nothing)
    middle = middle_of(rough[ok])
    spread = SIGMA_PER_MAD * middle_of(np.abs(rough[ok] - middle))
    return {
        "roughness_m": (middle, 1.25 * spread / math.sqrt(count)),
        "rough_fraction": share(rough[ok] > ROUGH_M, count),
        "normal_entropy": (normal_entropy(slopes[ok]), 0.5 / math.sqrt(count)),
    }


def normal_entropy(slopes: Array) -> float:
    """Entropy of the directions in which cells face, 0 (all one way) to 1 (all ways alike).

    ``slopes`` are (N, 2): east and north, a number without unit.
    """
    rise = np.hypot(slopes[:, 0], slopes[:, 1])
    steep = np.searchsorted(SLOPE_BINS, rise)
    turn = np.floor((np.arctan2(slopes[:, 1], slopes[:, 0]) / (2 * np.pi) + 0.5) * AZIMUTHS)
    kind = np.where(steep == 0, 0, 1 + (steep - 1) * AZIMUTHS + turn.astype(int) % AZIMUTHS)
    size = 1 + len(SLOPE_BINS) * AZIMUTHS
    p = np.bincount(kind, minlength=size) / len(kind)
    return float(-(p[p > 0] * np.log(p[p > 0])).sum() / math.log(size))
