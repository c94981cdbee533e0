"""What one camera sees of a surface: cells in the open against cells behind something higher.

A line of sight from a camera to a cell of a height raster lies in one vertical plane, so rays are
followed over the raster from under the camera outwards, keeping the steepest line that was met
(the sweep R2 of Franklin and Ray, 1994, "Higher isn't necessarily better: visibility algorithms
and experiments"). Walls need no points of their own, and any inclination of the camera will do.
"""

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.geo.compiled import compiled

Heights = npt.NDArray[np.float32]
Seen = npt.NDArray[np.uint8]

HIDDEN = 0
DOUBTFUL = 1
CLEAR = 2

SLACK_CELLS = 1.0
DOUBT_CELLS = 2


def seen_cells(heights_m: Heights, camera_cells: tuple[float, float], above: float) -> Seen:
    """(rows, columns) HIDDEN, DOUBTFUL or CLEAR for every cell of a window.

    ``heights_m`` is NaN where there is no surface; those cells are HIDDEN and hide nothing. Heights
    and ``above``, the height of the camera, are in cells; ``camera_cells`` is its row and column in
    the window (a cell's centre is at .5; it may lie outside). Cells within two cells of a hidden
    one are DOUBTFUL: no surface is exact at its edges.
    """
    seen = np.zeros(heights_m.shape, np.uint8)
    _sweep(heights_m, camera_cells[0] - 0.5, camera_cells[1] - 0.5, above, SLACK_CELLS, seen)
    kernel = np.ones((2 * DOUBT_CELLS + 1, 2 * DOUBT_CELLS + 1), np.uint8)
    hidden = ((seen == 0) & np.isfinite(heights_m)).astype(np.uint8)
    patches = cv2.dilate(cv2.erode(hidden, kernel[:2, :2], anchor=(0, 0)), kernel[:2, :2])
    near_hidden = cv2.dilate(patches, kernel)
    return np.where(seen > 0, np.where(near_hidden > 0, DOUBTFUL, CLEAR), HIDDEN).astype(np.uint8)


@compiled
def _sweep(
    height: Heights, row: float, column: float, above: float, slack: float, seen: Seen
) -> None:
    """One ray to every cell of the window's border; a cell is seen where any ray reaches it."""
    rows, columns = height.shape
    for c in range(columns):
        _follow(height, row, column, 0, c, above, slack, seen)
        _follow(height, row, column, rows - 1, c, above, slack, seen)
    for r in range(1, rows - 1):
        _follow(height, row, column, r, 0, above, slack, seen)
        _follow(height, row, column, r, columns - 1, above, slack, seen)


@compiled
def _follow(
    height: Heights, row: float, column: float, end_row: int, end_column: int,
    above: float, slack: float, seen: Seen,
) -> None:  # fmt: skip
    """Walk one ray outwards, one cell of its longer axis at a time."""
    rows, columns = height.shape
    far = max(abs(end_row - row), abs(end_column - column))
    if far < 1e-6:
        if height[end_row, end_column] > -np.inf:
            seen[end_row, end_column] = 1
        return
    step_row, step_column = (end_row - row) / far, (end_column - column) / far
    steepest = -np.inf
    for back in range(_steps_inside(end_row, end_column, step_row, step_column, rows, columns,
                                    int(far)), -1, -1):  # fmt: skip
        r = int(np.floor(end_row - back * step_row + 0.5))
        c = int(np.floor(end_column - back * step_column + 0.5))
        z = height[r, c]
        if not z > -np.inf:
            continue
        run = far - back
        line = above + steepest * run
        if run == 0 or z + slack >= line:  # nothing lies before the cell below the camera
            seen[r, c] = 1
        if z > line and run > 0.5:
            steepest = (z - above) / run


@compiled
def _steps_inside(
    end_row: int, end_column: int, step_row: float, step_column: float,
    rows: int, columns: int, limit: int,
) -> int:  # fmt: skip
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
