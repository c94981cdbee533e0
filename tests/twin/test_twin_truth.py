import hashlib

import numpy as np
from examples import share_of_examples
from hypothesis import given
from hypothesis import strategies as st
from tiny_district import Made

from aftermap.model.assessment import Grade
from aftermap_twin.city.damage import OUTSIDE, floors_left
from aftermap_twin.city.layout import area_m2, inset, on_quad, plan_over
from aftermap_twin.flight import stations_of
from aftermap_twin.lookups import NOISE_SIZE, STONE_SIZE
from aftermap_twin.making import scene_for
from aftermap_twin.options import Flight, TwinOptions
from aftermap_twin.streets import PASSABLE_WIDTH_M
from aftermap_twin.tiles import make_tiles


def signed_area(ring: list[list[float]]) -> float:
    x, y = np.array(ring).T
    return float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2


def test_cameras_json_names_every_photograph_by_its_bytes(made: Made) -> None:
    document = made.truth("cameras.json")
    assert document["crs"] == "EPSG:32637"
    assert len(document["frames"]) == made.summary.photos
    for frame in document["frames"]:
        data = made.photo(frame["name"]).read_bytes()
        assert frame["sha256"] == hashlib.sha256(data).hexdigest()
        rotation = np.array(frame["rotation_cam_from_world"])
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert len(frame["params"]) == 8


def test_buildings_are_valid_geojson_with_grades(made: Made) -> None:
    features = made.truth("buildings.geojson")["features"]
    assert len(features) == made.summary.buildings
    for feature in features:
        outer, *courtyards = feature["geometry"]["coordinates"]
        assert outer[0] == outer[-1]
        assert signed_area(outer) > 0
        assert all(signed_area(ring) < 0 for ring in courtyards)
        facts = feature["properties"]
        assert facts["grade"] in set(Grade)
        assert 2.5 < facts["height_m"] / facts["levels"] < 3.5
        assert (facts["standing_share"] == 1.0) or facts["grade"] != "none"
        assert all(38.9 < lon < 39.1 and 35.9 < lat < 36.0 for lon, lat in outer)


def test_street_pieces_are_blocked_where_no_car_gets_through(made: Made) -> None:
    pieces = [feature["properties"] for feature in made.truth("streets.geojson")["features"]]
    assert sum(piece["blocked"] for piece in pieces) == made.summary.blocked_streets
    for piece in pieces:
        assert 0 <= piece["free_width_m"] <= piece["width_m"] + 0.01
        assert piece["blocked"] == (piece["free_width_m"] < PASSABLE_WIDTH_M)


def test_damage_comes_in_the_asked_shares() -> None:
    options = TwinOptions(photos=12, damage_mix=(0.2, 0.2, 0.2, 0.2, 0.2))
    scene = scene_for(options, stations_of(options))
    grades = [building.grade for building in scene.buildings]
    assert len(grades) > 40
    for grade in Grade:
        assert abs(grades.count(grade) / len(grades) - 0.2) < 0.03


def test_marks_lie_on_open_ground_far_apart(made: Made) -> None:
    scene = scene_for(made.options, stations_of(made.options))
    ground = scene.ground
    assert 6 <= len(scene.marks_m) <= 12
    gaps = np.linalg.norm(scene.marks_m[:, None, :2] - scene.marks_m[None, :, :2], axis=2)
    assert gaps[~np.eye(len(gaps), dtype=bool)].min() >= 4
    for mark in scene.marks_m:
        assert ground.value(ground.built, mark[:2]) == 0
        assert ground.value(ground.rubble, mark[:2]) == 0
        around = mark[:2] + np.array([[0.8, 0], [-0.8, 0], [0, 0.8], [0, -0.8]])
        assert np.ptp(ground.placed(around)[:, 2]) < 1e-6


def test_record_holds_the_options_and_the_versions(made: Made) -> None:
    record = made.truth("twin.json")
    assert record["options"]["seed"] == made.options.seed
    assert record["options"]["gps_sigma_m"] == [1.0, 1.0, 1.5]
    assert "embreex" in record["versions"]
    assert record["light"]["sun_azimuth_deg"] == made.options.sun_azimuth_deg
    assert record["light"]["haze_m"] is None


def test_oblique_flights_look_in_from_four_sides() -> None:
    stations = stations_of(TwinOptions(flight=Flight.OBLIQUE, photos=40, tilt_sigma_deg=0.1))
    headings = {round(station.yaw_deg / 90) % 4 for station in stations}
    assert headings == {0, 1, 2, 3}
    assert all(-60 < station.pitch_deg < -45 for station in stations)
    mixed = stations_of(TwinOptions(flight=Flight.MIXED, photos=50))
    nadir = [station for station in mixed if station.pitch_deg < -80]
    assert 0.4 < len(nadir) / len(mixed) < 0.8


@given(
    seed=st.integers(0, 10_000),
    grade=st.sampled_from(list(Grade)),
    levels=st.integers(1, 5),
    rows=st.integers(12, 40),
    columns=st.integers(12, 40),
)
def test_damage_only_takes_away(
    seed: int, grade: Grade, levels: int, rows: int, columns: int
) -> None:
    mask = np.ones((rows, columns), bool)
    mask[: rows // 3, : columns // 3] = False
    left = floors_left(np.random.default_rng(seed), grade, mask, levels, 0.5)
    assert ((left == OUTSIDE) == ~mask).all()
    assert left[mask].min() >= 0
    assert left[mask].max() <= levels
    standing = left[mask].sum() / (mask.sum() * levels)
    low, high = {
        Grade.NONE: (1.0, 1.0),
        Grade.LIGHT: (0.8, 0.9999),
        Grade.MODERATE: (0.2, 0.9999),
        Grade.SEVERE: (0.05, 0.85),
        Grade.DESTROYED: (0.0, 0.25),
    }[grade]
    assert low <= standing <= high


@given(seed=st.integers(0, 10_000))
@share_of_examples(0.4)
def test_lots_lie_inside_their_blocks_and_blocks_inside_the_plan(seed: int) -> None:
    low, high = np.array([-90.0, -70.0]), np.array([90.0, 70.0])
    plan = plan_over(np.random.default_rng(seed), low, high)
    blocks = sum(area_m2(block) for block in plan.blocks)
    streets = sum(street.length_m * street.width_m for street in plan.streets)
    lots = sum(area_m2(lot.corners_m) for lot in plan.lots)
    assert lots < blocks
    assert blocks + streets > 180 * 140
    assert len(plan.streets) == len(plan.blocks) - 1


@given(u=st.floats(0, 1), v=st.floats(0, 1), by=st.floats(0.1, 2))
def test_inset_keeps_its_distance(u: float, v: float, by: float) -> None:
    quad = np.array([[0.0, 0.0], [21.0, 1.0], [20.0, 15.0], [-1.0, 14.0]])
    x, y = on_quad(inset(quad, by), np.array([[u, v]]))[0]
    for k in range(4):
        start, run = quad[k], quad[(k + 1) % 4] - quad[k]
        away = (run[0] * (y - start[1]) - run[1] * (x - start[0])) / np.linalg.norm(run)
        assert away >= by - 1e-6


def test_tiles_wrap_round() -> None:
    tiles = make_tiles(np.random.default_rng(3), np.array([0.4, -0.3, 0.8]))
    for flat in tiles.noise[:3]:
        plane = flat[: NOISE_SIZE**2].reshape(NOISE_SIZE, NOISE_SIZE)
        inner = np.abs(np.diff(plane, axis=1)).mean()
        seam = np.abs(plane[:, 0] - plane[:, -1]).mean()
        assert seam < 1.5 * inner
    colour = tiles.stones[: STONE_SIZE**2, :3].reshape(STONE_SIZE, STONE_SIZE, 3)
    inner = np.abs(np.diff(colour, axis=0)).mean()
    assert np.abs(colour[0] - colour[-1]).mean() < 1.5 * inner
