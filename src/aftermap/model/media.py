"""An original as it was received, and what its own metadata claims about where it was taken."""

from dataclasses import dataclass
from enum import StrEnum

MOST_PICTURE_PIXELS = 178_956_970
"""More than this no photograph or mask may claim: Pillow's own limit, twice its MAX_IMAGE_PIXELS.

Beyond the largest single sensors of drones (100 megapixels), half a gigabyte once unpacked."""


class VerticalDatum(StrEnum):
    """What a height is measured from. A height without one is an error."""

    ELLIPSOID = "ellipsoid"
    GEOID = "geoid"
    BAROMETRIC = "barometric"
    TAKEOFF_RELATIVE = "takeoff_relative"
    CONTROL = "control"
    GROUND = "ground"
    LOCAL = "local"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class GeoTag:
    """Where the camera said it was: WGS 84 degrees, and a height with its datum.

    ``height_m`` is None where the file gives a place but no height. The sigmas are one standard
    deviation and come from the file (RTK) or from the class of receiver.
    """

    lon_deg: float
    lat_deg: float
    height_m: float | None
    vertical_datum: VerticalDatum
    sigma_horizontal_m: float
    sigma_vertical_m: float


@dataclass(frozen=True, kw_only=True)
class Attitude:
    """Gimbal angles as DJI writes them: north-east-down, Z-Y-X order; pitch -90 is nadir.

    ``roll_deg`` is None where it was not recorded; the view is known without it.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float | None


class FocalSource(StrEnum):
    """Where a focal length was read, from the most to the least trusted."""

    XMP_CALIBRATED = "xmp_calibrated"
    SENSOR_DATABASE = "sensor_database"
    FOCAL_PLANE_RESOLUTION = "focal_plane_resolution"
    FOCAL_35MM = "exif_35mm_equivalent"
    ASSUMED = "assumed"


@dataclass(frozen=True, kw_only=True)
class FocalPrior:
    """A focal length in pixels of the stored picture, its standard deviation and its origin."""

    focal_px: float
    sigma_px: float
    source: FocalSource


@dataclass(frozen=True, kw_only=True)
class MediaItem:
    """One original. Identity is the SHA-256 of its bytes; ``name`` is what the user called it.

    Width and height are of the pixels as stored: an EXIF orientation is kept, never applied, so
    that a pixel always means the same place on the sensor. ``taken_at`` is ISO 8601 as the camera
    wrote it, with ``clock`` naming that clock ("camera local time, zone unknown" or "UTC (GNSS)").
    """

    sha256: str
    name: str
    size_bytes: int
    width_px: int
    height_px: int
    orientation: int = 1
    make: str | None = None
    camera: str | None = None
    lens_serial: str | None = None
    focal: FocalPrior
    taken_at: str | None = None
    clock: str | None = None
    geotag: GeoTag | None = None
    attitude: Attitude | None = None
    relative_height_m: float | None = None
