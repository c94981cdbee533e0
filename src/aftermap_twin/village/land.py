"""The land under a village: fields, lanes and yards, and heaps where houses fell."""

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap_twin.scene import StreetAxis
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
from aftermap_twin.village.damage import BARE, OPEN, Wounds
from aftermap_twin.village.houses import CELL_M, House
from aftermap_twin.village.layout import VillagePlan

YARD_M = (3.0, 7.0)
MARK_LEVEL_M = 1.5


def cover_over(rng: np.random.Generator, plan: VillagePlan, extent: Extent) -> ByteArray:
    """(rows, columns) labels of what covers the ground, as ``Cover`` numbers, by COVER_STEP_M."""
    cover = np.full(extent.shape(COVER_STEP_M), Cover.GARDEN, np.uint8)
    patchy = smooth_noise(rng, extent, HEIGHT_STEP_M, 26.0)
    size = cover.shape[1], cover.shape[0]
    cover[cv2.resize(patchy, size, interpolation=cv2.INTER_LINEAR) > 0.55] = Cover.EARTH
    for site in plan.sites:
        fill(cover, extent, COVER_STEP_M, site.ring(float(rng.uniform(*YARD_M))), Cover.YARD)
    for lane in plan.lanes:
        kind = Cover.ASPHALT if lane.width_m > 5 or rng.random() < 0.3 else Cover.ALLEY
        a, b = lane.axis_m
        side = lane.side * lane.width_m / 2
        fill(cover, extent, COVER_STEP_M, np.array([a + side, b + side, b - side, a - side]), kind)
    return cover


def heaps_over(
    rng: np.random.Generator,
    extent: Extent,
    houses: tuple[House, ...],
    wounds: tuple[Wounds, ...],
) -> tuple[Heaps, Float32Array]:
    """Rubble in and around fallen houses, and the share of each cell that fire blackened, 0 to 1.

    Both are rasters of shape (rows, columns) over ``extent``, by HEIGHT_STEP_M.
    """
    shape = extent.shape(HEIGHT_STEP_M)
    built, inner, thrown, litter, fire = (np.zeros(shape, np.float32) for _ in range(5))
    for house, hurt in zip(houses, wounds, strict=True):
        ring = house.outline()
        fill(built, extent, HEIGHT_STEP_M, house.world(ring[:, 0], ring[:, 1]), 1.0)
        _one_heap(extent, house, hurt, (inner, thrown, litter, fire))
    lumps = smooth_noise(rng, extent, HEIGHT_STEP_M, 1.1)
    wobble = smooth_noise(rng, extent, HEIGHT_STEP_M, 3.3)
    skirt = cv2.GaussianBlur(thrown, (0, 0), 1.7 / HEIGHT_STEP_M)
    near = cv2.GaussianBlur(inner, (0, 0), 0.7 / HEIGHT_STEP_M)
    height = np.maximum(
        near * (1 + 0.3 * lumps) + 0.55 * skirt * (1 + 0.5 * wobble + 0.3 * lumps), 0
    )
    spread = cv2.GaussianBlur(litter, (0, 0), 1.1 / HEIGHT_STEP_M)
    density = np.clip(1.6 * height + spread * (0.8 + 0.6 * wobble), 0, 1)
    heaps = Heaps(
        built=built,
        density=np.asarray(density, np.float32),
        height_m=np.asarray(height, np.float32),
    )
    return heaps, np.asarray(np.clip(cv2.GaussianBlur(fire, (0, 0), 2.5), 0, 1), np.float32)


def _one_heap(
    extent: Extent, house: House, hurt: Wounds, rasters: tuple[Float32Array, ...]
) -> None:
    """A house's rubble by raster sample: what lies inside, is thrown out, is strewn, is burnt."""
    inner, thrown, litter, fire = rasters
    reach = 3.0
    box = house.site.ring(reach + house.depth_m - house.site.width_m)
    low = np.maximum(((box.min(0) - extent.low_m) / HEIGHT_STEP_M).astype(int), 0)
    high = ((box.max(0) - extent.low_m) / HEIGHT_STEP_M).astype(int) + 1
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    rows, columns = inner[window].shape
    if not rows * columns:
        return
    y, x = np.mgrid[0:rows, 0:columns] * HEIGHT_STEP_M
    dx = x + extent.low_m[0] + low[0] * HEIGHT_STEP_M - house.site.corner_m[0]
    dy = y + extent.low_m[1] + low[1] * HEIGHT_STEP_M - house.site.corner_m[1]
    s = dx * house.site.forward[0] + dy * house.site.forward[1]
    t = dx * house.site.side[0] + dy * house.site.side[1]
    row = np.clip(((t - hurt.low_m[1]) / CELL_M).astype(int), 0, hurt.roof.shape[0] - 1)
    column = np.clip(((s - hurt.low_m[0]) / CELL_M).astype(int), 0, hurt.roof.shape[1] - 1)
    over = house.is_inside(s, t, 0.2)
    state = hurt.roof[row, column]
    fallen = over & (state == OPEN) & hurt.loft_open[row, column]
    inner[window] = np.maximum(inner[window], fallen * hurt.heap_m)
    cut = over * hurt.wall_cut[row, column] / max(house.storeys * house.storey_m, 1)
    thrown[window] = np.maximum(thrown[window], np.clip(cut, 0, 1) * (0.5 + hurt.heap_m))
    near = house.is_inside(s, t, 2.2) & ~over
    litter[window] = np.maximum(
        litter[window], near * 0.75 * (state != 0) * (1.0 if cut.any() else 0.45)
    )
    litter[window] = np.maximum(litter[window], over * (state == OPEN) * 0.8)
    litter[window] = np.maximum(litter[window], near * 0.3 * (state == BARE))
    fire[window] = np.maximum(fire[window], fallen * hurt.burnt * 0.8)


def land_of(
    rng: np.random.Generator,
    extent: Extent,
    lanes: tuple[StreetAxis, ...],
    bare: Float32Array,
    cover: ByteArray,
    heaps: Heaps,
    fire: Float32Array,
    marks_xy: Array,
) -> TwinGround:
    """Everything put together, level and clean round the marks (M, 2), local metres."""
    height = bare + heaps.height_m + 0.02 * smooth_noise(rng, extent, HEIGHT_STEP_M, 1.2)
    height += 0.12 * heaps.density * smooth_noise(rng, extent, HEIGHT_STEP_M, 0.5)
    rubble, scorch = heaps.density.copy(), fire.copy()
    east, north = extent.samples(HEIGHT_STEP_M)
    for xy in marks_xy:
        away = np.hypot(east - xy[0], north - xy[1])
        keep = np.clip((away - MARK_LEVEL_M) / MARK_LEVEL_M, 0, 1).astype(np.float32)
        level = float(at(bare, extent, HEIGHT_STEP_M, xy[None])[0]) + 0.02
        height += (level - height) * (1 - keep)
        rubble *= keep
        scorch *= keep
    kerb = np.full(bare.shape, -99.0, np.float32)
    for lane in lanes:
        away = np.abs(
            (east - lane.axis_m[0, 0]) * lane.side[0] + (north - lane.axis_m[0, 1]) * lane.side[1]
        )
        kerb = np.maximum(kerb, (lane.width_m / 2 - away).astype(np.float32))
    return TwinGround(
        extent=extent,
        bare_m=bare,
        height_m=height.astype(np.float32),
        cover=cover,
        paint=np.zeros(extent.shape(COVER_STEP_M), np.uint8),
        rubble=rubble,
        scorch=scorch,
        built=heaps.built,
        kerb_m=kerb,
    )
