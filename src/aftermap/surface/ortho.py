"""Placed pictures and the surface to the true orthophoto and, per pixel, the picture it came from.

Every picture is looked at coarsely (what it sees of the ground, in which colours); brightness is
balanced over all of them; cells are given to pictures so that the cuts hide; then the pixels are
rendered block by block, each from a picture that sees it.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from aftermap.errors import SurfaceError
from aftermap.geo.arrays import Uint16Array
from aftermap.geo.grid import Block, blocks_of
from aftermap.model.camera import Reconstruction
from aftermap.model.raster import Elevation, Orthophoto, Raster
from aftermap.model.runs import Executor, Workspace
from aftermap.surface import balance, seams
from aftermap.surface.cog import Layer, open_cog
from aftermap.surface.drawn_outline import write_outline
from aftermap.surface.mosaic_grid import Sheet, mosaic_pictures, raster_window, sheet_of
from aftermap.surface.options import SurfaceOptions
from aftermap.surface.pyramid import open_hatched_cog
from aftermap.surface.render import Laying, blocks_in_order, render_block
from aftermap.surface.seams import NO_PICTURE
from aftermap.surface.thumbnail_pass import (
    FOLDER,
    CoarseView,
    CoarseViewTask,
    coarse_view_at,
    mean_heights,
)

FILLED_TAG = "AFTERMAP_FILLED"
REGION_CELLS = 512
READ_CELLS = 2048
RIM_CELLS = 32
IMAGE = Layer(
    dtype="uint8",
    bands=("red", "green", "blue", "alpha"),
    nodata=None,
    unit=None,
    overviews="average",
    tags={},
)
SOURCE = Layer(
    dtype="uint16",
    bands=("frame of cameras.json",),
    nodata=NO_PICTURE,
    unit=None,
    overviews="nearest",
    tags={},
)


def orthophoto_of(
    reconstruction: Reconstruction,
    elevation: Elevation,
    options: SurfaceOptions,
    files: Workspace,
    executor: Executor,
) -> Orthophoto:
    """Write ``orthophoto.tif`` and ``source.tif`` at the pictures' ground sample distance.

    Ground whose height was filled is hatched; ``gaps.tif`` keeps what pictures show of small gaps.
    Alpha is 0 where there is no surface, and where it was measured but no picture sees it. Raises
    SurfaceError where no picture shows any of it.
    """
    sheet = sheet_of(reconstruction, elevation, draped=options.draw_filled)
    pictures = mosaic_pictures(reconstruction, sheet, elevation.sights)
    tasks = [CoarseViewTask(sheet=sheet, picture=picture, files=files) for picture in pictures]
    coarse_views = tuple(executor.map(coarse_view_at, tasks, label="reading images"))
    if not coarse_views:
        raise SurfaceError(
            "no aligned image shows the measured surface, so no orthophoto can be produced; "
            "check the positions of the images, or run again with --fresh"
        )
    laying = _laying(sheet, coarse_views, len(reconstruction.cameras), files)
    paths = [files.path(name) for name in ("orthophoto.tif", "source.tif", "gaps.tif")]
    shown = _write_rasters(laying, _frame_numbers(reconstruction, coarse_views), paths, executor)
    shutil.rmtree(files.path(FOLDER), ignore_errors=True)
    gains = np.ones(len(reconstruction.mapped))
    means = np.exp(np.log(laying.exposure.gains).mean(axis=1))
    gains[[view.picture.index for view in coarse_views]] = means
    return Orthophoto(
        image=Raster(path=str(paths[0]), grid=sheet.pixels, nodata=None),
        source=Raster(path=str(paths[1]), grid=sheet.pixels, nodata=NO_PICTURE),
        gaps=Raster(path=str(paths[2]), grid=sheet.pixels, nodata=None),
        gains=tuple(gains.tolist()),
        covered_fraction=shown * sheet.pixels.cell_m**2 / _area_with_heights(sheet),
    )


def _write_rasters(
    laying: Laying, frames: Uint16Array, paths: Sequence[Path], executor: Executor
) -> int:
    """Render every block into image, source and gaps; how many pixels show measured ground.

    ``frames`` holds the frame of each coarse view.
    """
    sheet, shown = laying.sheet, 0
    blocks = tuple(blocks_in_order(sheet.pixels, sheet.cell_px))
    image_path, source_path, gaps_path = paths
    layer = _image_layer(sheet)
    with (
        open_hatched_cog(image_path, sheet.pixels, layer, draped=sheet.draped) as image_out,
        open_cog(source_path, sheet.pixels, SOURCE) as source_out,
        open_cog(gaps_path, sheet.pixels, IMAGE) as gaps_out,
    ):
        done = executor.map(partial(render_block, laying), blocks, label="rendering")
        for block, part in zip(blocks, done, strict=True):
            image_out.write(block, part.image, part.filled)
            source_out.write(block, frames[part.source])
            gaps_out.write(block, np.moveaxis(part.through_gaps, -1, 0))
            shown += part.shown
    return shown


def _area_with_heights(sheet: Sheet) -> float:
    """Square metres of cells that have a height, measured or filled."""
    known = sum(
        int(np.isfinite(raster_window(sheet.surface, block)).sum())
        for block in blocks_of(sheet.surface.grid, READ_CELLS)
    )
    return max(known, 1) * sheet.surface.grid.cell_m**2


def _image_layer(sheet: Sheet) -> Layer:
    return replace(IMAGE, tags={FILLED_TAG: "draped" if sheet.draped else "hatched"})


def _laying(
    sheet: Sheet, coarse_views: tuple[CoarseView, ...], cameras: int, files: Workspace
) -> Laying:
    """Balance the pictures and choose between them; the answers go to files for the workers."""
    exposure = balance.exposure_of(
        balance.colour_samples(coarse_views, sheet.cells), len(coarse_views), cameras
    )
    target = balance.TargetTones(coarse_views, exposure)
    regions = tuple(blocks_of(sheet.cells, REGION_CELLS))
    for region in regions:
        target.add(region)
    tones = target.tones()
    labels = np.full((sheet.cells.rows, sheet.cells.columns), NO_PICTURE, np.uint16)
    for region in regions:
        _choose(sheet, coarse_views, exposure, tones, region, labels)
    labels_path = files.path(f"{FOLDER}/labels.npy")
    np.save(labels_path, labels)
    outline_path = files.path(f"{FOLDER}/outline.npy")
    write_outline(sheet, coarse_views, outline_path)
    tone_paths = []
    for coarse_view, tone in zip(coarse_views, tones, strict=True):
        path = files.path(f"{FOLDER}/tone-{coarse_view.picture.index:05d}.npy")
        np.save(path, tone.factor)
        tone_paths.append(str(path))
    return Laying(
        sheet=sheet,
        coarse_views=coarse_views,
        exposure=exposure,
        tones=tuple(tone_paths),
        labels=str(labels_path),
        outline=str(outline_path),
    )


def _choose(
    sheet: Sheet,
    coarse_views: Sequence[CoarseView],
    exposure: balance.Exposure,
    tones: Sequence[balance.Tone],
    region: Block,
    labels: Uint16Array,
) -> None:
    """Choose for the cells of a region, with a rim around it so that its border is no cut."""
    top, left = max(region.row - RIM_CELLS, 0), max(region.column - RIM_CELLS, 0)
    bottom = min(region.row + region.rows + RIM_CELLS, sheet.cells.rows)
    right = min(region.column + region.columns + RIM_CELLS, sheet.cells.columns)
    around = Block(row=top, column=left, rows=bottom - top, columns=right - left)
    raised = seams.raised_above(mean_heights(sheet, around) / np.float32(sheet.cells.cell_m))
    choice = seams.candidates(coarse_views, exposure, tones, around, raised)
    found = seams.choose_pictures(choice, labels[top:bottom, left:right])
    rows = slice(region.row, region.row + region.rows)
    columns = slice(region.column, region.column + region.columns)
    labels[rows, columns] = found[
        region.row - top : region.row - top + region.rows,
        region.column - left : region.column - left + region.columns,
    ]


def _frame_numbers(
    reconstruction: Reconstruction, coarse_views: Sequence[CoarseView]
) -> Uint16Array:
    """For every coarse view and NO_PICTURE what source.tif calls it: the place in ``placed``."""
    mapped = [
        at
        for at, placed in enumerate(reconstruction.placed)
        if reconstruction.why_not_mapped(placed) is None
    ]
    numbers = np.full(NO_PICTURE + 1, NO_PICTURE, np.uint16)
    numbers[: len(coarse_views)] = [mapped[g.picture.index] for g in coarse_views]
    return numbers
