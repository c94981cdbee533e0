"""From the machine's grades to totals: sample, review, totals, compare, on the command line."""

import json
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyogrio
import pytest
import shapely
from benchmarks.unosat import unosat_sites
from graded_case import CRS, middle
from label_sheets import fill, rows_of

from aftermap.assessment.reference_assessment import ReferenceOptions, other_assessment
from aftermap.assessment.scales import Scale
from aftermap.model.assessment import Assessment, AssessorKind, Grade, Visibility
from aftermap.publish.exchange.unosat import DamageSite, write_unosat
from aftermap.record import Case
from aftermap.record.assessments import (
    add_assessments,
    add_learning_labels,
    machine_grades,
    reviews,
)
from aftermap.record.custody import entries_of
from aftermap.record.reviews import shown_since
from aftermap.workflows.exports import write_exports

RAQQA = Path(__file__).resolve().parents[3] / "shared" / "data" / "unosat" / "raqqa_damage.gpkg"
CODES = {"none": 6, "light": None, "moderate": 3, "severe": 2, "destroyed": 1}


def test_a_sample_is_drawn_recorded_and_written_without_the_machines_grades(made, run):
    status, out, _ = run("sample", made.path, "--size", 50, "--seed", 4)
    assert status == 0
    assert "50 of 300 buildings drawn, seed 4" in out
    text = (made.path / "sample.csv").read_text("utf-8-sig")
    rows = rows_of(made.path / "sample.csv")
    assert len(rows) == 50
    assert set(rows[0]) == {
        "source_id",
        "lon",
        "lat",
        "grade",
        "grades",
        "not_assessed_reason",
        "reviewer",
        "at",
        "note",
        "confidence",
        "blind",
        "graders",
    }
    assert not any(word in text.splitlines()[1] for word in ("severe", "none", "destroyed"))
    assert all(38 < float(row["lon"]) < 40 and 35 < float(row["lat"]) < 37 for row in rows)
    with Case.open_to_read(made.path) as case:
        assert entries_of(case.package)[-1].action == "sample drawn"


def test_an_export_is_blind_unless_the_machine_is_asked_for(made, run):
    run("sample", made.path, "--size", 50)
    run("review", "export", made.path, made.path / "blind.csv")
    assert "machine_grade" not in rows_of(made.path / "blind.csv")[0]
    with Case.open_to_read(made.path) as case:
        assert shown_since(case.package) == {}
    run("review", "export", made.path, made.path / "all.csv", "--all", "--with-machine")
    rows = rows_of(made.path / "all.csv")
    assert len(rows) == 300
    assert {row["machine_grade"] for row in rows} >= {"none", "destroyed", "not_assessed"}


@pytest.mark.parametrize("again", ["sample", "export"])
def test_a_file_that_a_reviewer_filled_in_is_not_written_over(made, run, again):
    path = made.path / "sample.csv"
    run("sample", made.path, "--size", 20)
    fill(made, path, "anna").replace(path)
    before = path.read_bytes()
    words = (
        ("sample", made.path, "--size", 20, "--seed", 2)
        if again == "sample"
        else ("review", "export", made.path, path)
    )
    status, _, err = run(*words)
    assert status == 2
    assert "contains reviewed labels (20 lines)" in err
    assert path.read_bytes() == before
    with Case.open_to_read(made.path) as case:
        assert [one.action for one in entries_of(case.package)].count("sample drawn") == 1


def test_a_file_that_nobody_filled_in_yet_is_written_anew(made, run):
    run("sample", made.path, "--size", 20)
    assert run("sample", made.path, "--size", 30)[0] == 0
    assert len(rows_of(made.path / "sample.csv")) == 30


def test_an_import_adds_rows_and_tells_what_it_left_out(made, run, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "source_id,grade,reviewer\nb1,severe,anna\nb2,none,anna\nnobody,none,anna\nb3,awful,anna\n"
    )
    status, out, err = run("review", "import", made.path, path)
    assert status == 1
    assert err == (
        f"aftermap: {path}: 2 lines not used, listed above with the reason; correct the file and "
        "import it again (grades already in the record are not added twice)\n"
    )
    added, unknown, awful = out.splitlines()
    assert added == "2 grades imported from labels.csv: 2 not known to be blind (see --blind)"
    assert "not used: labels.csv, line 4: 'nobody' is not a building of the case" in unknown
    assert "not used: labels.csv, line 5: b3: 'awful' is no grade; one of none, light" in awful
    with Case.open_to_read(made.path) as case:
        assert [k.assessment.grade for k in reviews(case.package)] == [Grade.SEVERE, Grade.NONE]


def test_an_import_of_which_no_line_can_be_used_has_delivered_nothing(made, run, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("source_id,grade,reviewer\nnobody,none,anna\n")
    status, out, err = run("review", "import", made.path, path)
    assert (status, err.count("\n")) == (2, 1)
    assert "1 line not used" in err
    assert "not used: labels.csv, line 2: 'nobody' is not a building of the case" in out


def test_the_same_file_twice_adds_nothing_and_a_changed_mind_adds_a_row(made, run, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("source_id,grade,reviewer\nb1,severe,anna\nb2,none,anna\n")
    run("review", "import", made.path, path)
    assert "2 are already in the record" in run("review", "import", made.path, path)[1]
    path.write_text("source_id,grade,reviewer\nb1,destroyed,anna\n")
    out = run("review", "import", made.path, path)[1]
    assert "anna had already graded b1; the new grade counts" in out
    with Case.open_to_read(made.path) as case:
        grades = [k.assessment.grade for k in reviews(case.package)]
    assert grades == [Grade.SEVERE, Grade.NONE, Grade.DESTROYED]


def test_an_export_for_a_reviewer_holds_what_they_said_and_can_be_imported_again(reviewed, run):
    path = reviewed.path / "again.csv"
    run("review", "export", reviewed.path, path, "--reviewer", "anna")
    assert all(row["grade"] for row in rows_of(path))
    assert "120 are already in the record" in run("review", "import", reviewed.path, path)[1]


def test_several_reviewers_are_compared(reviewed, run):
    def grade_of(name):
        return Grade.SEVERE if name.endswith("7") else reviewed.truth[name]

    path = fill(reviewed, reviewed.path / "sample.csv", "ben", grade_of)
    out = run("review", "import", reviewed.path, path)[1]
    assert "Krippendorff's alpha (ordinal) 0." in out
    assert "Cohen's kappa (quadratic weights) of anna and ben 0." in out
    assert "of 120 buildings with several grades" in out


def test_where_reviewers_differ_accepted_grades_are_not_counted(reviewed, run):
    path = fill(reviewed, reviewed.path / "sample.csv", "ben", lambda _: Grade.SEVERE)
    run("review", "import", reviewed.path, path, "--blind", "yes")
    status, before, _ = run("totals", reviewed.path)
    assert status == 0
    assert "reviewers anna, ben; 120 buildings graded twice" in before
    path = fill(reviewed, reviewed.path / "sample.csv", "carla")
    out = run("review", "import", reviewed.path, path, "--adopt")[1]
    assert out.startswith("120 accepted grades imported from carla.csv")
    after = run("totals", reviewed.path)[1]
    (note,) = set(after.splitlines()) - set(before.splitlines())
    assert "0 of the 120 sampled buildings with an accepted grade have another" in note
    with Case.open_to_read(reviewed.path) as case:
        assert len(reviews(case.package)) == 240


def test_totals_hold_the_truth_and_are_sentences(reviewed, run):
    status, out, err = run("totals", reviewed.path, "--json")
    assert (status, err) == (0, "")
    answer = json.loads(out)
    true = Counter(grade.value for grade in reviewed.truth.values())
    for one in answer["totals"]:
        assert one["of"] == 300
        assert one["sentence"].startswith(one["what"])
        if one["what"] in true:
            assert one["low"] <= true[one["what"]] <= one["high"]
    matrix = answer["sampled_by_machine_and_reviewers"]
    assert sum(sum(row.values()) for row in matrix.values()) == 120
    assert out.count("sentence") == 7


@pytest.mark.parametrize(
    "scale", ["ours", "unosat", "cems", "cems-legacy", "ems98", "xbd", "reach"]
)
def test_totals_are_said_in_every_scale(reviewed, run, scale):
    status, out, _ = run("totals", reviewed.path, "--scale", scale)
    assert status == 0
    assert f"class set {scale}" in out
    assert "imagery dates not known" in out


def test_totals_without_a_sample_are_refused(made, run):
    status, _, err = run("totals", made.path)
    assert status == 2
    assert "has no sample, and model grades are not counted" in err


def test_sampled_buildings_without_a_review_are_refused_or_said(made, run):
    run("sample", made.path, "--size", 60)
    path = fill(made, made.path / "sample.csv", "anna")
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(lines[:-5]) + "\n", "utf-8")
    run("review", "import", made.path, path, "--blind", "yes")
    status, _, err = run("totals", made.path)
    assert status == 2
    assert "5 of 60 sampled buildings have not been reviewed" in err
    out = run("totals", made.path, "--assume-alike", "--sentences")[1]
    assert "whatever the 5 without a grade are" in out
    assert "from 55 graded of 60 sampled buildings" in out


def test_labels_that_a_model_learnt_from_are_refused(reviewed, run):
    with Case.create_or_open(reviewed.path) as case:
        add_learning_labels(
            case.package, reviews(case.package)[:7], model_sha256="a" * 64, actor="test"
        )
    status, _, err = run("totals", reviewed.path)
    assert status == 2
    assert "a model was trained on the labels of 7 sampled buildings" in err


def test_reviewed_buildings_beyond_the_sample_are_not_used(reviewed, run):
    before = json.loads(run("totals", reviewed.path, "--json")[1])
    sampled = {row["source_id"] for row in rows_of(reviewed.path / "sample.csv")}
    others = [name for name in reviewed.truth if name not in sampled]
    path = reviewed.path / "more.csv"
    path.write_text("source_id,grade,reviewer\n" + "".join(f"{n},destroyed,anna\n" for n in others))
    run("review", "import", reviewed.path, path)
    after = json.loads(run("totals", reviewed.path, "--json")[1])
    assert after["totals"] == before["totals"]
    assert after["notes"][0].startswith(f"{len(others)} reviewed buildings are not in the sample")


def test_totals_by_area_say_too_few_where_they_are(reviewed, run, tmp_path):
    (west, south), (east, _) = middle(0), middle(39)
    half = shapely.box(west - 50, south - 50, (west + east) / 2, south + 500)
    tiny = shapely.box(west - 6, south - 6, west + 26, south + 26)
    path = tmp_path / "areas.gpkg"
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np_array([half, tiny])),
        [np_array(["West", "Corner"])],
        ["name"],
        driver="GPKG",
        geometry_type="Polygon",
        crs=CRS,
    )
    out = run("totals", reviewed.path, "--by", path, "--sentences")[1]
    assert "in the area West of areas.gpkg" in out
    assert "the area Corner of areas.gpkg: too few graded buildings for an estimate" in out


def test_an_area_counts_its_own_buildings_and_not_those_of_the_case(made, run, tmp_path):
    unseen = Visibility(
        roof_fraction=0.0, views=0, facades=0, ground_sample_m=None, surface_photographs=None
    )
    with Case.create_or_open(made.path) as case:
        every = [one.assessment for one in machine_grades(case.package)]
        rows = [replace(one, visibility=unseen) for one in every[:10]] + every[10:]
        add_assessments(case.package, rows, actor="test")
    run("sample", made.path, "--size", 120, "--double", 120)
    for who in ("anna", "ben"):
        path = fill(made, made.path / "sample.csv", who)
        run("review", "import", made.path, path, "--blind", "yes")
    (west, south), (east, _) = middle(0), middle(39)
    line = (west + east) / 2
    halves = [
        shapely.box(west - 50, south - 50, line, south + 500),
        shapely.box(line, south - 50, east + 50, south + 500),
    ]
    path = tmp_path / "areas.gpkg"
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np_array(halves)),
        [np_array(["West", "East"])],
        ["name"],
        driver="GPKG",
        geometry_type="Polygon",
        crs=CRS,
    )
    whole, *areas = json.loads(run("totals", made.path, "--by", path, "--json")[1])["totals"][::7]
    assert [one["area"].split()[2] for one in areas] == ["West", "East"]
    assert (whole["never_seen"], [one["never_seen"] for one in areas]) == (10, [10, 0])
    for one in areas:
        here = one["sampled"]
        assert 0 < here < 120
        assert f"the grades of {here} of {here} reviewed buildings" in one["sentence"]
        assert (
            f"120 buildings graded twice ({120 - here} of them outside of this area)"
            in (one["sentence"])
        )
    assert "outside of this area" not in whole["sentence"]


def np_array(values):
    import numpy as np  # noqa: PLC0415

    return np.array(values, object)


@pytest.mark.parametrize(
    "words", [("totals",), ("sample", "--size", "9"), ("review", "import", "x.csv")]
)
def test_a_slip_in_the_name_of_a_case_makes_no_case(run, tmp_path, words):
    name, *rest = words
    place = (
        [*words[:2], tmp_path / "no", *words[2:]]
        if name == "review"
        else ([name, tmp_path / "no", *rest])
    )
    status, _, err = run(*place)
    assert status == 2
    assert "no case.gpkg in it" in err
    assert not (tmp_path / "no").exists()


def unosat_of(made, path: Path, count: int) -> Path:
    from aftermap.geo.crs import WGS84, transformed_xy  # noqa: PLC0415

    names = list(made.truth)[:count]
    lonlat = transformed_xy(CRS, WGS84, [middle(int(name[1:])) for name in names])
    return write_unosat(
        path,
        [
            DamageSite(site_id=n, lonlat_deg=(float(x), float(y)), main_class=CODES[made.truth[n]])
            for n, (x, y) in zip(names, lonlat, strict=True)
        ],
    )


def test_compare_tells_agreement_and_what_is_in_neither(made, run, tmp_path):
    path = unosat_of(made, tmp_path / "cda.gpkg", 200)
    status, out, err = run("compare", made.path, path, "--scale", "unosat")
    assert (status, err) == (0, "")
    assert "Cohen's kappa (quadratic weights) of our grades and theirs 0.9" in out
    assert "does not mean undamaged" in out
    light = sum(made.truth[f"b{i}"] == "light" for i in range(200))
    assert f"without a class: {light}" in out
    plain = json.loads(run("compare", made.path, path, "--scale", "unosat", "--json")[1])
    assert sum(plain["without_site"].values()) == 100 + light
    assert plain["crosswalk"] == 1


def test_compare_says_that_a_file_lies_elsewhere(made, run, tmp_path):
    site = DamageSite(site_id="a", lonlat_deg=(37.15, 36.2), main_class=1)
    path = write_unosat(tmp_path / "aleppo.gpkg", [site, site])
    status, out, err = run("compare", made.path, path, "--scale", "unosat")
    assert (status, out) == (2, "")
    assert "aleppo.gpkg: does not overlap the case: none of its 2 sites" in err


def test_compare_does_not_guess_the_coding(made, run, tmp_path):
    status, _, err = run("compare", made.path, unosat_of(made, tmp_path / "cda.gpkg", 50))
    assert status == 2
    assert "must be given" in err
    assert len(err.splitlines()) == 1


def adopted(name: str, grade: Grade, *grades: Grade, confidence: float | None = None):
    return Assessment(
        source_id=name,
        kind=AssessorKind.ADOPTED,
        assessor="anna",
        grade=grade,
        grades=grades,
        is_possible=Grade.NONE in grades and len(grades) > 1,
        confidence=confidence,
    )


def test_our_own_grades_go_out_in_unosats_schema_and_come_back(made):
    with Case.create_or_open(made.path) as case:
        add_assessments(case.package, [adopted("b50", Grade.DESTROYED)], actor="test")
        standing = {
            k.assessment.source_id: k.assessment.grade for k in machine_grades(case.package)
        }
        hxl, unosat = write_exports(case, ("2024-05-01", "2024-05-02"))
    standing["b50"] = Grade.DESTROYED
    found = other_assessment(unosat, ReferenceOptions(scale=Scale.UNOSAT))
    assert len(found.codes) == 300
    for code, grade in zip(found.codes, standing.values(), strict=True):
        expected = None if grade is None or grade is Grade.LIGHT else (grade,)
        assert (None if code is None else code.grades) == expected
    assert found.date == "2024-05-02"
    assert len(hxl.read_text("utf-8").splitlines()) == 302


def test_what_may_be_undamaged_is_never_exported_as_no_visible_damage(made, run):
    surely, maybe = Grade.NONE, (Grade.NONE, Grade.LIGHT)
    given = [
        adopted("b50", surely, surely, confidence=0.93),
        adopted("b51", Grade.NONE, *maybe, confidence=0.55),
        adopted("b52", Grade.LIGHT, *maybe, confidence=0.52),
        adopted("b53", Grade.MODERATE, Grade.LIGHT, Grade.MODERATE, confidence=0.6),
    ]
    with Case.create_or_open(made.path) as case:
        add_assessments(case.package, given, actor="test")
        hxl, unosat = write_exports(case, None)
    meta, _, _, columns = pyogrio.raw.read(unosat)
    fields = dict(zip(meta["fields"], columns, strict=True))
    rows = {
        str(name): [fields[key][i] for key in ("Main_Damage_Site_Class", "Status", "grades")]
        for i, name in enumerate(fields["SiteID"])
    }
    assert rows["b50"] == [6, "graded", "none"]
    assert rows["b51"] == [4, "possible", "none light"]
    assert rows["b52"] == [4, "possible", "none light"]
    assert rows["b53"] == [3, "graded", "light moderate"]
    confidence = dict(zip(fields["SiteID"], fields["Confidence"], strict=True))
    assert [confidence[one.source_id] for one in given] == [0.93, 0.55, 0.52, 0.6]
    lines = {row["source_id"]: row for row in rows_of(hxl)}
    assert [lines[f"b{i}"]["status"] for i in (0, 50, 51)] == ["not_assessed", "graded", "possible"]
    back = json.loads(run("compare", made.path, unosat, "--scale", "unosat", "--json")[1])
    assert {row["4"] for row in back["matrix"].values()} == {0, 1}
    assert (back["matrix"]["none"]["4"], back["matrix"]["light"]["4"]) == (1, 1)
    assert [word for word, row in back["matrix"].items() if row["6"]] == ["none"]
    assert back["same"] == back["compared"]


@pytest.mark.skipif(not RAQQA.is_file(), reason="needs ../shared, which is no part of this")
def test_raqqa_is_read_crosswalked_written_and_read_again_without_loss(tmp_path):
    asked = ReferenceOptions(
        scale=Scale.UNOSAT_RECODED, layer="raqqa_damage", field="2017-10-21", crs="EPSG:4326"
    )
    first = other_assessment(RAQQA, asked)
    sites, skipped = unosat_sites(first)
    assert skipped == ()
    again = other_assessment(
        write_unosat(tmp_path / "r.gpkg", sites), ReferenceOptions(scale=Scale.UNOSAT)
    )
    assert again.counts() == {"3": 5493, "2": 3962, "1": 3326, "": 262, "6": 117}
    assert sum(again.counts()[code] for code in "123") == 12_781
    for one, other in zip(first.codes, again.codes, strict=True):
        assert (one and one.grades) == (other and other.grades)
    assert shapely.equals_exact(first.shapes, again.shapes, 1e-9).all()
    assert again.date == first.date == "2017-10-21"


def test_verify_finds_nothing_after_all_of_it(reviewed, run):
    assert run("verify", reviewed.path)[0] == 0
    with sqlite3.connect(reviewed.path / "case.gpkg") as connection:
        connection.execute("DROP TRIGGER assessment_is_never_changed")
        connection.execute("UPDATE assessment SET grade = 'none' WHERE kind = 'reviewer'")
    connection.close()
    status, out, err = run("verify", reviewed.path)
    assert status != 0
    assert "were changed or removed after they came in" in out + err
