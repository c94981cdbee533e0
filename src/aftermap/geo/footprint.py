"""A placed photograph to the ground it covers, on the level of the ground that it sees.

Rays along the border of the picture meet a horizontal plane; a ray at or above the horizon is cut
where it is a few times as far away as the camera is high. World axes, metres of the CRS.
"""

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.lens import rays_cam
from aftermap.model.camera import Camera, PlacedFrame

FARTHEST = 4.0
BORDER_POINTS_PER_SIDE = 6


def footprint_m(
    placed: PlacedFrame, camera: Camera, *, farthest_heights: float = FARTHEST
) -> Array:
    """(24, 2) east and north of the outline, in the order of the border of the picture.

    ``farthest_heights`` is where rays are cut, in flying heights from below the camera.
    """
    rotation = np.asarray(placed.pose.rotation_cam_from_world, float)
    position = np.asarray(placed.pose.position_m, float)
    height = position[2] - sum(placed.ground_m) / 2
    rays = rays_cam(_border_px(camera.width_px, camera.height_px), camera.params) @ rotation
    sideways = np.linalg.norm(rays[:, :2], axis=1)
    with np.errstate(divide="ignore", over="ignore"):
        reach = np.where(rays[:, 2] < 0, -height / rays[:, 2], np.inf)
        limit = farthest_heights * height / np.maximum(sideways, 1e-12)
    return np.asarray(position[:2] + rays[:, :2] * np.minimum(reach, limit)[:, None], float)


def _border_px(width_px: int, height_px: int) -> Array:
    along = np.linspace(0, 1, BORDER_POINTS_PER_SIDE, endpoint=False)
    zero, one = np.zeros_like(along), np.ones_like(along)
    sides = [(along, zero), (one, along), (1 - along, one), (zero, 1 - along)]
    border = np.concatenate([np.stack(side, axis=1) for side in sides])
    return np.asarray(border * [width_px, height_px], float)
