"""What one camera sees of a surface: cells in the open against cells behind something higher.

A line of sight from a camera to a cell of a height raster lies in one vertical plane, so rays are
followed over the raster from under the camera outwards, keeping the steepest line that was met
(the sweep R2 of Franklin and Ray, 1994, "Higher isn't necessarily better: visibility algorithms
and experiments"). Walls need no points of their own, and any inclination of the camera will do.
"""

from typing import NamedTuple

import cv2
import numpy as np

from aftermap.geo.arrays import BoolArray, ByteArray, Float32Array
from aftermap.geo.compiled import compiled

HIDDEN = 0
DOUBTFUL = 1
CLEAR = 2

SLACK_CELLS = 1.0
DOUBT_CELLS = 2
RIM_CELLS = 2.0
NEXT_CELLS = 2
TILE_CELLS, AROUND_TILES = 16, 8
"""Neighbourhood of an unmeasured cell: what stands right beside it, and what stands around."""


def seen_cells(
    heights_cells: Float32Array,
    camera_cells: tuple[float, float],
    above: float,
    blocking_cells: Float32Array | None = None,
    measured: BoolArray | None = None,
) -> ByteArray:
    """(rows, columns) uint8 HIDDEN, DOUBTFUL or CLEAR for every cell of a window.

    ``heights_cells`` (rows, columns) float32 is NaN where there is no surface; those cells are
    HIDDEN and hide nothing. Heights and ``above``, the height of the camera, are in cells;
    ``camera_cells`` is its row and column in the window (a cell's centre is at .5; it may lie
    outside). Cells within two of a hidden one are DOUBTFUL, since no surface is exact at its edges,
    and HIDDEN where the look is flatter than 45 degrees: an edge that is a little off there puts
    whole walls on the ground. So are those that are seen only if nothing stands as high as
    ``blocking_cells`` (rows, columns) float32. Neither holds of those that the camera ``measured``
    (rows, columns) itself. What is hidden on less than three cells, as often noise as a chimney,
    counts as a neighbour of hidden cells.
    """
    seen = np.zeros(heights_cells.shape, np.uint8)
    camera = _Camera(row=camera_cells[0] - 0.5, column=camera_cells[1] - 0.5, above=above)
    _sweep(heights_cells, heights_cells, camera, SLACK_CELLS, seen)
    surely = seen.copy() if blocking_cells is None else np.zeros_like(seen)
    if blocking_cells is not None:
        _sweep(heights_cells, blocking_cells, camera, SLACK_CELLS, surely)
    kernel = np.ones((2 * DOUBT_CELLS + 1, 2 * DOUBT_CELLS + 1), np.uint8)
    hidden = ((seen == 0) & np.isfinite(heights_cells)).astype(np.uint8)
    patches = cv2.dilate(cv2.erode(hidden, kernel[:2, :2], anchor=(0, 0)), kernel[:2, :2])
    near_hidden = cv2.dilate(patches, kernel)
    behind = cv2.dilate(np.where(patches > 0, heights_cells, -np.inf).astype(np.float32), kernel)
    is_rim = heights_cells > behind + RIM_CELLS
    is_steep = _is_steep(heights_cells, camera_cells, above)
    if measured is not None:
        surely[measured] = 1
        is_steep |= measured
    near = np.where(is_steep | is_rim, DOUBTFUL, HIDDEN)
    level = np.where(seen > 0, np.where(near_hidden > 0, near, CLEAR), HIDDEN)
    level[surely == 0] = np.minimum(level, np.where(is_steep, DOUBTFUL, HIDDEN))[surely == 0]
    thick = cv2.morphologyEx(hidden, cv2.MORPH_OPEN, kernel[:3, :3])
    return np.where((hidden > 0) & (thick == 0), near, level).astype(np.uint8)


def _is_steep(heights: Float32Array, camera_cells: tuple[float, float], above: float) -> BoolArray:
    """Cells that the camera looks down at by more than 45 degrees."""
    row = np.arange(heights.shape[0])[:, None] + 0.5 - camera_cells[0]
    column = np.arange(heights.shape[1])[None] + 0.5 - camera_cells[1]
    return np.asarray(np.hypot(row, column) < above - heights)


def presumed_heights(heights: Float32Array, is_measured: BoolArray) -> Float32Array:
    """How high what may hide others stands: the surface where measured, else as high as may be.

    ``heights`` (rows, columns) and the answer are in one unit, NaN for none. An unmeasured cell may
    hold what stands next to it, and farther in anything as high as the highest that was measured in
    its neighbourhood: a house that nobody measured hides the street behind it all the same.
    """
    low = np.float32(-1e6)
    measured = np.where(is_measured, heights, low).astype(np.float32)
    kernel = np.ones((2 * NEXT_CELLS + 1, 2 * NEXT_CELLS + 1), np.uint8)
    beside = cv2.dilate(measured, kernel)
    around = _highest_around(measured)
    guess = np.where(beside > low, beside, around)
    return np.where(is_measured, heights, np.where(guess > low, guess, np.nan)).astype(np.float32)


def _highest_around(measured: Float32Array) -> Float32Array:
    """The highest of a neighbourhood of some coarse tiles, and of the nearest such beyond."""
    rows, columns = measured.shape
    down, right = -rows % TILE_CELLS, -columns % TILE_CELLS
    low = measured.min()
    tiles = np.pad(measured, ((0, down), (0, right)), constant_values=low)
    tiles = tiles.reshape(tiles.shape[0] // TILE_CELLS, TILE_CELLS, -1, TILE_CELLS).max((1, 3))
    kernel = np.ones((2 * AROUND_TILES + 1, 2 * AROUND_TILES + 1), np.uint8)
    wide = np.asarray(cv2.dilate(np.ascontiguousarray(tiles), kernel))
    while (wide <= low).any() and (wide > low).any():
        wide = np.where(wide > low, wide, cv2.dilate(wide, kernel))
    return np.kron(wide, np.ones((TILE_CELLS, TILE_CELLS), np.float32))[:rows, :columns]


class _Camera(NamedTuple):
    """Where the camera is, in cells: a cell's centre is a whole number; ``above`` is its height."""

    row: float
    column: float
    above: float


@compiled
def _sweep(
    height: Float32Array,
    blocking: Float32Array,
    camera: _Camera,
    slack: float,
    seen: ByteArray,
) -> None:
    """One ray to every cell of the window's border; a cell is seen where any ray reaches it."""
    rows, columns = height.shape
    for c in range(columns):
        _follow(height, blocking, camera, 0, c, slack, seen)
        _follow(height, blocking, camera, rows - 1, c, slack, seen)
    for r in range(1, rows - 1):
        _follow(height, blocking, camera, r, 0, slack, seen)
        _follow(height, blocking, camera, r, columns - 1, slack, seen)


@compiled
def _follow(
    height: Float32Array,
    blocking: Float32Array,
    camera: _Camera,
    end_row: int,
    end_column: int,
    slack: float,
    seen: ByteArray,
) -> None:
    """Walk one ray outwards, one cell of its longer axis at a time."""
    rows, columns = height.shape
    row, column, above = camera
    far = max(abs(end_row - row), abs(end_column - column))
    if far < 1e-6:
        if height[end_row, end_column] > -np.inf:
            seen[end_row, end_column] = 1
        return
    step_row, step_column = (end_row - row) / far, (end_column - column) / far
    steepest = -np.inf
    for back in range(
        _steps_inside(end_row, end_column, step_row, step_column, rows, columns, int(far)), -1, -1
    ):
        r = int(np.floor(end_row - back * step_row + 0.5))
        c = int(np.floor(end_column - back * step_column + 0.5))
        run = far - back
        line = above + steepest * run
        if height[r, c] + slack >= line or (run == 0 and height[r, c] > -np.inf):
            seen[r, c] = 1  # and nothing lies before the cell below the camera
        if blocking[r, c] > line and run > 0.5:
            steepest = (blocking[r, c] - above) / run


@compiled
def _steps_inside(
    end_row: int,
    end_column: int,
    step_row: float,
    step_column: float,
    rows: int,
    columns: int,
    limit: int,
) -> int:
    """How many steps back from the border cell towards the camera stay in the window."""
    steps = limit
    if step_row > 1e-9:
        steps = min(steps, int(end_row / step_row))
    elif step_row < -1e-9:
        steps = min(steps, int((rows - 1 - end_row) / -step_row))
    if step_column > 1e-9:
        steps = min(steps, int(end_column / step_column))
    elif step_column < -1e-9:
        steps = min(steps, int((columns - 1 - end_column) / -step_column))
    return steps
