"""Buildings and streets in case.gpkg, as GDAL reads them."""

import json
import sqlite3
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from aftermap.model.assessment import (
    Assessment,
    AssessorKind,
    Grade,
    Grading,
    Reason,
    ReasonSide,
    Visibility,
)
from aftermap.model.building import (
    Alignment,
    Building,
    Buildings,
    Footprint,
    MeasureTable,
    ShiftSource,
)
from aftermap.model.street import StreetTable
from aftermap.publish.exchange.geojson import write_buildings, write_streets
from aftermap.record import Case
from aftermap.record.building_table import replace_buildings
from aftermap.record.street_table import replace_streets
from aftermap.record.styles import add_styles, style_of

CRS = "EPSG:32637"
EAST_M, NORTH_M = 500_000.0, 3_970_000.0


def square(x, size=10.0):
    ring = [(0, 0), (size, 0), (size, size), (0, size), (0, 0)]
    return tuple((EAST_M + x + a, NORTH_M + b) for a, b in ring)


@pytest.fixture
def buildings():
    yard = tuple((EAST_M + x, NORTH_M + y) for x, y in ((3, 3), (3, 6), (6, 6), (6, 3), (3, 3)))
    outlines = {"way/1": ((square(0), yard),), "ü": ((square(30),),)}
    made = []
    for number, (name, polygons) in enumerate(outlines.items()):
        footprint = Footprint(
            source_id=name, feature=number, polygons_m=polygons, area_m2=91.0, levels=None
        )
        moved = Alignment(
            shift_m=(0.4, -0.2), sigma_m=0.1, residual_m=None, source=ShiftSource.NEIGHBOURS
        )
        made.append(Building(footprint=footprint, alignment=moved, polygons_m=polygons))
    return Buildings(crs=CRS, buildings=tuple(made))


@pytest.fixture
def grading():
    seen = Visibility(
        roof_fraction=0.9, views=4, facades=2, ground_sample_m=0.05, surface_photographs=None
    )
    destroyed = Assessment(
        source_id="way/1",
        kind=AssessorKind.MACHINE,
        assessor="model",
        grade=Grade.DESTROYED,
        grades=(Grade.SEVERE, Grade.DESTROYED),
        probabilities=(0.0, 0.0, 0.1, 0.2, 0.7),
        confidence=0.7,
        visibility=seen,
        reasons=(
            Reason(text="roof plane residual 0.8 m", side=ReasonSide.FOR),
            Reason(text="rubble apron on 1 of 4 sides", side=ReasonSide.AGAINST),
        ),
    )
    unseen = Assessment(
        source_id="ü",
        kind=AssessorKind.MACHINE,
        assessor="model",
        grade=None,
        not_assessed_reason="no picture shows it",
    )
    return Grading(assessments=(destroyed, unseen), model="m", model_sha256="ab" * 32)


@pytest.fixture
def measures(tmp_path):
    path = tmp_path / "measures.parquet"
    table = {"height": [3.5, None], "height_sigma": [0.2, None], "holes": [2.0, float("nan")]}
    pq.write_table(pa.table(table), path)
    return MeasureTable(path=str(path), names=("height", "holes"))


@pytest.fixture
def streets(tmp_path):
    path = tmp_path / "streets.parquet"
    line = shapely.to_wkb(shapely.LineString([(EAST_M, NORTH_M), (EAST_M + 10, NORTH_M)]))
    row = {
        "source_id": "1",
        "name": None,
        "piece": 0,
        "geometry": line,
        "length_m": 10.0,
        "width_m": 6.0,
        "free_width_m": None,
        "free_width_sigma_m": None,
        "clear_width_m": None,
        "nobody_probability": None,
        "passage": "not_seen",
        "seen_fraction": 0.1,
        "rubble_fraction": None,
        "vehicles": 0,
        "reason": "only 10% of its ground was measured",
    }
    pq.write_table(pa.Table.from_pylist([row]), path)
    return StreetTable(path=str(path), crs=CRS, pieces=1, has_own_lines=False)


def test_a_note_beside_reasons_is_kept(tmp_path, buildings, grading):
    note = Reason(text="from video: right in 6 of 10", side=ReasonSide.NOTE)
    destroyed, other = grading.assessments
    noted = replace(destroyed, reasons=(*destroyed.reasons, note))
    only = replace(other, reasons=(note,))
    told = replace(grading, assessments=(noted, only))
    with Case.create_or_open(tmp_path / "case") as case:
        replace_buildings(case.package, buildings, told, None)
        rows = case.package.rows("SELECT reasons, notes FROM building ORDER BY fid")
    assert rows == [("roof plane residual 0.8 m", note.text), (note.text, None)]
    write_buildings(buildings, told, tmp_path / "b.geojson", sensor_date=None)
    features = json.loads((tmp_path / "b.geojson").read_text())["features"]
    assert [one["properties"]["notes"] for one in features] == [[note.text], []]


MEASUREMENT_OF_BEFORE = """
CREATE TABLE measurement (
  building INTEGER NOT NULL, name TEXT NOT NULL, value DOUBLE NOT NULL, sigma DOUBLE,
  PRIMARY KEY (building, name)) WITHOUT ROWID"""


def test_a_case_from_before_there_were_reasons_against_or_numbers_of_measurements_is_taken(
    tmp_path, buildings, grading
):
    with Case.create_or_open(tmp_path / "case") as case:
        replace_buildings(case.package, buildings, grading, None)
        with case.package.transaction() as connection:
            connection.execute("ALTER TABLE building DROP COLUMN reasons_against")
            connection.execute("DROP TABLE measurement")
            connection.execute("DELETE FROM gpkg_contents WHERE table_name = 'measurement'")
            connection.execute(MEASUREMENT_OF_BEFORE)
        replace_buildings(case.package, buildings, grading, None)
        assert case.package.columns("measurement")[0] == "fid"
        told = case.package.rows("SELECT reasons, reasons_against FROM building ORDER BY fid")
    assert told == [("roof plane residual 0.8 m", "rubble apron on 1 of 4 sides"), ("", None)]


def test_gdal_reads_buildings_with_courtyards_grades_and_measurements(
    tmp_path, buildings, grading, measures
):
    with Case.create_or_open(tmp_path / "case") as case:
        for _ in range(2):  # a second run replaces the first
            replace_buildings(case.package, buildings, grading, measures, {"ü": Grade.LIGHT})
        numbers = case.package.rows("SELECT building, name, value, sigma FROM measurement")
    path = tmp_path / "case" / "case.gpkg"
    meta, _, wkb, values = pyogrio.raw.read(path, layer="building")
    rows = dict(zip(meta["fields"], values, strict=True))
    shapes = shapely.from_wkb(wkb)
    assert meta["crs"] == CRS
    assert [shape.area for shape in shapes] == pytest.approx([91.0, 100.0])
    assert rows["source_id"].tolist() == ["way/1", "ü"]
    assert rows["grade"].tolist() == ["destroyed", None]
    assert rows["adopted_grade"].tolist() == [None, "light"]
    assert rows["not_assessed_reason"].tolist() == [None, "no picture shows it"]
    assert np.isnan(rows["roof_fraction"][1])
    assert numbers == [(1, "height", 3.5, 0.2), (1, "holes", 2.0, None)]


def test_a_grade_in_another_buildings_place_is_refused(tmp_path, buildings, grading):
    turned = Grading(assessments=grading.assessments[::-1], model="m", model_sha256="")
    with (
        Case.create_or_open(tmp_path / "case") as case,
        pytest.raises(ValueError, match="in the place of"),
    ):
        replace_buildings(case.package, buildings, turned, None)


def test_streets_and_styles_leave_the_file_valid(tmp_path, buildings, grading, streets):
    with Case.create_or_open(tmp_path / "case") as case:
        replace_buildings(case.package, buildings, grading, None)
        replace_streets(case.package, streets)
        replace_streets(case.package, streets)
        add_styles(case.package)
        add_styles(case.package)
    path = tmp_path / "case" / "case.gpkg"
    meta, _, _, values = pyogrio.raw.read(path, layer="street")
    rows = dict(zip(meta["fields"], values, strict=True))
    assert rows["passage"].tolist() == ["not_seen"]
    assert np.isnan(rows["free_width_m"][0])
    with sqlite3.connect(path) as connection:
        styles = connection.execute(
            "SELECT f_table_name, useAsDefault, styleQML FROM layer_styles ORDER BY 1"
        ).fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert [name for name, _, _ in styles] == ["building", "camera", "camera_footprint", "street"]
    assert all(default == 1 for _, default, _ in styles)


def test_a_style_that_a_person_chose_stays_the_default(tmp_path):
    with Case.create_or_open(tmp_path / "case") as case:
        add_styles(case.package)
        with case.package.transaction() as connection:
            connection.execute("UPDATE layer_styles SET styleName = 'mine', owner = 'me'")
        add_styles(case.package)
        rows = case.package.rows("SELECT styleName, useAsDefault FROM layer_styles ORDER BY 1, 2")
    assert rows == [("Aftermap", 0), ("Aftermap", 0), ("mine", 1), ("mine", 1)]


@pytest.mark.parametrize(
    "name",
    [
        "building",
        "street",
        "camera",
        "camera_footprint",
        "segment",
        "clip_footprint",
        "surface",
        "confidence",
    ],
)
def test_every_style_is_whole_and_names_only_symbols_that_it_has(name):
    root = ET.fromstring(style_of(name).split("\n", 1)[1])  # noqa: S314 - our own file
    symbols = {symbol.get("name") for symbol in root.iter("symbol")}
    assert {rule.get("symbol") for rule in root.iter("rule")} <= symbols
    assert root.tag == "qgis"


def test_geojson_keeps_ids_and_says_why_a_building_has_no_grade(tmp_path, buildings, grading):
    path = write_buildings(
        buildings,
        grading,
        tmp_path / "b.geojson",
        sensor_date=("2026-03-01T10:00:00", "2026-03-02T10:00:00"),
    )
    first, second = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert [first["id"], second["id"]] == ["way/1", "ü"]
    assert first["properties"]["grade"] == "destroyed"
    assert first["properties"]["probabilities"]["destroyed"] == 0.7
    assert first["properties"]["shift_m"] == [0.4, -0.2]
    assert first["properties"]["sensor_date"] == "2026-03-01T10:00:00/2026-03-02T10:00:00"
    assert second["properties"]["grade"] is None
    assert second["properties"]["not_assessed_reason"] == "no picture shows it"
    (lon, lat), *_ = first["geometry"]["coordinates"][0][0]
    assert (lon, lat) == pytest.approx((39.0, 35.87), abs=0.01)
    assert pyogrio.read_info(path)["features"] == 2


def test_streets_that_were_not_seen_have_null_widths_in_geojson(tmp_path, streets):
    path = write_streets(streets, tmp_path / "s.geojson")
    (feature,) = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert feature["id"] == "1/0"
    assert feature["properties"]["free_width_m"] is None
    assert feature["properties"]["passage"] == "not_seen"
