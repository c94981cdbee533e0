"""Compiled loops of the orthophoto: heights and sources per pixel, and the pictures' colours there.

Positions are exact: every pixel is projected through the camera and its distortion on its own, and
read from the picture by a cubic through four by four pixels (Keys 1981, a = -1/2). Pixels count
from the outer corner.
"""

import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array, Int16Array, Int32Array, Uint16Array
from aftermap.geo.compiled import compiled
from aftermap.geo.lens import folding_r2
from aftermap.surface.drawable import MEASURED

NO_LABEL = -1
DOUBTFUL_WEIGHT, CLEAR_WEIGHT = 0.05, 1.0
MAYBE_COST = 100.0
STEEP_CELLS = 2.0
BORDER_PX = 1.0
LEAN_LIMIT, SHADE_LIMIT = 1.5, 0.7
"""Brightness is not extrapolated to flatter views than were compared, nor beyond a factor of 2."""

SORTS = 2 * (MEASURED + 1)
"""Of cells: what is drawn of them, and above or below the middle of a step."""
# One row of numbers per picture.
ROTATION, POSITION, LENS, SIZE, SHADE, GAIN, NUMBERS = 0, 9, 12, 20, 22, 37, 40


@compiled
def heights_at_pixels(
    surface: Float32Array,
    kinds: ByteArray,
    first: tuple[float, float],
    step: float,
    cell_m: float,
    out: Float32Array,
    cell: Int32Array,
) -> None:
    """Heights per pixel from surface cells, and which of them (counted by rows) each belongs to.

    ``first`` is the first pixel's centre in cells, ``kinds`` how a cell is drawn. Bilinear within
    one surface of one kind. Where the four cells around lie on two (a roof and the street below,
    measured ground and filled), a pixel belongs to the one that has most of the cells around it,
    weighted by a cubic B-spline, so that a straight edge is straight at the size of pixels; between
    a roof and a street is only a wall, which has no place in the plan. No pixel of a filled or
    empty cell comes to belong to a measured one. NaN where a pixel belongs to an empty cell.
    """
    rows, columns = surface.shape
    for i in range(out.shape[0]):
        y = first[0] + i * step
        row = min(max(int(np.floor(y)), 0), rows - 1)
        top = min(max(int(np.floor(y - 0.5)), 0), rows - 2)
        dy = min(max(y - 0.5 - top, 0.0), 1.0)
        for j in range(out.shape[1]):
            x = first[1] + j * step
            column = min(max(int(np.floor(x)), 0), columns - 1)
            left = min(max(int(np.floor(x - 0.5)), 0), columns - 2)
            dx = min(max(x - 0.5 - left, 0.0), 1.0)
            cell[i, j] = row * columns + column
            if kinds[row, column] == 0:
                out[i, j] = np.nan
                continue
            a, b = surface[top, left], surface[top, left + 1]
            c, d = surface[top + 1, left], surface[top + 1, left + 1]
            spread = max(a, b, c, d) - min(a, b, c, d) + 0 * (a + b + c + d)  # NaN if one is
            kind = kinds[top, left]
            alike = kind == kinds[top, left + 1] == kinds[top + 1, left] == kinds[top + 1, left + 1]
            if alike and spread < STEEP_CELLS * cell_m:
                out[i, j] = (1 - dy) * ((1 - dx) * a + dx * b) + dy * ((1 - dx) * c + dx * d)
            else:
                _at_edge(
                    surface, kinds, (top, left), (dy, dx), STEEP_CELLS * cell_m, (i, j), out, cell
                )


@compiled
def _at_edge(  # noqa: C901 - a compiled loop is clearer whole
    surface: Float32Array,
    kinds: ByteArray,
    corner: tuple[int, int],
    part: tuple[float, float],
    steep: float,
    at: tuple[int, int],
    out: Float32Array,
    cell: Int32Array,
) -> None:
    """Height and cell of one pixel where surfaces or kinds meet between four cells.

    Cells are sorted by kind, and by whether they are above the middle of a step in height.
    """
    rows, columns = surface.shape
    top, left = corner
    own = cell[at]
    low, high = np.inf, -np.inf
    for k in range(4):
        z = surface[top + (k >> 1), left + (k & 1)]
        if z > -np.inf:
            low, high = min(low, z), max(high, z)
    middle = 0.5 * (low + high) if high - low >= steep else np.inf
    across, down = _spline(part[1]), _spline(part[0])
    sums = np.zeros(SORTS, np.float64)
    for r in range(4):
        row = min(max(top - 1 + r, 0), rows - 1)
        for c in range(4):
            column = min(max(left - 1 + c, 0), columns - 1)
            sums[_sort(surface[row, column], kinds[row, column], middle)] += down[r] * across[c]
    own_z, own_kind = surface[own // columns, own % columns], kinds[own // columns, own % columns]
    mine = _sort(own_z, own_kind, middle)
    best = mine
    for sort in range(SORTS):
        if sums[sort] > sums[best] and (sort >> 1) <= (mine >> 1):
            best = sort
    total, weights, nearest = 0.0, 0.0, -1.0
    for k in range(4):
        row, column = top + (k >> 1), left + (k & 1)
        if _sort(surface[row, column], kinds[row, column], middle) == best:
            near = 1e-6 + (part[0] if k >> 1 else 1 - part[0]) * (part[1] if k & 1 else 1 - part[1])
            total += near * surface[row, column]
            weights += near
            if near > nearest:
                nearest = near
                cell[at] = row * columns + column
    if weights == 0.0:  # none of the four: it stays with its own
        out[at] = own_z
    else:
        out[at] = np.nan if best < 2 else total / weights


@compiled
def _sort(z: float, kind: int, middle: float) -> int:
    """A cell's kind, and whether it lies above the middle of the step that is looked at."""
    return 2 * int(kind) + (1 if z > middle else 0)


@compiled
def _spline(t: float) -> tuple[float, float, float, float]:
    """Weights of the cells at -1, 0, 1 and 2 (uniform cubic B-spline)."""
    s = 1.0 - t
    b = (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0
    c = (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0
    return s * s * s / 6.0, b, c, t * t * t / 6.0


@compiled
def sources(  # noqa: C901, PLR0913, PLR0917 - a compiled loop is clearer whole
    labels: Uint16Array,
    cell_px: int,
    sharpness: float,
    seen: ByteArray,
    cell: Int32Array,
    height: Float32Array,
    main: Int16Array,
    second: Int16Array,
    share: Float32Array,
) -> None:
    """The picture of every pixel, the one blended into it near a cut, and the first one's share.

    ``labels`` (cell rows + 2, cell columns + 2) counts the pictures of this block and reaches one
    cell beyond it on every side, ``seen`` (pictures, cells) is over surface cells and ``cell``
    says which of them a pixel belongs to. A picture that does not see a pixel is never its source;
    NO_LABEL where none of the labels around does.
    """
    slot = np.empty(4, np.int64)
    weight = np.empty(4, np.float64)
    for i in range(height.shape[0]):
        y = (i + 0.5) / cell_px + 0.5
        r = int(y)
        dy = y - r
        for j in range(height.shape[1]):
            main[i, j] = NO_LABEL
            second[i, j] = NO_LABEL
            share[i, j] = 1.0
            if not height[i, j] > -np.inf:
                continue
            x = (j + 0.5) / cell_px + 0.5
            c = int(x)
            dx = x - c
            n = 0
            for k in range(4):
                label = labels[r + (k >> 1), c + (k & 1)]
                if label >= seen.shape[0]:
                    continue
                w = (dy if k >> 1 else 1 - dy) * (dx if k & 1 else 1 - dx)
                level = seen[label, cell[i, j]]
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
def _two_heaviest(weight: Array, n: int) -> tuple[int, int]:
    best, next_best = 0, -1
    for m in range(1, n):
        if weight[m] > weight[best]:
            best, next_best = m, best
        elif next_best < 0 or weight[m] > weight[next_best]:
            next_best = m
    return best, next_best


@compiled
def offer_source(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    slot: int,
    picture: Array,
    seen: ByteArray,
    cell: Int32Array,
    corner: Array,
    height: Float32Array,
    least: int,
    cost: Float32Array,
    main: Int16Array,
    second: Int16Array,
) -> None:
    """Make a picture the source of pixels that it sees, at ``least`` so well, for a lower cost.

    Of views the steepest is the cheapest, and one that sees the pixel clearly goes before any that
    only may. ``seen`` (cells,) is this picture's, ``corner`` is east and north of the block and the
    pixel's size.
    """
    for i in range(height.shape[0]):
        for j in range(height.shape[1]):
            level = seen[cell[i, j]]
            if level < least or cost[i, j] == -np.inf or not height[i, j] > -np.inf:
                continue
            east = corner[0] + (j + 0.5) * corner[2]
            north = corner[1] - (i + 0.5) * corner[2]
            x, y, lean_e, lean_n = _projected(picture, east, north, height[i, j])
            width, tall = picture[SIZE], picture[SIZE + 1]
            if not (BORDER_PX < x < width - BORDER_PX and BORDER_PX < y < tall - BORDER_PX):
                continue
            own = lean_e**2 + lean_n**2 + (0.0 if level == 2 else MAYBE_COST)
            if own < cost[i, j]:
                cost[i, j] = own
                main[i, j] = slot
                second[i, j] = NO_LABEL


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
def laid_down(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    slot: int,
    picture: Array,
    index: int,
    pixels: ByteArray,
    scale: tuple[float, float],
    tone: Float32Array,
    tone_first: tuple[float, float],
    tone_step: float,
    corner: Array,
    height: Float32Array,
    main: Int16Array,
    second: Int16Array,
    share: Float32Array,
    colour: Float32Array,
    weight: Float32Array,
    source: Uint16Array,
) -> None:
    """Add one picture's colours where it is a pixel's main or second source.

    ``pixels`` is the picture, by ``scale`` (down, across) of its size; ``tone`` its factors on
    nodes, the first pixel's centre at ``tone_first`` in nodes.
    """
    half = 0.25 * (picture[SIZE] ** 2 + picture[SIZE + 1] ** 2)
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
            x, y, lean_e, lean_n = _projected(picture, east, north, height[i, j])
            if not (
                BORDER_PX < x < picture[SIZE] - BORDER_PX
                and BORDER_PX < y < picture[SIZE + 1] - BORDER_PX
            ):
                continue
            away_x, away_y = x - picture[LENS + 2], y - picture[LENS + 3]
            _brightness(picture, (away_x * away_x + away_y * away_y) / half, lean_e, lean_n, factor)
            _apply_tone(tone, tone_first[0] + i * tone_step, tone_first[1] + j * tone_step, factor)
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
