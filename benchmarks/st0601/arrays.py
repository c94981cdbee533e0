"""Arrays of ST 1303 and the error statistics of ST 1010 and ST 1601: bytes -> numbers.

How an array is packed stands in it; what its elements are, where they are plain, does not, and
comes from the set that holds it.
"""

from collections.abc import Sequence
from typing import Any

from aftermap.media.telemetry.misb.imap import imap_value
from aftermap.media.telemetry.misb.klv import ber_oid
from aftermap.media.telemetry.misb.klv_values import Reader, real, unsigned, value_of
from benchmarks.st0601.values import records

_PLAIN, _MAPPED = 1, 2
_SHARE = (-1.0, 1.0)


def array_of(element: Reader) -> Reader:
    """An array with plain elements of this kind, or with elements mapped by ST 1201.

    ``elements`` is None for the other ways of packing.
    """
    return lambda data: _array(data, [element])


def array_by_rows(bounds: Sequence[tuple[float, float]]) -> Reader:
    """An array in which each row is mapped by ST 1201 between bounds of its own."""
    return lambda data: _array(data, [_mapped(low, high) for low, high in bounds])


def _mapped(low: float, high: float) -> Reader:
    return lambda piece: imap_value(piece, low, high)


def _array(data: bytes, rows: Sequence[Reader]) -> dict[str, Any]:
    (sizes, element_bytes, method), at = _head(data)
    if method == _MAPPED:
        count = 1
        for size in sizes:
            count *= size
        bound_bytes = (len(data) - at - count * element_bytes) // 2
        low, high = real(data[at : at + bound_bytes]), real(data[at + bound_bytes :][:bound_bytes])
        rows, at = [_mapped(low or 0.0, high or 0.0)], at + 2 * bound_bytes
    elif method != _PLAIN:
        return {"sizes": sizes, "elements": None}
    pieces = [data[k : k + element_bytes] for k in range(at, len(data), element_bytes)]
    in_row = max(1, len(pieces) // len(rows))
    elements = [rows[min(k // in_row, len(rows) - 1)](piece) for k, piece in enumerate(pieces)]
    return {"sizes": sizes, "elements": elements}


def _head(data: bytes) -> tuple[tuple[list[int], int, int], int]:
    numbers: list[int] = []
    at = 0
    while not numbers or len(numbers) < numbers[0] + 3:
        number = ber_oid(data, at)
        if number is None:
            raise ValueError("the array ends inside its head")
        numbers.append(number[0])
        at = number[1]
    *sizes, element_bytes, method = numbers[1:]
    return (sizes, element_bytes, method), at


def section_value(data: bytes) -> dict[str, Any]:
    """One part of a range image, its array of distances and the plane they are measured from."""
    x, y, distances, uncertainty, *plane = [*records(data), b"", b"", b""]
    names = ("plane-x-scale", "plane-y-scale", "plane-constant")
    found: dict[str, Any] = {
        "section-x": unsigned(x),
        "section-y": unsigned(y),
        "measurements": value_of(array_of(real), distances),
        "uncertainty": value_of(array_of(real), uncertainty),
    }
    return found | {name: value_of(real, piece) for name, piece in zip(names, plane, strict=False)}


def statistics_value(data: bytes) -> dict[str, Any]:
    """Standard deviations of the items before it in its set, and how they hang together.

    ``rho`` is the upper triangle by rows; what a sparse pack leaves out is 0. Deviations that are
    mapped between bounds that only the sender knows are None.
    """
    head = ber_oid(data, 0)
    if head is None:
        raise ValueError("statistics without a size")
    size, at = head
    is_long = bool(data[at] & 0x80)
    first, second = data[at], data[at + 1] if is_long else 0
    sigma_bytes = second & 0x0F if is_long else first >> 4 & 7
    rho_bytes = first & (0x0F if is_long else 7)
    is_sparse = bool(first & (0x20 if is_long else 0x08))
    rho_is_mapped = bool(first & 0x10) if is_long else True
    at += 2 if is_long else 1
    pairs = size * (size - 1) // 2
    given, at = _given(data, at, pairs if rho_bytes else 0, is_sparse=is_sparse)
    read = real if not second & 0x10 else _unknown
    sigma = [read(data[at + k * sigma_bytes :][:sigma_bytes]) for k in range(size)]
    at += size * sigma_bytes
    rho = []
    for is_there in given:
        piece = data[at : at + rho_bytes] if is_there else b""
        value = imap_value(piece, *_SHARE) if rho_is_mapped else real(piece)
        rho.append(value if is_there else 0.0)
        at += len(piece)
    return {
        "sigma": sigma,
        "rho": rho,
        "sigma-length": sigma_bytes,
        "rho-length": rho_bytes,
        "sigma-uses-imap": bool(second & 0x10),
        "rho-uses-imap": rho_is_mapped,
        "long-parse-control": is_long,
        "sparse": is_sparse,
    }


def _given(data: bytes, at: int, pairs: int, *, is_sparse: bool) -> tuple[list[bool], int]:
    """Which correlations were sent: all, or those whose bit is set, and where the values begin."""
    if not is_sparse:
        return [True] * pairs, at
    size = (pairs + 7) // 8
    bits = int.from_bytes(data[at : at + size], "big")
    return [bool(bits >> (8 * size - 1 - k) & 1) for k in range(pairs)], at + size


def _unknown(_: bytes) -> None:
    return None
