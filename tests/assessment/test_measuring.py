"""Measures of made-up roofs whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from made_up_roofs import CELL, CRS, NORTH, SIDE, WEST, Scene, outline, raster, seen, values

from aftermap.assessment.before import before_in
from aftermap.assessment.grade import grade_buildings, grader_in
from aftermap.assessment.roof import normal_entropy
from aftermap.assessment.roof_planes import planes_through
from aftermap.errors import InputError
from aftermap.model.assessment import Grade, Imagery, ReasonSide, reasons_on
from aftermap.model.building import Alignment, Building, Buildings, ShiftSource


def test_a_flat_roof_is_one_plane_at_its_height(tmp_path):
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 34)] += 6.0
    _, _, (row,) = values(scene, [outline(20, 20, 32, 34)], tmp_path)
    assert row["height_m"] == pytest.approx(6.0, abs=0.1)
    assert abs(row["height_m"] - 6.0) < 3 * row["height_m_sigma"] + 0.05
    assert row["plane_count"] == 1
    assert row["plane_fraction"] > 0.97
    assert row["plane_residual_m"] < 0.05
    assert row["low_fraction"] == 0
    assert row["measured_fraction"] == 1


def test_a_gable_is_two_planes_and_no_damage(tmp_path):
    scene = Scene()
    cut = scene.cut(20, 20, 32, 40)
    across = np.abs(np.arange(120) - 59.5) * CELL
    scene.height[cut] += (5.0 + (6.0 - across) * 0.8).astype(np.float32)
    made, table, (row,) = values(scene, [outline(20, 20, 32, 40)], tmp_path)
    assert row["plane_count"] == 2
    assert row["plane_residual_m"] < 0.15
    assert row["low_fraction"] == 0
    assert row["below_half_fraction"] == 0
    (grade,) = grade_buildings(made, table, seen(1)).assessments
    assert grade.grade in {Grade.NONE, Grade.LIGHT}


def test_a_hole_is_measured_in_its_size(tmp_path):
    scene = Scene()
    scene.height[scene.cut(20, 20, 34, 34)] += 9.0
    scene.height[scene.cut(25, 25, 28, 28)] -= 3.0
    _, _, (row,) = values(scene, [outline(20, 20, 34, 34)], tmp_path)
    inner = (14 - 2 * 0.6) ** 2
    assert row["low_fraction"] == pytest.approx(9 / inner, abs=0.015)
    assert row["hole_count"] == 1
    assert row["hole_fraction"] == pytest.approx(9 / inner, abs=0.015)


def test_a_fallen_half_lies_below_half_height(tmp_path):
    scene = Scene()
    scene.height[scene.cut(20, 20, 34, 34)] += 9.0
    scene.height[scene.cut(20, 20, 27, 34)] -= 7.5
    _, _, (row,) = values(scene, [outline(20, 20, 34, 34)], tmp_path)
    assert row["below_half_fraction"] == pytest.approx(0.5, abs=0.03)
    assert row["roof_height_m"] == pytest.approx(9.0, abs=0.1)


def test_rubble_outside_is_an_apron_on_its_side(tmp_path):
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 32)] += 6.0
    east = scene.cut(32, 18, 37, 34)
    heap = scene.rng.uniform(0.5, 1.6, scene.height[east][::4, ::4].shape)
    scene.height[east] += np.kron(heap, np.ones((4, 4)))[:160, :50].astype(np.float32)
    _, _, (row,) = values(scene, [outline(20, 20, 32, 32)], tmp_path)
    assert row["apron_sides"] == 1
    assert 0.15 < row["apron_fraction"] < 0.4


def test_what_was_filled_is_no_evidence(tmp_path):
    scene = Scene()
    cut = scene.cut(20, 20, 32, 32)
    scene.height[cut] += 6.0
    scene.count[scene.cut(20, 20, 32, 30)] = 0
    made, table, (row,) = values(scene, [outline(20, 20, 32, 32)], tmp_path)
    assert row["measured_fraction"] == pytest.approx(1 / 6, abs=0.02)
    assert row["filled_fraction"] == pytest.approx(5 / 6, abs=0.02)
    (grade,) = grade_buildings(made, table, seen(1)).assessments
    assert grade.grade is None
    assert grade.probabilities is None
    assert "17 % of its roof was measured" in grade.not_assessed_reason


def test_a_building_beyond_the_map_is_not_assessed(tmp_path):
    made, table, (row,) = values(Scene(), [outline(200, 200, 212, 212)], tmp_path)
    assert row["measured_fraction"] == 0
    assert grade_buildings(made, table, seen(1)).assessments[0].not_assessed_reason


def test_open_ground_inside_an_outline_is_no_destroyed_building(tmp_path):
    made, table, _ = values(Scene(), [outline(20, 20, 32, 32)], tmp_path)
    (grade,) = grade_buildings(made, table, seen(1)).assessments
    assert grade.grade is None
    assert "open ground" in grade.not_assessed_reason


@pytest.mark.parametrize(
    ("facts", "words"),
    [({"views": 0}, "no image"), ({"ground_sample_m": 0.5}, "GSD of 0.50 m")],
)
def test_too_little_visibility_forbids_a_grade(tmp_path, facts, words):
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 32)] += 6.0
    made, table, _ = values(scene, [outline(20, 20, 32, 32)], tmp_path)
    (grade,) = grade_buildings(made, table, seen(1, **facts)).assessments
    assert grade.grade is None
    assert words in grade.not_assessed_reason


def test_a_whole_roof_is_graded_with_reasons_and_a_heap_is_destroyed(tmp_path):
    scene = Scene()
    scene.height[scene.cut(5, 30, 17, 44)] += 6.0
    cut = scene.cut(35, 30, 47, 44)
    rough = scene.rng.uniform(0.3, 2.2, (35, 30))
    scene.height[cut] += np.kron(rough, np.ones((4, 4))).astype(np.float32)
    scene.light[cut] = np.kron(scene.rng.uniform(30, 230, (70, 60)), np.ones((2, 2)))
    made, table, _ = values(scene, [outline(5, 30, 17, 44), outline(35, 30, 47, 44)], tmp_path)
    whole, heap = grade_buildings(made, table, seen(2)).assessments
    assert whole.grade is Grade.NONE
    assert heap.grade is Grade.DESTROYED
    for one in (whole, heap):
        assert sum(one.probabilities) == pytest.approx(1, abs=1e-3)
        assert 1 <= len(reasons_on(ReasonSide.FOR, one.reasons)) <= 3
        assert one.grade in one.grades


def test_the_same_roof_is_less_sure_where_only_video_saw_it(tmp_path):
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 32)] += 6.0
    made, table, _ = values(scene, [outline(20, 20, 32, 32)], tmp_path)
    (view,) = seen(1)
    above, video = (
        grade_buildings(made, table, [replace(view, imagery=kind)]).assessments[0]
        for kind in (Imagery.NADIR_PHOTOGRAPHS, Imagery.VIDEO)
    )
    assert video.grade is above.grade
    assert video.confidence < above.confidence
    assert [one.side for one in video.reasons].count(ReasonSide.NOTE) == 1


def test_a_bad_fit_makes_a_grade_less_sure(tmp_path):
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 32)] += 6.0
    good = outline(20, 20, 32, 32)
    made, table, _ = values(scene, [good], tmp_path)
    loose = Alignment(shift_m=(0, 0), sigma_m=3.0, residual_m=None, source=ShiftSource.NONE)
    bad = Building(footprint=good.footprint, alignment=loose, polygons_m=good.polygons_m)
    sure = grade_buildings(made, table, seen(1)).assessments[0].confidence
    unsure = (
        grade_buildings(Buildings(crs=CRS, buildings=(bad,)), table, seen(1))
        .assessments[0]
        .confidence
    )
    assert unsure < sure


def test_height_lost_since_earlier_is_found_whatever_the_datum(tmp_path):
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 32)] += 9.0
    (tmp_path / "before.tif").write_bytes(b"")
    raster(tmp_path / "before.tif", [scene.height + 37.0], -9999.0)
    before = before_in(
        None,
        tmp_path / "before.tif",
        map_crs=CRS,
        area_m=(WEST, NORTH - SIDE * CELL, WEST + SIDE * CELL, NORTH),
    )
    scene.height[scene.cut(20, 20, 32, 32)] -= 4.0
    _, _, (row,) = values(scene, [outline(20, 20, 32, 32)], tmp_path, before)
    assert row["before_loss_m"] == pytest.approx(4.0, abs=0.1)
    assert row["height_loss_fraction"] == pytest.approx(4 / 9, abs=0.03)


def test_a_before_picture_of_another_place_is_refused(tmp_path):
    raster(tmp_path / "before.tif", [np.zeros((50, 50), np.float32)])
    far = (WEST + 9000, NORTH + 9000, WEST + 9100, NORTH + 9100)
    with pytest.raises(InputError, match="another place"):
        before_in(None, tmp_path / "before.tif", map_crs=CRS, area_m=far)


def test_planes_of_a_hip_roof_are_found_with_their_slopes():
    rng = np.random.default_rng(1)
    xy = rng.uniform(-6, 6, (3000, 2))
    side = np.where(xy[:, 0] > 0, -0.6, 0.6)
    z = 3 + side * xy[:, 0] + rng.normal(0, 0.03, 3000)
    slopes = np.column_stack([side, np.zeros(3000)])
    planes = planes_through(np.column_stack([xy, z]), slopes, np.full(3000, 0.03), 0.04, 7)
    assert len(planes.level_m) == 2
    assert sorted(np.round(planes.coefficients[:, 1], 1)) == [-0.6, 0.6]
    assert planes.residual_m < 0.05


def test_entropy_of_directions_is_nothing_for_a_flat_roof_and_high_for_rubble():
    rng = np.random.default_rng(2)
    assert normal_entropy(np.zeros((500, 2))) == 0
    assert normal_entropy(rng.normal(0, 1, (500, 2))) > 0.8


def test_the_shipped_model_says_how_it_was_trained():
    training = grader_in().model.training
    held_out = {f"city:{seed}" for seed in (1, 21, 22, 23, 24, 25, 31, 32, 33)}
    assert held_out.isdisjoint(training["districts"])
    assert len({district.split(":")[0] for district in training["districts"]}) > 1
    assert training["circumstances"]["versions"]["numpy"]
