"""Costs of planes -> the plane of every pixel, by semi-global matching along six paths.

Hirschmueller (2008), "Stereo processing by semiglobal matching and mutual information": costs are
added up along straight paths, where a step to the next plane is dear and a jump dearer, less so
where the picture has an edge. The paths run up, down and along both diagonals; those along rows are
left out, so that whole rows can be worked on at once.
"""

import numpy as np

from aftermap.geo.arrays import ByteArray, Float32Array, Int16Array
from aftermap.geo.compiled import vectorised

STEP_COST = np.int16(12)
JUMP_COST, LEAST_JUMP_COST = 230.0, 50.0
EDGE_GREY = 12.0
"""A difference of grey between neighbours at which a jump costs half."""
FAR = np.int16(9_999)
NO_PLANE = np.float32(-1)


@vectorised
def add_path_costs(volume: ByteArray, picture: Float32Array, total: Int16Array) -> None:
    """Add the path costs of six directions to ``total``.

    ``volume`` and ``total`` are (rows, planes, columns), ``picture`` (rows, columns) is grey.
    """
    rows, planes, columns = volume.shape
    before = np.empty((3, planes + 2, columns + 2), np.int16)
    now = np.empty((3, planes + 2, columns + 2), np.int16)
    low_before = np.empty((3, columns + 2), np.int16)
    low_now = np.zeros((3, columns + 2), np.int16)
    jump = np.empty(columns, np.int16)
    now[:] = FAR
    before[:] = 0
    low_before[:] = 0
    now[:, :, 0] = 0
    now[:, :, columns + 1] = 0
    for sense in range(2):
        for line in range(rows):
            y = line if sense == 0 else rows - 1 - line
            above = y - 1 if sense == 0 else y + 1
            for d in range(3):
                if line == 0:
                    jump[:] = 0
                else:
                    _jumps(picture[y], picture[above], d - 1, jump)
                _path(volume[y], before[d], low_before[d], d, jump, now[d], low_now[d], total[y])
            before, now = now, before
            low_before, low_now = low_now, low_before
            if line == 0:  # the rims of what was the row before the first
                now[:] = FAR
                now[:, :, 0] = 0
                now[:, :, columns + 1] = 0
        before[:] = 0
        low_before[:] = 0


@vectorised
def _jumps(own: Float32Array, other: Float32Array, shift: int, jump: Int16Array) -> None:
    """What a jump costs from the pixels of the row before, ``shift`` columns aside."""
    columns = own.shape[0]
    for x in range(columns):
        at = min(max(x + shift, 0), columns - 1)
        grey = abs(own[x] - other[at])
        dear = np.float32(JUMP_COST * EDGE_GREY) / (np.float32(EDGE_GREY) + grey)
        jump[x] = np.int16(max(dear, np.float32(LEAST_JUMP_COST)))


@vectorised
def _path(
    volume: ByteArray,
    before: Int16Array,
    low_before: Int16Array,
    at: int,
    jump: Int16Array,
    now: Int16Array,
    low_now: Int16Array,
    total: Int16Array,
) -> None:
    """One row of one direction: equation 13 of Hirschmueller (2008)."""
    planes, columns = volume.shape
    base = low_before[at : at + columns]
    least = low_now[1 : columns + 1]
    least[:] = FAR
    for k in range(planes):
        stay = before[k + 1, at : at + columns]
        nearer, farther = before[k, at : at + columns], before[k + 2, at : at + columns]
        cost, out, sums = volume[k], now[k + 1, 1 : columns + 1], total[k]
        for x in range(columns):
            side = np.int16(min(nearer[x], farther[x]) + STEP_COST)
            best = min(stay[x], side, np.int16(base[x] + jump[x]))
            value = np.int16(np.int16(np.int16(cost[x]) + best) - base[x])
            out[x] = value
            least[x] = min(least[x], value)
            sums[x] = np.int16(sums[x] + value)


@vectorised
def lowest(
    total: Int16Array, wanted: ByteArray, tile_px: int, origin: int, plane: Float32Array
) -> None:
    """Fill ``plane`` (rows, columns): the plane of least cost between whole ones, or NO_PLANE.

    ``wanted`` (tile rows, tile columns, planes) are the planes that a tile was searched over;
    plane ``origin`` is the first of ``total``. Between planes by the symmetric V of the neighbours
    (Haller and Nedevschi 2012). A least cost beside a plane that was not searched is none: the
    search was cut off there.
    """
    rows, columns = plane.shape
    for y in range(rows):
        for x in range(columns):
            searched = wanted[y // tile_px, x // tile_px]
            best, least = -1, FAR
            for k in range(total.shape[1]):
                if searched[origin + k] and total[y, k, x] < least:
                    best, least = k, total[y, k, x]
            plane[y, x] = NO_PLANE
            if best < 1 or best > total.shape[1] - 2:
                continue
            if not (searched[origin + best - 1] and searched[origin + best + 1]):
                continue
            left, middle, right = total[y, best - 1, x], total[y, best, x], total[y, best + 1, x]
            height = max(left, right) - middle
            offset = (left - right) / (2.0 * height) if height > 0 else 0.0
            plane[y, x] = np.float32(origin + best + offset)
