"""25,000 buildings and 10,000 photographs, made up: what finding their views costs.

    python -m benchmarks.building_views FOLDER

A square town of 5 km (Raqqa's number of buildings), flown over at 120 m with 20 or more photographs
of each building. Writes the surface to FOLDER once (0.5 m cells). Prints CPU seconds and memory.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import rasterio
from rasterio.transform import Affine

from aftermap.buildings.view_quality import visibility_of
from aftermap.buildings.views import building_views
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.model.building import Alignment, Building, Buildings, Footprint, ShiftSource
from aftermap.model.camera import Camera, CameraPose, Frame, PlacedFrame, Reconstruction
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.raster import Elevation, Grid, Raster
from aftermap.record.workspace import StageFolder

Item = TypeVar("Item")
Result = TypeVar("Result")

CRS = "EPSG:32637"
EAST_M, NORTH_M, SIDE_M, CELL_M = 500_000.0, 3_978_000.0, 5000.0, 0.5
PER_SIDE, FLYING_M, APART_M = 158, 120.0, 50.0


class Here:
    """Works in this process, so that its CPU time is all of it."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item], *, label: str
    ) -> Iterator[Result]:
        """One after the other."""
        print(f"  {len(items)} pieces of {label}")
        return map(work, items)


def main(folder: Path) -> None:
    """Make the town, find the views, print what it took."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(4)
    sizes = chance.uniform([9, 8, 3], [17, 15, 18], (PER_SIDE**2, 3))
    buildings, elevation = _buildings(sizes), _elevation(folder, sizes)
    cameras = _cameras(chance)
    started = time.process_time()
    views = building_views(buildings, cameras, elevation, StageFolder(folder=folder), Here())
    found = time.process_time()
    seen = visibility_of(buildings, views, elevation, StageFolder(folder=folder), Here())
    print(
        f"{len(buildings.buildings):,} buildings, {len(cameras.placed):,} photographs: "
        f"{views.views:,} views kept in {found - started:.0f} s of CPU; visibility "
        f"{time.process_time() - found:.0f} s; {sum(one.views == 0 for one in seen)} not seen; "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


def _corners(i: int, sizes: np.ndarray) -> tuple[float, float, float, float]:
    step = SIDE_M / PER_SIDE
    west, south = (i % PER_SIDE + 0.2) * step, (i // PER_SIDE + 0.2) * step
    return west, south, west + sizes[i, 0], south + sizes[i, 1]


def _buildings(sizes: np.ndarray) -> Buildings:
    made = []
    for i in range(len(sizes)):
        w, s, e, n = _corners(i, sizes) + np.array([EAST_M, NORTH_M, EAST_M, NORTH_M])
        outline = (((w, s), (e, s), (e, n), (w, n), (w, s)),)
        footprint = Footprint(
            source_id=f"b{i}", feature=i, polygons_m=(outline,), area_m2=(e - w) * (n - s)
        )
        moved = Alignment(shift_m=(0.0, 0.0), sigma_m=0.3, residual_m=None, source=ShiftSource.NONE)
        made.append(Building(footprint=footprint, alignment=moved, polygons_m=(outline,)))
    return Buildings(crs=CRS, buildings=tuple(made))


def _elevation(folder: Path, sizes: np.ndarray) -> Elevation:
    count = round(SIDE_M / CELL_M)
    grid = Grid(
        crs=CRS, east_m=EAST_M, north_m=NORTH_M + SIDE_M, cell_m=CELL_M, columns=count, rows=count
    )
    surface, confidence = folder / "surface.tif", folder / "confidence.tif"
    if not confidence.exists():
        heights = np.full((count, count), 250, np.float32)
        for i in range(len(sizes)):
            w, s, e, n = (np.array(_corners(i, sizes)) / CELL_M).round().astype(int)
            heights[count - n : count - s, w:e] += np.float32(sizes[i, 2])
        place = Affine(CELL_M, 0, EAST_M, 0, -CELL_M, NORTH_M + SIDE_M)
        profile = {
            "driver": "GTiff",
            "width": count,
            "height": count,
            "count": 1,
            "crs": CRS,
            "transform": place,
            "tiled": True,
            "compress": "ZSTD",
        }
        with rasterio.open(surface, "w", dtype="float32", nodata=-9999, **profile) as file:
            file.write(heights, 1)
        with rasterio.open(confidence, "w", dtype="uint16", **profile) as file:
            file.write(np.full_like(heights, 5, np.uint16), 1)
    datum = VerticalDatum.ELLIPSOID
    return Elevation(
        surface=Raster(path=str(surface), grid=grid, nodata=-9999.0, vertical_datum=datum),
        confidence=Raster(path=str(confidence), grid=grid, nodata=None),
        ground_sample_m=0.04,
        measured_fraction=1.0,
        filled_fraction=0.0,
    )


def _cameras(chance: np.random.Generator) -> Reconstruction:
    lens = Camera(
        model="OPENCV",
        width_px=4000,
        height_px=3000,
        params=(2000.0, 2000.0, 2000.0, 1500.0, -0.05, 0.01, 0.0, 0.0),
        focal_prior_px=2000.0,
        focal_prior_source=FocalSource.FOCAL_35MM,
        focal_sigma_px=20.0,
        focal_decision="held",
    )
    spread = np.diag([0.5**2] * 3 + [np.radians(0.1) ** 2] * 3).tolist()
    along = np.arange(0, SIDE_M, APART_M)
    placed = []
    for i, (x, y) in enumerate((x, y) for y in along for x in along):
        pitch = (-90.0, -60.0)[i % 3 == 0]
        rotation = rotation_cam_from_world(float(chance.uniform(0, 360)), pitch, 0.0).tolist()
        frame = Frame(
            sha256=f"{i:064x}",
            name=f"{i}.jpg",
            path="",
            width_px=4000,
            height_px=3000,
            orientation=1,
            camera_key="k",
            focal_px=2000.0,
            focal_sigma_px=20.0,
            focal_source=FocalSource.FOCAL_35MM,
        )
        pose = CameraPose(
            rotation_cam_from_world=rotation,
            position_m=(EAST_M + x, NORTH_M + y, 250 + FLYING_M),
            covariance_m2=np.eye(3).tolist(),
        )
        placed.append(
            PlacedFrame(
                frame=frame,
                camera=0,
                pose=pose,
                reprojection_px=0.5,
                tie_points=500,
                group=0,
                ground_m=(250.0, 260.0),
                covariance=spread,
            )
        )
    return Reconstruction(
        crs=CRS,
        vertical_datum=VerticalDatum.ELLIPSOID,
        cameras=(lens,),
        placed=tuple(placed),
        skipped=(),
        points="",
        mapped_group=0,
        group_sizes=(len(placed),),
        reprojection_px=0.5,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
