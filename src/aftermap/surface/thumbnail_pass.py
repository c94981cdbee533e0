"""One picture to what it shows of the ground, coarsely: which cells, how well, in which colours.

Enough to balance pictures and to choose between them; the pixels themselves are read once later.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from aftermap.errors import SurfaceError
from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array
from aftermap.geo.axes import opencv_from_corner_px
from aftermap.geo.compiled import compiled
from aftermap.geo.grid import Block, cell_centres_m, rowcol_of, window_of
from aftermap.geo.lens import projected_px
from aftermap.geo.masks import covered, read_mask
from aftermap.model.raster import Grid
from aftermap.model.runs import Workspace
from aftermap.surface.drawable import GAP, MEASURED, drawn_in, least_drawn
from aftermap.surface.measured_cells import measured_cells_over
from aftermap.surface.mosaic_grid import (
    MosaicPicture,
    Sheet,
    overlap,
    raster_window,
    surface_under,
    within,
)
from aftermap.surface.visibility import CLEAR, DOUBTFUL, HIDDEN, presumed_heights, seen_cells

FOLDER = "ortho"
BORDER_PX, INSET_PX = 1.0, 2.0
READ_PX = 3
"""How far around a place a cubic reads, and half a pixel of error of the surface."""
COARSER_COST = 0.5
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True, kw_only=True)
class CoarseViewTask:
    """All that a worker needs to look at one picture, and where to leave what it saw."""

    sheet: Sheet
    picture: MosaicPicture
    files: Workspace


@dataclass(frozen=True, kw_only=True)
class CoarseView:
    """What one picture shows, in files.

    ``cells`` is an .npz over ``picture.window``: ``colour`` (rows, columns, 3) uint8 blue, green,
    red; ``share`` uint8, how much of what is drawn there the picture sees, 255 for all, 0 where it
    does not show it; ``measured`` uint8, how much of the cell was measured and not filled, 255 for
    all; ``cost`` float32, how obliquely and coarsely it is shown; ``radius`` float32
    from the principal point, 1 in the corner of the picture; ``lean`` (rows, columns, 2) float32
    east and north over down of the line of sight; ``edge`` uint8 from 0 on its border
    to 255 at half its shorter side. ``seen`` is an .npz over ``window``
    of the surface raster: the bits of ``visibility``, packed along rows.
    """

    picture: MosaicPicture
    cells: str
    seen: str
    window: Block


def coarse_view_at(task: CoarseViewTask) -> CoarseView:
    """Look at one picture. An earlier, finished look at it is used as it is."""
    picture, sheet = task.picture, task.sheet
    window = surface_under(sheet, picture.window, margin=2)
    heights = raster_window(sheet.surface, window)
    kinds = drawn_in(sheet, window)
    seen = _visibility(sheet, picture, window)
    seen[kinds < least_drawn(sheet)] = HIDDEN
    xy_px, depth_m = _in_picture(picture, window_of(sheet.surface.grid, window), heights)
    inside = _inside(xy_px, picture, BORDER_PX)
    seen[~inside] = HIDDEN
    if picture.mask is not None and inside.any():
        per_m = picture.camera.focal_px / float(depth_m[inside].min())
        reach_px = _reach_px(sheet.surface.grid.cell_m * per_m, sheet.pixels.cell_m * per_m)
        shown = read_mask(picture.mask)
        seen[covered(shown, picture.camera, xy_px, reach_px=reach_px)] = HIDDEN
    cells_path = task.files.path(f"{FOLDER}/cells-{picture.index:05d}.npz")
    seen_path = task.files.path(f"{FOLDER}/seen-{picture.index:05d}.npz")
    _write_cells(cells_path, sheet, picture, _Ground(heights, kinds, seen, window))
    np.savez(
        seen_path,
        some=np.packbits(seen >= DOUBTFUL, axis=1),
        clear=np.packbits(seen >= CLEAR, axis=1),
    )
    return CoarseView(picture=picture, cells=str(cells_path), seen=str(seen_path), window=window)


def seen_in(coarse_view: CoarseView, window: Block) -> ByteArray:
    """(rows, columns) label HIDDEN, DOUBTFUL or CLEAR over a window of the surface raster."""
    out = np.zeros((window.rows, window.columns), np.uint8)
    shared = overlap(coarse_view.window, window)
    if shared is not None:
        rows, columns = within(shared, coarse_view.window)
        with np.load(coarse_view.seen) as kept:
            for name in ("some", "clear"):
                bits = np.unpackbits(kept[name][rows], axis=1, count=coarse_view.window.columns)
                out[within(shared, window)] += bits[:, columns]
    return out


def picture_pixels(path: str, reduction: int = 1) -> ByteArray:
    """(rows, columns, 3) blue, green, red from 0 to 255 of a picture as stored, not turned.

    Its EXIF orientation is ignored. Each side is ``reduction`` (1, 2, 4 or 8) times smaller. Raises
    SurfaceError where the picture can no longer be read.
    """
    pixels = cv2.imread(path, _REDUCED[reduction] | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise SurfaceError(f"{path}: can no longer be read; run again with --fresh")
    return np.asarray(pixels, np.uint8)


def _visibility(sheet: Sheet, picture: MosaicPicture, window: Block) -> ByteArray:
    """Cells of the surface window that the camera looks at without anything in between."""
    ground = sheet.surface.grid
    east, north, up = picture.pose.position_m
    row, column = rowcol_of(ground, [[east, north]])[0].tolist()
    around = _with_what_hides(sheet, window, (row, column), up)
    heights = raster_window(sheet.surface, around)
    base = np.float32(np.nanmin(heights)) if np.isfinite(heights).any() else np.float32(0)
    cells = (calm(heights) - base) / np.float32(ground.cell_m)
    is_known = drawn_in(sheet, around) >= GAP
    seen = seen_cells(
        cells,
        (row - around.row, column - around.column),
        (up - float(base)) / ground.cell_m,
        None if sheet.draped else presumed_heights(cells, is_known),
        None if picture.sight is None else measured_cells_over(picture.sight, around),
    )
    return np.ascontiguousarray(seen[within(window, around)])


def _with_what_hides(sheet: Sheet, window: Block, camera: tuple[float, float], up: float) -> Block:
    """A window, and as far towards the camera as what stands there may hide any of it."""
    heights = raster_window(sheet.surface, window)
    if not np.isfinite(heights).any():
        return window
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    share = min(1.0, (high - low) / max(up - low, 1e-3))
    corners = np.array(
        [[window.row, window.column], [window.row + window.rows, window.column + window.columns]]
    )
    moved = corners + share * (np.array(camera) - corners)
    top, left = np.floor(np.minimum(corners[0], moved[0])).astype(int).tolist()
    bottom, right = np.ceil(np.maximum(corners[1], moved[1])).astype(int).tolist()
    return Block(row=top, column=left, rows=bottom - top, columns=right - left)


def _reach_px(cell_px: float, pixel_px: float) -> int:
    """How far around a cell's middle a picture's pixels must be uncovered for it to be shown.

    As far as the cell reaches and a cubic reads around it; a finer picture is read in pixels about
    as large as the orthophoto's.
    """
    return math.ceil(0.71 * cell_px + READ_PX * max(1.0, pixel_px))


def _in_picture(picture: MosaicPicture, grid: Grid, heights: Float32Array) -> tuple[Array, Array]:
    """(rows, columns, 2) pixels of cells, NaN where they have no height, and their depth."""
    xyz = _offsets(picture, grid, heights) @ np.array(picture.pose.rotation_cam_from_world).T
    return projected_px(xyz, picture.camera.params), xyz[..., 2]


def _offsets(picture: MosaicPicture, grid: Grid, heights: Float32Array) -> Array:
    """(rows, columns, 3) east, north, up from the camera to cells."""
    east, north = cell_centres_m(grid)
    position = np.array(picture.pose.position_m)
    x, y = np.meshgrid(east - position[0], north - position[1])
    return np.stack([x, y, heights - position[2]], axis=-1)


def calm(heights: Float32Array) -> Float32Array:
    """Heights (rows, columns) without the specks of matching: the median of 3 x 3 cells.

    In any unit; NaN for none.
    """
    known = np.isfinite(heights)
    if known.all():
        return np.asarray(cv2.medianBlur(heights, 3), np.float32)
    low = np.float32(-1e6)
    middle = cv2.medianBlur(np.where(known, heights, low), 3)
    return np.where(known & (middle > low), middle, heights).astype(np.float32)


@dataclass(frozen=True)
class _Ground:
    """A window of the surface: heights, what is drawn of it, and how a picture sees it."""

    heights: Float32Array
    kinds: ByteArray
    seen: ByteArray
    window: Block


def _write_cells(path: Path, sheet: Sheet, picture: MosaicPicture, ground: _Ground) -> None:
    """Write the ``cells`` of a :class:`CoarseView`."""
    grid = window_of(sheet.cells, picture.window)
    up, share, measured = _means(sheet, picture.window, ground)
    offset = _offsets(picture, grid, up)
    xy_px, depth_m = _in_picture(picture, grid, up)
    inside = _inside(xy_px, picture, INSET_PX)
    whole = _inside(xy_px, picture, INSET_PX + sheet.cell_px)
    lean = offset[..., :2] / np.maximum(-offset[..., 2:], 1e-6)
    coarser = depth_m / (picture.camera.focal_px * sheet.pixels.cell_m)
    cost = (lean**2).sum(-1) + COARSER_COST * np.maximum(
        np.log2(np.maximum(coarser, 1e-6)) - 0.1, 0
    )
    inside &= share > 0
    share = np.where(inside, np.clip(share, 0.02, 1) * np.where(whole, 1, 0.25), 0)
    np.savez(
        path,
        colour=_colours(picture, np.where(inside[..., None], xy_px, -1e4), sheet.cell_px),
        share=np.ceil(share * 255).astype(np.uint8),
        measured=np.floor(measured * 255).astype(np.uint8),
        cost=np.where(inside, cost, 0).astype(np.float32),
        edge=np.where(inside, _edge(xy_px, picture), 0).astype(np.uint8),
        lean=np.where(inside[..., None], lean, 0).astype(np.float32),
        radius=np.where(inside, _radius(xy_px, picture), 0).astype(np.float32),
    )


def mean_heights(sheet: Sheet, cells: Block) -> Float32Array:
    """(rows, columns) mean height in metres of what is drawn in every cell; NaN for none."""
    window = surface_under(sheet, cells)
    heights = raster_window(sheet.surface, window)
    unseen = np.zeros(heights.shape, np.uint8)
    return _means(sheet, cells, _Ground(heights, drawn_in(sheet, window), unseen, window))[0]


def _means(
    sheet: Sheet, cells: Block, ground: _Ground
) -> tuple[Float32Array, Float32Array, Float32Array]:
    ratio = sheet.surface_per_cell
    start = cells.row * ratio - ground.window.row, cells.column * ratio - ground.window.column
    means = np.empty((3, cells.rows, cells.columns), np.float32)
    kinds, least = ground.kinds, least_drawn(sheet)
    _fill_means(ground.heights, kinds, least, ground.seen, start, ratio, means)
    return means[0], means[1], means[2]


@compiled
def _fill_means(
    heights: Float32Array,
    kinds: ByteArray,
    least: int,
    seen: ByteArray,
    start: tuple[float, float],
    ratio: float,
    means: Float32Array,
) -> None:
    """Fill in, of what is drawn per cell: mean height (NaN: nothing is), share seen, measured."""
    rows, columns = heights.shape
    for row in range(means.shape[1]):
        top = max(0, int(start[0] + row * ratio + 0.5))
        bottom = min(rows, max(top + 1, int(start[0] + (row + 1) * ratio + 0.5)))
        for column in range(means.shape[2]):
            left = max(0, int(start[1] + column * ratio + 0.5))
            right = min(columns, max(left + 1, int(start[1] + (column + 1) * ratio + 0.5)))
            total, level, drawn, sure, cells = 0.0, 0, 0, 0, 0
            for r in range(top, bottom):
                for c in range(left, right):
                    cells += 1
                    if kinds[r, c] >= least:
                        total += heights[r, c]
                        level += seen[r, c]
                        drawn += 1
                    if kinds[r, c] == MEASURED:
                        sure += 1
            means[0, row, column] = total / drawn if drawn else np.nan
            means[1, row, column] = level / (2.0 * drawn) if drawn else 0.0
            means[2, row, column] = sure / cells if cells else 0.0


def _inside(xy_px: Array, picture: MosaicPicture, inset_px: float) -> BoolArray:
    camera = picture.camera
    with np.errstate(invalid="ignore"):
        x, y = xy_px[..., 0], xy_px[..., 1]
        return np.asarray(
            (x >= inset_px)
            & (y >= inset_px)
            & (x <= camera.width_px - inset_px)
            & (y <= camera.height_px - inset_px)
        )


def _edge(xy_px: Array, picture: MosaicPicture) -> Array:
    camera = picture.camera
    x, y = xy_px[..., 0], xy_px[..., 1]
    across = np.minimum(x, camera.width_px - x)
    down = np.minimum(y, camera.height_px - y)
    near = np.minimum(across, down) / (min(camera.width_px, camera.height_px) / 2)
    return np.asarray(255 * np.clip(near, 0, 1), float)


def _radius(xy_px: Array, picture: MosaicPicture) -> Array:
    camera = picture.camera
    half_diagonal = np.hypot(camera.width_px, camera.height_px) / 2
    away = np.hypot(xy_px[..., 0] - camera.params[2], xy_px[..., 1] - camera.params[3])
    return np.asarray(away / half_diagonal, float)


def _colours(picture: MosaicPicture, xy_px: Array, cell_px: int) -> ByteArray:
    """Colours at positions in the picture, from one read so small that a pixel is a cell."""
    reduction = max(factor for factor in _REDUCED if factor <= cell_px)
    small = picture_pixels(picture.path, reduction)
    small_px = opencv_from_corner_px(xy_px / reduction).astype(np.float32)
    return np.asarray(
        cv2.remap(
            small,
            small_px[..., 0],
            small_px[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )
