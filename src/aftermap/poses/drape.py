"""A reference and a pose -> what that camera would see: the orthophoto draped over the surface.

Rays are marched over the cells of the surface, one column of heights a cell; walls are the steps
between columns. World metres, east, north, up; pixels from the outer corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.geo.compiled import compiled
from aftermap.geo.lens import rays_cam
from aftermap.poses.reference import Reference

Array = npt.NDArray[np.float64]
Real = npt.NDArray[np.float32]
FAR_M = 1500.0
"""Ground further away than this shows nothing that could be matched."""


@dataclass(frozen=True, kw_only=True)
class Draped:
    """(H, W) grey, 0 where nothing is known, and (H, W, 3) the place of every pixel, NaN there."""

    grey: npt.NDArray[np.uint8]
    xyz_m: Array


def draped(
    reference: Reference,
    rotation_cam_from_world: Array,
    position_m: Array,
    params: Sequence[float],
    size_px: tuple[int, int],
) -> Draped:
    """What a camera of (width, height) pixels would see of the reference."""
    width, height = size_px
    grid = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    rays = rays_cam(grid.reshape(-1, 2), params) @ rotation_cam_from_world
    xyz = places_met(reference, position_m, rays).reshape(height, width, 3)
    cells = (xyz[..., :2] - reference.corner_m) / (reference.cell_m[0], -reference.cell_m[1])
    # cv2 counts from the first centre; what is not known lies outside and is black.
    at = np.nan_to_num(cells - 0.5, nan=-9.0).astype(np.float32)
    grey = cv2.remap(reference.grey, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
    return Draped(grey=np.asarray(grey, np.uint8), xyz_m=xyz)


def places_met(reference: Reference, position_m: Array, rays_world: Array) -> Array:
    """(N, 3) places where (N, 3) rays from one position meet the surface, NaN where they do not."""
    distance = np.full(len(rays_world), np.nan)
    length = np.linalg.norm(rays_world, axis=1)
    unit = np.ascontiguousarray(rays_world / length[:, None])
    highest = float(np.nanmax(reference.height_m)) if np.isfinite(reference.height_m).any() else 0.0
    _march(
        reference.height_m,
        np.array([*reference.corner_m, *reference.cell_m]),
        np.asarray(position_m, np.float64),
        unit,
        highest,
        distance,
    )
    return np.asarray(position_m + unit * distance[:, None], np.float64)


@compiled
def _march(
    height: Real, frame: Array, position: Array, rays: Array, highest: float, distance: Array
) -> None:
    """Distance along each ray to the first cell whose height it falls below; NaN is left as is."""
    rows, columns = height.shape
    west, north, cell_x, cell_y = frame[0], frame[1], frame[2], frame[3]
    for i in range(rays.shape[0]):
        dx, dy, dz = rays[i, 0], rays[i, 1], rays[i, 2]
        if dz >= -1e-3:
            continue
        along = max(0.0, (position[2] - highest) / -dz)
        step = min(cell_x, cell_y) / max(np.hypot(dx, dy), 0.5 * -dz)
        before = along
        while along < FAR_M:
            column = int(np.floor((position[0] + along * dx - west) / cell_x))
            row = int(np.floor((north - position[1] - along * dy) / cell_y))
            if 0 <= row < rows and 0 <= column < columns:
                ground = height[row, column]
                over = position[2] + along * dz - ground
                if over <= 0:
                    # Down onto the cell it comes from above; into a wall it is where the step ends.
                    distance[i] = max(before, along + over / -dz) if over > -1e9 else np.nan
                    break
            elif along > 0 and (
                (column < 0 and dx <= 0) or (column >= columns and dx >= 0)
                or (row < 0 and dy >= 0) or (row >= rows and dy <= 0)
            ):  # fmt: skip
                break
            before = along
            along += step
