"""The grids that an orthophoto is made on: its pixels, and coarser cells to decide things on.

All share one upper left corner. A cell is a square of whole pixels, small enough to follow a kerb,
large enough that a picture is a few hundred cells long; a node is a square of whole cells, on which
smooth things such as brightness are kept.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from aftermap.geo.arrays import Float32Array
from aftermap.geo.grid import Block, rowcol_of
from aftermap.model.camera import Camera, CameraPose, PlacedFrame, Reconstruction
from aftermap.model.raster import Elevation, Grid, MeasuredCells, Raster
from aftermap.surface.extent import ground_outline_m

CELLS_PER_PICTURE = 200
CELL_PX = (4, 16)
NODE_CELLS = 4
READING_CACHE_MB = 96


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The surface that pictures are laid on, and the grids of the orthophoto.

    ``confidence`` says how many photographs agree on a height, 0 where it was filled. Such cells
    show pictures only where ``draped``, and never without the hatch.
    """

    surface: Raster
    confidence: Raster
    pixels: Grid
    cells: Grid
    cell_px: int
    draped: bool = False

    @property
    def surface_per_cell(self) -> float:
        """How many cells of the surface raster go into the side of one cell."""
        return self.cells.cell_m / self.surface.grid.cell_m


@dataclass(frozen=True, kw_only=True)
class MosaicPicture:
    """A mapped frame as the orthophoto uses it.

    ``index`` counts the mapped frames, ``window`` are the cells that it may show, ``mask`` is a
    grey picture, 0 where something lies over the scene; ``sight`` the cells that it measured
    itself.
    """

    index: int
    name: str
    path: str
    camera: Camera
    camera_index: int
    pose: CameraPose
    window: Block
    mask: str | None = None
    sight: MeasuredCells | None = None


def sheet_of(
    reconstruction: Reconstruction, elevation: Elevation, *, draped: bool = False
) -> Sheet:
    """Pixels of the ground sample distance over the extent of the surface, and cells over them."""
    ground = elevation.surface.grid
    longest = float(
        np.median([max(p.frame.width_px, p.frame.height_px) for p in reconstruction.mapped])
    )
    cell_px = int(np.clip(round(longest / CELLS_PER_PICTURE), *CELL_PX))
    return Sheet(
        surface=elevation.surface,
        confidence=elevation.confidence,
        pixels=_covering(ground, elevation.ground_sample_m),
        cells=_covering(ground, elevation.ground_sample_m * cell_px),
        cell_px=cell_px,
        draped=draped,
    )


def mosaic_pictures(
    reconstruction: Reconstruction, sheet: Sheet, sights: Sequence[MeasuredCells] = ()
) -> tuple[MosaicPicture, ...]:
    """The mapped frames that show any of the sheet."""
    measured = {sight.frame: sight for sight in sights}
    pictures = []
    for index, placed in enumerate(reconstruction.mapped):
        window = _window_shown(reconstruction, placed, sheet, measured.get(index))
        if window.rows > 0 and window.columns > 0:
            picture = MosaicPicture(
                index=index,
                name=placed.frame.name,
                path=placed.frame.path,
                window=window,
                mask=placed.frame.mask,
                sight=measured.get(index),
                camera=reconstruction.cameras[placed.camera],
                camera_index=placed.camera,
                pose=placed.pose,
            )
            pictures.append(picture)
    return tuple(pictures)


def raster_window(raster: Raster, window: Block) -> Float32Array:
    """(rows, columns) values of a window of a raster, NaN beyond it and where it has none."""
    inside = _clipped(raster.grid, window)
    values = np.full((window.rows, window.columns), np.nan, np.float32)
    if inside.rows and inside.columns:
        path = Path(raster.path)
        with rasterio.Env(GDAL_CACHEMAX=READING_CACHE_MB):
            part = _open_raster(raster.path, path.stat().st_mtime_ns).read(
                1, window=Window(inside.column, inside.row, inside.columns, inside.rows)
            )
        part = np.asarray(part, np.float32)
        if raster.nodata is not None:
            part[part == raster.nodata] = np.nan
        top, left = inside.row - window.row, inside.column - window.column
        values[top : top + inside.rows, left : left + inside.columns] = part
    return values


def surface_under(sheet: Sheet, window: Block, *, margin: int = 0) -> Block:
    """The window of the surface raster under a window of cells; it may reach beyond the raster."""
    ratio = sheet.surface_per_cell
    top, left = math.floor(window.row * ratio) - margin, math.floor(window.column * ratio) - margin
    bottom = math.ceil((window.row + window.rows) * ratio) + margin
    right = math.ceil((window.column + window.columns) * ratio) + margin
    return Block(row=top, column=left, rows=bottom - top, columns=right - left)


def measured_window(sight: MeasuredCells) -> Block:
    """The part of the surface raster that a picture's heights lie over."""
    row, column, rows, columns = sight.window
    return Block(row=row, column=column, rows=rows, columns=columns)


def overlap(one: Block, other: Block) -> Block | None:
    """The window that two windows share, if there is one."""
    top, left = max(one.row, other.row), max(one.column, other.column)
    bottom = min(one.row + one.rows, other.row + other.rows)
    right = min(one.column + one.columns, other.column + other.columns)
    if bottom <= top or right <= left:
        return None
    return Block(row=top, column=left, rows=bottom - top, columns=right - left)


def within(part: Block, whole: Block) -> tuple[slice, slice]:
    """The slices that cut a window out of an array of another window."""
    top, left = part.row - whole.row, part.column - whole.column
    return slice(top, top + part.rows), slice(left, left + part.columns)


@functools.lru_cache(maxsize=2)
def _open_raster(path: str, _changed_ns: int) -> rasterio.io.DatasetReader:
    """A raster kept open, so that neighbouring windows find its tiles already unpacked."""
    return rasterio.open(path)


def _window_shown(
    reconstruction: Reconstruction, placed: PlacedFrame, sheet: Sheet, sight: MeasuredCells | None
) -> Block:
    """Cells in the box of a picture's outline on its lowest ground and of what it measured.

    With a little room.
    """
    low = replace(placed, ground_m=(placed.ground_m[0], placed.ground_m[0]))
    rowcol = rowcol_of(sheet.cells, ground_outline_m(reconstruction, low))
    own = None if sight is None else measured_window(sight)
    if own is not None and own.rows and own.columns:
        corners = [[own.row, own.column], [own.row + own.rows, own.column + own.columns]]
        rowcol = np.concatenate([rowcol, np.array(corners) / sheet.surface_per_cell])
    room = 0.03 * (rowcol.max(axis=0) - rowcol.min(axis=0)) + 1
    top, left = np.floor(rowcol.min(axis=0) - room).astype(int).tolist()
    bottom, right = np.ceil(rowcol.max(axis=0) + room).astype(int).tolist()
    whole = Block(row=top, column=left, rows=bottom - top, columns=right - left)
    return _clipped(sheet.cells, whole)


def _clipped(grid: Grid, window: Block) -> Block:
    whole = Block(row=0, column=0, rows=grid.rows, columns=grid.columns)
    return overlap(window, whole) or Block(row=0, column=0, rows=0, columns=0)


def _covering(ground: Grid, cell_m: float) -> Grid:
    return Grid(
        crs=ground.crs,
        east_m=ground.east_m,
        north_m=ground.north_m,
        cell_m=cell_m,
        columns=max(1, math.ceil(ground.columns * ground.cell_m / cell_m - 1e-6)),
        rows=max(1, math.ceil(ground.rows * ground.cell_m / cell_m - 1e-6)),
    )
