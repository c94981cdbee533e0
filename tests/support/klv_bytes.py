"""KLV packets for tests, written the way ST 0601 says."""

import math
from collections.abc import Mapping

from aftermap.media.telemetry.misb.imap import imap_scale
from aftermap.media.telemetry.misb.klv import ST0601

STAMP_US = 1_600_000_000_000_000


def linear_signed_bytes(value: float, limit: float, length: int) -> bytes:
    """The inverse of :func:`linear_signed`, to the nearest integer."""
    return round(value / limit * ((1 << 8 * length - 1) - 1)).to_bytes(length, "big", signed=True)


def linear_unsigned_bytes(value: float, low: float, high: float, length: int) -> bytes:
    """The inverse of :func:`linear_unsigned`, to the nearest integer."""
    return round((value - low) / (high - low) * ((1 << 8 * length) - 1)).to_bytes(length, "big")


def imap_bytes(value: float, low: float, high: float, length: int) -> bytes:
    """The inverse of :func:`imap_value`; values outside of the range become infinities."""
    top = 8 * (length - 1)
    if math.isnan(value):
        return (0b11010 << 3 << top).to_bytes(length, "big")
    if value < low or value > high:
        return ((0b11101 if value < low else 0b11001) << 3 << top).to_bytes(length, "big")
    scale = imap_scale(low, high, length)
    return math.floor(scale.forward * (value - low) + scale.zero_offset).to_bytes(length, "big")


def ber(length: int) -> bytes:
    if length < 128:
        return bytes([length])
    return b"\x82" + length.to_bytes(2, "big")


def item(tag: int, value: bytes) -> bytes:
    label = bytes([tag]) if tag < 128 else bytes([0x80 | tag >> 7, tag & 0x7F])
    return label + ber(len(value)) + value


def packet(items: Mapping[int, bytes], *, sum_off: int = 0) -> bytes:
    body = b"".join(item(tag, value) for tag, value in items.items()) + b"\x01\x02"
    covered = ST0601 + ber(len(body) + 2) + body
    total = (sum(covered[0::2]) << 8) + sum(covered[1::2]) + sum_off
    return covered + (total & 0xFFFF).to_bytes(2, "big")


def flight(
    *, lon_deg: float = 39.01, lat_deg: float = 35.95, seconds: float = 0.0, heading_deg: float = 90
) -> dict[int, bytes]:
    """A level platform whose sensor looks 45 degrees down, a quarter turn to the right."""
    return {
        2: (STAMP_US + round(seconds * 1e6)).to_bytes(8, "big"),
        5: linear_unsigned_bytes(heading_deg, 0, 360, 2),
        6: linear_signed_bytes(0, 20, 2),
        7: linear_signed_bytes(0, 50, 2),
        13: linear_signed_bytes(lat_deg, 90, 4),
        14: linear_signed_bytes(lon_deg, 180, 4),
        15: linear_unsigned_bytes(1500, -900, 19_000, 2),
        16: linear_unsigned_bytes(30, 0, 180, 2),
        18: linear_unsigned_bytes(90, 0, 360, 4),
        19: linear_signed_bytes(-45, 180, 4),
        20: linear_unsigned_bytes(0, 0, 360, 4),
    }
