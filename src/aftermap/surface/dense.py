"""A reconstruction to one small height raster per stereo pair, in files, ready to be fused.

All pairs are matched twice: first coarsely over every height that could be there; then, where the
coarse pairs agree on how high the ground reaches, at full scale over that range only.
"""

import shutil
from dataclasses import dataclass

import numpy as np

from aftermap.errors import SurfaceError
from aftermap.geo.grid import grid_over
from aftermap.model.camera import PlacedFrame, Reconstruction
from aftermap.model.raster import Grid
from aftermap.model.runs import Executor, Workspace
from aftermap.surface.extent import ground_sample_m, mapped_box_m
from aftermap.surface.heights import DenseHeights
from aftermap.surface.options import SurfaceOptions
from aftermap.surface.pair import PairTask, matched
from aftermap.surface.pairs import StereoPair, stereo_pairs
from aftermap.surface.rectify import view_of
from aftermap.surface.relief import Relief, relief_of

PAIRS = "pairs"
COARSE = 4
STEPS_PER_CELL = 64
COARSE_ISLAND_CELLS = 400


@dataclass(frozen=True, kw_only=True)
class _Pass:
    """One of the two passes: its scale, its grid and where it leaves its files."""

    side_px: float
    grid: Grid
    files: Workspace
    prefix: str
    least_cells: int
    relief: Relief | None
    limits_m: tuple[float, float]


def dense_heights(
    reconstruction: Reconstruction,
    options: SurfaceOptions,
    files: Workspace,
    executor: Executor,
) -> tuple[DenseHeights, DenseHeights, Relief]:
    """Match every stereo pair of the mapped group: fine heights, coarse heights, their relief.

    Finished pairs that are found in ``files`` are kept.

    Raises SurfaceError where no two pictures overlap at a usable angle or nothing can be matched.
    """
    pairs = stereo_pairs(reconstruction, options)
    if not pairs:
        raise SurfaceError(
            "no two placed photographs overlap at a usable angle, so no surface can be measured; "
            "add photographs that overlap by half or more"
        )
    frames = reconstruction.mapped
    sample_m = ground_sample_m(reconstruction)
    side_px = min(float(options.dense_side_px), _longest_side(frames))
    cell_m = sample_m * _longest_side(frames) / side_px
    box = mapped_box_m(reconstruction)
    ranges = [_search_range(f, f) for f in frames]
    limits = min(r[0] for r in ranges), max(r[1] for r in ranges)
    coarse = _Pass(
        side_px=side_px / COARSE, grid=grid_over(reconstruction.crs, *box, cell_m * COARSE),
        files=files, prefix="coarse", least_cells=COARSE_ISLAND_CELLS, relief=None, limits_m=limits,
    )  # fmt: skip
    rough = _matched(reconstruction, pairs, coarse, executor, "finding the relief")
    relief = relief_of(rough, coarse.limits_m)
    fine = _Pass(
        side_px=side_px, grid=grid_over(reconstruction.crs, *box, cell_m),
        files=files, prefix="pair", least_cells=COARSE_ISLAND_CELLS * COARSE, relief=relief,
        limits_m=limits,
    )  # fmt: skip
    sharp = _matched(reconstruction, pairs, fine, executor, "matching heights")
    return sharp, rough, relief


def remove_pairs(files: Workspace) -> None:
    """Free the disk: the pairs are only needed until their surface is written."""
    shutil.rmtree(files.path(PAIRS), ignore_errors=True)


def _matched(
    reconstruction: Reconstruction,
    pairs: tuple[StereoPair, ...],
    step: _Pass,
    executor: Executor,
    label: str,
) -> DenseHeights:
    step_m = max(step.grid.cell_m / STEPS_PER_CELL, (step.limits_m[1] - step.limits_m[0]) / 65_000)
    tasks = [_task(reconstruction, pair, step, step_m) for pair in pairs]
    done = tuple(executor.map(matched, tasks, label=label))
    if all(d.window is None for d in done):
        raise SurfaceError(
            "no heights could be matched in any pair of photographs; they may be too blurred, or "
            "show only water: add sharper photographs, or leave the blurred ones out"
        )
    return DenseHeights(
        grid=step.grid, base_m=step.limits_m[0], step_m=step_m,
        ground_sample_m=ground_sample_m(reconstruction), least_cells=step.least_cells,
        pairs=done,
    )  # fmt: skip


def _task(reconstruction: Reconstruction, pair: StereoPair, step: _Pass, step_m: float) -> PairTask:
    left, right = reconstruction.mapped[pair.left], reconstruction.mapped[pair.right]
    views = []
    for placed in (left, right):
        camera = reconstruction.cameras[placed.camera]
        scale = min(1.0, step.side_px / max(camera.width_px, camera.height_px))
        size = round(camera.width_px * scale), round(camera.height_px * scale)
        views.append(view_of(camera, placed.pose, *size))
    reach = _search_range(left, right)
    if step.relief is not None:
        low, high = step.relief.everywhere_m
        reach = max(low, reach[0]), min(high, reach[1])
    return PairTask(
        left=views[0], right=views[1],
        left_path=left.frame.path, right_path=right.frame.path,
        left_index=pair.left, right_index=pair.right,
        heights_m=reach, relief=step.relief,
        grid=step.grid, base_m=step.limits_m[0], step_m=step_m,
        file=str(step.files.path(f"{PAIRS}/{step.prefix}-{pair.left:05d}-{pair.right:05d}.npy")),
    )  # fmt: skip


def _longest_side(frames: tuple[PlacedFrame, ...]) -> float:
    return float(np.median([max(f.frame.width_px, f.frame.height_px) for f in frames]))


def _search_range(left: PlacedFrame, right: PlacedFrame) -> tuple[float, float]:
    """Heights that could be there: tie points miss cellars and chimneys, so reach beyond them.

    A sixth of the flying height below the tie points, and half of what is left above them.
    """
    low = min(left.ground_m[0], right.ground_m[0])
    high = max(left.ground_m[1], right.ground_m[1])
    camera = min(left.pose.position_m[2], right.pose.position_m[2])
    room = max(camera - high, 0.0)
    return low - room / 6, high + room / 2
