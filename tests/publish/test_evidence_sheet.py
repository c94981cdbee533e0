"""The printed page of one building: three axes, pictures and hashes, and nothing that acts."""

import re
from dataclasses import replace

import pytest

from aftermap.geo.crs import LOCAL
from aftermap.model.assessment import (
    Assessment,
    AssessorKind,
    Grade,
    Reason,
    ReasonSide,
    Visibility,
)
from aftermap.model.building import Alignment, Building, Footprint, ShiftSource
from aftermap.model.evidence import CropWindow, Evidence, EvidenceKind
from aftermap.publish.damage.evidence_sheet import (
    MeasureRow,
    SheetFacts,
    evidence_sheet,
    write_evidence_sheet,
)

EAST, NORTH = 500_900.0, 3_978_400.0
RING = ((EAST, NORTH), (EAST + 9, NORTH), (EAST + 9, NORTH + 9), (EAST, NORTH + 9), (EAST, NORTH))
SEEN = Visibility(
    roof_fraction=0.93, views=7, facades=3, ground_sample_m=0.04, surface_photographs=6.0
)
GRADED = Assessment(
    source_id="B7",
    kind=AssessorKind.MACHINE,
    assessor="a model",
    grade=Grade.SEVERE,
    grades=(Grade.MODERATE, Grade.SEVERE),
    probabilities=(0.01, 0.04, 0.2, 0.7, 0.05),
    confidence=0.7,
    reasons=(
        Reason(text="roof plane residual 0.8 m", side=ReasonSide.FOR),
        Reason(text="70 % of the roof stands at its height", side=ReasonSide.AGAINST),
    ),
)


def facts(source_id="B7", *, assessments=(), measures=(), original="DJI_0001.JPG", visibility=SEEN):
    building = Building(
        footprint=Footprint(source_id=source_id, feature=0, polygons_m=((RING,),), area_m2=81.0),
        alignment=Alignment(
            shift_m=(0.5, -1.25), sigma_m=0.2, residual_m=0.11, source=ShiftSource.OWN
        ),
        polygons_m=((RING,),),
    )
    view = Evidence(
        building=0,
        source_id=source_id,
        kind=EvidenceKind.VIEW,
        rank=1,
        path="/x/view-1.jpg",
        name="B7-12345678/view-1.jpg",
        file_sha256="1f" * 32,
        original_sha256="2e" * 32,
        original_name=original,
        azimuth_deg=200.0,
        faces=5,
        time_s=3.2,
        time_exact="16/5",
        window=CropWindow(left_px=1, top_px=2, width_px=30, height_px=40, turn_deg=-12.0, scale=1),
    )
    return SheetFacts(
        case_name="a case",
        building=building,
        crs="EPSG:32637",
        evidence=(view,),
        visibility=visibility,
        assessments=tuple(assessments),
        measures=tuple(measures),
        made_at="2026-11-25T14:00:00Z",
    )


def test_the_three_axes_stand_beside_each_other():
    page = evidence_sheet(facts(assessments=[GRADED]))
    assert "severe damage" in page
    assert "moderate to severe" in page
    assert re.search(r"Confidence</h2>\s*<p class=\"big\">70", page)
    assert re.search(r"roof measured</th><td class=\"n\">93", page)
    assert re.search(r"For this grade</p><ul><li>roof plane residual 0.8", page)
    assert re.search(r"Against this grade</p><ul><li>70 % of the roof stands", page)


def test_a_measurement_that_contradicts_the_grade_is_told_as_such():
    text = "holes in the roof: 10 ± 4 %, not explained by no visible damage"
    told = replace(GRADED, reasons=(Reason(text=text, side=ReasonSide.CONTRADICTION),))
    page = evidence_sheet(facts(assessments=[told]))
    assert f"Contradicts this grade</p><ul><li>{text}" in page


def test_without_a_grade_the_evidence_is_shown_all_the_same():
    page = evidence_sheet(facts())
    assert "This building has not been graded" in page
    assert 'src="view-1.jpg"' in page


def test_not_assessed_is_said_with_its_reason():
    reason = "its roof was seen in 12 % only"
    one = Assessment(
        source_id="B7",
        kind=AssessorKind.MACHINE,
        assessor="m",
        grade=None,
        not_assessed_reason=reason,
    )
    page = evidence_sheet(facts(assessments=[one]))
    assert "not assessed" in page
    assert reason in page


def test_what_the_case_stands_by_is_told_first_and_everybody_is_listed():
    adopted = Assessment(
        source_id="B7",
        kind=AssessorKind.ADOPTED,
        assessor="the team",
        grade=Grade.DESTROYED,
        grades=(Grade.DESTROYED,),
        at="2026-11-26T08:00:00Z",
    )
    page = evidence_sheet(facts(assessments=[GRADED, adopted]))
    assert re.search(r"class=\"grade\"[^>]*><b>destroyed</b><span>accepted grade", page)
    assert "a model" in page


def test_hashes_and_windows_are_on_the_page():
    page = evidence_sheet(facts())
    assert "2e" * 32 in page
    assert "1f" * 32 in page
    assert "1, 2, 30 by 40; rotated \u221212.0°" in page
    assert "3.200" in page


def test_a_value_that_is_not_known_is_not_zero():
    nothing = Visibility(
        roof_fraction=0.0, views=0, facades=0, ground_sample_m=None, surface_photographs=None
    )
    measures = [
        MeasureRow(name="height", value=None, unit="m"),
        MeasureRow(name="lost", value=0.412, sigma=0.03, unit="%"),
    ]
    page = evidence_sheet(facts(measures=measures, visibility=nothing))
    assert page.count("not known") == 4
    assert "41 ± 3" in page


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a\u202eb"],
)
def test_a_hostile_name_is_shown_as_text(name):
    hostile = Assessment(
        source_id="B7",
        kind=AssessorKind.REVIEWER,
        assessor=name,
        grade=Grade.NONE,
        grades=(Grade.NONE,),
        reasons=(Reason(text=name, side=ReasonSide.NOTE),),
        note=name,
    )
    page = evidence_sheet(facts(name, assessments=[hostile, hostile], original=name))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert "49" not in re.sub(r"<style>.*</style>", "", page, flags=re.DOTALL)
    assert "default-src 'none'" in page


def test_the_page_is_written_beside_its_pictures(tmp_path):
    path = write_evidence_sheet(facts(), tmp_path / "B7-12345678")
    assert path.name == "sheet.html"
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_a_building_in_the_south_and_west_has_positive_degrees_with_their_letters():
    south = replace(facts(), crs="EPSG:32719")
    assert re.search(r"\d+\.\d{5}° S, \d+\.\d{5}° W", evidence_sheet(south))


def test_a_case_that_is_not_georeferenced_gives_local_coordinates():
    page = evidence_sheet(replace(facts(), crs=LOCAL))
    assert "local coordinates 500 904.50 east, 3 978 404.50 north" in page.replace("\u202f", " ")
