"""Readers for the values of KLV items: bytes -> numbers.

A value is None where it is empty, reserved or cannot be read by the length it has; MISB gives an
empty item the meaning "no longer known".
"""

import struct
from collections.abc import Callable
from typing import Any

from aftermap.media.telemetry.misb.imap import (
    imap_value,
    linear_signed,
    linear_unsigned,
    signed_in,
    unsigned_in,
)

Reader = Callable[[bytes], Any]


def linear(low: float, high: float) -> Reader:
    """Values from ``low`` to ``high`` over all unsigned integers of the length."""
    return lambda data: linear_unsigned(data, low, high)


def plus_minus(limit: float) -> Reader:
    """Values from minus to plus ``limit`` over all signed integers of the length."""
    return lambda data: linear_signed(data, limit)


def imap(low: float, high: float) -> Reader:
    """Values mapped by ST 1201."""
    return lambda data: imap_value(data, low, high)


def real(data: bytes) -> float | None:
    """An IEEE number of 4 or 8 bytes."""
    codes = {4: ">f", 8: ">d"}
    return float(struct.unpack(codes[len(data)], data)[0]) if len(data) in codes else None


def value_of(reader: Reader, data: bytes) -> Any:
    """What the reader makes of it; None for an empty item or one of an impossible length."""
    if not data:
        return None
    try:
        return reader(data)
    except (ValueError, ArithmeticError, LookupError, TypeError, struct.error):
        return None


signed, unsigned = signed_in, unsigned_in
LATITUDE, LONGITUDE, HEADING = plus_minus(90), plus_minus(180), linear(0, 360)
HEIGHT, WIDE_HEIGHT = linear(-900, 19_000), imap(-900, 40_000)
