"""The XMP packet of a photograph -> its properties by name.

No XML parser is used on purpose: drones write packets that are not well-formed, and a pattern
that only looks for names and values can expand no entity and open no other file.
"""

import html
import math
import re
from collections.abc import Mapping

MAX_PACKET_BYTES = 1_000_000
"""Longer packets are cut: what a drone writes about a photograph stands in the first kilobytes."""

_ATTRIBUTE = re.compile(r"""([\w-]{1,64}:[\w-]{1,64})\s{0,8}=\s{0,8}(?:"([^"<]*)"|'([^'<]*)')""")
_ELEMENT = re.compile(r"<([\w-]{1,64}:[\w-]{1,64})>([^<]*)</\1\s*>")


def properties_in(packet: bytes | str | None) -> dict[str, str]:
    """Property values by prefixed name, such as "drone-dji:RelativeAltitude".

    Both ways of writing are read, as attributes and as elements; where a name occurs twice the
    first counts. Anything that is not a packet gives no properties.
    """
    if packet is None:
        return {}
    text = packet if isinstance(packet, str) else packet.decode("utf-8", "replace")
    text = text[:MAX_PACKET_BYTES]
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        value = match.group(2) if match.group(2) is not None else match.group(3)
        found.setdefault(match.group(1), html.unescape(value).strip())
    for match in _ELEMENT.finditer(text):
        found.setdefault(match.group(1), html.unescape(match.group(2)).strip())
    return found


def number(properties: Mapping[str, str], *names: str) -> float | None:
    """The first of these properties that is a finite number; "+39.80" counts as one."""
    for name in names:
        try:
            value = float(properties.get(name, ""))
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return None
