"""KLV packets -> a draft of a track: ST 0601 local sets and the older EG 0104 universal sets.

The sensor's own position, never the frame centre's. Angles of the sensor are relative to the
platform and are composed with the platform's into absolute ones. Heights are ellipsoidal where the
set says so (tags 75 and 104), else above mean sea level, which is GEOID.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from aftermap.errors import InputError
from aftermap.geo.axes import gimbal_angles_deg, rotation_cam_from_world
from aftermap.media.exif import checked_lonlat_deg
from aftermap.media.telemetry.draft import (
    CONSUMER_M,
    RECORDER,
    VIDEO,
    Draft,
    skipped_by_reason,
    wrapped_deg,
)
from aftermap.media.telemetry.misb import eg0104
from aftermap.media.telemetry.misb.klv import (
    EG0104,
    ST0601,
    Damage,
    Packet,
    checksum_is_right,
    packets_in,
)
from aftermap.media.telemetry.misb.st0601 import local_set_values
from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.runs import Skipped
from aftermap.model.telemetry import TelemetrySample

WRONG_SUM = "its checksum is wrong"
NO_SUM = "it has no checksum"
LATEST_YEAR = 2200
_LEVEL_NORTH = rotation_cam_from_world(0.0, 0.0, 0.0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NOTE_UTC = (
    "time stamps are assumed to be UTC; systems that follow ST 0603 count leap seconds and are "
    "several seconds ahead"
)
_NOTE_BORROWED = "packets have no time stamps; each is given that of the next frame"


@dataclass(frozen=True, kw_only=True)
class KlvPiece:
    """Bytes that arrived together, and when on the video's clock; None for a file of KLV alone."""

    data: bytes
    time_s: Fraction | None = None
    is_timed: bool = True


@dataclass(frozen=True, kw_only=True)
class _KlvSample:
    sample: TelemetrySample
    is_ellipsoid: bool


def misb_draft(pieces: Sequence[KlvPiece], name: str) -> Draft:
    """The draft of a track from packets of ST 0601 or EG 0104.

    Raises InputError where no packet could be read.
    """
    reads: list[_KlvSample] = []
    stamps: list[int | None] = []
    kinds: set[str] = set()
    refused: list[tuple[int, str]] = []
    number = 0
    for piece in pieces:
        for one in packets_in(piece.data):
            number += 1
            problem = _problem(one)
            if problem == "":
                continue
            if problem or isinstance(one, Damage):
                refused.append((number, problem or "damaged"))
                continue
            values = _values(one)
            place_problem = _place_problem(values)
            if place_problem:
                refused.append((number, place_problem))
            kinds.add("ST 0601" if one.key == ST0601 else "EG 0104")
            reads.append(_sample_of(values, piece.time_s, has_place=place_problem is None))
            stamps.append(values.get(2))
    if not reads:
        raise InputError(_nothing(name, refused))
    return _draft(reads, stamps, sorted(kinds), skipped_by_reason("packet", refused), pieces)


def is_klv(data: bytes) -> bool:
    """Whether a packet of one of the sets that we read begins in these bytes."""
    return ST0601 in data or eg0104.is_label_in(data, EG0104)


def _problem(one: Packet | Damage) -> str | None:
    """Why a packet is refused; "" for one of another standard, None for a sound one."""
    if isinstance(one, Damage):
        return one.reason
    if one.key != ST0601:
        return None if eg0104.same_label(one.key, EG0104) else ""
    if checksum_is_right(one) is False:
        return WRONG_SUM
    return None if checksum_is_right(one) else NO_SUM


def _values(packet: Packet) -> dict[int, Any]:
    """Values by the tags of ST 0601; EG 0104 is given the same tags."""
    if packet.key != ST0601:
        found = eg0104.universal_set_values(packet.value)
    else:
        found = local_set_values(packet.value)
    return {tag: value for tag, value in found.items() if _is_known(value)}


def _is_known(value: Any) -> bool:
    """Not empty, out of range, infinite or "not a number"."""
    return value is not None and (not isinstance(value, float) or math.isfinite(value))


def _place_problem(values: dict[int, Any]) -> str | None:
    lat, lon = values.get(13), values.get(14)
    if lat is None or lon is None:
        return "its latitude or longitude is missing or out of range"
    if checked_lonlat_deg(lon, lat) is None:
        beyond = abs(lat) > 90 or abs(lon) > 180
        return (
            "its position is outside the range of longitude and latitude"
            if beyond
            else "its position is 0, 0 (no GPS fix)"
        )
    return None


def _sample_of(values: dict[int, Any], time_s: Fraction | None, *, has_place: bool) -> _KlvSample:
    height_m, is_ellipsoid = _height(values)
    return _KlvSample(
        sample=TelemetrySample(
            time_s=time_s if time_s is not None else Fraction(0),
            lonlat_deg=(values[14], values[13]) if has_place else None,
            height_m=height_m if has_place else None,
            attitude=_attitude(values),
            hfov_deg=values.get(16) or None,
            utc=_utc(values),
        ),
        is_ellipsoid=is_ellipsoid,
    )


def _height(values: dict[int, Any]) -> tuple[float | None, bool]:
    for tag in (104, 75):
        if values.get(tag) is not None:
            return values[tag], True
    return values.get(15), False


def _attitude(values: dict[int, Any]) -> Attitude | None:
    """Absolute angles of the sensor; None unless all that its view is made of is there.

    Without the sensor's own roll (tag 20) the view is known, and how the picture lies in it is not.
    """
    heading = values.get(5)
    pitch, roll = values.get(90, values.get(6)), values.get(91, values.get(7))
    azimuth, elevation, turn = values.get(18), values.get(19), values.get(20)
    if None in (heading, pitch, roll, azimuth, elevation):
        return None
    platform = Attitude(
        yaw_deg=float(heading or 0), pitch_deg=float(pitch or 0), roll_deg=float(roll or 0)
    )
    relative = Attitude(
        yaw_deg=float(azimuth or 0),
        pitch_deg=float(elevation or 0),
        roll_deg=None if turn is None else wrapped_deg(turn),
    )
    return composed(platform, relative)


def composed(platform: Attitude, relative: Attitude) -> Attitude:
    """The absolute attitude of a sensor that is turned by ``relative`` on its platform.

    Both are turned Z-Y-X in the frame of what carries them, as ST 0601 (tags 5 to 7 and 18 to 20)
    and gimbals do. With a banked platform azimuths do not add up, which is why they are composed.
    A roll of the sensor only turns the picture about its view: unknown, it is so in the answer.
    """
    turn = relative.roll_deg
    inner = rotation_cam_from_world(relative.yaw_deg, relative.pitch_deg, turn or 0.0)
    outer = rotation_cam_from_world(platform.yaw_deg, platform.pitch_deg, platform.roll_deg or 0.0)
    # A level camera that looks north has the platform's axes, so it leads from one to the other.
    rotation = np.asarray(inner @ _LEVEL_NORTH.T @ outer, float)
    yaw, pitch, roll = gimbal_angles_deg(rotation)
    return Attitude(yaw_deg=yaw, pitch_deg=pitch, roll_deg=None if turn is None else roll)


def _utc(values: dict[int, Any]) -> str | None:
    stamp = values.get(2)
    if not stamp:
        return None
    try:
        moment = _EPOCH + timedelta(microseconds=stamp, seconds=-(values.get(136) or 0))
    except OverflowError:
        return None
    return moment.isoformat().replace("+00:00", "Z") if moment.year < LATEST_YEAR else None


def _draft(
    reads: Sequence[_KlvSample],
    stamps: Sequence[int | None],
    kinds: Sequence[str],
    refused: tuple[Skipped, ...],
    pieces: Sequence[KlvPiece],
) -> Draft:
    is_ellipsoid = any(read.is_ellipsoid for read in reads)
    samples = [_in_datum(read, is_ellipsoid=is_ellipsoid) for read in reads]
    on_video = pieces[0].time_s is not None
    notes = [_NOTE_UTC]
    if on_video and not all(piece.is_timed for piece in pieces):
        notes.append(_NOTE_BORROWED)
    if not on_video:
        samples = _on_own_clock(samples, stamps)
    height = "75 or 104, above the ellipsoid" if is_ellipsoid else "15, above mean sea level"
    return Draft(
        dialect=f"MISB {' and '.join(kinds)}",
        clock=VIDEO if on_video else RECORDER,
        samples=tuple(samples),
        vertical_datum=VerticalDatum.ELLIPSOID if is_ellipsoid else VerticalDatum.GEOID,
        sigmas_m=CONSUMER_M,
        refused=refused,
        origins=(
            ("position", "13, 14 (sensor)"),
            ("height", height),
            ("attitude", "5 to 7 or 90 and 91 (platform), composed with 18 to 20 (sensor on it)"),
            ("field of view", "16"),
            ("time", "2"),
        ),
        notes=tuple(notes),
    )


def _in_datum(read: _KlvSample, *, is_ellipsoid: bool) -> TelemetrySample:
    """A height in another datum than the rest of the track is left out."""
    if read.is_ellipsoid == is_ellipsoid:
        return read.sample
    return replace(read.sample, height_m=None)


def _on_own_clock(
    samples: Iterable[TelemetrySample], stamps: Sequence[int | None]
) -> list[TelemetrySample]:
    """Seconds since the first time stamp; a packet without one is put at the start."""
    first = next((stamp for stamp in stamps if stamp), 0)
    return [
        replace(sample, time_s=Fraction((stamp or first) - first, 1_000_000))
        for sample, stamp in zip(samples, stamps, strict=True)
    ]


def _nothing(name: str, refused: Sequence[tuple[int, str]]) -> str:
    reasons = ", ".join(dict.fromkeys(reason for _, reason in refused)) or "it contains none"
    return (
        f"{name}: no packet of MISB ST 0601 or EG 0104 could be read ({reasons}); "
        "record or copy the stream again, or use the telemetry as a separate file"
    )
