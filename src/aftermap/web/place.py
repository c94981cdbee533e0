"""Between the case's coordinates and those of the page, which are longitude and latitude (WGS 84).

A case without any recorded position has no place on the globe. The page then shows it where
Greenwich meets the equator, one arbitrary unit to the metre there, and says so.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from aftermap.geo.arrays import Array, ObjectArray
from aftermap.geo.crs import LOCAL, WGS84, transformed_xy

WEB_MERCATOR = "EPSG:3857"
DEGREE_DIGITS = 7
"""A centimetre."""


@dataclass(frozen=True, kw_only=True)
class CasePlace:
    """Where a case is. ``crs`` is "EPSG:n" or "LOCAL"."""

    crs: str

    @property
    def is_on_globe(self) -> bool:
        """Whether longitude and latitude mean anything here."""
        return self.crs != LOCAL

    @property
    def shown_crs(self) -> str:
        """The CRS by which the page puts the case on a globe."""
        return self.crs if self.is_on_globe else WEB_MERCATOR

    def lonlat_deg(self, xy_m: npt.ArrayLike) -> Array:
        """(N, 2) longitude and latitude of (N, 2) places of the case, to the centimetre."""
        return np.round(transformed_xy(self.shown_crs, WGS84, xy_m), DEGREE_DIGITS)

    def xy_m(self, lonlat_deg: npt.ArrayLike) -> Array:
        """(N, 2) places of the case of (N, 2) longitude and latitude."""
        return transformed_xy(WGS84, self.shown_crs, lonlat_deg)

    def geojson(self, geometries: ObjectArray) -> ObjectArray:
        """(N,) GeoJSON geometry texts, longitude and latitude in degrees, of (N,) shapely shapes.

        Shapes are in the CRS of the case; one that is None stays None.
        """
        moved = shapely.transform(geometries, self.lonlat_deg)
        return np.asarray(shapely.to_geojson(moved), object)
