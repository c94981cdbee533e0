"""Figures and names -> the text of the reports: units, signs, and names without hidden characters.

A figure that is not known is written as "not known", never as zero or an empty cell.
"""

import math
import unicodedata
from datetime import datetime

from aftermap.model.media import FocalSource, VerticalDatum

NOT_KNOWN = "not known"
NARROW = "\u202f"
"""Narrow no-break space: between a number and its unit, and between thousands."""

MINUS = "\u2212"

GRADE_WORDS = {
    "none": "no visible damage",
    "light": "light damage",
    "moderate": "moderate damage",
    "severe": "severe damage",
    "destroyed": "destroyed",
}

HEIGHTS_ARE = {
    VerticalDatum.ELLIPSOID: "Heights are above the WGS 84 ellipsoid, not above sea level; the two "
    "can differ by tens of metres.",
    VerticalDatum.GEOID: "Heights are above the geoid, which is close to mean sea level.",
    VerticalDatum.BAROMETRIC: "Heights are barometric: height differences within the map are "
    "valid, but the absolute level is not known.",
    VerticalDatum.TAKEOFF_RELATIVE: "Heights are relative to the take-off point, whose height is "
    "not known.",
    VerticalDatum.CONTROL: "Heights are in the vertical datum of the ground control points.",
    VerticalDatum.GROUND: "Heights are above the ground below the cameras, whose own level is not "
    "known.",
    VerticalDatum.LOCAL: "Heights are in arbitrary units without a vertical datum.",
    VerticalDatum.UNKNOWN: "Heights are as recorded by the camera; the files do not state their "
    "vertical datum.",
}

DATUM_NAMES = {
    VerticalDatum.ELLIPSOID: "height above ellipsoid",
    VerticalDatum.GEOID: "height above geoid",
    VerticalDatum.BAROMETRIC: "barometric height, level not known",
    VerticalDatum.TAKEOFF_RELATIVE: "height above take-off",
    VerticalDatum.CONTROL: "height in the datum of the ground control points",
    VerticalDatum.GROUND: "height above the ground below the cameras",
    VerticalDatum.LOCAL: "height in arbitrary units",
    VerticalDatum.UNKNOWN: "height, datum not known",
}

FOCAL_FROM = {
    FocalSource.XMP_CALIBRATED: "the manufacturer's calibration in XMP",
    FocalSource.SENSOR_DATABASE: "the focal length in EXIF and the sensor size from a database",
    FocalSource.FOCAL_PLANE_RESOLUTION: "the focal length and focal plane resolution in EXIF",
    FocalSource.FOCAL_35MM: "the 35 mm equivalent focal length in EXIF",
    FocalSource.ASSUMED: "an assumption: the images record no focal length",
}

_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def figure_text(value: float | None, kind: str, *, unit: str = "m") -> str:
    """A figure as text. ``kind`` is one of the keys of the table below; ``unit`` is m or units."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    if kind in _LENGTHS:
        return _LENGTHS[kind](value, unit)
    return _OTHERS[kind](value)


def approximate_length(value: float | None, *, unit: str = "m") -> str:
    """A length to two significant digits, for a sentence."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    if value == 0:
        return f"0{NARROW}{unit}"
    if unit == "m" and abs(value) < 0.1:
        return f"{_significant(value * 100)}{NARROW}cm"
    return f"{_significant(value)}{NARROW}{unit}"


def moment(iso: str) -> str:
    """A date and time as a person writes it; text that is not ISO 8601 stays as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = when.strftime("%Z") if when.tzinfo else "(time zone not known)"
    return f"{when.day} {when:%B %Y, %H:%M} {zone}"


def visible_text(name: str) -> str:
    """A name as text a reader can trust: control and direction characters shown as their code."""
    return "".join(
        f"\\u{ord(letter):04x}"
        if letter in _BIDI_CONTROLS or unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}
        else letter
        for letter in name
    )


def grouped_digits(value: float, decimals: int = 0) -> str:
    """A number with its thousands apart and a true minus sign."""
    return f"{value:,.{decimals}f}".replace(",", NARROW).replace("-", MINUS)


def _significant(value: float, digits: int = 2) -> str:
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return grouped_digits(value, decimals)


def _length(value: float, unit: str) -> str:
    if unit != "m":
        return f"{_significant(value, 3) if value else 0}{NARROW}{unit}"
    if abs(value) < 0.1:
        return f"{grouped_digits(value * 100, 1)}{NARROW}cm"
    return f"{grouped_digits(value, 2 if abs(value) < 100 else 1)}{NARROW}m"


def _signed(value: float, unit: str) -> str:
    return (
        "+" if value > 0 else ""
    ) + f"{grouped_digits(value, 3 if unit == 'm' else 4)}{NARROW}{unit}"


def _fixed(value: float, unit: str) -> str:
    return f"{grouped_digits(value, 3)}{NARROW}{unit}"


def _coordinate(value: float, unit: str) -> str:
    return f"{grouped_digits(value, 2)}{NARROW}{unit}"


def _height(value: float, unit: str) -> str:
    return f"{grouped_digits(value, 1)}{NARROW}{unit}"


def _area(value: float, unit: str) -> str:
    if unit != "m":
        return f"{_significant(value, 3) if value else 0}{NARROW}square {unit}"
    if value < 1000:
        return f"{grouped_digits(value)}{NARROW}m²"
    if value < 1e6:
        return f"{grouped_digits(value / 1e4, 1 if value >= 1e5 else 2)}{NARROW}ha"
    return f"{grouped_digits(value / 1e6, 2)}{NARROW}km²"


def _share(value: float) -> str:
    percent = value * 100
    if 0 < percent < 0.1:
        return f"under 0.1{NARROW}%"
    if 99.9 < percent < 100:
        return f"over 99.9{NARROW}%"
    return f"{grouped_digits(percent, 0 if percent in {0, 100} else 1)}{NARROW}%"


def _signed_share(value: float) -> str:
    return ("+" if value > 0 else "") + f"{grouped_digits(value * 100, 1)}{NARROW}%"


def _plus(value: float) -> str:
    return "+" if value > 0 else ""


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{grouped_digits(seconds, 1)}{NARROW}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{NARROW}min {rest}{NARROW}s"
    return f"{minutes // 60}{NARROW}h {minutes % 60}{NARROW}min"


def _bytes(count: float) -> str:
    return (
        f"{grouped_digits(count / 1e6)}{NARROW}MB"
        if count < 1e9
        else f"{count / 1e9:.2f}{NARROW}GB"
    )


_LENGTHS = {
    "about": lambda value, unit: approximate_length(value, unit=unit),
    "length": _length,
    "signed": _signed,
    "fixed": _fixed,
    "coordinate": _coordinate,
    "height": _height,
    "area": _area,
}
_OTHERS = {
    "count": grouped_digits,
    "seconds": lambda value: f"{grouped_digits(value, 2)}{NARROW}s",
    "milliseconds": lambda value: f"{grouped_digits(value, 1)}{NARROW}ms",
    "signed seconds": lambda value: f"{_plus(value)}{grouped_digits(value, 2)}{NARROW}s",
    "signed metres": lambda value: f"{_plus(value)}{grouped_digits(value, 1)}{NARROW}m",
    "degrees": lambda value: f"{grouped_digits(value, 1)}°",
    "signed degrees": lambda value: f"{_plus(value)}{grouped_digits(value, 1)}°",
    "metres": lambda value: f"{grouped_digits(value, 1)}{NARROW}m",
    "px": lambda value: f"{grouped_digits(value, 2)}{NARROW}px",
    "focal": lambda value: f"{grouped_digits(value, 1)}{NARROW}px",
    "lens": lambda value: grouped_digits(value, 5 if abs(value) < 10 else 2),
    "share": _share,
    "signed share": _signed_share,
    "duration": _duration,
    "bytes": _bytes,
}
