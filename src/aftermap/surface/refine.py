"""Inverse distances of a view's pixels -> the same to a fraction of a pixel, and who looks alike.

What looks unlike in every source is dropped: aggregation along paths carries a roof across a court.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap.surface.refine_kernel import levelled, sample_source

WINDOW_PX = 5
LEAST_CORRELATION = 0.5
TEXTURE_GREY = 2.5
"""Standard deviation of grey below which a window proves nothing either way."""
SMOOTH_REACH_PX = 16
"""How far what has no texture may lie from what looks alike: a plain roof, but no sky."""
LEAST_POWER = 2.0
"""Of the slope of grey over one plane, squared, in a window; below it nothing is refined."""
MOST_PLANES = 0.75
FARTHEST_PLANES = 2.0
LEVEL_PLANES, LEVEL_REACH_PX = 2.5, 3
MOST_CONTRAST = 2.0
"""Pictures of one place differ in contrast by no more than this factor."""


def refined(
    grey: ByteArray,
    inverse: Float32Array,
    step: float,
    sources: Sequence[ByteArray],
    warps: Array,
    *,
    rounds: int = 2,
) -> Float32Array:
    """(rows, columns) refined inverse distance w, 1 / m, NaN where unlike every source.

    ``grey`` and ``sources`` are pictures (rows, columns), ``warps`` (sources, 2, 3, 3) as in
    :func:`warps_of`; ``inverse`` (rows, columns) is w with NaN for none, ``step`` the w of one
    plane.
    """
    best = levelled(inverse, LEVEL_PLANES * step, LEVEL_REACH_PX)
    alike = np.zeros(grey.shape, np.uint8)
    reference = _Window(grey.astype(np.float32))
    for _ in range(rounds):
        numerator, denominator = np.zeros(grey.shape, np.float32), np.zeros_like(best)
        alike[:] = 0
        for source, warp in zip(sources, warps, strict=True):
            _add_source(reference, best, step, source, warp, numerator, denominator, alike)
        move = np.where(
            denominator > LEAST_POWER, numerator / np.maximum(denominator, LEAST_POWER), 0
        )
        move = np.clip(move, -MOST_PLANES, MOST_PLANES)
        moved = best + np.float32(step) * move
        far = np.abs(moved - inverse) > FARTHEST_PLANES * step
        best = levelled(np.where(far, best, moved).astype(np.float32), step, 1)
    reach = np.ones((2 * SMOOTH_REACH_PX + 1, 2 * SMOOTH_REACH_PX + 1), np.uint8)
    near = cv2.dilate((alike > 0).astype(np.uint8), reach) > 0
    smooth = (reference.deviation < TEXTURE_GREY) & near
    return np.where((alike > 0) | smooth, best, np.nan).astype(np.float32)


class _Window:
    """A picture with the mean and deviation of the window around every pixel."""

    def __init__(self, picture: Float32Array) -> None:
        self.picture = picture
        self.mean = _mean(picture)
        self.variance = np.maximum(_mean(picture * picture) - self.mean * self.mean, 0)
        self.deviation = np.sqrt(self.variance)


def _add_source(
    reference: _Window,
    inverse: Float32Array,
    step: float,
    source: ByteArray,
    warp: Array,
    numerator: Float32Array,
    denominator: Float32Array,
    alike: ByteArray,
) -> None:
    """Add the normal equations of one source, where it looks alike."""
    shape = inverse.shape
    nearer, farther = np.empty(shape, np.float32), np.empty(shape, np.float32)
    seen, also = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    size = source.shape[0], source.shape[1]
    flat = source.ravel()
    sample_source(flat, size, warp, inverse, 0.25 * step, nearer, seen)
    sample_source(flat, size, warp, inverse, -0.25 * step, farther, also)
    there = (seen & also).astype(np.float32)
    slope = (nearer - farther) * 2
    shown = (nearer + farther) * np.float32(0.5)
    shown = np.where(there > 0, shown, reference.picture)
    slope *= there
    mean = _mean(shown)
    variance = np.maximum(_mean(shown * shown) - mean * mean, 0)
    covariance = _mean(reference.picture * shown) - reference.mean * mean
    correlation = covariance / np.sqrt(np.maximum(reference.variance * variance, 1e-3))
    good = (there > 0) & (correlation > LEAST_CORRELATION)
    good &= reference.deviation >= TEXTURE_GREY
    contrast = np.sqrt(np.maximum(reference.variance, 1) / np.maximum(variance, 1))
    contrast = np.clip(contrast, 1 / MOST_CONTRAST, MOST_CONTRAST)
    mean_slope = _mean(slope)
    towards = _mean(slope * reference.picture) - mean_slope * reference.mean
    away = _mean(slope * shown) - mean_slope * mean
    cross = (towards - contrast * away) * contrast
    power = (_mean(slope * slope) - mean_slope * mean_slope) * contrast * contrast
    numerator += np.where(good, cross, 0)
    denominator += np.where(good, power, 0)
    alike += good.astype(np.uint8)


def _mean(values: Float32Array) -> Float32Array:
    window = (WINDOW_PX, WINDOW_PX)
    return np.asarray(cv2.boxFilter(values, cv2.CV_32F, window), np.float32)
