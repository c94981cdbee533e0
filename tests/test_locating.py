"""``aftermap locate`` on a made-up case: a surface, and a clip drawn over it."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import rasterio

from aftermap.cli import status_of
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.crs import transformed_xy
from aftermap.geo.lens import rays_cam
from aftermap.model.flight import ClipPath, PoseSource
from aftermap.poses.drape import draped, places_met
from aftermap.poses.reference import reference_of
from aftermap.record import Case
from aftermap.record.artefact import decoded

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
        case / "products/surface.tif", "w", driver="GTiff", dtype="float32", count=1, width=500,
        height=500, crs="EPSG:32637", transform=transform, nodata=-9999,
    ) as raster:  # fmt: skip
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
    assert "news.mp4 at 0.400 s, shot 0" in said
    assert "residual px" in said
    (product,) = (scene / "case/products/located").glob("news-*.json")
    path = decoded(ClipPath, json.loads(product.read_text()), root=scene / "case")
    assert path.vertical_datum == "barometric"
    assert [pose.time_s for pose in path.poses] == [Fraction(k, 10) for k in range(PICTURES)]
    assert {pose.source for pose in path.poses} == {PoseSource.RESECTED}
    for k, pose in enumerate(path.poses):
        assert np.linalg.norm(np.array(pose.pose.position_m) - _camera(k)[1]) < 1.0
        assert 0 < pose.ce90_m < 5


def test_heights_are_taken_from_the_surface_and_that_is_said(scene, district, capsys):
    points = _ties(district, scene, change=lambda row: [*row[:5], ""])
    assert _run(scene, points) == 0
    assert "12 of 12 heights at 0.400 s are those of the case's surface" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ({"change": lambda r: [*r[:3], r[4], r[3], r[5]]}, "lon and lat are exchanged"),
        ({"change": lambda r: [*r[:4], -r[4], r[5]]}, "other side of the equator"),
        ({"count": 5}, "5 points, and a camera needs 6"),
        ({"change": lambda r: [99, *r[1:]]}, "has 10 pictures, and ties name frame 99"),
        ({"change": lambda r: [r[0], r[1] + 400, *r[2:]]}, "lies outside the picture"),
        ({"change": lambda r: [r[0], "nan", *r[2:]]}, "px is 'nan'"),
        ({"change": lambda r: [*r[:5], 250]}, "lie in one plane"),
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
    assert "is no clip of the case" in capsys.readouterr().err
    Case.create_or_open(tmp_path / "empty").close()
    clip = str(scene / "news.mp4")
    assert status_of(["locate", str(tmp_path / "empty"), clip, "--points", points]) == 2
    assert "run aftermap map on footage first" in capsys.readouterr().err
