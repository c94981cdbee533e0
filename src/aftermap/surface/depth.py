"""One view and its sources -> the inverse distance of every pixel of the view, in a file.

Three times: at an eighth of the size over every distance that could be there, then at half and at
full size, each tile only over the planes around what its surroundings gave. Method: planes swept
through the scene, census, semi-global matching, least squares below a plane (the modules named so).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array, Int16Array
from aftermap.geo.grid import Block
from aftermap.surface import aggregate, sweep_kernel
from aftermap.surface.aggregate import NO_PLANE
from aftermap.surface.refine import refined
from aftermap.surface.refine_kernel import specks_closed
from aftermap.surface.saving import save_whole
from aftermap.surface.search_range import TILE_PX, around, everything
from aftermap.surface.sweep_kernel import REACH_PX, SourceViews
from aftermap.surface.sweep_planes import PlaneSweep, warps_of
from aftermap.surface.undistorted import PinholeView

LEVELS = ((8, 0), (2, 6), (1, 3))
"""How many times smaller the pictures are, and how many planes beyond what was found before each
level searches; the first one searches all of them, and the last is the picture itself."""
MOST_BLOCK_PX, BORDER_PX = 15 * TILE_PX, TILE_PX
MOST_COSTS = 120_000_000
"""Of a block, at three bytes each: one that looks along the ground has a thousand planes."""
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


class _Room:
    """The memory that the blocks of one view are worked on in, one after the other.

    To get it from the system anew for every block costs more than the work.
    """

    def __init__(self) -> None:
        self.costs = np.empty(0, np.uint8)
        self.totals = np.empty(0, np.int16)

    def of(self, shape: tuple[int, int, int]) -> tuple[ByteArray, Int16Array]:
        """(rows, planes, columns) costs, all NEVER, and their sums, all 0."""
        size = int(np.prod(shape))
        if size > self.costs.size:
            self.costs, self.totals = np.empty(size, np.uint8), np.empty(size, np.int16)
        costs, totals = self.costs[:size], self.totals[:size]
        costs[:], totals[:] = NEVER, 0
        return costs.reshape(shape), totals.reshape(shape)


def depth_of(task: DepthTask) -> str:
    """Write the (rows, columns) float32 1 / z of a view, NaN for none; an earlier one is kept."""
    target = Path(task.file)
    if not target.exists():
        save_whole(target, inverse_depths(task))
    return task.file


def inverse_depths(task: DepthTask) -> Float32Array:
    """(rows, columns) inverse of the z of camera axes, 1 / m, NaN where nothing was matched."""
    grey = task.view.read()
    sources = [source.read() for source in task.sources]
    warps = warps_of(task.view, task.sources, task.sweep.direction)
    inverse = specks_closed(_matching(grey, sources, warps, task), grey)
    inverse[grey == 0] = np.nan
    found: Float32Array = refined(grey, inverse, task.sweep.step, sources, warps)
    return np.asarray(found * along_rays(task.view, task.sweep.direction), np.float32)


def along_rays(view: PinholeView, direction: Array) -> Float32Array:
    """(rows, columns) distance along a direction over z, for the ray of every pixel."""
    across = (np.arange(view.columns) + 0.5 - view.intrinsics[2]) / view.intrinsics[0]
    down = (np.arange(view.rows) + 0.5 - view.intrinsics[3]) / view.intrinsics[1]
    own = view.rotation @ direction
    along = across[None, :] * own[0] + down[:, None] * own[1] + own[2]
    return np.asarray(along, np.float32)


def _matching(
    grey: ByteArray, sources: list[ByteArray], warps: Array, task: DepthTask
) -> Float32Array:
    """W of every pixel, NaN for none."""
    room, found, before = _Room(), np.empty((0, 0), np.float32), 0
    for times, spare in LEVELS:
        sweep = replace(
            task.sweep, step=task.sweep.step * times, count=-(-task.sweep.count // times)
        )
        small, others = _reduced(grey, times), [_reduced(source, times) for source in sources]
        if before:
            coarse = np.where(found >= 0, found * (before // times), NO_PLANE).astype(np.float32)
            wanted = around(coarse, before // times, small.shape, sweep.count, spare)
        else:
            wanted = everything(small.shape, sweep.count)
        smaller = np.diag([1 / times, 1 / times, 1.0])
        scaled = smaller @ warps @ np.linalg.inv(smaller)
        found, before = _search(small, others, scaled, sweep, wanted, room), times
    w = task.sweep.first + found * np.float32(task.sweep.step)
    return np.where(found >= 0, w, np.nan).astype(np.float32)


def _reduced(grey: ByteArray, times: int) -> ByteArray:
    """A picture so many times smaller, 0 wherever any of its pixels is."""
    if times == 1:
        return grey
    size = grey.shape[1] // times, grey.shape[0] // times
    whole = grey[: size[1] * times, : size[0] * times]
    small = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    empty = (whole == 0).reshape(size[1], times, size[0], times).any(axis=(1, 3))
    return np.where(empty, 0, np.maximum(small, 1)).astype(np.uint8)


def _search(
    grey: ByteArray,
    sources: list[ByteArray],
    warps: Array,
    sweep: PlaneSweep,
    wanted: ByteArray,
    room: _Room,
) -> Float32Array:
    """(rows, columns) plane of every pixel, NO_PLANE for none, block by block."""
    sizes = np.array([s.shape for s in sources], np.int32)
    stack = np.zeros((len(sources), int(sizes.prod(axis=1).max()) + 2), np.uint8)
    for number, source in enumerate(sources):
        stack[number, : source.size] = source.ravel()
    views = SourceViews(grey=stack, sizes=sizes, warps=warps)
    out = np.full(grey.shape, NO_PLANE, np.float32)
    tall, wide = _block_px(grey.shape[0]), _block_px(grey.shape[1])
    for top in range(0, grey.shape[0], tall):
        for left in range(0, grey.shape[1], wide):
            block = Block(row=top, column=left, rows=tall, columns=wide)
            _search_block(grey, views, sweep, wanted, block, out, room)
    return out


def _block_px(side_px: int) -> int:
    """Side of the blocks of a picture: whole tiles, as even as can be, at most MOST_BLOCK_PX."""
    tiles = -(-side_px // TILE_PX)
    blocks = -(-tiles * TILE_PX // MOST_BLOCK_PX)
    return -(-tiles // blocks) * TILE_PX


def _search_block(
    grey: ByteArray,
    sources: SourceViews,
    sweep: PlaneSweep,
    wanted: ByteArray,
    block: Block,
    out: Float32Array,
    room: _Room,
) -> None:
    """Fill one block of ``out``; it is worked on with a border, so that blocks join."""
    top, left = block.row - BORDER_PX, block.column - BORDER_PX
    rows = min(grey.shape[0], block.row + block.rows) + BORDER_PX - top
    columns = min(grey.shape[1], block.column + block.columns) + BORDER_PX - left
    own = _of_block(wanted, (top, left), (rows, columns))
    numbers = np.flatnonzero(own.any(axis=(0, 1)))
    if not len(numbers):
        return
    origin, count = int(numbers[0]), int(numbers[-1] - numbers[0]) + 1
    if rows * columns * count > MOST_COSTS and max(block.rows, block.columns) > TILE_PX:
        for half in _halves(block):
            if half.row < grey.shape[0] and half.column < grey.shape[1]:
                _search_block(grey, sources, sweep, wanted, half, out, room)
        return
    padded = _with_rim(grey, (top, left), (rows, columns))
    volume, total = room.of((rows, count, columns))
    planes = sweep.first, sweep.step
    sweep_kernel.fill_costs(padded, (top, left), sources, planes, own, origin, SECOND_SHARE, volume)
    inner = np.ascontiguousarray(padded[REACH_PX:-REACH_PX, REACH_PX:-REACH_PX])
    aggregate.add_path_costs(volume, inner, total)
    plane = np.empty((rows, columns), np.float32)
    aggregate.lowest(total, own, TILE_PX, origin, plane)
    done = plane[BORDER_PX : rows - BORDER_PX, BORDER_PX : columns - BORDER_PX]
    out[block.row : block.row + done.shape[0], block.column : block.column + done.shape[1]] = done


def _with_rim(grey: ByteArray, corner: tuple[int, int], size: tuple[int, int]) -> Float32Array:
    """A window of a picture and REACH_PX around it; what lies outside repeats the border."""
    (top, left), (rows, columns) = corner, size
    inside = grey[
        max(0, top - REACH_PX) : top + rows + REACH_PX,
        max(0, left - REACH_PX) : left + columns + REACH_PX,
    ]
    padded = cv2.copyMakeBorder(
        inside,
        max(0, REACH_PX - top),
        max(0, top + rows + REACH_PX - grey.shape[0]),
        max(0, REACH_PX - left),
        max(0, left + columns + REACH_PX - grey.shape[1]),
        cv2.BORDER_REPLICATE,
    )
    return np.asarray(padded, np.float32)


def _halves(block: Block) -> tuple[Block, Block]:
    """A block cut across its longer side, between tiles."""
    if block.rows >= block.columns:
        first = -(-block.rows // (2 * TILE_PX)) * TILE_PX
        rest = replace(block, row=block.row + first, rows=block.rows - first)
        return replace(block, rows=first), rest
    first = -(-block.columns // (2 * TILE_PX)) * TILE_PX
    rest = replace(block, column=block.column + first, columns=block.columns - first)
    return replace(block, columns=first), rest


def _of_block(wanted: ByteArray, corner: tuple[int, int], size: tuple[int, int]) -> ByteArray:
    """The planes of a block's tiles; beyond the picture's rim those of the tile at the rim."""
    row = corner[0] // TILE_PX + np.arange(-(-size[0] // TILE_PX))
    column = corner[1] // TILE_PX + np.arange(-(-size[1] // TILE_PX))
    inside = np.clip(row, 0, wanted.shape[0] - 1), np.clip(column, 0, wanted.shape[1] - 1)
    return np.ascontiguousarray(wanted[inside[0][:, None], inside[1][None, :]])
