"""Rolling shutters: with the model errors lie inside the noise, without it they do not."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from examples import first_of
from hypothesis import given
from hypothesis import strategies as st
from made_up_flight import HEIGHT, LENS, block_of_flown, frame_of
from rolling_flight import PARAMS, clock, lines, orbit, pixels_when
from scipy.spatial.transform import Rotation

from aftermap.model.camera import Readout, ReadoutSource
from aftermap.model.clip import Moment
from aftermap.sfm.block import adjust_with_outlier_rejection
from aftermap.sfm.bundle import adjust_bundle, block_covariance
from aftermap.sfm.exposure_motion import course_of
from aftermap.sfm.focal import focal_prior_weight, with_focal_weight
from aftermap.sfm.georeference import similarity
from aftermap.sfm.position_scatter import within_the_case
from aftermap.sfm.projection_kernel import LENS as UNKNOWNS
from aftermap.sfm.projection_kernel import (
    POSE,
    READOUT,
    Course,
    Observations,
    State,
    residuals_px,
    velocities_of,
)
from aftermap.sfm.readout_time import adjust_with_shutters
from aftermap.sfm.triangulate import pixels_in, triangulate_points

READOUT_S = 0.033
MEASURED = Readout(readout_s=READOUT_S, sigma_s=0.003, basis="somebody")


def block_at(made, rng, gps_m):
    block = block_of_flown(made, rng, gps_m=gps_m)
    course = course_of(made.frames, block.state.positions)
    return replace(block, state=block.state._replace(course=course))


def both_ways(made, rng, gps_m):
    """The block with global shutters and its cost, and with those that its pictures bear out."""
    block = block_at(made, rng, gps_m)
    factor = focal_prior_weight(block)
    whole = with_focal_weight(block, factor)
    held, estimate = adjust_with_outlier_rejection(whole)
    return held, estimate, adjust_with_shutters(whole, held, estimate, factor)


def with_readout(made, readout_s):
    lenses = made.truth.lenses.copy()
    lenses[:, READOUT] = readout_s
    course = course_of(made.frames, made.truth.positions)
    return made.truth._replace(lenses=lenses, course=course)


def rms(values):
    return float(np.sqrt((values**2).mean()))


def laid_on(block, made):
    """(N, 3) positions of the cameras once the whole is laid onto the truth."""
    count = np.ones(len(block.frames))
    scale, rotation, shift = similarity(block.state.positions, made.truth.positions, count)
    return scale * block.state.positions @ rotation.T + shift


def off_truth(block, made):
    """RMS distance of cameras from the truth, against each other."""
    return rms(laid_on(block, made) - made.truth.positions)


def test_the_adjustment_sees_what_a_camera_sees_that_is_read_row_by_row():
    made = orbit(np.random.default_rng(0), READOUT_S, noise_px=0.0, points=60)
    truth = with_readout(made, READOUT_S)
    inner = (made.sights.frame > 0) & (made.sights.frame < len(made.frames) - 1)
    off = np.empty_like(made.sights.xy_px)
    residuals_px(truth, made.sights, off)
    assert np.abs(off[inner]).max() < 0.02
    residuals_px(with_readout(made, 0.0), made.sights, off)
    assert np.abs(off[inner]).max() > 2.0, "a rolling shutter that nobody sees proves nothing"


def test_points_are_found_again_where_their_rays_meet():
    made = orbit(np.random.default_rng(1), READOUT_S, noise_px=0.0, points=60)
    places = triangulate_points(with_readout(made, READOUT_S), made.sights)
    inner = ~np.isin(made.point, made.point[np.isin(made.sights.frame, [0, 23])])
    assert inner.any()
    own = np.unique(made.point[inner])
    assert np.abs(places - made.truth.points)[own].max() < 2e-3


def test_pixels_of_a_frame_are_those_of_the_adjustment():
    made = orbit(np.random.default_rng(2), READOUT_S, noise_px=0.0, points=60)
    truth = with_readout(made, READOUT_S)
    own = made.sights.frame == 5
    seen = pixels_in(truth, 5, truth.points[made.point[own]])
    assert np.abs(seen - made.sights.xy_px[own]).max() < 0.02


@pytest.mark.parametrize("seed", first_of(range(3)))
def test_a_clip_tells_its_readout_time_and_its_errors_fall_to_the_noise(seed):
    rng = np.random.default_rng(seed)
    made = orbit(rng, READOUT_S)
    held, before, (block, after, (shutter,)) = both_ways(made, rng, 0.3)
    assert shutter.source is ReadoutSource.ESTIMATED
    at = POSE * len(block.frames) + READOUT
    covariance = block_covariance(after, block.sights, block.sigma_px, block.knowns)
    found_s = block.state.lenses[0, READOUT]
    sigma_s = shutter.sigma_s(found_s, covariance[at, at] ** 0.5)
    assert abs(found_s - READOUT_S) < 3 * sigma_s
    assert sigma_s < 0.003
    assert rms(after.residuals_px) < 0.3 * 1.01
    assert rms(before.residuals_px) > 0.3 * 1.08
    still = orbit(np.random.default_rng(seed), 0.0)
    clean, _, _ = both_ways(still, np.random.default_rng(seed), 0.3)
    assert off_truth(block, made) < 1.2 * off_truth(clean, still) + 0.005
    assert off_truth(held, made) > off_truth(block, made)


def test_cameras_lie_within_their_covariance_once_the_shutter_is_modelled():
    """Squared errors against each other in parts of their covariance: near 3, and far from it."""
    rng = np.random.default_rng(7)
    made = orbit(rng, READOUT_S)
    held, before, (block, after, _) = both_ways(made, rng, 0.3)

    def squares(one, estimate):
        covariance = block_covariance(estimate, one.sights, one.sigma_px, one.knowns)
        within = within_the_case(covariance, one.state.positions, one.state.rotations)[:, 3:, 3:]
        off = laid_on(one, made) - made.truth.positions
        return float(np.einsum("ni,nij,nj->n", off, np.linalg.inv(within), off).mean())

    assert 3 / 3 < squares(block, after) < 3 * 2
    assert squares(held, before) > 3 * 3


@pytest.mark.parametrize("make", [orbit, lines])
def test_nothing_changes_where_no_shutter_rolls(make):
    rng = np.random.default_rng(3)
    made = make(rng, 0.0)
    held, estimate, (block, after, (shutter,)) = both_ways(made, rng, 0.3)
    assert shutter.source is ReadoutSource.NONE
    assert block is held
    assert after is estimate
    assert np.abs(block.state.lenses[:, READOUT]).max() < 1e-9


def test_straight_down_flights_do_not_tell_a_shutter_that_no_table_has():
    """There a stretch along the flight looks like another height: see decision 0010."""
    rng = np.random.default_rng(4)
    held, _, (block, _, (shutter,)) = both_ways(lines(rng, READOUT_S), rng, 0.1)
    assert shutter.source is ReadoutSource.NONE
    assert "not significant" in shutter.decision
    assert block is held


@pytest.mark.parametrize("seed", first_of(range(2)))
def test_a_table_is_used_on_the_move_and_lowers_the_errors(seed):
    rng = np.random.default_rng(20 + seed)
    made = lines(rng, 2 * READOUT_S, readout=replace(MEASURED, readout_s=2 * READOUT_S))
    held, before, (block, after, (shutter,)) = both_ways(made, rng, 0.1)
    assert shutter.source is ReadoutSource.TABLE
    assert "66.0 ± 3.0 ms from the camera database (somebody)" in shutter.decision
    assert block.state.lenses[0, READOUT] == pytest.approx(2 * READOUT_S, abs=1e-3)
    assert shutter.clock_fraction < 0.05
    assert rms(after.residuals_px) < rms(before.residuals_px)
    assert off_truth(block, made) < 0.6 * off_truth(held, made)


@pytest.mark.parametrize("seed", first_of(range(2)))
def test_a_table_is_not_used_where_the_drone_stops_for_each_photograph(seed):
    rng = np.random.default_rng(30 + seed)
    made = lines(rng, READOUT_S, speed_m_s=0.0, readout=MEASURED)
    held, _, (block, _, (shutter,)) = both_ways(made, rng, 0.1)
    assert shutter.source is ReadoutSource.NONE
    assert "static camera" in shutter.decision
    assert block is held


def test_a_mechanical_shutter_is_named_and_not_asked():
    rng = np.random.default_rng(5)
    made = lines(rng, 0.0, readout=Readout(readout_s=0.0, sigma_s=0.0, basis="its maker"))
    held, _, (block, _, (shutter,)) = both_ways(made, rng, 0.1)
    assert (shutter.source, block is held) == (ReadoutSource.TABLE, True)
    assert shutter.decision == "global shutter from the camera database (its maker)"


def test_a_table_without_times_is_named_and_not_used():
    rng = np.random.default_rng(6)
    made = lines(rng, 0.0, readout=MEASURED)
    made = replace(made, frames=tuple(replace(f, taken_at=None) for f in made.frames))
    held, _, (block, _, (shutter,)) = both_ways(made, rng, 0.1)
    assert (shutter.source, block is held) == (ReadoutSource.NONE, True)
    assert "the motion of the camera during exposure is not known" in shutter.decision


def test_a_rolling_shutter_leaves_free_where_the_whole_block_lies():
    """Pictures do not show place, turn or size; a fixed velocity would pretend that they do."""
    rng = np.random.default_rng(8)
    made = orbit(rng, READOUT_S, noise_px=0.01, gps_m=20.0)
    block = block_at(made, rng, 20.0)
    lenses, sigma = block.knowns.lenses.copy(), block.knowns.lens_sigma.copy()
    lenses[:, READOUT], sigma[:, READOUT] = READOUT_S, 1e-4
    block = replace(
        block,
        state=block.state._replace(lenses=lenses),
        knowns=replace(block.knowns, lenses=lenses, lens_sigma=sigma),
    )
    sigma_px = np.full(len(block.sights.frame), 0.01)
    found = adjust_bundle(block.state, block.sights, sigma_px, block.knowns, tolerance=1e-9)
    at = POSE * np.arange(24)[:, None] + 3 + np.arange(3)
    spread = block_covariance(found, block.sights, sigma_px, block.knowns)
    still = replace(
        block,
        state=block.state._replace(
            course=block.state.course._replace(interval_s=np.zeros(24), turning_s=np.zeros(24))
        ),
    )
    loose = block_covariance(
        replace(found, state=still.state._replace(points=found.state.points)),
        block.sights,
        sigma_px,
        block.knowns,
    )
    ratio = np.diag(spread)[at].mean() / np.diag(loose)[at].mean()
    assert ratio == pytest.approx(1.0, rel=0.05)


@given(
    turn=st.tuples(*[st.floats(-0.2, 0.2)] * 3),
    motion=st.tuples(*[st.floats(-15, 15)] * 3),
    place=st.tuples(st.floats(-30, 30), st.floats(-20, 20), st.floats(50, 120)),
)
def test_the_kernel_is_exact_to_a_hundredth_of_a_pixel(turn, motion, place):
    """Against bisection, for a camera at the origin whose neighbours give it any velocity."""
    seen = pixels_when(np.array([place]), np.array(motion), np.array(turn), READOUT_S)[0]
    made = orbit_of_three(np.array(motion), np.array(turn), np.array(place), seen)
    off = np.empty((2, 2))
    residuals_px(*made, off)
    assert np.abs(off[0]).max() < 0.01
    assert velocities_of(made[0])[1] == pytest.approx([*turn, *motion], abs=1e-6)


def orbit_of_three(motion, turn, place, seen):
    """A state whose frame 1, at the origin, flies from frame 0 to frame 2; a point seen twice."""
    rotations = Rotation.from_rotvec([-turn, 0 * turn, turn]).as_matrix()
    lens = LENS.copy()
    lens[READOUT] = READOUT_S
    course = Course(
        before=np.array([0, 0, 2], np.int32),
        after=np.array([0, 2, 2], np.int32),
        interval_s=np.array([0, 2.0, 0]),
        turning_s=np.array([0, 2.0, 0]),
        height_px=np.full(3, float(HEIGHT)),
    )
    state = State(
        rotations,
        np.stack([-motion, 0 * motion, motion]),
        lens[None],
        np.zeros(3, np.int32),
        place[None],
        course,
    )
    frame, start = np.array([1, 1], np.int32), np.array([0, 2], np.int32)
    return state, Observations(frame, start, np.stack([seen, seen]))


def frames_at(times, **changes):
    return [frame_of(i, taken_at=clock(t), **changes) for i, t in enumerate(times)]


def test_a_line_of_flight_ends_where_it_turns():
    places = np.array([[0, 0, 9], [20, 0, 9], [40, 1, 9], [40, 30, 9], [20, 30, 9], [0, 30, 9.0]])
    course = course_of(frames_at([0, 3, 6, 12, 15, 18]), places)
    assert list(zip(course.before, course.after, strict=True)) == [
        (0, 2),
        (0, 2),
        (0, 2),
        (3, 5),
        (3, 5),
        (3, 5),
    ]
    assert list(course.interval_s) == [6.0] * 6
    assert not course.turning_s.any(), "a gimbal holds still for photographs"


@pytest.mark.parametrize(
    "times", [[0, 0, 0, 0], [0, 60, 120, 180]], ids=["one clock second", "minutes apart"]
)
def test_times_that_do_not_tell_a_speed_give_none(times):
    places = np.arange(4.0)[:, None] * [20, 0, 0]
    assert not course_of(frames_at(times), places).interval_s.any()


def test_frames_of_a_clip_go_from_one_to_the_next_within_their_shot():
    moments = [
        Moment(clip_sha256="c", clip_name="c", time_s=Fraction(i, 2), shot=int(i > 3))
        for i in range(8)
    ]
    frames = [frame_of(i, moment=m) for i, m in enumerate(moments)]
    course = course_of(frames, np.arange(8.0)[:, None] * [5, 0, 0])
    assert list(course.before) == [0, 0, 1, 2, 4, 4, 5, 6]
    assert list(course.after) == [1, 2, 3, 3, 5, 6, 7, 7]
    assert list(course.turning_s) == list(course.interval_s) == [0.5, 1, 1, 0.5, 0.5, 1, 1, 0.5]


def test_the_unknowns_of_a_camera_end_with_its_readout_time():
    assert (UNKNOWNS, READOUT, len(PARAMS)) == (8, 7, 8)
