"""The colour of every kind of surface, by place in the world (linear RGB albedo, compiled).

A ``wall`` is a row of the wall table (see ``buildings.WallTable``); ``step`` is the size on the
surface, in metres, of what one ray stands for.
"""

import math
from typing import Any, NamedTuple

from aftermap.geo.compiled import allocation_free
from aftermap_twin.city.layout import PLAN_TURN_RAD
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
    pave,
    random_of,
    scale,
    strew,
)

TURN_COS, TURN_SIN = math.cos(PLAN_TURN_RAD), math.sin(PLAN_TURN_RAD)
DUST = (0.43, 0.37, 0.285)
SHOP_SEED = 0.55
"""Walls whose own random number lies above this have shutters on the ground floor."""


class SurfacePoint(NamedTuple):
    """A place in the surface's own axes, the size of a ray there, and noise fine to broad."""

    u: float
    v: float
    step: float
    fine: float
    mid: float
    broad: float


@allocation_free
def ground(
    x: float, y: float, step: float, site: GroundRasters, textures: Textures, out: Any
) -> None:
    """Street, pavement, yard, garden or bare earth, then rubble, burns and painted marks."""
    low = site.low
    i = min(max(int((x - low[0]) / site.cover_step + 0.5), 0), site.cover.shape[1] - 1)
    j = min(max(int((y - low[1]) / site.cover_step + 0.5), 0), site.cover.shape[0] - 1)
    kind = site.cover[j, i]
    u, v = x * TURN_COS + y * TURN_SIN, -x * TURN_SIN + y * TURN_COS
    fine = noise_at(textures.noise, FINE, u, v, 11.3, step)
    mid = noise_at(textures.noise, SMOOTH, v, u, 12.7, step)
    litter = 0.045
    if 1 <= kind <= 3:
        litter = 0.03
        broad = noise_at(textures.noise, SMOOTH, u, v, 71.0, step)
        away = field_at(site.kerb, x, y, low, site.step)
        worn = field_at(site.paint, x, y, low, site.cover_step) / 255.0
        _street(SurfacePoint(u, v, step, fine, mid, broad), kind, away, worn, textures, out)
    elif kind == 4:
        paint(out, 0.39, 0.365, 0.325, 1 + 0.12 * fine + 0.10 * mid)
        scale(out, 1 - 0.4 * noise_at(textures.noise, CRACKS, u, v, 40.0, step))
        mix(out, *DUST, 0.12 + 0.25 * mid)
    elif kind == 5:
        paint(out, 0.25, 0.195, 0.125, 1 + 0.12 * fine)
        broad = noise_at(textures.noise, SMOOTH, u, v, 47.0, step)
        mix(out, 0.125, 0.135, 0.062, 0.3 + 0.5 * broad + 0.45 * mid + 0.25 * fine)
        scale(out, 1 + 0.16 * fine)
    else:
        paint(out, 0.38, 0.315, 0.235, 1 + 0.13 * fine + 0.10 * mid)
        weeds = noise_at(textures.noise, SMOOTH, u + 17, v - 9, 23.0, step) + 0.3 * fine - 1.1
        mix(out, 0.16, 0.165, 0.085, weeds)
    _broken(x, y, mid, litter, step, site, textures, out)
    for k in range(site.marks.shape[0]):
        dx, dy = x - site.marks[k, 0], y - site.marks[k, 1]
        if dx * dx + dy * dy < 0.45:
            _mark(dx, dy, k, fine, out)


@allocation_free
def _street(
    spot: SurfacePoint, kind: int, away: float, worn: float, textures: Textures, out: Any
) -> None:
    """Asphalt with patches, wheel tracks, worn lines and dust; pavement slabs behind a kerb.

    ``away`` is the distance from the kerb, ``worn`` the road marking.
    """
    u, v, step, fine, mid, broad = spot
    if kind == 3:
        if away > -0.22:
            black = math.floor((u + v) / 0.9) % 2 == 0
            paint(out, 0.44, 0.42, 0.38, 1 + 0.08 * fine - 0.45 * black * (mid > -0.3))
            mix(out, *DUST, 0.25 + 0.2 * mid)
            return
        paint(out, 0.40, 0.375, 0.335, 1 + 0.07 * fine + 0.08 * mid)
        pave(out, u, v, 0.4, 0.02, 0.25)
        mix(out, *DUST, 0.22 + 0.2 * broad + 0.12 * mid)
        return
    paint(out, 0.185, 0.18, 0.172, 1 + 0.17 * fine + 0.08 * mid)
    patch = noise_at(textures.noise, CELLS, u, v, 93.0, step)
    if patch > 1.2:
        scale(out, 0.72)
    scale(out, 1 - 0.45 * noise_at(textures.noise, CRACKS, u + 0.4 * mid, v, 31.0, step))
    dust = 0.32 + 0.16 * broad + 0.10 * mid + 0.5 * math.exp(-max(away, 0.0) / 0.7)
    if kind == 1:
        mix(out, 0.55, 0.54, 0.50, worn * (0.62 + 0.3 * mid + 0.15 * fine))
        lane = (away - 0.9) / 1.45
        track = math.exp(-(((lane - math.floor(lane) - 0.5) / 0.17) ** 2)) if away > 0.9 else 0.0
        dust -= track * (0.16 + 0.06 * broad)
    else:
        dust += 0.34
    mix(out, *DUST, dust * 0.9)
    scale(out, 1 + 0.09 * fine)


@allocation_free
def _broken(
    x: float,
    y: float,
    mid: float,
    litter: float,
    step: float,
    site: GroundRasters,
    textures: Textures,
    out: Any,
) -> None:
    """Rubble and litter over the ground, and burnt patches."""
    density = field_at(site.rubble, x, y, site.low, site.step)
    coarse = 0.5 + 0.28 * mid + 0.3 * (density - 0.4)
    if density > 0.25:
        mix(out, 0.36, 0.325, 0.27, (density - 0.25) * 1.5)
    spread = max(0.0, density * (1 + 0.35 * mid) + litter * (1 + 0.8 * mid))
    strew(textures.stones, x, y, spread, coarse, step, out)
    burnt = field_at(site.scorch, x, y, site.low, site.step)
    mix(out, 0.055, 0.05, 0.045, burnt * (0.8 + 0.25 * mid))


@allocation_free
def _mark(dx: float, dy: float, number: int, fine: float, out: Any) -> None:
    """Paint: a quartered disc (odd marks), or a white cross on a black disc (even ones)."""
    angle = 0.35 + number * 0.7
    u = dx * math.cos(angle) + dy * math.sin(angle)
    v = -dx * math.sin(angle) + dy * math.cos(angle)
    radius = math.sqrt(u * u + v * v)
    if radius > 0.62:
        return
    is_white = min(abs(u), abs(v)) < 0.11 and radius < 0.55
    if number % 2 == 0:
        is_white = u * v > 0 or radius > 0.54
    tone = 0.66 * (1 + 0.03 * fine) if is_white else 0.035 * (1 + 0.1 * fine)
    paint(out, tone, tone * 0.99, tone * 0.96, 1.0)


@allocation_free
def roof(x: float, y: float, step: float, wall: Any, textures: Textures, out: Any) -> None:
    """Bare concrete, bitumen, whitewash, tiles or sheet metal; stains, soot and litter."""
    dx, dy = x - wall[0], y - wall[1]
    u, v = dx * wall[2] + dy * wall[3], -dx * wall[3] + dy * wall[2]
    shift = wall[12] * 91.0
    fine = noise_at(textures.noise, FINE, u + shift, v, 9.1, step)
    mid = noise_at(textures.noise, SMOOTH, u + shift, v - shift, 8.3, step)
    broad = noise_at(textures.noise, SMOOTH, u - shift, v + shift, 41.0, step)
    _roof_finish(SurfacePoint(u, v, step, fine, mid, broad), wall, textures, out)
    stain = noise_at(textures.noise, SMOOTH, v * 1.3 + shift, u, 17.0, step)
    mix(out, 0.17, 0.155, 0.135, 0.55 * (stain - 0.55))
    mix(out, 0.30, 0.27, 0.22, 0.5 * (-stain - 0.5))
    mix(out, 0.04, 0.037, 0.035, wall[11] * (0.75 * broad + 0.35 * mid - 0.35))
    litter = 0.025 + 0.06 * wall[11] + 0.035 * max(0.0, mid)
    strew(textures.stones, x + shift, y, litter, 0.0, step, out)


@allocation_free
def _roof_finish(spot: SurfacePoint, wall: Any, textures: Textures, out: Any) -> None:
    u, v, step, fine, mid, broad = spot
    shift = wall[12] * 91.0
    style = int(wall[13])
    if style == 1:
        paint(out, 0.135, 0.13, 0.127, 1 + 0.12 * fine + 0.15 * mid)
        if u - math.floor(u) < 0.05:
            scale(out, 0.75)
        mix(out, *DUST, 0.22 + 0.16 * broad + 0.1 * mid)
    elif style == 2:
        paint(out, 0.56, 0.545, 0.51, 1 + 0.07 * fine + 0.06 * mid)
        mix(out, 0.33, 0.30, 0.26, 0.36 + 0.3 * broad + 0.25 * mid)
    elif style == 3:
        paint(out, 0.42, 0.335, 0.265, 1 + 0.06 * fine + 0.06 * mid)
        pave(out, u, v, 0.3, 0.015, 0.22)
        mix(out, *DUST, 0.25 + 0.2 * broad)
    elif style == 5:
        paint(out, 0.36, 0.165, 0.10, 1 + 0.08 * fine + 0.10 * mid + 0.08 * broad)
        pave(out, u, v, 0.3, 0.05, 0.3)
        mix(out, 0.20, 0.15, 0.11, 0.5 * broad + 0.3 * mid)
    elif style == 6:
        paint(out, 0.50, 0.485, 0.45, 1 + 0.07 * fine + 0.08 * mid)
        mix(out, 0.27, 0.25, 0.21, 0.4 * mid + 0.3 * broad)
    elif style == 4:
        wave = 0.5 + 0.5 * math.sin(u * 2 * math.pi / 0.3)
        paint(out, 0.38, 0.39, 0.40, 0.82 + 0.3 * wave + 0.05 * fine)
        mix(out, 0.22, 0.12, 0.07, 0.6 * (mid + 0.4 * broad - 0.4))
    else:
        paint(out, wall[8], wall[9], wall[10], 1 + 0.12 * fine + 0.10 * mid + 0.08 * broad)
        crack = noise_at(textures.noise, CRACKS, u + shift, v, 67.0, step)
        scale(out, 1 - 0.26 * crack * min(max(0.3 + broad, 0.0), 1.0))
        pour = random_of(math.floor(u / 5.3), math.floor(v / 4.6), int(shift * 1000))
        scale(out, 0.93 + 0.14 * pour)
        if random_of(math.floor(u / 1.1), math.floor(v / 1.7), int(shift * 77)) > 0.975:
            mix(out, 0.21, 0.20, 0.185, 0.55)


@allocation_free
def floor(x: float, y: float, step: float, wall: Any, textures: Textures, out: Any) -> None:
    """An inner floor laid open: paving under rubble."""
    dx, dy = x - wall[0], y - wall[1]
    u, v = dx * wall[2] + dy * wall[3], -dx * wall[3] + dy * wall[2]
    fine = noise_at(textures.noise, FINE, u, v, 9.1, step)
    mid = noise_at(textures.noise, SMOOTH, u, v + wall[12] * 91.0, 8.3, step)
    broad = noise_at(textures.noise, SMOOTH, u, v, 41.0, step)
    paint(out, wall[8], wall[9], wall[10], 0.72 * (1 + 0.12 * mid + 0.1 * fine))
    if wall[12] > 0.4:
        pave(out, u, v, 0.33, 0.02, 0.16)
    strew(textures.stones, x, y, 0.35 + 0.3 * mid, 0.4 + 0.3 * broad, step, out)


@allocation_free
def facade(
    x: float, y: float, z: float, step: float, wall: Any, textures: Textures, out: Any
) -> None:
    """Plaster, stone courses or bare blockwork with windows, shutters, streaks and soot."""
    along = (x - wall[0]) * wall[2] + (y - wall[1]) * wall[3]
    up = z - wall[5]
    seed = wall[12]
    fine = noise_at(textures.noise, FINE, along + seed * 57.0, up, 8.0, step)
    streak = noise_at(textures.noise, SMOOTH, (along + seed * 57.0) * 3.0, up * 0.5, 19.0, step)
    paint(out, wall[8], wall[9], wall[10], 0.95 * (1 + 0.07 * fine + 0.10 * streak))
    finish = random_of(int(seed * 1e6), 3, 5)
    if finish < 0.25:
        pave(out, along, up * 2.0, 0.6, 0.03, 0.12)
    elif finish < 0.4:
        mix(out, 0.27, 0.265, 0.255, 0.8)
        pave(out, along, up * 2.0, 0.4, 0.025, 0.25)
    elif finish < 0.55:
        mix(out, 0.50, 0.40, 0.27, 0.35)
    if up < 0.5:
        scale(out, 0.78)
    _openings(along, up, streak, wall, out)
    if fine > 2.2:
        scale(out, 0.6)


@allocation_free
def _openings(along: float, up: float, streak: float, wall: Any, out: Any) -> None:
    bays = max(1, int(wall[4] / 3.1))
    bay = wall[4] / bays
    column, level = int(along / bay), math.floor(up / wall[6])
    fx = abs((along / bay - column - 0.5) * bay)
    fz = up / wall[6] - level
    lot = random_of(column, level, int(wall[12] * 1e6))
    if level == 0 and up > 0 and wall[12] > SHOP_SEED and wall[4] > 5:
        if fx < bay * 0.42 and fz < 0.82:
            ridge = 0.85 + 0.15 * math.sin(up * 2 * math.pi / 0.16)
            paint(out, 0.19 + 0.13 * lot, 0.22 + 0.05 * lot, 0.26 - 0.08 * lot, ridge)
        return
    if 0 <= level < wall[7] and lot > 0.14 and wall[4] > 2.4:
        half = 0.5 + 0.25 * wall[12]
        if fx < half + 0.1 and 0.29 < fz < 0.83:
            scale(out, 1.15)
            if fx < half and 0.32 < fz < 0.80:
                shade = 0.025 + 0.05 * lot
                paint(out, shade, shade * 1.05, shade * 1.15, 1.0)
                if lot > 0.75 and fz > 0.45:
                    paint(out, 0.30, 0.26, 0.20, 0.6 + 0.4 * lot)
        if fx < half and 0.15 < fz <= 0.29:
            scale(out, 0.90 + 0.05 * streak)
        if random_of(column, level, 77) < wall[11] and fx < half + 0.5 and fz > 0.55:
            share = wall[11] * (1.15 - 1.2 * fx / (half + 0.5) + 0.3 * streak)
            mix(out, 0.03, 0.028, 0.027, share)
    if fz * wall[6] < 0.1 and level > 0:
        scale(out, 0.85)


@allocation_free
def floor_section(
    x: float, y: float, z: float, step: float, wall: Any, textures: Textures, out: Any
) -> float:
    """A cut through the floors: slab edges and dark rooms. Returns the share of light let in."""
    up = z - wall[5]
    level = math.floor(up / wall[6])
    height = (up / wall[6] - level) * wall[6]
    along = x * 0.83 + y * 0.56
    fine = noise_at(textures.noise, FINE, along, up, 6.0, step)
    mid = noise_at(textures.noise, SMOOTH, along, up + level * 7, 13.0, step)
    if height > wall[6] - 0.28 or height < 0.02:
        paint(out, 0.42, 0.395, 0.35, 1 + 0.1 * fine)
        return 1.0
    paint(out, wall[8], wall[9], wall[10], 0.6 * (1 + 0.3 * mid + 0.1 * fine))
    if mid > 0.9:
        return 0.9
    return float(0.42 + 0.4 * (1 - height / wall[6]))


@allocation_free
def solid(
    x: float, y: float, z: float, step: float, kind: int, tone: Any, textures: Textures, out: Any
) -> None:
    """Loose things: broken stone, painted metal under dust, leaves, concrete, glass."""
    grain = noise_at(textures.noise, FINE, x + 0.7 * z, y - 0.6 * z, 7.3, step)
    stain = noise_at(textures.noise, SMOOTH, x + z, y + z, 6.1, step)
    paint(out, tone[0], tone[1], tone[2], 1.0)
    if kind == 6:
        scale(out, 1 + 0.03 * grain)
        mix(out, *DUST, 0.16 + 0.12 * stain + 0.03 * grain)
    elif kind == 7:
        leaves = noise_at(textures.noise, FINE, x + 0.5 * z, y - 0.8 * z, 17.0, step)
        scale(out, 1 + 0.55 * leaves)
        mix(out, *DUST, 0.05 + 0.04 * stain)
    elif kind == 9:
        mix(out, *DUST, 0.06 + 0.05 * stain)
    else:
        scale(out, 1 + 0.11 * grain + 0.09 * stain)
