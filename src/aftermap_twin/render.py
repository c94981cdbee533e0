"""A station and a scene to a picture: rays through the lens, shading, and what a sensor adds."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap.geo.lens import rays_cam
from aftermap_twin.caster import Caster
from aftermap_twin.flight import Station
from aftermap_twin.light import Light, hazy, light_of
from aftermap_twin.lookups import GroundRasters, Textures
from aftermap_twin.options import TwinOptions
from aftermap_twin.scene import Scene
from aftermap_twin.shading import Rays, Skin, rays_in_world, shade_pixels, sky_openness, sun_starts
from aftermap_twin.site import COVER_STEP_M, HEIGHT_STEP_M
from aftermap_twin.tiles import make_tiles

SAMPLES = 2
"""Rays across and down each pixel."""
STRIP_ROWS = 60
ROLLING_ROWS = 4
"""Rows that are exposed at once where the shutter rolls: steps of hundredths of a pixel."""
SKY_STEP_M = 0.5
PSF_SIGMA_PX = 0.5
ABOVE_M = 200.0


@dataclass(frozen=True, kw_only=True)
class Studio:
    """All that is the same for every picture of a flight."""

    options: TwinOptions
    caster: Caster
    textures: Textures
    site: GroundRasters
    skin: Skin
    rays: Float32Array
    light: Light
    sun: Array


def studio_for(options: TwinOptions, scene: Scene) -> Studio:
    """Everything that can be made once."""
    caster = Caster(scene.mesh)
    light = light_of(options)
    sun = light.sun
    mesh = scene.mesh
    return Studio(
        options=options,
        caster=caster,
        textures=make_tiles(np.random.default_rng([options.seed, 51]), sun),
        site=_site(scene, caster, light),
        skin=Skin(mesh.material, mesh.tone, mesh.record, scene.surfaces),
        rays=pixel_rays(options),
        light=light,
        sun=sun,
    )


def _site(scene: Scene, caster: Caster, light: Light) -> GroundRasters:
    ground = scene.ground
    east, north = scene.extent.samples(SKY_STEP_M)
    tops = heights_m(caster, np.stack([east, north], -1).reshape(-1, 2)).reshape(east.shape)
    sky = np.empty(tops.shape, np.float32)
    sky_openness(tops.astype(np.float32), SKY_STEP_M, sky)
    slope_y, slope_x = (np.asarray(s) for s in np.gradient(ground.height_m, HEIGHT_STEP_M))
    return GroundRasters(
        low=np.array(scene.extent.low_m),
        cover=ground.cover,
        cover_step=COVER_STEP_M,
        paint=ground.paint,
        rubble=ground.rubble,
        scorch=ground.scorch,
        kerb=ground.kerb_m,
        slope_x=slope_x,
        slope_y=slope_y,
        step=HEIGHT_STEP_M,
        sky=sky,
        sky_step=SKY_STEP_M,
        marks=scene.marks_m,
        ground_kind=int(scene.mesh.material[0]),
        tint=light.ground_tint,
    )


def heights_m(caster: Caster, xy_m: npt.ArrayLike) -> Array:
    """(N,) heights of what stands at (N, 2) places, seen from straight above; NaN beside it all."""
    xy = np.asarray(xy_m, float).reshape(-1, 2)
    origins = np.column_stack([xy, np.full(len(xy), ABOVE_M)]).astype(np.float32)
    down = np.broadcast_to(np.array([0, 0, -1], np.float32), origins.shape)
    hits = caster.first_hits(origins, np.ascontiguousarray(down))
    return np.where(hits.triangle >= 0, ABOVE_M - hits.distance.astype(float), np.nan)


def pixel_rays(options: TwinOptions, samples: int = SAMPLES) -> Float32Array:
    """(rows, columns, samples squared, 3) directions in camera axes of a pixel's sub-samples."""
    offsets = (np.arange(samples) + 0.5) / samples
    out = np.empty((options.height_px, options.width_px, samples**2, 3), np.float32)
    columns = np.arange(options.width_px)[:, None, None] + offsets[None, None, :]
    for row in range(options.height_px):
        x = np.broadcast_to(columns, (options.width_px, samples, samples))
        y = np.broadcast_to(row + offsets[None, :, None], x.shape)
        pixels = np.stack([x, y], -1).reshape(-1, 2)
        out[row] = rays_cam(pixels, options.params).reshape(options.width_px, -1, 3)
    return out


def radiance(studio: Studio, station: Station) -> Float32Array:
    """(rows, columns, 3) linear light of the colours that reaches the lens, before the sensor."""
    height, width = studio.rays.shape[:2]
    out = np.zeros((height, width, 3), np.float32)
    readout_s = studio.options.readout_s
    rows = ROLLING_ROWS if readout_s else STRIP_ROWS
    for row in range(0, height, rows):
        rays = studio.rays[row : row + rows].reshape(-1, 3)
        later_s = readout_s * ((row + rows / 2) / height - 0.5)
        rotation, place = station.pose_after(later_s)
        directions = np.empty_like(rays)
        rays_in_world(rays, np.ascontiguousarray(rotation.T), directions)
        _strip(studio, place.astype(np.float32), directions, out[row : row + rows])
    return out


def _strip(
    studio: Studio, origin: Float32Array, directions: Float32Array, out: Float32Array
) -> None:
    origins = np.ascontiguousarray(np.broadcast_to(origin, directions.shape))
    hits = studio.caster.first_hits(origins, directions)
    starts = np.empty_like(directions)
    sun_starts(origin, directions, hits.distance, hits.normal, starts)
    towards = np.ascontiguousarray(np.broadcast_to(studio.sun.astype(np.float32), directions.shape))
    is_lit = studio.caster.is_free(starts, towards)
    rays = Rays(origin, directions, hits.distance, hits.triangle, hits.normal, is_lit)
    step = 1 / (studio.options.focal_px * math.isqrt(studio.rays.shape[2]))
    shade_pixels(
        rays,
        studio.skin,
        studio.site,
        studio.textures,
        studio.sun,
        step,
        np.zeros(3, np.float32),
        out,
    )


def falls(studio: Studio, station: Station) -> Float32Array:
    """(rows, columns) how far each pixel's ray falls in one unit of its length; at least 1e-4."""
    up = station.rotation_cam_from_world[:, 2].astype(np.float32)
    rays = studio.rays[:, :, 0]
    return np.asarray(np.maximum(-(rays @ up) / np.linalg.norm(rays, axis=2), 1e-4), np.float32)


def picture(studio: Studio, station: Station, number: int) -> ByteArray:
    """(rows, columns, 3) sRGB colours from 0 to 255: blur, vignetting, exposure and noise added."""
    options = studio.options
    rng = np.random.default_rng([options.seed, 61, number])
    light = radiance(studio, station)
    if math.isfinite(studio.light.haze_m):
        light = hazy(light, falls(studio, station), station.position_m[2], studio.light.haze_m)
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), PSF_SIGMA_PX), np.float32)
    x = (np.arange(options.width_px) + 0.5 - options.params[2]) / options.focal_px
    y = (np.arange(options.height_px) + 0.5 - options.params[3]) / options.focal_px
    falloff = (1 + (x[None] ** 2 + y[:, None] ** 2)) ** -0.9
    gain = math.exp(rng.normal(0, options.exposure_sigma)) * studio.light.gain
    light *= (falloff * gain).astype(np.float32)[..., None]
    grain = rng.standard_normal(light.shape, np.float32)
    light += grain * np.sqrt(np.maximum(light, 0) * 6e-5 + 2e-6)
    return srgb(light)


def srgb(light: Float32Array) -> ByteArray:
    """Colours (..., 3) from 0 to 255 in sRGB (IEC 61966-2-1), highlights rolled off above 0.8."""
    bright = np.clip(light, 0, None)
    rolled = np.where(bright > 0.8, 0.8 + 0.2 * (1 - np.exp(-(bright - 0.8) / 0.2)), bright)
    coded = np.where(rolled <= 0.0031308, rolled * 12.92, 1.055 * rolled ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(coded * 255), np.uint8)
