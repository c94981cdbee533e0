import inspect
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import report_scene as scene

from aftermap.geo.crs import LOCAL
from aftermap.model.camera import ControlResidual, FrameSet, Vertical, VerticalWitness
from aftermap.model.datum import DatumTransformation
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.runs import Skipped
from aftermap.publish.report import warnings

SECTIONS = {
    "format",
    "version",
    "run",
    "crs",
    "crs_name",
    "unit",
    "vertical_datum",
    "verdict",
    "warnings",
    "notes",
    "map",
    "coverage",
    "confidence",
    "trust",
    "poses",
    "gps",
    "control",
    "lenses",
    "flying_height",
    "photographs",
    "clips",
    "cost",
}


def codes(report):
    return {caution["code"] for caution in report.json["warnings"]}


def without_gps(placed):
    return tuple(
        replace(
            each,
            frame=replace(
                each.frame, prior_position_m=None, prior_sigma_m=None, relative_height_m=None
            ),
        )
        for each in placed
    )


def test_the_sections_are_those_that_are_documented(full_report):
    assert set(full_report.json) == SECTIONS
    assert (full_report.json["format"], full_report.json["version"]) == ("aftermap-report", 1)


def test_gps_residuals_equal_those_worked_out_by_hand(full_report):
    placed = full_report.reconstruction.placed
    residuals = np.array([p.pose.position_m for p in placed]) - [
        p.frame.prior_position_m for p in placed
    ]
    told = full_report.json["gps"]["all"]
    assert told["count"] == 20
    assert told["mean_m"] == pytest.approx(residuals.mean(axis=0))
    assert told["rms_m"] == pytest.approx(np.sqrt(np.mean(residuals**2, axis=0)))
    horizontal = np.sqrt(np.mean(residuals[:, 0] ** 2 + residuals[:, 1] ** 2))
    assert told["rms_horizontal_m"] == pytest.approx(horizontal)


def test_control_and_check_points_are_counted_apart(full_report):
    marks = full_report.reconstruction.control
    for role in ("control", "check"):
        residuals = np.array([m.residual_m for m in marks if m.role == role and m.residual_m])
        told = full_report.json["control"][role]
        assert told["count"] == 3
        assert told["rms_m"][2] == pytest.approx(np.sqrt(np.mean(residuals[:, 2] ** 2)))
        assert told["rms_horizontal_m"] == pytest.approx(
            np.sqrt(np.mean(np.sum(residuals[:, :2] ** 2, axis=1)))
        )
    assert full_report.json["trust"]["horizontal_m"] == pytest.approx(
        full_report.json["control"]["check"]["rms_horizontal_m"]
    )


def test_a_mark_that_was_not_measured_is_listed_and_not_counted(full_report):
    mark = full_report.json["control"]["marks"][-1]
    assert (mark["name"], mark["residual_m"], mark["photographs"]) == ("M7", None, 0)


def test_covered_ground_is_what_the_picture_covers(full_report):
    known = np.isfinite(scene.heights()).sum() * scene.CELL_M**2
    assert full_report.json["map"]["area_m2"] == pytest.approx(known, rel=0.01)


def test_shares_of_photographs_add_up_to_the_map(full_report):
    shares = [p["map_fraction"] for p in full_report.json["photographs"]["placed_list"]]
    assert sum(shares) == pytest.approx(1)
    assert [share > 0 for share in shares[:6]] == [True, True, True, True, False, False]


@pytest.mark.parametrize("section", ["coverage", "confidence"])
def test_shares_of_a_legend_add_up(full_report, section):
    classes = full_report.json[section]["classes"]
    assert sum(each["fraction"] for each in classes) == pytest.approx(1)


def test_filled_share_of_the_legend_is_the_strip_that_was_filled(full_report):
    known = np.isfinite(scene.heights())
    assert full_report.json["confidence"]["classes"][0]["fraction"] == pytest.approx(
        known[60:80].sum() / known.sum(), abs=0.002
    )


def test_height_above_the_ground_is_found_from_the_surface(full_report):
    flight = full_report.json["flying_height"]
    assert flight["count"] == 20
    assert flight["above_ground_m"] == pytest.approx(scene.FLYING_M, abs=1)
    assert abs(flight["difference_fraction"]) < 0.02
    assert "height_mismatch" not in codes(full_report)


def test_a_focal_length_5_percent_off_is_told_in_plain_words(report_on):
    """The drone recorded 63 m, the map says 60: the report warns that heights may be wrong."""
    placed = tuple(
        replace(p, frame=replace(p.frame, relative_height_m=scene.FLYING_M * 1.05))
        for p in scene.placed_frames()
    )
    report = report_on(reconstruction=scene.reconstruction(placed=placed))
    caution = next(c for c in report.json["warnings"] if c["code"] == "height_mismatch")
    assert caution["grave"]
    assert caution["text"].startswith("Heights may be wrong by about 5")
    assert "fixed at the recorded value" in caution["text"]
    assert caution["text"] in report.html


def test_a_focal_length_that_the_images_determine_is_not_blamed(report_on):
    """Heights of a clip were called 4 % wrong whose focal length was right to 0.01 %."""
    placed = tuple(
        replace(p, frame=replace(p.frame, relative_height_m=scene.FLYING_M * 1.05))
        for p in scene.placed_frames()
    )
    sure = replace(scene.CAMERA, focal_sigma_px=0.8)
    report = report_on(reconstruction=scene.reconstruction(placed=placed, cameras=(sure,)))
    caution = next(c for c in report.json["warnings"] if c["code"] == "height_mismatch")
    assert not caution["grave"]
    assert "may be wrong" not in caution["text"]
    assert "determine the focal length to 0.08" in caution["text"]
    weak = replace(scene.CAMERA, focal_sigma_px=18.0)  # of the recorded 20, so by the images 41
    report = report_on(reconstruction=scene.reconstruction(placed=placed, cameras=(weak,)))
    caution = next(c for c in report.json["warnings"] if c["code"] == "height_mismatch")
    assert caution["grave"]


@pytest.mark.parametrize(("sigma_px", "is_grave"), [(0.8, False), (20.0, True)])
def test_an_assumed_focal_length_is_grave_only_where_the_images_do_not_tell_it(
    report_on, sigma_px, is_grave
):
    assumed = replace(scene.CAMERA, focal_prior_source=FocalSource.ASSUMED, focal_sigma_px=sigma_px)
    report = report_on(reconstruction=scene.reconstruction(cameras=(assumed,)))
    caution = next(c for c in report.json["warnings"] if c["code"] == "focal_assumed")
    assert caution["grave"] is is_grave


def test_a_forged_position_is_named_and_does_not_spoil_the_statistics(figures_on):
    placed = list(scene.placed_frames())
    forged = placed[7].frame
    east, north, up = forged.prior_position_m
    placed[7] = replace(
        placed[7], frame=replace(forged, prior_position_m=(east + 400.0, north, up))
    )
    report = figures_on(reconstruction=scene.reconstruction(placed=tuple(placed)))
    gps = report.json["gps"]
    assert gps["wild"] == [forged.name]
    assert gps["all"]["rms_m"][0] > 80
    assert gps["without_wild"]["rms_m"][0] < 2
    assert "gps_wild" in codes(report)
    assert report.json["trust"]["horizontal_m"] == pytest.approx(math.hypot(2, 2))


def test_honest_positions_are_never_called_wild(full_report):
    assert full_report.json["gps"]["wild"] == []


def test_without_gps_or_control_every_gap_has_its_reason(report_on):
    built = scene.reconstruction(placed=without_gps(scene.placed_frames()))
    report = report_on(reconstruction=built)
    assert report.json["gps"]["all"]["rms_m"] is None
    assert "no image records its position" in report.json["gps"]["all"]["not_known"]
    assert "no ground control points were given" in report.html
    assert {"not_checked", "heights_unchecked"} <= codes(report)
    assert report.json["flying_height"]["not_known"]
    assert report.json["trust"]["height_per_100_m"] is None
    assert report.json["trust"]["not_known"]


def test_a_local_map_says_first_that_nothing_can_be_measured(report_on, tmp_path):
    folder = tmp_path / "local"
    folder.mkdir()
    built = scene.reconstruction(
        crs=LOCAL,
        vertical_datum=VerticalDatum.LOCAL,
        placed=without_gps(scene.placed_frames()),
    )
    report = report_on(reconstruction=built, rasters=scene.write_rasters(folder, LOCAL))
    first = report.json["warnings"][0]
    assert (first["code"], first["grave"]) == ("local", True)
    assert report.json["unit"] == "units"
    assert report.json["flying_height"]["recorded_m"] is None
    assert "grid north" not in report.html
    assert "north not known" in report.html
    assert not any(" m " in sentence for sentence in report.json["verdict"])


@pytest.mark.parametrize("datum", list(VerticalDatum))
def test_every_vertical_datum_has_its_words(figures_on, datum):
    report = figures_on(reconstruction=scene.reconstruction(vertical_datum=datum))
    floating = {"barometric", "takeoff_relative", "unknown", "ground", "local"}
    assert (report.json["trust"]["vertical_m"] is None) == (datum in floating)
    assert ("heights_without_level" in codes(report)) == (datum in floating - {"local"})


def test_nothing_that_was_given_vanishes(figures_on):
    """Ingest, choice of frames, reconstruction, and a frame that no step accounted for."""
    placed = scene.placed_frames()
    lost = replace(placed[0].frame, name="lost.jpg", sha256=scene.sha256("lost"))
    repeated = Skipped(name="blurred.jpg", reason="is blurred", sha256=scene.sha256("b"))
    report = figures_on(
        ingest_skipped=(Skipped(name="empty.jpg", reason="is empty"),) * 2,
        frames=FrameSet(
            crs=scene.UTM,
            vertical_datum=VerticalDatum.ELLIPSOID,
            frames=(*(p.frame for p in placed), lost),
            skipped=(repeated,),
        ),
        reconstruction=scene.reconstruction(
            skipped=(repeated, Skipped(name="far.jpg", reason="shares no view"))
        ),
    )
    names = sorted(item["name"] for item in report.json["photographs"]["left_out_list"])
    assert names == ["blurred.jpg", "empty.jpg", "empty.jpg", "far.jpg", "lost.jpg"]
    assert all(item["reason"] for item in report.json["photographs"]["left_out_list"])
    assert report.json["photographs"]["given"] == 25
    assert "many_left_out" in codes(report)


def test_a_second_group_is_reported_and_kept_out_of_the_map_figures(report_on):
    placed = scene.placed_frames()
    apart = tuple(replace(p, group=1) for p in placed[16:])
    built = scene.reconstruction(placed=(*placed[:16], *apart), group_sizes=(16, 4))
    report = report_on(reconstruction=built)
    assert "disconnected" in codes(report)
    assert report.json["gps"]["all"]["count"] == 16
    assert [p["mapped"] for p in report.json["photographs"]["placed_list"]].count(False) == 4
    assert report.html.count("not mapped: aligned, but its group does not overlap") == 4


def test_warnings_of_the_reconstruction_reach_the_reader(report_on):
    report = report_on(reconstruction=scene.reconstruction(warnings=("The strips bend.",)))
    assert "The strips bend." in report.html


def test_a_vertical_that_pictures_found_is_told_with_its_error_and_its_witnesses(report_on):
    witnesses = tuple(
        VerticalWitness(
            name=name,
            off_deg=1.0,
            off_sigmas=1.0,
            sigma_deg=1.0,
            other_sigma_deg=1.0,
            is_used=name != "ground",
        )
        for name in ("roll", "ground")
    )
    vertical = Vertical(sigma_deg=0.74, witnesses=witnesses)
    report = report_on(reconstruction=scene.reconstruction(vertical=vertical))
    assert "vertical" in codes(report)
    assert "0.7 degrees" in report.html
    assert "ground disagrees" in report.html
    doubtful = replace(vertical, sigma_deg=9.0)
    assert "vertical" not in codes(
        report_on(reconstruction=scene.reconstruction(vertical=doubtful))
    )


def left_out_marks():
    """Four that all hold the map, each left out once, and off by 3 cm across and 4 cm up then."""
    marks = scene.control_marks()[:4]
    return tuple(
        replace(mark, role="control", residual_m=(0.001, 0, 0), left_out_m=(0.03, 0, -0.04))
        for mark in marks
    )


def test_marks_left_out_in_turn_are_the_accuracy_where_none_is_kept_aside(report_on):
    built = scene.reconstruction(control=left_out_marks(), control_sigma_m=(0.01, 0.06))
    report = report_on(reconstruction=built)
    trust = report.json["trust"]
    assert trust["horizontal_m"] == pytest.approx(0.03)
    assert trust["vertical_m"] == 0.06
    assert "leave-one-out at 4 ground control points" in trust["horizontal_from"]
    assert report.json["control"]["left_out"]["count"] == 4
    assert "not_checked" not in codes(report)


def test_where_a_mark_cannot_be_left_out_the_covariance_is_stated_and_called_untested(report_on):
    first, *others = left_out_marks()
    marks = (replace(first, left_out_m=None), *others)
    built = scene.reconstruction(control=marks, control_sigma_m=(0.2, 1.5))
    trust = report_on(reconstruction=built).json["trust"]
    assert (trust["horizontal_m"], trust["vertical_m"]) == (0.2, 1.5)
    assert "too few ground control points to test it" in trust["horizontal_from"]


def test_residuals_of_marks_that_hold_the_map_are_no_accuracy(report_on):
    marks = tuple(replace(mark, left_out_m=None) for mark in left_out_marks())
    trust = report_on(reconstruction=scene.reconstruction(control=marks)).json["trust"]
    assert trust["horizontal_m"] is None
    assert "no check point tests the map" in trust["horizontal_from"]


def test_a_datum_transformation_is_named_and_in_the_accuracy(report_on):
    shift = DatumTransformation(
        what="gcp.txt, ground control points",
        from_crs="EPSG:22770",
        to_crs="EPSG:32637",
        name="Deir ez Zor to WGS 84 (5)",
        code="EPSG:15742",
        accuracy_m=5.0,
        area="Syria - onshore.",
    )
    changes = {"control": left_out_marks(), "control_sigma_m": (0.01, 0.06)}
    report = report_on(reconstruction=scene.reconstruction(transformation=shift, **changes))
    trust = report.json["trust"]
    assert trust["horizontal_m"] == pytest.approx(np.hypot(5.0, 0.03))
    assert trust["vertical_m"] == 0.06
    assert trust["transformation"]["code"] == "EPSG:15742"
    assert "5 m for the datum transformation Deir ez Zor to WGS 84 (5), EPSG:15742" in report.html
    unknown = scene.reconstruction(transformation=replace(shift, accuracy_m=None), **changes)
    trust = report_on(reconstruction=unknown).json["trust"]
    assert trust["horizontal_m"] is None
    assert "states no accuracy" in trust["horizontal_from"]


def test_filled_ground_over_a_tenth_is_a_warning(figures_on, rasters):
    much = replace(rasters[0], filled_fraction=0.12)
    assert "much_filled" in codes(figures_on(rasters=(much, rasters[1])))
    assert "much_filled" not in codes(figures_on())


def test_totals_leave_out_what_was_reused(full_report):
    cost = full_report.json["cost"]
    assert cost["wall_s"] == pytest.approx(31.0 + 12.4 + 70.2 + 14.9)
    assert len(cost["stages"]) == 5


def test_the_documented_keys_and_warnings_are_those_there_are(full_report):
    """docs/reference/report.md names every section, every figure and every warning code."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "report.md"
    named = set(re.findall(r"`([a-z_0-9]+)`", page.read_text("utf-8")))
    rules = set(re.findall(r'code="([a-z_]+)"', inspect.getsource(warnings)))
    assert rules <= named
    assert SECTIONS - {"format", "version"} <= named
    own = {"run", "map", "trust", "poses", "gps", "flying_height", "photographs", "cost"}
    for section in own:
        assert set(full_report.json[section]) - {"not_known"} <= named
    assert set(full_report.json["control"]["marks"][0]) <= named


def test_a_group_far_away_does_not_shrink_the_plan_of_the_map(report_on):
    placed = scene.placed_frames()
    east, north, up = placed[19].pose.position_m
    away = replace(placed[19].pose, position_m=(east + 9000.0, north, up))
    built = scene.reconstruction(
        placed=(*placed[:19], replace(placed[19], pose=away, group=1)), group_sizes=(19, 1)
    )
    report = report_on(reconstruction=built)
    assert "cameras of unmapped groups outside this plan: 1" in report.html
    assert report.json["photographs"]["placed"] == 20


def test_known_places_of_buildings_say_nothing_of_heights(figures_on):
    marks = tuple(
        ControlResidual(
            name=f"B{k}",
            role="place",
            position_m=(390_000.0 + 60.0 * k, 3_980_000.0 + 45.0 * (k % 2), 2.0),
            residual_m=(3.0 * (-1) ** k, -4.0, float("nan")),
            reprojection_px=None,
            images=("a.jpg",),
        )
        for k in range(6)
    )
    report = figures_on(
        reconstruction=scene.reconstruction(control=marks, vertical_datum=VerticalDatum.GROUND)
    )
    trust = report.json["trust"]
    assert trust["vertical_m"] is None
    assert trust["height_per_100_m"] is None
    assert trust["horizontal_m"] == pytest.approx(5.0)
    assert "known places of 6 buildings" in trust["horizontal_from"]
    # 3.54 m on an axis, two of eight degrees of freedom lost of twelve, over the places' spread.
    spread = np.sqrt(60.0**2 * 17.5 + 45.0**2 * 1.5)
    assert trust["length_per_100_m"] == pytest.approx(100 * np.sqrt(150 / 8) / spread)
