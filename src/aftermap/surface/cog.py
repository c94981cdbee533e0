"""Blocks to a cloud-optimised GeoTIFF, never holding the whole raster."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rasterio
import rasterio.shutil
from rasterio.enums import ColorInterp
from rasterio.transform import Affine
from rasterio.windows import Window

from aftermap.geo.arrays import GenericArray
from aftermap.geo.crs import wkt_of
from aftermap.geo.grid import Block
from aftermap.model.raster import Grid

TILE = 512
CACHE_MB = 64


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What a raster holds. ``overviews`` names how it is thinned: average, nearest or mode."""

    dtype: str
    bands: tuple[str, ...]
    nodata: float | None
    unit: str | None
    overviews: str
    tags: Mapping[str, str]


class BlockWriter:
    """Takes (bands, rows, columns) or (rows, columns) blocks of one layer, in any order."""

    def __init__(self, dataset: rasterio.io.DatasetWriter) -> None:
        self._dataset = dataset

    def write(self, block: Block, values: GenericArray) -> None:
        """Put one block of (rows, columns) or (bands, rows, columns) values where it belongs."""
        bands = values if values.ndim == 3 else values[None]
        window = Window(block.column, block.row, block.columns, block.rows)
        self._dataset.write(bands, window=window)


@contextmanager
def open_cog(path: Path, grid: Grid, layer: Layer) -> Iterator[BlockWriter]:
    """A writer whose blocks become a COG at ``path`` when the context ends without an error.

    DEFLATE with a predictor: every GIS reads it, and nothing is lost. At its fastest it makes files
    two per cent larger than at its best, for a quarter less time.
    """
    draft = path.with_name(path.name + ".blocks.tif")
    with rasterio.Env(GDAL_CACHEMAX=CACHE_MB, GDAL_NUM_THREADS="1"):
        try:
            with open_blocks(draft, grid, layer) as writer:
                yield writer
            made_cog(draft, path, overviews=layer.overviews)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def open_blocks(path: Path, grid: Grid, layer: Layer) -> Iterator[BlockWriter]:
    """A writer of a plain tiled GeoTIFF, without overviews: quick to write and to read again."""
    transform = Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m)
    profile = {
        "driver": "GTiff",
        "width": grid.columns,
        "height": grid.rows,
        "count": len(layer.bands),
        "dtype": layer.dtype,
        "crs": wkt_of(grid.crs),
        "transform": transform,
        "nodata": layer.nodata,
        "tiled": True,
        "blockxsize": TILE,
        "blockysize": TILE,
        "compress": "ZSTD",
        "zstd_level": 1,
        "bigtiff": "IF_SAFER",
        "sparse_ok": True,
        "interleave": "pixel",
    }
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.update_tags(AREA_OR_POINT="Area", **layer.tags)
        if layer.unit:
            dataset.units = [layer.unit] * len(layer.bands)
        dataset.descriptions = layer.bands
        if layer.bands[-1] == "alpha":
            rgb = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
            dataset.colorinterp = (*rgb, ColorInterp.alpha)
        yield BlockWriter(dataset)


def made_cog(source: Path, path: Path, *, overviews: str) -> None:
    """A COG of another raster; the overviews are its own where it has any, else made anew."""
    rasterio.shutil.copy(
        source,
        path,
        driver="COG",
        compress="DEFLATE",
        level=1,
        blocksize=TILE,
        predictor="YES",
        overview_resampling=overviews,
        overview_compress="DEFLATE",
        bigtiff="IF_SAFER",
    )
