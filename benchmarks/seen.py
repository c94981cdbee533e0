"""In how many photographs of the twin a place is really seen: in the frame and nothing before it.

Rays are marched from the place towards each true camera over the true surface, cell by cell, in
the CRS of the twin, until they are above everything.
"""

from collections.abc import Sequence

import numpy as np

from aftermap.geo.arrays import AnyArray, Array, BoolArray, Float32Array, IndexArray, IntArray
from aftermap.geo.compiled import compiled
from aftermap.geo.lens import projected_px
from aftermap.publish.exchange.cameras import CameraEntry
from benchmarks.products import Heights

EDGE_PX = 2.0
"""So near to the edge of a picture nothing counts as seen: stereo has no window there."""
CLEARANCE_M = 0.05
"""What a ray may pass below the surface of a cell: cells are not points."""


def photographs_seeing(
    surface: Heights,
    rows: AnyArray,
    columns: AnyArray,
    cameras: Sequence[CameraEntry],
) -> IntArray:
    """(N,) number of photographs that see the given cells of a surface."""
    heights = surface.height_m
    places = np.column_stack(
        [
            surface.west_m + (columns + 0.5) * surface.cell_m,
            surface.north_m - (rows + 0.5) * surface.cell_m,
            heights[rows, columns],
        ]
    )
    top_m = float(np.nanmax(heights))
    count = np.zeros(len(places), np.int64)
    for camera in cameras:
        count[in_frame_and_free(surface, places, camera, top_m)] += 1
    return count


def in_frame_and_free(
    surface: Heights, places: Array, camera: CameraEntry, top_m: float
) -> IndexArray:
    """Which of (N, 3) places on a surface a photograph sees; nothing is higher than ``top_m``."""
    corner = np.array([surface.west_m, surface.north_m, surface.cell_m])
    framed = np.nonzero(_in_frame(places, camera))[0]
    position_m = np.array(camera.position_m)
    return framed[_free(places[framed], position_m, surface.height_m, corner, top_m)]


def _in_frame(places: Array, camera: CameraEntry) -> BoolArray:
    rotation = np.array(camera.rotation_cam_from_world)
    pixels = projected_px((places - np.array(camera.position_m)) @ rotation.T, camera.params or ())
    size = np.array([camera.width_px, camera.height_px])
    return np.asarray(((pixels > EDGE_PX) & (pixels < size - EDGE_PX)).all(1))


@compiled
def _free(
    places: Array, eye: Array, heights: Float32Array, corner: Array, top_m: float
) -> BoolArray:
    """(N,) whether nothing stands between places and eye; the first two cells do not count."""
    free = np.ones(len(places), np.bool_)
    for i in range(len(places)):
        x, y, z = places[i, 0], places[i, 1], places[i, 2]
        dx, dy, dz = eye[0] - x, eye[1] - y, eye[2] - z
        across = np.sqrt(dx * dx + dy * dy)
        if across < corner[2]:
            continue
        share = corner[2] / across
        steps = int(min(1.0, (top_m - z) / dz) / share) + 1
        for step in range(3, steps + 1):
            column = int((x + step * share * dx - corner[0]) / corner[2])
            row = int((corner[1] - y - step * share * dy) / corner[2])
            if row < 0 or column < 0 or row >= heights.shape[0] or column >= heights.shape[1]:
                break
            if heights[row, column] > z + step * share * dz + CLEARANCE_M:
                free[i] = False
                break
    return free
