"""GeoPackage geometry, written and read: a GP header, an envelope, then ISO well-known binary.

GeoPackage 1.3, clause 2.1.3 (https://www.geopackage.org/spec130/#gpb_format).
"""

import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely

from aftermap.geo.arrays import ObjectArray

XY = tuple[float, float]

_LITTLE_ENDIAN_WITH_XY_ENVELOPE = 0b0000_0011
_WKB_LITTLE_ENDIAN = 1
_WKB_POINT, _WKB_POINT_Z, _WKB_POLYGON = 1, 1001, 3
_FLAGS_AT, _HEADER_BYTES = 3, 8
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)


def point(srs_id: int, xy: XY) -> bytes:
    """A point: x east (or longitude), y north (or latitude)."""
    return _header(srs_id, [xy]) + struct.pack("<BI2d", _WKB_LITTLE_ENDIAN, _WKB_POINT, *xy)


def point_z(srs_id: int, xyz: tuple[float, float, float]) -> bytes:
    """A point with a height; which datum the height has is said in a column beside it."""
    body = struct.pack("<BI3d", _WKB_LITTLE_ENDIAN, _WKB_POINT_Z, *xyz)
    return _header(srs_id, [xyz[:2]]) + body


def polygon(srs_id: int, ring: Sequence[XY]) -> bytes:
    """A polygon of one ring, closed and turned anticlockwise if it is not already.

    Raises ValueError for fewer than three corners.
    """
    closed = [*ring, ring[0]] if ring[0] != ring[-1] else list(ring)
    if len(closed) < 4:
        raise ValueError(f"a polygon has three corners or more, not {len(closed) - 1}")
    if _twice_signed_area(closed) < 0:
        closed.reverse()
    body = struct.pack("<BIII", _WKB_LITTLE_ENDIAN, _WKB_POLYGON, 1, len(closed))
    return _header(srs_id, closed) + body + b"".join(struct.pack("<2d", *xy) for xy in closed)


def envelope_of(points: Sequence[XY]) -> tuple[float, float, float, float]:
    """Smallest and largest x and y: min x, min y, max x, max y."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def envelope_header(srs_id: int, envelope: tuple[float, float, float, float]) -> bytes:
    """What GeoPackage puts before a geometry's WKB; the envelope is min x, min y, max x, max y."""
    min_x, min_y, max_x, max_y = envelope
    return struct.pack(
        "<2sBBi4d", b"GP", 0, _LITTLE_ENDIAN_WITH_XY_ENVELOPE, srs_id, min_x, max_x, min_y, max_y
    )


def shapes_of(blobs: Sequence[bytes | None]) -> ObjectArray:
    """(N,) shapely shapes of GeoPackage geometries, in the CRS and unit of their layer.

    None where there is no geometry or an empty one.
    """
    wkb = [None if blob is None or _is_empty(blob) else _wkb(blob) for blob in blobs]
    return np.asarray(shapely.from_wkb(wkb), object)


def _wkb(blob: bytes) -> bytes:
    """What follows the header (magic, version, flags, srs_id) and the envelope."""
    return blob[_HEADER_BYTES + _ENVELOPE_BYTES[blob[_FLAGS_AT] >> 1 & 0b111] :]


def _is_empty(blob: bytes) -> bool:
    return bool(blob[_FLAGS_AT] >> 4 & 1)


def _header(srs_id: int, points: Sequence[XY]) -> bytes:
    return envelope_header(srs_id, envelope_of(points))


def _twice_signed_area(ring: Sequence[XY]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
