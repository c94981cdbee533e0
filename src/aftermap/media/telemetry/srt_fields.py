"""The text of one DJI subtitle -> its numbers: degrees, metres, millimetres; absent ones are None.

Fields that DJI writes times 10 or times 100 (focal_len 240 for 24.0, fnum 280 for 2.8) are told
by the absence of a decimal point.
"""

import math
import re
from datetime import datetime

from aftermap.geo.great_circle import LonLat
from aftermap.media.telemetry.draft import finite_or_none
from aftermap.model.media import Attitude

_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_PAIR = re.compile(r"([A-Za-z_.]+)\s*:\s*([^\s\],]+)")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_MARKS = re.compile(r"\[\s*(iso|shutter|fnum|latitude|rel_alt)\b", re.IGNORECASE)
_MOMENT = re.compile(
    r"(\d{4})[-.](\d{1,2})[-.](\d{1,2})\s+(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,3})(?:,(\d{1,3}))?)?"
)
FULL_FRAME_WIDTH_MM = 36.0
SHORTEST_MM, LONGEST_MM = 10.0, 500.0


def begins_field(word: str, text: str) -> bool:
    """Whether a field like ``HOME(...)`` begins in the text, cut off or not."""
    return re.search(rf"\b{word}\s*\(", text) is not None


def is_brackets(text: str) -> bool:
    """Whether the text is of the kind ``[iso : 100] [shutter : 1/500]``."""
    return _MARKS.search(text) is not None


def place_after(word: str, text: str, *, lon_first: bool) -> LonLat | None:
    """Longitude and latitude of ``GPS(a,b,...)``; a field that is cut off gives none."""
    found = re.search(rf"\b{word}\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*[,)]", text)
    if not found or ")" not in text[found.end() - 1 :]:
        return None
    first, second = float(found.group(1)), float(found.group(2))
    return (first, second) if lon_first else (second, first)


def value_after(pattern: str, text: str) -> float | None:
    """The number after a label; "n/a" is none."""
    found = re.search(pattern + r"\s*" + _NUMBER, text)
    return finite_or_none(found.group(1)) if found else None


def bracket_fields(text: str) -> dict[str, float]:
    """Numbers by name. A bracket that is not closed was cut off, and its number with it."""
    found: dict[str, float] = {}
    for bracket in _BRACKET.findall(text):
        for name, value in _PAIR.findall(bracket):
            number = finite_or_none(value)
            if number is not None:
                found.setdefault(name.lower(), number)
                if name.lower() == "focal_len" and "." not in value:
                    found["focal_len"] = number / 10
    return found


def attitude_in(text: str) -> Attitude | None:
    """The gimbal's angles; those of the aircraft (F.PRY) are never taken for them."""
    gimbal = re.search(r"G\.PRY\s*\(([^)]*)\)", text)
    if gimbal:
        angles = [finite_or_none(part.strip(" °\u00c2")) for part in gimbal.group(1).split(",")]
        if len(angles) != 3:
            return None
        pitch, roll, yaw = angles
    else:
        yaw, pitch, roll = (
            value_after(rf"gb_{axis}\s*:", text) for axis in ("yaw", "pitch", "roll")
        )
    if yaw is None or pitch is None or roll is None:
        return None
    if max(abs(yaw), abs(pitch), abs(roll)) > 360:
        return None
    return Attitude(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)


def hfov_deg_of(focal_35mm_mm: float | None, zoom: float | None) -> float | None:
    """Horizontal field of view of a lens, by the width of a 35 mm picture."""
    if focal_35mm_mm is None:
        return None
    focal_mm = focal_35mm_mm * (zoom if zoom is not None and zoom >= 1 else 1.0)
    if not SHORTEST_MM <= focal_mm <= LONGEST_MM:
        return None
    return math.degrees(2 * math.atan(FULL_FRAME_WIDTH_MM / 2 / focal_mm))


def moment_in(text: str) -> str | None:
    """The date and time of the drone's clock as ISO 8601; its zone is not known."""
    found = _MOMENT.search(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    micros = int(((found.group(7) or "").ljust(3, "0") + (found.group(8) or "").ljust(3, "0"))[:6])
    try:
        return datetime(year, month, day, hour, minute, second, micros).isoformat()  # noqa: DTZ001
    except ValueError:
        return None
