"""The colour of a village's surfaces, by place in the world (linear RGB albedo, compiled).

``row`` is one of ``materials.SurfaceRows``; ``step`` the size on the surface, in metres, of what
one ray stands for.
"""

import math
from typing import Any

from aftermap.geo.compiled import allocation_free
from aftermap_twin.lookups import (
    CRACKS,
    FINE,
    SMOOTH,
    GroundRasters,
    Textures,
    field_at,
    mix,
    noise_at,
    paint,
    random_of,
    scale,
)


@allocation_free
def village_paint(
    place: Any,
    kind: int,
    tone: Any,
    row: Any,
    site: GroundRasters,
    textures: Textures,
    out: Any,
) -> None:
    """One of the materials 20 to 39 at a ``shading.HitPoint``, into ``out`` (3,)."""
    x, y, z, step = place.x, place.y, place.z, place.step
    if kind == 20:
        _land(x, y, step, site, textures, out)
    elif kind == 21:
        _covering(x, y, z, step, row, textures, out)
    elif kind == 22:
        _masonry(x, y, z, step, row, textures, out)
    elif kind == 24:
        _loft(x, y, step, row, textures, out)
    else:
        _piece(x, y, z, step, kind, tone, textures, out)


@allocation_free
def _land(
    x: float, y: float, step: float, site: GroundRasters, textures: Textures, out: Any
) -> None:
    """Grass, trodden earth, tarred road or track; shards and stones where houses fell."""
    i = min(max(int((x - site.low[0]) / site.cover_step + 0.5), 0), site.cover.shape[1] - 1)
    j = min(max(int((y - site.low[1]) / site.cover_step + 0.5), 0), site.cover.shape[0] - 1)
    cover = site.cover[j, i]
    fine = noise_at(textures.noise, FINE, x, y, 13.9, step)
    mid = noise_at(textures.noise, SMOOTH, y, x, 9.7, step)
    broad = noise_at(textures.noise, SMOOTH, x + 31.0, y, 57.0, step)
    if cover == 1:
        paint(out, 0.20, 0.195, 0.19, 1 + 0.14 * fine + 0.1 * mid)
        mix(out, 0.36, 0.32, 0.26, 0.18 + 0.22 * broad)
        scale(out, 1 - 0.3 * noise_at(textures.noise, CRACKS, x, y, 37.0, step))
    elif cover == 2:
        paint(out, 0.40, 0.34, 0.255, 1 + 0.12 * fine + 0.16 * mid)
        mix(out, 0.15, 0.17, 0.07, 0.9 * (broad + 0.4 * mid - 0.5))
    elif cover == 4:
        paint(out, 0.345, 0.285, 0.205, 1 + 0.13 * fine + 0.13 * mid)
        mix(out, 0.17, 0.185, 0.075, 0.7 * (mid + 0.5 * fine - 0.2))
    elif cover == 0:
        ridge = math.sin((x * 0.8 + y * 0.6) * 2 * math.pi / 0.9)
        paint(out, 0.27, 0.205, 0.135, 1 + 0.15 * fine + 0.08 * ridge + 0.1 * broad)
        mix(out, 0.12, 0.165, 0.05, 0.6 * (ridge + mid))
    else:
        paint(out, 0.145, 0.175, 0.062, 1 + 0.22 * fine + 0.18 * mid)
        mix(out, 0.34, 0.30, 0.15, 0.35 + 0.4 * broad + 0.2 * mid)
    density = field_at(site.rubble, x, y, site.low, site.step)
    if density > 0.02:
        _shards(x, y, density, step, textures, out)
    burnt = field_at(site.scorch, x, y, site.low, site.step)
    mix(out, 0.05, 0.047, 0.044, burnt * (0.75 + 0.3 * mid))


@allocation_free
def _shards(x: float, y: float, density: float, step: float, textures: Textures, out: Any) -> None:
    """Broken tile, stone, plaster and dust by cells of two sizes."""
    mid = noise_at(textures.noise, SMOOTH, x, y, 5.1, step)
    mix(out, 0.37, 0.33, 0.275, 1.2 * density + 0.25 * mid * density)
    for size, salt in ((0.55, 11), (0.24, 23)):
        wobble = noise_at(textures.noise, FINE, x * 1.3, y * 1.3, 9.0, step) * 0.12
        u, v = (x * 0.94 + y * 0.34) / size + wobble, (-x * 0.34 + y * 0.94) / size - wobble
        i, j = math.floor(u), math.floor(v)
        lot = random_of(int(i), int(j), salt)
        if lot > density * 0.85:
            continue
        du, dv = u - i - 0.5, v - j - 0.5
        turn = random_of(int(i), int(j), salt + 1)
        reach = 0.24 + 0.24 * turn
        if abs(du) + abs(dv) * (0.6 + turn) > reach + 0.12:
            continue
        hue = random_of(int(i), int(j), salt + 2)
        lit = 0.75 + 0.5 * random_of(int(i), int(j), salt + 3)
        if hue < 0.3:
            paint(out, 0.34, 0.155, 0.10, lit)
        elif hue < 0.42:
            paint(out, 0.20, 0.15, 0.10, lit)
        elif hue < 0.8:
            paint(out, 0.45, 0.42, 0.365, lit)
        else:
            paint(out, 0.10, 0.092, 0.085, lit)


@allocation_free
def _covering(
    x: float, y: float, z: float, step: float, row: Any, textures: Textures, out: Any
) -> None:
    """Tiles, slates, sheet metal, shingles or a concrete screed, with moss, mends and soot."""
    dx, dy, dz = x - row[0], y - row[1], z - row[2]
    u = dx * row[3] + dy * row[4] + dz * row[5]
    v = dx * row[6] + dy * row[7] + dz * row[8]
    shift = row[12] * 83.0
    fine = noise_at(textures.noise, FINE, u + shift, v, 7.9, step)
    mid = noise_at(textures.noise, SMOOTH, u + shift, v - shift, 6.7, step)
    broad = noise_at(textures.noise, SMOOTH, v - shift, u, 29.0, step)
    kind = int(row[13])
    paint(out, row[9], row[10], row[11], 1 + 0.06 * fine + 0.07 * mid + 0.06 * broad)
    if kind == 0:
        _courses(u, v, 0.34, 0.21, 0.3, 0.30, shift, out)
        mix(out, 0.13, 0.125, 0.07, 0.7 * row[14] * (0.6 * broad + 0.6 * mid - 0.2))
        if random_of(math.floor(u / 2.3), math.floor(v / 1.7), int(shift * 31)) > 0.94:
            mix(out, 0.46, 0.20, 0.11, 0.5)
    elif kind == 1:
        _courses(u, v, 0.28, 0.30, 0.12, 0.24, shift, out)
        mix(out, 0.26, 0.25, 0.17, 0.5 * row[14] * (broad - 0.3))
    elif kind == 2:
        wave = math.sin(u * 2 * math.pi / 0.25)
        scale(out, 1 + 0.12 * wave)
        sheet = random_of(math.floor(u / 0.9), math.floor(v / 2.4), int(shift * 13))
        scale(out, 0.9 + 0.2 * sheet)
        mix(out, 0.23, 0.105, 0.055, row[14] * (0.9 * mid + 0.5 * broad + 0.6 * sheet - 0.5))
        if v / 2.4 - math.floor(v / 2.4) < 0.035:
            scale(out, 0.75)
    elif kind == 3:
        _courses(u, v, 0.16, 0.34, 0.1, 0.20, shift, out)
        scale(out, 1 + 0.1 * broad)
    else:
        crack = noise_at(textures.noise, CRACKS, u + shift, v, 53.0, step)
        scale(out, 1 - 0.22 * crack)
        mix(out, 0.17, 0.16, 0.145, 0.6 * row[14] * (mid + 0.6 * broad - 0.1))
        patch = random_of(math.floor(u / 3.1), math.floor(v / 2.2), int(shift * 17))
        if patch > 0.88:
            mix(out, 0.09, 0.088, 0.085, 0.75)
    mix(out, 0.032, 0.03, 0.029, row[15] * (0.6 + 0.5 * broad + 0.3 * mid))


@allocation_free
def _courses(
    u: float, v: float, high: float, wide: float, shade: float, vary: float, shift: float, out: Any
) -> None:
    """Rows of tiles that lie over each other: a dark lip under each, every tile its own tone."""
    j = math.floor(v / high)
    across = u / wide + 0.5 * (j % 2)
    i = math.floor(across)
    up = v / high - j
    scale(out, 1 - vary / 2 + vary * random_of(int(i), int(j), int(shift * 1000)))
    scale(out, 1 - shade * (1.0 if up < 0.16 else 0.0))
    scale(out, 1 - 0.35 * shade * math.cos((across - i) * 2 * math.pi))


@allocation_free
def _masonry(
    x: float, y: float, z: float, step: float, row: Any, textures: Textures, out: Any
) -> None:
    """Plaster, field stone or brick, with windows, shutters and a door."""
    along = (x - row[0]) * row[3] + (y - row[1]) * row[4]
    up = z - row[2]
    seed, length = row[12], row[13]
    fine = noise_at(textures.noise, FINE, along + seed * 41.0, up, 6.3, step)
    mid = noise_at(textures.noise, SMOOTH, along - seed * 41.0, up * 1.4, 7.1, step)
    paint(out, row[9], row[10], row[11], 1 + 0.06 * fine + 0.09 * mid)
    if seed < 0.3:
        block = random_of(
            math.floor(along / 0.45 + 0.5 * mid), math.floor(up / 0.3), int(seed * 9e4)
        )
        paint(out, 0.37, 0.335, 0.28, 0.7 + 0.5 * block)
    elif seed < 0.45:
        course = math.floor(up / 0.09)
        brick = random_of(math.floor(along / 0.25 + 0.5 * (course % 2)), int(course), 5)
        paint(out, 0.33, 0.165, 0.11, 0.75 + 0.4 * brick)
    mix(out, 0.33, 0.29, 0.23, row[14] * 0.5 * max(0.0, 0.7 - up))
    bays = max(1, int(length / 2.7))
    bay = length / bays
    column, storey = math.floor(along / bay), math.floor(up / 2.75)
    fx, fz = abs(along / bay - column - 0.5) * bay, up - storey * 2.75
    lot = random_of(int(column), int(storey), int(seed * 1e6))
    if 0 <= storey < 2 and lot > 0.3 and length > 3.0:
        tall = lot > 0.9 and storey == 0
        low = 0.0 if tall else 0.95
        if fx < 0.5 and low < fz < 2.1:
            shade = 0.03 + 0.05 * lot
            paint(out, shade, shade, shade * 1.15, 1.0)
            if tall:
                paint(out, 0.16, 0.10, 0.06, 0.8 + 0.4 * lot)
        elif fx < 0.95 and not tall and lot > 0.65 and low < fz < 2.1:
            paint(out, 0.09 + 0.15 * lot, 0.16, 0.11, 1.0)
        if fx < 0.9 and fz > 1.8:
            mix(out, 0.03, 0.028, 0.027, row[15] * (1.1 + 0.4 * mid))
    mix(out, 0.035, 0.032, 0.03, row[15] * (0.35 + 0.4 * mid))


@allocation_free
def _loft(x: float, y: float, step: float, row: Any, textures: Textures, out: Any) -> None:
    """Boards, plaster or screed under dust and fallen pieces."""
    u = (x - row[0]) * row[3] + (y - row[1]) * row[4]
    v = (x - row[0]) * row[6] + (y - row[1]) * row[7]
    mid = noise_at(textures.noise, SMOOTH, u, v + row[12] * 71.0, 6.1, step)
    fine = noise_at(textures.noise, FINE, u, v, 8.3, step)
    if row[12] < 0.4:
        board = random_of(math.floor(v / 0.16), 3, int(row[12] * 1e4))
        paint(out, 0.25, 0.185, 0.12, 0.75 + 0.45 * board)
    elif row[12] < 0.7:
        paint(out, 0.40, 0.375, 0.33, 1 + 0.1 * mid)
    else:
        paint(out, row[9], row[10], row[11], 0.7 + 0.1 * mid)
    _shards(x, y, max(0.05, 0.32 + 0.25 * mid), step, textures, out)
    scale(out, 1 + 0.1 * fine)
    mix(out, 0.03, 0.028, 0.026, row[15] * (0.8 + 0.3 * mid))


@allocation_free
def _piece(
    x: float, y: float, z: float, step: float, kind: int, tone: Any, textures: Textures, out: Any
) -> None:
    """Timber, debris, leaves, painted things and slabs, in their own tone."""
    grain = noise_at(textures.noise, FINE, x + 0.6 * z, y - 0.7 * z, 6.9, step)
    stain = noise_at(textures.noise, SMOOTH, x - z, y + z, 7.7, step)
    gain = 1 + 0.1 * grain + 0.1 * stain
    if kind == 23:
        plank = random_of(math.floor(x / 0.17), math.floor(y / 1.9), 9)
        gain = 0.78 + 0.4 * plank + 0.08 * grain
    elif kind == 26:
        gain = 1 + 0.35 * grain
    elif kind == 27:
        gain = 1 + 0.03 * grain
    paint(out, tone[0], tone[1], tone[2], gain)
