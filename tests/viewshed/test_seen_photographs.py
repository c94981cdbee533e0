"""Photographs of the case are listed beside its clips, as far as the record knows them."""

import json
from pathlib import Path

import numpy as np
import pytest
from made_up_paths import (
    CAMERA,
    CRS,
    EAST_M,
    GROUND_M,
    NORTH_M,
    path_of,
    pose,
    straight_flight,
    write_surface,
)

from aftermap.cli import status_of
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.model.camera import Frame, PlacedFrame, Reconstruction
from aftermap.model.media import FocalPrior, FocalSource, MediaItem, VerticalDatum
from aftermap.record import Case

HEIGHT_M = 60.0


def frame_of(sha256: str, name: str) -> Frame:
    return Frame(
        sha256=sha256,
        name=name,
        path=f"media/{sha256}.jpg",
        width_px=1600,
        height_px=1200,
        orientation=1,
        camera_key="one",
        focal_px=1200.0,
        focal_sigma_px=12.0,
        focal_source=FocalSource.FOCAL_35MM,
    )


@pytest.fixture
def case_path(tmp_path: Path, indexed) -> Path:
    """A photograph from 60 m, a frame of a clip from the same place, and that clip from 100 m."""
    above = pose(0, (EAST_M, NORTH_M, GROUND_M + HEIGHT_M)).pose
    placed = [
        PlacedFrame(
            frame=frame_of(sha256, name),
            camera=0,
            pose=above,
            reprojection_px=0.5,
            tie_points=900,
            group=0,
            ground_m=(GROUND_M, GROUND_M),
        )
        for sha256, name in (("d" * 64, "photo.jpg"), ("e" * 64, "frame of clip.png"))
    ]
    made = Reconstruction(
        crs=CRS,
        vertical_datum=VerticalDatum.ELLIPSOID,
        cameras=(CAMERA,),
        placed=tuple(placed),
        skipped=(),
        points="points.npz",
        mapped_group=0,
        group_sizes=(2,),
        reprojection_px=0.5,
    )
    photo = MediaItem(
        sha256="d" * 64,
        name="photo.jpg",
        size_bytes=99,
        width_px=1600,
        height_px=1200,
        focal=FocalPrior(focal_px=1200.0, sigma_px=12.0, source=FocalSource.FOCAL_35MM),
    )
    corners = [(EAST_M + x, NORTH_M + y) for x, y in ((-40, -30), (40, -30), (40, 30), (-40, 30))]
    with Case.create_or_open(tmp_path / "case") as case:
        case.add_media([photo])
        case.replace_cameras(made, {p.frame.sha256: corners for p in placed})
        case.replace_clips(indexed(path_of(straight_flight(2))))
    return tmp_path / "case"


def asked(case_path: Path, capsys, *, east_m: float) -> list[dict]:
    ((lon, lat),) = transformed_xy(CRS, WGS84, [(EAST_M + east_m, NORTH_M + 3)])
    assert status_of(["seen", str(case_path), "--at", f"{lon:.8f},{lat:.8f}", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_photograph_without_known_ground_is_named_last(case_path, capsys):
    clip, photograph = asked(case_path, capsys, east_m=4)
    assert (clip["kind"], clip["clip_name"]) == ("clip", "flight 1.mp4")
    assert (photograph["kind"], photograph["clip_name"]) == ("photograph", "photo.jpg")
    assert photograph["ground_sample_m"] is None
    assert photograph["ce90_m"] is None
    assert photograph["rank_m"] is None


def test_with_the_surface_the_sharper_photograph_comes_first(case_path, capsys):
    ground = np.full((200, 200), GROUND_M, np.float32)
    write_surface(
        case_path / "products" / "surface.tif", ground, west_m=EAST_M - 100, north_m=NORTH_M + 100
    )
    photograph, clip = asked(case_path, capsys, east_m=4)
    assert photograph["ground_sample_m"] == pytest.approx(HEIGHT_M / 1200, rel=0.01)
    assert photograph["off_nadir_deg"] == pytest.approx(np.degrees(np.arctan(5 / 60)), abs=0.1)
    assert clip["kind"] == "clip"


def test_photographs_beside_the_spot_are_not_named(case_path, capsys):
    assert [one["kind"] for one in asked(case_path, capsys, east_m=55)] == ["clip"]
