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

WORKING_SIDE_PX = 2400
"""Longer side at which the orthophoto is looked at: SIFT bears other scales well."""
FEATURES = 12000


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Places of a reference: (N, 3) in ``crs``, (N, 128) float32 unit RootSIFT, its cell in m."""

    crs: str
    xyz_m: Array
    descriptors: npt.NDArray[np.float32]
    cell_m: float


def rootsift(
    grey: npt.NDArray[np.uint8], seen: npt.NDArray[np.uint8], count: int
) -> tuple[Array, npt.NDArray[np.float32]]:
    """(N, 2) corner-origin pixels and (N, 128) unit descriptors where ``seen`` is not 0."""
    sift = cv2.SIFT.create(nfeatures=count, contrastThreshold=0.02)
    found, raw = sift.detectAndCompute(grey, seen)
    if raw is None:
        return np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    share = raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-9)
    return np.array([k.pt for k in found], float) + 0.5, np.sqrt(share).astype(np.float32)


def reference_in(ortho: Path, surface: Path) -> Reference:
    """The reference in an RGB(A) GeoTIFF and a GeoTIFF of heights in the same CRS."""
    try:
        with rasterio.open(ortho) as image, rasterio.open(surface) as heights:
            if image.crs is None or image.crs != heights.crs or not image.crs.is_projected:
                raise InputError(
                    f"{ortho}: has no projected CRS, or not that of {surface.name}; "
                    "give both in one projected CRS"
                )
            shrink = min(1.0, WORKING_SIDE_PX / max(image.shape))
            shape = tuple(max(1, round(side * shrink)) for side in image.shape)
            bands = image.read(
                [1, 2, 3], out_shape=(3, *shape), resampling=Resampling.average
            ).transpose(1, 2, 0)
            seen = image.dataset_mask(out_shape=shape)
            bounds, crs = image.bounds, image.crs.to_string()
            grey = cv2.cvtColor(np.ascontiguousarray(bands, np.uint8), cv2.COLOR_RGB2GRAY)
            xy, descriptors = rootsift(np.asarray(grey, np.uint8), seen, FEATURES)
            cell = np.array([bounds.right - bounds.left, bounds.top - bounds.bottom]) / shape[::-1]
            east, north = bounds.left + xy[:, 0] * cell[0], bounds.top - xy[:, 1] * cell[1]
            up = [float(value[0]) for value in heights.sample(zip(east, north, strict=True))]
            known = np.isfinite(up) & (np.array(up) != heights.nodata)
    except RasterioIOError as error:
        raise InputError(f"{ortho} or {surface}: cannot be read ({error})") from error
    xyz = np.column_stack([east, north, up])
    return Reference(
        crs=crs, xyz_m=xyz[known], descriptors=descriptors[known], cell_m=float(cell[0])
    )
