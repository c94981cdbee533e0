"""What lies over the scene in a picture: a caption, a logo, smoke, a person, sky.

A mask is a grey picture of the frame's size, 0 where something lies over the scene.
"""

import cv2
import numpy as np

from aftermap.errors import InputError
from aftermap.geo.arrays import Array, BoolArray, ByteArray
from aftermap.model.camera import Camera


def read_mask(path: str) -> ByteArray:
    """(rows, columns) of a mask. Raises InputError where its file can no longer be read."""
    found = cv2.imread(path, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None:
        raise InputError(f"{path}: can no longer be read; run again with --fresh")
    return np.asarray(found, np.uint8)


def mask_at_size(mask: ByteArray, shape: tuple[int, ...]) -> ByteArray:
    """A mask at the (rows, columns, ...) ``shape`` of a picture, nearest values only."""
    if mask.shape == shape[:2]:
        return mask
    size = shape[1], shape[0]
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def covered(mask: ByteArray, camera: Camera, xy_px: Array, *, reach_px: int = 0) -> BoolArray:
    """(...) whether anything lies over the scene within ``reach_px`` of (..., 2) pixels.

    Places beyond the border count as the nearest ones on it; NaN is not covered. A mask of another
    size than the camera's picture is laid over it.
    """
    widened = cv2.erode(mask, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8))
    scale = np.array([mask.shape[1] / camera.width_px, mask.shape[0] / camera.height_px])
    known = np.isfinite(xy_px).all(axis=-1)
    at = np.clip(xy_px[known] * scale, 0, np.array(mask.shape[::-1]) - 1).astype(np.intp)
    out = np.zeros(known.shape, np.bool_)
    out[known] = widened[at[:, 1], at[:, 0]] == 0
    return out
