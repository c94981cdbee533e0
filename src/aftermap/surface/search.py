"""What is known of the ground -> which disparities to search in each tile of a rectified pair.

Every cell of the relief is a column of space between its lowest and highest ground. It is cut into
a few boxes, each is projected into the left picture, and the tiles it touches search the
disparities of its corners. A tile that sees only street is not searched up to the roofs beside it.
"""

import numpy as np
import numpy.typing as npt

from aftermap.geo.compiled import compiled
from aftermap.surface.rectify import RectifiedPair
from aftermap.surface.relief import Relief

Array = npt.NDArray[np.float64]
Ranges = npt.NDArray[np.int64]

BOXES_PER_CELL = 4
SPARE_PX = 2
LEAST_RANGE_PX = 16
NOTHING = -1


def disparity_ranges(relief: Relief, pair: RectifiedPair, tile_px: int) -> Ranges:
    """(tile rows, tile columns, 2) first and last whole disparity to search in each tile.

    Both are -1 where the coarse match found no ground at all: open water, sky.
    """
    down, across = -(-pair.height_px // tile_px), -(-pair.width_px // tile_px)
    ranges = np.empty((down, across, 2), np.int64)
    ranges[..., 0], ranges[..., 1] = np.iinfo(np.int64).max, NOTHING
    grid = relief.grid
    camera = np.array(
        [pair.focal_px, *pair.left_principal_px, pair.focal_px * pair.base_m, pair.right_shift_px]
    )
    _spread(
        relief.lowest_m, relief.highest_m, np.array([grid.east_m, grid.north_m, grid.cell_m]),
        pair.left_centre_m, pair.rotation, camera, tile_px, ranges,
    )  # fmt: skip
    unseen = ranges[..., 1] == NOTHING
    ranges[..., 0] = np.clip(ranges[..., 0] - SPARE_PX, 0, pair.disparities - LEAST_RANGE_PX)
    ranges[..., 1] = np.clip(ranges[..., 1] + SPARE_PX, 1, pair.disparities)
    ranges[unseen] = NOTHING
    return ranges


@compiled
def _spread(
    lowest_m: npt.NDArray[np.float32], highest_m: npt.NDArray[np.float32], place: Array,
    centre_m: Array, rotation: Array, camera: Array, tile_px: int, ranges: Ranges,
) -> None:  # fmt: skip
    """Widen the range of every tile by every box of ground that it can see."""
    corners = np.empty((8, 3))
    for row in range(lowest_m.shape[0]):
        for column in range(lowest_m.shape[1]):
            low, high = lowest_m[row, column], highest_m[row, column]
            if np.isnan(low):
                continue
            for box in range(BOXES_PER_CELL):
                for k in range(8):
                    share = (box + k // 4) / BOXES_PER_CELL
                    corners[k, 0] = place[0] + (column + k % 2) * place[2] - centre_m[0]
                    corners[k, 1] = place[1] - (row + k // 2 % 2) * place[2] - centre_m[1]
                    corners[k, 2] = low + (high - low) * share - centre_m[2]
                _widen(corners, rotation, camera, tile_px, ranges)


@compiled
def _widen(corners: Array, rotation: Array, camera: Array, tile_px: int, ranges: Ranges) -> None:
    """One box, given by its corners from the left camera on; a box beside or behind it is none."""
    least, most = np.full(3, np.inf), np.full(3, -np.inf)  # u, v, disparity
    for k in range(8):
        x = corners[k, 0] * rotation[0, 0] + corners[k, 1] * rotation[0, 1]
        x += corners[k, 2] * rotation[0, 2]
        y = corners[k, 0] * rotation[1, 0] + corners[k, 1] * rotation[1, 1]
        y += corners[k, 2] * rotation[1, 2]
        z = corners[k, 0] * rotation[2, 0] + corners[k, 1] * rotation[2, 1]
        z += corners[k, 2] * rotation[2, 2]
        if z <= 1e-3:
            return
        u, v = camera[0] * x / z + camera[1], camera[0] * y / z + camera[2]
        disparity = camera[3] / z - camera[4]
        least[0], most[0] = min(least[0], u), max(most[0], u)
        least[1], most[1] = min(least[1], v), max(most[1], v)
        least[2], most[2] = min(least[2], disparity), max(most[2], disparity)
    top, bottom = int(np.floor(least[1] / tile_px)), int(np.floor(most[1] / tile_px))
    left, right = int(np.floor(least[0] / tile_px)), int(np.floor(most[0] / tile_px))
    for i in range(max(top, 0), min(bottom, ranges.shape[0] - 1) + 1):
        for j in range(max(left, 0), min(right, ranges.shape[1] - 1) + 1):
            ranges[i, j, 0] = min(ranges[i, j, 0], int(np.floor(least[2])))
            ranges[i, j, 1] = max(ranges[i, j, 1], int(np.ceil(most[2])))
