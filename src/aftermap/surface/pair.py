"""One stereo pair to heights on the ground grid: read, rectify, match, put on the grid, keep.

Heights are kept as 16-bit steps in one small file per pair, so that a block of the map can be
fused without holding the pairs in memory.
"""

import functools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.errors import SurfaceError
from aftermap.model.raster import Grid
from aftermap.surface import splat, stereo
from aftermap.surface.heights import PairHeights, Window
from aftermap.surface.rectify import RectifiedPair, View, rectified, resampled
from aftermap.surface.relief import Relief
from aftermap.surface.search import disparity_ranges

Grey = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]

MAX_DISPARITIES = 1024
AGREEMENT_CELLS = 2.0


@dataclass(frozen=True, kw_only=True)
class PairTask:
    """All that a worker needs to match one pair, and where to leave the answer.

    ``relief`` holds what a coarser match found; without it the whole ``heights_m`` is searched.
    """

    left: View
    right: View
    left_path: str
    right_path: str
    left_index: int
    right_index: int
    heights_m: tuple[float, float]
    relief: Relief | None
    grid: Grid
    base_m: float
    step_m: float
    file: str


def matched(task: PairTask) -> PairHeights:
    """Match one pair and leave its heights in ``task.file``; an earlier answer is reused."""
    target = Path(task.file)
    note = target.with_suffix(".json")
    if note.exists() and target.exists():
        kept = json.loads(note.read_text())
        window = Window(**kept) if kept else None
    else:
        window = _saved(_heights_of(task), task, target)
        _write_note(note, window)
    return PairHeights(file=task.file, left=task.left_index, right=task.right_index, window=window)


def _heights_of(task: PairTask) -> tuple[Float, Window] | None:
    """Heights of the pair on its window of the grid, NaN where it saw nothing."""
    pair = rectified(task.left, task.right, task.heights_m, MAX_DISPARITIES)
    if pair is None:
        return None
    left, right = (
        resampled(pair, view, grey_picture(path, view.width_px, view.height_px), is_right=is_right)
        for view, path, is_right in (
            (task.left, task.left_path, False),
            (task.right, task.right_path, True),
        )
    )
    if task.relief is None:
        disparity = stereo.disparities_px(left, right, pair.disparities)
    else:
        disparity = stereo.tiled_disparities_px(
            left, right, disparity_ranges(task.relief, pair, stereo.TILE_PX), pair.disparities
        )
        disparity = stereo.refined_px(left, right, disparity)
        disparity = stereo.unlike_removed(left, right, disparity)
        disparity = stereo.foreground_trimmed(disparity)
    return _on_grid(pair, disparity, task.grid)


def _on_grid(
    pair: RectifiedPair, disparity: npt.NDArray[np.float32], grid: Grid
) -> tuple[Float, Window] | None:
    scale = np.array(
        [pair.focal_px * pair.base_m, pair.right_shift_px, pair.focal_px, *pair.left_principal_px]
    )
    cells = np.array([grid.east_m, grid.north_m, grid.cell_m])
    box = splat.cell_box(disparity, pair.rotation, pair.left_centre_m, scale, cells)
    row, column = max(0, int(box[0])), max(0, int(box[1]))
    rows = min(grid.rows, int(box[2]) + 1) - row
    columns = min(grid.columns, int(box[3]) + 1) - column
    if rows <= 0 or columns <= 0:
        return None
    heights = np.full((rows, columns), np.nan, np.float32)
    corner = np.array(
        [grid.east_m + column * grid.cell_m, grid.north_m - row * grid.cell_m, grid.cell_m]
    )
    splat.highest_m(
        disparity, pair.rotation, pair.left_centre_m, scale, corner, heights,
        AGREEMENT_CELLS * grid.cell_m,
    )  # fmt: skip
    heights = splat.pinholes_closed(heights, AGREEMENT_CELLS * grid.cell_m)
    return heights, Window(row=row, column=column, rows=rows, columns=columns)


def _saved(found: tuple[Float, Window] | None, task: PairTask, target: Path) -> Window | None:
    """Write the 16-bit heights; the note that is written after it makes them count."""
    steps = np.zeros((1, 1), np.uint16)
    if found is not None:
        value = (found[0] - np.float32(task.base_m)) / np.float32(task.step_m) + np.float32(1.5)
        usable = (value >= 1) & (value < 65_535)
        steps = np.where(usable, value, 0).astype(np.uint16)
    part = target.with_suffix(".part")
    with part.open("wb") as stream:
        np.save(stream, steps)
    part.replace(target)
    return None if found is None else found[1]


def _write_note(note: Path, window: Window | None) -> None:
    part = note.with_suffix(".json.part")
    part.write_text(json.dumps(asdict(window) if window else None))
    part.replace(note)


@functools.lru_cache(maxsize=4)
def grey_picture(path: str, width_px: int, height_px: int) -> Grey:
    """A picture in grey at the given size, its EXIF orientation ignored: sensor pixels stay put."""
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise SurfaceError(f"{path}: can no longer be read; run again with --fresh")
    if picture.shape != (height_px, width_px):
        picture = cv2.resize(picture, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(picture, np.uint8)
