"""Holes of up to five metres cut into mapped roofs of known grade, lit and dark, as maps show them.

A surface sees into a large hole in part: a third to two thirds of it is not measured, and its edges
are soft. In the picture a hole is black, or shows a lit floor with what fell on it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import rasterio

from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array
from aftermap.geo.grid import cell_centres_m, window_of
from aftermap.geo.polygon import cells_inside, shape_of
from aftermap.geo.windows import block_over
from aftermap.model.assessment import Grade
from aftermap.model.raster import Grid
from benchmarks.grading_data import Map, Truth, with_rasters, written

SHARE = 0.5
"""So many of the roofs without large holes get some."""
RADIUS_M = 0.7, 2.6
LIGHT_FRACTION, LEAST_FRACTION = 0.10, 0.004
"""Up to this share of its roof open a building is light; less than that is nobody's hole."""
RAGGED_M = 1.2
STOREY_M = 2.6, 3.4


def holed(where: Map, truth: Truth, seed: int, work: Path) -> tuple[Map, Truth]:
    """The map with holes cut into some roofs that were whole or light, and the truth with them."""
    rng = np.random.default_rng([seed, 97])
    layers = []
    for raster in (where.elevation.surface, where.elevation.confidence, where.orthophoto.image):
        with rasterio.open(raster.path) as file:
            layers.append(file.read())
    grades = list(truth.grades)
    for index, one in enumerate(truth.buildings.buildings):
        if grades[index] not in {Grade.NONE, Grade.LIGHT} or rng.random() > SHARE:
            continue
        roof = shape_of(one.polygons_m)
        spots = _spots(rng, np.array(roof.buffer(-1.5).bounds if roof.area > 40 else roof.bounds))
        opened = sum(np.pi * radius**2 for _, radius in spots) / roof.area
        if not LEAST_FRACTION < opened < 3 * LIGHT_FRACTION:
            continue
        for spot in spots:
            _cut(rng, where, layers, roof, spot)
        grades[index] = Grade.LIGHT if opened <= LIGHT_FRACTION else Grade.MODERATE
    names = ("surface", "confidence", "image")
    rasters = (where.elevation.surface, where.elevation.confidence, where.orthophoto.image)
    made = {
        name: written(bands, raster, work / f"{name}.tif")
        for name, bands, raster in zip(names, layers, rasters, strict=True)
    }
    return with_rasters(where, made), replace(truth, grades=tuple(grades))


def _spots(rng: np.random.Generator, box: Array) -> list[tuple[Array, float]]:
    """Places (2,) in a box (west, south, east, north), and radii, of the holes of one roof."""
    return [
        (rng.uniform(box[:2], box[2:]), float(rng.uniform(*RADIUS_M)))
        for _ in range(int(rng.integers(1, 4)))
    ]


def _cut(
    rng: np.random.Generator,
    where: Map,
    layers: Sequence[Array],
    roof: object,
    spot: tuple[Array, float],
) -> None:
    """Cut one ragged hole into surface, confidence and picture, all (bands, rows, columns)."""
    heights, counts, bands = layers
    middle, radius = spot
    bend = rng.normal(0, 0.12, (3, 2))
    for grid, act in (
        (where.elevation.surface.grid, "heights"),
        (where.orthophoto.image.grid, "picture"),
    ):
        block = block_over(grid, middle - radius - 2, middle + radius + 2)
        if min(block.row, block.column) < 0 or block.row + block.rows > grid.rows:
            return
        if block.column + block.columns > grid.columns:
            return
        part = window_of(grid, block)
        cut = np.s_[block.row : block.row + block.rows, block.column : block.column + block.columns]
        hole = _outline(part, spot, bend) & cells_inside(roof, part)
        if act == "heights":
            _lower(rng, heights[0][cut], counts[0][cut], hole, part.cell_m)
        else:
            _paint(rng, bands[:3, cut[0], cut[1]], hole, part.cell_m)


def _outline(grid: Grid, spot: tuple[Array, float], bend: Array) -> BoolArray:
    """(rows, columns) mask of a ragged hole."""
    (x, y), radius = spot
    east, north = np.meshgrid(*cell_centres_m(grid))
    turn = np.arctan2(north - y, east - x)
    reach = np.ones_like(turn)
    for wave, (one, other) in zip((2, 3, 7), bend, strict=True):
        reach += one * np.cos(wave * turn) + other * np.sin(wave * turn)
    return np.asarray(np.hypot(east - x, north - y) < radius * np.clip(reach, 0.4, 1.6))


def _lower(
    rng: np.random.Generator,
    heights: Float32Array,
    counts: ByteArray,
    hole: BoolArray,
    cell_m: float,
) -> None:
    """Sink the surface in a hole, with soft edges and gaps, as matching leaves it."""
    depth = float(rng.uniform(*STOREY_M)) * (2 if rng.random() < 0.3 else 1)
    soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.35 / cell_m)
    away = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) * cell_m
    seen = np.clip(2 * soft - 1, 0, 1) * np.clip(away.max() / 1.2, 0, 1)
    heights -= (depth * seen).astype(np.float32)
    patches = cv2.GaussianBlur(rng.normal(0, 1, hole.shape), (0, 0), 0.5 / cell_m)
    share = float(rng.uniform(0.25, 0.65))
    gap = hole & (patches < np.quantile(patches[hole], share)) if hole.any() else hole
    counts[gap] = 0


def _paint(rng: np.random.Generator, bands: ByteArray, hole: BoolArray, cell_m: float) -> None:
    """Darken a hole in a picture (3, rows, columns): black, or a lit floor with rubble on it."""
    floor = rng.uniform(0.04, 0.2) if rng.random() < 0.5 else rng.uniform(0.3, 0.9)
    rubble = cv2.GaussianBlur(rng.normal(1, 0.5, hole.shape), (0, 0), 0.2 / cell_m)
    spread = 1 + (rubble - 1) / max(float(rubble.std()), 1e-6) * 0.25
    light = np.where(hole, np.clip(floor * spread, 0.02, 1.3), 1.0) ** (1 / 2.2)
    light = cv2.GaussianBlur(light, (0, 0), max(0.05 / cell_m, 0.5))
    bands[:] = np.clip(bands * light, 0, 255).astype(np.uint8)
