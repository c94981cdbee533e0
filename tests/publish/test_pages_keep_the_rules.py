"""Every page that is published: ids, heads of tables, one main, a language."""

import re
from dataclasses import replace
from fractions import Fraction
from importlib.resources import files

import pytest
import report_scene as scene
import test_evidence_sheet
import test_unmapped_report
from html_rules import faults_of
from test_assessment_page import facts as district

from aftermap.model.assessment import GRADES, Grade
from aftermap.model.clip import Clip
from aftermap.model.media import FocalPrior, FocalSource
from aftermap.model.runs import Skipped
from aftermap.publish import ClipFacts
from aftermap.publish.damage.assessment_report import assessment_page
from aftermap.publish.damage.evidence_sheet import evidence_sheet

PAGES = ("report.html", "unmapped.html", "assessment.html", "evidence.html")
"""The templates of the tests below; the others are parts of these."""
report_without_map = test_unmapped_report.report_on
__all__ = ["district", "report_without_map"]
CLIPS = tuple(
    ClipFacts(
        clip=Clip(
            sha256=scene.sha256(f"clip {i}"),
            name=f"DJI_{i:04}.MP4",
            size_bytes=1,
            container="mp4",
            codec="hevc",
            width_px=3840,
            height_px=2160,
            time_base_s=Fraction(1, 90_000),
            start_s=Fraction(0),
            duration_s=Fraction(61),
            frame_rate_hz=Fraction(30),
            focal=FocalPrior(focal_px=2800.0, sigma_px=28.0, source=FocalSource.FOCAL_35MM),
            notes=("12 frames could not be decoded",),
        ),
        shots=2,
        frames=31,
    )
    for i in range(3)
)
SKIPPED = tuple(
    Skipped(name=f"IMG_{i}.JPG", reason="is a copy", sha256=scene.sha256(f"s{i}"))
    for i in range(40)
)


def test_reports_of_maps(full_report, report_on):
    assert faults_of(full_report.html) == []
    report = report_on(clips=CLIPS, ingest_skipped=SKIPPED, notes=("two words",))
    assert faults_of(report.html) == []
    assert "Telemetry offsets" in report.html


def test_reports_without_a_map(report_without_map, tmp_path):
    poses = test_unmapped_report.unmapped(tmp_path, warnings=("The vertical is uncertain.",))
    report = report_without_map(poses, clips=CLIPS, ingest_skipped=SKIPPED, notes=("words",))
    assert faults_of(report.html) == []
    assert "Camera calibration" in report.html


@pytest.mark.parametrize("graded", [True, False])
def test_the_page_of_damage(district, graded):
    grading = district.grading
    if not graded:
        blank = (replace(one, grade=None, grades=()) for one in grading.assessments)
        grading = replace(grading, assessments=tuple(blank))
    page = assessment_page(
        replace(district, grading=grading, skipped=SKIPPED, notes=("x", "y"), adopted={})
    )
    assert faults_of(page) == []


def test_sheets_of_evidence():
    facts, graded = test_evidence_sheet.facts, test_evidence_sheet.GRADED
    measures = test_evidence_sheet.facts().measures
    unsure = replace(graded, grades=GRADES[:3], grade=Grade.NONE, is_possible=True)
    for assessments in ((), (graded,), (graded, unsure)):
        assert faults_of(evidence_sheet(facts(assessments=assessments, measures=measures))) == []


def test_no_template_is_left_out():
    folder = files("aftermap.publish").joinpath("templates")
    there = {one.name for one in folder.iterdir() if one.name.endswith(".html")}
    texts = [folder.joinpath(name).read_text("utf-8") for name in PAGES]
    parts = {name for text in texts for name in re.findall(r'(?:import|from) "([\w.]+)"', text)}
    assert there == {*PAGES, *parts}


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ('<p id="a"></p><p id="a"></p>', "id a 2 times"),
        ("<table><tr><td>1</td></tr></table>", "<table> without a head of columns"),
        ('<table><thead><tr><th scope="col"></th></tr></thead></table>', "<th> without words"),
        ("<table><thead><tr><th>a</th></tr></thead></table>", "<th> without scope"),
        ("<main></main>", "2 of <main>"),
        ('<a href="#gone">there</a>', "#gone is nowhere"),
        ("<p><b>bold</p>", "</p> closes b"),
        ('<i style="fill:url(#h)"></i>', "#h is nowhere"),
    ],
)
def test_a_page_that_breaks_a_rule_is_found(broken, fault):
    sound = (
        '<!doctype html><html lang="en"><head><title>t</title></head><body><main><h1>t</h1>{}'
        "</main></body></html>"
    )
    assert faults_of(sound.format("")) == []
    assert fault in faults_of(sound.format(broken))
