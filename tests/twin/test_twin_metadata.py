import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_district import Made, small

from aftermap.geo.crs import WGS84, transformed_xy
from aftermap_twin.exif import claims, write_photo
from aftermap_twin.flight import stations_of
from aftermap_twin.options import CRS, ORIGIN_M, TwinOptions

EXIF_IFD, GPS_IFD = 0x8769, 0x8825


def exif_of(path: Path, ifd: int) -> dict[int, object]:
    with Image.open(path) as image:
        return dict(image.getexif().get_ifd(ifd))


def xmp_of(path: Path) -> dict[str, float]:
    with Image.open(path) as image:
        text = image.info["xmp"].decode()
    return {name: float(value) for name, value in re.findall(r'drone-dji:(\w+)="([^"]+)"', text)}


def degrees(parts: object) -> float:
    whole, minutes, seconds = (float(part) for part in parts)  # type: ignore[attr-defined]
    return whole + minutes / 60 + seconds / 3600


def test_the_written_position_is_the_true_one_plus_the_noise_that_was_put_in(made: Made) -> None:
    claim = claims(made.options, stations_of(made.options))[0]
    gps = exif_of(made.photo(claim.name), GPS_IFD)
    lonlat = (degrees(gps[4]), degrees(gps[2]))
    assert (gps[1], gps[3]) == ("N", "E")
    assert lonlat == pytest.approx((claim.lon_deg, claim.lat_deg), abs=1e-7)
    assert float(gps[6]) == pytest.approx(claim.height_m, abs=0.01)  # type: ignore[arg-type]
    true = made.truth("cameras.json")["frames"][0]["position_m"]
    written = transformed_xy(WGS84, CRS, [lonlat])[0]
    assert np.linalg.norm(written - true[:2]) < 5 * max(made.options.gps_sigma_m)


def test_gps_noise_has_the_stated_sigma() -> None:
    options = TwinOptions(photos=600, gps_sigma_m=(1.0, 2.0, 3.0), relative_height_sigma_m=0.3)
    stations = stations_of(options)
    written = claims(options, stations)
    true = np.array([station.position_m for station in stations]) + ORIGIN_M
    lonlat = [(claim.lon_deg, claim.lat_deg) for claim in written]
    heights = np.array([(claim.height_m, claim.relative_height_m) for claim in written])
    error = np.column_stack([transformed_xy(WGS84, CRS, lonlat), heights[:, 0]]) - true
    relative = heights[:, 1] - (true[:, 2] - ORIGIN_M[2])
    limit = 4 / math.sqrt(2 * len(written))
    assert error.std(0) == pytest.approx([1, 2, 3], rel=limit)
    assert relative.std() == pytest.approx(0.3, rel=limit)
    assert np.abs(error.mean(0) / [1, 2, 3]).max() < 4 / math.sqrt(len(written))


def test_every_written_focal_length_carries_the_same_error_and_no_other(made: Made) -> None:
    path = made.photo("DJI_0001.JPG")
    exif, xmp = exif_of(path, EXIF_IFD), xmp_of(path)
    true = made.truth("cameras.json")["frames"][0]["focal_px"]
    width, height = made.options.width_px, made.options.height_px
    from_mm = float(exif[0x920A]) / 13.2 * width  # type: ignore[arg-type]
    from_35mm = float(exif[0xA405]) * math.hypot(width, height) / math.hypot(36, 24)  # type: ignore[arg-type]
    assert from_mm == pytest.approx(true * 1.05, rel=1e-5)
    assert xmp["CalibratedFocalLength"] == pytest.approx(true * 1.05, rel=1e-5)
    assert from_35mm == pytest.approx(true * 1.05, rel=0.5 / 24)
    assert xmp["CalibratedOpticalCenterX"] == pytest.approx(made.options.params[2], abs=1e-3)


def test_gimbal_angles_and_heights_are_what_a_drone_would_believe(made: Made) -> None:
    for station in stations_of(made.options):
        xmp = xmp_of(made.photo(station.name))
        assert -90 <= xmp["GimbalPitchDegree"] < -89
        turn = (xmp["GimbalYawDegree"] - station.reported_deg[0] + 180) % 360 - 180
        assert abs(turn) <= 0.05 + 1e-9
        assert abs(xmp["RelativeAltitude"] - station.position_m[2]) < 1.5


def test_positions_and_calibration_can_be_left_out(tmp_path: Path) -> None:
    options = small(gps=False, calibrated_focal=False)
    claim = claims(options, stations_of(options))[0]
    path = tmp_path / claim.name
    write_photo(path, np.zeros((240, 320, 3), np.uint8), claim, options)
    assert not exif_of(path, GPS_IFD)
    fields = xmp_of(path)
    assert "AbsoluteAltitude" not in fields
    assert "GpsLatitude" not in fields
    assert "CalibratedFocalLength" not in fields
    assert float(exif_of(path, EXIF_IFD)[0x920A]) > 0  # type: ignore[arg-type]
