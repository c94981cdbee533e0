"""An orthophoto and its surface -> places with RootSIFT descriptors, for registering pictures.

East, north, up in metres of the orthophoto's CRS; heights as the surface has them. Where they were
filled and not measured (by the confidence beside a surface of Aftermap) nothing is found.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError

from aftermap.errors import InputError
from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array, FloatingArray, IntArray
from aftermap.geo.measured_heights import (
    LEAST_AGREEING,
    confidence_beside,
    open_cells,
    open_surface,
)
from aftermap.imaging.features import Detection, detect_rootsift
from aftermap.imaging.grey import grey_of_rgb

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
    ``filled`` (H, W) is where a height was not measured; None where that is not known of any.
    """

    crs: str
    grey: ByteArray
    height_m: Float32Array
    corner_m: tuple[float, float]
    cell_m: tuple[float, float]
    xyz_m: Array
    descriptors: Float32Array
    sigma_m: tuple[float, float] = SIGMA_M
    filled: BoolArray | None = None


def reference_in(ortho: Path, surface: Path, sigma_m: tuple[float, float] = SIGMA_M) -> Reference:
    """The reference in an RGB(A) GeoTIFF and a GeoTIFF of heights in the same CRS.

    Raises InputError where one cannot be read, or they name no common projected CRS.
    """
    try:
        with rasterio.open(ortho) as image, open_surface(surface) as heights:
            if image.crs is None or image.crs != heights.crs or not image.crs.is_projected:
                raise InputError(
                    f"{ortho}: has no projected CRS, or not that of {surface.name}; "
                    "give both in one projected CRS"
                )
            grey, seen = _grey_in(image)
            bounds, crs = image.bounds, image.crs.to_string()
            up = _heights_in(heights, bounds, grey.shape)
            filled = _filled_in(surface, bounds, grey.shape, np.isfinite(up))
    except RasterioIOError as error:
        raise InputError(
            f"{ortho} or {surface}: cannot be read ({error}); give GeoTIFF files"
        ) from error
    cell = (
        (bounds.right - bounds.left) / grey.shape[1],
        (bounds.top - bounds.bottom) / grey.shape[0],
    )
    return reference_of(
        crs, grey, np.where(seen > 0, up, np.nan), (bounds.left, bounds.top), cell, sigma_m, filled
    )


def surface_in(surface: Path, sigma_m: tuple[float, float] = SIGMA_M) -> Reference:
    """A reference that knows heights and no picture: enough to carry a pose, not to find one.

    Raises InputError where it cannot be read or names no projected CRS.
    """
    try:
        with open_surface(surface) as heights:
            if heights.crs is None or not heights.crs.is_projected:
                raise InputError(f"{surface}: has no projected CRS; make the map again")
            shrink = min(1.0, WORKING_SIDE_PX / max(heights.shape))
            shape = tuple(max(1, round(side * shrink)) for side in heights.shape)
            bounds, crs = heights.bounds, heights.crs.to_string()
            up = _heights_in(heights, bounds, shape)
            filled = _filled_in(surface, bounds, shape, np.isfinite(up))
    except RasterioIOError as error:
        raise InputError(f"{surface}: cannot be read ({error}); make the map again") from error
    cell = (bounds.right - bounds.left) / shape[1], (bounds.top - bounds.bottom) / shape[0]
    return reference_of(
        crs, np.zeros(up.shape, np.uint8), up, (bounds.left, bounds.top), cell, sigma_m, filled
    )


def heights_at_m(reference: Reference, xy_m: Array) -> Array:
    """(N,) heights of the surface at (N, 2) places in its CRS, NaN where it has none.

    Filled ones too: :func:`filled_at` tells them.
    """
    inside, row, column = _cells_at(reference, xy_m)
    found = np.full(len(xy_m), np.nan)
    found[inside] = reference.height_m[row, column]
    return found


def filled_at(reference: Reference, xy_m: Array) -> BoolArray:
    """(N,) whether the height at (N, 2) places was filled in and not measured."""
    inside, row, column = _cells_at(reference, xy_m)
    found = np.zeros(len(xy_m), bool)
    if reference.filled is not None:
        found[inside] = reference.filled[row, column]
    return found


def _cells_at(reference: Reference, xy_m: Array) -> tuple[BoolArray, IntArray, IntArray]:
    """(N,) which places lie on the raster, and the row and column of those."""
    known: BoolArray = np.asarray(np.isfinite(xy_m).all(axis=1), np.bool_)
    xy_m = np.where(known[:, None], xy_m, 0.0)
    cell = (xy_m - reference.corner_m) / (reference.cell_m[0], -reference.cell_m[1])
    column, row = np.floor(cell).astype(int).T
    rows, columns = reference.height_m.shape
    inside: BoolArray = known & (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    return inside, row[inside], column[inside]


def reference_of(
    crs: str,
    grey: ByteArray,
    height_m: FloatingArray,
    corner_m: tuple[float, float],
    cell_m: tuple[float, float],
    sigma_m: tuple[float, float] = SIGMA_M,
    filled: BoolArray | None = None,
) -> Reference:
    """The reference of rasters in memory, features found where a height was measured.

    ``grey`` and ``height_m`` are (rows, columns), 0 to 255 and metres, NaN where there is no
    height;
    ``corner_m`` is the outer corner of the first cell, east and north.
    """
    known = np.isfinite(height_m)
    if filled is not None:
        known &= ~filled
    mask = np.asarray(known * np.uint8(255))
    found = detect_rootsift(grey, mask, Detection(most=FEATURES))
    xy = found.xy_px
    column, row = np.minimum(xy.astype(int), np.array(grey.shape[::-1]) - 1).T
    place = np.array(corner_m) + xy * (cell_m[0], -cell_m[1])
    return Reference(
        crs=crs,
        grey=grey,
        height_m=np.asarray(height_m, np.float32),
        corner_m=corner_m,
        cell_m=cell_m,
        xyz_m=np.column_stack([place, height_m[row, column]]),
        descriptors=found.descriptors,
        sigma_m=sigma_m,
        filled=filled,
    )


def _grey_in(image: rasterio.DatasetReader) -> tuple[ByteArray, ByteArray]:
    """The orthophoto at working size in grey, and where it is known (not 0)."""
    shrink = min(1.0, WORKING_SIDE_PX / max(image.shape))
    shape = tuple(max(1, round(side * shrink)) for side in image.shape)
    bands = image.read([1, 2, 3], out_shape=(3, *shape), resampling=Resampling.average)
    seen = image.dataset_mask(out_shape=shape)
    colour = np.ascontiguousarray(bands.transpose(1, 2, 0), np.uint8)
    return grey_of_rgb(colour), seen


def _filled_in(
    surface: Path, bounds: rasterio.coords.BoundingBox, shape: tuple[int, ...], known: BoolArray
) -> BoolArray | None:
    """Where known heights were filled, by the confidence beside them; None where there is none."""
    beside = confidence_beside(surface)
    if beside is None:
        return None
    with open_cells(beside) as counts:
        agree = _heights_in(counts, bounds, shape)
    return np.asarray(known & ~(agree >= LEAST_AGREEING))


def _heights_in(
    heights: rasterio.DatasetReader, bounds: rasterio.coords.BoundingBox, shape: tuple[int, ...]
) -> Float32Array:
    """The heights on the cells of the orthophoto, NaN where not known or not covered."""
    own = heights.bounds
    cell = (bounds.right - bounds.left) / shape[1], (bounds.top - bounds.bottom) / shape[0]
    rows = max(1, min(heights.height, round((own.top - own.bottom) / cell[1])))
    columns = max(1, min(heights.width, round((own.right - own.left) / cell[0])))
    read = heights.read(1, out_shape=(rows, columns), masked=True, resampling=Resampling.nearest)
    known = np.ma.filled(read.astype(np.float32), np.nan)
    # The middle of every cell of the orthophoto, in cells of the heights.
    east = bounds.left + (np.arange(shape[1]) + 0.5) * cell[0] - own.left
    south = own.top - bounds.top + (np.arange(shape[0]) + 0.5) * cell[1]
    column = np.floor(east * columns / (own.right - own.left)).astype(int)
    row = np.floor(south * rows / (own.top - own.bottom)).astype(int)
    found = known[np.clip(row, 0, rows - 1)[:, None], np.clip(column, 0, columns - 1)]
    found[(row < 0) | (row >= rows), :] = np.nan
    found[:, (column < 0) | (column >= columns)] = np.nan
    return np.asarray(found, np.float32)
