"""A picture and what should be seen from near its pose -> places of its pixels.

Each feature is compared only with those that lie near where the pose puts it, so that no ratio to
the next best is needed; a place beside the edge of a roof is left out, for its height is in doubt.
"""

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Float32Array, IntArray
from aftermap.geo.compiled import compiled
from aftermap.imaging.features import Detection, detect_rootsift
from aftermap.localization.confirm import FramePicture
from aftermap.localization.drape import Draped

FEATURES = 4000
ALIKE = 0.78
"""Least dot product of unit descriptors that are matched."""
STEADY_M = 0.5
"""Range of heights around a pixel up to which its place is certain."""


def matched_near(picture: FramePicture, shown: Draped, near_px: float) -> tuple[Array, Array]:
    """(M, 2) pixels of the picture and (M, 3) places that look alike and lie near each other."""
    known = np.asarray(np.isfinite(shown.xyz_m[..., 2]) * np.uint8(255))
    inside = np.asarray(cv2.erode(known, np.ones((9, 9), np.uint8)), np.uint8)
    found = detect_rootsift(shown.grey, inside, Detection(most=FEATURES))
    xy = found.xy_px
    if not len(xy) or not len(picture.xy_px):
        return np.zeros((0, 2)), np.zeros((0, 3))
    likeness = picture.descriptors @ found.descriptors.T
    best, back = _best_near(likeness, picture.xy_px, xy, near_px * near_px)
    rows = np.flatnonzero(best >= 0)
    rows = rows[back[best[rows]] == rows]
    column, row = np.minimum(xy[best[rows]].astype(int), np.array(known.shape[::-1]) - 1).T
    steady = _steady(shown)[row, column]
    return picture.xy_px[rows][steady], shown.xyz_m[row, column][steady]


def _steady(shown: Draped) -> BoolArray:
    """(H, W) whether the places around a pixel have one height."""
    up = np.nan_to_num(shown.xyz_m[..., 2], nan=-1e6).astype(np.float32)
    box = np.ones((5, 5), np.uint8)
    return np.asarray(cv2.dilate(up, box) - cv2.erode(up, box) < STEADY_M, np.bool_)


@compiled
def _best_near(
    likeness: Float32Array, first: Array, second: Array, near2: float
) -> tuple[IntArray, IntArray]:
    """Per row the most alike column among those near it, -1 for none; per column the same."""
    rows, columns = likeness.shape
    best = np.full(rows, -1, np.int64)
    back = np.full(columns, -1, np.int64)
    top = np.full(columns, ALIKE, np.float32)
    for i in range(rows):
        most = np.float32(ALIKE)
        for j in range(columns):
            value = likeness[i, j]
            if value <= most and value <= top[j]:
                continue
            dx, dy = first[i, 0] - second[j, 0], first[i, 1] - second[j, 1]
            if dx * dx + dy * dy > near2:
                continue
            if value > most:
                most = value
                best[i] = j
            if value > top[j]:
                top[j] = value
                back[j] = i
    return best, back
