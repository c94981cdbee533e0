"""Tracks between their samples, on paths that are known."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.track import at_times, gaps_s, interpolated, interpolated_deg
from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.telemetry import TelemetrySample, Track


def track(*samples: TelemetrySample) -> Track:
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
        TelemetrySample(time_s=Fraction(0), lonlat_deg=(179.9999, 35.0), attitude=level),
        TelemetrySample(time_s=Fraction(1), attitude=level),
        TelemetrySample(time_s=Fraction(2), lonlat_deg=(-179.9999, 35.0), attitude=level),
    )
    got = at_times(made, [0.5, 1.0], longest_gap_s=1.5)
    assert np.isnan(got.lonlat_deg).all()
    assert got.angles_deg[:, 1] == pytest.approx([-90, -90])
    across = at_times(made, [1.0]).lonlat_deg[0]  # over the date line, not round the world
    assert abs(across[0]) == pytest.approx(180)
    assert gaps_s(made, longest_gap_s=1.5) == ((0.0, 2.0),)


def test_a_track_without_samples_has_no_values() -> None:
    assert np.isnan(at_times(track(), [0.0, 1.0]).height_m).all()


def test_every_kind_of_value_is_taken_between_its_own_samples() -> None:
    """Everything rises evenly with time, so it is known in between; beyond a gap nothing is."""

    def sample(second: int) -> TelemetrySample:
        return TelemetrySample(
            time_s=Fraction(second),
            lonlat_deg=(39 + second / 100, 35 + second / 50),
            height_m=300.0 + second,
            relative_height_m=50.0 + 2 * second,
            hfov_deg=60.0 + 3 * second,
            attitude=Attitude(yaw_deg=170 + 4 * second, pitch_deg=-45 + second, roll_deg=second),
        )

    made = track(sample(8), sample(0), sample(2), sample(10))  # in any order
    got = at_times(made, [0.5, 2.0, 5.0, 9.0])
    at = np.array([0.5, 2.0, np.nan, 9.0])
    assert got.lonlat_deg[:, 0] == pytest.approx(39 + at / 100, nan_ok=True)
    assert got.lonlat_deg[:, 1] == pytest.approx(35 + at / 50, nan_ok=True)
    assert got.height_m == pytest.approx(300 + at, nan_ok=True)
    assert got.relative_height_m == pytest.approx(50 + 2 * at, nan_ok=True)
    assert got.hfov_deg == pytest.approx(60 + 3 * at, nan_ok=True)
    yaw, pitch, roll = got.angles_deg.T
    assert yaw == pytest.approx((170 + 4 * at + 180) % 360 - 180, nan_ok=True)
    assert pitch == pytest.approx(-45 + at, nan_ok=True)
    assert roll == pytest.approx(at, nan_ok=True)
    assert np.isfinite(at_times(made, [5.0], longest_gap_s=6.0).hfov_deg).all()


def test_every_long_gap_has_its_begin_and_end() -> None:
    seconds = (0, 1, 9, 10, 30)
    made = track(*(TelemetrySample(time_s=Fraction(s), lonlat_deg=(39.0, 35.0)) for s in seconds))
    assert gaps_s(made) == ((1.0, 9.0), (10.0, 30.0))
    assert gaps_s(made, longest_gap_s=8.0) == ((10.0, 30.0),)
