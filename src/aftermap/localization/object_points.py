"""Ties and a surface -> the places of the ties in its CRS, with heights, checked for slips.

Longitude and latitude exchanged, and a sign that is wrong, get a line of their own: both are common
in files typed by hand, and both put a camera somewhere on the globe without another word.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aftermap.errors import ControlError, CrsError
from aftermap.geo.arrays import Array
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.great_circle import LonLat, great_circle_m
from aftermap.localization.correspondences import Correspondence
from aftermap.localization.reference import Reference, filled_at, heights_at_m
from aftermap.localization.resect import PLACE_SIGMA_M

FAR_M = 20_000.0
"""Ties further from the middle of the surface are of another place."""
CLICKED_WITHIN_M = 1.0
"""A place that is clicked at a roof's edge may be on it or below it: heights so far away count."""
FILLED_SIGMA_M = 30.0
"""Of a height that was filled in: it may be off by a whole building, so it hardly counts."""


@dataclass(frozen=True, kw_only=True)
class ObjectPoints:
    """Ties of one picture and their (N, 3) places; the lines whose height is the surface's.

    ``sigma_m`` (N, 3) is what a place is good for. It is relative to the case's map. ``filled`` are
    those lines of ``from_surface`` whose height the surface filled in: nobody measured it.
    """

    ties: tuple[Correspondence, ...]
    xyz_m: Array
    sigma_m: Array
    from_surface: tuple[int, ...]
    filled: tuple[int, ...] = ()

    @property
    def lowest_m(self) -> float:
        """The lowest height that was measured or given; of all where none was."""
        known = np.array([tie.line not in self.filled for tie in self.ties])
        up = self.xyz_m[:, 2]
        return float(up[known].min() if known.any() else up.min())


def object_points_of(
    ties: Sequence[Correspondence], surface: Reference, path: Path
) -> ObjectPoints:
    """The places of ties in the CRS of the surface; ``path`` names their file in an error.

    Raises ControlError where a tie has no height and the surface has none there.
    """
    _check_place(ties, _middle_lonlat(surface), path)
    xy = transformed_xy(WGS84, surface.crs, [tie.lonlat_deg for tie in ties])
    below = heights_at_m(surface, xy)
    given = np.array([math.nan if tie.height_m is None else tie.height_m for tie in ties])
    up = np.where(np.isnan(given), below, given)
    for tie, height in zip(ties, up, strict=True):
        if math.isnan(height):
            raise ControlError(
                f"{path}, line {tie.line}: has no height, and neither does the "
                "surface model of the case there; give a height, or pick a point "
                "in the mapped area"
            )
    sigma = np.tile(np.array(PLACE_SIGMA_M), (len(ties), 1))
    sigma[:, 2] = np.hypot(sigma[:, 2], np.where(np.isnan(given), _relief_m(surface, xy), 0.0))
    guessed = np.isnan(given) & filled_at(surface, xy)
    sigma[guessed, 2] = FILLED_SIGMA_M
    return ObjectPoints(
        ties=tuple(ties),
        xyz_m=np.column_stack([xy, up]),
        sigma_m=sigma,
        from_surface=tuple(tie.line for tie in ties if tie.height_m is None),
        filled=tuple(tie.line for tie, is_guess in zip(ties, guessed, strict=True) if is_guess),
    )


def _relief_m(surface: Reference, xy_m: Array) -> Array:
    """(N,) standard deviation of the heights that lie within reach of a click."""
    steps = np.linspace(-CLICKED_WITHIN_M, CLICKED_WITHIN_M, 5)
    places = [xy_m + np.array((east, north)) for east in steps for north in steps]
    near = [
        np.where(filled_at(surface, place), np.nan, heights_at_m(surface, place))
        for place in places
    ]
    around = np.array([np.where(np.isnan(one), near[len(near) // 2], one) for one in near])
    return np.asarray(around.std(axis=0))


def _middle_lonlat(surface: Reference) -> LonLat:
    rows, columns = surface.height_m.shape
    east = surface.corner_m[0] + columns * surface.cell_m[0] / 2
    north = surface.corner_m[1] - rows * surface.cell_m[1] / 2
    try:
        ((lon, lat),) = transformed_xy(surface.crs, WGS84, [[east, north]])
    except CrsError as error:
        raise ControlError(f"the map of the case is not georeferenced ({error})") from error
    return float(lon), float(lat)


def _check_place(ties: Sequence[Correspondence], middle: LonLat, path: Path) -> None:
    for tie in ties:
        lon, lat = tie.lonlat_deg
        away_m = great_circle_m((lon, lat), middle)
        if away_m <= FAR_M:
            continue
        slips = {
            "lon and lat are swapped; lon is positive to the east": (lat, lon),
            "lat has the wrong sign: it is on the other side of the equator": (lon, -lat),
            "lon has the wrong sign: it is on the other side of Greenwich": (-lon, lat),
            "lon and lat have the wrong signs": (-lon, -lat),
        }
        for told, place in slips.items():
            if great_circle_m(place, middle) <= FAR_M:
                raise ControlError(f"{path}, line {tie.line}: {told}; correct the file")
        raise ControlError(
            f"{path}, line {tie.line}: {lon:g}, {lat:g} is {away_m / 1000:.0f} "
            "km from the map of the case; check the point and the case"
        )
