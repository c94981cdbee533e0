"""The ground: bare earth, streets and pavements, heaps and craters, level under every mark."""

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap_twin.city.layout import TownPlan, inset
from aftermap_twin.options import TwinOptions
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

PAVEMENT_M = 1.25
KERB_M = 0.14
MARK_LEVEL_M = 1.6
"""The ground is level this far round every mark, then blends over as much again."""
CRATER_EVERY_M2 = 14_000.0


def cover_of(
    rng: np.random.Generator, plan: TownPlan, extent: Extent, *, vacant: bool
) -> ByteArray:
    """(rows, columns) labels of what covers the ground, as ``Cover`` numbers every COVER_STEP_M.

    ``vacant`` lots are bare earth.
    """
    cover = np.full(extent.shape(COVER_STEP_M), Cover.ASPHALT, np.uint8)
    for street in plan.streets:
        if street.width_m < 5.5 and rng.random() < 0.7:
            fill(cover, extent, COVER_STEP_M, _band(street, street.width_m + 0.6), Cover.ALLEY)
    for block in plan.blocks:
        fill(cover, extent, COVER_STEP_M, block, Cover.PAVEMENT)
        fill(cover, extent, COVER_STEP_M, inset(block, PAVEMENT_M), Cover.YARD)
    for lot in plan.lots:
        kind = {"open": Cover.EARTH, "garden": Cover.GARDEN}.get(lot.use)
        kind = Cover.EARTH if vacant and kind is None else kind
        if kind is not None:
            fill(cover, extent, COVER_STEP_M, lot.corners_m, kind)
    return cover


def _band(street: StreetAxis, width_m: float) -> Array:
    a, b = street.axis_m
    side = street.side * width_m / 2
    return np.array([a + side, b + side, b - side, a - side])


def ground_of(
    rng: np.random.Generator,
    options: TwinOptions,
    extent: Extent,
    plan: TownPlan,
    bare: Float32Array,
    cover: ByteArray,
    heaps: Heaps,
    marks_xy: Array,
) -> TwinGround:
    """Everything put together, level and clean round the marks (M, 2), local metres.

    ``bare`` (rows, columns) is the ground in metres, ``cover`` (rows, columns) what covers it.
    """
    rows, columns = bare.shape
    street = np.isin(cover, (Cover.ASPHALT, Cover.ALLEY)).astype(np.uint8)
    raised = cv2.resize(
        1 - street.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA
    )
    height = bare + KERB_M * cv2.GaussianBlur(raised, (0, 0), 0.5) + heaps.height_m
    height += 0.012 * smooth_noise(rng, extent, HEIGHT_STEP_M, 0.9) * raised
    height += 0.10 * heaps.density * smooth_noise(rng, extent, HEIGHT_STEP_M, 0.45)
    rubble, scorch = heaps.density.copy(), np.zeros_like(bare)
    if not options.flat:
        _dig_craters(rng, extent, height, scorch, rubble, heaps.built)
    _level_marks(extent, bare, marks_xy, height, (rubble, scorch))
    inner = cv2.distanceTransform(street, cv2.DIST_L2, 5)
    outer = cv2.distanceTransform(1 - street, cv2.DIST_L2, 5)
    kerb = cv2.resize((inner - outer) * COVER_STEP_M, (columns, rows), interpolation=cv2.INTER_AREA)
    return TwinGround(
        extent=extent,
        bare_m=bare,
        height_m=height.astype(np.float32),
        cover=cover,
        paint=_road_marking(extent, plan),
        rubble=rubble.astype(np.float32),
        scorch=scorch.astype(np.float32),
        built=heaps.built,
        kerb_m=np.asarray(kerb, np.float32),
    )


def _level_marks(
    extent: Extent,
    bare: Float32Array,
    marks_xy: Array,
    height: Float32Array,
    cleared: tuple[Float32Array, ...],
) -> None:
    east, north = extent.samples(HEIGHT_STEP_M)
    for xy in marks_xy:
        away = np.hypot(east - xy[0], north - xy[1])
        keep = np.clip((away - MARK_LEVEL_M) / MARK_LEVEL_M, 0, 1).astype(np.float32)
        level = float(at(bare, extent, HEIGHT_STEP_M, xy[None])[0]) + 0.02
        height += (level - height) * (1 - keep)
        for raster in cleared:
            np.multiply(raster, keep, out=raster)


def _dig_craters(
    rng: np.random.Generator,
    extent: Extent,
    height: Float32Array,
    scorch: Float32Array,
    rubble: Float32Array,
    built: Float32Array,
) -> None:
    east, north = extent.samples(HEIGHT_STEP_M)
    area = float(np.prod(np.array(extent.high_m) - extent.low_m))
    free = np.argwhere(cv2.GaussianBlur(built, (0, 0), 6) < 0.05)
    for _ in range(max(1, int(area / CRATER_EVERY_M2)) if len(free) else 0):
        row, column = free[rng.integers(len(free))]
        dx, dy = east - east[row, column], north - north[row, column]
        radius = rng.uniform(1.2, 3.4)
        away = np.hypot(dx, dy) / radius
        away *= 1 + 0.1 * np.sin(np.arctan2(dy, dx) * 3 + rng.random() * 6)
        rim = np.exp(-(((away - 1.15) / 0.25) ** 2))
        height += (radius * (0.12 * rim - 0.42 * np.clip(1 - away**2, 0, None))).astype(np.float32)
        scorch += np.exp(-((away / 1.5) ** 2)).astype(np.float32)
        rubble += 0.35 * np.exp(-(((away - 1.3) / 0.6) ** 2)).astype(np.float32)
    np.clip(rubble, 0, 1, out=rubble)
    np.clip(scorch, 0, 1, out=scorch)


def _road_marking(extent: Extent, plan: TownPlan) -> ByteArray:
    """Dashed centre lines of wide streets and a zebra crossing near their ends."""
    paint = np.zeros(extent.shape(COVER_STEP_M), np.uint8)
    for street in plan.streets:
        if street.width_m < 6.5:
            continue
        for start in np.arange(9.0, street.length_m - 9.0, 5.0):
            _stripe(paint, extent, street, (start, start + 2.4), (-0.07, 0.07))
        if street.width_m > 8.5 and street.length_m > 40:
            for across in np.arange(-street.width_m / 2 + 0.8, street.width_m / 2 - 0.8, 1.0):
                _stripe(paint, extent, street, (5.5, 8.5), (across, across + 0.5))
    return np.asarray(cv2.GaussianBlur(paint, (3, 3), 0.5), np.uint8)


def _stripe(
    paint: ByteArray,
    extent: Extent,
    street: StreetAxis,
    along: tuple[float, float],
    across: tuple[float, float],
) -> None:
    start, forward, side = street.axis_m[0], street.forward, street.side
    near, far = start + forward * along[0], start + forward * along[1]
    left, right = side * across[0], side * across[1]
    outline = np.array([near + left, far + left, far + right, near + right])
    fill(paint, extent, COVER_STEP_M, outline, 255)
