"""Features of one picture: SIFT (Lowe 2004) as RootSIFT (Arandjelovic and Zisserman 2012).

Positions are full-resolution pixels from the outer corner of the first stored pixel; an EXIF
orientation is never applied.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from aftermap.errors import CaseError
from aftermap.geo.arrays import ByteArray, Float32Array, IndexArray

ROOTSIFT_NORM = 512.0
"""Length of a stored descriptor, as in COLMAP: one byte per component."""


@dataclass(frozen=True, kw_only=True)
class Features:
    """Features of one photograph, the most useful first.

    ``xy_px`` (N, 2) float32 full-resolution corner-origin pixels, ``scale_px`` (N,) and
    ``angle_deg`` (N,) float32, ``descriptors`` (N, 128) uint8 of length about 512.
    """

    xy_px: Float32Array
    scale_px: Float32Array
    angle_deg: Float32Array
    descriptors: ByteArray

    def __len__(self) -> int:
        return len(self.xy_px)


@lru_cache(maxsize=64)
def load_features(path: Path) -> Features:
    """The features that :func:`features_of` wrote. A few are kept, since neighbours meet again."""
    try:
        with path.open("rb") as file, np.load(file) as archive:
            return Features(
                xy_px=archive["xy_px"],
                scale_px=archive["scale_px"],
                angle_deg=archive["angle_deg"],
                descriptors=archive["descriptors"],
            )
    except (BadZipFile, EOFError, ValueError, KeyError) as error:
        raise CaseError(
            f"{path}: is damaged; delete it and run the same command again, which makes it anew"
        ) from error


def evenly_spread(xy_px: Float32Array, response: Float32Array, cell_px: float) -> IndexArray:
    """Order that takes the strongest of every cell first, then the second of every cell, ..."""
    cells = np.floor(xy_px / cell_px).astype(np.int64)
    cell = cells[:, 1] * 100_000 + cells[:, 0]
    by_cell = np.lexsort((-response, cell))
    _, first = np.unique(cell[by_cell], return_index=True)
    start = np.repeat(first, np.diff(np.append(first, len(by_cell))))
    place = np.empty(len(by_cell), np.int64)
    place[by_cell] = np.arange(len(by_cell)) - start
    return np.lexsort((-response, place))


def rootsift(descriptors: npt.ArrayLike) -> ByteArray:
    """(N, 128) bytes: square roots of the L1-normalised SIFT; then L2 is Hellinger's distance."""
    raw = np.asarray(descriptors, np.float32)
    share = raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.clip(np.round(ROOTSIFT_NORM * np.sqrt(share)), 0, 255), np.uint8)


def unit(descriptors: ByteArray) -> Float32Array:
    """Stored descriptors at unit length, so that a dot product is their likeness."""
    real = descriptors.astype(np.float32)
    length = np.linalg.norm(real, axis=1, keepdims=True)
    return np.asarray(real / np.maximum(length, 1e-9), np.float32)
