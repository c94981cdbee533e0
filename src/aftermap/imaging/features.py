"""Features of one picture: SIFT (Lowe 2004) as RootSIFT (Arandjelovic and Zisserman 2012).

Positions are full-resolution pixels from the outer corner of the first stored pixel; an EXIF
orientation is never applied.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np

from aftermap.errors import CaseError
from aftermap.geo.arrays import Array, ByteArray, Float32Array, IndexArray
from aftermap.geo.axes import corner_from_opencv_px

ROOTSIFT_NORM = 512.0
"""Length of a stored descriptor, as in COLMAP: one byte per component."""
CONTRAST = 0.02
"""Half of Lowe's threshold: dust and bare ground have little of it."""


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


@dataclass(frozen=True, kw_only=True)
class Detection:
    """How features are looked for: ``most`` of them, the strongest of the picture.

    With ``grid_cells`` the longer side is cut into so many cells, and they are taken evenly from
    these. ``precise_upscale`` has OpenCV place what it finds in the doubled picture without the
    quarter pixel by which it is off otherwise.
    """

    most: int
    grid_cells: int = 0
    precise_upscale: bool = False


@dataclass(frozen=True, kw_only=True)
class DetectedFeatures:
    """Features in the pixels of the picture in which they were looked for.

    ``xy_px`` (N, 2) float64 from its outer corner, ``size_px`` (N,) float64 diameters,
    ``angle_deg`` (N,) float32, ``descriptors`` (N, 128) float32 of unit length.
    """

    xy_px: Array
    size_px: Array
    angle_deg: Float32Array
    descriptors: Float32Array


@lru_cache(maxsize=64)
def load_features(path: Path) -> Features:
    """The features of a file that the step ``features`` wrote; a few are kept, for neighbours.

    Raises CaseError where the file is damaged.
    """
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
            f"{path}: is damaged; delete it and run the same command again to recreate it"
        ) from error


def detect_rootsift(
    grey: ByteArray, mask: ByteArray | None, detection: Detection
) -> DetectedFeatures:
    """The features of a (rows, columns) grey picture where the mask of its size is not 0."""
    sift = cv2.SIFT.create(
        nfeatures=0 if detection.grid_cells else detection.most,
        contrastThreshold=CONTRAST,
        enable_precise_upscale=detection.precise_upscale,
    )
    if detection.grid_cells:
        found = sift.detect(grey, mask)
        xy = np.array([k.pt for k in found], np.float32).reshape(-1, 2)
        response = np.array([k.response for k in found], np.float32)
        order = _evenly_spread(xy, response, max(grey.shape) / detection.grid_cells)
        kept, raw = sift.compute(grey, [found[i] for i in order[: detection.most]])
    else:
        kept, raw = sift.detectAndCompute(grey, mask)
    if raw is None:
        kept, raw = (), np.zeros((0, 128), np.float32)
    return DetectedFeatures(
        xy_px=corner_from_opencv_px(np.array([k.pt for k in kept]).reshape(-1, 2)),
        size_px=np.array([k.size for k in kept], float),
        angle_deg=np.array([k.angle for k in kept], np.float32),
        descriptors=rootsift(np.asarray(raw, np.float32)),
    )


def _evenly_spread(xy_px: Float32Array, response: Float32Array, cell_px: float) -> IndexArray:
    """Order that takes the strongest of every cell first, then the second of every cell, ..."""
    cells = np.floor(xy_px / cell_px).astype(np.int64)
    cell = cells[:, 1] * 100_000 + cells[:, 0]
    by_cell = np.lexsort((-response, cell))
    _, first = np.unique(cell[by_cell], return_index=True)
    start = np.repeat(first, np.diff(np.append(first, len(by_cell))))
    place = np.empty(len(by_cell), np.int64)
    place[by_cell] = np.arange(len(by_cell)) - start
    return np.lexsort((-response, place))


def rootsift(raw: Float32Array) -> Float32Array:
    """(N, 128) at unit length: roots of the L1-normalised SIFT; then L2 is Hellinger's distance."""
    share = raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.sqrt(share), np.float32)


def descriptor_bytes(descriptors: Float32Array) -> ByteArray:
    """(N, 128) unit descriptors as bytes, as they are kept: each row of length about 512."""
    return np.asarray(np.clip(np.round(ROOTSIFT_NORM * descriptors), 0, 255), np.uint8)


def unit(descriptors: ByteArray) -> Float32Array:
    """(N, 128) stored descriptors at unit length, so that a dot product is their likeness."""
    real = descriptors.astype(np.float32)
    length = np.linalg.norm(real, axis=1, keepdims=True)
    return np.asarray(real / np.maximum(length, 1e-9), np.float32)
