"""Depths of one view to heights on the ground grid: compiled loops, one view at a time."""

from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array
from aftermap.geo.compiled import compiled, vectorised

REACH_PX, EVERY_PX = 5, 2
"""How far around a pixel its plane is fitted, and to which pixels there: to a quarter of them."""
SAME_SURFACE_SHARE = 0.04
LEAST_FITTED, LEAST_SPREAD = 6, 0.05
UPRIGHT = 0.55
"""Cosine of the steepest roof: what is steeper than 57 degrees is a wall."""
MOST_JOINED_CELLS = 5.0
STEEPEST_JOINED = 0.4
"""Height over plan distance up to which two neighbouring pixels show one piece of ground."""


@compiled
def point_of_pixel(inverse: float, u: int, v: int, camera: Array, out: Array) -> None:
    """Fill ``out`` (3,) with east, north and up of a pixel's point."""
    z = 1.0 / inverse
    x, y = (u + 0.5 - camera[2]) / camera[0], (v + 0.5 - camera[3]) / camera[1]
    for axis in range(3):
        out[axis] = camera[4 + axis] + z * (
            camera[7 + axis] * x + camera[10 + axis] * y + camera[13 + axis]
        )


@vectorised
def facades(inverse: Float32Array, camera: Array) -> BoolArray:
    """(rows, columns) whether a pixel's surroundings stand upright.

    A wall has no place in a height raster but as a step: its points, a little off along the look,
    would lie on the street before it. Inverse z is linear in the pixel over a plane, so the plane
    of a pixel is fitted, by least squares, to the inverse z around it that differ by little.
    """
    rows, columns = inverse.shape
    out = np.zeros((rows, columns), np.bool_)
    for v in range(rows):
        top, bottom = _first(v), min(rows, v + REACH_PX + 1)
        for u in range(columns):
            own = inverse[v, u]
            if not own > 0:
                continue
            tolerance = np.float32(SAME_SURFACE_SHARE * own)
            n, x, y, z = 0.0, 0.0, 0.0, 0.0
            xx, yy, xy, xz, yz = 0.0, 0.0, 0.0, 0.0, 0.0
            for r in range(top, bottom, EVERY_PX):
                dy = float(r - v)
                for c in range(_first(u), min(columns, u + REACH_PX + 1), EVERY_PX):
                    apart = inverse[r, c] - own
                    if abs(apart) < tolerance:
                        dx, dz = float(c - u), float(apart)
                        n, x, y, z = n + 1, x + dx, y + dy, z + dz
                        xx, yy, xy = xx + dx * dx, yy + dy * dy, xy + dx * dy
                        xz, yz = xz + dx * dz, yz + dy * dz
            if n < LEAST_FITTED:
                continue
            x, y, z = x / n, y / n, z / n
            xx, yy, xy = xx / n - x * x, yy / n - y * y, xy / n - x * y
            xz, yz = xz / n - x * z, yz / n - y * z
            area = xx * yy - xy * xy
            if area < LEAST_SPREAD:
                continue
            across, down = (xz * yy - yz * xy) / area, (yz * xx - xz * xy) / area
            here = own + z - across * x - down * y
            out[v, u] = _is_upright(across, down, here, u, v, camera)
    return out


@vectorised
def _first(place: int) -> int:
    """The first row or column of the plane of a pixel, inside the picture."""
    first = place - REACH_PX
    return first if first >= 0 else first % EVERY_PX


@vectorised
def _is_upright(across: float, down: float, here: float, u: int, v: int, camera: Array) -> bool:
    """Whether a plane stands upright whose inverse z is ``here`` at a pixel and grows so per pixel.

    In camera axes the plane is normal . place = 1 and 1 / z = normal . (place / z).
    """
    x = across * camera[0]
    y = down * camera[1]
    z = here - across * (u + 0.5 - camera[2]) - down * (v + 0.5 - camera[3])
    up = x * camera[9] + y * camera[12] + z * camera[15]
    return bool(up * up < UPRIGHT * UPRIGHT * (x * x + y * y + z * z))


class ViewDepths(NamedTuple):
    """The depths of one view.

    ``inverse`` (rows, columns) float32 is 1 / z per metre, NaN for none; ``views`` (rows, columns)
    uint8 how many views see it so; ``camera`` (16,) fx, fy, cx, cy in pixels, the centre (3) in
    metres of the map's CRS and the rotation cam_from_world (9), row by row.
    """

    inverse: Float32Array
    views: ByteArray
    camera: Array


class GroundCells(NamedTuple):
    """Cells of the ground that points are dropped into.

    ``window`` (3,) is east and north of the outer corner and the size of a cell, in metres;
    ``heights`` (rows, columns) float32 metres, NaN at first; ``counts`` (rows, columns) uint8.
    """

    window: Array
    heights: Float32Array
    counts: ByteArray


class _Sums(NamedTuple):
    """Per cell what agrees with its topmost point: the sum of the differences, and how many."""

    total: Float32Array
    points: Float32Array


@compiled
def fill_heights(view: ViewDepths, cells: GroundCells, agreement_m: float) -> None:
    """Write into the cells' ``heights`` the mean of the topmost points of each.

    Points within ``agreement_m`` below the topmost one of their cell are averaged with it, and
    ``counts`` takes the largest number of views among them. Walls are left out.
    """
    heights = cells.heights
    sums = _Sums(np.zeros(heights.shape, np.float32), np.zeros(heights.shape, np.float32))
    is_wall = facades(view.inverse, view.camera)
    for within_m in (-1.0, float(agreement_m)):  # first the topmost, then all that agree with it
        _drop_points(view, is_wall, cells, sums, within_m)
    for row in range(heights.shape[0]):
        for column in range(heights.shape[1]):
            if sums.points[row, column] > 0:
                heights[row, column] += sums.total[row, column] / sums.points[row, column]


@compiled
def _drop_points(
    view: ViewDepths, is_wall: BoolArray, cells: GroundCells, sums: _Sums, agreement_m: float
) -> None:
    """Drop the point of each pixel, and the ground from it to the pixel below, into their cells.

    First, with a negative ``agreement_m``, the topmost ones only; then all that agree with them.
    """
    inverse, views, camera = view
    window, heights, counts = cells
    total, points = sums
    here, below, spot = np.zeros(3), np.zeros(3), np.zeros(3)
    for v in range(inverse.shape[0]):
        for u in range(inverse.shape[1]):
            if not inverse[v, u] > 0 or is_wall[v, u]:
                continue
            point_of_pixel(inverse[v, u], u, v, camera, here)
            steps = _steps_below(inverse, (v, u), camera, window[2], here, below)
            least = views[v, u] if steps == 1 else min(views[v, u], views[v + 1, u])
            for k in range(steps):
                for axis in range(3):
                    spot[axis] = here[axis] + (below[axis] - here[axis]) * k / steps
                row, column = _cell_of(spot, window, heights.shape)
                if row < 0:
                    continue
                up = np.float32(spot[2])
                if agreement_m < 0:
                    if not up <= heights[row, column]:
                        heights[row, column] = up
                elif heights[row, column] - up < agreement_m:
                    total[row, column] += up - heights[row, column]
                    points[row, column] += 1
                    seen = views[v, u] if k == 0 else least
                    counts[row, column] = max(counts[row, column], seen)


@compiled
def _steps_below(
    inverse: Float32Array,
    at: tuple[int, int],
    camera: Array,
    cell_m: float,
    here: Array,
    below: Array,
) -> int:
    """Into how many steps the way to the pixel below is cut, whose point goes into ``below``."""
    v, u = at
    if v + 1 >= inverse.shape[0] or not inverse[v + 1, u] > 0:
        return 1
    point_of_pixel(inverse[v + 1, u], u, v + 1, camera, below)
    return _joined(here, below, cell_m)


@compiled
def _cell_of(spot: Array, window: Array, shape: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the cell that a point lies in; -1, -1 beyond the window."""
    column = int(np.floor((spot[0] - window[0]) / window[2]))
    row = int(np.floor((window[1] - spot[1]) / window[2]))
    if row < 0 or column < 0 or row >= shape[0] or column >= shape[1]:
        return -1, -1
    return row, column


@compiled
def _joined(here: Array, next_one: Array, cell: float) -> int:
    """Into how many steps the way between two points is cut; 1 where it is no ground."""
    east, north = next_one[0] - here[0], next_one[1] - here[1]
    apart = np.sqrt(east * east + north * north)
    if not cell < apart < MOST_JOINED_CELLS * cell:
        return 1
    if abs(next_one[2] - here[2]) > STEEPEST_JOINED * apart:
        return 1
    return int(np.ceil(apart / cell))


@compiled
def close_pinholes(heights: Float32Array, counts: ByteArray, agreement_m: float) -> None:
    """Close single empty cells (NaN) between two that agree, given their mean and lesser count.

    ``heights`` (rows, columns) in metres and ``counts`` (rows, columns) are changed. Where a pixel
    is larger on the ground than a cell, points leave a regular pattern of holes.
    """
    rows, columns = heights.shape
    known = heights.copy()
    for row in range(1, rows - 1):
        for column in range(1, columns - 1):
            if not np.isnan(known[row, column]):
                continue
            total, found, least = np.float32(0), 0, np.uint8(255)
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
                before = known[row - dr, column - dc]
                after = known[row + dr, column + dc]
                if abs(before - after) <= agreement_m:
                    total += before + after
                    found += 2
                    least = min(least, counts[row - dr, column - dc], counts[row + dr, column + dc])
            if found > 0:
                heights[row, column] = total / found
                counts[row, column] = least


@compiled
def cell_box(
    inverse: Float32Array, camera: Array, place: Array
) -> tuple[float, float, float, float]:
    """First row, first column, last row, last column of the cells that a view's points lie in.

    ``inverse`` (rows, columns) and ``camera`` (16,) are those of :class:`ViewDepths`, ``place``
    (3,) east and north of the grid's corner and the size of a cell, in metres.
    """
    west, north_m, cell = place[0], place[1], place[2]
    low_r, low_c, high_r, high_c = np.inf, np.inf, -np.inf, -np.inf
    for v in range(inverse.shape[0]):
        y = (v + 0.5 - camera[3]) / camera[1]
        for u in range(inverse.shape[1]):
            if not inverse[v, u] > 0:
                continue
            z = 1.0 / inverse[v, u]
            x = (u + 0.5 - camera[2]) / camera[0]
            east = camera[4] + z * (camera[7] * x + camera[10] * y + camera[13])
            north = camera[5] + z * (camera[8] * x + camera[11] * y + camera[14])
            column, row = (east - west) / cell, (north_m - north) / cell
            low_r, high_r = min(low_r, row), max(high_r, row)
            low_c, high_c = min(low_c, column), max(high_c, column)
    return np.floor(low_r), np.floor(low_c), np.floor(high_r), np.floor(high_c)
