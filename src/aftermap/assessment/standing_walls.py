"""The edge of a building -> how much of its walls stands, whether or not there is a roof."""

import cv2
import numpy as np

from aftermap.assessment.names import NamedValues
from aftermap.assessment.roof import share
from aftermap.assessment.site import BuildingSite, edge_distance_m

BAND_M = 0.8
"""Walls are looked for so far on both sides of the outline."""
STANDING_M = 2.2
"""Higher above the ground than a heap at its edge, and lower than the walls of one storey."""
LEAST_CELLS = 12


def wall_measures(site: BuildingSite) -> NamedValues:
    """The share of the outline at which something higher than ``STANDING_M`` stands."""
    cell_m = site.grid.cell_m
    inside = edge_distance_m(site.outline, cell_m)
    band = np.where(site.outline, inside, site.outside_m) < BAND_M
    band &= ~site.neighbours
    edge = site.outline & (inside <= 1.5 * cell_m)
    side = 2 * round(BAND_M / cell_m) + 1
    near = np.ones((side, side), np.uint8)
    seen = cv2.dilate((band & site.cells.measured).astype(np.uint8), near) > 0
    with np.errstate(invalid="ignore"):
        high = band & (site.cells.height_m - site.ground_m > STANDING_M)
    stands = cv2.dilate(high.astype(np.uint8), near) > 0
    known = edge & seen
    if known.sum() < LEAST_CELLS:
        return {"walls_fraction": (float("nan"), float("nan"))}
    return {"walls_fraction": share(stands[known], max(1.0, float(known.sum()) * cell_m))}
