"""Matched pairs to the surface and its confidence: fused and filled block by block.

Cells that nobody measured are filled and carry a confidence of 0: where at least two photographs
show the ground, all of them; where only one does, those within reach of a measured cell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aftermap.geo.grid import Block, blocks_of, rowcol_of, window_of
from aftermap.model.camera import Reconstruction
from aftermap.model.raster import Elevation, Grid, Raster
from aftermap.model.runs import Executor, Workspace
from aftermap.surface import backdrop, fuse
from aftermap.surface.blocks import fused_block, with_coarse
from aftermap.surface.cog import Layer, cog_written
from aftermap.surface.dense import dense_heights, remove_pairs
from aftermap.surface.extent import ground_outline_m
from aftermap.surface.heights import DenseHeights
from aftermap.surface.options import SurfaceOptions

NODATA = -9999.0
VERTICAL_DATUM_TAG = "AFTERMAP_VERTICAL_DATUM"


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What every block needs: the pairs, who sees which ground, and how far to fill."""

    heights: DenseHeights
    coarse: DenseHeights
    outlines: tuple[npt.NDArray[np.float64], ...]
    ground_m: npt.NDArray[np.float32]
    ground_grid: Grid
    reach_cells: int


@dataclass(frozen=True, kw_only=True)
class _Done:
    height_m: npt.NDArray[np.float32]
    count: npt.NDArray[np.uint8]
    wanted: int
    measured: int


def surface_of(
    reconstruction: Reconstruction,
    options: SurfaceOptions,
    files: Workspace,
    executor: Executor,
) -> Elevation:
    """Measure the surface of the mapped group and write ``surface.tif`` and ``confidence.tif``.

    Heights are in the reconstruction's vertical datum, named in the tag AFTERMAP_VERTICAL_DATUM.
    Raises SurfaceError where nothing can be measured.
    """
    heights, coarse, relief = dense_heights(reconstruction, options, files, executor)
    work = _Work(
        heights=heights,
        coarse=coarse,
        outlines=tuple(ground_outline_m(reconstruction, p) for p in reconstruction.mapped),
        ground_m=backdrop.backdrop_of(relief.ground_m),
        ground_grid=relief.grid,
        reach_cells=options.fill_cells,
    )
    tags = {VERTICAL_DATUM_TAG: reconstruction.vertical_datum.value}
    surface = Layer(
        dtype="float32", bands=("height",), nodata=NODATA, unit="metre", overviews="average",
        tags=tags,
    )  # fmt: skip
    confidence = Layer(
        dtype="uint8", bands=("photographs that agree",), nodata=None, unit=None,
        overviews="nearest", tags={},
    )  # fmt: skip
    surface_path, confidence_path = files.path("surface.tif"), files.path("confidence.tif")
    wanted = measured = 0
    with (
        cog_written(surface_path, heights.grid, surface) as surface_out,
        cog_written(confidence_path, heights.grid, confidence) as confidence_out,
    ):
        for block, done in _blocks(work, options, executor):
            surface_out.write(block, done.height_m)
            confidence_out.write(block, done.count)
            wanted += done.wanted
            measured += done.measured
    remove_pairs(files)
    return _elevation(reconstruction, heights, (surface_path, confidence_path), measured, wanted)


def _elevation(
    reconstruction: Reconstruction,
    heights: DenseHeights,
    paths: tuple[Path, Path],
    measured: int,
    wanted: int,
) -> Elevation:
    share = measured / max(wanted, 1)
    return Elevation(
        surface=Raster(
            path=str(paths[0]), grid=heights.grid, nodata=NODATA,
            vertical_datum=reconstruction.vertical_datum,
        ),
        confidence=Raster(path=str(paths[1]), grid=heights.grid, nodata=None),
        ground_sample_m=heights.ground_sample_m,
        measured_fraction=share,
        filled_fraction=1 - share,
    )  # fmt: skip


def _blocks(
    work: _Work, options: SurfaceOptions, executor: Executor
) -> Iterator[tuple[Block, _Done]]:
    blocks: Sequence[Block] = tuple(blocks_of(work.heights.grid, options.block_cells))
    done = executor.map(partial(_finished, work), blocks, label="building the surface")
    yield from zip(blocks, done, strict=True)


def _finished(work: _Work, block: Block) -> _Done:
    """One block of the surface, filled, with the cells that are wanted and those measured."""
    margin = work.reach_cells
    heights = work.heights
    grid = window_of(heights.grid, block, margin=margin)
    fused = fused_block(
        heights, grid_row=block.row - margin, grid_column=block.column - margin,
        rows=grid.rows, columns=grid.columns,
    )  # fmt: skip
    fused = with_coarse(fused, work.coarse, grid)
    seen = photographs_seeing(grid, work.outlines)
    measured = np.isfinite(fused.height_m)
    base = np.float32(heights.base_m - 1.0)
    known = np.where(measured, fused.height_m - base, 0).astype(np.float32)
    near = fuse.filled(known, work.reach_cells)
    ground = backdrop.sampled(work.ground_m, work.ground_grid, grid)
    height = np.where(near > 0, near + base, ground)
    wanted = measured | (seen >= 2) | ((seen == 1) & (near > 0))
    height = np.where(wanted, height, np.float32(NODATA)).astype(np.float32)
    inner = np.s_[margin : margin + block.rows, margin : margin + block.columns]
    return _Done(
        height_m=height[inner], count=fused.count[inner],
        wanted=int(wanted[inner].sum()), measured=int(measured[inner].sum()),
    )  # fmt: skip


def photographs_seeing(
    grid: Grid, outlines: Sequence[npt.NDArray[np.float64]]
) -> npt.NDArray[np.uint8]:
    """(rows, columns) how many pictures' ground outlines hold the cell, 255 at most."""
    seen: npt.NDArray[np.uint8] = np.zeros((grid.rows, grid.columns), np.uint8)
    one = np.zeros_like(seen)
    for outline in outlines:
        corners = np.round(rowcol_of(grid, outline)[:, ::-1]).astype(np.int64)
        low, high = corners.min(axis=0), corners.max(axis=0)
        if high[0] < 0 or high[1] < 0 or low[0] > grid.columns or low[1] > grid.rows:
            continue
        one[:] = 0
        cv2.fillPoly(one, [corners.clip(-(2**20), 2**20).astype(np.int32)], (1,))
        seen = np.asarray(cv2.add(seen, one), np.uint8)
    return seen
