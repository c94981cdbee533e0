"""The additive model: its curves keep their direction, it can be read back, it can be refined."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.first_model import calibration_temperature, empty_model
from hypothesis import given
from hypothesis import strategies as st

from aftermap.assessment.grade import AdditiveGrader, grader_in, smallest_run
from aftermap.assessment.model_fit import FitOptions, fit
from aftermap.assessment.ordinal import document_of, isotonic, model_of, of_steps
from aftermap.assessment.plugin import onnx_grader
from aftermap.assessment.refine_model import LABELS, learn, write_model
from aftermap.assessment.reliability import kappa_of
from aftermap.assessment.trees import forest_of
from aftermap.errors import InputError, MissingExtraError
from aftermap.model.assessment import Assessment, AssessorKind, Grade, ReasonSide
from aftermap.model.building import (
    Alignment,
    Building,
    Buildings,
    Footprint,
    MeasureTable,
    ShiftSource,
)

RING = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 0.0))


def made_up(count=600):
    """A measure that grows with damage, one that is noise, and the grades."""
    rng = np.random.default_rng(5)
    grades = rng.integers(0, 5, count)
    values = {
        "low_fraction": grades / 5 + rng.normal(0, 0.12, count),
        "roughness_m": rng.normal(0, 1, count),
    }
    return values, grades


def fitted():
    values, grades = made_up()
    empty = empty_model(values, {"low_fraction": 1, "roughness_m": 0}, 5)
    return fit(empty, values, grades, FitOptions()), values, grades


MADE_UP = fitted()[0]


def test_grades_are_learned_and_a_curve_keeps_its_direction():
    model, values, grades = fitted()
    p = model.probabilities(model.parts(values), np.zeros(len(grades)))
    agreement = kappa_of(grades, p.argmax(1), 5, "the model").value
    assert agreement is not None
    assert agreement > 0.85
    assert (model.curves[0].weights >= 0).all()
    rising = {"low_fraction": np.linspace(-0.5, 1.5, 50), "roughness_m": np.zeros(50)}
    mean = model.probabilities(model.parts(rising), np.zeros(50)) @ np.arange(5)
    assert (np.diff(mean) >= -1e-9).all()


def test_what_is_larger_than_all_that_was_trained_on_goes_on_making_it_worse():
    rng = np.random.default_rng(7)
    grades = rng.integers(0, 5, 400)
    values = {"low_fraction": grades * 0.07 + rng.uniform(0, 0.05, 400)}
    knots = {"low_fraction": (0.0, 0.1, 0.2, 0.35, 1.0)}
    chances = {}
    for smooth in (0.0, 1.0):
        empty = empty_model(values, {"low_fraction": 1}, 5, knots)
        model = fit(empty, values, grades, FitOptions(smooth=smooth))
        parts = model.parts({"low_fraction": np.array([0.34, 0.9])})
        chances[smooth] = model.probabilities(parts, np.zeros(2))[:, 4]
    assert chances[1.0][1] > chances[1.0][0] + 0.05
    assert chances[1.0][1] > chances[0.0][1]


def test_an_empty_model_says_only_what_is_expected():
    values, _ = made_up()
    expected = {"low_fraction": (1.0, 0.0, 0.0, 0.0)}
    empty = empty_model(values, {"low_fraction": 1, "roughness_m": 0}, 5, None, expected)
    parts = empty.parts({"low_fraction": np.array([0.0, 1.0]), "roughness_m": np.zeros(2)})
    assert parts[0, 1, 0] > parts[0, 0, 0]
    assert (parts[:, :, 1:] == 0).all()
    assert (parts[1] == 0).all()


@given(st.floats(-0.3, 1.3), st.floats(-3, 3), st.integers(0, 4))
def test_a_measure_is_for_a_grade_that_it_makes_likelier_and_else_against_it(low, rough, grade):
    model = MADE_UP
    values = {"low_fraction": np.array([low]), "roughness_m": np.array([rough])}
    weights = model.weights_of_measures(model.parts(values)[:, 0], grade)
    chance = model.probabilities(model.parts(values), np.zeros(1))[0, grade]
    for weight, curve in zip(weights, model.curves, strict=True):
        typical = values | {curve.name: np.array([curve.typical])}
        without = model.probabilities(model.parts(typical), np.zeros(1))[0, grade]
        assert (weight > 1e-6) <= (chance > without)
        assert (weight < -1e-6) <= (chance < without)


def test_a_whole_roof_speaks_against_destroyed_and_a_missing_one_for_it():
    model = replace(MADE_UP, curves=MADE_UP.curves[:1])
    grader = AdditiveGrader(name="made up", sha256="0" * 64, model=model)
    for low, side in ((-0.2, ReasonSide.AGAINST), (1.2, ReasonSide.FOR)):
        (reason,) = grader.reasons({"low_fraction": np.array([low])}, 0, 4)
        assert reason.side is side
        assert "of the roof missing" in reason.text


def test_what_is_not_known_adds_nothing():
    model, _, _ = fitted()
    parts = model.parts({"low_fraction": np.array([np.nan]), "roughness_m": np.array([0.0])})
    assert (parts[0] == 0).all()


def test_doubt_flattens_and_leaves_the_likeliest_grade():
    model, values, grades = fitted()
    parts = model.parts(values)
    sure = model.probabilities(parts, np.zeros(len(grades)))
    unsure = model.probabilities(parts, np.full(len(grades), 0.5))
    assert unsure.max(1).mean() < sure.max(1).mean()
    assert np.allclose(unsure.sum(1), 1)
    assert (unsure.argmax(1) == sure.argmax(1)).all()


def test_a_model_is_the_same_after_writing(tmp_path):
    model, values, grades = fitted()
    again = model_of(document_of(model))
    none_of_it = np.zeros(len(grades))
    assert np.allclose(
        again.probabilities(again.parts(values), none_of_it),
        model.probabilities(model.parts(values), none_of_it),
        atol=2e-3,
    )
    path = tmp_path / "model.json"
    written = write_model(model, path)
    assert grader_in(path).sha256 == written.sha256


def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path):
    path = tmp_path / "model.json"
    for text in ("{", "[]", '{"format": "other"}'):
        path.write_text(text)
        with pytest.raises(InputError, match=r"model\.json: is not a grading model"):
            grader_in(path)


def test_steps_that_cross_are_brought_together():
    assert np.allclose(isotonic(np.array([[0.2, 0.6, 0.1]])), [[0.4, 0.4, 0.1]])
    assert (of_steps(np.array([[-3.0, 2.0, 0.0, 5.0]])) >= 0).all()


def test_temperature_finds_how_much_too_sure_a_model_is():
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 4000)[:, None] - np.array([-2.0, -0.7, 0.7, 2.0])
    p = of_steps(odds)
    grades = np.array([rng.choice(5, p=row / row.sum()) for row in p])
    assert calibration_temperature(odds * 2.0, grades) == pytest.approx(2.0, rel=0.1)


def test_the_smallest_run_holds_four_fifths():
    assert smallest_run(np.array([0.85, 0.1, 0.05, 0, 0])) == (Grade.NONE,)
    assert smallest_run(np.array([0.5, 0.35, 0.1, 0.05, 0])) == (Grade.NONE, Grade.LIGHT)
    assert len(smallest_run(np.full(5, 0.2))) == 4


def test_a_forest_follows_its_nodes_and_its_rule_for_missing_values():
    forest = forest_of(
        {"inputs": ["a"], "bias": 0.0, "depth": 1, "trees": [[[0, 1.0, 1, 2, False], -2.0, 2.0]]}
    )
    p = forest.probability(np.array([[0.5], [1.5], [np.nan]]))
    assert p[0] < 0.2
    assert p[1] > 0.8
    assert p[2] == p[1]


def city(count, tmp_path):
    """Buildings whose reviewers call worse what the shipped model finds whole."""
    rng = np.random.default_rng(1)
    names = [curve.name for curve in grader_in().model.curves]
    table = {
        curve.name: np.full(count, curve.typical) + rng.normal(0, 0.01, count)
        for curve in grader_in().model.curves
    }
    pq.write_table(pa.table(table), tmp_path / "m.parquet")
    alignment = Alignment(shift_m=(0, 0), sigma_m=0.1, residual_m=None, source=ShiftSource.OWN)
    buildings = tuple(
        Building(
            footprint=Footprint(source_id=f"b{k}", feature=k, polygons_m=((RING,),), area_m2=81.0),
            alignment=alignment,
            polygons_m=((RING,),),
        )
        for k in range(count)
    )
    labels = [
        Assessment(source_id=f"b{k}", kind=AssessorKind.REVIEWER, assessor="A", grade=Grade.SEVERE)
        for k in range(count)
    ]
    measures = MeasureTable(path=str(tmp_path / "m.parquet"), names=tuple(names))
    return Buildings(crs="EPSG:32637", buildings=buildings), measures, labels, table


def test_a_citys_labels_move_the_grades_and_are_named(tmp_path):
    buildings, measures, labels, table = city(60, tmp_path)
    shipped = grader_in()
    found = learn(shipped, buildings, measures, labels, "2026-01-01T00:00:00Z")
    none_of_it = np.zeros(60)
    before = shipped.model.probabilities(shipped.model.parts(table), none_of_it)[:, 3].mean()
    after = found.probabilities(found.parts(table), none_of_it)[:, 3].mean()
    assert after > before + 0.2
    write_model(found, tmp_path / "city.json")
    assert tuple(grader_in(tmp_path / "city.json").model.training[LABELS]) == tuple(
        sorted(f"b{k}" for k in range(60))
    )


def test_too_few_labels_teach_nothing(tmp_path):
    buildings, measures, labels, _ = city(60, tmp_path)
    with pytest.raises(InputError, match="only 29 reviewed buildings"):
        learn(grader_in(), buildings, measures, labels[:29], "")


def test_a_machines_grades_are_never_learned_from(tmp_path):
    buildings, measures, labels, _ = city(60, tmp_path)
    machine = [
        Assessment(
            source_id=one.source_id, kind=AssessorKind.MACHINE, assessor="m", grade=one.grade
        )
        for one in labels
    ]
    with pytest.raises(InputError, match="only 0 reviewed buildings"):
        learn(grader_in(), buildings, measures, machine, "")


@pytest.mark.skipif(find_spec("onnxruntime") is not None, reason="onnxruntime is installed")
def test_an_onnx_model_without_onnxruntime_says_what_to_install(tmp_path):
    with pytest.raises(MissingExtraError, match=r"install aftermap\[onnx\]"):
        onnx_grader(tmp_path / "own.onnx")
