"""Pictures to JPEG files with the EXIF and XMP that a DJI drone writes.

What is written carries the noise that was asked for: positions, heights, gimbal angles and focal.
"""

import io
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from aftermap.geo.arrays import ByteArray
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap_twin.flight import Station
from aftermap_twin.options import CRS, ORIGIN_M, TwinOptions

MAKE, MODEL, SERIAL = "DJI", "FC6310", "0000000000000000"
ROLLING_MODEL = "ROLLING TWIN"
"""A camera that is in no table: an FC6310 has a mechanical shutter."""
SENSOR_WIDTH_MM, FOCAL_MM = 13.2, 8.8
FULL_FRAME_DIAGONAL_MM = math.hypot(36, 24)
STARTED = datetime(2025, 4, 12, 13, 5, 0)  # noqa: DTZ001 (EXIF times carry no zone)

EXIF_IFD, GPS_IFD = 0x8769, 0x8825


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a photograph claims about itself: WGS 84 degrees, metres, pixels, gimbal degrees."""

    name: str
    lon_deg: float
    lat_deg: float
    height_m: float
    relative_height_m: float
    focal_px: float
    focal_mm: float
    focal_35mm: int
    gimbal_deg: tuple[float, float, float]
    taken_at: str


def claims(options: TwinOptions, stations: tuple[Station, ...]) -> tuple[Written, ...]:
    """What every photograph will claim, noise included."""
    rng = np.random.default_rng([options.seed, 71])
    true = np.array([station.position_m for station in stations]) + ORIGIN_M
    noisy = true + rng.normal(0, 1, true.shape) * options.gps_sigma_m
    relative = true[:, 2] - ORIGIN_M[2] + rng.normal(0, options.relative_height_sigma_m, len(true))
    lonlat = transformed_xy(CRS, WGS84, noisy[:, :2])
    focal = options.focal_px * (1 + options.focal_error)
    diagonal = math.hypot(options.width_px, options.height_px)
    return tuple(
        Written(
            name=station.name,
            lon_deg=round(float(lonlat[k, 0]), 7),
            lat_deg=round(float(lonlat[k, 1]), 7),
            height_m=round(float(noisy[k, 2]), 2),
            relative_height_m=round(float(relative[k]), 2),
            focal_px=round(focal, 4),
            focal_mm=focal * SENSOR_WIDTH_MM / options.width_px,
            focal_35mm=round(focal / diagonal * FULL_FRAME_DIAGONAL_MM),
            gimbal_deg=_as_written(station.reported_deg),
            taken_at=(STARTED + timedelta(seconds=station.time_s)).strftime("%Y:%m:%d %H:%M:%S"),
        )
        for k, station in enumerate(stations)
    )


def _as_written(angles_deg: tuple[float, float, float]) -> tuple[float, float, float]:
    """To a tenth of a degree, yaw in -180..180."""
    yaw, pitch, roll = angles_deg
    return round((yaw + 180) % 360 - 180, 1), round(pitch, 1), round(roll, 1)


def write_photo(path: Path, picture: ByteArray, claim: Written, options: TwinOptions) -> bytes:
    """Write the JPEG and return its bytes.

    ``picture`` is (rows, columns, 3) uint8 sRGB colours.
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(
        buffer,
        "JPEG",
        quality=options.jpeg_quality,
        subsampling="4:2:2",
        exif=_exif(claim, options),
        xmp=_xmp(claim, options),
    )
    path.write_bytes(buffer.getvalue())
    return buffer.getvalue()


def _model(options: TwinOptions) -> str:
    return ROLLING_MODEL if options.readout_s else MODEL


def _exif(claim: Written, options: TwinOptions) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = MAKE, _model(options), 1
    exif[0x0131], exif[0x0132] = "Aftermap twin", claim.taken_at
    focal = Fraction(claim.focal_mm).limit_denominator(100_000)
    exif.get_ifd(EXIF_IFD).update(
        {
            0x829A: IFDRational(1, 800),
            0x829D: IFDRational(56, 10),
            0x8827: 100,
            0x9000: b"0230",
            0x9003: claim.taken_at,
            0x9004: claim.taken_at,
            0x920A: IFDRational(focal.numerator, focal.denominator),
            0xA002: options.width_px,
            0xA003: options.height_px,
            0xA405: claim.focal_35mm,
        }
    )
    if options.gps:
        exif.get_ifd(GPS_IFD).update(
            {
                0: b"\x02\x03\x00\x00",
                1: "N" if claim.lat_deg >= 0 else "S",
                2: _sexagesimal(claim.lat_deg),
                3: "E" if claim.lon_deg >= 0 else "W",
                4: _sexagesimal(claim.lon_deg),
                5: b"\x00" if claim.height_m >= 0 else b"\x01",
                6: IFDRational(round(abs(claim.height_m) * 1000), 1000),
            }
        )
    return exif


def _sexagesimal(angle_deg: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes and seconds; seconds to 1e-5, finer than 1e-8 degrees."""
    parts = round(abs(angle_deg) * 3600 * 100_000)
    seconds, whole = parts % 6_000_000, parts // 6_000_000
    return IFDRational(whole // 60, 1), IFDRational(whole % 60, 1), IFDRational(seconds, 100_000)


def _xmp(claim: Written, options: TwinOptions) -> bytes:
    yaw, pitch, roll = claim.gimbal_deg
    fields = {"RelativeAltitude": f"{claim.relative_height_m:+.2f}"}
    if options.gps:
        fields |= {
            "AbsoluteAltitude": f"{claim.height_m:+.2f}",
            "GpsLatitude": f"{claim.lat_deg:.7f}",
            "GpsLongitude": f"{claim.lon_deg:.7f}",
        }
    fields |= {
        "GimbalRollDegree": f"{roll:+.2f}",
        "GimbalYawDegree": f"{yaw:+.2f}",
        "GimbalPitchDegree": f"{pitch:+.2f}",
        "FlightYawDegree": f"{yaw:+.2f}",
        "CamReverse": "0",
        "GimbalReverse": "0",
    }
    if options.calibrated_focal:
        fields |= {
            "CalibratedFocalLength": f"{claim.focal_px:.4f}",
            "CalibratedOpticalCenterX": f"{options.params[2]:.4f}",
            "CalibratedOpticalCenterY": f"{options.params[3]:.4f}",
        }
    lines = "\n".join(f'   drone-dji:{name}="{value}"' for name, value in fields.items())
    date = claim.taken_at[:10].replace(":", "-")
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about="DJI Meta Data"\n'
        '   xmlns:tiff="http://ns.adobe.com/tiff/1.0/"\n'
        '   xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '   xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"\n'
        f'   xmp:CreateDate="{date}"\n'
        f'   tiff:Make="{MAKE}"\n   tiff:Model="{_model(options)}"\n'
        f"{lines}>\n"
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()
