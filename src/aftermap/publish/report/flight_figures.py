"""How high the photographs were taken, how far apart, and over which ground.

The drone records its height above where it took off; the map knows its height above the ground
below. Over level ground the two agree, and a wrong focal length shows as a constant factor.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial import cKDTree

from aftermap.geo.robust import nmad
from aftermap.model.camera import PlacedFrame
from aftermap.publish.report.contents import FlyingHeight
from aftermap.publish.shared.overview import Surface, heights_within

GROUND_PERCENTILE = 25
"""Below the camera there may be a roof; the lower quarter of the heights there is street."""

GROUND_RADIUS_PER_HEIGHT = 0.2
LEAST_RECORDED_M = 5.0
"""Below this a recorded height says more about the barometer than about the flight."""

NEIGHBOURS = 4


def above_ground_m(placed: Sequence[PlacedFrame], surface: Surface) -> dict[str, float]:
    """Height above the ground below of every photograph that is over the map, by SHA-256."""
    heights: dict[str, float] = {}
    for frame in placed:
        east, north, up = frame.pose.position_m
        radius = GROUND_RADIUS_PER_HEIGHT * max(up - sum(frame.ground_m) / 2, 0.0)
        ground = heights_within(surface, (east, north), radius)
        if len(ground):
            heights[frame.frame.sha256] = up - float(np.percentile(ground, GROUND_PERCENTILE))
    return heights


def flying_height(placed: Sequence[PlacedFrame], above_m: Mapping[str, float]) -> FlyingHeight:
    """Medians of both heights and of their difference, over the photographs that have both."""
    pairs = np.array(
        [
            (above_m[frame.frame.sha256], recorded)
            for frame in placed
            if frame.frame.sha256 in above_m
            and (recorded := frame.frame.relative_height_m) is not None
            and recorded >= LEAST_RECORDED_M
        ],
        float,
    ).reshape(-1, 2)
    known = float(np.median(list(above_m.values()))) if above_m else None
    if not len(pairs):
        return FlyingHeight(
            count=0,
            above_ground_m=known,
            recorded_m=None,
            difference_m=None,
            difference_spread_m=None,
            difference_fraction=None,
            not_known="the images record no height of 5 m or more above take-off",
        )
    difference = pairs[:, 0] - pairs[:, 1]
    middle = float(np.median(difference))
    return FlyingHeight(
        count=len(pairs),
        above_ground_m=known,
        recorded_m=float(np.median(pairs[:, 1])),
        difference_m=middle,
        difference_spread_m=nmad(difference, about=middle),
        difference_fraction=float(np.median(difference / pairs[:, 1])),
        not_known=None,
    )


def height_to_base(placed: Sequence[PlacedFrame]) -> float | None:
    """Median distance to the ground over distance to the four nearest photographs.

    It is the factor by which an error across a picture becomes an error in height.
    """
    if len(placed) < 2:
        return None
    positions = np.array([frame.pose.position_m for frame in placed], float)
    ground = np.array([sum(frame.ground_m) / 2 for frame in placed])
    wanted = min(NEIGHBOURS, len(placed) - 1)
    distances, _ = cKDTree(positions).query(positions, k=wanted + 1)
    base = distances[:, 1:].mean(axis=1)
    height = positions[:, 2] - ground
    usable = (base > 0) & (height > 0)
    return float(np.median(height[usable] / base[usable])) if usable.any() else None
