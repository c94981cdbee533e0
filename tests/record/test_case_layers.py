"""``case.gpkg`` as other programs see it: GDAL (as QGIS) opens it, with geometry and CRS right."""

import json
import sqlite3
import struct

import pyogrio
import pytest

from aftermap.model.runs import Skipped
from aftermap.record import Case
from aftermap.record.geometry import polygon
from aftermap.record.geopackage import APPLICATION_ID

SQUARE = [(0.0, 0.0), (0.0, 60.0), (80.0, 60.0), (80.0, 0.0)]  # clockwise and open


@pytest.fixture
def filled(case, tagged, untagged, reconstruction):
    case.add_media([tagged, untagged])
    footprints = {sha * 64: [(500_900 + x, 3_978_400 + y) for x, y in SQUARE] for sha in ("a", "b")}
    case.replace_cameras(
        reconstruction, footprints, skipped=[Skipped(name="note.txt", reason="is no picture")]
    )
    return case


def info(case: Case, layer: str) -> dict:
    return pyogrio.read_info(case.path / "case.gpkg", layer=layer)


def rows(case: Case, layer: str) -> list[dict]:
    meta, _, geometries, columns = pyogrio.raw.read(case.path / "case.gpkg", layer=layer)
    if geometries is None:
        geometries = [None] * len(columns[0])
    found = zip(*columns, geometries, strict=True)
    return [dict(zip([*meta["fields"], "geom"], row, strict=True)) for row in found]


def test_every_layer_is_there_with_its_geometry(filled):
    layers = dict(pyogrio.list_layers(filled.path / "case.gpkg"))
    assert layers == {
        "media": "Point",
        "camera": "Point Z",
        "camera_footprint": "Polygon",
        "run": None,
        "custody": None,
        "case_info": None,
    }


def test_layers_carry_their_crs(filled):
    assert info(filled, "media")["crs"] == "EPSG:4326"
    assert info(filled, "camera")["crs"] == "EPSG:32637"
    assert info(filled, "camera_footprint")["crs"] == "EPSG:32637"


def test_media_rows_say_what_the_camera_said(filled, tagged):
    first, second = rows(filled, "media")
    assert (first["name"], first["sha256"]) == (tagged.name, "a" * 64)
    assert (first["lon_deg"], first["lat_deg"], first["height_m"]) == (39.01, 35.95, 310.5)
    assert (first["vertical_datum"], first["focal_source"]) == ("barometric", "xmp_calibrated")
    assert struct.unpack("<2d", first["geom"][-16:]) == (39.01, 35.95)
    assert second["geom"] is None
    assert second["vertical_datum"] is None


def test_cameras_stand_where_they_were_placed_and_the_rest_say_why_not(filled):
    by_name = {row["name"]: row for row in rows(filled, "camera")}
    assert struct.unpack("<3d", by_name["a.jpg"]["geom"][-24:]) == (500_900, 3_978_400, 310)
    assert by_name["a.jpg"]["sigma_east_m"] == pytest.approx(0.2)
    assert by_name["a.jpg"]["registered"]
    assert by_name["a.jpg"]["mapped"]
    assert by_name["a.jpg"]["focal_px"] == 2301.0
    assert by_name["far.jpg"]["registered"]
    assert not by_name["far.jpg"]["mapped"]
    assert by_name["cat.jpg"]["geom"] is None
    assert by_name["cat.jpg"]["reason"] == "shares too little with others"
    assert by_name["note.txt"]["reason"] == "is no picture"


def test_footprints_are_the_ground_of_mapped_cameras(filled):
    found = rows(filled, "camera_footprint")
    assert [row["name"] for row in found] == ["a.jpg", "b.jpg"]
    assert tuple(info(filled, "camera_footprint")["total_bounds"]) == (
        500_900,
        3_978_400,
        500_980,
        3_978_460,
    )


def test_a_new_answer_replaces_the_cameras_and_their_crs(filled, local_reconstruction):
    filled.replace_cameras(local_reconstruction, {})
    assert info(filled, "camera")["features"] == 4
    assert info(filled, "camera_footprint")["features"] == 0
    crs = info(filled, "camera")["crs"]
    assert crs is None or "Undefined" in crs
    ((srs_id,),) = filled.package.rows(
        "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'camera'"
    )
    assert srs_id == -1


def test_the_file_keeps_the_rules_of_the_standard(filled):
    filled.close()
    with sqlite3.connect(filled.path / "case.gpkg") as connection:
        one = lambda sql: connection.execute(sql).fetchone()[0]  # noqa: E731
        assert one("PRAGMA application_id") == APPLICATION_ID == int.from_bytes(b"GPKG")
        assert one("PRAGMA user_version") == 10300
        assert one("PRAGMA integrity_check") == "ok"
        assert one("PRAGMA journal_mode") == "delete"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        known = {row[0] for row in connection.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")}
        assert {-1, 0, 4326, 32637} <= known
        tables = {
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not row[0].startswith(("gpkg_", "sqlite_"))
        }
        listed = {row[0] for row in connection.execute("SELECT table_name FROM gpkg_contents")}
        assert tables == listed
        blob = connection.execute("SELECT geom FROM camera_footprint").fetchone()[0]
    connection.close()
    assert blob[:2] == b"GP"
    assert struct.unpack("<i4d", blob[4:40]) == (32637, 500_900, 500_980, 3_978_400, 3_978_460)


def test_a_closed_case_leaves_one_file_even_if_another_program_used_a_log(case):
    path = case.path / "case.gpkg"
    other = sqlite3.connect(path)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("SELECT * FROM media")
    other.close()
    case.close()
    assert sorted(p.name for p in case.path.glob("case.gpkg*")) == ["case.gpkg"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_polygons_are_closed_and_anticlockwise():
    blob = polygon(32637, SQUARE)
    (count,) = struct.unpack("<I", blob[49:53])
    ring = [struct.unpack("<2d", blob[53 + 16 * i : 69 + 16 * i]) for i in range(count)]
    assert ring[0] == ring[-1]
    assert ring == [SQUARE[0], *reversed(SQUARE[1:]), SQUARE[0]]


def test_originals_are_recorded_once_and_read_back_whole(case, tagged, untagged):
    assert case.add_media([tagged, untagged]) == 2
    assert case.add_media([untagged, tagged]) == 0
    assert case.media() == [tagged, untagged]


def test_runs_keep_what_was_asked_and_how_it_ended(case):
    run = case.start_run(command="map", options={"quality": "draft"}, versions={"numpy": "2.0"})
    case.end_run(run, status="failed", message="no photographs", results={"skipped": ["a"]})
    (row,) = rows(case, "run")
    assert json.loads(row["options"]) == {"quality": "draft"}
    assert json.loads(row["skipped"]) == ["a"]
    assert (row["status"], row["message"]) == ("failed", "no photographs")
    assert str(row["started_at"]).startswith("20")
    assert len(row["custody_head"]) == 64
