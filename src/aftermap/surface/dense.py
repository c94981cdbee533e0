"""A reconstruction to one small height raster per view, in files, ready to be fused.

Every picture is freed of distortion; its depth is measured against the sources that suit it; what
other views confirm is kept, and goes to the ground grid. Tasks carry names of files, never rasters.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from aftermap.errors import SurfaceError
from aftermap.geo.arrays import Array, BoolArray
from aftermap.geo.grid import Block, grid_over, window_of
from aftermap.model.camera import PlacedFrame, Reconstruction
from aftermap.model.raster import Grid
from aftermap.model.runs import Executor, Workspace
from aftermap.surface.consistency import ConfirmTask, confirm
from aftermap.surface.depth import DepthTask, depth_of
from aftermap.surface.extent import median_ground_sample_m
from aftermap.surface.height_scatter import rounds_of
from aftermap.surface.layer import (
    TILE_CELLS,
    LayerTask,
    ReachTask,
    tiles_filled,
    tiles_seen,
    write_view_heights,
)
from aftermap.surface.options import SurfaceOptions
from aftermap.surface.sources import (
    SeenPoints,
    are_video,
    neighbours_of,
    seen_points,
    sources_of,
)
from aftermap.surface.sweep_planes import sweep_of
from aftermap.surface.undistorted import PinholeView, UndistortTask, undistort, view_of
from aftermap.surface.view_heights import DenseHeights, ViewHeights

FOLDER = "depth"
STEPS_PER_CELL = 64
LEAST_CELLS = 400
CONFIRMING_ROUNDS = 2
NOTHING_MATCHED = (
    "no heights could be matched in any pair of images; they may be blurred, or show "
    "only water: add sharper images, or exclude the blurred ones"
)
TELLING_SHARE = 0.2
LEAST_PATCH = 0.05
"""What a patch that lies apart must have of the views that the heaviest patch has."""


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What every pass over the views needs."""

    views: tuple[PinholeView, ...]
    are_video: tuple[bool, ...]
    points: SeenPoints
    options: SurfaceOptions
    files: Workspace
    executor: Executor


def dense_heights(
    reconstruction: Reconstruction,
    options: SurfaceOptions,
    files: Workspace,
    executor: Executor,
) -> DenseHeights:
    """Measure depths in every picture of the mapped group and put them on one grid.

    Finished views that are found in ``files`` are kept.

    Raises SurfaceError where no two pictures overlap at a usable angle or nothing can be matched.
    """
    frames = _telling(reconstruction.mapped)
    longest = _longest_side(frames)
    side_px = min(float(options.dense_side_px), longest)
    job = _Job(
        views=_views(reconstruction, side_px, files, executor),
        are_video=are_video(reconstruction),
        points=seen_points(reconstruction),
        options=options,
        files=files,
        executor=executor,
    )
    depths = _confirm_depths(
        job, _depths(job, sources_of(reconstruction, job.points, options.sources))
    )
    sample_m = median_ground_sample_m(reconstruction, frames)
    return _on_grid(job, reconstruction.crs, depths, sample_m, sample_m * longest / side_px)


def remove_depths(files: Workspace) -> None:
    """Free the disk: depths are only needed until their surface is written."""
    shutil.rmtree(files.path(FOLDER), ignore_errors=True)


def _views(
    reconstruction: Reconstruction, side_px: float, files: Workspace, executor: Executor
) -> tuple[PinholeView, ...]:
    """The mapped pictures at the scale of matching, without distortion."""
    tasks = []
    for number, placed in enumerate(reconstruction.mapped):
        camera = reconstruction.cameras[placed.camera]
        grey = files.path(f"{FOLDER}/grey-{number:05d}.npy")
        tasks.append(
            UndistortTask(
                view=view_of(placed, camera, side_px, grey),
                camera=camera,
                path=placed.frame.path,
                mask=placed.frame.mask,
            )
        )
    for _ in executor.map(undistort, tasks, label="preparing images"):
        pass
    return tuple(task.view for task in tasks)


def _depths(job: _Job, sources: Sequence[Sequence[int]]) -> dict[int, str]:
    """The file of depths of every view that can be measured, by its number."""
    tasks = {}
    for number, chosen in enumerate(sources):
        others = tuple(job.views[k] for k in chosen)
        sweep = sweep_of(job.views[number], others, job.points.of(number)) if others else None
        if sweep is not None:
            file = job.files.path(f"{FOLDER}/depth-{number:05d}.npy")
            tasks[number] = DepthTask(
                view=job.views[number], sources=others, sweep=sweep, file=str(file)
            )
    if not tasks:
        raise SurfaceError(
            "no two aligned images overlap at a usable angle, so no surface can be measured; add "
            "images that overlap by half or more"
        )
    done = job.executor.map(depth_of, list(tasks.values()), label="matching depths")
    return dict(zip(tasks, done, strict=True))


def _confirm_depths(job: _Job, depths: Mapping[int, str]) -> dict[int, str]:
    """Depths that other views confirm."""
    neighbours = neighbours_of(job.points, job.are_video, job.options.confirming)
    found = dict(depths)
    for turn in range(CONFIRMING_ROUNDS):
        tasks = []
        for number, own in found.items():
            others = [k for k in neighbours[number] if k in found]
            tasks.append(
                ConfirmTask(
                    view=job.views[number],
                    others=tuple(job.views[k] for k in others),
                    files=(own, *(found[k] for k in others)),
                    file=str(job.files.path(f"{FOLDER}/confirmed{turn}-{number:05d}.npy")),
                )
            )
        done = job.executor.map(confirm, tasks, label="comparing depths")
        found = dict(zip(list(found), done, strict=True))
    return found


def _on_grid(
    job: _Job, crs: str, depths: Mapping[int, str], sample_m: float, cell_m: float
) -> DenseHeights:
    grid, (low_m, high_m) = _grid_of(job, crs, depths, cell_m)
    step_m = max(cell_m / STEPS_PER_CELL, (high_m - low_m) / 65_000)
    tasks = [
        LayerTask(
            view=job.views[number],
            depth=depth,
            grid=grid,
            base_m=low_m,
            step_m=step_m,
            file=str(job.files.path(f"{FOLDER}/heights-{number:05d}.npy")),
        )
        for number, depth in depths.items()
    ]
    done = tuple(
        job.executor.map(write_view_heights, tasks, label="projecting depths to the ground")
    )
    box = _well_filled(done, job.executor)
    shown = window_of(grid, box)
    views = tuple(view.moved(box.row, box.column) for view in done)
    return DenseHeights(
        grid=shown,
        base_m=low_m,
        step_m=step_m,
        ground_sample_m=sample_m,
        least_cells=LEAST_CELLS,
        frames=tuple(depths),
        views=views,
        rounds=rounds_of(views, [job.are_video[k] for k in depths], shown, step_m),
    )


def _grid_of(
    job: _Job, crs: str, depths: Mapping[int, str], cell_m: float
) -> tuple[Grid, tuple[float, float]]:
    """The grid over all tiles that are seen well, and the heights in them, with room to spare."""
    tile_m = TILE_CELLS * cell_m
    tasks = [
        ReachTask(view=job.views[number], depth=depth, tile_m=tile_m)
        for number, depth in depths.items()
    ]
    done = list(job.executor.map(tiles_seen, tasks, label="finding the extent"))
    tiles = np.concatenate([part[0] for part in done])
    heights = np.concatenate([part[1] for part in done])
    if not len(tiles):
        raise SurfaceError(NOTHING_MATCHED)
    together = in_one_place(tiles)
    tiles, heights = tiles[together], heights[together]
    west, south = (tiles.min(axis=0) * tile_m).tolist()
    east, north = ((tiles.max(axis=0) + 1) * tile_m).tolist()
    grid = grid_over(crs, (west, south), (east, north), cell_m)
    room = 2 * tile_m
    return grid, (float(heights[:, 0].min()) - room, float(heights[:, 1].max()) + room)


def _well_filled(views: Sequence[ViewHeights], executor: Executor) -> Block:
    """The part of the grid that is well filled: far ground of a flat look is single cells."""
    found = list(executor.map(tiles_filled, views, label="finding the extent"))
    tiles = np.concatenate(found)
    if not len(tiles):
        raise SurfaceError(NOTHING_MATCHED)
    tiles = tiles[in_one_place(tiles)]
    row, column = (tiles.min(axis=0) * TILE_CELLS).astype(int).tolist()
    rows, columns = ((np.ptp(tiles, axis=0) + 1) * TILE_CELLS).astype(int).tolist()
    return Block(row=row, column=column, rows=rows, columns=columns)


def in_one_place(tiles: Array) -> BoolArray:
    """(N,) which of the tiles that views see, each as often as views see it, belong to the map.

    Patches of tiles that lie apart, and weigh little beside the heaviest one, are left out: what a
    few views make of the horizon must not stretch the map.
    """
    place = (tiles - tiles.min(axis=0)).astype(np.int64)
    weight = np.zeros(place.max(axis=0) + 1, np.int32)
    np.add.at(weight, tuple(place.T), 1)
    joined = ndimage.binary_dilation(weight > 0, np.ones((3, 3)))
    patch, count = ndimage.label(joined, np.ones((3, 3)))
    heavy = ndimage.sum(weight, patch, np.arange(count + 1))
    kept = heavy >= LEAST_PATCH * heavy[1:].max()
    return np.asarray(kept[patch[tuple(place.T)]])


def _telling(frames: tuple[PlacedFrame, ...]) -> tuple[PlacedFrame, ...]:
    """The frames that the size of a cell follows: the photographs, if they are no exception."""
    photographs = tuple(placed for placed in frames if placed.frame.moment is None)
    return photographs if len(photographs) >= TELLING_SHARE * len(frames) else frames


def _longest_side(frames: tuple[PlacedFrame, ...]) -> float:
    return float(np.median([max(f.frame.width_px, f.frame.height_px) for f in frames]))
