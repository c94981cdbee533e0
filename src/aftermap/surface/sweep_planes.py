"""The planes that are swept through the scene of one view, even in inverse distance.

A plane is all points at one distance D from the projection centre along a direction: straight down
for a steep view, so that roofs and streets lie in planes; the view's own axis for a slanting one,
since level planes run into its horizon. With w = 1 / D the homography from the view to a source
is A + w B (the plane-induced homography of Hartley and Zisserman 2004, section 13.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.surface.undistorted import PinholeView

STEEP_DOWN_SINE = 0.64
"""Views that look down by 40 degrees or more have level planes."""
FARTHEST_PARALLAX_PX = 20.0
"""Where the parallax against infinity is less, half a pixel moves a place by over a fortieth of
its distance: nothing is measured there."""
PERCENT_OF_TIE_POINTS = (1.0, 99.0)
ROOM_BELOW, ROOM_ABOVE = 0.08, 0.15
"""Tie points miss cellars and chimneys: how far to search beyond them, of the distance."""
MOST_PLANES = 2000
PARALLAX_PERCENT = 70.0


@dataclass(frozen=True, kw_only=True)
class PlaneSweep:
    """Planes k = 0 to ``count`` - 1 at w = ``first`` + k * ``step`` along ``direction``.

    ``direction`` (3,) is a unit vector of the world. One step moves a pixel by about one pixel in
    a middling source.
    """

    direction: Array
    first: float
    step: float
    count: int


def is_steep(view: PinholeView) -> bool:
    """Whether a view looks down steeply enough for level planes."""
    return bool(-view.rotation[2, 2] >= STEEP_DOWN_SINE)


def sweep_of(
    view: PinholeView, sources: Sequence[PinholeView], points_m: Array
) -> PlaneSweep | None:
    """The planes for a view that sees (N, 3) tie points; None where they show no usable depth."""
    direction = np.array([0.0, 0.0, -1.0]) if is_steep(view) else view.rotation[2]
    distance = (points_m - view.centre_m) @ direction
    distance = distance[distance > 0]
    if len(distance) < 2:
        return None
    near, far = np.percentile(distance, PERCENT_OF_TIE_POINTS)
    step = 1 / _parallax_px(view, sources, direction, points_m)
    low = max(1 / (far * (1 + ROOM_BELOW)), FARTHEST_PARALLAX_PX * step)
    high = 1 / (near * (1 - ROOM_ABOVE))
    count = int(np.ceil((high - low) / step)) + 1
    if not count >= 3:
        return None
    return PlaneSweep(direction=direction, first=low, step=step, count=min(count, MOST_PLANES))


def warps_of(view: PinholeView, sources: Sequence[PinholeView], direction: Array) -> Array:
    """(S, 2, 3, 3) matrices A and B: a pixel (corner-origin) of the view to pixels of a source."""
    along = view.rotation @ direction
    out_of = np.linalg.inv(view.calibration)
    warps = np.empty((len(sources), 2, 3, 3))
    for number, source in enumerate(sources):
        turn = source.rotation @ view.rotation.T
        shift = source.rotation @ (view.centre_m - source.centre_m)
        warps[number, 0] = source.calibration @ turn @ out_of
        warps[number, 1] = source.calibration @ np.outer(shift, along) @ out_of
    return warps


def _parallax_px(
    view: PinholeView, sources: Sequence[PinholeView], direction: Array, points_m: Array
) -> float:
    """Pixels that a change of w by one moves a tie point of the view by, in a middling source."""
    some = points_m[:: max(1, len(points_m) // 400)]
    away = some - view.centre_m
    distance = np.maximum(away @ direction, 1e-9)
    moved = np.zeros((len(sources), len(some)))
    for number, source in enumerate(sources):
        seen = (some - source.centre_m) @ source.rotation.T
        # The point slides along its ray: d point / d w = -away * distance.
        slide = (-away * distance[:, None]) @ source.rotation.T
        depth = np.maximum(seen[:, 2], 1e-9)
        focal = source.intrinsics[0]
        across = focal * (slide[:, 0] - seen[:, 0] / depth * slide[:, 2]) / depth
        down = focal * (slide[:, 1] - seen[:, 1] / depth * slide[:, 2]) / depth
        in_front = seen[:, 2] > 1e-6
        moved[number] = np.where(in_front, np.hypot(across, down), 0)
    middling = np.median(moved, axis=0)
    middling = middling[middling > 0]
    return float(np.percentile(middling, PARALLAX_PERCENT)) if len(middling) else 1.0
