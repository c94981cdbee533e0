"""Records to keep: a few originals and a small reconstruction, made up but whole."""

from pathlib import Path

import pytest

from aftermap.model.camera import Camera, CameraPose, Frame, PlacedFrame, Reconstruction
from aftermap.model.media import (
    Attitude,
    FocalPrior,
    FocalSource,
    GeoTag,
    MediaItem,
    VerticalDatum,
)
from aftermap.model.runs import Skipped
from aftermap.record import Case

IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@pytest.fixture
def case(tmp_path: Path):
    with Case.create_or_open(tmp_path / "case") as made:
        yield made


@pytest.fixture
def tagged() -> MediaItem:
    return MediaItem(
        sha256="a" * 64,
        name="صورة '1' \"b\".jpg",
        size_bytes=5_000_000,
        width_px=4000,
        height_px=3000,
        make="DJI",
        camera="FC330",
        focal=FocalPrior(focal_px=2308.5, sigma_px=20.0, source=FocalSource.XMP_CALIBRATED),
        taken_at="2024-05-01T10:11:12",
        clock="camera local time, zone unknown",
        geotag=GeoTag(
            lon_deg=39.01,
            lat_deg=35.95,
            height_m=310.5,
            vertical_datum=VerticalDatum.BAROMETRIC,
            sigma_horizontal_m=3.0,
            sigma_vertical_m=5.0,
        ),
        attitude=Attitude(yaw_deg=10.0, pitch_deg=-90.0, roll_deg=0.0),
        relative_height_m=60.0,
    )


@pytest.fixture
def untagged() -> MediaItem:
    focal = FocalPrior(focal_px=1500.0, sigma_px=150.0, source=FocalSource.ASSUMED)
    return MediaItem(
        sha256="b" * 64, name="kite.jpg", size_bytes=99, width_px=640, height_px=480, focal=focal
    )


def placed(name: str, sha256: str, position_m: tuple[float, float, float], group: int):
    frame = Frame(
        sha256=sha256,
        name=name,
        path=f"media/{sha256}.jpg",
        width_px=4000,
        height_px=3000,
        orientation=1,
        camera_key="one",
        focal_px=2300.0,
        focal_sigma_px=20.0,
        focal_source=FocalSource.FOCAL_35MM,
    )
    covariance_m2 = ((0.04, 0.0, 0.0), (0.0, 0.09, 0.0), (0.0, 0.0, float("nan")))
    return PlacedFrame(
        frame=frame,
        camera=0,
        pose=CameraPose(
            rotation_cam_from_world=IDENTITY, position_m=position_m, covariance_m2=covariance_m2
        ),
        reprojection_px=0.6,
        tie_points=1200,
        group=group,
        ground_m=(240.0, 252.0),
    )


def reconstruction_in(crs: str) -> Reconstruction:
    camera = Camera(
        model="OPENCV",
        width_px=4000,
        height_px=3000,
        params=(2300.0, 2302.0, 2000.0, 1500.0, 0.0, 0.0, 0.0, 0.0),
        focal_prior_px=2300.0,
        focal_prior_source=FocalSource.FOCAL_35MM,
        focal_sigma_px=20.0,
        focal_decision="held",
    )
    return Reconstruction(
        crs=crs,
        vertical_datum=VerticalDatum.GEOID,
        cameras=(camera,),
        placed=(
            placed("a.jpg", "a" * 64, (500_900.0, 3_978_400.0, 310.0), 0),
            placed("b.jpg", "b" * 64, (500_950.0, 3_978_420.0, 311.0), 0),
            placed("far.jpg", "c" * 64, (501_500.0, 3_979_000.0, 312.0), 1),
        ),
        skipped=(Skipped(name="cat.jpg", reason="shares too little with others", sha256="d" * 64),),
        points="points.npz",
        mapped_group=0,
        group_sizes=(2, 1),
        reprojection_px=0.6,
    )


@pytest.fixture
def reconstruction() -> Reconstruction:
    return reconstruction_in("EPSG:32637")


@pytest.fixture
def local_reconstruction() -> Reconstruction:
    return reconstruction_in("LOCAL")
