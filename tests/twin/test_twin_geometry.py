from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from tiny_district import Made, small

from aftermap.geo.axes import corner_from_opencv_px, opencv_from_corner_px
from aftermap.geo.lens import projected_px
from aftermap_twin.caster import Caster
from aftermap_twin.flight import height_above_ground_m, stations_of
from aftermap_twin.making import scene_for
from aftermap_twin.options import ORIGIN_M, TwinOptions
from aftermap_twin.render import picture, studio_for
from aftermap_twin.truth import is_mark_seen, mark_px

Array = npt.NDArray[np.float64]


def centre_of_quarters(image: Array, near_px: Array) -> Array:
    """Centre of a quartered disc: the saddle of a quadratic fitted to the blurred picture."""
    column, row = np.floor(near_px).astype(int)
    patch = cv2.GaussianBlur(image, (0, 0), 1.0)[row - 3 : row + 4, column - 3 : column + 4]
    y, x = np.mgrid[-3:4, -3:4]
    terms = np.stack([x**2, x * y, y**2, x, y, np.ones_like(x)], -1).reshape(-1, 6)
    a, b, c, d, e, _ = np.linalg.lstsq(terms.astype(float), patch.ravel(), rcond=None)[0]
    saddle = np.linalg.solve([[2 * a, b], [b, 2 * c]], [-d, -e])
    return corner_from_opencv_px(np.array([column, row]) + saddle)


def test_marks_are_painted_where_their_true_positions_project() -> None:
    options = small(width_px=480, height_px=360, ground_sample_m=0.07, photos=4, flat=True)
    stations = stations_of(options)
    scene = scene_for(options, stations)
    studio = studio_for(options, scene)
    errors = []
    for number, station in enumerate(stations):
        grey = picture(studio, station, number).mean(2)
        for mark in scene.marks_m[::2]:  # the quartered discs
            if is_mark_seen(options, studio.caster, station, mark):
                expected = mark_px(options, station, mark)
                errors.append(centre_of_quarters(grey, expected) - expected)
    assert len(errors) >= 4
    assert np.abs(errors).max() < 0.3
    assert np.abs(np.mean(errors, axis=0)).max() < 0.1


def surface_points(made: Made, step: int) -> Array:
    """(N, 3) east, north and height of every so many cells of surface.tif."""
    with rasterio.open(made.folder / "truth" / "surface.tif") as raster:
        heights, nodata, transform = raster.read(1), raster.nodata, raster.transform
    rows, columns = (
        index.ravel()
        for index in np.mgrid[0 : heights.shape[0] : step, 0 : heights.shape[1] : step]
    )
    east = transform.c + (columns + 0.5) * transform.a
    north = transform.f + (rows + 0.5) * transform.e
    points = np.column_stack([east, north, heights[rows, columns]])
    return points[points[:, 2] != nodata]


def seen_grey(made: Made, frame: dict[str, object], points: Array, shift_px: float = 0.0) -> Array:
    """(N,) brightness at the points as one photograph shows them; NaN outside it."""
    path = made.photo(str(frame["name"]))
    grey = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE).astype(np.float32)
    rotation = np.array(frame["rotation_cam_from_world"])
    cam = (points - np.array(frame["position_m"])) @ rotation.T
    xy = opencv_from_corner_px(projected_px(cam, frame["params"])) + shift_px  # type: ignore[arg-type]
    xy = xy.astype(np.float32)
    parts = [
        cv2.remap(grey, part[:, :1], part[:, 1:], cv2.INTER_LINEAR, borderValue=float("nan"))
        for part in np.array_split(xy, len(xy) // 30_000 + 1)
    ]
    return np.concatenate(parts).ravel()


def test_two_photographs_agree_on_the_true_surface_and_only_there(made: Made) -> None:
    frames = made.truth("cameras.json")["frames"][:2]
    points = surface_points(made, 1)
    first = seen_grey(made, frames[0], points)

    def agreement(shift_px: float) -> float:
        second = seen_grey(made, frames[1], points, shift_px)
        both = np.isfinite(first) & np.isfinite(second)
        assert both.sum() > 2000
        return float(np.corrcoef(first[both], second[both])[0, 1])

    assert agreement(0.0) > 0.8
    assert agreement(0.0) > agreement(0.7) + 0.005
    assert agreement(0.0) > agreement(-0.7) + 0.005


def test_the_true_surface_is_what_a_plumb_line_meets_first(made: Made) -> None:
    scene = scene_for(made.options, stations_of(made.options))
    points = surface_points(made, 7)
    below = points - ORIGIN_M - [0, 0, 0.05]
    above = points - ORIGIN_M + [0, 0, 0.05]
    up = np.tile(np.array([0, 0, 1], np.float32), (len(points), 1))
    caster = Caster(scene.mesh)
    assert caster.is_free(above.astype(np.float32), up).mean() > 0.999
    assert caster.is_free(below.astype(np.float32), up).mean() < 0.001


def test_terrain_never_stands_above_the_surface_by_more_than_a_crater(made: Made) -> None:
    with rasterio.open(made.folder / "truth" / "surface.tif") as raster:
        surface, nodata = raster.read(1), raster.nodata
        assert raster.crs.to_epsg() == 32637
        assert raster.tags()["vertical_datum"] == "ellipsoid"
    with rasterio.open(made.folder / "truth" / "terrain.tif") as raster:
        terrain = raster.read(1)
    inside = surface != nodata
    assert inside.mean() > 0.5
    assert (terrain[inside] - surface[inside]).max() < 1.6
    assert np.abs(terrain[inside] - ORIGIN_M[2]).max() < made.options.relief_m


def test_gcp_list_repeats_the_projections_within_the_click_noise(made: Made) -> None:
    lines = (made.folder / "truth" / "gcp_list.txt").read_text().splitlines()
    frames = {frame["name"]: frame for frame in made.truth("cameras.json")["frames"]}
    marks = {mark["name"]: mark for mark in made.truth("marks.json")}
    assert lines[0] == "EPSG:32637"
    misses = []
    for line in lines[1:]:
        *numbers, image, name = line.split()
        east, north, height, x, y = map(float, numbers)
        assert [east, north, height] == [marks[name][axis] for axis in "ENH"]
        frame = frames[image]
        cam = np.array(frame["rotation_cam_from_world"]) @ (
            np.array([east, north, height]) - frame["position_m"]
        )
        misses.append(projected_px(cam[None], frame["params"])[0] - [x, y])
        assert 15 < x < made.options.width_px - 15
        assert 15 < y < made.options.height_px - 15
    assert len(misses) >= 20
    assert np.std(misses) == pytest.approx(made.options.click_sigma_px, rel=0.4)


def test_pixels_on_level_ground_have_the_asked_size() -> None:
    options = TwinOptions()
    assert height_above_ground_m(options) / options.focal_px == pytest.approx(0.077)


def test_photographs_overlap_as_asked() -> None:
    options = TwinOptions(height_sigma_m=0, tilt_sigma_deg=0)
    stations = stations_of(options)
    assert len(stations) == 99
    places = np.array([station.position_m[:2] for station in stations]).reshape(9, 11, 2)
    along = np.linalg.norm(np.diff(places, axis=1), axis=2).mean()
    forward = 1 - along / (options.height_px * options.ground_sample_m)
    lines = places.mean(1)
    side = 1 - np.linalg.norm(lines[-1] - lines[0]) / 8 / (
        options.width_px * options.ground_sample_m
    )
    assert forward == pytest.approx(0.75, abs=0.01)
    assert side == pytest.approx(0.65, abs=0.01)


def test_level_ground_without_houses_can_be_asked_for(tmp_path: Path) -> None:
    options = small(flat=True, relief_m=0.0, photos=2)
    scene = scene_for(options, stations_of(options))
    assert not scene.buildings
    assert float(np.ptp(scene.ground.bare_m)) == 0.0
    assert float(np.ptp(scene.ground.height_m)) < 0.4
