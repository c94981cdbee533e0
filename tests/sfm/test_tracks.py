"""Matches chained into tracks: one place of the scene, seen at most once by each photograph."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aftermap.sfm.pair_matches import PairMatches
from aftermap.sfm.tracks import thinned_tracks, tracks_from, tracks_of


def pair(first, second, *matches, distance=None):
    """Matches between features; distance says how unlike they are, from 0."""
    distance = [0.1] * len(matches) if distance is None else distance
    return PairMatches(
        first=first,
        second=second,
        matches=np.array(matches, np.int32).reshape(-1, 2),
        distance=np.array(distance, np.float32),
    )


def as_sets(tracks):
    return {
        frozenset(zip(tracks.frame[a:b].tolist(), tracks.feature[a:b].tolist(), strict=True))
        for a, b in zip(tracks.start[:-1], tracks.start[1:], strict=True)
    }


def test_matches_through_a_third_photograph_become_one_track():
    tracks = tracks_of([pair(0, 1, (4, 2)), pair(1, 2, (2, 7)), pair(0, 2, (1, 3))], [5, 3, 8])
    assert as_sets(tracks) == {frozenset({(0, 4), (1, 2), (2, 7)}), frozenset({(0, 1), (2, 3)})}
    assert tracks.track.tolist() == np.repeat([0, 1], np.diff(tracks.start)).tolist()


def test_of_two_features_of_one_photograph_the_more_alike_joins_the_track():
    """Features 0 and 1 of the first photograph are both said to be feature 0 of the second."""
    one = [pair(0, 1, (0, 0), (1, 0), distance=[0.3, 0.1])]
    other = [pair(0, 1, (0, 0), (1, 0), distance=[0.1, 0.3])]
    assert as_sets(tracks_of(one, [2, 1])) == {frozenset({(0, 1), (1, 0)})}
    assert as_sets(tracks_of(other, [2, 1])) == {frozenset({(0, 0), (1, 0)})}


def test_a_wrong_match_that_comes_last_does_not_merge_two_places():
    """Two corners tracked through three photographs, then one weak match from one to the other."""
    good = [pair(0, 1, (0, 0), (1, 1)), pair(1, 2, (0, 0), (1, 1))]
    wrong = pair(0, 2, (0, 1), distance=[0.4])
    for order in ([*good, wrong], [wrong, *good]):
        assert as_sets(tracks_of(order, [2, 2, 2])) == {
            frozenset({(0, 0), (1, 0), (2, 0)}),
            frozenset({(0, 1), (1, 1), (2, 1)}),
        }


@st.composite
def tangled_matches(draw):
    frames, features = draw(st.integers(2, 6)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    pairs = []
    for i in range(frames):
        for j in range(i + 1, frames):
            count = int(rng.integers(0, features + 1))
            matches = np.column_stack(
                [rng.permutation(features)[:count], rng.permutation(features)[:count]]
            )
            pairs.append(pair(i, j, *matches.tolist(), distance=rng.uniform(0, 0.5, count)))
    return pairs, [features] * frames


@given(tangled_matches())
def test_no_track_holds_two_features_of_one_photograph_and_no_feature_two_tracks(tangled):
    pairs, counts = tangled
    tracks = tracks_of(pairs, counts)
    observed = list(zip(tracks.frame.tolist(), tracks.feature.tolist(), strict=True))
    assert len(observed) == len(set(observed))
    for a, b in zip(tracks.start[:-1], tracks.start[1:], strict=True):
        assert b - a >= 2
        assert (np.diff(tracks.frame[a:b]) > 0).all()
    matched = {(p.first, int(a)) for p in pairs for a, _ in p.matches}
    matched |= {(p.second, int(b)) for p in pairs for _, b in p.matches}
    assert set(observed) <= matched


def test_photographs_without_matches_give_no_tracks():
    for pairs in ([], [pair(0, 1)]):
        tracks = tracks_of(pairs, [3, 3])
        assert len(tracks) == 0
        assert len(tracks.frame) == 0


@given(seed=st.integers(0, 9999), per_frame=st.integers(1, 30))
def test_a_thinner_choice_leaves_every_photograph_as_many_points_as_asked_or_all_it_has(
    seed, per_frame
):
    rng = np.random.default_rng(seed)
    chains = [(t, f) for t in range(60) for f in rng.permutation(6)[: rng.integers(2, 6)]]
    chain, frame = np.array(chains).T
    tracks = tracks_from(chain, frame, np.arange(len(chain)))
    thin = thinned_tracks(tracks, per_frame)
    before = np.bincount(tracks.frame, minlength=6)
    after = np.bincount(thin.frame, minlength=6)
    assert (after >= np.minimum(before, per_frame)).all()
    assert as_sets(thin) <= as_sets(tracks)
