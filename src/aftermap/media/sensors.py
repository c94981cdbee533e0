"""What a camera and its sensor are known to be -> a focal length in pixels, and how sure it is.

The facts about sensors are in ``sensors.csv``: the light-sensitive area that the largest picture
covers, from makers' data sheets (pixel pitch times count where both are published), compared
with two public collections of the same facts: OpenSfM's sensor_data.json (BSD-2-Clause) and
Theta Limited's droneModels.json, both read 2026-11.

A picture of another shape than its sensor is taken to be the largest such crop of it: 16:9 from a
4:3 sensor keeps the width, 4:3 from a 3:2 sensor keeps the height. That is what cameras do with
photographs, and it is why neither the width nor the diagonal alone will do.
"""

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aftermap.media.exif import ExifFacts
from aftermap.media.xmp import number
from aftermap.model.media import FocalPrior, FocalSource

FULL_FRAME_DIAGONAL_MM = math.hypot(36.0, 24.0)
"""The 35 mm equivalent focal length is defined by this diagonal: 43.27 mm."""

SIGMA_CALIBRATED = 0.005
SIGMA_NOMINAL = 0.01
"""CalibratedFocalLength without DewarpData is the design value of the model: on Phantom 4 RTK and
Mavic 3 Enterprise it is 0.3 % off the calibration of the single camera."""
SIGMA_DATABASE = 0.02
SIGMA_RESOLUTION = 0.05
"""Canon's compacts write a focal plane 6 % wider than their sensor (PowerShot A3300 IS)."""
SIGMA_35MM = 0.03
SIGMA_35MM_CROP = 0.05
SIGMA_ASSUMED = 0.2
ASSUMED_PER_LONG_SIDE = 0.85
AGREES = math.log(1.2)
"""Two origins that differ by more than 20 % cannot both be right."""

WIDE_ASPECT = 1.6
"""A picture wider than this is a crop, of a 4:3 sensor where nothing else is known."""
THERMAL_PX = frozenset({(1280, 1024), (640, 512), (640, 480), (336, 256), (320, 256), (160, 120)})
"""Sizes of microbolometers, which share a model name with the colour camera beside them."""

_PLAUSIBLE_PER_LONG_SIDE = (0.2, 30.0)

Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """The sensor of a camera, and how far its EXIF focal length can be off (relative)."""

    width_mm: float
    height_mm: float
    sigma: float


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    focal_px: float
    sigma: float
    source: FocalSource


def focal_prior(exif: ExifFacts, xmp: Mapping[str, str], size_px: Size) -> FocalPrior:
    """The focal length in pixels of the picture as stored, from the most trusted origin.

    In order: DJI's own calibration, the EXIF focal length over the known sensor, over the focal
    plane that the EXIF states, the 35 mm equivalent; else 0.85 of the long side is assumed. An
    origin that is 20 % away from all others gives way to the first that has company. The standard
    deviation is the origin's own, or half its distance from the nearest other if that is more.
    """
    long_px = max(size_px)
    candidates = [c for c in _candidates(exif, xmp, size_px) if _plausible(c.focal_px, long_px)]
    if not candidates:
        assumed = ASSUMED_PER_LONG_SIDE * long_px
        sigma_px = SIGMA_ASSUMED * assumed
        return FocalPrior(focal_px=assumed, sigma_px=sigma_px, source=FocalSource.ASSUMED)
    best = next((c for c in candidates if _distance(c, candidates) <= AGREES), candidates[0])
    sigma = best.sigma
    if best.source is not FocalSource.XMP_CALIBRATED or _distance(best, candidates) > AGREES:
        apart = _distance(best, candidates)
        sigma = max(sigma, apart / 2 if math.isfinite(apart) else 0.0)
    return FocalPrior(focal_px=best.focal_px, sigma_px=sigma * best.focal_px, source=best.source)


def focal_px_of_35mm(focal_35mm_mm: float, size_px: Size, sensor: Sensor | None = None) -> float:
    """Pixels of a 35 mm equivalent, by the diagonal of the whole sensor that the picture is of.

    Cameras write the same equivalent for a 16:9 crop as for the full picture (a Phantom 3 writes
    20 mm for both), so the diagonal is that of the uncropped picture.
    """
    long_px, short_px = max(size_px), min(size_px)
    if sensor is not None:
        long_mm, short_mm = _sides_mm(sensor)
        diagonal_px = math.hypot(long_mm, short_mm) / _pixel_mm(sensor, size_px)
    elif long_px / short_px > WIDE_ASPECT:
        diagonal_px = math.hypot(1, 3 / 4) * long_px
    else:
        diagonal_px = math.hypot(long_px, short_px)
    return focal_35mm_mm * diagonal_px / FULL_FRAME_DIAGONAL_MM


def sensor_of(exif: ExifFacts, size_px: Size) -> Sensor | None:
    """The sensor behind a make and model, or None where it is not known.

    Where one name stands for several cameras, the long side of the picture as first taken tells
    them apart.
    """
    if exif.model is None or (max(size_px), min(size_px)) in THERMAL_PX:
        return None
    known = _sensors().get(_key(exif.make or "", exif.model), {})
    long_px = round(max(size_px) / _shrink(exif, size_px))
    return known.get(long_px, known.get(None))


def _candidates(exif: ExifFacts, xmp: Mapping[str, str], size_px: Size) -> list[_Candidate]:
    sensor = sensor_of(exif, size_px)
    found = [
        _calibrated(exif, xmp, size_px),
        _from_sensor(exif, sensor, size_px),
        _from_resolution(exif, size_px),
        _from_35mm(exif, sensor, size_px),
    ]
    return [candidate for candidate in found if candidate is not None]


def _calibrated(exif: ExifFacts, xmp: Mapping[str, str], size_px: Size) -> _Candidate | None:
    """DJI's calibration, written for the full picture: pixels there, brought to pixels here."""
    focal_px, sigma = _dewarp_focal_px(xmp), SIGMA_CALIBRATED
    if focal_px is None:
        focal_px, sigma = number(xmp, "drone-dji:CalibratedFocalLength"), SIGMA_NOMINAL
    if focal_px is None or focal_px <= 0:
        return None
    scale = _calibration_scale(exif, xmp, size_px)
    return _Candidate(focal_px=focal_px * scale, sigma=sigma, source=FocalSource.XMP_CALIBRATED)


def _dewarp_focal_px(xmp: Mapping[str, str]) -> float | None:
    """Mean of fx and fy in "date;fx,fy,cx,cy,k1,..."; None where the camera has applied it."""
    if number(xmp, "drone-dji:DewarpFlag") == 1:
        return None
    values = xmp.get("drone-dji:DewarpData", "").rpartition(";")[2].split(",")
    named = dict(zip(("fx", "fy"), values, strict=False))
    fx, fy = number(named, "fx"), number(named, "fy")
    return (fx + fy) / 2 if fx is not None and fy is not None and min(fx, fy) > 0 else None


def _calibration_scale(exif: ExifFacts, xmp: Mapping[str, str], size_px: Size) -> float:
    """Stored pixels per calibrated pixel.

    Twice the optical centre is the calibrated picture's size to about 5 %, so a scale that near
    to 1, or to the EXIF's own, is taken to be that.
    """
    shrink = _shrink(exif, size_px)
    centre_x = number(xmp, "drone-dji:CalibratedOpticalCenterX")
    centre_y = number(xmp, "drone-dji:CalibratedOpticalCenterY")
    if centre_x is None or centre_y is None or min(centre_x, centre_y) <= 0:
        return shrink
    sides = max(centre_x, centre_y), min(centre_x, centre_y)
    scale = max(max(size_px) / (2 * sides[0]), min(size_px) / (2 * sides[1]))
    return next((s for s in (1.0, shrink) if abs(scale / s - 1) < 0.05), scale)


def _from_sensor(exif: ExifFacts, sensor: Sensor | None, size_px: Size) -> _Candidate | None:
    if sensor is None or exif.focal_mm is None:
        return None
    focal_px = exif.focal_mm / _pixel_mm(sensor, size_px) * exif.digital_zoom
    return _Candidate(focal_px=focal_px, sigma=sensor.sigma, source=FocalSource.SENSOR_DATABASE)


def _from_resolution(exif: ExifFacts, size_px: Size) -> _Candidate | None:
    if exif.pixel_mm is None or exif.focal_mm is None:
        return None
    shrink = _shrink(exif, size_px)
    if not 2 <= exif.pixel_mm * max(size_px) / shrink <= 60:
        return None
    focal_px = exif.focal_mm / exif.pixel_mm * shrink * exif.digital_zoom
    source = FocalSource.FOCAL_PLANE_RESOLUTION
    return _Candidate(focal_px=focal_px, sigma=SIGMA_RESOLUTION, source=source)


def _from_35mm(exif: ExifFacts, sensor: Sensor | None, size_px: Size) -> _Candidate | None:
    """The equivalent is written in whole millimetres, which is 2 % of a wide lens."""
    if exif.focal_35mm_mm is None:
        return None
    guessed_crop = sensor is None and max(size_px) / min(size_px) > WIDE_ASPECT
    sigma = max(SIGMA_35MM_CROP if guessed_crop else SIGMA_35MM, 0.5 / exif.focal_35mm_mm)
    focal_px = focal_px_of_35mm(exif.focal_35mm_mm, size_px, sensor)
    return _Candidate(focal_px=focal_px, sigma=sigma, source=FocalSource.FOCAL_35MM)


def _shrink(exif: ExifFacts, size_px: Size) -> float:
    """Stored pixels per pixel of the picture as first taken; 1 where the shapes do not match."""
    if exif.original_px is None or min(exif.original_px) <= 0:
        return 1.0
    by_long = max(size_px) / max(exif.original_px)
    by_short = min(size_px) / min(exif.original_px)
    return by_long if abs(by_long / by_short - 1) < 0.02 else 1.0


def _pixel_mm(sensor: Sensor, size_px: Size) -> float:
    """Pixel size of the largest crop of the sensor that has the shape of the picture."""
    long_mm, short_mm = _sides_mm(sensor)
    return min(long_mm / max(size_px), short_mm / min(size_px))


def _sides_mm(sensor: Sensor) -> tuple[float, float]:
    return max(sensor.width_mm, sensor.height_mm), min(sensor.width_mm, sensor.height_mm)


def _plausible(focal_px: float, long_px: int) -> bool:
    low, high = _PLAUSIBLE_PER_LONG_SIDE
    return low * long_px < focal_px < high * long_px


def _distance(candidate: _Candidate, candidates: list[_Candidate]) -> float:
    """Logarithm of the ratio to the nearest other origin; infinite where there is no other."""
    others = [c for c in candidates if c is not candidate]
    return min((abs(math.log(candidate.focal_px / c.focal_px)) for c in others), default=math.inf)


def _key(make: str, model: str) -> tuple[str, str]:
    plain_make = re.sub(r"[^a-z0-9+]", "", make.casefold())
    plain_model = re.sub(r"[^a-z0-9+]", "", model.casefold())
    return plain_make, plain_model.removeprefix(plain_make) or plain_model


@cache
def _sensors() -> Mapping[tuple[str, str], Mapping[int | None, Sensor]]:
    table: dict[tuple[str, str], dict[int | None, Sensor]] = {}
    text = (files("aftermap.media") / "sensors.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        long_px = int(row["long_side_px"]) if row["long_side_px"] else None
        table.setdefault(_key(row["make"], row["model"]), {})[long_px] = Sensor(
            width_mm=float(row["width_mm"]),
            height_mm=float(row["height_mm"]),
            sigma=float(row["sigma"] or SIGMA_DATABASE),
        )
    return table
