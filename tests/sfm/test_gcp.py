"""Ground control on a made-up flight: the map lies where the surveyor says, blunders apart."""

import re
from dataclasses import replace

import numpy as np
import pytest
from made_up_flight import ORIGIN_M, pixels_of
from surveyed_flight import (
    CLICK_PX,
    FIELD,
    GPS_BIAS_M,
    NAMES,
    UTM,
    adrift,
    control_file,
    surveyed_case,
    surveyed_m,
)

from aftermap.errors import ControlError, CrsError
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.sfm.gcp import (
    SURVEY_SIGMA_M,
    adjust_with_control,
    control_residuals,
    level_warnings,
    survey_of,
)
from aftermap.sfm.gcp_file import control_in

HALF = ["control"] * 5 + ["check"] * 5


@pytest.fixture(scope="module")
def case():
    return surveyed_case()


def residuals(found, survey, case):
    names = [f.name for f in case.flight.frames]
    return control_residuals(found.block, survey, case.numbers, names)


def rms(rows):
    return np.sqrt((np.array(rows) ** 2).mean(axis=0))


def test_before_control_the_marks_show_how_far_off_the_receiver_was(tmp_path, case):
    survey = survey_of(control_file(tmp_path, case.flight), case.flight.frames, UTM)
    off = np.array([m.residual_m for m in residuals_before(survey, case)])
    assert np.allclose(np.median(off, axis=0)[:2], GPS_BIAS_M[:2], atol=0.8)


def test_check_marks_that_took_no_part_lie_within_the_noise_of_survey_and_clicks(tmp_path, case):
    control = control_file(tmp_path, case.flight, surveyed=surveyed_m(), roles=HALF)
    survey = survey_of(control, case.flight.frames, UTM)
    found = adjust_with_control(case.block, survey, case.numbers)
    assert found.warnings == ()
    assert list(found.used) == [role == "control" for role in survey.roles]
    marks = residuals(found, survey, case)
    for role in ("control", "check"):
        rows = [m.residual_m for m in marks if m.role == role]
        assert len(rows) == 5
        assert (rms(rows) < 2.5 * np.array(SURVEY_SIGMA_M)).all(), role
    assert all(m.reprojection_px < 4 * CLICK_PX for m in marks)
    error = found.block.state.positions + found.block.offset_m - ORIGIN_M
    error -= case.flight.truth.positions
    assert (rms(error) < [0.15, 0.15, 0.8]).all(), "the receiver's bias is gone"


def test_each_mark_names_the_photographs_it_is_seen_in(tmp_path, case):
    survey = survey_of(control_file(tmp_path, case.flight), case.flight.frames, UTM)
    marks = {m.name: m for m in residuals_before(survey, case)}
    for name, place in zip(NAMES, FIELD, strict=True):
        shown = {
            f.name
            for i, f in enumerate(case.flight.frames)
            if np.isfinite(pixels_of(case.flight.truth, i, place[None])).all()
        }
        assert set(marks[name].images) == shown


def residuals_before(survey, case):
    names = [f.name for f in case.flight.frames]
    return control_residuals(case.block, survey, case.numbers, names)


@pytest.mark.parametrize(
    "wrong", [(0.0, 0.0, 3.0), (10.0, 0.0, 0.0), (0.0, -1.2, 0.0), (100.0, 0.0, 0.0)]
)
def test_a_blunder_is_named_and_does_not_hold_the_map(tmp_path, case, wrong):
    surveyed = surveyed_m()
    surveyed[1] += wrong
    roles = ["control"] * 8 + ["check"] * 2
    control = control_file(tmp_path, case.flight, surveyed=surveyed, roles=roles)
    survey = survey_of(control, case.flight.frames, UTM)
    found = adjust_with_control(case.block, survey, case.numbers)
    order = [m.name for m in survey.marks]
    assert [order[i] for i in np.flatnonzero(~found.used)] == [
        n for n in order if n in {"P2", "P9", "P10"}
    ]
    (warning,) = found.warnings
    assert "P2 disagrees with the others" in warning
    said_m = float(warning.split(" by ")[1].split(" m ")[0])
    assert said_m == pytest.approx(np.linalg.norm(wrong), abs=0.3)
    marks = {m.name: m for m in residuals(found, survey, case)}
    good = [marks[n].residual_m for n in NAMES if n != "P2"]
    assert (rms(good) < 2.5 * np.array(SURVEY_SIGMA_M)).all()
    assert np.allclose(marks["P2"].residual_m, np.negative(wrong), atol=0.15)


def test_a_blunder_among_the_check_marks_shows_in_its_residual(tmp_path, case):
    surveyed = surveyed_m()
    surveyed[9] += [0, 2.0, 0]
    roles = ["control"] * 8 + ["check"] * 2
    control = control_file(tmp_path, case.flight, surveyed=surveyed, roles=roles)
    survey = survey_of(control, case.flight.frames, UTM)
    found = adjust_with_control(case.block, survey, case.numbers)
    marks = {m.name: m for m in residuals(found, survey, case)}
    assert np.allclose(marks["P10"].residual_m, [0, -2, 0], atol=0.15)
    assert np.allclose(marks["P9"].residual_m, 0, atol=0.15)


LINE = np.column_stack([np.linspace(5, 105, 5), np.linspace(38, 42, 5), [0.0, 0.3, 0.6, 0.3, 0]])


def test_marks_in_a_line_move_the_map_without_tipping_it(tmp_path, case):
    roles = ["control"] * 5
    surveyed = ORIGIN_M + LINE
    control = control_file(
        tmp_path, case.flight, marks=LINE, surveyed=surveyed, roles=roles, names=NAMES[:5]
    )
    survey = survey_of(control, case.flight.frames, UTM)
    found = adjust_with_control(case.block, survey, case.numbers)
    assert found is not None
    turn = np.einsum("nij,nik->njk", found.block.state.rotations, case.flight.truth.rotations)
    tip = np.degrees(np.arccos(np.clip(turn[:, 2, 2], -1, 1)))
    assert np.median(tip) < 0.8
    off = np.array([m.residual_m for m in residuals(found, survey, case)])
    assert np.abs(off.mean(axis=0)).max() < 0.1


@pytest.mark.parametrize("crs", [UTM, WGS84])
def test_photographs_without_positions_get_place_scale_and_north_from_the_marks(
    tmp_path, case, crs
):
    block = adrift(case)
    surveyed = surveyed_m()
    if crs == WGS84:
        lonlat = transformed_xy(UTM, WGS84, surveyed[:, :2])
        surveyed = np.column_stack([lonlat, surveyed[:, 2]])
    control = control_file(tmp_path, case.flight, surveyed=surveyed, crs=crs, roles=HALF)
    survey = survey_of(control, block.frames, None)
    assert survey.crs == UTM
    found = adjust_with_control(block, survey, case.numbers)
    assert found.block.located
    error = found.block.state.positions + found.block.offset_m - ORIGIN_M
    error -= case.flight.truth.positions
    assert (rms(error) < [0.25, 0.25, 0.8]).all()
    rows = [m.residual_m for m in residuals(found, survey, case) if m.role == "check"]
    assert (rms(rows) < 3 * np.array(SURVEY_SIGMA_M)).all()


def test_photographs_without_positions_are_not_laid_on_marks_in_one_line(tmp_path, case):
    control = control_file(tmp_path, case.flight, marks=LINE, names=NAMES[:5])
    block = adrift(case)
    survey = survey_of(control, block.frames, None)
    assert adjust_with_control(block, survey, case.numbers) is None


def test_two_marks_do_not_hold_a_map(tmp_path, case):
    control = control_file(tmp_path, case.flight, marks=FIELD[:2], names=NAMES[:2])
    survey = survey_of(control, case.flight.frames, UTM)
    assert adjust_with_control(case.block, survey, case.numbers) is None


def test_a_mark_in_one_photograph_is_not_used_and_the_user_is_told(tmp_path, case):
    path = tmp_path / "gcp.txt"
    name = case.flight.frames[0].name
    path.write_text(f"{UTM}\n500900 3978400 245 600 450 {name} LONE\n", encoding="utf-8")
    survey = survey_of(control_in(path), case.flight.frames, UTM)
    (warning,) = survey.warnings
    assert "LONE was not used" in warning
    assert "two images" in warning
    (mark,) = residuals_before(survey, case)
    assert mark.residual_m is None
    assert mark.reprojection_px is None


@pytest.mark.parametrize("first", ["EPSG:32737", "WGS84 UTM 37S", "WGS84 UTM 36N"])
def test_the_wrong_hemisphere_or_zone_is_refused_by_its_area_of_use(tmp_path, case, first):
    control = control_file(tmp_path, case.flight, crs=first)
    with pytest.raises(CrsError, match=r"gcp_list.txt.*is made for Between.*data are at 35\.95"):
        survey_of(control, case.flight.frames, UTM)
    sure = replace(control, confirmed=(control.crs,))
    with pytest.raises(ControlError, match=r"line 2: .* km from the images") as refused:
        survey_of(sure, case.flight.frames, UTM)
    assert "hemisphere" in str(refused.value)


def test_marks_on_the_syrian_datum_say_what_their_transformation_is_good_for(tmp_path, case):
    """They said 1.8 cm, where the operation itself is good to 5 m."""
    surveyed = surveyed_m()
    surveyed[:, :2] = transformed_xy(UTM, "EPSG:22770", surveyed[:, :2])
    control = control_file(tmp_path, case.flight, surveyed=surveyed, crs="EPSG:22770")
    survey = survey_of(control, case.flight.frames, UTM)
    assert survey.transformation.code == "EPSG:15742"
    assert survey.transformation.accuracy_m == 5.0
    (warning,) = survey.warnings
    assert "accuracy 5 m" in warning
    assert "--crs EPSG:22770" in warning
    unplaced = [replace(f, prior_position_m=None) for f in case.flight.frames]
    own = survey_of(control, unplaced, None)
    assert (own.crs, own.transformation, own.warnings) == ("EPSG:22770", None, ())


def test_marks_on_another_country_s_datum_are_refused_until_they_are_confirmed(tmp_path, case):
    control = control_file(tmp_path, case.flight, crs="EPSG:23037")
    with pytest.raises(CrsError, match=r"EPSG:23037.*Türkiye.*in Syria.*--confirm-crs EPSG:23037"):
        survey_of(control, case.flight.frames, UTM)
    sure = replace(control, confirmed=("EPSG:23037",))
    assert survey_of(sure, case.flight.frames, UTM).transformation.accuracy_m == 2.0


def test_north_before_east_is_named_with_the_line(tmp_path, case):
    swapped = (ORIGIN_M + FIELD)[:, [1, 0, 2]]
    control = control_file(tmp_path, case.flight, surveyed=swapped)
    with pytest.raises(ControlError, match=r"km from the images.* order E N H"):
        survey_of(control, case.flight.frames, UTM)


def test_marks_that_only_unmapped_photographs_show_have_no_residual(tmp_path, case):
    survey = survey_of(control_file(tmp_path, case.flight), case.flight.frames, UTM)
    names = [f.name for f in case.flight.frames]
    marks = control_residuals(case.block, survey, {}, names)
    assert all(m.residual_m is None and m.images == () for m in marks)


def fitted(case, control, block=None):
    survey = survey_of(control, case.flight.frames, UTM)
    block = block or case.block
    return survey, adjust_with_control(block, survey, case.numbers)


def test_marks_whose_names_are_mixed_up_are_refused(tmp_path, case):
    """Every mark has the coordinates of the next one: the pictures contradict all of them."""
    control = control_file(tmp_path, case.flight, surveyed=np.roll(surveyed_m(), 3, axis=0))
    with pytest.raises(ControlError, match=r"gcp_list.txt: the points do not fit.*residuals are"):
        fitted(case, control)


@pytest.mark.parametrize(
    ("scale", "gps_sigma_m", "is_refused"),
    [(1.1, 3.0, False), (1.5, 3.0, True), (0.3048, 3.0, True), (1.5, 20.0, False)],
)
def test_a_noisy_receiver_may_be_corrected_and_a_map_not_resized(
    tmp_path, case, scale, gps_sigma_m, is_refused
):
    """What the marks may stretch, against the positions that the photographs recorded."""
    middle = ORIGIN_M + FIELD.mean(axis=0)
    control = control_file(tmp_path, case.flight, surveyed=middle + scale * (surveyed_m() - middle))
    sigma = np.full_like(case.block.knowns.position_sigma, gps_sigma_m)
    block = replace(case.block, knowns=replace(case.block.knowns, position_sigma=sigma))
    if not is_refused:
        assert fitted(case, control, block)[1].used.any()
        return
    with pytest.raises(ControlError, match=r"positions would have relative errors of \d+ m"):
        fitted(case, control, block)


@pytest.mark.parametrize(("rise_m", "told"), [(560.0, "higher"), (-400.0, "lower")])
def test_heights_in_feet_are_warned_of(tmp_path, case, rise_m, told):
    """All marks, and so the whole map, are lifted against the recorded heights."""
    lifted = surveyed_m() + np.array([0, 0, rise_m + GPS_BIAS_M[2]])
    survey, found = fitted(case, control_file(tmp_path, case.flight, surveyed=lifted))
    (warning,) = level_warnings(survey, case.block, found.block)
    number, way = re.search(r"(\d+) m (higher|lower) than", warning).groups()
    assert float(number) == pytest.approx(abs(rise_m), abs=3)  # the receiver's noise
    assert way == told
    assert level_warnings(survey, case.block, case.block) == []
