"""What rays bring back: the surface's colour under sun with shadow and sky by openness (compiled).

Everything is a function of the place in the world, so that a surface shows the same detail in every
photograph. Lambertian; linear RGB.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from aftermap.geo.compiled import allocation_free
from aftermap_twin.blocks.paint import blocks_paint
from aftermap_twin.city.surfaces import facade, floor, floor_section, ground, roof, solid
from aftermap_twin.lookups import GroundRasters, Textures, field_at
from aftermap_twin.village.paint import village_paint

SUN_LIGHT = np.array([1.32, 1.22, 1.03], np.float32)
SKY_LIGHT = np.array([0.25, 0.29, 0.36], np.float32)


STYLE_STEP = 20
"""Materials of a style lie between multiples of this; the first of each is its ground."""


class Rays(NamedTuple):
    """One (3,) origin, (N, 3) directions and what they met first; ``is_lit`` (N,) by the sun."""

    origin: Any
    directions: Any
    distance: Any
    triangle: Any
    normal: Any
    is_lit: Any


class Skin(NamedTuple):
    """What every triangle is made of, and the wall table."""

    material: Any
    tone: Any
    record: Any
    walls: Any


class HitPoint(NamedTuple):
    """Where a ray ends: local metres, the unit normal towards the viewer, and the ray's size."""

    x: float
    y: float
    z: float
    nx: float
    ny: float
    nz: float
    step: float


@allocation_free
def shade_pixels(
    rays: Rays,
    skin: Skin,
    site: GroundRasters,
    textures: Textures,
    sun: Any,
    ray_step: float,
    albedo: Any,
    out: Any,
) -> None:
    """Mean colour of every pixel's rays, into ``out`` (rows, columns, 3) float32.

    There are (rows * columns * samples) rays; ``ray_step`` is their spacing at distance 1.
    ``albedo`` (3,) is room to work in.
    """
    rows, columns, _ = out.shape
    samples = rays.distance.shape[0] // (rows * columns)
    for pixel in range(rows * columns):
        row, column = pixel // columns, pixel % columns
        for k in range(pixel * samples, (pixel + 1) * samples):
            prim = rays.triangle[k]
            kind = skin.material[prim] if prim >= 0 else site.ground_kind
            place = _place(rays, k, ray_step, kind, site)
            sky, light = _albedo(place, kind, prim, skin, site, textures, albedo)
            cosine = place.nx * sun[0] + place.ny * sun[1] + place.nz * sun[2]
            direct = max(0.0, cosine) if rays.is_lit[k] else 0.0
            sky *= 0.62 + 0.38 * place.nz
            bounced = 0.05 + 0.04 * (1 - place.nz)
            for c in range(3):
                warm = bounced * (1.1 - 0.15 * c)
                total = direct * SUN_LIGHT[c] + sky * SKY_LIGHT[c] + warm
                out[row, column, c] += albedo[c] * light * total / samples


@allocation_free
def _place(rays: Rays, k: int, ray_step: float, kind: int, site: GroundRasters) -> HitPoint:
    """Where ray ``k`` ends; beside the district it ends on level ground."""
    d, origin = rays.directions[k], rays.origin
    hit = rays.triangle[k] >= 0
    t = rays.distance[k] if hit else origin[2] / max(-d[2], 1e-3)
    size = math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
    x, y, z = origin[0] + d[0] * t, origin[1] + d[1] * t, origin[2] + d[2] * t
    nx, ny, nz = 0.0, 0.0, 1.0
    if kind % STYLE_STEP == 0:
        nx = -field_at(site.slope_x, x, y, site.low, site.step)
        ny = -field_at(site.slope_y, x, y, site.low, site.step)
    else:
        n = rays.normal[k]
        sign = -1.0 if n[0] * d[0] + n[1] * d[1] + n[2] * d[2] > 0 else 1.0
        nx, ny, nz = sign * n[0], sign * n[1], sign * n[2]
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx / length, ny / length, nz / length
    graze = max(0.3, -(nx * d[0] + ny * d[1] + nz * d[2]) / size)
    return HitPoint(x, y, z, nx, ny, nz, t * size * ray_step / graze)


@allocation_free
def _albedo(
    place: HitPoint,
    kind: int,
    prim: int,
    skin: Skin,
    site: GroundRasters,
    textures: Textures,
    out: Any,
) -> tuple[float, float]:
    """Colour into ``out``; returns the openness to the sky and the share of light that enters."""
    x, y, z, step = place.x, place.y, place.z, place.step
    sky = field_at(site.sky, x, y, site.low, site.sky_step)
    if kind >= STYLE_STEP:
        wall = skin.walls[max(skin.record[prim], 0)]
        tone = skin.tone[max(prim, 0)]
        if kind < 2 * STYLE_STEP:
            village_paint(place, kind, tone, wall, site, textures, out)
        else:
            blocks_paint(place, kind, tone, wall, site, textures, out)
        if kind % STYLE_STEP == 0:
            _tint(site, out)
        return sky, 1.0
    if kind == 0:
        ground(x, y, step, site, textures, out)
        _tint(site, out)
        return sky, 1.0
    if kind >= 5:
        solid(x, y, z, step, kind, skin.tone[prim], textures, out)
        return sky, 1.0
    wall = skin.walls[skin.record[prim]]
    if kind == 1:
        roof(x, y, step, wall, textures, out)
    elif kind == 4:
        floor(x, y, step, wall, textures, out)
    elif kind == 2:
        facade(x, y, z, step, wall, textures, out)
        sky = 0.35 + 0.4 * min(1.0, max(0.0, (z - wall[5]) / 9.0))
    else:
        return 0.6, floor_section(x, y, z, step, wall, textures, out)
    return sky, 1.0


@allocation_free
def _tint(site: GroundRasters, out: Any) -> None:
    """The colour of the soil of this district over all of its ground."""
    for c in range(3):
        out[c] *= site.tint[c]


@allocation_free
def sky_openness(heights: Any, step: float, out: Any) -> None:
    """Share of the sky that is seen from every sample of a height raster, into ``out``."""
    rows, columns = heights.shape
    for j in range(rows):
        for i in range(columns):
            total = 0.0
            for turn in range(8):
                angle = turn * math.pi / 4 + 0.2
                steepest = 0.0
                for reach in (0.6, 1.2, 2.4, 4.5, 8.0, 14.0):
                    q = min(max(j + round(math.sin(angle) * reach / step), 0), rows - 1)
                    p = min(max(i + round(math.cos(angle) * reach / step), 0), columns - 1)
                    steepest = max(steepest, (heights[q, p] - heights[j, i]) / reach)
                total += 1 / (1 + steepest * steepest)
            out[j, i] = total / 8


@allocation_free
def rays_in_world(rays: Any, world_from_cam: Any, directions: Any) -> None:
    """(N, 3) rays in world axes, of (N, 3) in camera axes, into ``directions``."""
    for k in range(rays.shape[0]):
        for c in range(3):
            directions[k, c] = (
                world_from_cam[c, 0] * rays[k, 0]
                + world_from_cam[c, 1] * rays[k, 1]
                + world_from_cam[c, 2] * rays[k, 2]
            )


@allocation_free
def sun_starts(origin: Any, directions: Any, distance: Any, normal: Any, starts: Any) -> None:
    """Points just off the surface that rays met, towards the side they came from."""
    for k in range(distance.shape[0]):
        t = distance[k] if distance[k] < 1e6 else 0.0
        length, facing = 1e-12, 0.0
        for c in range(3):
            length += normal[k, c] ** 2
            facing += normal[k, c] * directions[k, c]
        lift = (-0.015 if facing > 0 else 0.015) / math.sqrt(length)
        for c in range(3):
            starts[k, c] = origin[c] + directions[k, c] * t + normal[k, c] * lift
