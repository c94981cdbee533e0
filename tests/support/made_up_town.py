"""A small town whose outlines, heights and damage are known, as rasters of a map.

Houses stand on level ground with grain on it, trees beside some walls; collapsed ones are heaps.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import rasterio
from rasterio.transform import Affine
from shapely import Polygon, affinity, box

from aftermap.geo.polygon import cells_inside, polygons_of, shifted
from aftermap.model.building import Footprint, FootprintSet
from aftermap.model.media import VerticalDatum
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster

UTM = "EPSG:32637"
EAST_M, NORTH_M = 500_900.0, 3_978_400.0
CELL_M = 0.15
GROUND_M = 245.0
PITCH_M = 22.0
NODATA = -9999.0


@dataclass(frozen=True, kw_only=True)
class Town:
    """True outlines, which of them are heaps, and the map that shows them."""

    outlines: tuple[Polygon, ...]
    collapsed: tuple[bool, ...]
    elevation: Elevation
    orthophoto: Orthophoto

    def drawn(self, shifts_m: np.ndarray) -> FootprintSet:
        """The outlines as somebody draws them who is off by these shifts: minus them."""
        return FootprintSet(
            crs=UTM,
            file_name="drawn.geojson",
            file_sha256="0" * 64,
            id_field="id",
            footprints=tuple(
                Footprint(
                    source_id=f"H{i}",
                    feature=i,
                    area_m2=outline.area,
                    polygons_m=shifted(polygons_of(outline), (-shift[0], -shift[1])),
                )
                for i, (outline, shift) in enumerate(zip(self.outlines, shifts_m, strict=True))
            ),
        )


def town(folder: Path, *, across=6, collapsed=(), beyond=(), seed=1) -> Town:
    """``across`` times ``across`` houses; outlines in ``beyond`` are further true ones."""
    rng = np.random.default_rng(seed)
    size = round((across * PITCH_M + 4) / CELL_M)
    grid = Grid(crs=UTM, east_m=EAST_M, north_m=NORTH_M, cell_m=CELL_M, columns=size, rows=size)
    houses = [
        house(EAST_M + 4 + PITCH_M * (i % across), NORTH_M - PITCH_M * (i // across + 1), rng)
        for i in range(across * across)
    ]
    outlines = (*houses, *beyond)
    fallen = tuple(i in collapsed for i in range(len(outlines)))
    height = rng.normal(0, 0.05, (size, size)).astype(np.float32)
    grey = rng.normal(120, 8, (size, size)).astype(np.float32)
    for outline, is_heap in zip(outlines, fallen, strict=True):
        inside = cells_inside(outline, grid)
        if is_heap:
            heap = cv2.GaussianBlur(rng.normal(0, 1, (size, size)), (0, 0), 1.0 / CELL_M)
            soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 2.0 / CELL_M)
            height += (soft * (0.6 + 6 * heap)).astype(np.float32)
        else:
            height[inside] = rng.uniform(4, 12) + rng.normal(0, 0.05, int(inside.sum()))
            grey[inside] += rng.uniform(-50, 50)
            _plant_tree(height, outline, grid, rng)
    height = cv2.GaussianBlur(height, (0, 0), 0.2 / CELL_M) + np.float32(GROUND_M)
    return Town(
        outlines=outlines,
        collapsed=fallen,
        elevation=_elevation(folder, height, grid),
        orthophoto=_orthophoto(folder, grey, grid),
    )


def house(east, north, rng) -> Polygon:
    """An L of 10 to 13 m, a little turned; the lower left of its plot is given."""
    a, b = rng.uniform(10, 13, 2)
    plan = box(0, 0, a, b).difference(box(a - 4, b - 3, a, b))
    turned = affinity.rotate(plan, rng.uniform(-8, 8))
    return affinity.translate(turned, east, north)


def raster_of(path: Path, bands: np.ndarray, grid: Grid, nodata=None) -> Raster:
    """(bands, rows, columns) written as a plain GeoTIFF."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=grid.rows,
        width=grid.columns,
        count=len(bands),
        dtype=bands.dtype,
        crs=grid.crs,
        nodata=nodata,
        transform=Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m),
    ) as file:
        file.write(bands)
    return Raster(path=str(path), grid=grid, nodata=nodata, vertical_datum=VerticalDatum.GEOID)


def _plant_tree(height, outline, grid, rng) -> None:
    """A crown beside a wall, as high as many houses, which hides the step there."""
    if rng.random() < 0.5:
        return
    x, y = outline.exterior.interpolate(rng.uniform(0, 1), normalized=True).coords[0]
    column, row = (x - grid.east_m) / CELL_M, (grid.north_m - y) / CELL_M
    rows, columns = np.mgrid[: grid.rows, : grid.columns]
    away = np.hypot(rows - row, columns - column) * CELL_M
    crown = 6 * np.sqrt(np.clip(1 - (away / 2.2) ** 2, 0, None))
    np.maximum(height, crown.astype(np.float32), out=height)


def _elevation(folder: Path, height: np.ndarray, grid: Grid) -> Elevation:
    surface = raster_of(folder / "surface.tif", height[None], grid, NODATA)
    confidence = raster_of(
        folder / "confidence.tif", np.full((1, *height.shape), 6, np.uint8), grid
    )
    return Elevation(
        surface=surface,
        confidence=confidence,
        ground_sample_m=0.05,
        measured_fraction=1.0,
        filled_fraction=0.0,
    )


def _orthophoto(folder: Path, grey: np.ndarray, grid: Grid) -> Orthophoto:
    band = np.clip(grey, 1, 255).astype(np.uint8)
    image = raster_of(
        folder / "orthophoto.tif", np.stack([band, band, band, np.full_like(band, 255)]), grid
    )
    source = raster_of(folder / "source.tif", np.zeros((1, *band.shape), np.uint16), grid, 65535)
    return Orthophoto(image=image, source=source, gains=(1.0,), covered_fraction=1.0)
