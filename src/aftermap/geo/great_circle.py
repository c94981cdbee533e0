"""Two places on the globe -> how far apart they are, on a sphere.

For what is asked within percents: is a record of this place at all? The sphere has the ellipsoid's
mean radius; a distance on it is off by up to 0.6 % (north to south near the equator and the
poles). Within a map, distances are those of its CRS.
"""

import math

LonLat = tuple[float, float]
"""Longitude and latitude in degrees, WGS 84."""

EARTH_RADIUS_M = 6_371_000.0
"""Mean radius (2 a + b) / 3 of WGS 84, to 9 m."""
METRES_PER_DEGREE = math.radians(1.0) * EARTH_RADIUS_M
"""Along a meridian, and along the equator."""


def great_circle_m(first: LonLat, second: LonLat) -> float:
    """Distance along the great circle by the haversine formula, to 0.6 %."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*first, *second))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))
