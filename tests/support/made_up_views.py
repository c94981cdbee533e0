"""Blocks on level ground and cameras that look at them: who sees what can be worked out by hand."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import rasterio
from rasterio.transform import Affine

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.model.building import Alignment, Building, Buildings, Footprint, ShiftSource
from aftermap.model.camera import Camera, CameraPose, Frame, PlacedFrame, Reconstruction
from aftermap.model.clip import Moment
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster
from aftermap.record.workspace import StageFolder

CRS = "EPSG:32637"
EAST_M, NORTH_M, GROUND_M = 500_000.0, 3_978_000.0, 250.0
SIDE_M, CELL_M = 120.0, 0.25
CLIP = "cd" * 32

LENS = Camera(
    model="OPENCV",
    width_px=800,
    height_px=600,
    params=(600.0, 600.0, 400.0, 300.0, 0.0, 0.0, 0.0, 0.0),
    focal_prior_px=600.0,
    focal_prior_source=FocalSource.FOCAL_35MM,
    focal_sigma_px=6.0,
    focal_decision="held",
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A building of level roof: its middle, its sides, how high it is. From the place's corner."""

    east_m: float
    north_m: float
    wide_m: float = 10.0
    deep_m: float = 10.0
    high_m: float = 6.0

    @property
    def box_m(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        east, north = EAST_M + self.east_m, NORTH_M + self.north_m
        return (
            east - self.wide_m / 2,
            north - self.deep_m / 2,
            east + self.wide_m / 2,
            north + self.deep_m / 2,
        )


def buildings_of(blocks: Sequence[Block], ids: Sequence[str] = ()) -> Buildings:
    made = []
    for i, block in enumerate(blocks):
        w, s, e, n = block.box_m
        outline = (((w, s), (e, s), (e, n), (w, n), (w, s)),)
        footprint = Footprint(
            source_id=ids[i] if ids else f"B{i}",
            feature=i,
            polygons_m=(outline,),
            area_m2=block.wide_m * block.deep_m,
            levels=2.0,
        )
        moved = Alignment(shift_m=(0.4, -0.2), sigma_m=0.2, residual_m=0.1, source=ShiftSource.OWN)
        made.append(Building(footprint=footprint, alignment=moved, polygons_m=(outline,)))
    return Buildings(crs=CRS, buildings=tuple(made))


def elevation_of(folder: Path, blocks: Sequence[Block], *, measured=True) -> Elevation:
    count = round(SIDE_M / CELL_M)
    heights = np.full((count, count), GROUND_M, np.float32)
    for block in blocks:
        w, s, e, n = np.array(block.box_m) - [EAST_M, NORTH_M, EAST_M, NORTH_M]
        rows = slice(count - round(n / CELL_M), count - round(s / CELL_M))
        heights[rows, round(w / CELL_M) : round(e / CELL_M)] += block.high_m
    grid = Grid(
        crs=CRS, east_m=EAST_M, north_m=NORTH_M + SIDE_M, cell_m=CELL_M, columns=count, rows=count
    )
    counts = np.full((count, count), 6 if measured else 0, np.uint16)
    surface = _written(folder / "surface.tif", heights[None], grid, nodata=-9999.0)
    confidence = _written(folder / "confidence.tif", counts[None], grid, nodata=None)
    return Elevation(
        surface=surface,
        confidence=confidence,
        ground_sample_m=CELL_M,
        measured_fraction=1.0,
        filled_fraction=0.0,
    )


def orthophoto_of(folder: Path, *, source: int = 0) -> Orthophoto:
    count = round(SIDE_M / CELL_M)
    grid = Grid(
        crs=CRS, east_m=EAST_M, north_m=NORTH_M + SIDE_M, cell_m=CELL_M, columns=count, rows=count
    )
    pixels = np.full((4, count, count), 128, np.uint8)
    pixels[3] = 255
    numbers = np.full((1, count, count), source, np.uint16)
    return Orthophoto(
        image=_written(folder / "orthophoto.tif", pixels, grid, nodata=None),
        source=_written(folder / "source.tif", numbers, grid, nodata=65535),
        gains=(1.0,),
        covered_fraction=1.0,
    )


def photograph(folder: Path, position_m, *, yaw_deg=0.0, pitch_deg=-90.0, name="a.png", seed=0):
    """A placed photograph from so many metres east, north and above the ground, as a file."""
    pixels = np.random.default_rng(seed).integers(0, 255, (600, 800, 3), np.uint8)
    path = folder / name
    cv2.imwrite(str(path), cv2.GaussianBlur(pixels, (0, 0), 2))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return _placed(str(path), sha256, name, position_m, (yaw_deg, pitch_deg))


def moment(position_m, *, time_s=Fraction(5, 2), yaw_deg=0.0, pitch_deg=-90.0, mask=None):
    """A placed frame of a clip."""
    placed = _placed("", "ee" * 32, f"clip.mp4 {time_s}", position_m, (yaw_deg, pitch_deg))
    at = Moment(clip_sha256=CLIP, clip_name="clip.mp4", time_s=Fraction(time_s), shot=0)
    return replace(placed, frame=replace(placed.frame, moment=at, mask=mask))


def cameras_of(*placed: PlacedFrame) -> Reconstruction:
    return Reconstruction(
        crs=CRS,
        vertical_datum=VerticalDatum.ELLIPSOID,
        cameras=(LENS,),
        placed=placed,
        skipped=(),
        points="",
        mapped_group=0,
        group_sizes=(len(placed),),
        reprojection_px=0.5,
    )


def files_in(folder: Path) -> StageFolder:
    return StageFolder(folder=folder)


def _placed(path, sha256, name, position_m, angles_deg) -> PlacedFrame:
    rotation = rotation_cam_from_world(angles_deg[0], angles_deg[1], 0.0).tolist()
    spread = np.diag([0.1**2] * 3 + [np.radians(0.05) ** 2] * 3).tolist()
    east, north, up = position_m
    frame = Frame(
        sha256=sha256,
        name=name,
        path=path,
        width_px=800,
        height_px=600,
        orientation=1,
        camera_key="k",
        focal_px=600.0,
        focal_sigma_px=6.0,
        focal_source=FocalSource.FOCAL_35MM,
    )
    pose = CameraPose(
        rotation_cam_from_world=tuple(map(tuple, rotation)),
        position_m=(EAST_M + east, NORTH_M + north, GROUND_M + up),
        covariance_m2=tuple(map(tuple, np.array(spread)[:3, :3].tolist())),
    )
    return PlacedFrame(
        frame=frame,
        camera=0,
        pose=pose,
        reprojection_px=0.5,
        tie_points=500,
        group=0,
        ground_m=(GROUND_M, GROUND_M + 5),
        covariance=tuple(map(tuple, spread)),
    )


def _written(path: Path, bands: np.ndarray, grid: Grid, *, nodata) -> Raster:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=grid.columns,
        height=grid.rows,
        count=len(bands),
        dtype=bands.dtype,
        crs=CRS,
        nodata=nodata,
        transform=Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m),
    ) as file:
        file.write(bands)
    return Raster(path=str(path), grid=grid, nodata=nodata)
