"""From a map and outlines to grades, on a district whose damage is known: by the command line."""

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from known_district import Mapped

from aftermap.cli import status_of
from aftermap.progress import NoProgress
from aftermap.record import Case, findings_in
from aftermap.record.assessments import machine_grades
from aftermap.record.evidence_table import evidence_in

GRADES = ("none", "light", "moderate", "severe", "destroyed")


@pytest.fixture(scope="module")
def assessed(mapped: Mapped, tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    """A copy of the case with its buildings graded."""
    case = tmp_path_factory.mktemp("assessed") / "case"
    shutil.copytree(mapped.case, case)
    made = Mapped(case=case, flight=mapped.flight)
    assert assess_here(made) == 0
    return made


def assess_here(made: Mapped, *more: str) -> int:
    truth = made.flight / "truth"
    return status_of(
        [
            "assess",
            str(made.case),
            "--footprints",
            str(truth / "buildings.geojson"),
            "--streets",
            str(truth / "streets.geojson"),
            *more,
        ]
    )


def graded(made: Mapped) -> dict[str, dict]:
    return {f["id"]: f["properties"] for f in made.json("buildings.geojson")["features"]}


def true_buildings(made: Mapped) -> dict[str, dict]:
    features = made.truth("buildings.geojson")["features"]
    return {f["properties"]["id"]: f["properties"] for f in features}


def test_destroyed_and_whole_buildings_are_never_taken_for_each_other(assessed):
    truth = {
        f["properties"]["id"]: f["properties"]
        for f in assessed.truth("buildings.geojson")["features"]
    }
    found = graded(assessed)
    assert set(found) == set(truth)
    known = [(truth[name]["grade"], one["grade"]) for name, one in found.items() if one["grade"]]
    assert len(known) >= 5
    apart = [abs(GRADES.index(real) - GRADES.index(said)) for real, said in known]
    assert max(apart) <= 3
    assert sum(step <= 1 for step in apart) >= 0.8 * len(apart)


def test_what_was_not_seen_is_not_assessed_and_says_why(assessed):
    unseen = [name for name, one in true_buildings(assessed).items() if not one["mapped"]]
    found = graded(assessed)
    blind = [found[name] for name in unseen if found[name]["visibility"]["roof_fraction"] < 0.3]
    assert blind
    for one in blind:
        assert one["grade"] is None
        assert one["not_assessed_reason"]


def test_a_grade_leads_back_to_the_hash_of_a_photograph(assessed):
    name = next(key for key, one in graded(assessed).items() if one["grade"])
    with Case.open_to_read(assessed.case) as case:
        rows = evidence_in(case.package, name, case.products)
        views = [row for row in rows if row.kind == "view"]
        assert views
        for row in views:
            original = case.store.find(row.original_sha256)
            assert original is not None
            assert hashlib.sha256(original.read_bytes()).hexdigest() == row.original_sha256
            assert hashlib.sha256(Path(row.path).read_bytes()).hexdigest() == row.file_sha256


def test_the_case_holds_together_and_the_products_are_there(assessed):
    for name in (
        "buildings.geojson",
        "streets.geojson",
        "assessment.html",
        "buildings_hxl.csv",
        "buildings_unosat.gpkg",
        "surface.qml",
        "confidence.qml",
    ):
        assert assessed.product(name).stat().st_size > 0
    with Case.open_to_read(assessed.case) as case:
        assert findings_in(case, NoProgress()) == ()
    with closing(sqlite3.connect(assessed.case / "case.gpkg")) as record:
        styled = {name for (name,) in record.execute("SELECT f_table_name FROM layer_styles")}
    assert {"building", "street", "camera", "camera_footprint"} <= styled


def test_the_same_command_again_changes_no_grade_and_adds_no_row(assessed):
    before = assessed.product("buildings.geojson").read_bytes()
    with Case.open_to_read(assessed.case) as case:
        (batch,) = {kept.batch for kept in machine_grades(case.package)}
    assert assess_here(assessed) == 0
    assert assessed.product("buildings.geojson").read_bytes() == before
    with Case.open_to_read(assessed.case) as case:
        assert {kept.batch for kept in machine_grades(case.package)} == {batch}


def test_people_review_a_sample_and_a_total_has_its_interval(assessed, tmp_path, capsys):
    sheet = tmp_path / "sample.csv"
    assert status_of(["sample", str(assessed.case), "--size", "20", "--out", str(sheet)]) == 0
    truth = {
        f["properties"]["id"]: f["properties"]["grade"]
        for f in assessed.truth("buildings.geojson")["features"]
    }
    lines = sheet.read_text("utf-8-sig").splitlines()
    names = [line.split(",")[0] for line in lines[1:]]
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "source_id,grade,reviewer\n" + "".join(f"{n},{truth[n]},amal\n" for n in names), "utf-8"
    )
    imported = ["review", "import", str(assessed.case), str(labels), "--blind", "yes"]
    assert status_of(imported) == 0
    capsys.readouterr()
    assert status_of(["totals", str(assessed.case)]) == 0
    said = capsys.readouterr().out
    assert "95% interval" in said
    assert "stratified estimator" in said
    assert assess_here(assessed) == 0
    assert "95" in assessed.product("assessment.html").read_text("utf-8")


def test_a_case_without_a_map_says_what_to_do(tmp_path, capsys):
    assert status_of(["assess", str(tmp_path / "nowhere"), "--footprints", "x.geojson"]) == 2
    assert "aftermap map" in capsys.readouterr().err


def test_without_footprints_one_line_says_so(assessed, capsys):
    assert status_of(["assess", str(assessed.case)]) == 2
    assert "--footprints" in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_map_with_footprints_is_graded_in_the_same_command(assessed, tmp_path, capsys):
    """In a case where the measures are found, so that the grades alone are made again."""
    case = tmp_path / "case"
    shutil.copytree(assessed.case, case)
    (case / "products" / "buildings.geojson").unlink()
    words = [
        "map",
        str(assessed.flight / "images"),
        "--case",
        str(case),
        "--footprints",
        str(assessed.flight / "truth" / "buildings.geojson"),
    ]
    assert status_of(words) == 0
    assert "graded by the model" in capsys.readouterr().out
    assert json.loads((case / "products" / "buildings.geojson").read_text("utf-8"))["features"]


def test_the_report_leads_to_the_page_of_damage_and_is_still_the_page_that_was_recorded(assessed):
    page = assessed.case / "products/report.html"
    assert page.read_text("utf-8").count('<a href="assessment.html">') == 1
    assert assess_here(assessed) == 0
    assert page.read_text("utf-8").count('<a href="assessment.html">') == 1
    with Case.create_or_open(assessed.case) as case:
        assert findings_in(case, NoProgress()) == ()
