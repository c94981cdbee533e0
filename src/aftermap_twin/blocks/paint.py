"""The colour of an estate's surfaces, by place in the world (linear RGB albedo, compiled).

``row`` is one of ``materials.PanelRows``; ``step`` the size on the surface, in metres, of what one
ray stands for.
"""

import math
from typing import Any

from aftermap.geo.compiled import allocation_free
from aftermap_twin.lookups import (
    CELLS,
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
def blocks_paint(
    place: Any,
    kind: int,
    tone: Any,
    row: Any,
    site: GroundRasters,
    textures: Textures,
    out: Any,
) -> None:
    """One of the materials 40 to 59 at a ``shading.HitPoint``, into ``out`` (3,)."""
    x, y, z, step = place.x, place.y, place.z, place.step
    if kind == 40:
        _yard(x, y, step, site, textures, out)
        return
    if kind >= 46:
        _loose(x, y, z, step, kind, tone, textures, out)
        return
    dx, dy, dz = x - row[0], y - row[1], z - row[2]
    u = dx * row[3] + dy * row[4] + dz * row[5]
    v = dx * row[6] + dy * row[7] + dz * row[8]
    if kind == 41:
        _roofing(u, v, step, row, textures, out)
    elif kind == 42:
        _panels(u, v, step, row, textures, out)
    elif kind == 43:
        _deck(u, v, step, row, textures, out)
    elif kind == 45:
        _inner(u, v, step, row, textures, out)
    else:
        grain = noise_at(textures.noise, FINE, u * 1.7, v + z, 5.7, step)
        paint(out, 0.45, 0.43, 0.40, 1 + 0.16 * grain)
    away = math.sqrt((u - row[16]) ** 2 + (v - row[17]) ** 2)
    if row[19] > 0 and away < row[18] * 1.6:
        rough = noise_at(textures.noise, SMOOTH, u, v, 8.9, step)
        black = (row[18] * (1 + 0.25 * rough) - away) / (0.3 * row[18] + 0.1) + 0.5
        mix(out, 0.028, 0.026, 0.025, row[19] * min(max(black, 0.0), 1.0) * (0.9 + 0.1 * rough))


@allocation_free
def _yard(
    x: float, y: float, step: float, site: GroundRasters, textures: Textures, out: Any
) -> None:
    """Mown grass, asphalt, concrete slabs and bare soil; broken concrete where blocks fell."""
    i = min(max(int((x - site.low[0]) / site.cover_step + 0.5), 0), site.cover.shape[1] - 1)
    j = min(max(int((y - site.low[1]) / site.cover_step + 0.5), 0), site.cover.shape[0] - 1)
    cover = site.cover[j, i]
    fine = noise_at(textures.noise, FINE, y, x, 12.1, step)
    mid = noise_at(textures.noise, SMOOTH, x, -y, 10.3, step)
    broad = noise_at(textures.noise, SMOOTH, y + 13.0, x, 63.0, step)
    if cover == 1:
        paint(out, 0.15, 0.15, 0.152, 1 + 0.12 * fine + 0.07 * mid)
        if noise_at(textures.noise, CELLS, x, y, 120.0, step) > 0.9:
            scale(out, 0.7)
        scale(out, 1 - 0.35 * noise_at(textures.noise, CRACKS, y, x, 44.0, step))
        worn = field_at(site.paint, x, y, site.low, site.cover_step) / 255.0
        mix(out, 0.52, 0.52, 0.50, worn * (0.7 + 0.2 * mid))
    elif cover == 3:
        tile = random_of(math.floor(x / 0.5), math.floor(y / 0.5), 4)
        paint(out, 0.37, 0.365, 0.35, 0.9 + 0.18 * tile + 0.06 * fine)
        mix(out, 0.2, 0.19, 0.15, 0.3 * max(0.0, mid))
    elif cover == 0:
        paint(out, 0.27, 0.225, 0.165, 1 + 0.14 * fine + 0.12 * mid)
    else:
        paint(out, 0.10, 0.155, 0.052, 1 + 0.16 * fine + 0.12 * mid)
        mix(out, 0.245, 0.225, 0.115, 0.3 + 0.35 * broad)
        mix(out, 0.26, 0.215, 0.155, 0.9 * (mid + 0.5 * broad - 1.1))
    density = field_at(site.rubble, x, y, site.low, site.step)
    if density > 0.02:
        _paint_rubble(x, y, density, step, textures, out)
    burnt = field_at(site.scorch, x, y, site.low, site.step)
    mix(out, 0.05, 0.048, 0.046, burnt * (0.8 + 0.2 * mid))


@allocation_free
def _paint_rubble(
    x: float, y: float, density: float, step: float, textures: Textures, out: Any
) -> None:
    """Crushed concrete: nearest-point plates of three sizes with dark gaps, over grey dust."""
    dust = noise_at(textures.noise, SMOOTH, x, y, 6.6, step)
    mix(out, 0.385, 0.375, 0.355, 1.3 * density + 0.2 * dust * density)
    for size, salt in ((1.6, 3), (0.7, 5), (0.33, 7)):
        i, j = math.floor(x / size), math.floor(y / size)
        first, second, owner = 9.0, 9.0, 0.0
        for a in range(-1, 2):
            for b in range(-1, 2):
                px = i + a + random_of(int(i + a), int(j + b), salt)
                py = j + b + random_of(int(i + a), int(j + b), salt + 1)
                away = (x / size - px) ** 2 + (y / size - py) ** 2
                if away < first:
                    first, second = away, first
                    owner = random_of(int(i + a), int(j + b), salt + 2)
                elif away < second:
                    second = away
        if owner > density * 0.55:
            continue
        gap = math.sqrt(second) - math.sqrt(first)
        shade = 0.62 + 0.9 * owner / (density * 0.55 + 0.01)
        paint(out, 0.36 * shade, 0.35 * shade, 0.33 * shade, 0.45 if gap < 0.12 else 1.0)


@allocation_free
def _roofing(u: float, v: float, step: float, row: Any, textures: Textures, out: Any) -> None:
    """Felt in strips, gravel, silver coating or bare slab; seams, mends and dried puddles."""
    shift, kind = row[12] * 67.0, int(row[13])
    fine = noise_at(textures.noise, FINE, u - shift, v, 6.1, step)
    mid = noise_at(textures.noise, SMOOTH, u, v + shift, 9.9, step)
    broad = noise_at(textures.noise, SMOOTH, v + shift, u - shift, 33.0, step)
    paint(out, row[9], row[10], row[11], 1 + 0.1 * fine + 0.1 * mid + 0.1 * broad)
    if kind % 2 == 0:
        strip = math.floor(v / 1.0)
        scale(out, 0.9 + 0.2 * random_of(int(strip), math.floor(u / 7.5), int(shift * 99)))
        if v - strip < 0.07:
            scale(out, 0.72)
        if random_of(math.floor(u / 2.9), math.floor(v / 2.0), int(shift * 7)) > 0.93:
            mix(out, 0.06, 0.06, 0.062, 0.8)
        if random_of(math.floor(u / 4.1), math.floor(v / 3.0), int(shift * 5)) > 0.965:
            mix(out, 0.43, 0.43, 0.43, 0.7)
    elif kind == 1:
        scale(out, 1 + 0.22 * fine)
        mix(out, 0.36, 0.345, 0.31, 0.5 + 0.2 * mid)
    else:
        scale(out, 1 - 0.25 * noise_at(textures.noise, CRACKS, u, v + shift, 48.0, step))
    wet = mid + 0.7 * broad
    mix(out, 0.10, 0.098, 0.095, 0.6 * row[14] * (wet - 0.9))
    if 0.55 < wet < 0.75:
        mix(out, 0.36, 0.34, 0.30, 0.35 * row[14])


@allocation_free
def _panels(u: float, v: float, step: float, row: Any, textures: Textures, out: Any) -> None:
    """Panels a bay wide and a storey high with tarred joints, windows and loggias."""
    bay, high = 3.2, row[15]
    i, j = math.floor(u / bay), math.floor(v / high)
    fu, fv = u - i * bay, v - j * high
    lot = random_of(int(i), int(j), int(row[12] * 1e6))
    mid = noise_at(textures.noise, SMOOTH, u * 2.0, v * 0.4 + row[12] * 50.0, 14.0, step)
    fine = noise_at(textures.noise, FINE, u, v, 5.1, step)
    paint(out, row[9], row[10], row[11], (0.93 + 0.12 * lot) * (1 + 0.05 * fine + 0.07 * mid))
    if min(fu, bay - fu) < 0.06 or min(fv, high - fv) < 0.06:
        paint(out, 0.13, 0.13, 0.13, 1.0)
        return
    if j < 0:
        return
    loggia = int(row[13]) == 1 and random_of(int(i), 7, int(row[12] * 1e5)) > 0.5
    if loggia and 0.3 < fu < bay - 0.3:
        if fv < 1.05:
            paint(out, 0.28 + 0.2 * lot, 0.33, 0.36 - 0.1 * lot, 1.0)
        elif fv < high - 0.3:
            paint(out, 0.07, 0.07, 0.075, 1.0 + lot)
    elif 0.75 < fu < bay - 0.75 and 0.85 < fv < 2.25:
        shade = 0.03 + 0.06 * lot * lot
        paint(out, shade, shade * 1.05, shade * 1.2, 1.0)
        if abs(fu - bay / 2) < 0.04:
            paint(out, 0.5, 0.5, 0.48, 1.0)


@allocation_free
def _deck(u: float, v: float, step: float, row: Any, textures: Textures, out: Any) -> None:
    """A floor laid open: every room its own covering, under dust and crushed concrete."""
    room = random_of(math.floor(u / 3.2), math.floor(v / 4.5), int(row[12] * 1e5))
    mid = noise_at(textures.noise, SMOOTH, u, v, 7.3, step)
    if room < 0.35:
        paint(out, 0.28, 0.20, 0.13, 1 + 0.1 * mid)
    elif room < 0.55:
        paint(out, 0.36, 0.37, 0.36, 1 + 0.1 * mid)
    else:
        paint(out, 0.30, 0.285, 0.26, 0.8 + 0.4 * room + 0.1 * mid)
    _paint_rubble(u, v, max(0.04, 0.34 + 0.25 * mid), step, textures, out)


@allocation_free
def _inner(u: float, v: float, step: float, row: Any, textures: Textures, out: Any) -> None:
    """Inner walls: wallpaper, tile or paint by room and storey."""
    room = random_of(math.floor(u / 4.5), math.floor(v / row[15]), int(row[12] * 1e5))
    mid = noise_at(textures.noise, SMOOTH, u, v, 4.9, step)
    if room < 0.25:
        paint(out, 0.42, 0.44, 0.45, 1 + 0.08 * mid)
    elif room < 0.5:
        paint(out, 0.45, 0.39, 0.28, 1 + 0.08 * mid)
    elif room < 0.7:
        paint(out, 0.33, 0.38, 0.31, 1 + 0.08 * mid)
    else:
        paint(out, 0.41, 0.395, 0.37, 1 + 0.12 * mid)


@allocation_free
def _loose(
    x: float, y: float, z: float, step: float, kind: int, tone: Any, textures: Textures, out: Any
) -> None:
    """Broken concrete, crowns of trees, coated metal and steel, in their own tone."""
    grain = noise_at(textures.noise, FINE, x - 0.8 * z, y + 0.5 * z, 5.9, step)
    stain = noise_at(textures.noise, SMOOTH, x + z, y - z, 5.3, step)
    gain = 1 + 0.13 * grain + 0.1 * stain
    if kind == 47:
        gain = 1 + 0.45 * grain
    elif kind == 48:
        gain = 1 + 0.03 * stain
    paint(out, tone[0], tone[1], tone[2], gain)
