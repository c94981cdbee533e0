"""A roof's cells and planes -> what is missing of it: holes inside it, and losses at its edge.

What lies over ``LOW_M`` below the roof plane next to it is missing. Deep holes are seen by few
pictures, so that half of their area is not measured: a gap beside low cells counts as part of the
hole. Outlines lie a little off and surfaces bleed over walls, so that strips along the outline say
nothing: places narrower than ``NARROW_M`` are dropped, and those at the edge of the outline that
reach less than ``EDGE_REACH_M`` into it.

A hole in a roof that stands and an edge that has fallen are told apart, as scales of damage do. A
storey set back has straight edges; what has fallen is ragged.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from aftermap.assessment.names import NamedValues
from aftermap.assessment.order import quantiles_of
from aftermap.assessment.roof import (
    LOWER_LEVEL_M,
    reference_level_m,
    roof_cells,
    share,
    share_with_sigma,
)
from aftermap.assessment.roof_planes import Planes
from aftermap.assessment.site import BuildingSite, edge_distance_m
from aftermap.geo.arrays import Array, BoolArray, ByteArray

LOW_M = 1.0
"""What lies this far below the roof plane next to it is missing roof and no unevenness."""
BESIDE_M = 1.5
"""A gap as near as this to low cells counts as missing with them."""
NARROW_M = 0.8
EDGE_REACH_M = 1.6
LEAST_LOW, LEAST_LOW_M2 = 0.15, 0.3
"""Share and area of a place that must be measured low; the rest of it may be a gap."""
ENCLOSED = 0.2
"""Share of its border at the outline's edge up to which a place is a hole inside the roof."""
STRAIGHT = 0.92, 0.72
"""Shares of their narrowest box that places with straight and with ragged edges fill."""
NAMES = (
    "low_fraction",
    "deepest_m",
    "raised_fraction",
    "hole_fraction",
    "hole_count",
    "hole_width_m",
    "edge_loss_fraction",
    "ragged_loss_fraction",
)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A connected missing place: area in cells, width in metres, and how ragged it is, 0 to 1."""

    cells: int
    width_m: float
    ragged: float
    is_enclosed: bool


def loss_measures(site: BuildingSite, planes: Planes) -> NamedValues:
    """The measures of what is missing by name, each with one sigma; unknown without a plane."""
    used = site.used
    xyz, _, _ = roof_cells(site)
    deficit = deficits_m(used, xyz, planes)
    if not np.isfinite(deficit).any():
        return dict.fromkeys(NAMES, (math.nan, math.nan))
    low = np.zeros(used.shape, bool)
    low[used] = deficit > LOW_M
    places = _places(site, low)
    total = max(1, int(site.inner.sum()))
    count = site.independent_count(used)
    holes = [one for one in places if one.is_enclosed]
    lost = [one for one in places if not one.is_enclosed]
    ragged = sum(one.cells * one.ragged for one in lost) / total
    return {
        "low_fraction": share(low[used], count),
        "deepest_m": (quantiles_of(deficit, 0.98)[0], 0.3),
        "raised_fraction": share(deficit < -0.5 * LOW_M, count),
        "hole_fraction": share_with_sigma(sum(one.cells for one in holes) / total, count),
        "hole_count": (float(len(holes)), 1.0),
        "hole_width_m": (max((one.width_m for one in holes), default=0.0), 2 * site.grid.cell_m),
        "edge_loss_fraction": share_with_sigma(sum(one.cells for one in lost) / total, count),
        "ragged_loss_fraction": share_with_sigma(ragged, count),
    }


def deficits_m(used: BoolArray, xyz: Array, planes: Planes) -> Array:
    """(N,) how far cells lie below the roof plane next to them; NaN where there is no plane.

    Planes a storey below the roof are no roof: their cells are held against the roof next to them.
    """
    level = reference_level_m(planes)
    roofs = np.flatnonzero(planes.level_m >= level - LOWER_LEVEL_M)
    if not len(roofs):
        return np.full(len(xyz), np.nan)
    of_roof = np.isin(planes.of_cell, roofs)
    seeds = np.ones(used.shape, np.uint8)
    rows, columns = np.nonzero(used)
    seeds[rows[of_roof], columns[of_roof]] = 0
    _, nearest = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    plane_of_label = np.zeros(int(nearest.max()) + 1, np.int64)
    at_seed = nearest[rows[of_roof], columns[of_roof]]
    plane_of_label[at_seed] = planes.of_cell[of_roof]
    plane = plane_of_label[nearest[rows, columns]]
    heights = planes.heights_m(xyz[:, :2])
    return np.asarray(heights[plane, np.arange(len(xyz))] - xyz[:, 2])


def _places(site: BuildingSite, low: BoolArray) -> list[_Place]:
    """The missing places of a roof; ``low`` (rows, columns) are the cells measured below it."""
    cell_m = site.grid.cell_m
    gap = site.inner & ~site.cells.measured
    beside = cv2.dilate(low.astype(np.uint8), _disc(max(1, round(BESIDE_M / cell_m)))) > 0
    missing = (low | (gap & beside)).astype(np.uint8)
    opened = cv2.morphologyEx(missing, cv2.MORPH_OPEN, _disc(max(1, round(NARROW_M / cell_m / 2))))
    total, label, boxes, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    depth = edge_distance_m(site.outline, cell_m)
    found = []
    for k in range(1, total):
        spot = (label == k).astype(np.uint8)
        inside = spot > 0
        cells, measured = int(boxes[k, cv2.CC_STAT_AREA]), int((low & inside).sum())
        if measured < max(LEAST_LOW * cells, LEAST_LOW_M2 / cell_m**2):
            continue
        border = (cv2.dilate(spot, _disc(1)) > 0) & ~inside
        is_enclosed = bool((border & ~site.inner).sum() < ENCLOSED * border.sum())
        if not is_enclosed and float(depth[inside].max()) < EDGE_REACH_M:
            continue
        width = 2 * cv2.distanceTransform(np.pad(spot, 1), cv2.DIST_L2, cv2.DIST_MASK_5).max()
        found.append(
            _Place(
                cells=cells,
                width_m=float(width) * cell_m,
                ragged=_raggedness(spot),
                is_enclosed=is_enclosed,
            )
        )
    return found


def _raggedness(spot: ByteArray) -> float:
    """0 where a place (rows, columns) fills its narrowest box, 1 where that is half empty."""
    edge = max(cv2.findContours(spot, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)
    _, (one, other), _ = cv2.minAreaRect(edge)
    filled = float(spot.sum()) / ((one + 1) * (other + 1))
    return min(max((STRAIGHT[0] - filled) / (STRAIGHT[0] - STRAIGHT[1]), 0.0), 1.0)


def _disc(cells: int) -> ByteArray:
    """A round mask of this radius, (2 n + 1, 2 n + 1)."""
    off = np.arange(-cells, cells + 1)
    return (off[:, None] ** 2 + off[None] ** 2 <= (cells + 0.3) ** 2).astype(np.uint8)
