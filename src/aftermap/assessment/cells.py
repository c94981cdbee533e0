"""A window of the map -> cells around buildings: heights, which are measured, slope, roughness.

Everything about a block of buildings is computed once, over all of its window; a building then
takes its own cells. Cells are about ``CELL_M`` wide whatever the map's are, so that a measure means
the same on a fine map and on a coarse one: of a finer surface every k-th cell is taken (no mean
over an edge), of a finer picture the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely.geometry.base import BaseGeometry

from aftermap.assessment.smooth import planes_around
from aftermap.geo.arrays import BoolArray, ByteArray, Float32Array, Int32Array
from aftermap.geo.grid import Block
from aftermap.geo.measured_heights import filled_on, is_photograph, measured_block
from aftermap.geo.polygon import cells_inside
from aftermap.geo.windows import block_over, read_block
from aftermap.model.raster import Elevation, Grid, Orthophoto

Box = tuple[float, float, float, float]

CELL_M = 0.2
PIXEL_M = 0.075
SEEN_SHARE = 0.5
"""So much of a joined pixel must show what was measured."""
FIT_M = 1.4
"""Side of the square that a cell's slope and roughness are fitted in."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Heights over a window. Arrays are (rows, columns); NaN is not known.

    ``height_m`` holds measured heights alone: ``measured`` is where photographs agree on one, and
    ``filled`` where the surface has one that was taken over from around it. ``slope_east`` and
    ``slope_north`` are of the plane fitted around a cell, rise over run; ``rough_m`` is the root
    mean square residual to it. ``owner`` is 1 plus the place of the building in the window that a
    cell lies in, 0 in none.
    """

    grid: Grid
    height_m: Float32Array
    photographs: Float32Array
    measured: BoolArray
    filled: BoolArray
    slope_east: Float32Array
    slope_north: Float32Array
    rough_m: Float32Array
    owner: Int32Array


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """The orthophoto over a window: (rows, columns, 3) uint8 and where it shows what is there.

    That is what was measured, and what pictures show through small gaps in it: holes in roofs.
    Elsewhere (nothing there, or a hatching or a picture laid over filled heights) it has the colour
    of the nearest pixel that does, so that no edge is drawn. ``owner`` is as in ``Cells``.
    """

    grid: Grid
    rgb: ByteArray
    seen: BoolArray
    owner: Int32Array


def cells_over(elevation: Elevation, box: Box, shapes: Sequence[BaseGeometry]) -> Cells:
    """The surface over (west, south, east, north) with the buildings ``shapes`` in it."""
    whole = elevation.surface.grid
    step = max(1, int(CELL_M / whole.cell_m + 0.1))
    block = _whole_steps(block_over(whole, box[:2], box[2:]), step)
    heights, guesses, grid = measured_block(elevation, block)
    counts = read_block(elevation.confidence, block)[0][0]
    offset = step // 2
    height = np.ascontiguousarray(heights[offset::step, offset::step])
    filled = np.isfinite(guesses[offset::step, offset::step])
    photographs = counts[offset::step, offset::step].astype(np.float32)
    coarse = coarser(grid, step, height.shape)
    measured = np.isfinite(height)
    side = max(3, round(FIT_M / coarse.cell_m) | 1)
    slope_east, slope_north, rough = planes_around(height, measured, coarse.cell_m, side)
    return Cells(
        grid=coarse,
        height_m=height,
        photographs=photographs,
        measured=measured,
        filled=filled,
        slope_east=slope_east,
        slope_north=slope_north,
        rough_m=rough,
        owner=owners(shapes, coarse),
    )


def pixels_over(
    orthophoto: Orthophoto, elevation: Elevation, box: Box, shapes: Sequence[BaseGeometry]
) -> Pixels:
    """The orthophoto over (west, south, east, north), in about ``PIXEL_M``, with its buildings."""
    whole = orthophoto.image.grid
    step = max(1, int(PIXEL_M / whole.cell_m + 0.1))
    block = _whole_steps(block_over(whole, box[:2], box[2:]), step)
    bands, grid = read_block(orthophoto.image, block)
    rgb = np.ascontiguousarray(bands[:3].transpose(1, 2, 0)).astype(np.uint8)
    seen = ~filled_on(elevation, grid) & is_photograph(orthophoto, block)
    if len(bands) > 3:
        seen &= bands[3] > 0
    if orthophoto.gaps is not None:
        through = read_block(orthophoto.gaps, block)[0]
        shown = through[3] > 0
        rgb[shown] = through[:3, shown].T
        seen |= shown
    rgb[~seen] = 0
    if step > 1:
        rgb, seen = _joined(rgb, seen, (block.columns // step, block.rows // step))
    own = coarser(grid, step, seen.shape)
    return Pixels(grid=own, rgb=_carried_on(rgb, seen), seen=seen, owner=owners(shapes, own))


def _joined(rgb: ByteArray, seen: BoolArray, size: tuple[int, int]) -> tuple[ByteArray, BoolArray]:
    """A picture, 0 where not seen, in fewer pixels: the means of what is seen of each."""
    share = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    if not seen.all():
        scaled = mean.astype(np.float32) / np.maximum(share, np.float32(0.25))[..., None]
        mean = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return np.asarray(mean, np.uint8), np.asarray(share > SEEN_SHARE)


def _carried_on(rgb: ByteArray, seen: BoolArray) -> ByteArray:
    """The picture with the colour of the nearest seen pixel where none is seen."""
    if seen.all() or not seen.any():
        return rgb
    _, label = cv2.distanceTransformWithLabels(
        (~seen).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(label.max()) + 1, 3), np.uint8)
    colours[label[seen]] = rgb[seen]
    return np.asarray(colours[label])


def owners(shapes: Sequence[BaseGeometry], grid: Grid) -> Int32Array:
    """(rows, columns) labels: 1 plus the index of the last shape over a cell's centre, else 0."""
    filled = [(shape, place + 1) for place, shape in enumerate(shapes) if not shape.is_empty]
    if not filled:
        return np.zeros((grid.rows, grid.columns), np.int32)
    transform = Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m)
    burnt = rasterize(
        filled, out_shape=(grid.rows, grid.columns), transform=transform, dtype="int32"
    )
    return np.asarray(burnt, np.int32)


def building_cells(shape: BaseGeometry, place: int, owner: Int32Array, grid: Grid) -> BoolArray:
    """(rows, columns) the cells of a building in a window of their owners.

    Its own outline is drawn only where another one lies over it, which costs far more.
    """
    found = owner == place + 1
    if found.sum() * grid.cell_m**2 < 0.9 * shape.area:
        return cells_inside(shape, grid)
    return np.asarray(found)


def coarser(grid: Grid, step: int, shape: tuple[int, ...]) -> Grid:
    """The grid of every ``step``-th cell of a window."""
    return Grid(
        crs=grid.crs,
        east_m=grid.east_m,
        north_m=grid.north_m,
        cell_m=grid.cell_m * step,
        rows=shape[0],
        columns=shape[1],
    )


def _whole_steps(block: Block, step: int) -> Block:
    """The block, widened to whole steps that start where the raster starts."""
    row, column = block.row // step * step, block.column // step * step
    rows = -(-(block.row + block.rows - row) // step) * step
    columns = -(-(block.column + block.columns - column) // step) * step
    return Block(row=row, column=column, rows=rows, columns=columns)
