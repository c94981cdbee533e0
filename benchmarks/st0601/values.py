"""Readers for the values of ST 0601 that no track needs: bytes -> text, lists and sets."""

import base64
from collections.abc import Mapping

from aftermap.media.telemetry.misb.imap import imap_value, unsigned_in
from aftermap.media.telemetry.misb.klv import ber_length, ber_oid, local_items
from aftermap.media.telemetry.misb.klv_values import Reader, value_of

Fields = Mapping[int, tuple[str, Reader]]


def times(factor: float) -> Reader:
    """Unsigned integers in steps of ``factor``."""
    return lambda data: unsigned_in(data) * factor


def flags(data: bytes) -> list[int]:
    """The numbers of the bits that are set, from the lowest."""
    value = unsigned_in(data)
    return [bit for bit in range(8 * len(data)) if value >> bit & 1]


def text(data: bytes) -> str:
    """UTF-8; bytes that are not become the mark of replacement."""
    return data.decode("utf-8", "replace")


def raw(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def oids(data: bytes) -> list[int]:
    """Numbers of seven bits a byte, to the end."""
    found, at = [], 0
    while (one := ber_oid(data, at)) is not None:
        found.append(one[0])
        at = one[1]
    return found


def records(data: bytes) -> list[bytes]:
    """Pieces that each begin with their length."""
    found, at = [], 0
    while (length := ber_length(data, at)) is not None and sum(length) <= len(data):
        at = length[1] + length[0]
        found.append(data[length[1] : at])
    return found


def each(reader: Reader) -> Reader:
    """A series of pieces that each begin with their length."""
    return lambda data: [reader(record) for record in records(data)]


def local_set(fields: Fields) -> Reader:
    """Values by tag. What has no reader is left out; a tag that occurs twice keeps its last."""
    return lambda data: {
        tag: value_of(fields[tag][1], item) for tag, item in local_items(data) if tag in fields
    }


def position_value(data: bytes) -> dict[str, float | None]:
    """Latitude and longitude in degrees, height in metres; ST 0601's packs of 10 or 11 bytes."""
    return {
        "latitude": imap_value(data[:4], -90, 90),
        "longitude": imap_value(data[4:8], -180, 180),
        "altitude": imap_value(data[8:], -900, 9000) if data[8:] else None,
    }


def uuid(data: bytes) -> str:
    """A UUID in groups of four digits, as MISB writes it."""
    digits = data.hex()
    return "-".join(digits[k : k + 4] for k in range(0, len(digits), 4))
