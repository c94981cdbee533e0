"""The ground around a building -> the rubble apron: raised, uneven ground outside the outline."""

import math

import cv2
import numpy as np

from aftermap.assessment.names import NamedValues
from aftermap.assessment.order import middle_of
from aftermap.assessment.roof import share
from aftermap.assessment.site import BuildingSite
from aftermap.geo.arrays import BoolArray
from aftermap.geo.grid import cell_centres_m

NEAR_M, FAR_M = 1.0, 5.0
LOWEST_M, HIGHEST_M = 0.35, 4.0
UNEVEN_M = 0.07
SIDE_FRACTION = 0.35
SIDE_M2 = 4.0


def apron_measures(site: BuildingSite) -> NamedValues:
    """How much of the free ground within 1 to 5 m is heaped, and on how many of the four sides.

    Cars and walls are raised, too, but they are smooth or small; a heap is raised and uneven.
    """
    near = (site.outside_m > NEAR_M) & (site.outside_m < FAR_M) & site.cells.measured
    near &= cv2.dilate(site.neighbours.astype(np.uint8), np.ones((3, 3))) == 0
    above = site.cells.height_m - site.ground_m
    with np.errstate(invalid="ignore"):
        heaped = near & (above > LOWEST_M) & (above < HIGHEST_M) & (site.cells.rough_m > UNEVEN_M)
    count = site.independent_count(near)
    if near.sum() * site.cell_area_m2 < SIDE_M2 or not math.isfinite(site.ground_m):
        nothing = (math.nan, math.nan)
        return dict.fromkeys(("apron_fraction", "apron_height_m", "apron_sides"), nothing)
    height = middle_of(above[heaped]) if heaped.any() else 0.0
    return {
        "apron_fraction": share(heaped[near], count),
        "apron_height_m": (height, site.ground_sigma_m),
        "apron_sides": (float(_sides(site, near, heaped)), 0.5),
    }


def _sides(site: BuildingSite, near: BoolArray, heaped: BoolArray) -> int:
    """On how many of the sides north, east, south and west a third of the ground is heaped."""
    east, north = cell_centres_m(site.grid)
    across, down = site.outline.any(0), site.outline.any(1)
    weight = site.outline.sum(0), site.outline.sum(1)
    total = weight[0].sum()
    x = (east - (east @ weight[0]) / total) / max(np.ptp(east[across]), 1.0)
    y = (north - (north @ weight[1]) / total) / max(np.ptp(north[down]), 1.0)
    rows, columns = np.nonzero(near)
    x, y, fallen = x[columns], y[rows], heaped[rows, columns]
    side = np.where(np.abs(x) > np.abs(y), np.where(x > 0, 1, 3), np.where(y > 0, 0, 2))
    free = np.bincount(side, minlength=4)
    full = np.bincount(side, weights=fallen, minlength=4)
    enough = free * site.cell_area_m2 >= SIDE_M2
    return int((enough & (full > SIDE_FRACTION * free)).sum())
