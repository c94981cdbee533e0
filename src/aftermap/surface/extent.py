"""How large a pixel is on the ground, and which box of ground the photographs show."""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.footprint import footprint_m
from aftermap.model.camera import PlacedFrame, Reconstruction

FLATTEST_OFF_NADIR_DEG = 80.0


def median_ground_sample_m(reconstruction: Reconstruction, frames: Sequence[PlacedFrame]) -> float:
    """Median size on the ground of a pixel in the middle of one of the ``frames``, in metres.

    A slanting look makes a pixel longer than wide: the size is that of a square of the same area.
    The ground is taken a fifth of the way up from the lowest tie points: the rest are roofs.
    """
    sizes = []
    for placed in frames:
        focal = reconstruction.cameras[placed.camera].focal_px
        down = max(-placed.pose.rotation_cam_from_world[2][2], 0.2)
        low, high = placed.ground_m
        height = placed.pose.position_m[2] - (low + 0.2 * (high - low))
        sizes.append(height / down / focal / np.sqrt(down))
    return float(np.median(sizes))


def ground_outline_m(reconstruction: Reconstruction, placed: PlacedFrame) -> Array:
    """(N, 2) east, north of the ground a picture shows, cut at 80 degrees off nadir.

    Flatter rays show more horizon than ground.
    """
    camera = reconstruction.cameras[placed.camera]
    reach = float(np.tan(np.radians(FLATTEST_OFF_NADIR_DEG)))
    return footprint_m(placed, camera, farthest_heights=reach)
