"""MISB ST 0601: how the tags that a track is made of are read; every other tag is left unread.

Ranges and maps are those of ST 0601.16. Angles in degrees, lengths in metres, times in microseconds
since 1970 in the sender's scale (see ``track``).
"""

from typing import Any

from aftermap.media.telemetry.misb.klv import local_items
from aftermap.media.telemetry.misb.klv_values import (
    HEADING,
    HEIGHT,
    LATITUDE,
    LONGITUDE,
    WIDE_HEIGHT,
    Reader,
    linear,
    plus_minus,
    signed,
    unsigned,
    value_of,
)

READERS: dict[int, Reader] = {
    2: unsigned,  # precision time stamp
    5: HEADING,  # platform heading
    6: plus_minus(20),  # platform pitch
    7: plus_minus(50),  # platform roll
    13: LATITUDE,  # sensor latitude
    14: LONGITUDE,  # sensor longitude
    15: HEIGHT,  # sensor true altitude
    16: linear(0, 180),  # sensor horizontal field of view
    18: HEADING,  # sensor relative azimuth
    19: plus_minus(180),  # sensor relative elevation
    20: HEADING,  # sensor relative roll
    75: HEIGHT,  # sensor ellipsoid height
    90: plus_minus(90),  # platform pitch, full
    91: plus_minus(90),  # platform roll, full
    104: WIDE_HEIGHT,  # sensor ellipsoid height, extended
    136: signed,  # leap seconds
}


def local_set_values(value: bytes) -> dict[int, Any]:
    """Values of one set by their tags; None where a value cannot be read or is not known."""
    return {tag: value_of(READERS[tag], item) for tag, item in local_items(value) if tag in READERS}
