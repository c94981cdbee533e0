"""How many photographs have a place inside their frame, at the height that it really has.

A roof is nearer to the camera than the street, so the outline of a picture on level ground is too
wide for it. Whether something stands in the way does not count here.
"""

from collections.abc import Iterable

import numpy as np

from aftermap.geo.arrays import Array, Float32Array, Uint16Array
from aftermap.geo.compiled import compiled
from aftermap.geo.grid import rowcol_of
from aftermap.model.raster import Grid
from aftermap_twin.flight import Station, plane_footprint_m
from aftermap_twin.options import ORIGIN_M, TwinOptions


def photographs_showing(
    options: TwinOptions, stations: Iterable[Station], grid: Grid, height_m: Float32Array
) -> Uint16Array:
    """(rows, columns) photographs with the cell in their frame. NaN heights are in none.

    ``height_m`` (rows, columns) float32 is in the district's own datum, as the stations are.
    """
    count = np.zeros(height_m.shape, np.uint16)
    corner = np.array([grid.east_m - ORIGIN_M[0], grid.north_m - ORIGIN_M[1], grid.cell_m])
    for station in stations:
        outline = rowcol_of(grid, plane_footprint_m(options, station) + ORIGIN_M[:2])
        top, left = np.maximum(np.floor(outline.min(0)).astype(int) - 1, 0)
        bottom, right = np.ceil(outline.max(0)).astype(int) + 1
        at = corner + np.array([left * grid.cell_m, -top * grid.cell_m, 0])
        _count_shown(
            height_m[top:bottom, left:right],
            at,
            station.rotation_cam_from_world,
            np.array(station.position_m),
            np.array(options.params),
            (options.width_px, options.height_px),
            count[top:bottom, left:right],
        )
    return count


@compiled
def _count_shown(
    height: Float32Array,
    corner: Array,
    rotation: Array,
    position: Array,
    params: Array,
    size: tuple[int, int],
    count: Uint16Array,
) -> None:
    """Add 1 to every cell that projects into the frame; ``corner`` is west, north, cell size."""
    for row in range(height.shape[0]):
        y = corner[1] - (row + 0.5) * corner[2] - position[1]
        for column in range(height.shape[1]):
            x = corner[0] + (column + 0.5) * corner[2] - position[0]
            z = height[row, column] - position[2]
            depth = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z
            if not depth > 0:
                continue
            u = (rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z) / depth
            v = (rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z) / depth
            r2 = u * u + v * v
            radial = 1 + r2 * (params[4] + r2 * params[5])
            a = u * radial + 2 * params[6] * u * v + params[7] * (r2 + 2 * u * u)
            b = v * radial + 2 * params[7] * u * v + params[6] * (r2 + 2 * v * v)
            px, py = params[0] * a + params[2], params[1] * b + params[3]
            if 0 <= px < size[0] and 0 <= py < size[1]:
                count[row, column] += 1
