"""The land under an estate: lawns, paths, parking and avenues, and heaps where blocks fell."""

import cv2
import numpy as np
import shapely

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap_twin.blocks.damage import Ruin
from aftermap_twin.blocks.frames import EstateBlock
from aftermap_twin.blocks.layout import Estate
from aftermap_twin.blocks.solids import polygons_in
from aftermap_twin.site import (
    COVER_STEP_M,
    HEIGHT_STEP_M,
    Cover,
    Extent,
    Heaps,
    TwinGround,
    at,
    fill,
    smooth_noise,
)

BULKING = 0.115
"""Height of a heap over the height of the floors that fell: slabs lie close."""
LEVEL_M = 1.6


def estate_cover(rng: np.random.Generator, estate: Estate, extent: Extent) -> ByteArray:
    """(rows, columns) labels of what covers the ground, as ``Cover`` numbers, by COVER_STEP_M."""
    cover = np.full(extent.shape(COVER_STEP_M), Cover.ASPHALT, np.uint8)
    for court in estate.courts:
        fill(cover, extent, COVER_STEP_M, court, Cover.PAVEMENT)
        middle = court.mean(0)
        fill(cover, extent, COVER_STEP_M, middle + (court - middle) * 0.95, Cover.GARDEN)
        for _ in range(int(rng.integers(2, 5))):
            where = (
                court[0]
                + rng.random() * (court[1] - court[0])
                + rng.random() * (court[3] - court[0])
            )
            kind = [Cover.ASPHALT, Cover.EARTH, Cover.PAVEMENT][rng.integers(3)]
            u = (court[1] - court[0]) * rng.uniform(0.12, 0.35)
            v = (court[3] - court[0]) * rng.uniform(0.1, 0.3)
            fill(
                cover,
                extent,
                COVER_STEP_M,
                np.array([where, where + u, where + u + v, where + v]),
                kind,
            )
    for pitch in estate.pitches:
        grown = 2.6 if pitch.kind in {"slab", "tower"} else 1.2
        ring = np.array(
            [
                [-grown, -grown],
                [pitch.length_m + grown, -grown],
                [pitch.length_m + grown, pitch.depth_m + grown],
                [-grown, pitch.depth_m + grown],
            ]
        )
        axes = np.array([pitch.forward, pitch.side])
        kind = Cover.ASPHALT if pitch.kind == "garages" else Cover.PAVEMENT
        fill(cover, extent, COVER_STEP_M, pitch.corner_m + ring @ axes, kind)
    return cover


def parking_lines(rng: np.random.Generator, estate: Estate, extent: Extent) -> ByteArray:
    """(rows, columns) painted lines along the avenues, 0 to 255, by COVER_STEP_M."""
    paint = np.zeros(extent.shape(COVER_STEP_M), np.uint8)
    for avenue in estate.avenues:
        dash, gap = rng.uniform(2.5, 4), rng.uniform(3, 6)
        for start in np.arange(0, avenue.length_m, dash + gap):
            near = avenue.axis_m[0] + avenue.forward * start
            far, wide = near + avenue.forward * dash, avenue.side * 0.09
            fill(
                paint,
                extent,
                COVER_STEP_M,
                np.array([near - wide, far - wide, far + wide, near + wide]),
                255,
            )
    return paint


def estate_heaps(
    rng: np.random.Generator,
    extent: Extent,
    blocks: tuple[EstateBlock, ...],
    ruins: tuple[Ruin, ...],
) -> Heaps:
    """Rubble where floors fell, inside and at the foot of blocks."""
    shape = extent.shape(HEIGHT_STEP_M)
    built, heaped, foot = (np.zeros(shape, np.float32) for _ in range(3))
    for block, ruin in zip(blocks, ruins, strict=True):
        fill(built, extent, HEIGHT_STEP_M, block.world(np.array(block.plan().exterior.coords)), 1.0)
        down = ruin.gone[0].intersection(block.plan()).difference(ruin.stacked)
        high = BULKING * block.height_m + 0.35
        for polygon in polygons_in(down):
            fill(
                heaped, extent, HEIGHT_STEP_M, block.world(np.array(polygon.exterior.coords)), high
            )
        _foot(extent, block, ruin, foot)
    lumps = smooth_noise(rng, extent, HEIGHT_STEP_M, 1.6)
    wobble = smooth_noise(rng, extent, HEIGHT_STEP_M, 5.0)
    near = cv2.GaussianBlur(heaped, (0, 0), 1.2 / HEIGHT_STEP_M)
    wide = cv2.GaussianBlur(heaped, (0, 0), 3.2 / HEIGHT_STEP_M)
    thrown = cv2.GaussianBlur(foot, (0, 0), 1.2 / HEIGHT_STEP_M)
    height = (0.5 * near + 0.6 * wide) * (1 + 0.22 * wobble + 0.16 * lumps)
    height = np.maximum(height + thrown * (1 + 0.5 * lumps), 0)
    return Heaps(
        built=built,
        density=np.asarray(np.clip(1.5 * height - 0.03, 0, 1), np.float32),
        height_m=np.asarray(height, np.float32),
    )


def _foot(extent: Extent, block: EstateBlock, ruin: Ruin, raster: Float32Array) -> None:
    """What fell outwards: a strip at the foot of every façade that lost storeys."""
    plan = block.plan()
    share = sum(gone.intersection(plan).area > 3 for gone in ruin.gone) / block.storeys
    lost = shapely.union_all([*ruin.gone, ruin.stacked])
    rim = plan.exterior.intersection(lost)
    if rim.is_empty or rim.length < 1.5:
        return
    apron = rim.buffer(1.5 + 2.5 * share).difference(plan)
    for polygon in polygons_in(apron):
        ring = block.world(np.array(polygon.exterior.coords))
        fill(raster, extent, HEIGHT_STEP_M, ring, 0.35 + 0.9 * share)


def estate_land(
    rng: np.random.Generator,
    estate: Estate,
    bare: Float32Array,
    extent: Extent,
    cover: ByteArray,
    heaps: Heaps,
    marks_xy: Array,
) -> TwinGround:
    """Everything put together, level and clean round the marks (M, 2), local metres."""
    east, north = extent.samples(HEIGHT_STEP_M)
    height = bare + heaps.height_m + 0.015 * smooth_noise(rng, extent, HEIGHT_STEP_M, 1.4)
    height += 0.14 * heaps.density * smooth_noise(rng, extent, HEIGHT_STEP_M, 0.6)
    rubble = heaps.density.copy()
    for xy in marks_xy:
        away = np.hypot(east - xy[0], north - xy[1])
        keep = np.clip((away - LEVEL_M) / LEVEL_M, 0, 1).astype(np.float32)
        level = float(at(bare, extent, HEIGHT_STEP_M, xy[None])[0]) + 0.02
        height += (level - height) * (1 - keep)
        rubble *= keep
    kerb = np.full(bare.shape, -99.0, np.float32)
    for avenue in estate.avenues:
        start, side = avenue.axis_m[0], avenue.side
        away = np.abs((east - start[0]) * side[0] + (north - start[1]) * side[1])
        kerb = np.maximum(kerb, (avenue.width_m / 2 - away).astype(np.float32))
    return TwinGround(
        extent=extent,
        bare_m=bare,
        height_m=height.astype(np.float32),
        cover=cover,
        paint=parking_lines(rng, estate, extent),
        rubble=rubble,
        scorch=np.zeros_like(bare),
        built=heaps.built,
        kerb_m=kerb,
    )
