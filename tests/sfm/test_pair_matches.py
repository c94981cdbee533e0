"""Matching on two made-up views of one place: true matches kept, false ones thrown out."""

import cv2
import numpy as np
import pytest
from made_up_flight import HEIGHT, LENS, WIDTH, ground, pixels_of

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.imaging.features import Features, descriptor_bytes, rootsift, unit
from aftermap.imaging.matching import guided_matches, mutual_matches, one_geometry
from aftermap.sfm.projection_kernel import State

NOISE_PX = 0.5
TOLERANCE_PX = 0.0035 * WIDTH


def two_views(rng, *, count=400, relief=10.0):
    """(N, 2) noisy pixels of the same places in two photographs 20 m apart."""
    rotations = np.stack(
        [rotation_cam_from_world(90, -88.5, 1.0), rotation_cam_from_world(93, -91 + 2, -1.5)]
    )
    positions = np.array([[45.0, 40.0, 80.0], [65.0, 42.0, 79.0]])
    points = ground(rng, count=6 * count, relief=relief)
    state = State(rotations, positions, LENS[None], np.zeros(2, np.int32), points)
    first, second = pixels_of(state, 0, points), pixels_of(state, 1, points)
    both = np.isfinite(first + second).all(axis=1)
    first, second = first[both][:count], second[both][:count]
    noise = rng.normal(0, NOISE_PX, (2, *first.shape))
    return (first + noise[0]).astype(np.float32), (second + noise[1]).astype(np.float32)


def descriptors(rng, count):
    """Bytes like those of RootSIFT: many small, few large, of length about 512."""
    return descriptor_bytes(rootsift(rng.gamma(0.6, 30.0, (count, 128)).astype(np.float32)))


def seen_again(rng, stored, *, share=0.15):
    """The same places from elsewhere: every component changed a little."""
    changed = rng.uniform(1 - 2 * share, 1 + 2 * share, stored.shape)
    return descriptor_bytes(rootsift(((stored / 512.0) ** 2 * changed).astype(np.float32)))


def features(xy_px, stored):
    count = len(xy_px)
    return Features(
        xy_px=xy_px.astype(np.float32),
        scale_px=np.full(count, 3.0, np.float32),
        angle_deg=np.zeros(count, np.float32),
        descriptors=stored,
    )


def away_from_lines(guide, first, second):
    """Distance of second pixels from the epipolar lines of the first."""
    lines = np.column_stack([first, np.ones(len(first))]) @ guide.lines.T
    at = np.column_stack([second, np.ones(len(second))])
    return np.abs((lines * at).sum(axis=1)) / np.linalg.norm(lines[:, :2], axis=1)


def test_each_place_is_matched_with_itself_and_what_only_one_sees_with_nothing():
    rng = np.random.default_rng(1)
    stored = descriptors(rng, 300)
    again = np.concatenate([seen_again(rng, stored[:200]), descriptors(rng, 100)])
    order = rng.permutation(300)
    found = mutual_matches(unit(stored), unit(again[order]))
    true = {(i, int(np.flatnonzero(order == i)[0])) for i in range(200)}
    got = {(int(a), int(b)) for a, b in found}
    assert len(got & true) >= 0.95 * len(true)
    assert len(got - true) <= 0.02 * len(got)


def test_matching_does_not_depend_on_which_photograph_comes_first_but_for_the_ratio():
    rng = np.random.default_rng(2)
    stored = descriptors(rng, 100)
    a, b = unit(stored), unit(seen_again(rng, stored))
    there = {(int(i), int(j)) for i, j in mutual_matches(a, b)}
    back = {(int(j), int(i)) for i, j in mutual_matches(b, a)}
    assert len(there & back) >= 0.98 * len(there | back)


def test_of_two_places_that_want_the_same_match_only_the_more_alike_gets_it():
    rng = np.random.default_rng(11)
    place, stranger = descriptors(rng, 2)
    rival = seen_again(rng, place[None], share=0.3)[0]
    for first in ([place, rival], [rival, place]):
        found = mutual_matches(unit(np.stack(first)), unit(np.stack([stranger, place])))
        at = next(i for i, row in enumerate(first) if row is place)
        assert found.tolist() == [[at, 1]]


def test_windows_that_all_look_alike_are_not_matched():
    rng = np.random.default_rng(3)
    window = descriptors(rng, 1)
    facade = unit(seen_again(rng, np.repeat(window, 40, axis=0), share=0.05))
    again = unit(seen_again(rng, np.repeat(window, 40, axis=0), share=0.05))
    assert len(mutual_matches(facade, again)) <= 4


@pytest.mark.parametrize(("first", "second"), [(0, 5), (5, 0), (0, 0)])
def test_a_photograph_without_features_matches_nothing(first, second):
    rng = np.random.default_rng(4)
    found = mutual_matches(unit(descriptors(rng, first)), unit(descriptors(rng, second)))
    assert found.shape == (0, 2)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("relief", [0.1, 12.0], ids=["flat", "houses"])
def test_the_geometry_is_found_among_40_percent_wrong_matches(seed, relief):
    rng = np.random.default_rng([seed, 5])
    first, second = two_views(rng, relief=relief)
    wrong = rng.permutation(len(first))[: round(0.4 * len(first))]
    good = np.ones(len(first), bool)
    good[wrong] = False
    seen = second.copy()
    seen[wrong] = rng.uniform(0, [WIDTH, HEIGHT], (len(wrong), 2))
    guide = one_geometry(first, seen, TOLERANCE_PX)
    assert guide is not None
    away = away_from_lines(guide, first[good], second[good])
    assert np.percentile(away, 90) < TOLERANCE_PX
    assert np.median(away) < 3 * NOISE_PX
    put = np.column_stack([first, np.ones(len(first))]) @ guide.plane.T
    off = np.abs(put[:, :2] / put[:, 2:] - second).max(axis=1)
    assert np.mean(off[good] < guide.reach_px) > 0.95


def test_pictures_of_different_places_have_no_geometry():
    rng = np.random.default_rng(6)
    for _ in range(5):
        first, second = rng.uniform(0, [WIDTH, HEIGHT], (2, 60, 2)).astype(np.float32)
        assert one_geometry(first, second, TOLERANCE_PX) is None


def test_nineteen_matches_are_too_few_to_believe():
    rng = np.random.default_rng(7)
    first, second = two_views(rng, count=19)
    assert one_geometry(first, second, TOLERANCE_PX) is None


def test_the_geometry_tells_places_apart_that_look_alike():
    """Every place looks like one other place somewhere else; only the lines tell them apart."""
    rng = np.random.default_rng(8)
    first, second = two_views(rng, count=300)
    guide = one_geometry(first, second, TOLERANCE_PX)
    stored = descriptors(rng, 150)
    twice = np.concatenate([stored, stored])
    order = rng.permutation(300)
    one = features(first, seen_again(rng, twice, share=0.1))
    other = features(second[order], seen_again(rng, twice, share=0.1)[order])
    blind = mutual_matches(unit(one.descriptors), unit(other.descriptors))
    matches, distance = guided_matches(one, other, guide)
    true = order[matches[:, 1]] == matches[:, 0]
    assert len(blind) < 60
    assert true.sum() > 200
    assert true.mean() > 0.95
    assert (distance < 0.5).all()
    assert len(np.unique(matches[:, 1])) == len(matches)


def test_a_place_that_lies_off_its_line_is_not_matched_however_alike():
    rng = np.random.default_rng(9)
    first, second = two_views(rng, count=200)
    guide = one_geometry(first, second, TOLERANCE_PX)
    stored = descriptors(rng, 200)
    lines = np.column_stack([first, np.ones(200)]) @ guide.lines.T
    across = lines[:, :2] / np.linalg.norm(lines[:, :2], axis=1, keepdims=True)
    moved = second + 6 * TOLERANCE_PX * across
    matches, _ = guided_matches(features(first, stored), features(moved, stored), guide)
    assert len(matches) == 0


def test_an_assertion_inside_opencv_is_no_end_of_the_run(monkeypatch):
    """OpenCV 5.0's MAGSAC asserts `!model.empty()` on some frames of a forward flight."""
    rng = np.random.default_rng(3)
    first = rng.uniform(0, 1000, (60, 2)).astype(np.float32)
    whole = cv2.findFundamentalMat

    def asserting(a, b, method, *rest):
        if method == cv2.USAC_MAGSAC:
            raise cv2.error("(-215:Assertion failed) !model.empty()")
        return whole(a, b, method, *rest)

    monkeypatch.setattr(cv2, "findFundamentalMat", asserting)
    found = one_geometry(first, first + np.float32([30, 4]), 2.0)
    assert found.plane == pytest.approx(np.array([[1, 0, 30], [0, 1, 4], [0, 0, 1]]), abs=1e-2)
