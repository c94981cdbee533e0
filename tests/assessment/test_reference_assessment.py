"""Other people's assessments: read as they are said to be coded, and never guessed."""

import os
import warnings
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from aftermap.assessment.agreement import compare_assessments
from aftermap.assessment.reference_assessment import (
    OtherAssessment,
    ReferenceOptions,
    other_assessment,
)
from aftermap.assessment.scales import Meaning, Scale, code_of
from aftermap.errors import CrsError, InputError
from aftermap.model.assessment import Grade

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "unosat"
RAQQA = SHARED / "raqqa_damage.gpkg"
CRS = "EPSG:32637"
UNOSAT = ReferenceOptions(scale=Scale.UNOSAT)


def write(path: Path, fields: dict, shapes=None, crs: str | None = CRS) -> Path:
    columns = {name: np.array(values) for name, values in fields.items()}
    count = len(next(iter(columns.values())))
    shapes = [shapely.Point(10 * i, 0) for i in range(count)] if shapes is None else shapes
    if crs is None:
        warnings.filterwarnings("ignore", message="'crs' was not provided")
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(shapes, object)),
        list(columns.values()),
        list(columns),
        driver="GPKG",
        geometry_type="Unknown",
        crs=crs,
    )
    return path


@pytest.mark.parametrize(
    "fields",
    [
        {"Main_Damage_Site_Class": [6, 6, 6], "Main_Damage_Site_Class_2": [1, 2, 5]},
        {"DaSitCl": ["", "", ""], "DaSitCl5": ["Destroyed", "severe damage", "5"]},
        {"Main_Damag": ["Destroyed", "Severe Damage", "Impact Crater (Damage to Road)"]},
        {"DmgCls": [6.0, 6.0, 6.0], "DmgCls_4": [1.0, 2.0, 5.0]},
    ],
)
def test_the_newest_field_of_unosats_variants_is_read(tmp_path, fields):
    found = other_assessment(write(tmp_path / "u.gpkg", fields), UNOSAT)
    assert [code.code for code in found.codes] == ["1", "2", "5"]
    assert found.codes[2].meaning is Meaning.NO_BUILDING
    assert list(fields)[-1] in found.notes[0]


def test_the_coding_is_not_guessed(tmp_path):
    path = write(tmp_path / "u.gpkg", {"Main_Damage_Site_Class": [1, 2, 3, 3]})
    with pytest.raises(InputError, match=r"2 x 3, 1 x 1, 1 x 2.*--scale, one of unosat") as error:
        other_assessment(path, ReferenceOptions())
    assert "\n" not in str(error.value)


def test_a_coding_that_does_not_know_the_values_is_refused_with_one_that_does(tmp_path):
    path = write(tmp_path / "u.gpkg", {"Main_Damage_Site_Class": [0, 1, 3]})
    with pytest.raises(InputError, match=r"not in unosat .*unosat-recoded"):
        other_assessment(path, UNOSAT)


def test_a_field_that_is_not_plain_is_asked_for_with_what_the_file_holds(tmp_path):
    path = write(tmp_path / "u.gpkg", {"DaSitCl": ["Destroyed"], "DmgCls": ["Destroyed"]})
    with pytest.raises(InputError, match=r"DaSitCl \(1 x Destroyed\), DmgCls .*--field"):
        other_assessment(path, UNOSAT)
    with pytest.raises(InputError, match="has no field damage"):
        other_assessment(path, ReferenceOptions(scale=Scale.UNOSAT, field="damage"))


def test_a_file_without_a_crs_is_refused_until_it_is_named(tmp_path):
    path = write(tmp_path / "u.geojson.gpkg", {"DaSitCl": ["Destroyed"]}, crs=None)
    with pytest.raises(CrsError, match=r"declares no CRS .*--crs EPSG:4326"):
        other_assessment(path, UNOSAT)
    found = other_assessment(path, ReferenceOptions(scale=Scale.UNOSAT, crs=CRS))
    assert found.crs == CRS


def test_a_crs_that_contradicts_the_file_is_not_passed_over(tmp_path):
    path = write(tmp_path / "u.gpkg", {"Main_Damag": [1, 2]})
    with pytest.raises(CrsError, match=r"declares EPSG:32637, and --crs foo says another"):
        other_assessment(path, ReferenceOptions(scale=Scale.UNOSAT, crs="foo"))
    assert other_assessment(path, ReferenceOptions(scale=Scale.UNOSAT, crs=CRS)).crs == CRS


def test_a_missing_value_is_no_code_and_a_strange_one_is_told(tmp_path):
    path = write(tmp_path / "u.gpkg", {"DmgCls": [1.0, 2.0, 3.0, float("nan"), 77.0]})
    found = other_assessment(path, UNOSAT)
    assert [code and code.code for code in found.codes] == ["1", "2", "3", None]
    assert [one.reason for one in found.skipped] == ["77.0: not of unosat"]


def test_a_file_that_is_no_map_is_told(tmp_path):
    path = tmp_path / "no.gpkg"
    path.write_text("no map")
    with pytest.raises(InputError, match="cannot be read as vector data"):
        other_assessment(path, UNOSAT)


def other(codes, shapes, scale=Scale.UNOSAT) -> OtherAssessment:
    return OtherAssessment(
        name="u.gpkg",
        scale=scale,
        field="f",
        crs=CRS,
        date=None,
        shapes=np.array(shapes, object),
        codes=tuple(None if code is None else code_of(scale, code) for code in codes),
        fids=np.arange(len(codes)),
    )


@pytest.fixture
def town():
    """Ten square buildings in a row, 10 m wide, 20 m apart."""
    return {f"b{i}": shapely.box(20 * i, 0, 20 * i + 10, 10) for i in range(10)}


def test_trap_a_building_without_a_site_is_not_undamaged(town):
    grades = dict.fromkeys(town, Grade.NONE) | {"b9": None}
    found = compare_assessments(grades, town, other([1], [shapely.Point(5, 5)]), CRS)
    assert found.without_site == {"none": 8, "not_assessed": 1}
    assert sum(sum(row.values()) for row in found.matrix.values()) == 1
    assert found.compared == 1


def test_trap_one_damaged_site_does_not_make_the_building_damaged(town):
    sites = [shapely.Point(2, 5), shapely.Point(5, 5), shapely.Point(8, 5)]
    found = compare_assessments(dict.fromkeys(town, Grade.NONE), town, other([6, 6, 1], sites), CRS)
    assert found.differing == ("b0",)
    assert found.compared == 0


def test_a_site_belongs_to_the_building_around_it_else_to_the_nearest_within_reach(town):
    sites = [shapely.Point(5, 5), shapely.Point(32, 5), shapely.Point(55, 5), shapely.Point(60, 90)]
    found = compare_assessments(
        dict.fromkeys(town, Grade.DESTROYED), town, other([1, 1, 2, 1], sites), CRS, within_m=4.0
    )
    assert found.matrix["destroyed"] == {"1": 2}
    assert found.without_building == {"2": 1, "1": 1}


def test_a_polygon_belongs_to_the_building_that_it_covers_most_of(town):
    found = compare_assessments(
        dict.fromkeys(town, Grade.SEVERE), town, other([2], [shapely.box(8, 0, 29, 10)]), CRS
    )
    assert found.without_site == {"severe": 9}
    assert found.matrix["severe"] == {"2": 1}


def test_craters_and_sites_without_a_value_are_counted_apart(town):
    sites = [shapely.Point(20 * i + 5, 5) for i in range(5)]
    found = compare_assessments(
        dict.fromkeys(town, Grade.NONE), town, other([6, 5, 7, None, 4], sites), CRS
    )
    assert (found.no_building, found.unrated) == (2, 1)
    assert found.matrix["none"] == {"6": 1, "4": 1}
    assert found.compared == 1  # "possible" is no grade


def test_kappa_is_one_where_all_agree_and_light_is_told_apart(town):
    grades = dict(
        zip(town, [*list(Grade) * 2], strict=True),
    )
    code = {"none": 6, "light": 6, "moderate": 3, "severe": 2, "destroyed": 1}
    sites = [shape.centroid for shape in town.values()]
    found = compare_assessments(grades, town, other([code[g] for g in grades.values()], sites), CRS)
    (kappa,) = found.agreements
    assert (kappa.value, kappa.buildings) == (1, 8)
    assert (found.same, found.compared, found.no_class) == (8, 8, 2)


def test_a_third_partys_recoding_is_compared_as_any_other(town):
    grades = dict(zip(town, [*list(Grade) * 2], strict=True))
    code = {"none": 0, "light": 0, "moderate": 1, "severe": 2, "destroyed": 3}
    sites = [shape.centroid for shape in town.values()]
    codes = [code[grade] for grade in grades.values()]
    found = compare_assessments(grades, town, other(codes, sites, Scale.UNOSAT_RECODED), CRS)
    assert (found.agreements[0].value, found.compared, found.no_class) == (1, 8, 2)


def test_codes_that_overlap_give_a_kappa_for_and_one_against_us(town):
    grades = dict(zip(town, [*list(Grade) * 2], strict=True))
    sites = [shape.centroid for shape in town.values()]
    codes = [str([0, 1, 3, 4, 5][i % 5]) for i in range(10)]
    found = compare_assessments(grades, town, other(codes, sites, Scale.EMS98), CRS)
    favour, against = found.agreements
    assert favour.value == 1 > against.value


@pytest.mark.skipif(
    not RAQQA.is_file() or "CI" in os.environ, reason="needs ../shared, which is no part of this"
)
class TestRaqqa:
    ASKED = ReferenceOptions(
        scale=Scale.UNOSAT_RECODED, layer="raqqa_damage", field="2017-10-21", crs="EPSG:4326"
    )

    def test_12781_rated_points_in_3_classes_and_craters_apart(self):
        found = other_assessment(RAQQA, self.ASKED)
        counts = found.counts()
        assert sum(counts[code] for code in "123") == 12_781
        assert (counts["3"], counts["2"], counts["1"]) == (3326, 3962, 5493)
        assert (counts[""], counts["0"]) == (262, 117)
        assert found.date == "2017-10-21"

    def test_the_coding_of_unosat_itself_is_refused(self):
        with pytest.raises(InputError, match="unosat-recoded"):
            other_assessment(
                RAQQA,
                ReferenceOptions(scale=Scale.UNOSAT, layer="raqqa_damage", field="2017-10-21"),
            )
