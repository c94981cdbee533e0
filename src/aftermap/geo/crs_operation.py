"""Given coordinates -> the CRS of the map, by one operation that is named, with its accuracy.

Every input that a user gives in a CRS of its own comes through here: control points, footprints,
streets, areas, rasters, other assessments, recorded positions. One operation, that of the place, is
used for all coordinates of an input, and says what it is and what it is good for.
"""

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from pyproj.transformer import TransformerGroup

from aftermap.errors import CrsError
from aftermap.geo.area_of_use import (
    advice,
    check_area_of_use,
    is_confirmed,
    is_of_the_world,
    why_outside,
)
from aftermap.geo.arrays import Array
from aftermap.geo.crs import (
    LOCAL,
    known_crs,
    moved_by,
    no_transformation,
    official_crs,
    short_name,
    transformed_xy,
    turned_xy,
)
from aftermap.geo.great_circle import LonLat
from aftermap.model.datum import DatumTransformation


@dataclass(frozen=True, kw_only=True)
class CrsOperation:
    """How coordinates of an input come into the CRS of the map.

    ``moved_xy`` takes and gives (N, 2) coordinates, x (east, longitude) first; it raises CrsError
    where a position is outside the CRS. ``transformation`` is None where the datum is the same.
    """

    moved_xy: Callable[[npt.ArrayLike], Array]
    transformation: DatumTransformation | None


def operation_at(
    what: str,
    from_crs: str,
    to_crs: str,
    lonlat_deg: LonLat,
    confirmed: Collection[str] = (),
) -> CrsOperation:
    """The best operation at a place, for the input that ``what`` names.

    ``confirmed`` are CRSs that the user stands by though they are not made for the place.
    Raises CrsError where the area of use of ``from_crs`` or of the operation does not hold the
    place, or the operation needs a grid that is not installed.
    """
    if from_crs in (LOCAL, to_crs):
        return CrsOperation(moved_xy=_unmoved, transformation=None)
    source, target = official_crs(from_crs), official_crs(to_crs)
    if source.equals(target, ignore_axis_order=True):
        return CrsOperation(moved_xy=_unmoved, transformation=None)
    name, map_name = short_name(from_crs), short_name(to_crs)
    check_area_of_use(what, source, name, lonlat_deg, confirmed)
    used = _used_at(source, target, lonlat_deg)
    transformation = _stated(what, used, name, map_name)
    stands = is_confirmed(source, name, confirmed) or is_confirmed(target, map_name, confirmed)
    why = why_outside(used.area_of_use, lonlat_deg, is_global=False)
    if transformation is not None and why is not None and not stands:
        foreign = map_name if is_of_the_world(source) else name
        raise CrsError(
            f"{what}: from {name} to {map_name} there is only {transformation.name}, which {why}; "
            f"{advice(foreign)}"
        )
    moved_xy = _movement(what, used, (from_crs, to_crs), (source, target))
    return CrsOperation(moved_xy=moved_xy, transformation=transformation)


def _movement(
    what: str, used: Any, names: tuple[str, str], ends: tuple[CRS, CRS]
) -> Callable[[npt.ArrayLike], Array]:
    """The function that moves (N, 2) coordinates by ``used``, from the first CRS to the second."""
    source, target = ends

    def moved_xy(xy: npt.ArrayLike) -> Array:
        pairs = np.asarray(xy, float).reshape(-1, 2)
        try:
            out = moved_by(used, pairs, source, target)
        except ProjError as error:
            raise no_transformation(*names, error) from error
        if not np.isfinite(out).all():
            raise CrsError(
                f"{what}: a position is outside the area of {short_name(names[0])}; check the "
                "coordinates, or name another CRS"
            )
        return out

    return moved_xy


def operation_over(
    what: str,
    from_crs: str,
    map_crs: str,
    area_m: tuple[float, float, float, float],
    confirmed: Collection[str] = (),
) -> CrsOperation:
    """The operation into the CRS of a map, in the middle of its west, south, east and north.

    Raises CrsError as :func:`operation_at` does.
    """
    if from_crs in (LOCAL, map_crs):
        return CrsOperation(moved_xy=_unmoved, transformation=None)
    west, south, east, north = area_m
    place = lonlat_of(map_crs, [((west + east) / 2, (south + north) / 2)])
    return operation_at(what, from_crs, map_crs, place, confirmed)


def lonlat_of(crs: str, xy: npt.ArrayLike) -> LonLat:
    """Longitude and latitude in degrees of the middle of (N, 2) coordinates, on their own datum.

    Raises CrsError where the CRS has no place on the globe.
    """
    own = known_crs(crs)
    middle = np.median(np.asarray(xy, float).reshape(-1, 2), axis=0)
    if own.is_geographic:
        return float(middle[0]), float(middle[1])
    geographic = own.geodetic_crs
    if geographic is None:
        raise CrsError(f"{crs}: has no place on the globe; name a CRS that has one")
    ((lon, lat),) = transformed_xy(crs, geographic.to_wkt(), [middle])
    return float(lon), float(lat)


def _unmoved(xy: npt.ArrayLike) -> Array:
    return np.array(xy, float).reshape(-1, 2)


def _used_at(source: CRS, target: CRS, lonlat_deg: LonLat) -> Any:
    """The operation that PROJ takes at a place."""
    own = source.geodetic_crs
    if own is None:
        raise CrsError(f"{source.name}: has no place on the globe; name a CRS that has one")
    try:
        ((x, y),) = transformed_xy(own.to_wkt(), source.to_wkt(), [lonlat_deg])
        found = Transformer.from_crs(source, target, allow_ballpark=False, only_best=True)
        first, second = turned_xy(np.array([[x], [y]]), source)
        found.transform(first, second, errcheck=True)
        return found.get_last_used_operation()
    except ProjError as error:
        missing = _missing_grids(source, target)
        raise no_transformation(source.to_wkt(), target.to_wkt(), missing or error) from error


def _missing_grids(source: CRS, target: CRS) -> str | None:
    """The grids that better operations need and that are not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(source, target, allow_ballpark=False)
    missing = {
        grid.short_name
        for operation in group.unavailable_operations[:1]
        for grid in operation.grids
        if not grid.available
    }
    return f"missing grid {', '.join(sorted(missing))}" if missing else None


def _stated(what: str, used: Any, from_crs: str, to_crs: str) -> DatumTransformation | None:
    """What the operation says of itself; None where no datum changes."""
    steps = used.operations or (used,)
    told = [one.to_json_dict() for one in steps]
    shifts = [one for one in told if one.get("type") in ("Transformation", "ConcatenatedOperation")]
    if used.accuracy == 0:
        return None
    names = [str(one["name"]).removeprefix("Inverse of ") for one in shifts or told]
    codes = [_code(one) for one in shifts or told]
    return DatumTransformation(
        what=what,
        from_crs=from_crs,
        to_crs=to_crs,
        name=" and ".join(names),
        code=" and ".join(codes) if all(codes) else None,
        accuracy_m=float(used.accuracy) if used.accuracy >= 0 else None,
        area=used.area_of_use.name if used.area_of_use else "not stated",
    )


def _code(told: dict[str, Any]) -> str:
    found = told.get("id")
    if not found:
        return ""
    authority = str(found["authority"]).removeprefix("INVERSE(").removesuffix(")")
    return f"{authority}:{found['code']}"
