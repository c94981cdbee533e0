"""Heights to a shaded relief, and counts to a map of classes: arrays in, (rows, columns, 4) out.

The shade is Lambert's cosine for light from the north-west and, weaker, three more directions, so
that no slope is lost in the dark (after Mark 1992, USGS Open-File Report 92-422). Alpha is 0 where
there is nothing.
"""

import numpy as np

from aftermap.geo.arrays import BoolArray, ByteArray, Float32Array, FloatingArray
from aftermap.geo.hatch import PERIOD_PX, hatched_grey
from aftermap.publish.shared.ramps import CIVIDIS, coloured

LIGHTS = ((315.0, 0.55), (270.0, 0.15), (360.0, 0.2), (225.0, 0.1))
"""Azimuth in degrees from north, and weight."""

LIGHT_ALTITUDE_DEG = 40.0
AMBIENT = 0.25


def hillshade(height_m: Float32Array, cell_m: float) -> Float32Array:
    """(rows, columns) brightness 0..1; level ground is about 0.64."""
    north, east = -_slope(height_m, 0) / cell_m, _slope(height_m, 1) / cell_m
    length = np.sqrt(north**2 + east**2 + 1)
    up = np.radians(LIGHT_ALTITUDE_DEG)
    total = np.zeros(height_m.shape, np.float32)
    for azimuth_deg, weight in LIGHTS:
        azimuth = np.radians(azimuth_deg)
        along = -east * np.sin(azimuth) - north * np.cos(azimuth)
        total += weight * np.clip((along * np.cos(up) + np.sin(up)) / length, 0, 1)
    return np.asarray(total, np.float32)


def _slope(height_m: Float32Array, axis: int) -> Float32Array:
    """Rise per cell along an axis: the mean of the steps to both neighbours, of those known."""
    step = np.diff(height_m, axis=axis)
    known = np.isfinite(step)
    before = [(1, 0) if each == axis else (0, 0) for each in range(2)]
    after = [(0, 1) if each == axis else (0, 0) for each in range(2)]
    step = np.where(known, step, 0)
    total = np.pad(step, before) + np.pad(step, after)
    count = np.pad(known, before).astype(np.float32) + np.pad(known, after)
    return np.asarray(total / np.maximum(count, 1), np.float32)


def relief(height_m: Float32Array, cell_m: float, low_m: float, high_m: float) -> ByteArray:
    """(rows, columns, 4) shaded colours of (rows, columns) heights in metres."""
    share = (height_m - low_m) / max(high_m - low_m, 1e-6)
    light = hillshade(height_m, cell_m)[..., None] / np.sin(np.radians(LIGHT_ALTITUDE_DEG))
    light = AMBIENT + (1 - AMBIENT) * light
    colour = 0.78 * coloured(share, CIVIDIS) + 0.22 * 255
    lit = np.where(light < 1, colour * light, colour + (255 - colour) * (light - 1) * 0.9)
    return with_alpha(lit, np.isfinite(height_m))


def with_hatch(picture: ByteArray, filled: BoolArray) -> ByteArray:
    """(rows, columns, 4) colours with the hatch over the cells of a (rows, columns) mask."""
    rows, columns = filled.shape
    grey = hatched_grey(rows, columns, 0, 0, PERIOD_PX)
    out = picture.copy()
    out[filled, :3] = grey[filled, None]
    out[filled, 3] = 255
    return out


def with_alpha(rgb: FloatingArray, shown: BoolArray) -> ByteArray:
    """(rows, columns, 4) uint8: colours of 0 to 255, opaque where shown and clear elsewhere."""
    alpha = np.where(shown, 255, 0)[..., None]
    return np.concatenate([np.clip(rgb, 0, 255) * (alpha > 0), alpha], axis=-1).astype(np.uint8)
