"""Roofs of known height and damage on level ground, as the rasters of a map."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import rasterio
from in_process import InProcess
from shapely import box

from aftermap.assessment.measure import measure_buildings
from aftermap.geo.polygon import polygons_of
from aftermap.model.assessment import Visibility
from aftermap.model.building import Alignment, Building, Buildings, Footprint, ShiftSource
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster
from aftermap.record.workspace import StageFolder

CRS = "EPSG:32637"
WEST, NORTH, CELL = 500_000.0, 4_000_000.0, 0.1
SIDE = 600


def outline(west, south, east, north):
    """A building over these metres from the south-west corner of the map."""
    shape = box(WEST + west, NORTH - SIDE * CELL + south, WEST + east, NORTH - SIDE * CELL + north)
    footprint = Footprint(
        source_id=f"{west}-{south}", feature=0, polygons_m=polygons_of(shape), area_m2=shape.area
    )
    alignment = Alignment(shift_m=(0, 0), sigma_m=0.1, residual_m=0.1, source=ShiftSource.OWN)
    return Building(footprint=footprint, alignment=alignment, polygons_m=footprint.polygons_m)


def raster(path: Path, bands, nodata=None):
    bands = np.asarray(bands)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(bands),
        height=bands.shape[1],
        width=bands.shape[2],
        dtype=bands.dtype,
        nodata=nodata,
        crs=CRS,
        transform=rasterio.Affine(CELL, 0, WEST, 0, -CELL, NORTH),
    ) as file:
        file.write(bands)
    grid = Grid(
        crs=CRS,
        east_m=WEST,
        north_m=NORTH,
        cell_m=CELL,
        columns=bands.shape[2],
        rows=bands.shape[1],
    )
    return Raster(path=str(path), grid=grid, nodata=nodata)


class Scene:
    """Level ground at 100 m on which roofs are put; the picture is plain with a little noise."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)
        self.height = np.full((SIDE, SIDE), 100.0, np.float32)
        self.count = np.full((SIDE, SIDE), 4, np.uint8)
        self.light = np.full((SIDE, SIDE), 150.0)

    def cut(self, west, south, east, north):
        top = SIDE - round(north / CELL)
        return np.s_[top : SIDE - round(south / CELL), round(west / CELL) : round(east / CELL)]

    def written(self, folder: Path) -> tuple[Elevation, Orthophoto]:
        height = self.height + self.rng.normal(0, 0.02, self.height.shape).astype(np.float32)
        light = np.clip(self.light + self.rng.normal(0, 2, self.light.shape), 0, 255)
        grey = light.astype(np.uint8)
        picture = np.stack([grey, grey, grey, np.full_like(grey, 255)])
        return (
            Elevation(
                surface=raster(folder / "surface.tif", [height], -9999.0),
                confidence=raster(folder / "confidence.tif", [self.count]),
                ground_sample_m=0.1,
                measured_fraction=1.0,
                filled_fraction=0.0,
            ),
            Orthophoto(
                image=raster(folder / "orthophoto.tif", picture),
                source=raster(folder / "source.tif", [np.zeros((SIDE, SIDE), np.uint16)]),
                gains=(),
                covered_fraction=1.0,
            ),
        )


def values(scene: Scene, buildings, folder: Path, before=None):
    elevation, picture = scene.written(folder)
    made = Buildings(crs=CRS, buildings=tuple(buildings))
    table = measure_buildings(
        made, elevation, picture, before, StageFolder(folder=folder), InProcess()
    )
    return made, table, pq.read_table(table.path).to_pylist()


def seen(count: int, **facts):
    given = {
        "roof_fraction": 1.0,
        "views": 3,
        "facades": 0,
        "ground_sample_m": 0.1,
        "surface_photographs": 4.0,
    } | facts
    return [Visibility(**given)] * count
