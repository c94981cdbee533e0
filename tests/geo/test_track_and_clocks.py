"""Tracks between their samples, and the offset of two clocks, on paths that are known."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.clocks import time_offset
from aftermap.geo.track import at_times, gaps_s, interpolated, interpolated_deg
from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.telemetry import Sample, Track


def track(*samples: Sample) -> Track:
    return Track(
        sha256="0" * 64,
        name="made up",
        dialect="made up",
        clock="video",
        vertical_datum=VerticalDatum.UNKNOWN,
        sigma_horizontal_m=3,
        sigma_vertical_m=5,
        samples=samples,
    )


def test_values_between_samples_and_none_in_long_gaps() -> None:
    got = interpolated([0, 1, 5, 6], [0, 10, 50, 60], [-0.1, 0.5, 1, 3, 5, 5.5, 6, 6.1])
    assert got[[1, 2, 4, 5, 6]] == pytest.approx([5, 10, 50, 55, 60])
    assert np.isnan(got[[0, 3, 7]]).all()


def test_angles_turn_the_short_way() -> None:
    assert interpolated_deg([0, 1], [170, -170], [0.25, 0.75]) == pytest.approx([175, -175])


@given(start=st.floats(-180, 179), turn=st.floats(-170, 170), share=st.floats(0, 1))
def test_an_angle_between_lies_on_the_way(start: float, turn: float, share: float) -> None:
    got = interpolated_deg([0, 1], [start, (start + turn + 180) % 360 - 180], [share])[0]
    assert np.cos(np.radians(got - start - share * turn)) == pytest.approx(1)


def test_a_missing_position_does_not_cost_an_angle() -> None:
    level = Attitude(yaw_deg=0, pitch_deg=-90, roll_deg=0)
    made = track(
        Sample(time_s=Fraction(0), lonlat_deg=(179.9999, 35.0), attitude=level),
        Sample(time_s=Fraction(1), attitude=level),
        Sample(time_s=Fraction(2), lonlat_deg=(-179.9999, 35.0), attitude=level),
    )
    got = at_times(made, [0.5, 1.0], longest_gap_s=1.5)
    assert np.isnan(got.lonlat_deg).all()
    assert got.angles_deg[:, 1] == pytest.approx([-90, -90])
    across = at_times(made, [1.0]).lonlat_deg[0]  # over the date line, not round the world
    assert abs(across[0]) == pytest.approx(180)
    assert gaps_s(made, longest_gap_s=1.5) == ((0.0, 2.0),)


def test_a_track_without_samples_has_no_values() -> None:
    assert np.isnan(at_times(track(), [0.0, 1.0]).height_m).all()


def circle(times: np.ndarray) -> np.ndarray:
    angle = times * 10 / 60
    return np.stack([60 * np.cos(angle), 60 * np.sin(angle), 50 + 0 * times], axis=1)


def turns(times: np.ndarray) -> np.ndarray:
    x = np.where(times < 20, 8 * times, np.where(times < 30, 160, 160 - 8 * (times - 30)))
    y = np.where(times < 20, 0, np.where(times < 30, 8 * (times - 20), 80))
    return np.stack([x, y, 50 + 0 * times], axis=1)


@pytest.mark.parametrize("path", [circle, turns])
@pytest.mark.parametrize("true_s", [-3.27, 0.0, 1.64])
def test_the_offset_of_a_path_with_turns_is_found_within_its_sigma(path, true_s: float) -> None:
    rng = np.random.default_rng(7)
    clock = np.arange(0, 50, 0.5)
    track_s = np.arange(5, 45, 1.0)
    track_m = path(track_s + true_s) + rng.normal(0, 1.5, (len(track_s), 3)) + [3.0, -2.0, 20.0]
    offset_s, sigma_s = time_offset(track_s, track_m, clock, path(clock))
    assert sigma_s is not None
    assert sigma_s < 0.3
    assert abs(offset_s - true_s) < 3.5 * sigma_s


def test_stated_sigmas_of_the_offset_are_honest() -> None:
    rng = np.random.default_rng(11)
    clock, track_s = np.arange(0, 50, 0.5), np.arange(5, 45, 1.0)
    ratios = []
    for _ in range(40):
        track_m = circle(track_s + 0.73) + rng.normal(0, 1.5, (len(track_s), 3))
        offset_s, sigma_s = time_offset(track_s, track_m, clock, circle(clock))
        assert sigma_s is not None
        ratios.append((offset_s - 0.73) / sigma_s)
    assert 0.6 < np.std(ratios) < 1.5


def straight(times: np.ndarray) -> np.ndarray:
    return np.stack([8 * times, 0 * times, 50 + 0 * times], axis=1)


def hover(times: np.ndarray) -> np.ndarray:
    return np.stack([0 * times, 0 * times, 50 + 0 * times], axis=1)


@pytest.mark.parametrize("path", [straight, hover])
@pytest.mark.parametrize("noise_m", [0.0, 1.5])
def test_a_straight_flight_and_a_hover_do_not_tell_the_offset(path, noise_m: float) -> None:
    rng = np.random.default_rng(3)
    clock = np.arange(0, 50, 0.5)
    track_s = np.arange(12, 38, 1.0)
    track_m = path(track_s + 1.0) + rng.normal(0, noise_m, (len(track_s), 3))
    seen_m = path(clock) + rng.normal(0, noise_m / 30, (len(clock), 3))
    assert time_offset(track_s, track_m, clock, seen_m)[1] is None


def test_an_offset_beyond_the_search_is_not_determined() -> None:
    clock, track_s = np.arange(0, 50, 0.5), np.arange(15, 35, 1.0)
    track_m = turns(track_s + 14)
    assert time_offset(track_s, track_m, clock, turns(clock), search_s=(-3, 3))[1] is None


def test_records_that_do_not_overlap_have_no_offset() -> None:
    clock, track_s = np.arange(0, 10, 0.5), np.arange(100, 140, 1.0)
    assert time_offset(track_s, circle(track_s), clock, circle(clock)) == (0.0, None)
