"""What a clip saw, over ground where that is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from made_up_paths import (
    EAST_M,
    GROUND_M,
    NORTH_M,
    UNSURE,
    path_of,
    pose,
    straight_flight,
    write_surface,
)
from rasterio.crs import CRS
from rasterio.shutil import copy
from rasterio.vrt import WarpedVRT
from scipy.spatial.transform import Rotation

from aftermap.errors import InputError
from aftermap.model.media import VerticalDatum
from aftermap.model.sighting import FLAT_GROUND, Ground, GroundKind, column_row_of
from aftermap.model.trajectory import ClipPose, PoseSource
from aftermap.viewshed.options import SightingOptions
from aftermap.viewshed.terrain import open_ground

WALL_M = 20.0


def sightings_of(clip_index) -> dict[tuple[int, int, int], dict]:
    """Rows by level, column and row of their cell, for a clip of one second."""
    rows = pq.read_table(clip_index.sightings).to_pylist()
    return {column_row_of(row["place"]): row for row in rows}


def walled(path: Path, *, datum=VerticalDatum.ELLIPSOID) -> Ground:
    """A wall 10 m thick and 20 m high, 60 to 70 m north of the place, on a level of 250 m."""
    heights = np.full((600, 600), GROUND_M, np.float32)
    heights[300 - 70 : 300 - 60, 200:400] = GROUND_M + WALL_M
    surface = write_surface(
        path / "surface.tif", heights, west_m=EAST_M - 300, north_m=NORTH_M + 300
    )
    return Ground(kind=GroundKind.SURFACE, path=str(surface), vertical_datum=datum, sigma_m=0.3)


def north_looking(**kwargs):
    return pose(0, (EAST_M, NORTH_M, GROUND_M + 60), pitch_deg=-30, **kwargs)


def cell_at(east_m: float, north_m: float, size_m: int = 10) -> tuple[int, int]:
    return int((EAST_M + east_m) // size_m), int((NORTH_M + north_m) // size_m)


def test_cells_under_a_nadir_camera_are_those_of_its_picture(indexed):
    only = pose(0, (EAST_M, NORTH_M, GROUND_M + 120))
    rows = sightings_of(indexed(path_of([only])).clips[0])
    whole = {place for place, row in rows.items() if row["framed_percent"] == 100}
    assert len(whole) == 16 * 12
    below = rows[(0, *cell_at(5, 5))]
    assert below["gsd_mm"] == 100
    assert below["off_nadir_deg"] == 3
    assert below["faces"] == 0


def test_a_wall_hides_the_street_behind_it(indexed, tmp_path):
    """The camera is 60 m up: a wall of 20 m ending 70 m away hides to 70 * 60 / 40 = 105 m."""
    ground = walled(tmp_path)
    index = indexed(path_of([north_looking()]), ground=ground)
    rows = sightings_of(index.clips[0])
    assert index.clips[0].ground is GroundKind.SURFACE
    assert rows[(0, *cell_at(5, 55))]["occluded_percent"] == 0
    assert rows[(0, *cell_at(5, 65))]["occluded_percent"] == 0  # the wall itself
    for hidden_m in (75, 85, 95):
        assert (0, *cell_at(5, hidden_m)) not in rows
    assert rows[(0, *cell_at(5, 105))]["occluded_percent"] in (33, 67)  # 3 x 3 samples
    assert rows[(0, *cell_at(5, 125))]["occluded_percent"] == 0
    level = sightings_of(indexed(path_of([north_looking()])).clips[0])
    assert level[(0, *cell_at(5, 85))]["occluded_percent"] == 0


def test_a_wall_that_was_only_filled_in_hides_nothing_whatever_its_height(indexed, tmp_path):
    told = []
    for name, high_m in (("low", GROUND_M), ("wall", GROUND_M + WALL_M), ("sky", 9000.0)):
        heights = np.full((600, 600), GROUND_M, np.float32)
        filled = np.zeros((600, 600), bool)
        filled[300 - 70 : 300 - 60, 200:400] = True
        heights[filled] = high_m
        (tmp_path / name).mkdir()
        place = {"west_m": EAST_M - 300, "north_m": NORTH_M + 300}
        surface = write_surface(tmp_path / name / "surface.tif", heights, **place)
        counts = np.where(filled, 0, 4).astype(np.float32)
        write_surface(tmp_path / name / "confidence.tif", counts, **place)
        ground = Ground(
            kind=GroundKind.SURFACE,
            path=str(surface),
            sigma_m=0.3,
            vertical_datum=VerticalDatum.ELLIPSOID,
        )
        told.append(sightings_of(indexed(path_of([north_looking()]), ground=ground).clips[0]))
    assert told[0] == told[1] == told[2]
    assert told[0][(0, *cell_at(5, 85))]["occluded_percent"] == 0


def test_heights_from_another_datum_are_not_used_and_the_note_says_so(indexed, tmp_path):
    ground = walled(tmp_path, datum=VerticalDatum.GEOID)
    index = indexed(path_of([north_looking()]), ground=ground)
    assert index.clips[0].ground is GroundKind.FLAT
    assert "geoid" in index.clips[0].notes[0]


def test_a_surface_in_degrees_is_brought_to_the_clip(indexed, tmp_path):
    ground = walled(tmp_path)
    degrees = tmp_path / "degrees.tif"
    with rasterio.open(ground.path) as raster, WarpedVRT(raster, crs=CRS.from_epsg(4326)) as view:
        copy(view, degrees, driver="GTiff")
    dem = Ground(kind=GroundKind.DEM, path=str(degrees), sigma_m=0.3)
    rows = sightings_of(indexed(path_of([north_looking()]), ground=dem).clips[0])
    assert (0, *cell_at(5, 85)) not in rows
    assert rows[(0, *cell_at(5, 55))]["occluded_percent"] == 0


def test_a_ground_file_that_is_none_is_refused_by_name(indexed, tmp_path):
    bad = tmp_path / "notes.tif"
    bad.write_text("no raster")
    ground = Ground(kind=GroundKind.DEM, path=str(bad), sigma_m=1.0)
    with pytest.raises(InputError, match=r"notes\.tif: cannot be read as an elevation raster"):
        indexed(path_of([north_looking()]), ground=ground)


def test_an_unsure_clip_is_filed_under_larger_cells(indexed):
    unsure = path_of([north_looking(sigmas=UNSURE, source=PoseSource.TELEMETRY)])
    rows = sightings_of(indexed(unsure).clips[0])
    assert {level for level, _, _ in rows} == {1}
    assert min(row["ce90_dm"] for row in rows.values()) > 100
    at_the_edge = [row for row in rows.values() if row["framed_percent"] == 0]
    assert at_the_edge
    assert all(row["occluded_percent"] is None for row in at_the_edge)


def test_the_best_moment_of_a_second_is_the_nearest(indexed):
    flight = straight_flight(1, rate_hz=3, speed_m_s=300)  # 0, 100 and 200 m east
    rows = sightings_of(indexed(path_of(flight)).clips[0])
    for east_m, best_ms in ((5, 0), (105, 333), (205, 667)):
        assert rows[(0, *cell_at(east_m, 5))]["best_ms"] == best_ms


def test_a_ray_over_the_horizon_ends_at_five_heights(indexed):
    level = pose(0, (EAST_M, NORTH_M, GROUND_M + 100), pitch_deg=-5)
    row = pq.read_table(indexed(path_of([level])).clips[0].footprints).to_pylist()[0]
    ring = np.frombuffer(row["geometry"], "<f8", offset=13).reshape(-1, 2)
    reach = np.linalg.norm(ring - [EAST_M, NORTH_M], axis=1)
    assert reach.max() == pytest.approx(500)
    assert row["ce90_m"] is None  # the middle of the picture shows no ground within reach
    assert row["precision"] == "none"


def test_what_cannot_be_indexed_is_listed_with_its_reason(indexed):
    sky = path_of([pose(0, (EAST_M, NORTH_M, GROUND_M + 50), pitch_deg=40)], name="sky.mp4")
    empty = path_of([], name="empty.mp4")
    below = path_of([pose(0, (EAST_M, NORTH_M, GROUND_M - 5))], name="below.mp4", sha256="c" * 64)
    index = indexed(sky, empty, below)
    assert index.clips == ()
    reasons = {one.name: one.reason for one in index.skipped}
    assert set(reasons) == {"sky.mp4", "empty.mp4", "below.mp4"}
    assert "no second" in reasons["empty.mp4"]
    assert "only sky" in reasons["sky.mp4"]


def test_names_of_products_suit_every_disk(indexed):
    clip = path_of([north_looking()], name="../تصوير جوي: 1?.MP4", sha256="f" * 64)
    made = indexed(clip).clips[0]
    assert made.name.endswith("-ffffffff")
    assert not set(made.name) & set('/\\:?*"<>| ')


def drawn(true: ClipPose, random: np.random.Generator) -> ClipPose:
    """The pose as it would be told, off by an error of its own covariance."""
    error = random.multivariate_normal(np.zeros(6), np.array(true.covariance))
    turn = Rotation.from_rotvec(error[3:]).as_matrix()
    rotation = np.array(true.pose.rotation_cam_from_world) @ turn.T
    told = replace(
        true.pose,
        rotation_cam_from_world=tuple(map(tuple, rotation.tolist())),
        position_m=tuple((np.array(true.pose.position_m) + error[:3]).tolist()),
    )
    return replace(true, pose=told)


def middle_m(one: ClipPose) -> np.ndarray:
    axis = np.array(one.pose.rotation_cam_from_world)[2]
    position = np.array(one.pose.position_m)
    return (position + axis * (GROUND_M - position[2]) / axis[2])[:2]


@pytest.mark.parametrize("pitch_deg", [-90, -45, -25])
def test_nine_of_ten_true_middles_lie_inside_the_stated_circle(indexed, pitch_deg):
    random = np.random.default_rng(7)
    where = (EAST_M, NORTH_M, GROUND_M + 100)
    true = [pose(i / 30, where, pitch_deg=pitch_deg, sigmas=(3.0, 1.0)) for i in range(600)]
    told = [drawn(one, random) for one in true]
    exact = Ground(kind=FLAT_GROUND.kind, sigma_m=0.0)
    made = indexed(path_of(told), ground=exact).clips[0]
    stated = pq.read_table(made.footprints, columns=["ce90_m"]).column(0).to_numpy()
    errors = [np.linalg.norm(middle_m(a) - middle_m(b)) for a, b in zip(true, told, strict=True)]
    assert 0.87 < np.mean(errors <= stated) < 0.93


def test_a_window_of_many_cells_mixes_nothing_filled_into_measured_heights(tmp_path, monkeypatch):
    """Above so many cells single ones are taken, with the count of that cell, and no means."""
    monkeypatch.setattr("aftermap.viewshed.terrain.MOST_CELLS", 1000)
    heights = np.full((600, 600), GROUND_M, np.float32)
    heights[:, ::3] = 9000
    place = {"west_m": EAST_M - 300, "north_m": NORTH_M + 300}
    surface = write_surface(tmp_path / "surface.tif", heights, **place)
    counts = np.where(heights > 1000, 0, 4).astype(np.float32)
    write_surface(tmp_path / "confidence.tif", counts, **place)
    with rasterio.open(surface, "r+") as file:
        file.build_overviews([2, 4], rasterio.enums.Resampling.average)
    ground = Ground(kind=GroundKind.SURFACE, path=str(surface), sigma_m=0.3)
    options = SightingOptions(march_cell_m=2.2)
    with open_ground(ground, "EPSG:32637", GROUND_M, options) as windows:
        found = windows.over((EAST_M - 100, NORTH_M - 90, EAST_M + 80, NORTH_M + 100))
    assert found.cell_m == 2.2
    assert (found.height_m == GROUND_M).all()
