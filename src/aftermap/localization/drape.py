"""A reference and a pose -> what that camera would see: the orthophoto draped over the surface.

Rays are marched over the cells of the surface (:mod:`aftermap.geo.march`). World metres, east,
north, up; pixels from the outer corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray
from aftermap.geo.lens import rays_cam
from aftermap.geo.march import HeightWindow, landings_m
from aftermap.localization.reference import Reference, filled_at

FAR_M = 1500.0
"""Ground further away than this shows nothing that could be matched."""
INTO_CELL_M = 1e-3
ABYSS_M = 1000.0
"""How far below the lowest known height the unknown is laid."""


@dataclass(frozen=True, kw_only=True)
class Draped:
    """(H, W) grey, 0 where nothing is known, and (H, W, 3) the place of every pixel, NaN there."""

    grey: ByteArray
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
    """(N, 3) places where (N, 3) rays from one position meet the surface, NaN where they do not.

    A ray passes over cells whose height is not known; one that meets a filled height meets it
    nobody knows where: NaN.
    """
    heights, stretch = _heights_of(reference)
    eye = np.asarray(position_m, np.float64) * stretch
    met, landed = landings_m(
        eye, rays_world * stretch, heights, farthest_m=_farthest_m(heights, eye)
    )
    landed &= met[:, 2] > heights.outside_m + 1
    # A little on along the ray: a wall is met at the border of its cell.
    landed &= ~filled_at(reference, (met / stretch + INTO_CELL_M * rays_world)[:, :2])
    return np.where(landed[:, None], met / stretch, np.nan)


def _heights_of(reference: Reference) -> tuple[HeightWindow, Array]:
    """The surface with square cells, and by how much that stretches the world (east, north, up).

    What is not known lies far below everything: a ray passes over it, and what ends there is none.
    """
    height = reference.height_m
    known = np.isfinite(height)
    lowest = float(height[known].min()) if known.any() else 0.0
    stretch = np.array([1.0, reference.cell_m[0] / reference.cell_m[1], 1.0])
    heights = HeightWindow(
        height_m=np.where(known, height, np.float32(lowest - ABYSS_M)),
        west_m=reference.corner_m[0],
        north_m=reference.corner_m[1] * stretch[1],
        cell_m=reference.cell_m[0],
        outside_m=lowest - ABYSS_M,
    )
    return heights, stretch


def _farthest_m(heights: HeightWindow, eye: Array) -> float:
    """To the corner of the surface that is farthest away in plan, or ``FAR_M``."""
    rows, columns = heights.height_m.shape
    east = np.abs(eye[0] - heights.west_m - np.array([0, columns]) * heights.cell_m).max()
    north = np.abs(heights.north_m - np.array([0, rows]) * heights.cell_m - eye[1]).max()
    return float(min(FAR_M, np.hypot(east, north)))
