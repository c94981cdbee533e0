"""The outlines of a case's buildings, as its ``building`` layer holds them."""

from typing import Any

import shapely

from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.record.geometry import shapes_of
from aftermap.record.geopackage import GeoPackage


def building_outlines(package: GeoPackage) -> tuple[str | None, dict[str, Any]]:
    """The CRS ("EPSG:n", None where it has no place on the globe) and shapely polygons by id.

    Empty where the case has no buildings yet.
    """
    if not package.has_table("building"):
        return None, {}
    rows = package.rows("SELECT source_id, geom FROM building WHERE geom IS NOT NULL ORDER BY fid")
    shapes = shapes_of([blob for _, blob in rows])
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
