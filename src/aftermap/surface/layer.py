"""The confirmed depths of one view -> its heights on the ground grid, in files.

Heights are kept as 16-bit steps, so that a block of the map can be fused without holding the views
in memory.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.geo.grid import Block
from aftermap.model.raster import Grid
from aftermap.surface import splat
from aftermap.surface.consistency import views_file
from aftermap.surface.saving import save_whole
from aftermap.surface.undistorted import PinholeView
from aftermap.surface.view_heights import ViewHeights

AGREEMENT_CELLS = 2.0
TILE_CELLS = 32
SAMPLED_EVERY_PX = 4
ENOUGH_OF_A_TILE = 0.1
WELL_FILLED = 0.2
"""Share of a tile's cells that points must fall on for it to count as seen."""


@dataclass(frozen=True, kw_only=True)
class LayerTask:
    """All that a worker needs to put a view's depths on the grid; ``file`` is the .npy of steps."""

    view: PinholeView
    depth: str
    grid: Grid
    base_m: float
    step_m: float
    file: str


@dataclass(frozen=True, kw_only=True)
class ReachTask:
    """A view whose seen tiles are asked for: squares of ``tile_m`` counted from the origin."""

    view: PinholeView
    depth: str
    tile_m: float


def tiles_seen(task: ReachTask) -> tuple[Array, Array]:
    """(N, 2) numbers, east and north, of the tiles that a view has depths in, (N, 2) heights.

    The heights are the lowest and highest of each tile. A tile with few points is left out: far
    ground that only single pixels reach must not stretch the map.
    """
    inverse = np.load(task.depth)[::SAMPLED_EVERY_PX, ::SAMPLED_EVERY_PX]
    rows, columns = np.nonzero(inverse > 0)
    if not len(rows):
        return np.empty((0, 2)), np.empty((0, 2))
    fx, fy, cx, cy = task.view.intrinsics
    depth = 1 / inverse[rows, columns].astype(float)
    x = (columns * SAMPLED_EVERY_PX + 0.5 - cx) / fx * depth
    y = (rows * SAMPLED_EVERY_PX + 0.5 - cy) / fy * depth
    places = np.column_stack([x, y, depth]) @ task.view.rotation + task.view.centre_m
    tiles, tile_of, counts = np.unique(
        np.floor(places[:, :2] / task.tile_m), axis=0, return_inverse=True, return_counts=True
    )
    low, high = np.full(len(tiles), np.inf), np.full(len(tiles), -np.inf)
    np.minimum.at(low, tile_of.ravel(), places[:, 2])
    np.maximum.at(high, tile_of.ravel(), places[:, 2])
    enough = counts >= ENOUGH_OF_A_TILE * (TILE_CELLS / SAMPLED_EVERY_PX) ** 2
    return tiles[enough], np.column_stack([low, high])[enough]


def tiles_filled(view: ViewHeights) -> Array:
    """(N, 2) rows and columns of the grid's tiles that the heights of a view fill well."""
    if view.window is None:
        return np.empty((0, 2))
    known = np.load(view.heights) > 0
    first = np.array([view.window.row, view.window.column])
    before = first % TILE_CELLS
    after = -(before + known.shape) % TILE_CELLS
    whole = np.pad(known, np.column_stack([before, after]))
    by_tile = whole.reshape(len(whole) // TILE_CELLS, TILE_CELLS, -1, TILE_CELLS)
    counts = by_tile.sum(axis=(1, 3), dtype=np.int32)
    tiles = np.argwhere(counts >= WELL_FILLED * TILE_CELLS**2) + first // TILE_CELLS
    return np.asarray(tiles, float)


def write_view_heights(task: LayerTask) -> ViewHeights:
    """Write the heights of a view, and how many views see each; an earlier answer is reused."""
    target = Path(task.file)
    views, note = target.with_suffix(".views.npy"), target.with_suffix(".json")
    if not note.exists():
        window = _write(task, target, views)
        part = note.with_suffix(".part")
        part.write_text(json.dumps(asdict(window) if window else None))
        part.replace(note)
    kept = json.loads(note.read_text())
    return ViewHeights(heights=task.file, views=str(views), window=Block(**kept) if kept else None)


def _write(task: LayerTask, target: Path, views: Path) -> Block | None:
    """Write both files and return the window of the grid that they lie over, if any."""
    inverse, counts = np.load(task.depth), np.load(views_file(task.depth))
    camera = np.concatenate([task.view.intrinsics, task.view.centre_m, task.view.rotation.ravel()])
    grid = task.grid
    box = splat.cell_box(inverse, camera, np.array([grid.east_m, grid.north_m, grid.cell_m]))
    if not np.isfinite(box).all():
        return None
    row, column = max(0, int(box[0])), max(0, int(box[1]))
    rows = min(grid.rows, int(box[2]) + 1) - row
    columns = min(grid.columns, int(box[3]) + 1) - column
    if rows <= 0 or columns <= 0:
        return None
    heights = np.full((rows, columns), np.nan, np.float32)
    seen = np.zeros((rows, columns), np.uint8)
    corner = np.array(
        [grid.east_m + column * grid.cell_m, grid.north_m - row * grid.cell_m, grid.cell_m]
    )
    agreement_m = AGREEMENT_CELLS * grid.cell_m
    splat.fill_heights(
        splat.ViewDepths(inverse=inverse, views=counts, camera=camera),
        splat.GroundCells(window=corner, heights=heights, counts=seen),
        agreement_m,
    )
    splat.close_pinholes(heights, seen, agreement_m)
    value = (heights - np.float32(task.base_m)) / np.float32(task.step_m) + np.float32(1.5)
    usable = (value >= 1) & (value < 65_535)
    save_whole(target, np.where(usable, value, 0).astype(np.uint16))
    save_whole(views, seen)
    return Block(row=row, column=column, rows=rows, columns=columns)
