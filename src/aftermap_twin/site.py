"""The ground: its height and what covers it, as rasters in local metres.

Row 0 is the southern edge; sample (j, i) lies at ``low_m + (i, j) * step``.
"""

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, ByteArray, Float32Array

HEIGHT_STEP_M = 0.4
COVER_STEP_M = 0.1


class Cover(IntEnum):
    """Ground cover by number, as the shader knows it."""

    EARTH = 0
    ASPHALT = 1
    ALLEY = 2
    PAVEMENT = 3
    YARD = 4
    GARDEN = 5


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The box that the district covers, in local metres."""

    low_m: tuple[float, float]
    high_m: tuple[float, float]

    def shape(self, step_m: float) -> tuple[int, int]:
        """Rows and columns of a raster of this step over the box."""
        size = np.array(self.high_m) - self.low_m
        columns, rows = np.ceil(size / step_m).astype(int) + 1
        return int(rows), int(columns)

    def samples(self, step_m: float) -> tuple[Array, Array]:
        """East and north of every sample, each (rows, columns)."""
        rows, columns = self.shape(step_m)
        east = self.low_m[0] + np.arange(columns) * step_m
        north = self.low_m[1] + np.arange(rows) * step_m
        return np.asarray(np.meshgrid(east, north)[0]), np.asarray(np.meshgrid(east, north)[1])


def fill(
    raster: Float32Array | ByteArray,
    extent: Extent,
    step_m: float,
    outline: Array,
    value: float,
) -> None:
    """Set every sample inside a polygon of (N, 2) local metres."""
    index = (np.asarray(outline, float) - extent.low_m) / step_m
    points = np.round(index * 16).astype(np.int32)
    cv2.fillPoly(raster, [points], value, cv2.LINE_8, 4)


def at(raster: Float32Array, extent: Extent, step_m: float, xy_m: npt.ArrayLike) -> Array:
    """(N,) bilinear values of a raster at (N, 2) local metres, held constant beyond its edge."""
    last = np.array(raster.shape[::-1]) - 1.001
    index = np.clip((np.asarray(xy_m, float) - extent.low_m) / step_m, 0, last)
    column, row = index.astype(int).T
    right, up = (index - np.floor(index)).T
    south = raster[row, column] * (1 - right) + raster[row, column + 1] * right
    north = raster[row + 1, column] * (1 - right) + raster[row + 1, column + 1] * right
    return np.asarray(south * (1 - up) + north * up, float)


def rolling_m(extent: Extent, relief_m: float, seed: int) -> Float32Array:
    """(rows, columns) gently rolling bare ground with a range of about ``relief_m``, mean 0."""
    east, north = extent.samples(HEIGHT_STEP_M)
    rng = np.random.default_rng([seed, 21])
    height = np.zeros_like(east)
    for wavelength, share in ((310.0, 0.5), (170.0, 0.32), (75.0, 0.18)):
        angle, phase = rng.random(2) * 2 * np.pi
        along = east * np.cos(angle) + north * np.sin(angle)
        height += share * np.sin(2 * np.pi * along / wavelength + phase)
    return np.asarray(height * relief_m / 2, np.float32)


def smooth_noise(
    rng: np.random.Generator, extent: Extent, step_m: float, size_m: float
) -> Float32Array:
    """(rows, columns) values of about -1 to 1 whose patches are ``size_m`` across."""
    rows, columns = extent.shape(step_m)
    few = (max(4, int(columns * step_m / size_m) + 3), max(4, int(rows * step_m / size_m) + 3))
    coarse = rng.normal(0, 0.6, few[::-1]).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC))


@dataclass(frozen=True, kw_only=True)
class Heaps:
    """Rasters in HEIGHT_STEP_M; ``built`` (under a footprint) and ``density`` run from 0 to 1."""

    built: Float32Array
    density: Float32Array
    height_m: Float32Array


@dataclass(frozen=True, kw_only=True)
class TwinGround:
    """Rasters over the extent: ``cover`` and ``paint`` in COVER_STEP_M, the rest in HEIGHT_STEP_M.

    ``bare_m`` is the ground before heaps, kerbs and craters; ``height_m`` what is walked on.
    ``rubble``, ``scorch`` and ``built`` run from 0 to 1; ``kerb_m`` is the distance to the kerb,
    positive on the street; ``paint`` is road marking, 0 to 255.
    """

    extent: Extent
    bare_m: Float32Array
    height_m: Float32Array
    cover: ByteArray
    paint: ByteArray
    rubble: Float32Array
    scorch: Float32Array
    built: Float32Array
    kerb_m: Float32Array

    def placed(self, xy_m: npt.ArrayLike) -> Array:
        """(N, 3) places on the ground of (N, 2) local metres."""
        xy = np.asarray(xy_m, float).reshape(-1, 2)
        return np.column_stack([xy, at(self.height_m, self.extent, HEIGHT_STEP_M, xy)])

    def points_m(self) -> Array:
        """(rows, columns, 3) places of the HEIGHT_STEP_M samples, on what is walked on."""
        east, north = self.extent.samples(HEIGHT_STEP_M)
        return np.stack([east, north, self.height_m], -1)

    def value(self, raster: Float32Array, xy_m: Array) -> float:
        """The value of one of the HEIGHT_STEP_M rasters (rows, columns) at (2,) local metres."""
        return float(at(raster, self.extent, HEIGHT_STEP_M, xy_m[None])[0])

    def is_inside(self, xy_m: Array) -> bool:
        """Whether (2,) local metres lie within the extent, a step from its edge."""
        low, high = np.array(self.extent.low_m) + 1, np.array(self.extent.high_m) - 1
        return bool(np.all(xy_m > low) and np.all(xy_m < high))
