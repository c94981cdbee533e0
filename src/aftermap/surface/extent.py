"""How large a pixel is on the ground, and which box of ground the photographs show."""

import numpy as np
import numpy.typing as npt

from aftermap.geo.footprint import footprint_m
from aftermap.model.camera import PlacedFrame, Reconstruction

Array = npt.NDArray[np.float64]

STEEPEST_OFF_NADIR_DEG = 60.0


def ground_sample_m(reconstruction: Reconstruction) -> float:
    """Median size on the ground of a pixel in the middle of a picture, in metres.

    The ground is taken a fifth of the way up from the lowest tie points: the rest are roofs.
    """
    sizes = []
    for placed in reconstruction.mapped:
        focal = reconstruction.cameras[placed.camera].focal_px
        down = max(-placed.pose.rotation_cam_from_world[2][2], 0.2)
        low, high = placed.ground_m
        height = placed.pose.position_m[2] - (low + 0.2 * (high - low))
        sizes.append(height / down / focal)
    return float(np.median(sizes))


def ground_outline_m(reconstruction: Reconstruction, placed: PlacedFrame) -> Array:
    """(N, 2) east, north of the ground a picture shows, cut at 60 degrees off nadir.

    Flatter rays show more horizon than ground.
    """
    camera = reconstruction.cameras[placed.camera]
    reach = float(np.tan(np.radians(STEEPEST_OFF_NADIR_DEG)))
    return footprint_m(placed, camera, farthest_heights=reach)


def mapped_box_m(
    reconstruction: Reconstruction,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Lower left and upper right of the ground that the mapped photographs show."""
    outlines = np.concatenate([ground_outline_m(reconstruction, p) for p in reconstruction.mapped])
    (west, south), (east, north) = outlines.min(axis=0), outlines.max(axis=0)
    return (float(west), float(south)), (float(east), float(north))
