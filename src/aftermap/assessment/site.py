"""One building's own cells of a window: those inside its outline, those around it, its ground."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from shapely.geometry.base import BaseGeometry

from aftermap.assessment.cells import Cells, building_cells
from aftermap.assessment.order import quantiles_of
from aftermap.geo.arrays import Array, BoolArray, Float32Array
from aftermap.geo.grid import Block, cell_centres_m, window_of
from aftermap.geo.windows import block_over
from aftermap.model.raster import Grid

AROUND_M = 8.0
"""How far from the outline ground is looked for; twelve metres where there is too little."""
RIM_M = 0.6
"""Cells nearer to the outline than this are not counted: parapets, and outlines a little off."""
LEAST_INSIDE = 0.3
GROUND_CELLS = 40
GROUND_QUANTILE = 0.15
DEPENDS_M2 = 1.5
"""Heights within such an area hang together: matching smooths over about a metre."""


@dataclass(frozen=True, kw_only=True)
class BuildingSite:
    """A building in a window cut to its surroundings. Arrays are (rows, columns).

    ``outline`` is what lies inside the footprint and ``inner`` what lies inside off its rim;
    ``outside_m`` is the distance from the footprint, 0 inside. ``neighbours`` is what lies inside
    other footprints. ``ground_m`` is the height of the ground around; NaN where none is measured.
    """

    grid: Grid
    cells: Cells
    outline: BoolArray
    inner: BoolArray
    neighbours: BoolArray
    outside_m: Float32Array
    ground_m: float
    ground_sigma_m: float

    @property
    def cell_area_m2(self) -> float:
        """Area of one cell."""
        return self.grid.cell_m**2

    def independent_count(self, mask: BoolArray) -> float:
        """How many independent observations the True cells of a (rows, columns) mask hold."""
        return max(1.0, float(mask.sum()) * self.cell_area_m2 / DEPENDS_M2)

    @property
    def used(self) -> BoolArray:
        """(rows, columns) mask of the cells that measures are taken from: inner, and measured."""
        return np.asarray(self.inner & self.cells.measured)


def site_of(cells: Cells, shape: BaseGeometry, place: int) -> BuildingSite:
    """The surroundings of the building at ``place`` of the window's buildings."""
    west, south, east, north = shape.bounds
    reach = AROUND_M + 4.0
    block = _within(
        block_over(cells.grid, (west - reach, south - reach), (east + reach, north + reach)),
        cells.grid,
    )
    cut = np.s_[block.row : block.row + block.rows, block.column : block.column + block.columns]
    own = Cells(
        grid=window_of(cells.grid, block),
        height_m=cells.height_m[cut],
        photographs=cells.photographs[cut],
        measured=cells.measured[cut],
        filled=cells.filled[cut],
        slope_east=cells.slope_east[cut],
        slope_north=cells.slope_north[cut],
        rough_m=cells.rough_m[cut],
        owner=cells.owner[cut],
    )
    outline = building_cells(shape, place, own.owner, own.grid)
    inner = inner_of(outline, own.grid.cell_m)
    outside = edge_distance_m(~outline, own.grid.cell_m)
    neighbours = (own.owner > 0) & (own.owner != place + 1) & ~outline
    ground, sigma = ground_level(own, outline, neighbours, outside)
    return BuildingSite(
        grid=own.grid,
        cells=own,
        outline=outline,
        inner=inner,
        neighbours=neighbours,
        outside_m=outside,
        ground_m=ground,
        ground_sigma_m=sigma,
    )


def inner_of(outline: BoolArray, cell_m: float) -> BoolArray:
    """(rows, columns) mask of what lies inside off the rim of an outline.

    Less is cut off a narrow building, so that something stays.
    """
    depth = edge_distance_m(outline, cell_m)
    rim = RIM_M
    while rim > cell_m and (depth > rim).sum() < LEAST_INSIDE * outline.sum():
        rim /= 2
    return np.asarray(depth > rim)


def edge_distance_m(mask: BoolArray, cell_m: float) -> Float32Array:
    """(rows, columns) distance of every cell of a mask from the nearest cell outside it, 0 there.

    What lies beyond the edge of the window is taken to be as the cells at the edge are.
    """
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    away = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    return np.asarray(away * cell_m, np.float32)


def ground_level(
    cells: Cells, outline: BoolArray, neighbours: BoolArray, outside_m: Float32Array
) -> tuple[float, float]:
    """Height of the ground around a building, and one sigma: a low quantile of what is measured.

    Masks and ``outside_m`` are (rows, columns). Cars, trees, walls and heaps stand on the ground
    and nothing stands below it, so it is near the lowest of what lies around; the very lowest are
    outliers of matching. NaN where too little ground is measured.
    """
    free = cells.measured & ~outline & ~neighbours & (outside_m > 2 * cells.grid.cell_m)
    for reach in (AROUND_M, math.inf):
        heights = cells.height_m[free & (outside_m < reach)]
        if len(heights) >= GROUND_CELLS:
            low, middle = quantiles_of(heights, GROUND_QUANTILE, 0.4)
            return low, math.hypot(0.08, min((middle - low) / 2, 2.0))
    return float("nan"), float("nan")


def cut_to(part: Grid, whole: Grid, values: Float32Array) -> Float32Array:
    """(rows, columns) values of a whole window in one part of it, a window of the same cells."""
    row = round((whole.north_m - part.north_m) / whole.cell_m)
    column = round((part.east_m - whole.east_m) / whole.cell_m)
    return values[row : row + part.rows, column : column + part.columns]


def places_of(site: BuildingSite, mask: BoolArray) -> tuple[Array, Array]:
    """(N, 3) east, north, height of cells from the middle of the site, and (N, 2) slopes."""
    east, north = cell_centres_m(site.grid)
    rows, columns = np.nonzero(mask)
    x = east[columns] - east.mean()
    y = north[rows] - north.mean()
    slopes = np.column_stack([site.cells.slope_east[mask], site.cells.slope_north[mask]])
    return np.column_stack([x, y, site.cells.height_m[mask]]).astype(float), slopes.astype(float)


def _within(block: Block, grid: Grid) -> Block:
    first, left = max(0, block.row), max(0, block.column)
    last = min(grid.rows, block.row + block.rows)
    right = min(grid.columns, block.column + block.columns)
    return Block(row=first, column=left, rows=max(1, last - first), columns=max(1, right - left))
