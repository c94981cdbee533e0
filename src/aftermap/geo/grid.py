"""World to cell and back on a north-up grid; snapping, and blocks of cells."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array
from aftermap.model.raster import Grid


@dataclass(frozen=True, kw_only=True)
class Block:
    """A window of a grid: first row and column, and how many of each."""

    row: int
    column: int
    rows: int
    columns: int


def grid_over(
    crs: str, lower_left_m: tuple[float, float], upper_right_m: tuple[float, float], cell_m: float
) -> Grid:
    """The smallest grid that covers the box, its corner snapped to whole multiples of the cell."""
    west = math.floor(lower_left_m[0] / cell_m) * cell_m
    north = math.ceil(upper_right_m[1] / cell_m) * cell_m
    columns = max(1, math.ceil((upper_right_m[0] - west) / cell_m))
    rows = max(1, math.ceil((north - lower_left_m[1]) / cell_m))
    return Grid(crs=crs, east_m=west, north_m=north, cell_m=cell_m, columns=columns, rows=rows)


def blocks_of(grid: Grid, size: int) -> Iterator[Block]:
    """Blocks of ``size`` by ``size`` cells, row by row, the last ones cut at the edge."""
    for row in range(0, grid.rows, size):
        for column in range(0, grid.columns, size):
            yield Block(
                row=row,
                column=column,
                rows=min(size, grid.rows - row),
                columns=min(size, grid.columns - column),
            )


def window_of(grid: Grid, block: Block, *, margin: int = 0) -> Grid:
    """The part of a grid that a block covers, with a margin of cells on every side."""
    return Grid(
        crs=grid.crs,
        east_m=grid.east_m + (block.column - margin) * grid.cell_m,
        north_m=grid.north_m - (block.row - margin) * grid.cell_m,
        cell_m=grid.cell_m,
        columns=block.columns + 2 * margin,
        rows=block.rows + 2 * margin,
    )


def cell_centres_m(grid: Grid) -> tuple[Array, Array]:
    """East of every column, (columns,), and north of every row, (rows,)."""
    east = grid.east_m + (np.arange(grid.columns) + 0.5) * grid.cell_m
    north = grid.north_m - (np.arange(grid.rows) + 0.5) * grid.cell_m
    return np.asarray(east, float), np.asarray(north, float)


def rowcol_of(grid: Grid, xy_m: npt.ArrayLike) -> Array:
    """(N, 2) fractional row and column of (N, 2) east, north; a cell's centre is at .5."""
    xy = np.asarray(xy_m, float)
    return np.stack(
        [(grid.north_m - xy[..., 1]) / grid.cell_m, (xy[..., 0] - grid.east_m) / grid.cell_m],
        axis=-1,
    )
