"""Planes found at a coarser level -> the planes that each tile is searched over at a finer one.

A tile over a roof and a street is searched around both and not between them: the ranges of
Rothermel et al. (2012), "SURE: photogrammetric surface reconstruction from imagery", by tiles.
"""

import numpy as np

from aftermap.geo.arrays import ByteArray, Float32Array
from aftermap.geo.compiled import compiled

TILE_PX = 32
RARE_SHARE = 0.01
"""Planes that fewer of the surroundings' pixels lie on are taken for mistakes."""


def everything(shape: tuple[int, ...], planes: int) -> ByteArray:
    """(tile rows, tile columns, planes) mask: every tile of a picture over every plane."""
    return np.ones((-(-shape[0] // TILE_PX), -(-shape[1] // TILE_PX), planes), np.uint8)


@compiled
def around(
    coarse: Float32Array, times: int, shape: tuple[int, int], planes: int, spare: int
) -> ByteArray:
    """(tile rows, tile columns, planes) mask: 1 where a tile of a picture of ``shape`` is searched.

    ``coarse`` (rows, columns) are planes of the finer level, below 0 for none, of a picture that is
    so many ``times`` smaller. A tile is searched up to ``spare`` planes from what lies in it and
    half a tile around it, and not at all where next to nothing is known.
    """
    size = TILE_PX // times
    rows, columns = coarse.shape
    tiles = -(-shape[0] // TILE_PX), -(-shape[1] // TILE_PX)
    wanted = np.zeros((tiles[0], tiles[1], planes), np.uint8)
    found = np.empty(planes, np.int64)
    for i in range(tiles[0]):
        for j in range(tiles[1]):
            found[:] = 0
            known = 0
            for y in range(max(0, i * size - size // 2), min(rows, (i + 1) * size + size // 2)):
                for x in range(
                    max(0, j * size - size // 2), min(columns, (j + 1) * size + size // 2)
                ):
                    if coarse[y, x] >= 0:
                        found[min(planes - 1, int(coarse[y, x] + 0.5))] += 1
                        known += 1
            if known < size:
                continue
            for k in range(planes):
                near = found[max(0, k - 1) : k + 2].sum()
                if found[k] > 0 and near > RARE_SHARE * known:
                    wanted[i, j, max(0, k - spare) : k + spare + 1] = 1
    return wanted
