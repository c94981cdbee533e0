"""Poses between poses: what is said of their error holds on flights whose every pose is known."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_paths import path_of, pose
from scipy.spatial.transform import Rotation

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.pose_interpolation import LONGEST_GAP_S, is_bridged, pose_at, pose_between
from aftermap.geo.tuples import matrix3, vector3
from aftermap_twin.clip_paths import DRONE, FORWARD, STREAM, station_at

EXACT = (1e-6, 1e-6)
GAPS_S = [Fraction(2, 5), Fraction(1), Fraction(2), Fraction(7, 2), LONGEST_GAP_S]


def flown(path, time_s):
    """The true pose of a practice flight at a time."""
    station = station_at(path, float(time_s))
    rotation = rotation_cam_from_world(*station.reported_deg)
    made = pose(time_s, station.position_m, sigmas=EXACT)
    exact = replace(
        made.pose,
        rotation_cam_from_world=matrix3(rotation),
        position_m=vector3(station.position_m),
    )
    return replace(made, time_s=Fraction(time_s), pose=exact)


def misses(path, gap_s):
    """(N, 6) errors of poses between two true ones, in the sigmas that are said of them."""
    found = []
    starts = [k * gap_s / 2 for k in range(int(2 * (path.seconds - gap_s) / gap_s))]
    for start_s in starts:
        one, other = flown(path, start_s), flown(path, start_s + gap_s)
        for share in (Fraction(1, 5), Fraction(1, 2), Fraction(4, 5)):
            said = pose_between(one, other, start_s + share * gap_s)
            true = flown(path, start_s + share * gap_s)
            moved = np.subtract(true.pose.position_m, said.pose.position_m)
            turned = (
                np.transpose(true.pose.rotation_cam_from_world) @ said.pose.rotation_cam_from_world
            )
            errors = [*moved, *Rotation.from_matrix(turned).as_rotvec()]
            found.append(errors / np.sqrt(np.diag(said.covariance)))
    return np.array(found)


@pytest.mark.parametrize("gap_s", GAPS_S)
@pytest.mark.parametrize("path", [DRONE, FORWARD], ids=["drone", "forward"])
def test_the_error_of_a_practice_flight_lies_within_what_is_said(path, gap_s):
    missed = misses(path, gap_s)
    assert np.sqrt((missed**2).mean(axis=0)).max() < 1.25
    assert (np.abs(missed) < 2).mean() > 0.95


def test_a_flight_three_times_as_fast_is_not_taken_for_a_sure_one():
    hurried = replace(DRONE, seconds=DRONE.seconds / 3)
    for path in (hurried, STREAM):
        missed = misses(path, Fraction(1))
        assert np.sqrt((missed**2).mean(axis=0)).max() < 1.25


@given(st.floats(-1, 1))
def test_a_camera_that_hovers_at_both_ends_may_have_been_away(pull):
    """A drone that accelerates evenly within one sigma stays within one sigma of what is said."""
    one, other = (pose(time_s, (0, 0, 300), sigmas=EXACT) for time_s in (0, 3))
    said = pose_between(one, other, Fraction(3, 2))
    assert abs(pull) * 1.5 * 1.5 / 2 <= np.sqrt(said.covariance[0][0])


@pytest.mark.parametrize("gap_s", GAPS_S)
def test_in_the_middle_of_a_hover_the_error_is_that_of_a_dash_to_there_and_back(gap_s):
    """Even acceleration a for half the time out, turning back on the way: a T^2 / 8."""
    one, other = (pose(time_s, (0, 0, 300), sigmas=EXACT) for time_s in (0, gap_s))
    sigmas = np.sqrt(np.diag(pose_between(one, other, gap_s / 2).covariance))
    dash = float(gap_s) ** 2 / 8
    assert sigmas == pytest.approx([dash * 1.0] * 3 + [dash * 0.15] * 3, rel=1e-4)


@given(st.fractions(0, 1, max_denominator=50))
def test_at_the_poses_nothing_is_added_and_in_the_middle_most(share):
    one, other = pose(0, (0, 0, 300)), pose(2, (20, 5, 310), yaw_deg=15)
    sizes = [np.diag(pose_between(one, other, 2 * w).covariance) for w in (share, Fraction(1, 2))]
    assert (sizes[0] <= sizes[1] * (1 + 1e-12)).all()
    assert np.diag(pose_between(one, other, Fraction(0)).covariance) == pytest.approx(
        np.diag(one.covariance)
    )


def test_a_moment_is_told_within_a_shot_and_a_short_gap_only():
    poses = [
        pose(0, (0, 0, 300)),
        pose(5, (9, 0, 300)),
        pose(6, (9, 0, 300), shot=1),
        pose(12, (0, 0, 300), shot=1),
    ]
    assert [is_bridged(*both) for both in pairwise(poses)] == [True, False, False]
    path = path_of(poses)
    told = [(0, 2), (0, 5), (0, 5.2), (0, 5.5), (1, 6), (1, 9), (1, 11.9)]
    known = [pose_at(path, shot, Fraction(time_s)) is not None for shot, time_s in told]
    assert known == [True, True, True, False, True, False, True]
