"""Numbers that MISB has mapped onto integers.

Linear maps of ST 0601 (a range over all integers of a length, the most negative one meaning "out
of range") and the maps of ST 1201.5, forms A and B, whose special values carry the top bit.
"""

import math
from dataclasses import dataclass
from functools import lru_cache


def unsigned_in(data: bytes) -> int:
    """A big-endian integer of any length."""
    return int.from_bytes(data, "big")


def signed_in(data: bytes) -> int:
    """A big-endian two's complement integer of any length."""
    return int.from_bytes(data, "big", signed=True)


def linear_unsigned(data: bytes, low: float, high: float) -> float:
    """A value from ``low`` to ``high`` over the integers from 0 to the largest."""
    return low + unsigned_in(data) * (high - low) / ((1 << 8 * len(data)) - 1)


def linear_signed(data: bytes, limit: float) -> float | None:
    """A value from minus to plus ``limit``; None for the integer that means "out of range"."""
    largest = (1 << 8 * len(data) - 1) - 1
    raw = signed_in(data)
    return None if raw < -largest else raw * limit / largest


@dataclass(frozen=True, kw_only=True)
class ImapScale:
    """How ST 1201 maps a range onto a length: factors there and back, and the zero offset."""

    forward: float
    reverse: float
    zero_offset: float


@lru_cache(maxsize=256)
def imap_scale(low: float, high: float, length: int) -> ImapScale:
    """The constants of ST 1201.5, clause 8.1: powers of two, so that zero maps onto itself."""
    range_bits = math.ceil(math.log2(high - low))
    forward = 2.0 ** (8 * length - 1 - range_bits)
    offset = 0.0
    if low < 0 < high:
        offset = forward * low - math.floor(forward * low)
    return ImapScale(
        forward=forward, reverse=2.0 ** (range_bits - 8 * length + 1), zero_offset=offset
    )


_SPECIALS = {0b11001: math.inf, 0b11101: -math.inf}


def imap_value(data: bytes, low: float, high: float) -> float | None:
    """The value that ST 1201 put into these bytes; NaN for its NaNs, None for what is reserved."""
    raw, length = unsigned_in(data), len(data)
    if not length:
        return None
    top = data[0] >> 3
    if data[0] & 0x80 and raw != 1 << (8 * length - 1):
        if top in _SPECIALS:
            return _SPECIALS[top]
        return math.nan if top >> 2 in (0b110, 0b111) and top & 0b11 in (0b10, 0b11) else None
    scale = imap_scale(low, high, length)
    value = scale.reverse * (raw - scale.zero_offset) + low
    slack = scale.reverse + 1e-12 * max(abs(low), abs(high))  # rounding, here and in the sender
    return value if low - slack <= value <= high + slack else None
