"""MISB ST 0601 and the security set ST 0102: the name of each tag and how its bytes are read.

Ranges and maps are those of ST 0601.16 and ST 0102.12. Angles in degrees, lengths in metres,
speeds in metres a second, times in microseconds since 1970 in the sender's scale.
"""

from typing import Any

from aftermap.media.telemetry.misb.klv import local_items
from aftermap.media.telemetry.misb.klv_values import (
    HEADING,
    HEIGHT,
    LATITUDE,
    LONGITUDE,
    WIDE_HEIGHT,
    imap,
    linear,
    plus_minus,
    signed,
    unsigned,
    value_of,
)
from benchmarks.st0601.arrays import statistics_value
from benchmarks.st0601.packs import (
    airbases,
    command,
    core_identifier,
    countries,
    frame_rate,
    horizon_px,
    payloads,
    store,
    substream,
    view_domain,
    wavelength,
    waypoint,
)
from benchmarks.st0601.sets import (
    COMPOSITE,
    RANGE_IMAGE,
    REGISTRATION,
    RVT,
    SAR,
    VMTI,
)
from benchmarks.st0601.values import Fields, each, flags, local_set, oids, text, times

SECURITY: Fields = {
    1: ("security classification", unsigned),
    2: ("country coding method of the classifying country", unsigned),
    3: ("classifying country", text),
    4: ("SCI/SHI information", text),
    5: ("caveats", text),
    6: ("releasing instructions", text),
    7: ("classified by", text),
    8: ("derived from", text),
    9: ("classification reason", text),
    10: ("declassification date", text),
    11: ("classification and marking system", text),
    12: ("country coding method of the object country", unsigned),
    13: ("object country codes", text),
    14: ("classification comments", text),
    22: ("version", unsigned),
    23: ("date of the classifying country's coding", text),
    24: ("date of the object country's coding", text),
}

_PRESSURE_MBAR = linear(0, 5000)
_CORNER_OFFSET = plus_minus(0.075)
_RATE = imap(-1000, 1000)

_ITEMS: Fields = {
    2: ("precision time stamp", unsigned),
    3: ("mission", text),
    4: ("platform tail number", text),
    5: ("platform heading", HEADING),
    6: ("platform pitch", plus_minus(20)),
    7: ("platform roll", plus_minus(50)),
    8: ("true airspeed", unsigned),
    9: ("indicated airspeed", unsigned),
    10: ("platform designation", text),
    11: ("image source sensor", text),
    12: ("image coordinate system", text),
    13: ("sensor latitude", LATITUDE),
    14: ("sensor longitude", LONGITUDE),
    15: ("sensor true altitude", HEIGHT),
    16: ("sensor horizontal field of view", linear(0, 180)),
    17: ("sensor vertical field of view", linear(0, 180)),
    18: ("sensor relative azimuth", HEADING),
    19: ("sensor relative elevation", plus_minus(180)),
    20: ("sensor relative roll", HEADING),
    21: ("slant range", linear(0, 5_000_000)),
    22: ("target width", linear(0, 10_000)),
    23: ("frame centre latitude", LATITUDE),
    24: ("frame centre longitude", LONGITUDE),
    25: ("frame centre elevation", HEIGHT),
    **{26 + k: (f"corner offset {k // 2 + 1}", _CORNER_OFFSET) for k in range(8)},
    34: ("icing", unsigned),
    35: ("wind direction", HEADING),
    36: ("wind speed", linear(0, 100)),
    37: ("static pressure", _PRESSURE_MBAR),
    38: ("density altitude", HEIGHT),
    39: ("outside air temperature", signed),
    40: ("target latitude", LATITUDE),
    41: ("target longitude", LONGITUDE),
    42: ("target elevation", HEIGHT),
    43: ("track gate width", times(2)),
    44: ("track gate height", times(2)),
    45: ("target CE90", linear(0, 4095)),
    46: ("target LE90", linear(0, 4095)),
    47: ("flags", flags),
    48: ("security", local_set(SECURITY)),
    49: ("differential pressure", _PRESSURE_MBAR),
    50: ("angle of attack", plus_minus(20)),
    51: ("vertical speed", plus_minus(180)),
    52: ("sideslip", plus_minus(20)),
    53: ("airfield pressure", _PRESSURE_MBAR),
    54: ("airfield elevation", HEIGHT),
    55: ("relative humidity", linear(0, 100)),
    56: ("ground speed", unsigned),
    57: ("ground range", linear(0, 5_000_000)),
    58: ("fuel remaining", linear(0, 10_000)),
    59: ("call sign", text),
    60: ("weapon load", unsigned),
    61: ("weapon fired", unsigned),
    62: ("laser code", unsigned),
    63: ("field of view name", unsigned),
    64: ("magnetic heading", HEADING),
    65: ("version of ST 0601", unsigned),
    67: ("alternate platform latitude", LATITUDE),
    68: ("alternate platform longitude", LONGITUDE),
    69: ("alternate platform altitude", HEIGHT),
    70: ("alternate platform name", text),
    71: ("alternate platform heading", HEADING),
    72: ("event start time", unsigned),
    73: ("RVT set", local_set(RVT)),
    74: ("VMTI set", local_set(VMTI)),
    75: ("sensor ellipsoid height", HEIGHT),
    76: ("alternate platform ellipsoid height", HEIGHT),
    77: ("operational mode", unsigned),
    78: ("frame centre ellipsoid height", HEIGHT),
    79: ("sensor north velocity", plus_minus(327)),
    80: ("sensor east velocity", plus_minus(327)),
    81: ("image horizon", horizon_px),
    **{82 + k: (f"corner {k // 2 + 1}", (LATITUDE, LONGITUDE)[k % 2]) for k in range(8)},
    90: ("platform pitch, full", plus_minus(90)),
    91: ("platform roll, full", plus_minus(90)),
    92: ("angle of attack, full", plus_minus(90)),
    93: ("sideslip, full", plus_minus(180)),
    94: ("core identifier", core_identifier),
    95: ("SAR set", local_set(SAR)),
    96: ("target width, extended", imap(0, 1_500_000)),
    97: ("range image set", local_set(RANGE_IMAGE)),
    98: ("registration set", local_set(REGISTRATION)),
    99: ("composite imaging set", local_set(COMPOSITE)),
    102: ("statistics", statistics_value),
    103: ("density altitude, extended", WIDE_HEIGHT),
    104: ("sensor ellipsoid height, extended", WIDE_HEIGHT),
    105: ("alternate platform ellipsoid height, extended", WIDE_HEIGHT),
    106: ("stream designator", text),
    107: ("operational base", text),
    108: ("broadcast source", text),
    109: ("range to recovery", imap(0, 21_000)),
    110: ("time airborne", unsigned),
    111: ("propulsion speed", unsigned),
    112: ("course", imap(0, 360)),
    113: ("height above ground", WIDE_HEIGHT),
    114: ("radar altimeter", WIDE_HEIGHT),
    115: ("control command", command),
    116: ("control command verification", oids),
    117: ("sensor azimuth rate", _RATE),
    118: ("sensor elevation rate", _RATE),
    119: ("sensor roll rate", _RATE),
    120: ("storage full", imap(0, 100)),
    121: ("active wavelengths", oids),
    122: ("countries", countries),
    123: ("navigation satellites", unsigned),
    124: ("positioning method", flags),
    125: ("platform status", unsigned),
    126: ("sensor control mode", unsigned),
    127: ("frame rate", frame_rate),
    128: ("wavelengths", each(wavelength)),
    129: ("target identity", text),
    130: ("airbases", airbases),
    131: ("take-off time", unsigned),
    132: ("transmission frequency", imap(1, 99_999)),
    133: ("storage capacity", unsigned),
    134: ("zoom", imap(0, 100)),
    135: ("communications method", text),
    136: ("leap seconds", signed),
    137: ("correction offset", signed),
    138: ("payloads", payloads),
    139: ("active payloads", flags),
    140: ("stores", each(store)),
    141: ("waypoints", each(waypoint)),
    142: ("view domain", view_domain),
    143: ("substream", substream),
}

FIELDS: Fields = {
    **_ITEMS,
    100: ("segment", local_set(_ITEMS)),
    101: ("amendment", local_set(_ITEMS)),
}

_STATISTICS = 102


def every_value(value: bytes) -> dict[int, Any]:
    """Every value of a local set by its tag; None where it cannot be read or is not known.

    Statistics are of the items that stand right before them, which is why these are named in it.
    """
    found: dict[int, Any] = {}
    order: list[int] = []
    for tag, item in local_items(value):
        if tag in FIELDS:
            found[tag] = value_of(FIELDS[tag][1], item)
        if tag == _STATISTICS and isinstance(found[tag], dict):
            found[tag]["members"] = order[-len(found[tag]["sigma"]) :]
        order.append(tag)
    return found
