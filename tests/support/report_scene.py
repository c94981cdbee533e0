"""A small made-up flight over made-up ground, consistent in itself, for the tests of the report."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.crs import LOCAL, wkt_of
from aftermap.geo.lens import projected_px
from aftermap.model.camera import (
    Camera,
    CameraPose,
    ControlResidual,
    Frame,
    FrameSet,
    PlacedFrame,
    Reconstruction,
)
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.raster import Elevation, Grid, Orthophoto, Raster
from aftermap.model.runs import Skipped, StageRecord
from aftermap.publish.report.facts import ReportFacts

EAST_M, NORTH_M = 435_000.0, 3_979_000.0
CELL_M = 0.5
COLUMNS, ROWS = 260, 200
GROUND_M = 245.0
FLYING_M = 60.0
UTM = "EPSG:32637"

GRID = Grid(crs=UTM, east_m=EAST_M, north_m=NORTH_M, cell_m=CELL_M, columns=COLUMNS, rows=ROWS)
CAMERA = Camera(
    model="OPENCV",
    width_px=1200,
    height_px=900,
    params=(1000.0, 1000.0, 600.0, 450.0, -0.02, 0.005, 0.0, 0.0),
    focal_prior_px=1000.0,
    focal_prior_source=FocalSource.FOCAL_35MM,
    focal_sigma_px=20.0,
    focal_decision="held at its prior: the photographs look straight down on level ground",
    focal_if_freed_px=1012.0,
    focal_if_freed_sigma_px=4.0,
)


def sha256(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", errors="surrogateescape")).hexdigest()


def heights() -> np.ndarray:
    """(ROWS, COLUMNS) float32: sloping ground, blocks of houses, a corner that nobody saw."""
    rng = np.random.default_rng(4)
    row, column = np.indices((ROWS, COLUMNS))
    height = (
        GROUND_M + 0.01 * column * CELL_M + 0.4 * np.sin(row / 17) + rng.normal(0, 0.03, row.shape)
    )
    for top in range(12, ROWS - 30, 46):
        for left in range(10, COLUMNS - 40, 52):
            tall, deep, wide = rng.uniform(3, 15), rng.integers(18, 30), rng.integers(24, 40)
            height[top : top + deep, left : left + wide] += tall
    height[(row > ROWS - 40) & (column + row > COLUMNS + ROWS - 70)] = np.nan
    return height.astype(np.float32)


def write_rasters(folder: Path, crs: str = UTM) -> tuple[Elevation, Orthophoto]:
    """The four rasters, as cloud-optimised GeoTIFF, with a strip that was filled."""
    height = heights()
    known = np.isfinite(height)
    rng = np.random.default_rng(5)
    agree = rng.integers(2, 9, height.shape).astype(np.uint8)
    agree[60:80] = 0
    agree[~known] = 0
    picture = np.zeros((4, ROWS, COLUMNS), np.uint8)
    picture[:3] = np.clip((np.nan_to_num(height, nan=GROUND_M) - GROUND_M) * 9 + 90, 0, 255)
    picture[0] = np.clip(picture[0] * 1.1 + rng.integers(0, 20, height.shape), 0, 255)
    picture[3] = np.where(known, 255, 0)
    source = np.where(known, np.indices(height.shape)[1] // 65, 65535).astype(np.uint16)
    grid = replace(GRID, crs=crs)
    datum = VerticalDatum.LOCAL if crs == LOCAL else VerticalDatum.ELLIPSOID

    def raster(name: str, bands: np.ndarray, nodata: float | None) -> Raster:
        path = write_cog(folder / name, bands, grid, nodata)
        return Raster(path=str(path), grid=grid, nodata=nodata, vertical_datum=datum)

    elevation = Elevation(
        surface=raster("surface.tif", np.where(known, height, -9999)[None], -9999.0),
        confidence=raster("confidence.tif", agree[None], None),
        ground_sample_m=FLYING_M / CAMERA.focal_px,
        measured_fraction=0.88,
        filled_fraction=0.08,
    )
    orthophoto = Orthophoto(
        image=raster("orthophoto.tif", picture, None),
        source=raster("source.tif", source[None], 65535),
        gains=(1.0,) * 20,
        covered_fraction=0.96,
    )
    return elevation, orthophoto


def write_cog(path: Path, bands: np.ndarray, grid: Grid, nodata: float | None) -> Path:
    profile = {
        "driver": "COG",
        "count": len(bands),
        "dtype": bands.dtype,
        "width": grid.columns,
        "height": grid.rows,
        "crs": wkt_of(grid.crs),
        "transform": Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m),
        "nodata": nodata,
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(bands)
    return path


def placed_frames(
    *, gps_bias_m: tuple[float, float, float] = (0.8, -0.5, 1.2), gps_sigma_m: float = 0.6
) -> tuple[PlacedFrame, ...]:
    """Four strips of five, straight down, with recorded positions off by a known law."""
    rng = np.random.default_rng(6)
    frames = []
    for index in range(20):
        strip, along = divmod(index, 5)
        east = EAST_M + 20 + along * 22.0
        north = NORTH_M - 15 - strip * 23.0
        up = GROUND_M + FLYING_M + rng.normal(0, 0.2)
        position = (east, north, up)
        noise = rng.normal(0, gps_sigma_m, 3) + gps_bias_m
        name = f"DJI_{index + 1:04d}.JPG"
        rotation = rotation_cam_from_world(90.0 if strip % 2 else -90.0, -90 + rng.normal(0, 1), 0)
        frame = Frame(
            sha256=sha256(name),
            name=name,
            path=f"media/{name}",
            width_px=1200,
            height_px=900,
            orientation=1,
            camera_key="DJI FC7303 1200x900",
            focal_px=1000.0,
            focal_sigma_px=20.0,
            focal_source=FocalSource.FOCAL_35MM,
            prior_position_m=tuple(float(p - n) for p, n in zip(position, noise, strict=True)),
            prior_sigma_m=(2.0, 2.0, 3.0),
            relative_height_m=FLYING_M + 0.3,
        )
        frames.append(
            PlacedFrame(
                frame=frame,
                camera=0,
                pose=CameraPose(
                    rotation_cam_from_world=tuple(tuple(map(float, row)) for row in rotation),
                    position_m=position,
                    covariance_m2=((0.0025, 0.0, 0.0), (0.0, 0.0036, 0.0), (0.0, 0.0, 0.01)),
                ),
                reprojection_px=0.5 + 0.02 * index,
                tie_points=400 + index,
                group=0,
                ground_m=(GROUND_M - 0.5, GROUND_M + 12),
            )
        )
    return tuple(frames)


def control_marks() -> tuple[ControlResidual, ...]:
    """Three that hold and three that test, and one that no photograph shows."""
    rng = np.random.default_rng(7)
    marks = []
    for index in range(6):
        residual = rng.normal(0, 0.02 if index < 3 else 0.05, 3)
        place = (EAST_M + 15 + 18 * index, NORTH_M - 20 - 11 * (index % 3), GROUND_M)
        marks.append(
            ControlResidual(
                name=f"M{index + 1}",
                role="control" if index < 3 else "check",
                position_m=place,
                residual_m=tuple(float(value) for value in residual),
                reprojection_px=0.6,
                images=("DJI_0001.JPG", "DJI_0002.JPG"),
            )
        )
    unseen = replace(marks[-1], name="M7", residual_m=None, reprojection_px=None, images=())
    return (*marks, unseen)


def reconstruction(**changes: object) -> Reconstruction:
    base = Reconstruction(
        crs=UTM,
        vertical_datum=VerticalDatum.ELLIPSOID,
        cameras=(CAMERA,),
        placed=placed_frames(),
        skipped=(),
        points="points.npz",
        mapped_group=0,
        group_sizes=(20,),
        reprojection_px=0.71,
    )
    return replace(base, **changes)


def facts(folder: Path, rasters: tuple[Elevation, Orthophoto], **changes: object) -> ReportFacts:
    """A whole run. ``changes`` replace fields of the facts; folder is where the case would be."""
    built = changes.pop("reconstruction", reconstruction())
    base = ReportFacts(
        case_name="Eastern district",
        command="aftermap map photographs --case case",
        versions=(("aftermap", "0.1.0"), ("pycolmap", "4.2.1"), ("PROJ", "9.5.1")),
        started_at="2026-03-01T08:15:00+00:00",
        reconstruction=built,
        frames=FrameSet(
            crs=built.crs,
            vertical_datum=built.vertical_datum,
            frames=tuple(placed.frame for placed in built.placed),
            skipped=(),
        ),
        ingest_skipped=(
            Skipped(name="notes.jpg", reason="is a text file, not a photograph; remove it"),
        ),
        elevation=rasters[0],
        orthophoto=rasters[1],
        stages=stages(),
    )
    return replace(base, **changes)


def stages() -> tuple[StageRecord, ...]:
    costs = {
        "ingest": (1.2, 1.1),
        "match": (31.0, 58.2),
        "reconstruct": (12.4, 20.1),
        "dense": (70.2, 133.0),
        "orthophoto": (14.9, 25.5),
    }
    return tuple(
        StageRecord(
            stage=name,
            version=1,
            key=sha256(name)[:16],
            started_at="2026-03-01T08:15:00+00:00",
            wall_s=wall,
            cpu_s=cpu,
            peak_memory_bytes=int(2e8 + 1e7 * wall),
            reused=name == "ingest",
        )
        for name, (wall, cpu) in costs.items()
    )


def pixels_of(placed: PlacedFrame, xyz_m: np.ndarray) -> np.ndarray:
    """(N, 2) pixels of (N, 3) places, written out the long way as a check."""
    rotation = np.array(placed.pose.rotation_cam_from_world)
    cam = (xyz_m - np.array(placed.pose.position_m)) @ rotation.T
    return projected_px(cam, CAMERA.params)
