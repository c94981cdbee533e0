"""How far photographs decide on their focal length, and what the user is told of it."""

from dataclasses import replace

import numpy as np
import pytest
from made_up_flight import LENS, block_of_flown, flown, ground, jittered, nadir, oblique

from aftermap.model.media import FocalSource
from aftermap.sfm.block import adjust_with_outlier_rejection
from aftermap.sfm.bundle import block_covariance
from aftermap.sfm.focal import (
    FIRM_FACTOR,
    MIN_FRAMES,
    WEAK_FACTOR,
    focal_prior_weight,
    focal_report,
    with_focal_weight,
)
from aftermap.sfm.projection_kernel import POSE

TRUE_PX = LENS[0]


def block(seed, poses=nadir, *, located=True, error=0.0, source=None, relief=10.0, **flight):
    rng = np.random.default_rng(seed)
    made = flown(rng, poses(rng, **flight), ground(rng, relief=relief))
    frames = tuple(
        replace(
            f,
            focal_px=TRUE_PX * (1 + error),
            focal_sigma_px=0.01 * TRUE_PX,
            focal_source=source or FocalSource.XMP_CALIBRATED,
        )
        for f in made.frames
    )
    return block_of_flown(replace(made, frames=frames), rng, located=located)


def adjusted_focal(rough, factor=None):
    """The focal length after the adjustment, and what is said of it."""
    factor = factor or focal_prior_weight(rough)
    found, estimate = adjust_with_outlier_rejection(with_focal_weight(rough, factor), rounds=2)
    covariance = block_covariance(estimate, found.sights, found.sigma_px, found.knowns)
    at = POSE * len(found.frames)
    report = focal_report(found, 0, float(covariance[at, at]), factor)
    return float(found.state.lenses[0, 0]), report


def test_straight_down_from_one_height_the_photographs_are_hardly_believed():
    assert focal_prior_weight(block(1)) == WEAK_FACTOR


def test_slanting_views_or_two_heights_are_believed():
    assert focal_prior_weight(block(1, oblique)) == FIRM_FACTOR
    assert focal_prior_weight(block(1, levels=30.0)) == FIRM_FACTOR


def ahead(rng, *, frames=20):
    """A flight straight ahead whose camera turns to both sides on its way."""
    along = np.arange(frames) * 6.0
    yaw = 40 * np.sin(along / 40)
    steps = np.stack([np.sin(np.radians(yaw)), np.cos(np.radians(yaw)), 0 * yaw], axis=1) * 6
    positions = np.add([0, -60, 40], np.cumsum(steps, axis=0))
    return jittered(rng, yaw, np.full(frames, -10.0), 0.5), positions


def test_a_flight_straight_ahead_is_hardly_believed_however_far_it_turns():
    assert focal_prior_weight(block(1, ahead, located=False)) == WEAK_FACTOR


def test_heights_count_only_where_positions_say_how_high_the_cameras_were():
    assert focal_prior_weight(block(1, levels=30.0, located=False)) == WEAK_FACTOR


def test_the_recorded_focal_length_enters_with_its_sigma_over_the_factor():
    rough = block(1)
    assert with_focal_weight(rough, 30.0).knowns.lens_sigma[0, 0] == pytest.approx(
        0.01 * TRUE_PX / 30
    )
    assert rough.knowns.lens_sigma[0, 0] == pytest.approx(0.01 * TRUE_PX), "the block is untouched"


def test_a_camera_with_two_photographs_keeps_the_lens_that_was_recorded():
    rng = np.random.default_rng(2)
    keys = ["many"] * 22 + ["few"] * (MIN_FRAMES - 1)
    made = flown(rng, nadir(rng), ground(rng), keys=keys)
    held = with_focal_weight(block_of_flown(made, rng), WEAK_FACTOR)
    found, _ = adjust_with_outlier_rejection(held, rounds=1)
    assert np.allclose(found.state.lenses[1], held.knowns.lenses[1], rtol=1e-6, atol=1e-6)
    assert not np.allclose(found.state.lenses[0], held.knowns.lenses[0], rtol=1e-6, atol=1e-6)
    report = focal_report(found, 1, 1.0, WEAK_FACTOR)
    assert "too few images" in report.decision
    assert report.warning is None
    assert report.sigma_px == pytest.approx(0.01 * TRUE_PX)


def test_slanting_views_correct_a_focal_length_that_is_5_percent_wrong_and_say_so():
    focal, report = adjusted_focal(block(3, oblique, error=0.05))
    assert focal == pytest.approx(TRUE_PX, rel=0.01)
    assert "have different viewing directions" in report.decision
    assert "1050 px" in report.warning
    assert "may be wrong" in report.warning
    assert abs(focal - TRUE_PX) < 3 * report.sigma_px


def test_a_right_focal_length_stays_within_its_sigma_and_nobody_is_warned():
    for poses in (nadir, oblique):
        focal, report = adjusted_focal(block(4, poses))
        assert abs(focal - TRUE_PX) < 3 * report.sigma_px
        assert focal == pytest.approx(TRUE_PX, rel=0.005)
        assert report.warning is None


def test_over_level_ground_seen_straight_down_the_recorded_value_is_kept_and_why_is_said():
    focal, report = adjusted_focal(block(5, relief=0.01, tilt=0.2))
    assert focal == pytest.approx(TRUE_PX, rel=0.002)
    assert "cannot separate focal length and flying height" in report.decision
    assert report.sigma_px == pytest.approx(0.01 * TRUE_PX, rel=0.1)


def test_straight_down_over_high_houses_a_wrong_record_is_at_least_shown_to_be_doubtful():
    """Held near the record, but what the pictures alone say is reported, and it is the truth.

    The report warns where the two differ by more than 2 %.
    """
    focal, report = adjusted_focal(block(6, error=0.05, relief=25.0, tilt=3.0))
    assert TRUE_PX < focal < 1.05 * TRUE_PX, "pulled towards the truth"
    assert report.freed_px == pytest.approx(TRUE_PX, rel=0.02)
    assert abs(report.freed_px / focal - 1) > 0.02


def test_what_the_pictures_alone_say_is_the_true_focal_length_within_its_sigma():
    """The recorded value is 2 % off; taken out again, the pictures give the truth."""
    _, report = adjusted_focal(block(7, oblique, error=0.02))
    assert abs(report.freed_px - TRUE_PX) < 4 * report.freed_sigma_px
    assert report.freed_sigma_px < 0.01 * TRUE_PX


def test_an_assumed_focal_length_that_turns_out_otherwise_is_no_contradiction():
    _, report = adjusted_focal(block(8, oblique, error=0.05, source=FocalSource.ASSUMED))
    assert report.warning is None
    assert "assumed field of view" in report.decision


def test_with_ground_control_the_decision_says_so():
    _, report = adjusted_focal(block(9, oblique), factor=1.0)
    assert "ground control points" in report.decision
