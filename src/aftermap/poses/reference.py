"""An orthophoto and its surface -> places with RootSIFT descriptors, for registering pictures.

East, north, up in metres of the orthophoto's CRS; heights as the surface has them.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError

from aftermap.errors import InputError

Array = npt.NDArray[np.float64]
Grey = npt.NDArray[np.uint8]

WORKING_SIDE_PX = 2400
"""Longer side at which the orthophoto is looked at: SIFT bears other scales well."""
FEATURES = 20000
SIGMA_M = (0.5, 1.0)
"""Error of a reference as a whole, horizontal (each axis) and vertical, where none is told."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What is known of a place: (H, W) grey from above, (H, W) float32 heights in m, NaN unknown.

    Row 0 is north; ``corner_m`` is the outer corner (west, north) and ``cell_m`` the size of a cell
    (east, south). ``xyz_m`` (N, 3) are the places of (N, 128) float32 unit RootSIFT. ``sigma_m`` is
    the error of the whole, horizontal (each axis) and vertical: nothing seen in it tells of it.
    """

    crs: str
    grey: Grey
    height_m: npt.NDArray[np.float32]
    corner_m: tuple[float, float]
    cell_m: tuple[float, float]
    xyz_m: Array
    descriptors: npt.NDArray[np.float32]
    sigma_m: tuple[float, float] = SIGMA_M


def rootsift(grey: Grey, seen: Grey, count: int) -> tuple[Array, npt.NDArray[np.float32]]:
    """(N, 2) corner-origin pixels and (N, 128) unit descriptors where ``seen`` is not 0."""
    sift = cv2.SIFT.create(nfeatures=count, contrastThreshold=0.02)
    found, raw = sift.detectAndCompute(grey, seen)
    if raw is None:
        return np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    share = raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-9)
    return np.array([k.pt for k in found], float) + 0.5, np.sqrt(share).astype(np.float32)


def reference_in(ortho: Path, surface: Path, sigma_m: tuple[float, float] = SIGMA_M) -> Reference:
    """The reference in an RGB(A) GeoTIFF and a GeoTIFF of heights in the same CRS."""
    try:
        with rasterio.open(ortho) as image, rasterio.open(surface) as heights:
            if image.crs is None or image.crs != heights.crs or not image.crs.is_projected:
                raise InputError(
                    f"{ortho}: has no projected CRS, or not that of {surface.name}; "
                    "give both in one projected CRS"
                )
            grey, seen = _grey_in(image)
            bounds, crs = image.bounds, image.crs.to_string()
            up = _heights_in(heights, bounds, grey.shape)
    except RasterioIOError as error:
        raise InputError(f"{ortho} or {surface}: cannot be read ({error})") from error
    cell = (
        (bounds.right - bounds.left) / grey.shape[1],
        (bounds.top - bounds.bottom) / grey.shape[0],
    )
    return reference_of(crs, grey, np.where(seen > 0, up, np.nan), (bounds.left, bounds.top), cell,
                        sigma_m)  # fmt: skip


def reference_of(
    crs: str,
    grey: Grey,
    height_m: npt.NDArray[np.floating],
    corner_m: tuple[float, float],
    cell_m: tuple[float, float],
    sigma_m: tuple[float, float] = SIGMA_M,
) -> Reference:
    """The reference of rasters in memory, features found where a height is known."""
    known = np.isfinite(height_m)
    xy, descriptors = rootsift(grey, np.asarray(known * np.uint8(255)), FEATURES)
    column, row = np.minimum(xy.astype(int), np.array(grey.shape[::-1]) - 1).T
    place = np.array(corner_m) + xy * (cell_m[0], -cell_m[1])
    return Reference(
        crs=crs,
        grey=grey,
        height_m=np.asarray(height_m, np.float32),
        corner_m=corner_m,
        cell_m=cell_m,
        xyz_m=np.column_stack([place, height_m[row, column]]),
        descriptors=descriptors,
        sigma_m=sigma_m,
    )


def _grey_in(image: rasterio.DatasetReader) -> tuple[Grey, Grey]:
    """The orthophoto at working size in grey, and where it is known (not 0)."""
    shrink = min(1.0, WORKING_SIDE_PX / max(image.shape))
    shape = tuple(max(1, round(side * shrink)) for side in image.shape)
    bands = image.read([1, 2, 3], out_shape=(3, *shape), resampling=Resampling.average)
    seen = image.dataset_mask(out_shape=shape)
    colour = np.ascontiguousarray(bands.transpose(1, 2, 0), np.uint8)
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), np.uint8), seen


def _heights_in(
    heights: rasterio.DatasetReader, bounds: rasterio.coords.BoundingBox, shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    """The heights on the cells of the orthophoto, NaN where not known or not covered."""
    window = heights.window(*bounds)
    filled = heights.read(
        1,
        window=window,
        out_shape=shape,
        boundless=True,
        masked=True,
        resampling=Resampling.nearest,
    )
    return np.asarray(np.ma.filled(filled.astype(np.float32), np.nan), np.float32)
