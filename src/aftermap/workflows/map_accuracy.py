"""A map's own cameras.json -> how far the map as a whole may lie off.

What is registered or clicked on a map inherits the error that all of the map has in common: mostly
that of the receiver which told where its photographs were taken.
"""

from pathlib import Path

import numpy as np

from aftermap.errors import CaseError
from aftermap.localization.reference import SIGMA_M
from aftermap.publish.exchange.cameras import read_cameras


def map_sigma_m(raster: Path) -> tuple[float, float]:
    """One sigma across (each axis) and up of the map that an orthophoto or a surface belongs to.

    Of the cameras it was made from, if their list lies beside it; else ``SIGMA_M``, a guess that
    suits a good aerial orthophoto.
    """
    try:
        frames = read_cameras(raster.with_name("cameras.json")).frames
    except CaseError:
        return SIGMA_M
    known = [frame.position_sigma_m for frame in frames if frame.mapped and frame.position_sigma_m]
    if not known:
        return SIGMA_M
    east_m, north_m, up_m = np.median(np.array(known), axis=0)
    return float(max(east_m, north_m)), float(up_m)
