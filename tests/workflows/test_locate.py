"""``aftermap locate`` on a made-up case: a surface, and a clip drawn over it."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import rasterio
from drawn_errors import drawn_ce90_m

from aftermap.cli import status_of
from aftermap.frames import ClipFrames
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.crs import transformed_xy
from aftermap.geo.lens import rays_cam
from aftermap.localization.drape import draped, places_met
from aftermap.localization.reference import reference_of
from aftermap.media import probe_video
from aftermap.model.camera import Camera, CameraPose, Frame, PlacedFrame, Reconstruction
from aftermap.model.clip import Clip, Moment, Shot
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.raster import Elevation, Grid, Raster
from aftermap.model.runs import Skipped
from aftermap.model.sighting import SURFACE_SIGMA_M, Ground, GroundKind
from aftermap.model.trajectory import PoseSource, Trajectory
from aftermap.progress import NoProgress
from aftermap.publish import write_cameras
from aftermap.record import Case
from aftermap.record.artefact import decode_artefact
from aftermap.record.custody import entries_of
from aftermap.record.disk import sha256_of_file
from aftermap.run import Runner
from aftermap.workflows.clips import FRAMES, TRACKS, ExtractedFrames, Tracked
from aftermap.workflows.stages import POSES, SURFACE
from aftermap.workflows.trajectories import MapPlace, by_hand_in, flights_of

LENS = (440, 440, 240, 136, 0, 0, 0, 0)
SIZE = (480, 272)
CORNER = (500_700.0, 3_978_400.0)
PICTURES = 10


def _camera(k):
    place = np.array([500_745 + 0.5 * k, 3_978_305.0 + 0.2 * k, 310])
    return rotation_cam_from_world(4 - 0.3 * k, -50, 0), place


@pytest.fixture(scope="module")
def district():
    rng = np.random.default_rng(8)
    height = np.full((500, 500), 250.0)
    for _ in range(50):
        row, column = rng.integers(0, 450, 2)
        height[row : row + 40, column : column + 50] = 250 + rng.uniform(4, 14)
    grey = sum(cv2.resize(rng.normal(0, 1, (500 // s, 500 // s)), (500, 500)) for s in (4, 12))
    grey = np.clip(128 + 45 * grey / grey.std(), 0, 255).astype(np.uint8)
    return reference_of("EPSG:32637", grey, height, CORNER, (0.2, 0.2))


@pytest.fixture(scope="module")
def scene(tmp_path_factory, district):
    folder = tmp_path_factory.mktemp("locate")
    case = folder / "case"
    Case.create_or_open(case).close()
    transform = rasterio.Affine(0.2, 0, CORNER[0], 0, -0.2, CORNER[1])
    with rasterio.open(
        case / "products/surface.tif",
        "w",
        driver="GTiff",
        dtype="float32",
        count=1,
        width=500,
        height=500,
        crs="EPSG:32637",
        transform=transform,
        nodata=-9999,
    ) as raster:
        raster.write(district.height_m, 1)
        raster.update_tags(AFTERMAP_VERTICAL_DATUM="barometric")
    with av.open(str(folder / "news.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "12"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for k in range(PICTURES):
            shown = draped(district, *_camera(k), LENS, SIZE)
            frame = av.VideoFrame.from_ndarray(shown.grey, format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return folder


def _ties(district, folder, count=12, frame=4, change=lambda row: row):
    rng = np.random.default_rng(2)
    turn, place = _camera(frame)
    xy = rng.uniform([30, 40], [450, 250], (count, 2))
    xyz = places_met(district, place, rays_cam(xy, LENS) @ turn)
    lonlat = transformed_xy("EPSG:32637", "EPSG:4326", xyz[:, :2])
    rows = [
        change([frame, *pixel, *ll, up])
        for pixel, ll, up in zip(xy, lonlat, xyz[:, 2], strict=True)
    ]
    path = folder / "ties.csv"
    lines = [",".join(f"{value}" for value in row) for row in rows]
    path.write_text("frame,px,py,lon,lat,height\n" + "\n".join(lines) + "\n")
    return str(path)


def _run(scene, points, clip="news.mp4"):
    return status_of(["locate", str(scene / "case"), str(scene / clip), "--points", points])


def test_a_clip_is_located_by_clicks_and_carried_through_its_shot(scene, district, capsys):
    assert _run(scene, _ties(district, scene)) == 0
    said = capsys.readouterr().out
    assert "news.mp4 at 0.400 s, shot 1" in said
    assert "residual px" in said
    (product,) = (scene / "case/products/located").glob("news-*.json")
    path = decode_artefact(Trajectory, json.loads(product.read_text()), root=scene / "case")
    assert path.vertical_datum == "barometric"
    assert [pose.time_s for pose in path.poses] == [Fraction(k, 10) for k in range(PICTURES)]
    assert {pose.source for pose in path.poses} == {PoseSource.RESECTED}
    for k, pose in enumerate(path.poses):
        position = np.array(pose.pose.position_m)
        assert np.linalg.norm(position - _camera(k)[1]) < 1.0
        ray = np.array(pose.pose.rotation_cam_from_world)[2]
        (ground,) = places_met(district, position, ray[None])
        drawn = drawn_ce90_m(position, ray, pose.covariance, ground[2], SURFACE_SIGMA_M)
        assert pose.ce90_m == pytest.approx(drawn, rel=0.05)
        (true,) = places_met(district, _camera(k)[1], _camera(k)[0][2:])
        assert np.linalg.norm((ground - true)[:2]) < 2 * pose.ce90_m


def test_heights_are_taken_from_the_surface_and_that_is_said(scene, district, capsys):
    points = _ties(district, scene, change=lambda row: [*row[:5], ""])
    assert _run(scene, points) == 0
    assert (
        "12 of 12 heights at 0.400 s were read from the surface model of the case"
        in capsys.readouterr().out
    )


def test_a_tie_on_a_filled_height_is_named_in_its_line(scene, district, capsys, tmp_path):
    """Half of the surface was filled at wild heights: the other ties hold the camera."""
    points = _ties(district, scene, count=24, change=lambda row: [*row[:5], ""])
    copied = tmp_path / "scene"
    shutil.copytree(scene, copied)
    products = copied / "case/products"
    with rasterio.open(products / "surface.tif", "r+") as file:
        heights, profile = file.read(1), file.profile
        heights[:, :230] += 25
        file.write(heights, 1)
    counts = np.full(heights.shape, 4, np.uint8)
    counts[:, :230] = 0
    profile.update(dtype="uint8", nodata=None)
    with rasterio.open(products / "confidence.tif", "w", **profile) as file:
        file.write(counts, 1)
    assert _run(copied, points) == 0
    said = capsys.readouterr().out
    named = [line for line in said.splitlines() if "height filled, not measured" in line]
    assert 3 <= len(named) < 21
    assert "heights filled, not measured, at 0.400 s: line " in said
    (product,) = (products / "located").glob("news-*.json")
    path = decode_artefact(Trajectory, json.loads(product.read_text()), root=copied / "case")
    (pose,) = [one for one in path.poses if one.time_s == Fraction(4, 10)]
    assert np.linalg.norm(np.array(pose.pose.position_m) - _camera(4)[1]) < 2.0


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ({"change": lambda r: [*r[:3], r[4], r[3], r[5]]}, "lon and lat are swapped"),
        ({"change": lambda r: [*r[:4], -r[4], r[5]]}, "other side of the equator"),
        ({"count": 5}, "5 points, but a camera needs 6"),
        ({"change": lambda r: [99, *r[1:]]}, "has 10 frames, and the points name frame 99"),
        ({"change": lambda r: [r[0], r[1] + 400, *r[2:]]}, "is outside the frame"),
        ({"change": lambda r: [r[0], "nan", *r[2:]]}, "px is 'nan'"),
        ({"change": lambda r: [*r[:5], 250]}, "are coplanar"),
        ({"change": lambda r: [r[0], 480 - r[1], *r[2:]]}, "mirrored"),
    ],
)
def test_bad_ties_get_their_line_and_nothing_is_written(scene, district, capsys, slip, told):
    assert _run(scene, _ties(district, scene, **slip)) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_a_clip_or_case_that_is_not_there_is_told(scene, district, capsys, tmp_path):
    points = _ties(district, scene)
    assert _run(scene, points, clip="other.mp4") == 2
    assert "is not a clip of the case" in capsys.readouterr().err
    Case.create_or_open(tmp_path / "empty").close()
    clip = str(scene / "news.mp4")
    assert status_of(["locate", str(tmp_path / "empty"), clip, "--points", points]) == 2
    assert "run aftermap map first" in capsys.readouterr().err


@pytest.fixture
def mapped(scene, district, tmp_path):
    """The case as a finished map with this clip leaves it: of the pictures, nothing is placed."""
    case_path = tmp_path / "case"
    shutil.copytree(scene / "case", case_path)
    with Case.create_or_open(case_path) as case:
        stored = case.store.add(scene / "news.mp4")
        clip = probe_video(stored.path, name="news.mp4", sha256=stored.sha256)
        case.add_media([clip])
        shot = Shot(index=0, start_s=Fraction(0), end_s=Fraction(1), begins="clip")
        frames = tuple(_frame(stored.sha256, Fraction(k, 10)) for k in (1, 6))
        taken = ClipFrames(clip_sha256=stored.sha256, shots=(shot,), frames=frames, skipped=())
        surface = Raster(
            path=str(case.products / "surface.tif"),
            nodata=-9999,
            vertical_datum=BAROMETRIC,
            grid=Grid(
                crs="EPSG:32637",
                east_m=CORNER[0],
                north_m=CORNER[1],
                cell_m=0.2,
                columns=500,
                rows=500,
            ),
        )
        elevation = Elevation(
            surface=surface,
            confidence=surface,
            ground_sample_m=0.1,
            measured_fraction=1.0,
            filled_fraction=0.0,
        )
        with Runner(case, command="map", options=None, progress=NoProgress()) as run:
            run.stage(POSES, None, [], lambda _: _photographs())
            run.stage(SURFACE, None, [], lambda _: elevation)
            run.stage(TRACKS, None, [], lambda _: Tracked(clips=(clip,)))
            run.stage(FRAMES, None, [], lambda _: ExtractedFrames(clips=(taken,)))
            left_out = [Skipped(name=f.name, reason="not placed", sha256=f.sha256) for f in frames]
            write_cameras(_photographs(), case.products / "cameras.json", left_out=left_out)
            run.deliver(case.products / "cameras.json", "cameras.json")
    return case_path


BAROMETRIC = VerticalDatum.BAROMETRIC


def _frame(sha256, time_s):
    return Frame(
        sha256=f"{float(time_s):064.1f}".replace(".", "0"),
        name=f"news.mp4 {float(time_s)}",
        path="x.jpg",
        width_px=SIZE[0],
        height_px=SIZE[1],
        orientation=1,
        camera_key="news",
        focal_px=440.0,
        focal_sigma_px=40.0,
        focal_source=FocalSource.ASSUMED,
        moment=Moment(clip_sha256=sha256, clip_name="news.mp4", time_s=time_s, shot=0),
    )


def _photographs():
    """Three photographs over the district, placed."""
    level = ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0))
    camera = Camera(
        model="OPENCV",
        width_px=480,
        height_px=272,
        params=LENS,
        focal_prior_px=440.0,
        focal_prior_source=FocalSource.FOCAL_35MM,
        focal_sigma_px=4.0,
        focal_decision="held",
    )
    placed = tuple(
        PlacedFrame(
            frame=replace(_frame("0" * 64, Fraction(k)), sha256=f"{k}" * 64, moment=None),
            camera=0,
            group=0,
            reprojection_px=0.3,
            tie_points=100,
            ground_m=(249.0, 251.0),
            pose=CameraPose(
                rotation_cam_from_world=level,
                position_m=(500_740.0 + k, 3_978_350.0, 350.0),
                covariance_m2=((0.01, 0, 0), (0, 0.01, 0), (0, 0, 0.01)),
            ),
        )
        for k in range(3)
    )
    return Reconstruction(
        crs="EPSG:32637",
        vertical_datum=BAROMETRIC,
        cameras=(camera,),
        placed=placed,
        skipped=(),
        points="",
        mapped_group=0,
        group_sizes=(3,),
        reprojection_px=0.3,
    )


def _locate(mapped, points):
    return status_of(["locate", str(mapped), "news.mp4", "--points", points])


def test_what_is_located_is_in_the_index_and_in_cameras_json(mapped, scene, district, capsys):
    assert _locate(mapped, _ties(district, scene)) == 0
    said = capsys.readouterr().out
    assert "index: 1 seconds of the clip, shot 1 located by hand" in said
    cameras = json.loads((mapped / "products/cameras.json").read_text())["frames"]
    assert [one["registered"] for one in cameras] == [True] * 5
    assert [one["source"] for one in cameras[3:]] == ["resected"] * 2
    assert [one["time_s"] for one in cameras[3:]] == ["1/10", "3/5"]
    for one, k in zip(cameras[3:], (1, 6), strict=True):
        assert np.linalg.norm(np.array(one["position_m"]) - _camera(k)[1]) < 1.0
        # Of a position alone a circle holds 90 % in 1.645 to 2.146 sigma; turns and heights add.
        assert one["ce90_m"] > 1.645 * min(one["position_sigma_m"][:2])
        assert one["ce90_m"] < 5 * max(one["position_sigma_m"])
    with closing(sqlite3.connect(mapped / "case.gpkg")) as record:
        assert record.execute("SELECT DISTINCT clip, source FROM segment").fetchall() == [
            ("news.mp4", "resected")
        ]
    assert sorted(path.suffix for path in (mapped / "products/clips").iterdir()) == [
        ".json",
        ".parquet",
    ]


def test_who_located_what_by_which_ties_is_in_the_chain_of_custody(mapped, scene, district, capsys):
    points = _ties(district, scene)
    assert _locate(mapped, points) == 0
    sha256 = sha256_of_file(Path(points))
    assert f"points stored in the case, SHA-256 {sha256}" in capsys.readouterr().out
    with Case.open_to_read(mapped) as case:
        *_, entry = [one for one in entries_of(case.package) if one.action == "located"]
        assert json.loads(entry.detail)["ties_sha256"] == sha256
        assert (case.store.folder / sha256[:2] / f"{sha256}.csv").read_bytes() == (
            Path(points).read_bytes()
        )
    assert status_of(["verify", str(mapped)]) == 0


def test_a_later_map_takes_up_the_poses_only_where_they_fit(mapped, scene, district):
    assert _locate(mapped, _ties(district, scene)) == 0
    with Case.open_to_read(mapped) as case:
        (path,) = by_hand_in(case)
        (clip,) = [one for one in case.media() if isinstance(one, Clip)]
        shot = Shot(index=0, start_s=Fraction(0), end_s=Fraction(1), begins="clip")
        taken = ClipFrames(clip_sha256=clip.sha256, shots=(shot,), frames=(), skipped=())
    ground = Ground(kind=GroundKind.FLAT, sigma_m=3.0)
    place = MapPlace(crs="EPSG:32637", ground=ground, datum=BAROMETRIC)
    flights = flights_of(place, [clip], [taken], _photographs(), [path])
    assert flights.paths == (path,)
    assert flights.skipped == ()
    moved = replace(place, crs="EPSG:32638")
    flights = flights_of(moved, [clip], [taken], _photographs(), [path])
    assert flights.paths == ()
    assert "run aftermap locate again with its points" in flights.skipped[0].reason


def test_a_shot_that_is_located_anew_replaces_its_poses(mapped, scene, district):
    for count in (12, 11):
        assert _locate(mapped, _ties(district, scene, count=count)) == 0
    (product,) = (mapped / "products/located").glob("news-*.json")
    path = decode_artefact(Trajectory, json.loads(product.read_text()), root=mapped)
    times = [pose.time_s for pose in path.poses]
    assert len(times) == len(set(times))
