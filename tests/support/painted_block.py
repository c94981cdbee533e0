"""A made-up scene: one tall block on level ground, its faces in colours of their own, photographed.

Pictures are cast ray by ray over the heights, so every pixel's colour says which face it shows.
"""

from pathlib import Path

import cv2
import numpy as np
import rasterio
from rasterio.transform import Affine

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.crs import wkt_of
from aftermap.geo.lens import rays_cam
from aftermap.geo.march import HeightWindow, landings_m
from aftermap.model.camera import Camera, CameraPose, Frame, PlacedFrame, Reconstruction
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster

CRS = "EPSG:32637"
EAST_M, NORTH_M, GROUND_M = 500_000.0, 3_978_200.0, 250.0
SIDE_CELLS, CELL_M = 160, 0.25
WEST_M, EAST_WALL_M, SOUTH_M, NORTH_WALL_M = 12.0, 28.0, -26.0, -14.0
"""The block's walls, from the north-west corner of the grid (east, north)."""

ROOF_M = 10.0
NODATA = -9999.0
WIDTH_PX, HEIGHT_PX, FOCAL_PX = 400, 300, 330.0
GREEN, RED, BLUE, GREY = (20, 200, 40), (220, 30, 30), (30, 40, 220), (120, 120, 120)
ROOF, SOUTH, WEST, GROUND = GREEN, RED, BLUE, GREY
OTHER = (240, 240, 20)
UNMEASURED_CELLS = np.s_[0:40, 0:40]


def heights_m() -> np.ndarray:
    """(rows, columns) of the scene."""
    middle = (np.arange(SIDE_CELLS) + 0.5) * CELL_M
    east, north = np.meshgrid(middle, -middle)
    inside = (east > WEST_M) & (east < EAST_WALL_M) & (north > SOUTH_M) & (north < NORTH_WALL_M)
    return np.where(inside, GROUND_M + ROOF_M, GROUND_M).astype(np.float32)


def _colours(places: np.ndarray) -> np.ndarray:
    """(N, 3) of (N, 3) places on the scene."""
    east, north, height = (places - (EAST_M, NORTH_M, 0)).T
    out = np.tile(np.uint8(GROUND), (len(places), 1))
    out[height > GROUND_M + ROOF_M - 0.01] = ROOF
    is_wall = (height > GROUND_M + 0.01) & (height <= GROUND_M + ROOF_M - 0.01)
    out[is_wall] = OTHER
    out[is_wall & (np.abs(north - SOUTH_M) < 1e-3)] = SOUTH
    out[is_wall & (np.abs(east - WEST_M) < 1e-3)] = WEST
    return out


def _placed(folder: Path, number: int, position, yaw_deg: float, pitch_deg: float) -> PlacedFrame:
    rotation = rotation_cam_from_world(yaw_deg, pitch_deg, 0.0)
    pixels = np.stack(
        np.meshgrid(np.arange(WIDTH_PX) + 0.5, np.arange(HEIGHT_PX) + 0.5), axis=-1
    ).reshape(-1, 2)
    rays = rays_cam(pixels, lens()) @ rotation
    scene = HeightWindow(
        height_m=heights_m(), west_m=EAST_M, north_m=NORTH_M, cell_m=CELL_M, outside_m=GROUND_M
    )
    places, _ = landings_m(position, rays, scene, farthest_m=500.0)
    picture = _colours(places).reshape(HEIGHT_PX, WIDTH_PX, 3)
    path = folder / f"{number}.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    frame = Frame(
        sha256=f"{number:064x}",
        name=path.name,
        path=str(path),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        orientation=1,
        camera_key="one",
        focal_px=FOCAL_PX,
        focal_sigma_px=1.0,
        focal_source=FocalSource.XMP_CALIBRATED,
    )
    pose = CameraPose(
        rotation_cam_from_world=tuple(map(tuple, rotation.tolist())),
        position_m=tuple(position),
        covariance_m2=((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)),
    )
    return PlacedFrame(
        frame=frame,
        camera=0,
        pose=pose,
        reprojection_px=0.3,
        tie_points=100,
        group=0,
        ground_m=(GROUND_M, GROUND_M + ROOF_M),
    )


def lens() -> tuple[float, ...]:
    """A lens with some distortion, so that leaving it out would show."""
    return (FOCAL_PX, FOCAL_PX, WIDTH_PX / 2 + 3, HEIGHT_PX / 2 - 2, -0.05, 0.01, 0.001, -0.0005)


def reconstruction(folder: Path, *, crs: str, datum: VerticalDatum) -> Reconstruction:
    """Two cameras: one sees the south wall, one the west wall; nobody sees north and east."""
    camera = Camera(
        model="OPENCV",
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        params=lens(),
        focal_prior_px=FOCAL_PX,
        focal_prior_source=FocalSource.XMP_CALIBRATED,
        focal_sigma_px=1.0,
        focal_decision="held",
    )
    placed = (
        _placed(folder, 0, (EAST_M + 20, NORTH_M - 52, GROUND_M + 34), 0.0, -45.0),
        _placed(folder, 1, (EAST_M - 12, NORTH_M - 20, GROUND_M + 34), 90.0, -45.0),
    )
    return Reconstruction(
        crs=crs,
        vertical_datum=datum,
        cameras=(camera,),
        placed=placed,
        skipped=(),
        points="",
        mapped_group=0,
        group_sizes=(2,),
        reprojection_px=0.3,
    )


def rasters(folder: Path, *, crs: str, datum: VerticalDatum) -> tuple[Elevation, Orthophoto]:
    """The scene as rasters; the corner UNMEASURED_CELLS is filled in."""
    grid = Grid(
        crs=crs, east_m=EAST_M, north_m=NORTH_M, cell_m=CELL_M, columns=SIDE_CELLS, rows=SIDE_CELLS
    )
    height = heights_m()
    confidence = np.full(height.shape, 5, np.uint8)
    confidence[UNMEASURED_CELLS] = 0
    image = np.zeros((4, *height.shape), np.uint8)
    image[:3] = np.array(GROUND)[:, None, None]
    image[:3, height > GROUND_M] = np.array(ROOF)[:, None]
    image[3] = 255
    source = np.zeros(height.shape, np.uint16)
    paths = {}
    for name, bands, nodata in (
        ("surface", height[None], NODATA),
        ("confidence", confidence[None], None),
        ("orthophoto", image, None),
        ("source", source[None], 65535),
    ):
        paths[name] = str(folder / f"{name}.tif")
        with rasterio.open(
            paths[name],
            "w",
            driver="GTiff",
            width=SIDE_CELLS,
            height=SIDE_CELLS,
            count=len(bands),
            dtype=bands.dtype,
            crs=wkt_of(crs),
            nodata=nodata,
            transform=Affine(CELL_M, 0, EAST_M, 0, -CELL_M, NORTH_M),
        ) as file:
            file.write(bands)
    elevation = Elevation(
        surface=Raster(path=paths["surface"], grid=grid, nodata=NODATA, vertical_datum=datum),
        confidence=Raster(path=paths["confidence"], grid=grid, nodata=None),
        ground_sample_m=0.1,
        measured_fraction=0.9,
        filled_fraction=0.1,
    )
    picture = Orthophoto(
        image=Raster(path=paths["orthophoto"], grid=grid, nodata=None),
        source=Raster(path=paths["source"], grid=grid, nodata=65535),
        gains=(1.0, 1.0),
        covered_fraction=1.0,
    )
    return elevation, picture
