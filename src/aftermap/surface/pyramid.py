"""Blocks of a picture, and which of its pixels are filled, to a COG that is hatched at every scale.

GDAL would average the lines of a hatch away in the overviews, and mix what lies beside it into its
greys. So the overviews are made here, one from the other before their hatch, and handed to the COG
driver as those of a virtual raster (GDAL, VRT driver, element ``Overview``; read 2026-11).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import rasterio
from rasterio.windows import Window

from aftermap.geo.arrays import BoolArray, ByteArray
from aftermap.geo.crs import wkt_of
from aftermap.geo.grid import Block, blocks_of
from aftermap.model.raster import Grid
from aftermap.surface.cog import CACHE_MB, TILE, BlockWriter, Layer, made_cog, open_blocks
from aftermap.surface.fill_hatch import hatched, next_overview

BLOCK_PX = 2 * TILE


class HatchWriter:
    """Takes blocks that begin on even rows and columns, in any order."""

    def __init__(self, shown: BlockWriter, half: BlockWriter, *, draped: bool) -> None:
        self._shown = shown
        self._half = half
        self._draped = draped

    def write(self, block: Block, image: ByteArray, filled: BoolArray) -> None:
        """Put (rows, columns, 4) red, green, blue, alpha where it belongs, hatched where filled.

        ``filled`` is a mask (rows, columns).
        """
        corner = block.row, block.column
        shown = hatched(image, filled, corner, draped=self._draped)
        self._shown.write(block, np.moveaxis(shown, -1, 0))
        small, still_filled = next_overview(image, filled)
        rows, columns = still_filled.shape
        self._half.write(
            Block(row=block.row // 2, column=block.column // 2, rows=rows, columns=columns),
            np.concatenate([np.moveaxis(small, -1, 0), still_filled[None].astype(np.uint8)]),
        )


@contextmanager
def open_hatched_cog(
    path: Path, grid: Grid, layer: Layer, *, draped: bool
) -> Iterator[HatchWriter]:
    """A writer whose blocks become a COG at ``path`` when the context ends without an error.

    ``layer`` has the bands red, green, blue, alpha. Beside the file it takes, while at work, about
    one and two thirds of its size.
    """
    levels = _levels(grid)
    shown = [path.with_name(f"{path.name}.level-{k}.tif") for k in range(len(levels))]
    plain = [path.with_name(f"{path.name}.plain-{k}.tif") for k in range(len(levels) + 1)]
    virtual = path.with_name(path.name + ".vrt")
    kept = replace(layer, bands=("red", "green", "blue", "opacity", "filled"))
    with rasterio.Env(GDAL_CACHEMAX=CACHE_MB, GDAL_NUM_THREADS="1"):
        try:
            with (
                open_blocks(shown[0], grid, layer) as whole,
                open_blocks(plain[1], _half(grid), kept) as half,
            ):
                yield HatchWriter(whole, half, draped=draped)
            for k in range(1, len(levels)):
                with (
                    open_blocks(shown[k], levels[k], layer) as whole,
                    open_blocks(plain[k + 1], _half(levels[k]), kept) as half,
                ):
                    _rewrite(plain[k], levels[k], HatchWriter(whole, half, draped=draped))
                plain[k].unlink()
            virtual.write_text(_virtual(grid, layer, shown), encoding="utf-8")
            made_cog(virtual, path, overviews=layer.overviews)
        finally:
            for file in (*shown, *plain, virtual):
                file.unlink(missing_ok=True)


def _rewrite(path: Path, grid: Grid, writer: HatchWriter) -> None:
    with rasterio.open(path) as raster:
        for block in blocks_of(grid, BLOCK_PX):
            bands = raster.read(window=Window(block.column, block.row, block.columns, block.rows))
            if bands[3:].any():
                image = np.ascontiguousarray(np.moveaxis(bands[:4], 0, -1))
                writer.write(block, image, bands[4] > 0)


def _levels(grid: Grid) -> list[Grid]:
    """The grid and its overviews, down to one that fits a tile."""
    levels = [grid]
    while max(levels[-1].rows, levels[-1].columns) > TILE:
        levels.append(_half(levels[-1]))
    return levels


def _half(grid: Grid) -> Grid:
    return replace(
        grid, cell_m=2 * grid.cell_m, rows=-(-grid.rows // 2), columns=-(-grid.columns // 2)
    )


def _virtual(grid: Grid, layer: Layer, levels: list[Path]) -> str:
    """The files of all levels as one raster with overviews, beside them."""
    corner = f"{grid.east_m!r}, {grid.cell_m!r}, 0, {grid.north_m!r}, 0, {-grid.cell_m!r}"
    tags = {"AREA_OR_POINT": "Area", **layer.tags}
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{number}">'
        f"<Description>{name}</Description><ColorInterp>{name.capitalize()}</ColorInterp>"
        f"<SimpleSource>{_source(levels[0], number)}</SimpleSource>"
        + "".join(f"<Overview>{_source(level, number)}</Overview>" for level in levels[1:])
        + "</VRTRasterBand>"
        for number, name in enumerate(layer.bands, 1)
    )
    return (
        f'<VRTDataset rasterXSize="{grid.columns}" rasterYSize="{grid.rows}">'
        f"<SRS>{escape(wkt_of(grid.crs))}</SRS><GeoTransform>{corner}</GeoTransform><Metadata>"
        + "".join(f'<MDI key="{key}">{escape(value)}</MDI>' for key, value in tags.items())
        + f"</Metadata>{bands}</VRTDataset>"
    )


def _source(path: Path, band: int) -> str:
    return (
        f'<SourceFilename relativeToVRT="1">{escape(path.name)}</SourceFilename>'
        f"<SourceBand>{band}</SourceBand>"
    )
