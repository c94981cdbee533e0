"""Placed photographs and a coarse surface to the number of photographs that see each cell.

Each cell's centre is projected into each photograph through its lens; what lies behind something
nearer, in a depth image about as coarse as the cells, is not seen. Walls are only as solid as their
roofs, so close behind a thin wall the count can be one too high: this is a picture of the overlap,
not a measurement.
"""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Uint16Array
from aftermap.geo.footprint import footprint_m
from aftermap.geo.grid import cell_centres_m
from aftermap.geo.lens import projected_px, rays_cam
from aftermap.geo.masks import covered, read_mask
from aftermap.model.camera import Camera, PlacedFrame
from aftermap.publish.shared.overview import Surface

BUCKET_CELLS = 1.5
BEHIND_CELLS = 4.0


def photographs_seeing(
    surface: Surface, placed: Sequence[PlacedFrame], cameras: Sequence[Camera]
) -> Uint16Array:
    """(rows, columns): how many photographs see each cell; 0 too where no height is known."""
    counts = np.zeros(surface.height_m.shape, np.uint16)
    east, north = cell_centres_m(surface.grid)
    for frame in placed:
        camera = cameras[frame.camera]
        rows, columns = _near(frame, camera, surface)
        heights = surface.height_m[rows, columns]
        known = np.isfinite(heights)
        if not known.any():
            continue
        grid_e, grid_n = np.meshgrid(east[columns], north[rows])
        xyz = np.stack([grid_e[known], grid_n[known], heights[known]], axis=-1)
        counts[rows, columns][known] += _seen(xyz, frame, camera, surface.grid.cell_m)
    return counts


def _near(placed: PlacedFrame, camera: Camera, surface: Surface) -> tuple[slice, slice]:
    """Rows and columns of the box of the footprint, with room for ground lower than its plane."""
    grid = surface.grid
    outline = footprint_m(placed, camera)
    low, high = outline.min(axis=0), outline.max(axis=0)
    margin = 0.25 * (high - low) + grid.cell_m
    low, high = low - margin, high + margin

    def within(first: float, last: float, size: int) -> slice:
        return slice(int(np.clip(first, 0, size)), int(np.clip(last + 1, 0, size)))

    return (
        within(
            (grid.north_m - high[1]) / grid.cell_m, (grid.north_m - low[1]) / grid.cell_m, grid.rows
        ),
        within(
            (low[0] - grid.east_m) / grid.cell_m,
            (high[0] - grid.east_m) / grid.cell_m,
            grid.columns,
        ),
    )


def _seen(xyz_m: Array, placed: PlacedFrame, camera: Camera, cell_m: float) -> Uint16Array:
    """(N,) 1 where a point lies in the picture and nothing hides or covers it, else 0."""
    rotation = np.asarray(placed.pose.rotation_cam_from_world, float)
    cam = (xyz_m - np.asarray(placed.pose.position_m)) @ rotation.T
    ahead = cam[:, 2] > 0
    with np.errstate(invalid="ignore", over="ignore"):
        slope = np.hypot(cam[:, 0], cam[:, 1]) / cam[:, 2]
        xy = projected_px(np.where(ahead[:, None], cam, np.nan), camera.params)
        inside = ahead & (slope <= _widest_slope(camera)) & (xy >= 0).all(axis=1)
        inside &= (xy[:, 0] < camera.width_px) & (xy[:, 1] < camera.height_px)
    seen = np.zeros(len(xyz_m), np.uint16)
    if inside.any():
        seen[inside] = _in_front(xy[inside], cam[inside, 2], camera, cell_m)
        if placed.frame.mask is not None:
            seen[covered(read_mask(placed.frame.mask), camera, xy) & inside] = 0
    return seen


def _in_front(xy_px: Array, depth_m: Array, camera: Camera, cell_m: float) -> BoolArray:
    near_m = max(float(depth_m.min()), float(np.median(depth_m)) / 2)
    bucket_px = max(1.0, BUCKET_CELLS * cell_m * camera.focal_px / near_m)
    across = int(camera.width_px / bucket_px) + 1
    bucket = (xy_px[:, 1] / bucket_px).astype(np.intp) * across
    bucket += (xy_px[:, 0] / bucket_px).astype(np.intp)
    nearest = np.full(int(bucket.max()) + 1, np.inf)
    np.minimum.at(nearest, bucket, depth_m)
    return np.asarray(depth_m <= nearest[bucket] + BEHIND_CELLS * cell_m, bool)


def _widest_slope(camera: Camera) -> float:
    """Largest x/z, y/z radius of the picture: beyond it a lens model may fold back inside."""
    corners = np.array(
        [[x, y] for x in (0.0, camera.width_px) for y in (0.0, camera.height_px)], float
    )
    rays = rays_cam(corners, camera.params)
    return float(np.hypot(rays[:, 0], rays[:, 1]).max()) * 1.02
