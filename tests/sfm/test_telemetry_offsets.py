"""The clock of telemetry against that of the pictures: found where the flight tells, else not."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from aftermap.sfm.telemetry_offsets import DETERMINED_S, time_offset_s, turned_at_deg

TIMES = np.arange(0, 60, 0.7)


def wandering(t):
    """A flight that turns, slows and speeds up."""
    along = 5 * t + 8 * np.sin(t / 4)
    return np.stack([along, 20 * np.sin(t / 9) + 6 * np.cos(t / 3)], axis=1)


def straight(t):
    return np.stack([5 * t, 2 * t], axis=1)


def circle(t):
    return 40 * np.stack([np.cos(t / 8), np.sin(t / 8)], axis=1)


@pytest.mark.parametrize("offset_s", [-1.1, 0.0, 0.4])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_offset_is_found_within_what_it_says_of_itself(offset_s, seed):
    rng = np.random.default_rng(seed)
    recorded = wandering(TIMES + offset_s) + rng.normal(0, 1.5, (len(TIMES), 2))
    turned = wandering(TIMES) @ np.array([[0.9, -0.3], [0.3, 0.9]]) * 1.1 + [300, 40]
    found_s, sigma_s = time_offset_s(TIMES, recorded, CubicSpline(TIMES, turned))
    assert sigma_s < DETERMINED_S
    assert abs(found_s - offset_s) < 3 * sigma_s


def test_a_few_wild_positions_do_not_matter():
    rng = np.random.default_rng(4)
    recorded = wandering(TIMES + 0.6) + rng.normal(0, 0.5, (len(TIMES), 2))
    recorded[::15] += 80
    found_s, sigma_s = time_offset_s(TIMES, recorded, CubicSpline(TIMES, wandering(TIMES)))
    assert abs(found_s - 0.6) < max(3 * sigma_s, 0.1)


@pytest.mark.parametrize("flight", [straight, circle])
def test_an_even_flight_does_not_tell(flight):
    rng = np.random.default_rng(5)
    recorded = flight(TIMES + 0.5) + rng.normal(0, 1.5, (len(TIMES), 2))
    _, sigma_s = time_offset_s(TIMES, recorded, CubicSpline(TIMES, flight(TIMES)))
    assert sigma_s > DETERMINED_S


def test_a_yaw_is_read_at_the_corrected_time_and_across_north():
    def yaw(t):
        return (350 + 12 * t) % 360

    times = np.arange(0, 10, 0.5)
    late_s = 0.7
    found = turned_at_deg(times, yaw(times + late_s), late_s)
    inside = np.isfinite(found)
    assert inside.sum() >= len(times) - 2
    off = (found - yaw(times) + 180) % 360 - 180
    assert np.abs(off[inside]).max() < 1e-6


def test_a_yaw_that_was_not_recorded_stays_unknown():
    times = np.arange(4.0)
    assert np.isnan(turned_at_deg(times, np.full(4, np.nan), 0.3)).all()
