"""A calm, coarse ground under everything, for places that no two photographs agree on.

Open water, leaves in the wind and single coverage leave no height of their own; they lie on this
surface, marked as filled.
"""

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from aftermap.geo.grid import cell_centres_m, rowcol_of
from aftermap.model.raster import Grid

Float = npt.NDArray[np.float32]

SMOOTHING_ROUNDS = 60
CALM_TILES = 1.2
"""Sigma of the last smoothing, in tiles."""


def backdrop_of(lowest_m: Float) -> Float:
    """(rows, columns) heights everywhere, from tiles of which some are unknown (NaN).

    Unknown tiles take the nearest known height and are then relaxed towards their neighbours'
    mean; then all are smoothed, so that nothing steps, neither where nothing is known nor where a
    tree top stands beside the ground.
    """
    known = np.isfinite(lowest_m)
    if not known.any():
        return np.zeros_like(lowest_m)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    ground = lowest_m[tuple(nearest)].astype(np.float32)
    for _ in range(SMOOTHING_ROUNDS):
        calm = cv2.blur(ground, (5, 5), borderType=cv2.BORDER_REPLICATE)
        ground = np.where(known, lowest_m, calm).astype(np.float32)
    calm = cv2.GaussianBlur(ground, (0, 0), CALM_TILES, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(calm, np.float32)


def sampled(ground: Float, ground_grid: Grid, block: Grid) -> Float:
    """The backdrop at the cells of a block, by cubic interpolation."""
    east, north = cell_centres_m(block)
    columns = rowcol_of(ground_grid, np.stack([east, np.zeros_like(east)], 1))[:, 1] - 0.5
    rows = rowcol_of(ground_grid, np.stack([np.zeros_like(north), north], 1))[:, 0] - 0.5
    x = np.broadcast_to(columns.astype(np.float32), (block.rows, block.columns))
    y = np.broadcast_to(rows.astype(np.float32)[:, None], (block.rows, block.columns))
    return np.asarray(
        cv2.remap(
            ground, np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )  # fmt: skip
