"""The height raster -> the heights of a block of the mesh, measured and filled apart."""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array
from aftermap.geo.grid import Block
from aftermap.geo.windows import read_block, read_heights
from aftermap.mesh.steps import MARGIN_CELLS
from aftermap.model.raster import Elevation, Grid


@dataclass(frozen=True, kw_only=True)
class MeshGrid:
    """The cells that a mesh is made of: each is ``thinned`` by ``thinned`` cells of the raster."""

    grid: Grid
    thinned: int


def mesh_grid(elevation: Elevation, *, most_cells: int) -> MeshGrid:
    """The raster's own grid, or one thinned by a whole number to at most so many cells."""
    grid = elevation.surface.grid
    thinned = max(1, int(np.ceil(np.sqrt(grid.rows * grid.columns / most_cells))))
    return MeshGrid(
        grid=Grid(
            crs=grid.crs,
            east_m=grid.east_m,
            north_m=grid.north_m,
            cell_m=grid.cell_m * thinned,
            columns=-(-grid.columns // thinned),
            rows=-(-grid.rows // thinned),
        ),
        thinned=thinned,
    )


def block_heights(elevation: Elevation, grid: MeshGrid, block: Block) -> tuple[Array, Array]:
    """(rows, columns) measured heights in metres with a margin around the block, and filled ones.

    Each is NaN where the other is not. A thinned cell has the middle one of its measured heights,
    never a mean of a roof and a street.
    """
    times, margin = grid.thinned, MARGIN_CELLS
    window = Block(
        row=(block.row - margin) * times,
        column=(block.column - margin) * times,
        rows=(block.rows + 2 * margin) * times,
        columns=(block.columns + 2 * margin) * times,
    )
    height = read_heights(elevation.surface, window)[0].astype(np.float64)
    is_measured = read_block(elevation.confidence, window)[0][0] > 0
    measured = _thinned(np.where(is_measured, height, np.nan), times)
    filled = _thinned(np.where(is_measured, np.nan, height), times)
    return measured, np.where(np.isnan(measured), filled, np.nan)


def _thinned(height: Array, times: int) -> Array:
    if times == 1:
        return height
    rows, columns = height.shape[0] // times, height.shape[1] // times
    cells = height.reshape(rows, times, columns, times).transpose(0, 2, 1, 3)
    order = np.sort(cells.reshape(rows, columns, times * times), axis=2)
    count = (~np.isnan(order)).sum(axis=2)
    middle = np.take_along_axis(order, np.maximum(count - 1, 0)[..., None] // 2, axis=2)[..., 0]
    return np.where(2 * count >= times * times, middle, np.nan)


def raster_heights(
    elevation: Elevation, grid: MeshGrid, block: Block
) -> tuple[Float32Array, ByteArray, Grid]:
    """(rows, columns) heights and pictures that agree on them, of the raster's own cells."""
    times, whole = grid.thinned, elevation.surface.grid
    row, column = block.row * times, block.column * times
    window = Block(
        row=row,
        column=column,
        rows=min(block.rows * times, whole.rows - row),
        columns=min(block.columns * times, whole.columns - column),
    )
    height_m, cells = read_heights(elevation.surface, window)
    return height_m, read_block(elevation.confidence, window)[0][0].astype(np.uint8), cells
