"""Numbers as MISB maps them: there and back again is the same to half a step."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from klv_bytes import imap_bytes, linear_signed_bytes, linear_unsigned_bytes

from aftermap.media.telemetry.draft import wrapped_deg
from aftermap.media.telemetry.misb.imap import (
    imap_scale,
    imap_value,
    linear_signed,
    linear_unsigned,
)

RANGES = st.sampled_from([(-900.0, 19_000.0), (0.0, 360.0), (-19.2, 19.2), (0.1, 100.0)])


@given(share=st.floats(0, 1), limits=RANGES, length=st.integers(2, 6))
def test_st_1201_there_and_back(share: float, limits: tuple[float, float], length: int) -> None:
    low, high = limits
    value = min(max(low + share * (high - low), low), high)
    back = imap_value(imap_bytes(value, low, high, length), low, high)
    step = imap_scale(low, high, length).reverse
    assert back == pytest.approx(value, abs=step + 1e-9)


@given(limits=RANGES, length=st.integers(1, 6))
def test_st_1201_keeps_zero_and_what_is_no_number(limits: tuple[float, float], length: int) -> None:
    low, high = limits
    if low <= 0:
        assert imap_value(imap_bytes(0.0, low, high, length), low, high) == pytest.approx(
            0, abs=1e-9
        )
    assert imap_value(imap_bytes(high + 1, low, high, length), low, high) == math.inf
    assert imap_value(imap_bytes(low - 1, low, high, length), low, high) == -math.inf
    nan = imap_value(imap_bytes(math.nan, low, high, length), low, high)
    assert nan is not None
    assert math.isnan(nan)


@given(share=st.floats(-1, 1), length=st.sampled_from([2, 4]))
def test_signed_maps_there_and_back(share: float, length: int) -> None:
    back = linear_signed(linear_signed_bytes(share * 90, 90, length), 90)
    assert back == pytest.approx(share * 90, abs=90 / (1 << 8 * length - 1))


@given(share=st.floats(0, 1), length=st.sampled_from([1, 2, 4]))
def test_unsigned_maps_there_and_back(share: float, length: int) -> None:
    value = -900 + share * 19_900
    back = linear_unsigned(linear_unsigned_bytes(value, -900, 19_000, length), -900, 19_000)
    assert back == pytest.approx(value, abs=19_900 / ((1 << 8 * length) - 1))


def test_the_most_negative_number_means_out_of_range() -> None:
    assert linear_signed(b"\x80\x00", 90) is None


@given(angle=st.floats(-1e4, 1e4))
def test_a_wrapped_angle_is_the_same_direction(angle: float) -> None:
    wrapped = wrapped_deg(angle)
    assert -180 < wrapped <= 180
    assert math.cos(math.radians(wrapped - angle)) == pytest.approx(1)
