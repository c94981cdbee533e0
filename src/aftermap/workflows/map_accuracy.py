"""A map's own cameras.json -> how far the map as a whole may lie off.

What is registered or clicked on a map inherits the error that all of the map has in common: mostly
that of the receiver which told where its photographs were taken.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aftermap.errors import CaseError
from aftermap.geo.crs import LOCAL, WGS84
from aftermap.geo.crs_operation import lonlat_of, operation_at
from aftermap.localization.reference import SIGMA_M
from aftermap.model.camera import Vector3
from aftermap.publish.exchange.cameras import read_cameras


def map_sigma_m(raster: Path) -> tuple[float, float]:
    """One sigma across (each axis) and up of the map that an orthophoto or a surface belongs to.

    Across it is no less than longitudes and latitudes are good for in the CRS of the map. Of the
    cameras it was made from, if their list lies beside it; else ``SIGMA_M``, a guess that suits a
    good aerial orthophoto.
    """
    try:
        cameras = read_cameras(raster.with_name("cameras.json"))
    except CaseError:
        return SIGMA_M
    mapped = [one for one in cameras.frames if one.mapped and one.position_sigma_m]
    if not mapped:
        return SIGMA_M
    east_m, north_m, up_m = np.median([one.position_sigma_m for one in mapped], axis=0)
    shared_m = _lonlat_sigma_m(cameras.crs, [one.position_m for one in mapped if one.position_m])
    return float(max(east_m, north_m, shared_m)), float(up_m)


def _lonlat_sigma_m(crs: str, positions_m: Sequence[Vector3]) -> float:
    """One sigma, on each axis, of a longitude and latitude that is brought into a CRS."""
    if crs == LOCAL or not positions_m:
        return 0.0
    place = lonlat_of(crs, np.array(positions_m, float)[:, :2])
    used = operation_at("longitudes and latitudes", WGS84, crs, place, (crs,)).transformation
    return 0.0 if used is None else used.wide_sigma_m
