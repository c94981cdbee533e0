"""A surface and its confidence -> the heights that photographs agree on, apart from filled ones.

A cell is measured where at least ``LEAST_AGREEING`` photographs agree on its height, and filled
where it has a height and fewer do. Everything that is told of a height, a roof, a street or a place
asks here, so that a filled height is never taken for a measured one: it is NaN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from aftermap.geo.arrays import Array, BoolArray, Float32Array, IntArray
from aftermap.geo.grid import Block, cell_centres_m, grid_over
from aftermap.geo.windows import block_over, read_block, read_heights
from aftermap.model.raster import Elevation, Grid, Orthophoto

LEAST_AGREEING = 2
NO_SOURCE = 65535
CONFIDENCE_NAME = "confidence.tif"
OF_A_MAP = ("surface.tif", "orthophoto.tif")
STRIP_CELLS = 8_000_000
"""So many cells of the surface are held at once."""
FINER = 1.5
"""A surface this many times finer than a grid is averaged over its cells."""
TIE = 1e-6
"""Of a cell: a middle so close before the border of the next cell is counted with that one."""


@dataclass(frozen=True, kw_only=True)
class MeasuredHeights:
    """Heights on a grid, (rows, columns) float32, NaN where there are none.

    ``measured_m`` is the mean of the measured heights in a cell, ``filled_m`` that of the filled
    ones; ``measured_fraction`` and ``filled_fraction`` are the shares of the cell that hold them,
    of the surface's cells whose middles lie in it.
    """

    grid: Grid
    measured_m: Float32Array
    filled_m: Float32Array
    measured_fraction: Float32Array
    filled_fraction: Float32Array

    @property
    def is_filled(self) -> BoolArray:
        """(rows, columns) mask where more of a cell is filled than measured."""
        return np.asarray(self.filled_fraction > self.measured_fraction)

    @property
    def any_m(self) -> Float32Array:
        """(rows, columns) metres: the measured height where there is one, else the filled one."""
        return np.where(np.isfinite(self.measured_m), self.measured_m, self.filled_m)


def measured_block(elevation: Elevation, block: Block) -> tuple[Float32Array, Float32Array, Grid]:
    """(rows, columns) the measured heights of a block and the filled ones, NaN elsewhere; its grid.

    The block counts cells of the surface, and may reach beyond it.
    """
    heights, grid = read_heights(elevation.surface, block)
    agree = read_block(elevation.confidence, block)[0][0] >= LEAST_AGREEING
    none = np.float32(np.nan)
    return np.where(agree, heights, none), np.where(agree, none, heights), grid


def measured_over(
    elevation: Elevation,
    lower_left_m: tuple[float, float],
    upper_right_m: tuple[float, float],
    *,
    cell_m: float,
) -> MeasuredHeights:
    """Heights over a box in cells of ``cell_m``, or in the surface's own where those are larger."""
    own = elevation.surface.grid
    grid = grid_over(own.crs, lower_left_m, upper_right_m, max(cell_m, own.cell_m))
    return measured_on(elevation, grid)


def measured_on(elevation: Elevation, grid: Grid) -> MeasuredHeights:
    """Heights on another grid of the same CRS: means where the surface is finer, else the nearest.

    Every cell of the surface under the grid is read, and no overview. Memory is that of the answer
    and of one strip.
    """
    own = elevation.surface.grid
    if own.cell_m >= grid.cell_m / FINER:
        return _nearest(elevation, grid)
    totals = np.zeros((4, grid.rows, grid.columns))
    for block in _strips(own, grid):
        measured, filled, part = measured_block(elevation, block)
        _add(totals, (measured, filled), part, grid)
    cells = np.maximum(_middles_in(own, grid), 1.0)
    shares = np.minimum(totals[2:] / cells, 1.0).astype(np.float32)
    means = np.full((2, grid.rows, grid.columns), np.nan, np.float32)
    np.divide(totals[:2], totals[2:], out=means, where=totals[2:] > 0, casting="same_kind")
    return MeasuredHeights(
        grid=grid,
        measured_m=means[0],
        filled_m=means[1],
        measured_fraction=shares[0],
        filled_fraction=shares[1],
    )


def filled_on(elevation: Elevation, grid: Grid) -> BoolArray:
    """(rows, columns) mask: the cell of the surface below a centre of the grid is filled."""
    west, south, east, north = grid.area_m
    block = block_over(elevation.surface.grid, (west, south), (east, north))
    _, filled, part = measured_block(elevation, block)
    return np.asarray(np.isfinite(filled)[np.ix_(*_cells_below(part, grid))])


def is_photograph(orthophoto: Orthophoto, block: Block) -> BoolArray:
    """(rows, columns) which pixels of a block of an orthophoto come from a photograph.

    Those of a hatching do not; those that were laid over filled heights do.
    """
    numbers = read_block(orthophoto.source, block)[0][0]
    return np.asarray(numbers != NO_SOURCE)


def confidence_beside(raster: str | Path) -> Path | None:
    """The confidence beside a ``surface.tif`` or ``orthophoto.tif`` of Aftermap; None without one.

    Any other raster (a terrain model, an orthophoto of somebody else's) is taken to be measured.
    """
    path = Path(raster)
    found = path.with_name(CONFIDENCE_NAME)
    return found if path.name in OF_A_MAP and found.is_file() else None


def open_cells(path: str | Path) -> Any:
    """A raster opened without its overviews: a thinned read gives the values of single cells.

    Overviews may be means, of measured heights with filled ones beside them. Read a surface and
    its confidence in this way, in one shape, and each height has the count of its own cell.
    """
    return rasterio.open(path, OVERVIEW_LEVEL="NONE")


def open_surface(path: str | Path) -> Any:
    """A raster of heights opened; one of Aftermap without its overviews."""
    return rasterio.open(path) if confidence_beside(path) is None else open_cells(path)


def _nearest(elevation: Elevation, grid: Grid) -> MeasuredHeights:
    """The heights of the cells below the middles of a grid's cells."""
    west, south, east, north = grid.area_m
    block = block_over(elevation.surface.grid, (west, south), (east, north))
    whole = measured_block(elevation, block)
    part = whole[2]
    at = np.ix_(*_cells_below(part, grid))
    measured, filled = (layer[at] for layer in whole[:2])
    return MeasuredHeights(
        grid=grid,
        measured_m=measured,
        filled_m=filled,
        measured_fraction=np.isfinite(measured).astype(np.float32),
        filled_fraction=np.isfinite(filled).astype(np.float32),
    )


def _cells_below(part: Grid, grid: Grid) -> tuple[IntArray, IntArray]:
    """Row and column of ``part`` below the middles of the rows and columns of ``grid``."""
    east, north = cell_centres_m(grid)
    row = np.floor((part.north_m - north) / part.cell_m).astype(np.int64)
    column = np.floor((east - part.east_m) / part.cell_m).astype(np.int64)
    return np.clip(row, 0, part.rows - 1), np.clip(column, 0, part.columns - 1)


def _strips(own: Grid, grid: Grid) -> Iterator[Block]:
    """The part of a surface that lies under a grid, in strips of whole rows."""
    west, south, east, north = grid.area_m
    over = block_over(own, (west, south), (east, north))
    row, column = max(over.row, 0), max(over.column, 0)
    rows = min(over.row + over.rows, own.rows) - row
    columns = min(over.column + over.columns, own.columns) - column
    if rows <= 0 or columns <= 0:
        return
    step = max(1, STRIP_CELLS // columns)
    for first in range(row, row + rows, step):
        yield Block(row=first, column=column, rows=min(step, row + rows - first), columns=columns)


def _middles_in(own: Grid, grid: Grid) -> Array:
    """(rows, columns) how many cells like those of the surface have their middle in each cell.

    Those beyond the edge of the surface count too: nothing was measured there.
    """
    down = _middles_along(-own.north_m, own.cell_m, -grid.north_m, grid.cell_m, grid.rows)
    across = _middles_along(own.east_m, own.cell_m, grid.east_m, grid.cell_m, grid.columns)
    return np.asarray(np.outer(down, across), float)


def _middles_along(
    own_m: float, own_cell_m: float, start_m: float, cell_m: float, count: int
) -> IntArray:
    """(count,) the same along one axis, for cells that begin at ``own_m`` and at ``start_m``."""
    first = np.floor((start_m - own_m) / own_cell_m) - 1
    number = np.arange(np.ceil(count * cell_m / own_cell_m) + 3) + first
    at = np.floor((own_m + (number + 0.5) * own_cell_m - start_m) / cell_m + TIE).astype(np.int64)
    return np.bincount(at[(at >= 0) & (at < count)], minlength=count)


def _add(totals: Array, layers: tuple[Float32Array, Float32Array], part: Grid, grid: Grid) -> None:
    """Add the sums of (rows, columns) layers and their counts to the cells that hold the middles.

    ``totals`` (4, rows, columns) are the sums of both layers, then the counts.
    """
    east, north = cell_centres_m(part)
    row = np.floor((grid.north_m - north) / grid.cell_m + TIE).astype(np.int64)
    column = np.floor((east - grid.east_m) / grid.cell_m + TIE).astype(np.int64)
    rows, columns = (row >= 0) & (row < grid.rows), (column >= 0) & (column < grid.columns)
    if not rows.any() or not columns.any():
        return
    row, column = row[rows], column[columns]
    tops, lefts = (np.flatnonzero(np.diff(at, prepend=-1)) for at in (row, column))
    place = np.ix_(row[tops], column[lefts])
    for number, layer in enumerate(layers):
        inner = layer[np.ix_(rows, columns)]
        known = np.isfinite(inner)
        for total, values in (
            (totals[number], np.where(known, inner, 0)),
            (totals[2 + number], known),
        ):
            across = np.add.reduceat(values, lefts, axis=1, dtype=np.float64)
            total[place] += np.add.reduceat(across, tops, axis=0)
