"""Bytes -> KLV packets: a 16-byte universal label, a BER length, a value (SMPTE ST 336).

Damage costs packets: reading goes on at the next label, and what lay between is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass

PREFIX = bytes.fromhex("060e2b34")
ST0601 = bytes.fromhex("060e2b34020b01010e01030101000000")
EG0104 = bytes.fromhex("060e2b34020101010e01010201010000")
KEY_BYTES = 16
CUT_OFF = "truncated"


@dataclass(frozen=True, kw_only=True)
class Packet:
    """One universal set. ``head`` is the label and length as written, which the checksum covers."""

    key: bytes
    head: bytes
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Damage:
    """A stretch that holds no whole packet, and why."""

    at_byte: int
    reason: str


def ber_length(data: bytes, at: int) -> tuple[int, int] | None:
    """A length and where its value begins; None where the bytes end or the form is indefinite."""
    if at >= len(data):
        return None
    first = data[at]
    if first < 0x80:
        return first, at + 1
    size = first & 0x7F
    if not 1 <= size <= 8 or at + 1 + size > len(data):
        return None
    return int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size


def ber_oid(data: bytes, at: int) -> tuple[int, int] | None:
    """A tag of seven bits a byte, and where it ends; None where the bytes end."""
    value = 0
    for place in range(at, min(at + 5, len(data))):
        value = value << 7 | data[place] & 0x7F
        if not data[place] & 0x80:
            return value, place + 1
    return None


def packets_in(data: bytes) -> Iterator[Packet | Damage]:
    """Every whole packet, in order, and every stretch that is not one."""
    at = 0
    while at < len(data):
        start = data.find(PREFIX, at)
        if start != at and data[at : start if start >= 0 else None].strip(b"\0"):
            yield Damage(at_byte=at, reason="bytes outside any packet")
        if start < 0:
            return
        length = ber_length(data, start + KEY_BYTES)
        if length is None or length[1] + length[0] > len(data):
            yield Damage(at_byte=start, reason=CUT_OFF)
            at = start + len(PREFIX)
            continue
        size, begins = length
        yield Packet(
            key=data[start : start + KEY_BYTES],
            head=data[start:begins],
            value=data[begins : begins + size],
        )
        at = begins + size


def local_items(value: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and value of each item of a local set, as far as it is whole."""
    at = 0
    while at < len(value):
        tag = ber_oid(value, at)
        length = ber_length(value, tag[1]) if tag else None
        if tag is None or length is None or length[0] + length[1] > len(value):
            return
        size, begins = length
        yield tag[0], value[begins : begins + size]
        at = begins + size


def universal_items(value: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Label and value of each item of a universal set, as far as it is whole."""
    at = 0
    while at + KEY_BYTES < len(value):
        length = ber_length(value, at + KEY_BYTES)
        if length is None or length[0] + length[1] > len(value):
            return
        size, begins = length
        yield value[at : at + KEY_BYTES], value[begins : begins + size]
        at = begins + size


def checksum_is_right(packet: Packet) -> bool | None:
    """ST 0601's running sum over everything before the two bytes; None where there is no sum."""
    if packet.value[-4:-2] != b"\x01\x02":
        return None
    covered = packet.head + packet.value[:-2]
    total = (sum(covered[0::2]) << 8) + sum(covered[1::2])
    return total & 0xFFFF == int.from_bytes(packet.value[-2:], "big")
