"""Depths of views to the surface, its confidence and its sigma: fused and filled block by block.

A cell that at least two photographs agree on is measured. Holes between measured cells are filled,
low and smooth, with a confidence of 0 and no sigma; nothing is filled beyond the measured rim.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from aftermap.errors import SurfaceError
from aftermap.geo.arrays import ByteArray, Float32Array
from aftermap.geo.grid import Block, blocks_of
from aftermap.model.camera import Reconstruction
from aftermap.model.raster import Elevation, MeasuredCells, Raster
from aftermap.model.runs import Executor, Workspace
from aftermap.surface import fuse
from aftermap.surface.blocks import FusedBlock, fused_block, tolerance_m
from aftermap.surface.cog import Layer, open_cog
from aftermap.surface.dense import dense_heights, remove_depths
from aftermap.surface.measured_cells import MeasuredCellsTask, write_measured_cells
from aftermap.surface.options import SurfaceOptions
from aftermap.surface.sigma import sigma_m
from aftermap.surface.view_heights import DenseHeights

NODATA = -9999.0
VERTICAL_DATUM_TAG = "AFTERMAP_VERTICAL_DATUM"
FILLED_TAG, FILLED = "AFTERMAP_FILLED", "confidence.tif below 2"
HEIGHT = "height, filled where confidence.tif is below 2"
"""What a GIS calls the band: a file that goes astray still says that not all was measured."""
FILL_DIRECTIONS = 5
"""In so many of eight directions a filled cell must have measured ones: it lies in a hole."""
CALM_CELLS = 4.0
"""Sigma of the smoothing of filled heights."""
STACK_BYTES = 160_000_000
LEAST_BLOCK_CELLS = 192
MEASURED_CELLS_FOLDER = "sights"
FILES = ("surface.tif", "confidence.tif", "surface_sigma.tif")


@dataclass(frozen=True, kw_only=True)
class _Done:
    """(rows, columns) of one block: heights and sigma, NODATA for none, and photographs."""

    height_m: Float32Array
    count: ByteArray
    sigma_m: Float32Array

    @property
    def measured(self) -> int:
        return int((self.count > 0).sum())

    @property
    def drawn(self) -> int:
        return int((self.height_m != np.float32(NODATA)).sum())


def surface_of(
    reconstruction: Reconstruction,
    options: SurfaceOptions,
    files: Workspace,
    executor: Executor,
) -> Elevation:
    """Measure the surface of the mapped group; write its heights, confidence and sigma.

    Heights are in the reconstruction's vertical datum, named in the tag AFTERMAP_VERTICAL_DATUM.
    Raises SurfaceError where nothing can be measured, and where the pictures do not say which way
    is up.
    """
    _check_vertical(reconstruction)
    heights = dense_heights(reconstruction, options, files, executor)
    tags = {VERTICAL_DATUM_TAG: reconstruction.vertical_datum.value, FILLED_TAG: FILLED}
    paths = [files.path(name) for name in FILES]
    drawn = measured = 0
    with ExitStack() as stack:
        outs = [
            stack.enter_context(open_cog(path, heights.grid, layer))
            for path, layer in zip(paths, _layers(tags), strict=True)
        ]
        for block, done in _blocks(heights, options, executor):
            outs[0].write(block, done.height_m)
            outs[1].write(block, done.count)
            outs[2].write(block, done.sigma_m)
            drawn += done.drawn
            measured += done.measured
    elevation = _elevation(reconstruction, heights, paths, measured / max(drawn, 1))
    sights = _sights(heights, elevation, files, executor)
    remove_depths(files)
    return replace(elevation, sights=sights)


def _sights(
    heights: DenseHeights, elevation: Elevation, files: Workspace, executor: Executor
) -> tuple[MeasuredCells, ...]:
    """Keep what each view measured itself, before its heights go."""
    tasks = [
        MeasuredCellsTask(
            frame=frame,
            view=view,
            tolerance_m=tolerance_m(heights.grid.cell_m, heights.round_of(place).scatter_cells),
            base_m=heights.base_m,
            step_m=heights.step_m,
            surface=elevation.surface,
            confidence=elevation.confidence,
            file=str(files.path(f"{MEASURED_CELLS_FOLDER}/{frame:05d}.npy")),
        )
        for place, (frame, view) in enumerate(zip(heights.frames, heights.views, strict=True))
    ]
    return tuple(
        executor.map(write_measured_cells, tasks, label="writing measurements of each image")
    )


def _check_vertical(reconstruction: Reconstruction) -> None:
    """Refuse a view from above where nobody knows which way that is."""
    vertical = reconstruction.vertical
    if vertical is None or vertical.is_trusted:
        return
    why = f"the vertical is known to {vertical.sigma_deg:.1f} degrees only"
    if vertical.contradiction is not None:
        why = f"{vertical.contradiction} contradicts the other evidence"
    raise SurfaceError(
        f"{reconstruction.mapped[0].frame.name} and {len(reconstruction.mapped) - 1} more: "
        f"the vertical direction cannot be estimated from the images ({why}), so no "
        "orthophoto is produced; add telemetry, control points, or footage that overlaps "
        "this more"
    )


def _layers(tags: dict[str, str]) -> tuple[Layer, Layer, Layer]:
    # Overviews of all three are of the same cells: a mean would mix filled heights into measured.
    surface = Layer(
        dtype="float32",
        bands=(HEIGHT,),
        nodata=NODATA,
        unit="metre",
        overviews="nearest",
        tags=tags,
    )
    confidence = Layer(
        dtype="uint8",
        bands=("photographs that agree",),
        nodata=None,
        unit=None,
        overviews="nearest",
        tags={},
    )
    sigma = Layer(
        dtype="float32",
        bands=("standard deviation of the height",),
        nodata=NODATA,
        unit="metre",
        overviews="nearest",
        tags={},
    )
    return surface, confidence, sigma


def _elevation(
    reconstruction: Reconstruction, heights: DenseHeights, paths: Sequence[Path], share: float
) -> Elevation:
    surface, confidence, sigma = (str(path) for path in paths)
    return Elevation(
        surface=Raster(
            path=surface,
            grid=heights.grid,
            nodata=NODATA,
            vertical_datum=reconstruction.vertical_datum,
        ),
        confidence=Raster(path=confidence, grid=heights.grid, nodata=None),
        sigma=Raster(path=sigma, grid=heights.grid, nodata=NODATA),
        ground_sample_m=heights.ground_sample_m,
        measured_fraction=share,
        filled_fraction=1 - share,
    )


def _blocks(
    heights: DenseHeights, options: SurfaceOptions, executor: Executor
) -> Iterator[tuple[Block, _Done]]:
    """Blocks as large as memory allows: the more views lie over one another, the smaller."""
    side = int(np.sqrt(STACK_BYTES / (3 * max(heights.most_overlapping, 1))))
    side = max(LEAST_BLOCK_CELLS, min(options.block_cells, side) - 2 * options.fill_cells)
    blocks: Sequence[Block] = tuple(blocks_of(heights.grid, side))
    work = partial(_finish_block, heights, options.fill_cells)
    yield from zip(blocks, executor.map(work, blocks, label="building the surface"), strict=True)


def _finish_block(heights: DenseHeights, reach_cells: int, block: Block) -> _Done:
    """One block of the surface, its holes filled."""
    margin = reach_cells
    fused = fused_block(
        heights,
        grid_row=block.row - margin,
        grid_column=block.column - margin,
        rows=block.rows + 2 * margin,
        columns=block.columns + 2 * margin,
    )
    sigma = sigma_m(fused.height_m, fused.count, heights.grid.cell_m, fused.scatter_cells)
    height = _without_holes(fused, heights.base_m, reach_cells)
    inner = np.s_[margin : margin + block.rows, margin : margin + block.columns]
    return _Done(
        height_m=_stored(height[inner]), count=fused.count[inner], sigma_m=_stored(sigma[inner])
    )


def _without_holes(fused: FusedBlock, base_m: float, reach_cells: int) -> Float32Array:
    """Heights with the holes between measured cells filled: low, smooth, and not at the rim."""
    base = np.float32(base_m - 1.0)
    measured = np.isfinite(fused.height_m)
    known = np.where(measured, fused.height_m - base, 0).astype(np.float32)
    guess = fuse.filled(known, reach_cells, FILL_DIRECTIONS)
    hole = ~measured & (guess > 0)
    share = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), CALM_CELLS)
    calm = cv2.GaussianBlur(np.where(hole, guess, 0).astype(np.float32), (0, 0), CALM_CELLS)
    height = np.where(hole, calm / np.maximum(share, 1e-6) + base, fused.height_m)
    return np.asarray(height, np.float32)


def _stored(values: Float32Array) -> Float32Array:
    return np.where(np.isfinite(values), values, np.float32(NODATA)).astype(np.float32)
