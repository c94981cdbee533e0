"""Compiled loops of the orthophoto: sources per pixel, and the pictures' colours there.

Positions are exact: every pixel is projected through the camera and its distortion on its own, and
read from the picture by a cubic through four by four pixels (Keys 1981, a = -1/2). Pixels count
from the outer corner.
"""

from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import (
    Array,
    ByteArray,
    Float32Array,
    Int16Array,
    Int32Array,
    IntArray,
    Uint16Array,
)
from aftermap.geo.compiled import compiled
from aftermap.geo.lens import folding_r2

NO_LABEL = -1
DOUBTFUL_WEIGHT, CLEAR_WEIGHT = 0.05, 1.0
MAYBE_COST = 100.0
BORDER_PX = 1.0
LEAN_LIMIT, SHADE_LIMIT = 1.5, 0.7
"""Brightness is not extrapolated to flatter views than were compared, nor beyond a factor of 2."""

# One row of numbers per picture.
ROTATION, POSITION, LENS, SIZE, SHADE, GAIN, NUMBERS = 0, 9, 12, 20, 22, 37, 40


class PixelGround(NamedTuple):
    """What the pixels of a block show.

    ``height`` (rows, columns) float32 metres in the map's CRS, NaN where nothing is drawn; ``cell``
    (rows, columns) int32 the surface cell that a pixel belongs to, counted by rows; ``corner`` (3,)
    east and north of the block's outer corner and a pixel's size, in metres.
    """

    height: Float32Array
    cell: Int32Array
    corner: Array


class PixelSources(NamedTuple):
    """Which pictures a block's pixels are taken from, all (rows, columns).

    ``main`` and ``second`` int16 count the pictures of the block, NO_LABEL where there is none;
    ``share`` float32 is the main one's, 0 to 1.
    """

    main: Int16Array
    second: Int16Array
    share: Float32Array


class PixelColours(NamedTuple):
    """Colours so far, times their weights, and where they came from.

    ``colour`` (rows, columns, 3) float32 blue, green, red; ``weight`` (rows, columns) float32;
    ``source`` (rows, columns) uint16.
    """

    colour: Float32Array
    weight: Float32Array
    source: Uint16Array


class PictureColours(NamedTuple):
    """One picture as it is read and evened out.

    ``numbers`` (NUMBERS,) are its camera and brightness; ``pixels`` (rows, columns, 3) uint8 blue,
    green, red, by ``scale`` (down, across) of its size; ``tone`` (rows, columns, 3) float32 its
    factors on nodes, the first pixel's centre at ``tone_first`` in nodes, ``tone_step`` apart.
    """

    numbers: Array
    pixels: ByteArray
    scale: tuple[float, float]
    tone: Float32Array
    tone_first: tuple[float, float]
    tone_step: float


@compiled
def choose_sources(
    labels: Uint16Array,
    cell_px: int,
    sharpness: float,
    seen: ByteArray,
    ground: PixelGround,
    out: PixelSources,
) -> None:
    """Fill ``out`` with the picture of every pixel, the one blended in near a cut, and the share.

    ``labels`` (cell rows + 2, cell columns + 2) uint16 counts the pictures of this block and
    reaches one cell beyond it on every side, ``seen`` (pictures, cells) uint8 is over surface
    cells. A picture that does not see a pixel is never its source; NO_LABEL where none of the
    labels around does.
    """
    height, cell, _ = ground
    main, second, share = out
    slot = np.empty(4, np.int64)
    weight = np.empty(4, np.float64)
    for i in range(height.shape[0]):
        y = (i + 0.5) / cell_px + 0.5
        r = int(y)
        for j in range(height.shape[1]):
            main[i, j] = NO_LABEL
            second[i, j] = NO_LABEL
            share[i, j] = 1.0
            if not height[i, j] > -np.inf:
                continue
            x = (j + 0.5) / cell_px + 0.5
            c = int(x)
            n = _weigh_labels(labels, (r, c), (y - r, x - c), seen, cell[i, j], slot, weight)
            if n == 0:
                continue
            best, next_best = _two_heaviest(weight, n)
            main[i, j] = slot[best]
            if next_best >= 0 and weight[next_best] > 0.0:
                lead = (weight[best] - weight[next_best]) / (weight[best] + weight[next_best])
                if lead * sharpness < 1.0:
                    second[i, j] = slot[next_best]
                    share[i, j] = 0.5 + 0.5 * lead * sharpness


@compiled
def _weigh_labels(
    labels: Uint16Array,
    at: tuple[int, int],
    part: tuple[float, float],
    seen: ByteArray,
    cell: int,
    slot: IntArray,
    weight: Array,
) -> int:
    """Fill in which of the four labels around a pixel see it, and their weights; how many."""
    n = 0
    for k in range(4):
        label = labels[at[0] + (k >> 1), at[1] + (k & 1)]
        if label >= seen.shape[0]:
            continue
        w = (part[0] if k >> 1 else 1 - part[0]) * (part[1] if k & 1 else 1 - part[1])
        level = seen[label, cell]
        if level == 0:
            continue
        w *= CLEAR_WEIGHT if level == 2 else DOUBTFUL_WEIGHT
        known = False
        for m in range(n):
            if slot[m] == label:
                weight[m] += w
                known = True
        if not known:
            slot[n] = label
            weight[n] = w
            n += 1
    return n


@compiled
def _two_heaviest(weight: Array, n: int) -> tuple[int, int]:
    best, next_best = 0, -1
    for m in range(1, n):
        if weight[m] > weight[best]:
            best, next_best = m, best
        elif next_best < 0 or weight[m] > weight[next_best]:
            next_best = m
    return best, next_best


@compiled
def offer_source(
    slot: int,
    picture: Array,
    seen: ByteArray,
    least: int,
    ground: PixelGround,
    cost: Float32Array,
    out: PixelSources,
) -> None:
    """Make a picture the source of pixels that it sees, at ``least`` so well, for a lower cost.

    Of views the steepest is the cheapest, and one that sees the pixel clearly goes before any that
    only may. ``picture`` (NUMBERS,) and ``seen`` (cells,) uint8 are this picture's; ``cost``
    (rows, columns) float32 is what each pixel's source costs so far.
    """
    height, cell, corner = ground
    main, second, _ = out
    for i in range(height.shape[0]):
        for j in range(height.shape[1]):
            level = seen[cell[i, j]]
            if level < least or cost[i, j] == -np.inf or not height[i, j] > -np.inf:
                continue
            east = corner[0] + (j + 0.5) * corner[2]
            north = corner[1] - (i + 0.5) * corner[2]
            x, y, lean_e, lean_n = _projected(picture, east, north, height[i, j])
            if not _is_inside(picture, x, y):
                continue
            own = lean_e**2 + lean_n**2 + (0.0 if level == 2 else MAYBE_COST)
            if own < cost[i, j]:
                cost[i, j] = own
                main[i, j] = slot
                second[i, j] = NO_LABEL


@compiled
def _is_inside(picture: Array, x: float, y: float) -> bool:
    """Whether a pixel lies in the picture, off its border."""
    width, tall = picture[SIZE], picture[SIZE + 1]
    return bool(BORDER_PX < x < width - BORDER_PX and BORDER_PX < y < tall - BORDER_PX)


@compiled
def _projected(
    picture: Array, east: float, north: float, up: float
) -> tuple[float, float, float, float]:
    """Pixel in the picture, and east and north over down of the line of sight; -1 for none."""
    x, y = east - picture[POSITION], north - picture[POSITION + 1]
    z = up - picture[POSITION + 2]
    depth = picture[6] * x + picture[7] * y + picture[8] * z
    if depth <= 0 or z >= 0:
        return -1.0, -1.0, 0.0, 0.0
    u = (picture[0] * x + picture[1] * y + picture[2] * z) / depth
    v = (picture[3] * x + picture[4] * y + picture[5] * z) / depth
    r2 = u * u + v * v
    if r2 >= folding_r2(picture[LENS + 4], picture[LENS + 5]):
        return -1.0, -1.0, 0.0, 0.0
    radial = 1 + r2 * (picture[LENS + 4] + r2 * picture[LENS + 5])
    p1, p2 = picture[LENS + 6], picture[LENS + 7]
    a = u * radial + 2 * p1 * u * v + p2 * (r2 + 2 * u * u)
    b = v * radial + 2 * p2 * u * v + p1 * (r2 + 2 * v * v)
    return (
        picture[LENS] * a + picture[LENS + 2],
        picture[LENS + 1] * b + picture[LENS + 3],
        -x / z,
        -y / z,
    )


@compiled
def add_colours(
    slot: int,
    index: int,
    picture: PictureColours,
    ground: PixelGround,
    sources: PixelSources,
    out: PixelColours,
) -> None:
    """Add one picture's colours where it is a pixel's main or second source.

    ``slot`` is its place among the pictures of the block, ``index`` that among all.
    """
    numbers, pixels, scale, tone, first, step = picture
    height, _, corner = ground
    main, second, share = sources
    colour, weight, source = out
    half = 0.25 * (numbers[SIZE] ** 2 + numbers[SIZE + 1] ** 2)
    factor = np.empty(3, np.float64)
    for i in range(height.shape[0]):
        north = corner[1] - (i + 0.5) * corner[2]
        for j in range(height.shape[1]):
            if main[i, j] == slot:
                part = share[i, j]
            elif second[i, j] == slot:
                part = np.float32(1.0) - share[i, j]
            else:
                continue
            east = corner[0] + (j + 0.5) * corner[2]
            x, y, lean_e, lean_n = _projected(numbers, east, north, height[i, j])
            if not _is_inside(numbers, x, y):
                continue
            away_x, away_y = x - numbers[LENS + 2], y - numbers[LENS + 3]
            _brightness(numbers, (away_x * away_x + away_y * away_y) / half, lean_e, lean_n, factor)
            _apply_tone(tone, first[0] + i * step, first[1] + j * step, factor)
            _add_colour(pixels, x * scale[1] - 0.5, y * scale[0] - 0.5, factor, part, colour[i, j])
            if part >= 0.5 or weight[i, j] == 0:
                source[i, j] = index
            weight[i, j] += part


@compiled
def _brightness(picture: Array, r2: float, lean_e: float, lean_n: float, factor: Array) -> None:
    """The factors of :class:`balance.Exposure` for one pixel."""
    lean_e = min(max(lean_e, -LEAN_LIMIT), LEAN_LIMIT)
    lean_n = min(max(lean_n, -LEAN_LIMIT), LEAN_LIMIT)
    for channel in range(3):
        at = SHADE + 5 * channel
        shade = r2 * (picture[at] + r2 * (picture[at + 1] + r2 * picture[at + 2]))
        shade += picture[at + 3] * lean_e + picture[at + 4] * lean_n
        shade = min(max(shade, -SHADE_LIMIT), SHADE_LIMIT)
        factor[channel] = picture[GAIN + channel] * np.exp(shade)


@compiled
def _apply_tone(tone: Float32Array, y: float, x: float, factor: Array) -> None:
    """Multiply with the tone, bilinear between the centres of nodes."""
    y = min(max(y - 0.5, 0.0), tone.shape[0] - 1.0)
    x = min(max(x - 0.5, 0.0), tone.shape[1] - 1.0)
    r, c = min(int(y), tone.shape[0] - 2), min(int(x), tone.shape[1] - 2)
    dy, dx = y - r, x - c
    for channel in range(3):
        upper = (1 - dx) * tone[r, c, channel] + dx * tone[r, c + 1, channel]
        lower = (1 - dx) * tone[r + 1, c, channel] + dx * tone[r + 1, c + 1, channel]
        factor[channel] *= (1 - dy) * upper + dy * lower


@compiled
def _add_colour(
    pixels: ByteArray, x: float, y: float, factor: Array, part: float, out: Float32Array
) -> None:
    """Add a picture's colour at a position (first pixel's centre at 0), cubic, times its factor."""
    rows, columns = pixels.shape[0], pixels.shape[1]
    left, top = int(np.floor(x)), int(np.floor(y))
    dx, dy = x - left, y - top
    wx0, wx1, wx2, wx3 = _cubic(dx)
    wy0, wy1, wy2, wy3 = _cubic(dy)
    c0, c1 = max(left - 1, 0), min(max(left, 0), columns - 1)
    c2, c3 = min(left + 1, columns - 1), min(left + 2, columns - 1)
    for channel in range(3):
        total = 0.0
        for k in range(4):
            r = min(max(top - 1 + k, 0), rows - 1)
            line = (
                wx0 * pixels[r, c0, channel]
                + wx1 * pixels[r, c1, channel]
                + wx2 * pixels[r, c2, channel]
                + wx3 * pixels[r, c3, channel]
            )
            total += line * (wy0 if k == 0 else wy1 if k == 1 else wy2 if k == 2 else wy3)
        out[channel] += np.float32(part * factor[channel] * total)


@compiled
def _cubic(t: float) -> tuple[float, float, float, float]:
    """Weights of the pixels at -1, 0, 1 and 2 (Keys 1981, a = -1/2)."""
    a = ((-0.5 * t + 1.0) * t - 0.5) * t
    b = (1.5 * t - 2.5) * t * t + 1.0
    c = ((-1.5 * t + 2.0) * t + 0.5) * t
    return a, b, c, 1.0 - a - b - c
