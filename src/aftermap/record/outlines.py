"""The outlines of a case's buildings, as its ``building`` layer holds them."""

from typing import Any

import shapely

from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.record.geopackage import GeoPackage

_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_FLAGS_AT = 3
_HEADER_BYTES = 8


def building_outlines(package: GeoPackage) -> tuple[str | None, dict[str, Any]]:
    """The CRS ("EPSG:n", None where it has no place on the globe) and shapely polygons by id.

    Empty where the case has no buildings yet.
    """
    if not package.has_table("building"):
        return None, {}
    rows = package.rows("SELECT source_id, geom FROM building WHERE geom IS NOT NULL ORDER BY fid")
    shapes = shapely.from_wkb([_wkb(blob) for _, blob in rows])
    names = [str(name) for name, _ in rows]
    return package.crs_of("building"), dict(zip(names, shapes.tolist(), strict=True))


def building_places(package: GeoPackage) -> dict[str, tuple[float, float] | None]:
    """A place inside each building, in degrees of WGS 84; None where the case is not on the globe.

    Empty where the case has no buildings yet.
    """
    crs, shapes = building_outlines(package)
    if crs is None or not shapes:
        return dict.fromkeys(shapes)
    inside = shapely.point_on_surface(list(shapes.values()))
    lonlat = transformed_xy(crs, WGS84, shapely.get_coordinates(inside))
    pairs = [(float(lon), float(lat)) for lon, lat in lonlat]
    return dict(zip(shapes, pairs, strict=True))


def _wkb(blob: bytes) -> bytes:
    """The WKB behind the header and envelope that GeoPackage puts before it."""
    kind = (blob[_FLAGS_AT] >> 1) & 0b111
    return blob[_HEADER_BYTES + _ENVELOPE_BYTES[kind] :]
