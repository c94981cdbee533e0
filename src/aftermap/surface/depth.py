"""One view and its sources -> the inverse distance of every pixel of the view, in a file.

Twice: at a quarter of the size over every distance that could be there, then at full size, each
tile only over the planes around what its surroundings gave. Method: planes swept through the scene,
census, semi-global matching, least squares below a plane (the modules named so).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.surface import aggregate, sweep_kernel
from aftermap.surface.aggregate import NO_PLANE
from aftermap.surface.planes import PlaneSweep, warps_of
from aftermap.surface.refine import refined
from aftermap.surface.refine_kernel import upsampled
from aftermap.surface.saving import save_whole
from aftermap.surface.sweep_kernel import REACH_PX, TILE_PX
from aftermap.surface.undistorted import PinholeView

Bytes = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
Int = npt.NDArray[np.int32]

MATCHED, COARSE = 2, 4
BLOCK_PX, BORDER_PX = 448, 32
SPARE_PLANES = 6
RANGE_PERCENT = (1.0, 99.0)
NEVER = 255
SECOND_SHARE = 0.25
"""What the second most alike source says beside the most alike one: places that only one other
picture shows are as common as mistakes of a single one."""


@dataclass(frozen=True, kw_only=True)
class DepthTask:
    """All that a worker needs for the depth of one view, and where to leave it."""

    view: PinholeView
    sources: tuple[PinholeView, ...]
    sweep: PlaneSweep
    file: str


def depth_of(task: DepthTask) -> str:
    """Write the (rows, columns) float32 1 / z of a view, NaN for none; an earlier one is kept."""
    target = Path(task.file)
    if not target.exists():
        save_whole(target, inverse_depths(task))
    return task.file


def inverse_depths(task: DepthTask) -> Float:
    """(rows, columns) inverse of the z of camera axes, NaN where nothing was matched."""
    grey = task.view.read()
    sources = [source.read() for source in task.sources]
    warps = warps_of(task.view, task.sources, task.sweep.direction)
    matching = _matching(grey, sources, warps, task)
    inverse = upsampled(matching, grey, MATCHED)
    inverse[grey == 0] = np.nan
    found: Float = refined(grey, inverse, task.sweep.step, sources, warps)
    return np.asarray(found * along_rays(task.view, task.sweep.direction), np.float32)


def along_rays(view: PinholeView, direction: Array) -> Float:
    """(rows, columns) distance along a direction over z, for the ray of every pixel."""
    across = (np.arange(view.columns) + 0.5 - view.intrinsics[2]) / view.intrinsics[0]
    down = (np.arange(view.rows) + 0.5 - view.intrinsics[3]) / view.intrinsics[1]
    own = view.rotation @ direction
    along = across[None, :] * own[0] + down[:, None] * own[1] + own[2]
    return np.asarray(along, np.float32)


def _matching(grey: Bytes, sources: list[Bytes], warps: Array, task: DepthTask) -> Float:
    """W of every pixel at half the size, NaN for none."""
    half = _reduced(grey, MATCHED)
    smaller = np.diag([1 / MATCHED, 1 / MATCHED, 1.0])
    scaled = smaller @ warps @ np.linalg.inv(smaller)
    sweep = replace(
        task.sweep, step=task.sweep.step * MATCHED, count=-(-task.sweep.count // MATCHED)
    )
    halves = [_reduced(source, MATCHED) for source in sources]
    coarse = _coarse_planes(half, halves, scaled, sweep)
    first, count = _ranges(coarse, sweep.count, half.shape)
    plane = _searched(half, halves, scaled, sweep, first, count)
    w = np.where(plane >= 0, sweep.first + plane * np.float32(sweep.step), np.nan)
    return np.asarray(w, np.float32)


def _coarse_planes(grey: Bytes, sources: list[Bytes], warps: Array, sweep: PlaneSweep) -> Float:
    """Planes (of the sweep given) at a quarter of the size, over the whole range."""
    small = _reduced(grey, COARSE)
    count = -(-sweep.count // COARSE)
    wide = PlaneSweep(
        direction=sweep.direction, first=sweep.first, step=sweep.step * COARSE, count=count
    )
    tiles = -(-small.shape[0] // TILE_PX), -(-small.shape[1] // TILE_PX)
    smaller = np.diag([1 / COARSE, 1 / COARSE, 1.0])
    scaled = smaller @ warps @ np.linalg.inv(smaller)
    plane = _searched(
        small, [_reduced(s, COARSE) for s in sources], scaled, wide,
        np.zeros(tiles, np.int32), np.full(tiles, count, np.int32),
    )  # fmt: skip
    return np.where(plane >= 0, plane * COARSE, NO_PLANE).astype(np.float32)


def _reduced(grey: Bytes, times: int) -> Bytes:
    """A picture so many times smaller, 0 wherever any of its pixels is."""
    size = grey.shape[1] // times, grey.shape[0] // times
    whole = grey[: size[1] * times, : size[0] * times]
    small = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    empty = (whole == 0).reshape(size[1], times, size[0], times).any(axis=(1, 3))
    return np.where(empty, 0, np.maximum(small, 1)).astype(np.uint8)


def _ranges(coarse: Float, planes: int, shape: tuple[int, ...]) -> tuple[Int, Int]:
    """First plane and number of planes to search in every tile of the full size.

    A tile's own coarse planes and those around it, half a tile wide, without the wildest hundredth.
    """
    tiles = -(-shape[0] // TILE_PX), -(-shape[1] // TILE_PX)
    first, count = np.zeros(tiles, np.int32), np.zeros(tiles, np.int32)
    size = TILE_PX // COARSE
    for i, j in np.ndindex(*tiles):
        rows = slice(max(0, i * size - size // 2), (i + 1) * size + size // 2)
        columns = slice(max(0, j * size - size // 2), (j + 1) * size + size // 2)
        around = coarse[rows, columns]
        known = around[around >= 0]
        if known.size < size:
            continue
        low, high = np.percentile(known, RANGE_PERCENT)
        first[i, j] = max(0, int(low) - SPARE_PLANES)
        count[i, j] = min(planes, int(np.ceil(high)) + SPARE_PLANES + 1) - first[i, j]
    return first, count


def _searched(
    grey: Bytes, sources: list[Bytes], warps: Array, sweep: PlaneSweep,
    first: Int, count: Int,
) -> Float:  # fmt: skip
    """(rows, columns) plane of every pixel, NO_PLANE for none, block by block."""
    sizes = np.array([s.shape for s in sources], np.int32)
    stack = np.zeros((len(sources), int(sizes.prod(axis=1).max()) + 2), np.uint8)
    for number, source in enumerate(sources):
        stack[number, : source.size] = source.ravel()
    out = np.full(grey.shape, NO_PLANE, np.float32)
    for top in range(0, grey.shape[0], BLOCK_PX):
        for left in range(0, grey.shape[1], BLOCK_PX):
            _search_block(grey, (stack, sizes, warps), sweep, (first, count), (top, left), out)
    return out


def _search_block(
    grey: Bytes, sources: tuple[Bytes, Int, Array], sweep: PlaneSweep,
    ranges: tuple[Int, Int], corner: tuple[int, int], out: Float,
) -> None:  # fmt: skip
    """Fill one block of ``out``; it is worked on with a border, so that blocks join."""
    first, count = _half_tiles(ranges, corner, grey.shape)
    if not count.any():
        return
    top, left = corner[0] - BORDER_PX, corner[1] - BORDER_PX
    rows = min(grey.shape[0] + BORDER_PX, corner[0] + BLOCK_PX + BORDER_PX) - top
    columns = min(grey.shape[1] + BORDER_PX, corner[1] + BLOCK_PX + BORDER_PX) - left
    padded = cv2.copyMakeBorder(
        grey[
            max(0, top - REACH_PX) : top + rows + REACH_PX,
            max(0, left - REACH_PX) : left + columns + REACH_PX,
        ],
        max(0, REACH_PX - top), max(0, top + rows + REACH_PX - grey.shape[0]),
        max(0, REACH_PX - left), max(0, left + columns + REACH_PX - grey.shape[1]),
        cv2.BORDER_REPLICATE,
    ).astype(np.float32)  # fmt: skip
    searched = count > 0
    origin = int(first[searched].min())
    last = int((first + count)[searched].max())
    volume = np.full((rows, last - origin, columns), NEVER, np.uint8)
    sweep_kernel.costs(
        padded, (top, left), *sources, (sweep.first, sweep.step), first, count, origin,
        SECOND_SHARE, volume,
    )  # fmt: skip
    total = np.zeros(volume.shape, np.int16)
    inner = np.ascontiguousarray(padded[REACH_PX:-REACH_PX, REACH_PX:-REACH_PX])
    aggregate.summed(volume, inner, total)
    plane = np.empty((rows, columns), np.float32)
    aggregate.lowest(total, first, count, TILE_PX, origin, plane)
    done = plane[BORDER_PX : rows - BORDER_PX, BORDER_PX : columns - BORDER_PX]
    out[corner[0] : corner[0] + done.shape[0], corner[1] : corner[1] + done.shape[1]] = done


def _half_tiles(
    ranges: tuple[Int, Int], corner: tuple[int, int], shape: tuple[int, ...]
) -> tuple[Int, Int]:
    """The planes of a block's own tiles, which begin half a tile before those of the picture.

    Each takes the union of the picture's tiles that it lies over.
    """
    first, count = ranges
    end = np.where(count > 0, first + count, -1)
    begin = np.where(count > 0, first, np.iinfo(np.int32).max)
    tall = min(shape[0] + BORDER_PX, corner[0] + BLOCK_PX + BORDER_PX) - corner[0] + BORDER_PX
    wide = min(shape[1] + BORDER_PX, corner[1] + BLOCK_PX + BORDER_PX) - corner[1] + BORDER_PX
    tiles = -(-tall // TILE_PX), -(-wide // TILE_PX)
    low, high = np.zeros(tiles, np.int32), np.zeros(tiles, np.int32)
    for i, j in np.ndindex(*tiles):
        row, column = corner[0] // TILE_PX + i, corner[1] // TILE_PX + j
        rows = slice(max(0, row - 1), row + 1)
        columns = slice(max(0, column - 1), column + 1)
        if end[rows, columns].size and end[rows, columns].max() > 0:
            low[i, j] = begin[rows, columns].min()
            high[i, j] = end[rows, columns].max()
    return low, (high - low).astype(np.int32)
