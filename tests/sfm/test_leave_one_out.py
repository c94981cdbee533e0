"""Leave-one-out at the control marks: what it predicts, and where it can say nothing."""

from dataclasses import replace

import numpy as np
import pytest
from surveyed_flight import (
    FIELD,
    NAMES,
    UTM,
    adrift,
    control_file,
    map_error_m,
    surveyed_case,
    surveyed_m,
)

from aftermap.sfm.bundle import block_covariance
from aftermap.sfm.gcp import adjust_with_control, survey_of, triangulated_marks
from aftermap.sfm.leave_one_out import (
    left_out_residuals,
    straight_warnings,
    unheld_warning,
    untested_warnings,
)
from aftermap.sfm.propagated import ground_sigma_m

LINE = np.column_stack([np.linspace(5, 105, 5), np.linspace(38, 42, 5), [0.0, 0.3, 0.6, 0.3, 0]])


@pytest.fixture(scope="module")
def case():
    return surveyed_case()


def held(folder, case, marks, *, with_gps, seed=3):
    """The survey of some marks, all of them control, and the block that they hold."""
    control = control_file(
        folder,
        case.flight,
        marks=marks,
        surveyed=surveyed_m(marks, seed),
        names=NAMES[: len(marks)],
    )
    block = case.block if with_gps else adrift(case)
    survey = survey_of(control, block.frames, UTM if with_gps else None)
    return survey, block, adjust_with_control(block, survey, case.numbers)


def rms(rows):
    return float(np.sqrt((np.asarray(rows) ** 2).sum(axis=1).mean()))


@pytest.mark.parametrize("with_gps", [True, False], ids=["with GPS", "without"])
def test_leaving_out_is_what_an_adjustment_from_the_beginning_without_the_mark_gives(
    tmp_path, case, with_gps
):
    survey, block, found = held(tmp_path, case, FIELD[:4], with_gps=with_gps)
    cheap = left_out_residuals(found.block, survey, found.used, case.numbers, located=with_gps)
    roles = ("check", "control", "control", "control")
    without = adjust_with_control(block, replace(survey, roles=roles), case.numbers)
    places, _ = triangulated_marks(without.block, survey, case.numbers)
    true = places[0] + without.block.offset_m - survey.positions_m[0]
    assert cheap[0] == pytest.approx(true, abs=0.001)


@pytest.mark.parametrize(("count", "with_gps"), [(3, True), (4, False), (5, False), (8, True)])
def test_what_is_stated_holds_the_error_of_the_map(tmp_path, case, count, with_gps):
    """The larger of leave-one-out and the adjustment's own sigma, as trust.py takes them."""
    survey, _, found = held(tmp_path, case, FIELD[:count], with_gps=with_gps)
    left_out = left_out_residuals(found.block, survey, found.used, case.numbers, located=with_gps)
    assert np.isfinite(left_out).all()
    block = found.block
    covariance = block_covariance(found.estimate, block.sights, block.sigma_px, block.knowns)
    formal = ground_sigma_m(block, covariance)
    off = map_error_m(block, case)
    for own, tested, true in (
        (formal[0], rms(left_out[:, :2]), rms(off[:, :2])),
        (formal[1], rms(left_out[:, 2:]), rms(off[:, 2:])),
    ):
        assert true < 1.5 * max(own, tested)
        assert max(own, tested) < 8 * true


def test_without_positions_three_marks_cannot_be_left_out_and_are_named(tmp_path, case):
    survey, _, found = held(tmp_path, case, FIELD[[0, 1, 2]], with_gps=False)
    left_out = left_out_residuals(found.block, survey, found.used, case.numbers, located=False)
    assert np.isnan(left_out).all()
    (warning,) = untested_warnings(survey, found.used, left_out)
    assert "P1, P2, P3 is not tested" in warning


def test_a_mark_without_which_the_others_are_collinear_is_not_left_out(tmp_path, case):
    marks = np.concatenate([LINE[:4], FIELD[[0]]])
    survey, _, found = held(tmp_path, case, marks, with_gps=False)
    left_out = left_out_residuals(found.block, survey, found.used, case.numbers, located=False)
    untested = np.flatnonzero(np.isnan(left_out).all(axis=1))
    assert [survey.marks[i].name for i in untested] == ["P5"]
    (warning,) = untested_warnings(survey, found.used, left_out)
    assert "The accuracy at P5 is not tested" in warning


def test_collinear_marks_are_named(tmp_path, case):
    survey, _, found = held(tmp_path, case, LINE, with_gps=True)
    (warning,) = straight_warnings(survey, found.used, located=True)
    assert "(P1, P2, P3, P4, P5) are collinear: only the recorded positions hold" in warning
    survey, _, found = held(tmp_path, case, LINE, with_gps=False)
    assert found is None
    assert unheld_warning(survey).endswith("and P1, P2, P3, P4, P5 are collinear.")
    survey, _, found = held(tmp_path, case, FIELD[:4], with_gps=True)
    assert straight_warnings(survey, found.used, located=True) == []


def test_a_wrong_mark_that_is_no_blunder_shows_when_it_is_left_out(tmp_path, case):
    surveyed = surveyed_m(FIELD[:6])
    surveyed[2] += [0.0, 0.35, 0.0]
    control = control_file(
        tmp_path, case.flight, marks=FIELD[:6], surveyed=surveyed, names=NAMES[:6]
    )
    survey = survey_of(control, case.flight.frames, UTM)
    found = adjust_with_control(case.block, survey, case.numbers)
    assert found.used.all()
    left_out = left_out_residuals(found.block, survey, found.used, case.numbers, located=True)
    off = np.linalg.norm(left_out[:, :2], axis=1)
    worst = int(off.argmax())
    assert survey.marks[worst].name == "P3"
    assert left_out[worst, 1] == pytest.approx(-0.35, abs=0.12)
