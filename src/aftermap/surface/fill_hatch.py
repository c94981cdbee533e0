"""The neutral hatch over ground whose height was filled, not measured: two greys at 45 degrees.

The hatch is drawn anew in every overview, with lines as wide in its pixels as in the map's, so it
stays a hatch at every scale and never fades into something that could be a photograph.
"""

import numpy as np

from aftermap.geo.arrays import BoolArray, ByteArray, Float32Array
from aftermap.geo.hatch import PAPER, PERIOD_PX, STROKE_FRACTION, hatched_grey

VEIL = 0.5
"""Share of the light grey over a photograph that is draped under the hatch."""


def hatched(
    image: ByteArray, filled: BoolArray, corner: tuple[int, int], *, draped: bool
) -> ByteArray:
    """(rows, columns, 4) red, green, blue, alpha with the hatch over the filled pixels.

    ``corner`` is the row and column of the first pixel in its raster, so that blocks join. Where
    ``draped``, pixels with a colour already (alpha above 0) keep it, veiled, between the lines.
    """
    rows, columns = image.shape[:2]
    greys = hatched_grey(rows, columns, *corner, PERIOD_PX)
    out = image.copy()
    out[filled, :3] = greys[filled, None]
    if draped:
        # A light line follows each dark one; the photograph shows in the third after them.
        stroke = round(STROKE_FRACTION * PERIOD_PX)
        light_line = hatched_grey(rows, columns, corner[0], corner[1] - stroke, PERIOD_PX)
        between = filled & (image[..., 3] > 0) & (greys == PAPER) & (light_line == PAPER)
        under = image[between, :3].astype(np.float32)
        out[between, :3] = np.round((1 - VEIL) * under + VEIL * PAPER)
    out[filled, 3] = 255
    return out


def next_overview(image: ByteArray, filled: BoolArray) -> tuple[ByteArray, BoolArray]:
    """The next overview before its hatch: (rows / 2, columns / 2, 4), and what of it is filled.

    A pixel is filled where at least half of what it shows is. Colours are the mean of those of its
    kind alone, weighted with alpha, so no grey runs into a photograph and none of it into the grey.
    """
    own = _in_fours(np.where(filled, 0, image[..., 3]).astype(np.float32))
    other = _in_fours(np.where(filled, image[..., 3], 0).astype(np.float32))
    area = _in_fours(filled.astype(np.float32)).sum(0) * 255
    is_filled = (area > 0) & (area >= own.sum(0))
    weight = np.where(is_filled, other, own)
    total = weight.sum(0)
    colours = np.stack([_in_fours(image[..., band].astype(np.float32)) for band in range(3)], -1)
    mean = (colours * weight[..., None]).sum(0) / np.maximum(total, 1)[..., None]
    out = np.empty((*is_filled.shape, 4), np.uint8)
    out[..., :3] = np.round(mean)
    out[..., 3] = np.round(np.where(is_filled, other.sum(0), own.sum(0)) / 4)
    return out, is_filled


def _in_fours(values: Float32Array) -> Float32Array:
    """(4, rows / 2, columns / 2) the pixels that become one, 0 beyond the border."""
    rows, columns = values.shape
    even = np.pad(values, ((0, rows % 2), (0, columns % 2)))
    return np.stack([even[0::2, 0::2], even[0::2, 1::2], even[1::2, 0::2], even[1::2, 1::2]])
