"""GoPro's GPMF -> a draft of a track: GPS5, GPS9 and the Karma drone's GPRI and GLPI.

One payload a second or so holds many fixes; they are spread evenly over it. Heights of GPS5 are
above mean sea level on some models and above the ellipsoid on others, so UNKNOWN; the track's
notes say what an ALTU in the file says. GLPI's attitude is the aircraft's and is not used.
Format: github.com/gopro/gpmf-parser, README (read 2026-11-25).
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from aftermap.errors import InputError
from aftermap.media.telemetry.draft import CONSUMER_M, RECORDER, VIDEO, Draft, skipped_by_reason
from aftermap.model.media import VerticalDatum
from aftermap.model.telemetry import TelemetrySample

_CODES = {
    "b": "b",
    "B": "B",
    "s": "h",
    "S": "H",
    "l": "i",
    "L": "I",
    "j": "q",
    "J": "Q",
    "f": "f",
    "d": "d",
    "q": "i",
    "Q": "q",
}
POSITIONS = ("GPS9", "GPS5", "GLPI", "GPRI")
"""From the best to the least: GPS9 has a time for each fix, GPRI is the aircraft's receiver raw."""
NO_LOCK = "the receiver had no fix (GPSF 0)"
PAYLOAD_S = Fraction(1001, 1000)
"""How long a payload lasts where only its bytes are there."""
_EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Payload:
    """One packet of the track, and the stretch of the video it tells of."""

    data: bytes
    time_s: Fraction | None = None
    duration_s: Fraction = Fraction(0)


@dataclass(frozen=True, kw_only=True)
class _Item:
    key: str
    kind: str
    size: int
    count: int
    data: bytes


def is_gpmf(data: bytes) -> bool:
    """Whether a device's set begins these bytes."""
    return data[:5] == b"DEVC\0"


def gpmf_draft(payloads: Sequence[Payload], name: str) -> Draft:
    """The draft of a track from GoPro's payloads.

    Raises InputError where the bytes hold no set of GoPro's.
    """
    fixes: list[TelemetrySample] = []
    refused: list[tuple[int, str]] = []
    keys: set[str] = set()
    notes: list[str] = []
    whole = [one for payload in payloads for one in _payloads_in(payload)]
    on_video = bool(payloads) and payloads[0].time_s is not None
    for number, payload in enumerate(whole):
        start_s = payload.time_s if payload.time_s is not None else number * PAYLOAD_S
        key, found, problem = _fixes(payload, start_s)
        if problem:
            refused.append((number + 1, problem))
        if key:
            keys.add(key)
        fixes += found
    if not whole:
        raise InputError(
            f"{name}: contains no GoPro telemetry (GPMF), or is truncated in its first set; "
            "copy it from the camera's memory card again"
        )
    notes += [] if keys else ["GoPro telemetry without GPS positions: GPS was off or had no fix"]
    known = [*sorted(keys), _device(whole[0].data)] if keys else ["no GPS", _device(whole[0].data)]
    return Draft(
        dialect=f"GoPro GPMF ({', '.join(word for word in known if word)})",
        clock=VIDEO if on_video else RECORDER,
        samples=tuple(fixes),
        vertical_datum=VerticalDatum.UNKNOWN,
        sigmas_m=CONSUMER_M,
        origins=(
            ("position", ", ".join(sorted(keys))),
            ("time", "distributed evenly over each payload"),
        ),
        refused=skipped_by_reason("payload", refused),
        notes=tuple(notes),
    )


def _payloads_in(payload: Payload) -> Iterator[Payload]:
    """A file of raw GPMF is one payload after the other."""
    for item in _items(payload.data):
        if item.key == "DEVC":
            yield Payload(data=item.data, time_s=payload.time_s, duration_s=payload.duration_s)


def _items(data: bytes) -> Iterator[_Item]:
    at = 0
    while at + 8 <= len(data):
        key, kind, size, count = struct.unpack(">4scBH", data[at : at + 8])
        length = size * count
        if at + 8 + length > len(data) or not key.isascii():
            return
        yield _Item(
            key=key.decode("ascii"),
            kind=kind.decode("latin-1"),
            size=size,
            count=count,
            data=data[at + 8 : at + 8 + length],
        )
        at += 8 + (length + 3) // 4 * 4


def _fixes(payload: Payload, start_s: Fraction) -> tuple[str, list[TelemetrySample], str]:
    """The key of the best positions, the samples, and why fixes were refused."""
    streams = [list(_items(item.data)) for item in _items(payload.data) if item.key == "STRM"]
    for key in POSITIONS:
        for stream in streams:
            named = {item.key: item for item in stream}
            if key in named:
                return _of_stream(key, named, payload, start_s)
    return "", [], ""


def _of_stream(
    key: str, named: dict[str, _Item], payload: Payload, start_s: Fraction
) -> tuple[str, list[TelemetrySample], str]:
    locked = _first(named.get("GPSF")) != 0
    rows = _rows(named)
    length_s = payload.duration_s or PAYLOAD_S
    utc = _utc_of(named.get("GPSU"))
    samples = []
    for number, row in enumerate(rows):
        part = Fraction(number, len(rows))
        moment = utc + timedelta(seconds=float(part * length_s)) if utc else None
        sample = _sample(key, row, start_s + part * length_s, moment)
        is_fixed = locked and sample is not None
        samples.append(
            sample if is_fixed and sample else TelemetrySample(time_s=start_s + part * length_s)
        )
    lost = any(sample.lonlat_deg is None for sample in samples)
    return key, samples, NO_LOCK if lost else ""


def _sample(
    key: str, row: Sequence[float], time_s: Fraction, moment: datetime | None
) -> TelemetrySample | None:
    if key in ("GPS5", "GPS9") and len(row) >= 5:
        lat, lon, height_m = row[:3]
        if key == "GPS9" and len(row) >= 9:
            if row[8] < 2:
                return None
            moment = _of_days(row[5], row[6])
    elif len(row) >= 4:  # GPRI and GLPI begin with a time in their own scale
        lat, lon, height_m = row[1:4]
    else:
        return None
    if not all(math.isfinite(value) for value in (lat, lon, height_m)):
        return None
    stamp = moment.isoformat().replace("+00:00", "Z") if moment else None
    return TelemetrySample(time_s=time_s, lonlat_deg=(lon, lat), height_m=height_m, utc=stamp)


def _of_days(days: float, seconds: float) -> datetime | None:
    try:
        return _EPOCH_2000 + timedelta(days=days, seconds=seconds)
    except (OverflowError, ValueError):
        return None


def _rows(named: dict[str, _Item]) -> list[list[float]]:
    """Rows in units: every column divided by its scale."""
    item = next(named[key] for key in POSITIONS if key in named)
    kinds = _kinds(item, named.get("TYPE"))
    if not kinds:
        return []
    layout = ">" + "".join(_CODES[kind] for kind in kinds)
    if struct.calcsize(layout) != item.size:
        return []
    scales = _numbers(named.get("SCAL")) or [1.0]
    scales = scales * len(kinds) if len(scales) == 1 else scales
    return [
        [
            _unit(value, kind) / (scale or 1.0)
            for value, kind, scale in zip(row, kinds, scales, strict=False)
        ]
        for row in struct.iter_unpack(layout, item.data)
    ]


def _unit(value: float, kind: str) -> float:
    """Fixed-point kinds in units."""
    return value / {"q": 65_536.0, "Q": 4_294_967_296.0}.get(kind, 1.0)


def _kinds(item: _Item, spelled: _Item | None) -> str:
    """One letter a column; a kind of "?" is spelled out by the TYPE before it."""
    if item.kind == "?":
        letters = spelled.data.rstrip(b"\0").decode("latin-1") if spelled else ""
    else:
        width = struct.calcsize(">" + _CODES[item.kind]) if item.kind in _CODES else 0
        letters = item.kind * (item.size // width) if width else ""
    return letters if all(letter in _CODES for letter in letters) else ""


def _numbers(item: _Item | None) -> list[float]:
    if item is None or item.kind not in _CODES:
        return []
    code = _CODES[item.kind]
    width = struct.calcsize(">" + code)
    return [
        float(row[0])
        for row in struct.iter_unpack(">" + code, item.data[: len(item.data) // width * width])
    ]


def _first(item: _Item | None) -> float | None:
    numbers = _numbers(item)
    return numbers[0] if numbers else None


def _utc_of(item: _Item | None) -> datetime | None:
    """GPSU's "yymmddhhmmss.sss"."""
    written = item.data.rstrip(b"\0").decode("latin-1") if item else ""
    try:
        return datetime.strptime(written, "%y%m%d%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None


def _device(data: bytes) -> str:
    named: dict[str, Any] = {item.key: item.data for item in _items(data)}
    return str(named.get("DVNM", b"").rstrip(b"\0").decode("latin-1").strip())
