"""Buildings, their views and the confidence of the surface -> how well each building was seen.

This is one of three axes: it says neither how badly a building is damaged nor how surely that is
known. A building that was not seen keeps its row, with nothing in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aftermap.geo.arrays import Array, Int32Array, IntArray
from aftermap.geo.grid import Block, window_of
from aftermap.geo.measured_heights import LEAST_AGREEING
from aftermap.geo.polygon import cells_inside, neighbourhoods, shape_of
from aftermap.geo.windows import block_over, read_block
from aftermap.model.assessment import Imagery, Visibility
from aftermap.model.building import Buildings, Polygon, ViewTable
from aftermap.model.raster import Elevation, Grid, Raster
from aftermap.model.runs import Executor, Workspace

BLOCK_M = 150.0
CELL_M = 0.2
"""Confidence is looked at every so many metres: it changes far more slowly than heights."""
FACES = (1, 2, 4, 8)
NADIR_DEG = 30.0
"""A photograph up to so far off nadir shows a roof from above."""
MOST_OF_A_ROOF = 0.5


@dataclass(frozen=True, kw_only=True)
class _Block:
    buildings: IntArray
    outlines: tuple[tuple[Polygon, ...], ...]


def visibility_of(
    buildings: Buildings,
    views: ViewTable,
    elevation: Elevation,
    files: Workspace,  # noqa: ARG001 - every step takes its workspace; nothing here is that large
    executor: Executor,
) -> tuple[Visibility, ...]:
    """How well every building was seen, in their order.

    ``views`` of the answer counts the views that are kept; ``facades`` the sides that any of them
    shows. What nobody measured counts as not measured, also beyond the edge of the surface.
    """
    count = len(buildings.buildings)
    measured, agreeing = np.zeros(count), np.full(count, np.nan)
    middles = np.array([one.polygons_m[0][0][0] for one in buildings.buildings]).reshape(-1, 2)
    blocks = [
        _Block(buildings=some, outlines=tuple(buildings.buildings[i].polygons_m for i in some))
        for some in neighbourhoods(middles, BLOCK_M)
    ]
    work = partial(_confidence, raster=elevation.confidence)
    for block, found in zip(blocks, executor.map(work, blocks, label="visibility"), strict=True):
        measured[block.buildings], agreeing[block.buildings] = found.T
    table = pq.read_table(views.path)
    building, sample = table["building"].to_numpy(), table["ground_sample_m"].to_numpy()
    seen, sides = np.bincount(building, minlength=count), _sides_seen(table, count)
    imagery = imagery_of(table, count)
    best = np.full(count, np.inf)
    np.minimum.at(best, building, sample)
    return tuple(
        Visibility(
            roof_fraction=float(measured[i]),
            views=int(seen[i]),
            facades=int(sides[i]),
            ground_sample_m=_finite(best[i]),
            surface_photographs=_finite(agreeing[i]),
            imagery=imagery[i],
        )
        for i in range(count)
    )


def _sides_seen(table: pa.Table, count: int) -> IntArray:
    """(count,) how many sides of each building any view shows."""
    building, faces = table["building"].to_numpy(), table["faces"].to_numpy()
    sides = np.zeros(count, np.int64)
    for bit in FACES:
        sides += np.bincount(building[(faces & bit) > 0], minlength=count) > 0
    return sides


def imagery_of(table: pa.Table, count: int) -> list[Imagery | None]:
    """The best kind of picture of each of ``count`` buildings, of a table of views; None: no view.

    A photograph counts where most of the roof is in it and in the open.
    """
    building = table["building"].to_numpy()
    framed, hidden, slant_deg = (
        table[name].to_numpy() for name in ("framed_fraction", "occluded_fraction", "off_nadir_deg")
    )
    is_photograph = np.asarray(table["clip_sha256"].is_null())
    shows = is_photograph & (framed * (1 - hidden) >= MOST_OF_A_ROOF)
    from_above = np.bincount(building[shows & (slant_deg <= NADIR_DEG)], minlength=count)
    photographs = np.bincount(building[shows], minlength=count)
    seen = np.bincount(building, minlength=count)
    return [
        Imagery.NADIR_PHOTOGRAPHS
        if from_above[i] >= LEAST_AGREEING
        else Imagery.OBLIQUE_PHOTOGRAPHS
        if photographs[i] >= LEAST_AGREEING
        else Imagery.VIDEO
        if seen[i]
        else None
        for i in range(count)
    ]


def _confidence(block: _Block, *, raster: Raster) -> Array:
    """(N, 2) share of each outline that was measured, and the median number of photographs."""
    grid = raster.grid
    corners = np.array([xy for polygons in block.outlines for rings in polygons for xy in rings[0]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    window = block_over(grid, (low[0], low[1]), (high[0], high[1]))
    cells, whole = read_block(raster, window)
    step = max(1, int(CELL_M / grid.cell_m))
    thin = cells[0][step // 2 :: step, step // 2 :: step].astype(np.int32)
    coarse = Grid(
        crs=whole.crs,
        east_m=whole.east_m,
        north_m=whole.north_m,
        cell_m=whole.cell_m * step,
        columns=thin.shape[1],
        rows=thin.shape[0],
    )
    return np.array([_of_one(outline, thin, coarse) for outline in block.outlines])


def _of_one(outline: Sequence[Polygon], counts: Int32Array, grid: Grid) -> tuple[float, float]:
    shape = shape_of(outline)
    west, south, east, north = shape.bounds
    around = block_over(grid, (west, south), (east, north))
    row, column = max(around.row, 0), max(around.column, 0)
    block = Block(
        row=row,
        column=column,
        rows=min(around.rows + around.row, grid.rows) - row,
        columns=min(around.columns + around.column, grid.columns) - column,
    )
    if block.rows <= 0 or block.columns <= 0:
        return 0.0, np.nan
    part = counts[row : row + block.rows, column : column + block.columns]
    inside = part[cells_inside(shape, window_of(grid, block))]
    seen = inside[inside >= LEAST_AGREEING]
    if len(seen) == 0:
        return 0.0, np.nan
    return len(seen) / len(inside), float(np.median(seen))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
