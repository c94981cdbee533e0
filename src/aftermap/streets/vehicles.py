"""Heights above a street -> what on it is a vehicle, which can be driven or towed off.

Two looks, as either alone misses some: a thing that is as high and narrow as a vehicle and steep on
its free sides; and, at several heights, one that low ground lies all round, which tells two lorries
side by side from a heap. Arrays are (rows along, columns across); heights in metres.
"""

from typing import Any

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, ByteArray
from aftermap.streets.pieces import ACROSS_M, STEP_M

BODY_M = 0.6
"""Vehicles are sought above this height."""
LEVELS_M = (2.4, 1.8, 1.3, 0.9, 0.6)
"""Cuts at which they are sought with low ground about them."""
STEP_UP_M, STEEP_RIM = 0.4, 0.55
"""A side is steep if it rises so much in half a metre; so much of a vehicle's rim is."""
TOPS_M, WIDEST_HALF_M = (0.95, 3.4), 1.5
"""How high vehicles are, with the surface's noise, and the half of how wide."""
AREAS_M2, LORRY_M2 = (3.0, 45.0), 25.0
"""Of one or several in a row; of the largest single one."""
LEAST_M2 = 2.0
"""Of a body or cabin that is cut out at some height."""
RING_M, DROP_M = 0.4, 0.6
"""The ring that is looked at about one, and how far from it low ground may lie."""
LOW_M, LOW_RING = 0.5, 0.65
"""Ground lower than this (or four tenths of the top) lies near so much of the ring."""
STEEP_RING = 0.5
"""So much of the ring is steep: a heap that is as high rises more gently."""
OPEN_RING = 0.4
"""So much of the ring at least touches no other vehicle."""
CAR_M2 = 8.5
SPECK_CELLS = 3
"""Narrower than this is noise of the surface."""


def vehicles_on(
    above: Array, known: BoolArray, built: BoolArray, own: BoolArray
) -> tuple[BoolArray, int]:
    """(rows, columns) mask of cells of vehicles, and how many stand on the rows ``own``.

    ``above`` is metres above the street; ``known`` is ground that was measured, outside walls
    and
    leaves.
    """
    steep = steep_in(above)
    found = _with_low_ground_about(above, known, steep)
    tall = without_specks(known & (above > BODY_M))
    beside = beside_of(built, 0.2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(tall.astype(np.uint8))
    for label in range(1, count):
        where = labels == label
        fits = AREAS_M2[0] <= _area_m2(stats, label) <= AREAS_M2[1]
        if fits and _is_steep_sided(where, above, steep, beside):
            found |= where
    count, _, stats, centres = cv2.connectedComponentsWithStats(found.astype(np.uint8))
    standing = 0
    for label in range(1, count):
        near = own[min(int(centres[label][1]), len(own) - 1)]
        standing += int(near) * max(1, round(_area_m2(stats, label) / CAR_M2))
    return found, standing


def without_specks(mask: BoolArray) -> BoolArray:
    """(rows, columns) mask without what is no wider than noise."""
    kernel = np.ones((max(2, SPECK_CELLS // 2), SPECK_CELLS), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel), bool)


def beside_of(mask: BoolArray, reach_m: float) -> BoolArray:
    """(rows, columns) mask: cells of a mask and within ``reach_m`` of it."""
    return cv2.dilate(mask.astype(np.uint8), _kernel(reach_m)) > 0


def steep_in(above: Array) -> BoolArray:
    """(rows, columns) mask where the surface rises over ``STEP_UP_M`` within half a metre."""
    level = np.nan_to_num(above).astype(np.float32)
    kernel = np.ones((3, 5), np.uint8)
    return np.asarray(cv2.dilate(level, kernel) - cv2.erode(level, kernel) > STEP_UP_M, bool)


def _with_low_ground_about(above: Array, known: BoolArray, steep: BoolArray) -> BoolArray:
    """What stands out of low ground at some height. Beyond the street nothing is low."""
    edge = ((0, 0), (6, 6))
    level = np.pad(np.where(known, above, 9.0), edge, constant_values=9.0)
    near = cv2.erode(level.astype(np.float32), _kernel(DROP_M))
    sound, sheer = np.pad(known, edge), np.pad(steep, edge)
    found = np.zeros(sound.shape, bool)
    for cut_m in LEVELS_M:
        tall = without_specks(sound & (level > cut_m))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(tall.astype(np.uint8))
        for label in range(1, count):
            if not LEAST_M2 <= _area_m2(stats, label) <= LORRY_M2:
                continue
            x, y, w, h = stats[label, :4]
            part = np.s_[max(y - 8, 0) : y + h + 8, max(x - 8, 0) : x + w + 8]
            where = labels[part] == label
            if _is_ringed(where, level[part], near[part], sheer[part], found[part]):
                found[part] |= where
    return found[:, 6:-6]


def _is_ringed(
    where: BoolArray, level: Array, near: Any, sheer: BoolArray, found: BoolArray
) -> bool:
    top = float(np.quantile(level[where], 0.8))
    if not TOPS_M[0] <= top <= TOPS_M[1] or _half_width_m(where) > WIDEST_HALF_M:
        return False
    whole = beside_of(where, RING_M) & ~where
    ring = whole & ~found
    if not ring.any() or ring.sum() < OPEN_RING * whole.sum():
        return False
    if sheer[ring].mean() < STEEP_RING:
        return False
    return float((near[ring] < min(LOW_M, 0.4 * top)).mean()) >= LOW_RING


def _is_steep_sided(where: BoolArray, above: Array, steep: BoolArray, beside: BoolArray) -> bool:
    inner = cv2.erode(where.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rim = where & ~inner
    free_rim = rim & ~beside
    if not inner.any() or free_rim.sum() < 0.5 * rim.sum():
        return False
    top = float(np.quantile(above[where], 0.8))
    if not TOPS_M[0] <= top <= TOPS_M[1] or _half_width_m(where) > WIDEST_HALF_M:
        return False
    return float(steep[free_rim].mean()) > STEEP_RIM


def _area_m2(stats: Any, label: int) -> float:
    return float(stats[label, cv2.CC_STAT_AREA]) * STEP_M * ACROSS_M


def _half_width_m(where: BoolArray) -> float:
    """Of the largest circle that lies inside."""
    square = np.pad(where.repeat(round(STEP_M / ACROSS_M), 0), 1).astype(np.uint8)
    return float(cv2.distanceTransform(square, cv2.DIST_L2, 5).max() * ACROSS_M)


def _kernel(reach_m: float) -> ByteArray:
    return np.ones((2 * round(reach_m / STEP_M) + 1, 2 * round(reach_m / ACROSS_M) + 1), np.uint8)
