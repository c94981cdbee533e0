"""Clips over known ground: poses are made up, so that what they see can be worked out by hand."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.model.camera import Camera, CameraPose
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.trajectory import ClipPose, PoseSource, Trajectory
from aftermap.record.workspace import StageFolder

CRS = "EPSG:32637"
EAST_M, NORTH_M, GROUND_M = 500_000.0, 3_978_000.0, 250.0

CAMERA = Camera(
    model="OPENCV",
    width_px=1600,
    height_px=1200,
    params=(1200.0, 1200.0, 800.0, 600.0, 0.0, 0.0, 0.0, 0.0),
    focal_prior_px=1200.0,
    focal_prior_source=FocalSource.FOCAL_35MM,
    focal_sigma_px=12.0,
    focal_decision="held",
)
SURE = (0.1, 0.05)
UNSURE = (5.0, 3.0)


def pose(
    time_s: float | Fraction,
    position_m,
    *,
    yaw_deg=0.0,
    pitch_deg=-90.0,
    shot=0,
    sigmas=SURE,
    source=PoseSource.RECONSTRUCTION,
) -> ClipPose:
    """Sigmas: of the position in metres, of the turn in degrees."""
    rotation = rotation_cam_from_world(yaw_deg, pitch_deg, 0.0)
    covariance = np.diag([sigmas[0] ** 2] * 3 + [np.radians(sigmas[1]) ** 2] * 3)
    as_tuples = lambda rows: tuple(tuple(float(v) for v in row) for row in rows)  # noqa: E731
    return ClipPose(
        time_s=Fraction(time_s).limit_denominator(1000),
        shot=shot,
        pose=CameraPose(
            rotation_cam_from_world=as_tuples(rotation),
            position_m=tuple(float(v) for v in position_m),
            covariance_m2=as_tuples(covariance[:3, :3]),
        ),
        covariance=as_tuples(covariance),
        source=source,
    )


def path_of(poses: Sequence[ClipPose], *, sha256: str = "ab" * 32, name: str = "flight 1.mp4"):
    return Trajectory(
        clip_sha256=sha256,
        clip_name=name,
        crs=CRS,
        vertical_datum=VerticalDatum.ELLIPSOID,
        camera=CAMERA,
        poses=tuple(poses),
        ground_m=GROUND_M,
    )


def straight_flight(seconds: int, *, height_m=100.0, speed_m_s=5.0, rate_hz=2, **kwargs):
    """East from the corner of the made-up place, so many poses a second."""
    return [
        pose(
            Fraction(i, rate_hz),
            (EAST_M + speed_m_s * i / rate_hz, NORTH_M, GROUND_M + height_m),
            **kwargs,
        )
        for i in range(seconds * rate_hz)
    ]


def write_surface(path: Path, heights: np.ndarray, *, west_m, north_m, cell_m=1.0) -> Path:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=heights.shape[1],
        height=heights.shape[0],
        count=1,
        dtype="float32",
        crs=CRS,
        transform=Affine(cell_m, 0, west_m, 0, -cell_m, north_m),
        nodata=np.nan,
    ) as raster:
        raster.write(heights.astype(np.float32), 1)
    return path


def files_in(folder: Path) -> StageFolder:
    return StageFolder(folder=folder)
