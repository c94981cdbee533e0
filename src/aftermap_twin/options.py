"""What can be asked of the twin, and what it hands back. Lengths in metres, angles in degrees."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aftermap.model.assessment import Grade

CRS = "EPSG:32637"
ORIGIN_M = (500_900.0, 3_978_400.0, 245.0)
"""East, north and height of the district's own (0, 0, 0): Raqqa, north bank of the Euphrates."""


class Flight(StrEnum):
    """How the district is flown over."""

    NADIR = "nadir"
    OBLIQUE = "oblique"
    MIXED = "mixed"


class Style(StrEnum):
    """What kind of district is flown over. Styles share neither buildings nor damage."""

    CITY = "city"
    VILLAGE = "village"
    BLOCKS = "blocks"


@dataclass(frozen=True, kw_only=True)
class TwinOptions:
    """One district and one flight over it. The same options give the same bytes.

    Attributes:
        seed: chooses the district, its damage and all noise.
        style: the kind of district.
        variety: more kinds of roof, damage, weather and sun; of the city only, others always vary.
        flight: straight down, looking in from four sides, or both.
        photos: about how many photographs (a whole number of flight lines is flown).
        width_px: picture width; the lens keeps its angle of view (73.7 degrees).
        height_px: picture height.
        ground_sample_m: size of a pixel on flat ground below the camera; sets the flying height.
        forward_overlap: share of a picture that the next one along the line shows again.
        side_overlap: share of a picture that the next line shows again.
        gps_sigma_m: white noise of the written positions, east, north and up (one sigma).
        relative_height_sigma_m: white noise of the written height above take-off.
        focal_error: relative error of every written focal length; the true focal stays.
        calibrated_focal: write DJI's CalibratedFocalLength and optical centre.
        gps: write positions at all.
        distortion: true k1, k2, p1, p2 of the lens (Brown 1966).
        principal_point_px: true offset of the principal point from the picture's centre.
        tilt_sigma_deg: jitter of the gimbal about each axis.
        height_sigma_m: jitter of the aircraft's height.
        exposure_sigma: relative variation of exposure from picture to picture.
        damage_mix: shares of the grades none, light, moderate, severe, destroyed.
        relief_m: height range of the gently rolling ground; 0 gives level ground.
        flat: leave out everything that stands on the ground.
        marks: number of painted control marks; fewer where there is no room.
        click_sigma_px: noise of the mark positions in gcp_list.txt.
        sun_azimuth_deg: where the sun stands, clockwise from north.
        sun_elevation_deg: how high it stands.
        jpeg_quality: of the written pictures.
        readout_s: how long the shutter rolls from the first row to the last; 0 exposes all at once.
    """

    seed: int = 1
    style: Style = Style.CITY
    variety: bool = False
    flight: Flight = Flight.NADIR
    photos: int = 99
    width_px: int = 1200
    height_px: int = 900
    ground_sample_m: float = 0.077
    forward_overlap: float = 0.75
    side_overlap: float = 0.65
    gps_sigma_m: tuple[float, float, float] = (1.0, 1.0, 1.5)
    relative_height_sigma_m: float = 0.3
    focal_error: float = 0.0
    calibrated_focal: bool = True
    gps: bool = True
    distortion: tuple[float, float, float, float] = (-0.02, 0.008, 0.0004, -0.0003)
    principal_point_px: tuple[float, float] = (2.4, -1.7)
    tilt_sigma_deg: float = 1.0
    height_sigma_m: float = 0.8
    exposure_sigma: float = 0.06
    damage_mix: tuple[float, float, float, float, float] = (0.3, 0.25, 0.2, 0.15, 0.1)
    relief_m: float = 1.5
    flat: bool = False
    marks: int = 12
    click_sigma_px: float = 0.3
    sun_azimuth_deg: float = 222.0
    sun_elevation_deg: float = 50.0
    jpeg_quality: int = 93
    readout_s: float = 0.0

    @property
    def focal_px(self) -> float:
        """True focal length in pixels: 8.8 mm behind a sensor 13.2 mm wide."""
        return self.width_px * 8.8 / 13.2

    @property
    def params(self) -> tuple[float, ...]:
        """True lens as COLMAP's OPENCV model: fx, fy, cx, cy, k1, k2, p1, p2."""
        centre = (
            self.width_px / 2 + self.principal_point_px[0],
            self.height_px / 2 + self.principal_point_px[1],
        )
        return (self.focal_px, self.focal_px, *centre, *self.distortion)


@dataclass(frozen=True, kw_only=True)
class TwinSummary:
    """What was made: where it lies and how much of it there is."""

    folder: Path
    photos: int
    buildings: int
    by_grade: dict[Grade, int]
    blocked_streets: int
    streets: int
    marks: int
    gcp_list: Path
    area_m2: float
