"""A straight street between two rows of houses on sloping ground, written as rasters."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from aftermap.geo.grid import cell_centres_m
from aftermap.model.building import Alignment, Building, Buildings, Footprint, ShiftSource
from aftermap.model.media import VerticalDatum
from aftermap.model.raster import Elevation, Grid, Raster
from aftermap.model.street import Street, StreetSet

CRS = "EPSG:32637"
EAST_M, NORTH_M = 500_000.0, 3_970_000.0
LENGTH_M, STREET_M = 60.0, 8.0
GRID = Grid(crs=CRS, east_m=EAST_M - 5, north_m=NORTH_M + 15, cell_m=0.1, columns=700, rows=300)


def ground_and_places():
    """(rows, columns) bare ground that rises by 4 % along the street, and places from its start."""
    east, north = cell_centres_m(GRID)
    x, y = np.meshgrid(east - EAST_M, north - NORTH_M)
    return (200 + 0.04 * x).astype(np.float32), x, y


def houses() -> Buildings:
    """Two rows, north and south of the street, whose fronts are 8 m apart."""
    made = []
    for number, (low, high) in enumerate(((4.0, 14.0), (-14.0, -4.0))):
        ring = tuple(
            (EAST_M + x, NORTH_M + y)
            for x, y in ((0, low), (LENGTH_M, low), (LENGTH_M, high), (0, high), (0, low))
        )
        footprint = Footprint(
            source_id=f"row-{number}", feature=number, polygons_m=((ring,),), area_m2=600.0
        )
        still = Alignment(shift_m=(0, 0), sigma_m=0.1, residual_m=None, source=ShiftSource.NONE)
        made.append(Building(footprint=footprint, alignment=still, polygons_m=footprint.polygons_m))
    return Buildings(crs=CRS, buildings=tuple(made))


def lines(*, beside_m: float = 0.0, width_m: float | None = None) -> StreetSet:
    """One line along the street, drawn so far off its middle."""
    line = ((EAST_M, NORTH_M + beside_m), (EAST_M + LENGTH_M, NORTH_M + beside_m))
    street = Street(source_id="way/1", feature=0, lines_m=(line,), name="Mill", width_m=width_m)
    return StreetSet(
        crs=CRS, file_name="s.geojson", file_sha256="0" * 64, id_field="id", streets=(street,)
    )


def elevation(folder: Path, height_m, measured=None) -> Elevation:
    """The surface as files; ``measured`` False where no picture agrees."""
    _, _, y = ground_and_places()
    built = np.where(np.abs(y) > 4, height_m + 6, height_m)
    noise = np.random.default_rng(5).normal(0, 0.02, built.shape)
    counts = np.full(built.shape, 5, np.uint8)
    if measured is not None:
        counts[~measured] = 0
    return Elevation(
        surface=_raster(folder / "surface.tif", (built + noise).astype(np.float32), -9999.0),
        confidence=_raster(folder / "confidence.tif", counts, None),
        ground_sample_m=0.03,
        measured_fraction=1.0,
        filled_fraction=0.0,
    )


def _raster(path: Path, values, nodata) -> Raster:
    path.parent.mkdir(parents=True, exist_ok=True)
    transform = Affine(GRID.cell_m, 0, GRID.east_m, 0, -GRID.cell_m, GRID.north_m)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=GRID.columns,
        height=GRID.rows,
        count=1,
        crs=CRS,
        dtype=values.dtype,
        nodata=nodata,
        transform=transform,
    ) as file:
        file.write(values, 1)
    datum = VerticalDatum.ELLIPSOID if nodata is not None else None
    return Raster(path=str(path), grid=GRID, nodata=nodata, vertical_datum=datum)
