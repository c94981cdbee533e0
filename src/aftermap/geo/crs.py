"""CRS and vertical datum by name, strict transforms, refusal to guess either."""

import math
import warnings
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Proj, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from pyproj.enums import WktVersion
from pyproj.exceptions import CRSError, ProjError

from aftermap.errors import CrsError
from aftermap.geo.area_of_use import check_area_of_use
from aftermap.geo.arrays import Array

LOCAL = "LOCAL"
WGS84 = "EPSG:4326"

MAX_SCALE_ERROR = 0.01
"""A UTM zone is right to 0.0004 inside and to 0.01 eight degrees beside it; a web map is not."""

LOCAL_WKT = (
    'LOCAL_CS["Aftermap local frame: unscaled, not on the globe",UNIT["arbitrary unit",1],'
    'AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
)


def projected_crs(text: str) -> str:
    """The CRS as "EPSG:n".

    Raises CrsError where it is unknown, not projected or not in metres.
    """
    crs = known_crs(text)
    if not crs.is_projected:
        raise CrsError(
            f"{text}: is not a projected CRS; name one in metres, for example the UTM zone, "
            "EPSG:326xx north or EPSG:327xx south"
        )
    if any(not math.isclose(axis.unit_conversion_factor, 1.0) for axis in crs.axis_info[:2]):
        raise CrsError(f"{text}: its axes are not in metres; name a projected CRS in metres")
    code = crs.to_epsg(min_confidence=70)
    if code is None:
        raise CrsError(f"{text}: has no EPSG code; name the CRS by its code, such as EPSG:32637")
    return f"EPSG:{code}"


def utm_crs(lon_deg: float, lat_deg: float) -> str:
    """The WGS 84 / UTM zone of a place as "EPSG:n".

    Raises CrsError where no zone holds the place.
    """
    area = AreaOfInterest(lon_deg, lat_deg, lon_deg, lat_deg)
    found = query_utm_crs_info(datum_name="WGS 84", area_of_interest=area)
    if not found:
        raise CrsError(
            f"{lat_deg:.4f}, {lon_deg:.4f}: is outside every UTM zone; name a CRS with --crs"
        )
    return f"EPSG:{found[0].code}"


def fitting_crs(crs: str, lon_deg: float, lat_deg: float, confirmed: Collection[str] = ()) -> str:
    """The projected CRS, where it is made for the place and its lengths hold to a hundredth.

    A block is laid onto its positions by a similarity, so its heights would be off as much.
    ``confirmed`` are CRSs that the user stands by outside their area of use.

    Raises CrsError where a length is off by more than that there, or the place is outside.
    """
    try:
        found = Proj(known_crs(crs)).get_factors(lon_deg, lat_deg, errcheck=True)
        scales = (found.tissot_semimajor, found.tissot_semiminor)
    except ProjError:
        scales = (math.inf, math.inf)
    worst = max(scales, key=lambda scale: abs(scale - 1))
    if not abs(worst - 1) <= MAX_SCALE_ERROR:
        raise CrsError(
            f"{crs}: is not valid at {lat_deg:.3f}, {lon_deg:.3f}, where a metre on the ground is "
            f"{worst:.2f} m on its map; name a local CRS, or omit it for the UTM zone"
        )
    check_area_of_use("the map", known_crs(crs), crs, (lon_deg, lat_deg), confirmed)
    return crs


def transformed_xy(from_crs: str, to_crs: str, xy: npt.ArrayLike) -> Array:
    """(N, 2) coordinates in another CRS, both in x (east, longitude), y (north, latitude) order.

    Only the best transformation is used and never a ballpark one: where its grids are not
    installed this is an error, not a silent shift of metres.

    Raises CrsError where no exact transformation is installed or a position lies outside it.
    """
    pairs = np.asarray(xy, float).reshape(-1, 2)
    if from_crs == to_crs:
        return pairs.copy()
    source, target = known_crs(from_crs), known_crs(to_crs)
    try:
        # With always_xy PROJ 9.5 forgets only_best, so the order of axes is kept here.
        transformer = Transformer.from_crs(source, target, allow_ballpark=False, only_best=True)
        out = moved_by(transformer, pairs, source, target)
    except ProjError as error:
        raise no_transformation(from_crs, to_crs, error) from error
    if not np.isfinite(out).all():
        raise CrsError(
            f"{from_crs} to {to_crs}: a position is outside the area of the "
            "CRS; check the coordinates, or name another CRS"
        )
    return out


def moved_by(transformer: Transformer, pairs: Array, source: CRS, target: CRS) -> Array:
    """(N, 2) coordinates in x, y order by a transformer that keeps the order of axes of its CRSs.

    Not finite where a position lies outside. Raises ProjError where PROJ refuses one.
    """
    first, second = turned_xy(pairs.T, source)
    moved = transformer.transform(first, second, errcheck=True)
    return turned_xy(np.stack(moved), target).T


def no_transformation(from_crs: str, to_crs: str, why: object) -> CrsError:
    """The error of a pair of CRSs between which nothing exact is installed."""
    return CrsError(
        f"{short_name(from_crs)} to {short_name(to_crs)}: no exact transformation is installed "
        f"({why}); "
        "install the PROJ grids it needs, or choose --crs on the datum of the data"
    )


def official_crs(text: str) -> CRS:
    """The CRS in two dimensions as its authority describes it, with its area of use.

    Well-known text of a file often leaves that out. Raises CrsError where it is not known.
    """
    found = known_crs(text)
    if len(found.axis_info) > 2:
        found = found.to_2d()
    authority = found.to_authority(min_confidence=70)
    return found if authority is None else CRS.from_authority(*authority)


def short_name(crs: str) -> str:
    """A CRS by its code where it has one, else by its name; never a page of well-known text."""
    found = known_crs(crs)
    authority = found.to_authority(min_confidence=70)
    return ":".join(authority) if authority else crs if len(crs) <= 20 else found.name


def wkt_of(crs: str) -> str:
    """Well-known text to write into a raster; the local frame has one of its own."""
    return LOCAL_WKT if crs == LOCAL else str(known_crs(crs).to_wkt())


def wkt1_of(crs: str) -> str:
    """Well-known text of 2001 (OGC 01-009) of a CRS on the globe, which LAS asks for."""
    return str(known_crs(crs).to_wkt(WktVersion.WKT1_GDAL))


def turned_xy(pair: Array, crs: CRS) -> Array:
    """(2, N) coordinates between x, y order and that of the CRS, which may name north first."""
    return pair[::-1] if crs.axis_info[0].direction == "north" else pair


def known_crs(text: str) -> CRS:
    """The CRS of a name, a code or well-known text.

    Raises CrsError where this installation does not know it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "+init=epsg:n" is old, but clear
            return CRS.from_user_input(text)
    except CRSError as error:
        raise CrsError(
            f"{text or 'an empty name'}: is not a CRS this installation knows; "
            "give an EPSG code such as EPSG:32637"
        ) from error
