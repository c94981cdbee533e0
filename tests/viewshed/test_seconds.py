"""A clip's poses become seconds: none lost, none invented."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_paths import path_of, pose

from aftermap.geo.axes import gimbal_angles_deg
from aftermap.geo.pose_interpolation import pose_between
from aftermap.model.trajectory import PoseSource
from aftermap.viewshed.moments import seconds_of


def at(*times_s, shot=0):
    return [pose(time, (time * 10, 0, 350), shot=shot) for time in times_s]


@given(st.lists(st.fractions(-5, 60, max_denominator=30), min_size=1, max_size=80, unique=True))
def test_every_pose_lies_in_exactly_one_second(times_s):
    found = seconds_of(path_of(at(*times_s)))
    known = [p.time_s for second in found if not second.is_filled_in for p in second.poses]
    assert sorted(known) == sorted(Fraction(t).limit_denominator(1000) for t in times_s)
    for second in found:
        assert second.to_s - second.from_s <= 1
        assert all(second.from_s <= p.time_s <= second.to_s for p in second.poses)


def test_seconds_between_near_poses_are_filled_in_and_between_far_ones_not():
    found = seconds_of(path_of(at(0.5, 3.2, 20.1)))
    assert [(float(s.from_s), float(s.to_s), s.is_filled_in) for s in found] == [
        (0.5, 1.0, False),
        (1.0, 2.0, True),
        (2.0, 3.0, True),
        (3.0, 3.2, False),
        (20.1, 20.1, False),
    ]


def test_nothing_is_filled_in_across_a_cut():
    found = seconds_of(path_of([*at(0.5), *at(3.5, shot=1)]))
    assert [(s.shot, s.is_filled_in) for s in found] == [(0, False), (1, False)]


@given(weight=st.fractions(0, 1, max_denominator=100), yaw=st.floats(-170, 170))
def test_a_filled_in_pose_lies_on_the_way_and_is_less_sure(weight, yaw):
    one = pose(0, (0, 0, 300), yaw_deg=yaw, pitch_deg=-40)
    other = pose(2, (20, 10, 310), yaw_deg=yaw + 20, pitch_deg=-40, source=PoseSource.TELEMETRY)
    made = pose_between(one, other, 2 * weight)
    share = float(weight)
    assert made.pose.position_m == pytest.approx((20 * share, 10 * share, 300 + 10 * share))
    found, pitch, _ = gimbal_angles_deg(made.pose.rotation_cam_from_world)
    turned = (found - yaw + 180) % 360 - 180
    assert turned == pytest.approx(20 * share, abs=0.5)
    assert pitch == pytest.approx(-40, abs=0.5)
    added = np.diag(made.covariance) - np.diag(one.covariance)
    assert (added > 0).all() if 0 < weight < 1 else (np.abs(added) < 1e-12).all()
    assert made.source is PoseSource.TELEMETRY
