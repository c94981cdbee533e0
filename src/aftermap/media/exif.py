"""The EXIF of a photograph -> typed facts, each checked, each None where absent or nonsense.

Angles in WGS 84 degrees, heights in metres as written, focal lengths in millimetres. A corrupt
block costs facts, never the photograph. Tag numbers: CIPA DC-008 (Exif 2.32), tables 4 to 15.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import Image

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
)
"""Everything that Pillow has been seen to raise on damaged files, OverflowError included."""

ZONE_UNKNOWN = "camera local time, zone unknown"
ZONE_SET = "camera local time, with the offset from UTC that the camera was set to"
UTC_GNSS = "UTC (GNSS)"

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_ZERO_DEG = 1e-7


@dataclass(frozen=True, kw_only=True)
class ExifFacts:
    """What the EXIF says.

    ``pixel_mm`` is the width of a pixel of the picture as first taken and ``original_px`` that
    picture's width and height; a later program may have made it smaller.
    """

    make: str | None = None
    model: str | None = None
    serial: str | None = None
    orientation: int = 1
    focal_mm: float | None = None
    focal_35mm_mm: float | None = None
    digital_zoom: float = 1.0
    pixel_mm: float | None = None
    original_px: tuple[int, int] | None = None
    taken_at: str | None = None
    clock: str | None = None
    lonlat_deg: tuple[float, float] | None = None
    altitude_m: float | None = None
    sigma_horizontal_m: float | None = None


def exif_facts(image: Image.Image) -> ExifFacts:
    """The facts in an opened picture. Only its header is read, except for a PNG."""
    try:
        exif = image.getexif()
    except DAMAGE:
        return ExifFacts()
    main, camera, gps = _Tags(exif), _Tags(_ifd(exif, _EXIF_IFD)), _Tags(_ifd(exif, _GPS_IFD))
    taken_at, clock = _time(camera, gps)
    orientation = main.number(0x0112)
    zoom = camera.number(0xA404)
    return ExifFacts(
        make=main.text(0x010F),
        model=main.text(0x0110),
        serial=camera.text(0xA431) or camera.text(0xA435),
        orientation=int(orientation)
        if orientation is not None and orientation in range(1, 9)
        else 1,
        focal_mm=camera.positive(0x920A),
        focal_35mm_mm=camera.positive(0xA405),
        digital_zoom=zoom if zoom is not None and 1 < zoom < 100 else 1.0,
        pixel_mm=_pixel_mm(camera),
        original_px=_original_px(camera),
        taken_at=taken_at,
        clock=clock,
        lonlat_deg=_lonlat_deg(gps),
        altitude_m=_altitude_m(gps),
        sigma_horizontal_m=gps.positive(0x001F),
    )


class _Tags:
    """One directory of tags, read without trust."""

    def __init__(self, directory: Mapping[int, Any]) -> None:
        self._directory = directory

    def raw(self, tag: int) -> Any:
        try:
            return self._directory.get(tag)
        except DAMAGE:
            return None

    def text(self, tag: int) -> str | None:
        value = self.raw(tag)
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if not isinstance(value, str):
            return None
        shown = "".join(c for c in value.split("\0")[0] if c.isprintable())
        return shown.strip()[:64] or None

    def number(self, tag: int) -> float | None:
        return _number(self.raw(tag))

    def positive(self, tag: int) -> float | None:
        value = self.number(tag)
        return value if value is not None and value > 0 else None

    def numbers(self, tag: int) -> tuple[float, ...] | None:
        value = self.raw(tag)
        values = [_number(part) for part in (value if isinstance(value, tuple) else (value,))]
        known = tuple(part for part in values if part is not None)
        return known if len(known) == len(values) else None


def _ifd(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    try:
        return exif.get_ifd(tag)
    except DAMAGE:
        return {}


def _number(value: Any) -> float | None:
    if isinstance(value, tuple):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, bytes):
        value = value[0] if len(value) == 1 else None
    try:
        result = float(value)
    except (*DAMAGE,):
        return None
    return result if math.isfinite(result) else None


def _pixel_mm(camera: _Tags) -> float | None:
    per_unit = camera.positive(0xA20E)
    unit_mm = _MM_PER_UNIT.get(int(camera.number(0xA210) or 2))
    return unit_mm / per_unit if per_unit is not None and unit_mm is not None else None


def _original_px(camera: _Tags) -> tuple[int, int] | None:
    width, height = camera.positive(0xA002), camera.positive(0xA003)
    return None if width is None or height is None else (int(width), int(height))


def _lonlat_deg(gps: _Tags) -> tuple[float, float] | None:
    lat, lon = _degrees(gps, 0x0002, 0x0001, "NS"), _degrees(gps, 0x0004, 0x0003, "EW")
    return None if lat is None or lon is None else checked_lonlat_deg(lon, lat)


def checked_lonlat_deg(lon_deg: float, lat_deg: float) -> tuple[float, float] | None:
    """The place; None where it is not on the globe, or is a receiver's 0, 0 for "no fix"."""
    if abs(lat_deg) > 90 or abs(lon_deg) > 180:
        return None
    if abs(lat_deg) < _ZERO_DEG and abs(lon_deg) < _ZERO_DEG:
        return None
    return lon_deg, lat_deg


def _degrees(gps: _Tags, tag: int, reference_tag: int, signs: str) -> float | None:
    """Degrees, minutes and seconds with their letter; without the letter there is no place."""
    parts, letter = gps.numbers(tag), (gps.text(reference_tag) or "").upper()[:1]
    if parts is None or not 1 <= len(parts) <= 3 or letter not in tuple(signs):
        return None
    size = math.fsum(abs(part) / 60.0**power for power, part in enumerate(parts))
    return size if letter == signs[0] else -size


def _altitude_m(gps: _Tags) -> float | None:
    """Height as written: 1 is below sea level in Exif 2, and 1 and 3 are negative in Exif 3."""
    height = gps.number(0x0006)
    if height is None or abs(height) > 20_000:
        return None
    return -abs(height) if gps.number(0x0005) in (1, 3) else height


def _time(camera: _Tags, gps: _Tags) -> tuple[str | None, str | None]:
    """ISO 8601 and the clock that it was read from; the GNSS clock only where there is no other."""
    local = _moment(camera.text(0x9003)) or _moment(camera.text(0x9004))
    if local is not None:
        fraction = camera.text(0x9291) or ""
        seconds = f".{fraction[:6]}" if fraction.isascii() and fraction.isdigit() else ""
        offset = _offset(camera.text(0x9011) or camera.text(0x9010))
        shown = f"{local.isoformat()}{seconds}{offset or ''}"
        return shown, ZONE_SET if offset else ZONE_UNKNOWN
    clock = gps.numbers(0x0007)
    day = gps.text(0x001D)
    if clock is None or len(clock) != 3 or day is None:
        return None, None
    utc = _moment(f"{day} {int(clock[0]):02d}:{int(clock[1]):02d}:{int(clock[2]):02d}")
    return (None, None) if utc is None else (f"{utc.isoformat()}Z", UTC_GNSS)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.strptime((text or "")[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - local
    except ValueError:
        return None


def _offset(text: str | None) -> str | None:
    try:
        parsed = datetime.strptime(text or "", "%z")
    except ValueError:
        return None
    return parsed.isoformat()[19:]
