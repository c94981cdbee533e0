"""Placed photographs and a coarse surface to the number of photographs that see each cell.

The middle of each cell is looked for in each photograph, through its lens and along the line of
sight over the surface (:mod:`aftermap.geo.march`); what lies under a mask is not seen.
"""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Uint16Array
from aftermap.geo.footprint import footprint_m
from aftermap.geo.grid import cell_centres_m
from aftermap.geo.lens import seen_px
from aftermap.geo.march import HeightWindow, Spots, eye_row, spots_seen
from aftermap.geo.masks import covered, read_mask
from aftermap.model.camera import Camera, PlacedFrame
from aftermap.publish.shared.overview import Surface


def photographs_seeing(
    surface: Surface, placed: Sequence[PlacedFrame], cameras: Sequence[Camera]
) -> Uint16Array:
    """(rows, columns): how many photographs see each cell; 0 too where no height is known."""
    counts = np.zeros(surface.height_m.shape, np.uint16)
    if not surface.known.any():
        return counts
    around = _without_holes(surface)
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
        counts[rows, columns][known] += _seen(xyz, frame, camera, around)
    return counts


def _without_holes(surface: Surface) -> HeightWindow:
    """The surface, as low as its lowest cell where nothing is known: that hides nothing."""
    lowest_m = float(np.nanmin(surface.height_m))
    return HeightWindow(
        height_m=np.where(surface.known, surface.height_m, np.float32(lowest_m)),
        west_m=surface.grid.east_m,
        north_m=surface.grid.north_m,
        cell_m=surface.grid.cell_m,
        outside_m=lowest_m,
    )


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


def _seen(xyz_m: Array, placed: PlacedFrame, camera: Camera, heights: HeightWindow) -> BoolArray:
    """(N,) whether a photograph shows (N, 3) places of the surface, not hidden or covered."""
    count, size_px = len(xyz_m), (camera.width_px, camera.height_px)
    spots = Spots(
        place_m=xyz_m,
        normal=np.zeros((count, 3)),
        part=np.zeros(count, np.int64),
        starts=np.arange(count + 1),
        parts=1,
    )
    pairs = np.column_stack([np.arange(count), np.zeros(count, np.int64)])
    pose = placed.pose
    eye = eye_row(pose.rotation_cam_from_world, pose.position_m, camera.params, size_px)
    framed, hidden = spots_seen(spots, pairs, eye[None], heights)
    seen = np.asarray((framed > hidden)[:, 0], np.bool_)
    if placed.frame.mask is not None and seen.any():
        xy = seen_px(xyz_m, pose, camera.params)
        seen &= ~covered(read_mask(placed.frame.mask), camera, xy)
    return seen
