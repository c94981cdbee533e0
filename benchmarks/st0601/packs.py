"""The packs of ST 0601: values without tags, in an order that the standard fixes."""

from typing import Any

from aftermap.media.telemetry.misb.imap import imap_value
from aftermap.media.telemetry.misb.klv import ber_oid
from aftermap.media.telemetry.misb.klv_values import plus_minus, signed, unsigned, value_of
from benchmarks.st0601.values import flags, oids, position_value, records, text, uuid

_ID_BYTES = 16


def horizon_px(data: bytes) -> dict[str, Any]:
    """Where the horizon meets the border of the picture, in per cent, and the places there."""
    found: dict[str, Any] = dict(zip(("x0", "y0", "x1", "y1"), data[:4], strict=True))
    names = ("latitude0", "longitude0", "latitude1", "longitude1")
    for k, name in enumerate(names):
        piece = data[4 + 4 * k : 8 + 4 * k]
        if len(piece) == 4:
            found[name] = plus_minus(180 if "lon" in name else 90)(piece)
    return found


def core_identifier(data: bytes) -> dict[str, Any]:
    """ST 1204: which sensor, platform, window and stream, each by its UUID where it is there."""
    usage = data[1]
    found: dict[str, Any] = {
        "version": data[0],
        "sensor-id-type": usage >> 5 & 3,
        "platform-id-type": usage >> 3 & 3,
    }
    there = (usage >> 5 & 3, usage >> 3 & 3, usage >> 2 & 1, usage >> 1 & 1)
    at = 2
    for name, given in zip(("sensor", "platform", "window", "minor"), there, strict=True):
        found[f"{name}-id"] = uuid(data[at : at + _ID_BYTES]) if given else None
        at += _ID_BYTES if given else 0
    return found


def command(data: bytes) -> dict[str, Any]:
    """A command to the platform, and when it was given (0: not said)."""
    number, at = _oid(data, 0)
    size = data[at]
    stamp = data[at + 1 + size :]
    return {
        "id": number,
        "string": text(data[at + 1 : at + 1 + size]),
        "timestamp": unsigned(stamp) if stamp else 0,
    }


def countries(data: bytes) -> dict[str, Any]:
    """Codes of the countries flown over, operating and making; None where left empty."""
    method, *codes = [*records(data), b"", b"", b""][:4]
    names = ("overflight-country", "operator-country", "country-of-manufacture")
    found: dict[str, Any] = {"coding-method": unsigned(method)}
    return found | {name: text(code) or None for name, code in zip(names, codes, strict=True)}


def frame_rate(data: bytes) -> dict[str, int]:
    """Frames a second as a fraction."""
    numerator, *rest = oids(data)
    return {"numerator": numerator, "denominator": rest[0] if rest else 1}


def wavelength(data: bytes) -> dict[str, Any]:
    """A band in nanometres."""
    number, at = _oid(data, 0)
    return {
        "id": number,
        "min": imap_value(data[at : at + 4], 0, 1e9),
        "max": imap_value(data[at + 4 : at + 8], 0, 1e9),
        "name": text(data[at + 8 :]),
    }


def airbases(data: bytes) -> dict[str, Any]:
    """Where it took off and where it is to land; a place of no length is not known."""
    pieces = [*records(data), b"", b""]
    return {
        "take-off-location": value_of(position_value, pieces[0]),
        "recovery-location": value_of(position_value, pieces[1]),
    }


def payloads(data: bytes) -> list[dict[str, Any]]:
    """Sensors on board. The first number says how many follow and is not needed."""
    _, at = _oid(data, 0)
    return [_payload(piece) for piece in records(data[at:])]


def _payload(data: bytes) -> dict[str, Any]:
    number, at = _oid(data, 0)
    kind, at = _oid(data, at)
    return {"id": number, "type": kind, "name": text(data[at + 1 : at + 1 + data[at]])}


def store(data: bytes) -> dict[str, Any]:
    """One place for a store; the status holds the general state and, above it, flags."""
    numbers, at = [], 0
    for _ in range(5):
        number, at = _oid(data, at)
        numbers.append(number)
    status = numbers[4]
    keys = ("station-id", "hardpoint-id", "carriage-id", "store-id")
    found: dict[str, Any] = dict(zip(keys, numbers[:4], strict=True))
    return found | {
        "general-status": status & 0x7F,
        "engagement-status": flags((status >> 8).to_bytes(4, "big")),
        "weapon-type": text(data[at + 1 : at + 1 + data[at]]),
    }


def waypoint(data: bytes) -> dict[str, Any]:
    """A waypoint, its place in the order, and where it is."""
    number, at = _oid(data, 0)
    found: dict[str, Any] = {"id": number, "order": signed(data[at : at + 2])}
    rest = data[at + 2 :]
    if rest:
        _, after = _oid(rest, 0)
        found["info"] = flags(rest[:after])
        found["location"] = value_of(position_value, rest[after:])
    return found


def view_domain(data: bytes) -> dict[str, Any]:
    """Where the sensor can be turned to: start and range of each angle, degrees."""
    bounds = (("azimuth", 0, 360), ("elevation", -180, 180), ("roll", 0, 360))
    pieces = [*records(data), b"", b"", b""]
    return {
        name: _view(piece, low, high) if piece else None
        for (name, low, high), piece in zip(bounds, pieces, strict=False)
    }


def _view(data: bytes, low: float, high: float) -> dict[str, Any]:
    half = len(data) // 2
    start, extent = data[:half], data[half:]
    return {"start": imap_value(start, low, high), "range": imap_value(extent, 0, 360)}


def substream(data: bytes) -> dict[str, Any]:
    """Which part of a stream this is."""
    number, at = _oid(data, 0)
    return {"local-id": number, "universal-id": uuid(data[at:])}


def _oid(data: bytes, at: int) -> tuple[int, int]:
    found = ber_oid(data, at)
    if found is None:
        raise ValueError("the pack ends inside a number")
    return found
