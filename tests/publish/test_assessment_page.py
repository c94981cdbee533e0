"""The page of damage: what it says, and what it must not say."""

import re
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from aftermap.model.assessment import Assessment, AssessorKind, Grade, Grading, Visibility
from aftermap.model.building import Alignment, Building, Buildings, Footprint, ShiftSource
from aftermap.model.raster import Grid, Orthophoto, Raster
from aftermap.publish.damage.assessment_report import (
    AssessmentFacts,
    ClassTotal,
    TotalsSection,
    assessment_page,
)

GRID = Grid(
    crs="EPSG:32637", east_m=500_000.0, north_m=3_970_100.0, cell_m=1.0, columns=100, rows=100
)


@pytest.fixture
def facts(tmp_path):
    picture = np.full((4, 100, 100), 180, np.uint8)
    path = tmp_path / "orthophoto.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=100,
        height=100,
        count=4,
        dtype="uint8",
        crs=GRID.crs,
        transform=Affine(1, 0, GRID.east_m, 0, -1, GRID.north_m),
    ) as file:
        file.write(picture)
    image = Raster(path=str(path), grid=GRID, nodata=None)
    ortho = Orthophoto(image=image, source=image, gains=(), covered_fraction=1.0)
    still = Alignment(shift_m=(0, 0), sigma_m=0.1, residual_m=None, source=ShiftSource.OWN)
    made, given = [], []
    seen = Visibility(
        roof_fraction=0.97, views=4, facades=1, ground_sample_m=0.05, surface_photographs=5.0
    )
    for number, grade in enumerate((Grade.NONE, Grade.DESTROYED, None)):
        corners = ((0, 0), (9, 0), (9, 9), (0, 9), (0, 0))
        ring = tuple((500_010.0 + 20 * number + x, 3_970_010.0 + y) for x, y in corners)
        footprint = Footprint(
            source_id=f"<u>{number}", feature=number, polygons_m=((ring,),), area_m2=81.0
        )
        made.append(Building(footprint=footprint, alignment=still, polygons_m=footprint.polygons_m))
        given.append(
            Assessment(
                source_id=f"<u>{number}",
                kind=AssessorKind.MACHINE,
                assessor="m",
                grade=grade,
                grades=() if grade is None else (grade,),
                visibility=seen,
                confidence=None if grade is None else 0.55,
                not_assessed_reason=None if grade else "too little was seen",
            )
        )
    return AssessmentFacts(
        case_name="Ours",
        made_at="2026-11-25T12:00:00+00:00",
        buildings=Buildings(crs=GRID.crs, buildings=tuple(made)),
        grading=Grading(assessments=tuple(given), model="m", model_sha256="ab" * 32),
        orthophoto=ortho,
    )


def test_without_totals_the_counts_are_called_the_machines_and_no_estimate(facts):
    page = assessment_page(facts)
    assert "Model grades, not estimates" in page
    assert "95 % interval" not in page
    assert "does not mean undamaged" in page


def test_totals_come_with_their_interval_and_their_sentence(facts):
    total = ClassTotal(
        cells={"class": "destroyed", "interval": "30 to 52"}, sentence="destroyed: an estimated"
    )
    section = TotalsSection(
        headings={"class": "class", "interval": "95% interval"},
        preamble=("reviewers <b>anna</b>",),
        rows=(total,),
        notes=("3 grades differ",),
    )
    page = assessment_page(replace(facts, totals=section))
    assert "30 to 52" in page
    assert "reviewers &lt;b&gt;anna" in page
    assert "3 grades differ" in page
    assert "destroyed: an estimated" in page
    assert "no estimate of totals yet" not in page


def test_why_there_is_no_total_is_said(facts):
    page = assessment_page(replace(facts, totals=TotalsSection(refusal="grades are not blind")))
    assert "Why not: grades are not blind" in page
    assert "Model grades, not estimates" in page


def test_an_adopted_grade_is_drawn_in_place_of_the_machines(facts):
    page = assessment_page(
        type(facts)(
            **{
                **{n: getattr(facts, n) for n in facts.__dataclass_fields__},
                "adopted": {"<u>2": Grade.SEVERE},
            }
        )
    )
    assert '<path fill="#f46d43" fill-opacity="0.95"' in page


def test_the_page_asks_for_nothing_and_shows_names_as_text(facts):
    page = assessment_page(facts)
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!data:|#|report\.html)', page)
    assert "<u>0" not in page
    assert "&lt;u&gt;0" in page


def test_a_building_without_a_grade_is_hatched_and_its_reason_is_listed(facts):
    page = assessment_page(facts)
    assert "url(#hatch-damage)" in page
    assert "too little was seen" in page
