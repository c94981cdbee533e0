"""``aftermap seen``: which footage shows a spot, the best first; the same after every run."""

import json
import shutil
import sqlite3
from pathlib import Path

import pyogrio
import pytest
from in_process import InProcess
from made_up_paths import (
    CRS,
    EAST_M,
    GROUND_M,
    NORTH_M,
    UNSURE,
    files_in,
    path_of,
    pose,
    straight_flight,
)

from aftermap.cli import status_of
from aftermap.errors import CaseError
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.model.sighting import FLAT_GROUND
from aftermap.model.trajectory import PoseSource
from aftermap.record import Case
from aftermap.search.in_polygon import clips_in_ring
from aftermap.search.places import clips_at_xy
from aftermap.viewshed import index_clips

SPOT = (EAST_M + 33.0, NORTH_M + 22.0)
NEAR = path_of(straight_flight(8, height_m=80), name="near.mp4", sha256="1" * 64)
HIGH = path_of(straight_flight(8, height_m=160), name="high.mp4", sha256="2" * 64)
UNSURE_CLIP = path_of(
    straight_flight(8, height_m=80, sigmas=UNSURE, source=PoseSource.TELEMETRY),
    name="unsure.mp4",
    sha256="3" * 64,
)
SLANTED = path_of(
    [pose(i, (EAST_M + 33, NORTH_M - 120, GROUND_M + 80), pitch_deg=-28) for i in range(3)],
    name="slanted.mp4",
    sha256="4" * 64,
)


@pytest.fixture(scope="module")
def made_case(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("seen")
    paths = (HIGH, UNSURE_CLIP, SLANTED, NEAR)
    index = index_clips(paths, [], FLAT_GROUND, files_in(folder / "stage"), InProcess())
    with Case.create_or_open(folder / "case") as case:
        case.replace_clips(index)
    return folder / "case"


@pytest.fixture
def case_path(tmp_path: Path, made_case: Path) -> Path:
    return Path(shutil.copytree(made_case, tmp_path / "case"))


@pytest.fixture
def package(case_path: Path):
    with Case.open_to_read(case_path) as case:
        yield case.package


def square_around(xy, half_m=6.0):
    return [
        (xy[0] + x * half_m, xy[1] + y * half_m) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]


def lonlat_of(xy) -> str:
    ((lon, lat),) = transformed_xy(CRS, WGS84, [xy])
    return f"{lon:.8f},{lat:.8f}"


def test_the_sharpest_and_surest_view_comes_first(package):
    found = clips_at_xy(package, SPOT, limit=10)
    names = [one.clip_name for one in found]
    assert names[0] == "near.mp4"
    assert set(names) == {"near.mp4", "high.mp4", "slanted.mp4", "unsure.mp4"}
    assert [one.rank_m for one in found] == sorted(one.rank_m for one in found)
    near = found[0]
    assert near.ground_sample_m == pytest.approx(80 / 1200, rel=0.15)
    assert near.precision == "exact"
    slanted = next(one for one in found if one.clip_name == "slanted.mp4")
    assert slanted.azimuth_deg == pytest.approx(180, abs=3)
    assert slanted.faces == "S"
    assert len(clips_at_xy(package, SPOT, limit=2)) == 2


def test_seconds_that_follow_each_other_are_one_stretch(package):
    near = clips_at_xy(package, SPOT, limit=1)[0]
    assert (near.from_s, near.to_s) == (0.0, 7.5)
    assert near.best_s == pytest.approx(33 / 5, abs=0.6)


def test_a_pause_and_a_cut_part_two_stretches(tmp_path, indexed):
    def above(*times_s, shot=0):
        return [pose(t, (EAST_M + 33, NORTH_M + 22, GROUND_M + 80), shot=shot) for t in times_s]

    clip = path_of([*above(0.5, 1.5, 20.5, 21.25), *above(21.5, 22.5, shot=1)])
    with Case.create_or_open(tmp_path / "case") as case:
        case.replace_clips(indexed(clip))
        spot = clips_at_xy(case.package, SPOT, limit=9)
        block = clips_in_ring(case.package, square_around(SPOT), limit=9)
    for found in (spot, block):
        stretches = sorted((one.shot, one.from_s, one.to_s) for one in found)
        assert stretches == [(0, 0.5, 1.5), (0, 20.5, 21.25), (1, 21.5, 22.5)]


def test_a_clip_placed_by_telemetry_says_within_how_many_metres(package):
    unsure = next(one for one in clips_at_xy(package, SPOT, limit=9) if one.source == "telemetry")
    assert unsure.ce90_m > 10
    assert unsure.precision == "vicinity"


def test_a_polygon_finds_the_clips_that_a_spot_finds(package):
    at = {one.clip_name: one for one in clips_at_xy(package, SPOT, limit=10)}
    within = {one.clip_name: one for one in clips_in_ring(package, square_around(SPOT), limit=10)}
    assert set(within) == set(at)
    for name, one in within.items():
        assert one.ground_sample_m == pytest.approx(at[name].ground_sample_m, rel=0.1)
        assert one.ce90_m == pytest.approx(at[name].ce90_m, rel=0.35, abs=0.3)
        assert one.framed_fraction > 0.4


def test_what_was_not_seen_is_not_claimed(package):
    far = (EAST_M + 5000, NORTH_M)
    assert clips_at_xy(package, far, limit=5) == []
    assert clips_in_ring(package, square_around(far), limit=5) == []


def test_a_run_again_replaces_the_rows_of_its_clips(case_path, indexed):
    def counts():
        with Case.open_to_read(case_path) as case:
            tables = ("segment", "clip_footprint", "sighting", "rtree_segment_geom")
            answer = clips_at_xy(case.package, SPOT, limit=10)
            counted = [case.package.rows(f"SELECT count(*) FROM {t}")[0][0] for t in tables]  # noqa: S608
            return counted, [(one.clip_name, one.from_s, one.rank_m) for one in answer]

    before = counts()
    with Case.create_or_open(case_path) as case:
        case.replace_clips(indexed(NEAR, SLANTED))
    assert counts() == before
    with Case.create_or_open(case_path) as case:
        case.replace_clips(indexed(path_of(straight_flight(2), name="near.mp4", sha256="1" * 64)))
    assert counts()[0][0] == before[0][0] - 6
    with Case.create_or_open(case_path) as case:
        case.replace_clips(indexed(path_of([], name="near.mp4", sha256="1" * 64)))
    assert counts()[0][0] == before[0][0] - 8


def test_a_clip_in_another_crs_is_refused_in_one_line(case_path, indexed):
    index = indexed(NEAR)
    moved = type(index)(
        clips=(type(index.clips[0])(**{**vars(index.clips[0]), "crs": "EPSG:32638"}),)
    )
    with (
        Case.create_or_open(case_path) as case,
        pytest.raises(CaseError, match=r"near\.mp4: is placed in EPSG:32638"),
    ):
        case.replace_clips(moved)


def test_qgis_finds_the_layers_by_their_own_index(case_path):
    record = case_path / "case.gpkg"
    for layer in ("segment", "clip_footprint"):
        info = pyogrio.read_info(record, layer=layer)
        assert info["geometry_type"] == "Polygon"
        assert info["crs"] == CRS
        assert info["features"] == 8 * 3 + 3
        assert info["capabilities"]["fast_spatial_filter"]
    with sqlite3.connect(record) as connection:
        rules = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'segment'"
        ).fetchone()
        assert rules == (7,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for tree in ("rtree_segment_geom", "rtree_clip_footprint_geom"):
            assert connection.execute(f"SELECT rtreecheck('{tree}')").fetchone() == ("ok",)
    connection.close()


def test_the_command_says_it_in_one_line_for_each_stretch(case_path, capsys):
    assert status_of(["seen", str(case_path), "--at", lonlat_of(SPOT)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["clip", "from", "-"]
    assert lines[1].startswith("near.mp4")
    assert "does not identify a building" in lines[-1]
    assert sum(".mp4" in line for line in lines) == 4


def test_answers_in_json_and_geojson(case_path, tmp_path, capsys):
    ring = transformed_xy(CRS, WGS84, square_around(SPOT)).tolist()
    polygon = tmp_path / "block.geojson"
    shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    feature = {"type": "Feature", "properties": {}, "geometry": shape}
    polygon.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    asked = ["seen", str(case_path), "--polygon", str(polygon)]
    assert status_of([*asked, "--json", "--limit", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 2
    assert found[0]["clip_name"] == "near.mp4"
    assert found[0]["precision"] == "exact"
    assert status_of([*asked, "--geojson"]) == 0
    features = json.loads(capsys.readouterr().out)["features"]
    corners = features[0]["geometry"]["coordinates"][0]
    assert corners[0] == corners[-1]
    assert corners[0] == pytest.approx([39.0, 35.946], abs=0.01)


@pytest.mark.parametrize("place", ["0,0", "-170.5,80", "39.5,35.95", "139,-35"])
def test_a_place_outside_everything_was_not_seen(case_path, capsys, place):
    assert status_of(["seen", str(case_path), "--at", place]) == 0
    assert capsys.readouterr().out.startswith("no results")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--at", "39"], "LON,LAT"),
        (["--at", "39,nan"], "out of range"),
        (["--at", "39,95"], "longitude first"),
        ([], "exactly one of --at LON,LAT"),
        (["--at", "39,35", "--polygon", "x"], "exactly one of"),
        (["--polygon", "missing.geojson"], "cannot be read"),
        (["--polygon", "points.geojson"], "exactly one polygon"),
        (["--polygon", "metres.geojson"], "EPSG:4326"),
        (["--polygon", "empty.geojson"], "exactly one polygon"),
        (["--at", "39,35", "--limit", "0"], "limit"),
    ],
)
def test_a_slip_is_told_in_one_line(case_path, tmp_path, monkeypatch, capsys, words, says):
    monkeypatch.chdir(tmp_path)
    point = {"type": "Point", "coordinates": [39, 35]}
    metres = {"type": "Polygon", "coordinates": [[[5e5, 4e6], [5e5, 5e6], [6e5, 4e6], [5e5, 4e6]]]}
    Path("points.geojson").write_text(json.dumps(point))
    Path("metres.geojson").write_text(json.dumps(metres))
    Path("empty.geojson").write_text("[]")
    assert status_of(["seen", str(case_path), *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert says in captured.err


def test_a_case_of_photographs_has_seen_nothing_and_is_not_written_to(tmp_path, capsys):
    with Case.create_or_open(tmp_path / "case"):
        pass
    record = tmp_path / "case" / "case.gpkg"
    before = record.read_bytes()
    assert status_of(["seen", str(tmp_path / "case"), "--at", "39,35.9"]) == 0
    assert capsys.readouterr().out.startswith("no results")
    assert record.read_bytes() == before


def test_asking_writes_nothing(case_path):
    record = case_path / "case.gpkg"
    before = record.read_bytes()
    assert status_of(["seen", str(case_path), "--at", lonlat_of(SPOT)]) == 0
    assert record.read_bytes() == before
    assert sorted(path.name for path in case_path.glob("case.gpkg*")) == ["case.gpkg"]
