"""MISB EG 0104, the older universal set: labels that a track needs, by their tags of ST 0601.

Values are IEEE numbers in degrees and metres. Its "obliquity angle" and "angle to north" are not
used: senders measure the first from the horizon or from straight down, and do not say which.
"""

from typing import Any

from aftermap.media.telemetry.misb.klv import universal_items
from aftermap.media.telemetry.misb.klv_values import Reader, real, unsigned, value_of

_VERSION_AT = 7  # which edition of the dictionary a label is from; senders do not agree on it


def _label(digits: str) -> bytes:
    return bytes.fromhex("060e2b3401010100" + digits)


NAMED: dict[bytes, tuple[int, Reader]] = {
    _label("0702010101050000"): (2, unsigned),
    _label("0701100106000000"): (5, real),
    _label("0701100105000000"): (6, real),
    _label("0701100104000000"): (7, real),
    _label("0701020102040200"): (13, real),
    _label("0701020102060200"): (14, real),
    _label("0701020102020000"): (15, real),
    _label("0420020101080000"): (16, real),
}


def universal_set_values(value: bytes) -> dict[int, Any]:
    """Values of one set by the tags of ST 0601; what is not known is left out."""
    found: dict[int, Any] = {}
    for label, item in universal_items(value):
        named = NAMED.get(_without_version(label))
        decoded = value_of(named[1], item) if named else None
        if named and decoded is not None:
            found[named[0]] = decoded
    return found


def same_label(first: bytes, second: bytes) -> bool:
    """Whether two labels differ by their edition at most."""
    return _without_version(first) == _without_version(second)


def is_label_in(data: bytes, label: bytes) -> bool:
    """Whether the label stands anywhere in the bytes, of any edition."""
    at = data.find(label[:_VERSION_AT])
    while at >= 0:
        if same_label(data[at : at + len(label)], label):
            return True
        at = data.find(label[:_VERSION_AT], at + 1)
    return False


def _without_version(label: bytes) -> bytes:
    return label[:_VERSION_AT] + b"\0" + label[_VERSION_AT + 1 :]
