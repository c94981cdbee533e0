"""EXIF and XMP -> where the camera was and how it was turned, each height with its datum.

Places are WGS 84 degrees. The rule for heights:

- DJI's AbsoluteAltitude is the barometer, set once to something near sea level: BAROMETRIC. With
  a fixed RTK solution (RtkFlag 50) it is the receiver's height above the ellipsoid: ELLIPSOID.
- A plain EXIF altitude is UNKNOWN. EXIF says "sea level", but receivers write ellipsoidal heights,
  heights above a coarse geoid, barometer readings and heights above take-off into the same tag,
  and Exif 3.0 gave the reference values a new meaning.
- A height above take-off alone is TAKEOFF_RELATIVE.
"""

from collections.abc import Mapping

from aftermap.media.exif import ExifFacts, checked_lonlat_deg
from aftermap.media.xmp import number
from aftermap.model.media import Attitude, GeoTag, VerticalDatum

RTK_FIXED, RTK_FLOAT = 50, 34
CONSUMER_HORIZONTAL_M = 3.0
"""Standard deviation of a consumer receiver in the open."""
CONSUMER_VERTICAL_M = 5.0
BAROMETER_VERTICAL_M = 3.0
"""Of one barometric height against the others of a flight; their common shift can be 200 m."""
RTK_FLOOR_M = (0.02, 0.03)
"""RTK is never believed to better than this (horizontal, vertical): the camera is not where the
antenna is, and the shutter does not open when the receiver measures."""


def geotag_of(exif: ExifFacts, xmp: Mapping[str, str]) -> GeoTag | None:
    """Where the photograph says it was taken, or None. The EXIF place counts before the XMP's."""
    lonlat = exif.lonlat_deg or _xmp_lonlat_deg(xmp)
    if lonlat is None:
        return None
    height_m, datum, sigma_vertical_m = _height(exif, xmp)
    sigma_horizontal_m = max(exif.sigma_horizontal_m or CONSUMER_HORIZONTAL_M, RTK_FLOOR_M[0])
    rtk = _rtk_sigmas_m(xmp)
    if rtk is not None:
        sigma_horizontal_m = rtk[0]
        if datum is VerticalDatum.ELLIPSOID:
            sigma_vertical_m = rtk[1]
    return GeoTag(
        lon_deg=lonlat[0],
        lat_deg=lonlat[1],
        height_m=height_m,
        vertical_datum=datum,
        sigma_horizontal_m=sigma_horizontal_m,
        sigma_vertical_m=sigma_vertical_m,
    )


def attitude_of(xmp: Mapping[str, str]) -> Attitude | None:
    """The gimbal's angles as DJI writes them, or None where one is missing or no angle."""
    angles = [number(xmp, f"drone-dji:Gimbal{axis}Degree") for axis in ("Yaw", "Pitch", "Roll")]
    yaw, pitch, roll = angles
    if yaw is None or pitch is None or roll is None or any(abs(a or 0) > 360 for a in angles):
        return None
    return Attitude(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)


def relative_height_m_of(xmp: Mapping[str, str]) -> float | None:
    """Height above the take-off point, by the drone's own account."""
    return number(xmp, "drone-dji:RelativeAltitude")


def _height(exif: ExifFacts, xmp: Mapping[str, str]) -> tuple[float | None, VerticalDatum, float]:
    absolute_m = number(xmp, "drone-dji:AbsoluteAltitude")
    if absolute_m is not None and number(xmp, "drone-dji:RtkFlag") == RTK_FIXED:
        return absolute_m, VerticalDatum.ELLIPSOID, CONSUMER_VERTICAL_M
    if absolute_m is not None:
        return absolute_m, VerticalDatum.BAROMETRIC, BAROMETER_VERTICAL_M
    if exif.altitude_m is not None:
        return exif.altitude_m, VerticalDatum.UNKNOWN, CONSUMER_VERTICAL_M
    relative_m = relative_height_m_of(xmp)
    if relative_m is not None:
        return relative_m, VerticalDatum.TAKEOFF_RELATIVE, BAROMETER_VERTICAL_M
    return None, VerticalDatum.UNKNOWN, CONSUMER_VERTICAL_M


def _rtk_sigmas_m(xmp: Mapping[str, str]) -> tuple[float, float] | None:
    """Horizontal and vertical standard deviation that a fixed or float RTK solution states."""
    if number(xmp, "drone-dji:RtkFlag") not in (RTK_FIXED, RTK_FLOAT):
        return None
    lon, lat, height = (number(xmp, f"drone-dji:RtkStd{axis}") for axis in ("Lon", "Lat", "Hgt"))
    if lon is None or lat is None or height is None or min(lon, lat, height) <= 0:
        return None
    return max(lon, lat, RTK_FLOOR_M[0]), max(height, RTK_FLOOR_M[1])


def _xmp_lonlat_deg(xmp: Mapping[str, str]) -> tuple[float, float] | None:
    lat = number(xmp, "drone-dji:GpsLatitude", "drone-dji:Latitude")
    lon = number(
        xmp, "drone-dji:GpsLongitude", "drone-dji:GpsLongtitude", "drone-dji:Longitude"
    )  # "Longtitude" is how DJI spelt it for years
    return None if lat is None or lon is None else checked_lonlat_deg(lon, lat)
