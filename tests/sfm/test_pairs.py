"""Which photographs are compared: none that overlap may be missed."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_flight import frame_of

from aftermap.model.clip import Moment
from aftermap.sfm.options import PoseOptions
from aftermap.sfm.pairs import (
    all_pairs,
    pairs_by_position,
    pairs_by_vote,
    pairs_in_sequence,
    voters_per_frame,
)

OPTIONS = PoseOptions()


def as_set(pairs):
    found = {(int(i), int(j)) for i, j in pairs}
    assert len(found) == len(pairs), "each pair once"
    assert all(i < j for i, j in found), "smaller index first"
    return found


def at(*places):
    return [
        frame_of(i, recorded=None if p is None else (*map(float, p), 100.0))
        for i, p in enumerate(places)
    ]


@pytest.mark.parametrize("dense", [1, 3, 8])
@pytest.mark.parametrize("gps_m", [0.0, 1.5])
def test_the_next_flight_line_is_never_missed_however_dense_the_photographs_are_along_one(
    dense, gps_m
):
    """Lines 30 m apart, one photograph every 20 m, 7 m or 2.5 m along them.

    Where the noise of the positions is as large as the step between photographs, one in fifty
    may miss the next line: those before and after it do not.
    """
    rng = np.random.default_rng(dense)
    spacing, lines, per_line = 20.0 / dense, 5, 10 * dense
    places = [(k * spacing, 30.0 * line) for line in range(lines) for k in range(per_line)]
    shaken = np.array(places) + rng.normal(0, gps_m, (len(places), 2))
    pairs = as_set(pairs_by_position(at(*shaken), OPTIONS))
    line_of = np.arange(len(places)) // per_line
    met = [set() for _ in places]
    for a, b in pairs:
        met[a].add(int(line_of[b]))
        met[b].add(int(line_of[a]))
    missed = [
        i
        for i, own in enumerate(line_of)
        if not {own - 1, own, own + 1} & set(range(lines)) <= met[i]
    ]
    noisy = gps_m > 0.5 * spacing
    assert len(missed) <= (0.02 * len(places) if noisy else 0), missed


def test_the_number_of_pairs_grows_with_the_photographs_not_with_their_square():
    places = [(20.0 * k, 30.0 * line) for line in range(15) for k in range(20)]
    pairs = as_set(pairs_by_position(at(*places), OPTIONS))
    assert len(pairs) <= len(places) * (OPTIONS.neighbours // 2 + 12)


def test_photographs_from_one_spot_are_compared_with_each_other():
    pairs = as_set(pairs_by_position(at((0, 0), (0, 0), (0, 0)), OPTIONS))
    assert pairs == {(0, 1), (0, 2), (1, 2)}


def test_a_photograph_without_a_position_is_left_to_the_vote():
    pairs = as_set(pairs_by_position(at((0, 0), None, (9, 0), (0, 9)), OPTIONS))
    assert pairs == {(0, 2), (0, 3), (2, 3)}


@pytest.mark.parametrize("places", [[], [None], [None, None], [(0, 0)]])
def test_nothing_to_compare_gives_no_pairs(places):
    assert pairs_by_position(at(*places), OPTIONS).shape == (0, 2)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_all_pairs_are_all_and_each_once(count):
    assert len(as_set(all_pairs(count))) == count * (count - 1) // 2


@given(count=st.integers(2, 40), per_frame=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_two_photographs_taken_next_are_always_compared(count, per_frame, seed):
    votes = np.triu(np.random.default_rng(seed).integers(0, 9, (count, count)), 1).astype(np.int32)
    pairs = as_set(pairs_by_vote(votes, per_frame))
    expected = {(i, j) for i in range(count) for j in (i + 1, i + 2) if j < count}
    assert expected <= pairs
    assert all(0 <= i < j < count for i, j in pairs)


def test_the_photographs_that_look_most_alike_are_compared_and_strangers_are_not():
    votes = np.zeros((10, 10), np.int32)
    votes[0, 9], votes[0, 7], votes[0, 5] = 50, 30, 1
    pairs = as_set(pairs_by_vote(votes, 2))
    assert {(0, 9), (0, 7)} <= pairs
    assert (0, 6) not in pairs
    assert (3, 8) not in pairs


@pytest.mark.parametrize("count", [1, 60, 300, 2000, 100_000])
def test_the_vote_stays_cheap_for_many_photographs_and_never_dwindles_to_nothing(count):
    voters = voters_per_frame(count)
    assert 32 <= voters <= 256
    assert count * voters <= 60_000 or voters == 32


def test_frames_that_follow_each_other_in_a_shot_are_compared_and_none_across_a_cut():
    def moment(clip, shot, time_s):
        return Moment(clip_sha256=clip, clip_name="c", time_s=Fraction(time_s), shot=shot)

    moments = [None, *(moment("a", 0, t) for t in (9, 7, 5, 3, 1, 0)), moment("a", 1, 10), None]
    frames = [replace(frame_of(i), moment=m) for i, m in enumerate(moments)]
    pairs = as_set(pairs_in_sequence(frames))
    assert {(1, 2), (1, 5), (5, 6)} <= pairs
    assert (1, 6) not in pairs
    assert not any(i in pair for i in (0, 7, 8) for pair in pairs)
