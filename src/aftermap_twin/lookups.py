"""Look-ups that the shader is made of, compiled: tiles, rasters, and numbers by place.

Colours are linear RGB in a (3,) float32 array that is changed in place, as inner loops must.
"""

import math
from typing import Any, NamedTuple

from aftermap.geo.compiled import allocation_free

FINE, SMOOTH, CRACKS, CELLS = range(4)
"""Planes of the noise tile."""
NOISE_SIZE, NOISE_LEVELS = 512, 4
STONE_SIZE, STONE_LEVELS = 1024, 5
"""Texels along a side of a tile at its finest, and how many mip levels it has."""


class Textures(NamedTuple):
    """Tiles, one mip level after the other, finest first.

    ``noise`` is (4, texels) with mean 0 and standard deviation 1; ``stones`` (texels, 4) is linear
    RGB and a rank in 0..1: a stone shows where the density of rubble exceeds its rank.
    """

    noise: Any
    stones: Any


class GroundRasters(NamedTuple):
    """Rasters of the ground with the south-west sample at ``low``, and the marks (M, 3).

    ``ground_kind`` is the material of the ground beside them, ``tint`` (3,) what its colours are
    multiplied by.
    """

    low: Any
    cover: Any
    cover_step: float
    paint: Any
    rubble: Any
    scorch: Any
    kerb: Any
    slope_x: Any
    slope_y: Any
    step: float
    sky: Any
    sky_step: float
    marks: Any
    ground_kind: int
    tint: Any


@allocation_free
def noise_at(tiles: Any, plane: int, x: float, y: float, period: float, step: float) -> float:
    """Value of a noise tile that repeats every ``period`` metres, filtered to a ``step``."""
    size, first, texel = NOISE_SIZE, 0, period / NOISE_SIZE
    while size > NOISE_SIZE >> (NOISE_LEVELS - 1) and texel * 1.4 < step:
        first += size * size
        size >>= 1
        texel *= 2.0
    u, v = x / texel, y / texel
    fu, fv = math.floor(u), math.floor(v)
    du, dv = u - fu, v - fv
    i, j = fu & (size - 1), fv & (size - 1)
    i1 = (i + 1) & (size - 1)
    row, above = first + j * size, first + ((j + 1) & (size - 1)) * size
    low = tiles[plane, row + i] * (1 - du) + tiles[plane, row + i1] * du
    high = tiles[plane, above + i] * (1 - du) + tiles[plane, above + i1] * du
    return float(low * (1 - dv) + high * dv)


@allocation_free
def stone_at(
    tiles: Any, x: float, y: float, period: float, step: float
) -> tuple[float, float, float, float]:
    """Colour and rank of the stone tile. North is up in it: its shadows are baked."""
    size, first, texel = STONE_SIZE, 0, period / STONE_SIZE
    while size > STONE_SIZE >> (STONE_LEVELS - 1) and texel * 1.4 < step:
        first += size * size
        size >>= 1
        texel *= 2.0
    u, v = x / texel, -y / texel
    fu, fv = math.floor(u), math.floor(v)
    du, dv = u - fu, v - fv
    i, j = fu & (size - 1), fv & (size - 1)
    i1 = (i + 1) & (size - 1)
    row, below = first + j * size, first + ((j + 1) & (size - 1)) * size
    p, q, r, s = row + i, row + i1, below + i, below + i1
    a, b, c, d = (1 - du) * (1 - dv), du * (1 - dv), (1 - du) * dv, du * dv
    return (
        tiles[p, 0] * a + tiles[q, 0] * b + tiles[r, 0] * c + tiles[s, 0] * d,
        tiles[p, 1] * a + tiles[q, 1] * b + tiles[r, 1] * c + tiles[s, 1] * d,
        tiles[p, 2] * a + tiles[q, 2] * b + tiles[r, 2] * c + tiles[s, 2] * d,
        tiles[p, 3] * a + tiles[q, 3] * b + tiles[r, 3] * c + tiles[s, 3] * d,
    )


@allocation_free
def field_at(raster: Any, x: float, y: float, low: Any, step: float) -> float:
    """Bilinear value of a raster of the district, held constant beyond its edge."""
    u = min(max((x - low[0]) / step, 0.0), raster.shape[1] - 1.001)
    v = min(max((y - low[1]) / step, 0.0), raster.shape[0] - 1.001)
    i, j = int(u), int(v)
    du, dv = u - i, v - j
    south = raster[j, i] * (1 - du) + raster[j, i + 1] * du
    north = raster[j + 1, i] * (1 - du) + raster[j + 1, i + 1] * du
    return float(south * (1 - dv) + north * dv)


@allocation_free
def random_of(a: int, b: int, c: int) -> float:
    """A number in 0..1 that belongs to three whole numbers."""
    h = (a * 374761393 + b * 668265263 + c * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 2246822519) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFFFF) / 16777216.0


@allocation_free
def mix(out: Any, r: float, g: float, b: float, share: float) -> None:
    """Cover a colour with another by a share, held to 0..1."""
    share = min(max(share, 0.0), 1.0)
    out[0] += (r - out[0]) * share
    out[1] += (g - out[1]) * share
    out[2] += (b - out[2]) * share


@allocation_free
def paint(out: Any, r: float, g: float, b: float, gain: float) -> None:
    """Start from a colour times a gain."""
    out[0], out[1], out[2] = r * gain, g * gain, b * gain


@allocation_free
def scale(out: Any, gain: float) -> None:
    """Lighten or darken a colour."""
    gain = max(gain, 0.05)
    out[0] *= gain
    out[1] *= gain
    out[2] *= gain


@allocation_free
def pave(out: Any, x: float, y: float, side: float, joint: float, vary: float) -> None:
    """Darken joints between square slabs and give every slab its own tone."""
    u, v = x / side, y / side
    fu, fv = math.floor(u), math.floor(v)
    edge = min(u - fu, 1 - u + fu, v - fv, 1 - v + fv) * side
    scale(out, 1 + vary * (random_of(int(fu), int(fv), 7) - 0.5))
    if edge < joint:
        scale(out, 0.72)


@allocation_free
def strew(
    stones: Any, x: float, y: float, density: float, coarse: float, step: float, out: Any
) -> None:
    """Lay broken stone over a colour where its rank lies below the density."""
    if density <= 0.005:
        return
    found = stone_at(stones, x, y, 43.0 if coarse > 0.55 else 19.0, step)
    share = (density * 1.05 - found[3]) * 14 + 0.5
    mix(out, found[0], found[1], found[2], share)
