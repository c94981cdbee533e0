"""A focal length in pixels: which origin is believed, for which picture, and how far."""

import csv
import math
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.media.exif import ExifFacts
from aftermap.media.sensors import focal_prior, focal_px_of_35mm, sensor_of
from aftermap.model.media import FocalPrior, FocalSource

PHANTOM_4_PRO = ExifFacts(make="DJI", model="FC6310", focal_mm=8.8, focal_35mm_mm=24)
MAVIC_3E = ExifFacts(make="DJI", model="M3E", focal_mm=12.29, focal_35mm_mm=24)
MAVIC_3E_XMP = {
    "drone-dji:CalibratedFocalLength": "3725.151611",
    "drone-dji:CalibratedOpticalCenterX": "2640.000000",
    "drone-dji:CalibratedOpticalCenterY": "1978.000000",
    "drone-dji:DewarpData": "2022-06-08;3713.29,3713.29,7.02,-8.72,-0.1126,0.0149,0,0,-0.027",
    "drone-dji:DewarpFlag": "0",
}


def relative_sigma(prior: FocalPrior) -> float:
    return prior.sigma_px / prior.focal_px


@given(
    focal_px=st.floats(200, 60_000),
    long_px=st.integers(300, 12_000),
    aspect=st.floats(1.0, 1.59),
    portrait=st.booleans(),
)
def test_a_35mm_equivalent_is_defined_by_the_diagonal(
    *, focal_px: float, long_px: int, aspect: float, portrait: bool
) -> None:
    short_px = math.ceil(long_px / aspect)
    size_px = (short_px, long_px) if portrait else (long_px, short_px)
    equivalent_mm = focal_px / math.hypot(*size_px) * math.hypot(36, 24)
    assert focal_px_of_35mm(equivalent_mm, size_px) == pytest.approx(focal_px)


@given(
    focal_mm=st.floats(2, 50),
    pixel_mm=st.floats(0.0008, 0.006),
    scale=st.floats(0.1, 1.0),
)
def test_making_a_picture_smaller_makes_its_focal_length_smaller(
    focal_mm: float, pixel_mm: float, scale: float
) -> None:
    exif = ExifFacts(focal_mm=focal_mm, pixel_mm=pixel_mm, original_px=(8000, 6000))
    size_px = (round(8000 * scale), round(6000 * scale))
    prior = focal_prior(exif, {}, size_px)
    sensible = 2 <= 8000 * pixel_mm <= 60 and 0.2 < focal_mm / pixel_mm / 8000 < 30
    if sensible:
        assert prior.source is FocalSource.FOCAL_PLANE_RESOLUTION
        expected_px = focal_mm / pixel_mm * size_px[0] / 8000
        assert prior.focal_px == pytest.approx(expected_px, rel=1e-9)
    else:
        assert prior.source is FocalSource.ASSUMED


def test_the_cameras_own_calibration_comes_first() -> None:
    prior = focal_prior(MAVIC_3E, MAVIC_3E_XMP, (5280, 3956))
    assert prior.source is FocalSource.XMP_CALIBRATED
    assert prior.focal_px == pytest.approx(3713.29)
    assert relative_sigma(prior) == pytest.approx(0.005)


def test_a_calibration_that_the_camera_has_applied_is_not_applied_twice() -> None:
    prior = focal_prior(MAVIC_3E, MAVIC_3E_XMP | {"drone-dji:DewarpFlag": "1"}, (5280, 3956))
    assert prior.focal_px == pytest.approx(3725.151611)
    assert relative_sigma(prior) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("size_px", "expected_px"),
    [
        ((2640, 1978), 3713.29 / 2),  # made smaller
        ((1978, 2640), 3713.29 / 2),  # made smaller and stored upright
        ((5280, 2970), 3713.29),  # 16:9 photograph: the full width
        ((3956, 3956), 3713.29),  # square crop: the full height
    ],
)
def test_a_calibration_follows_the_picture(size_px: tuple[int, int], expected_px: float) -> None:
    prior = focal_prior(MAVIC_3E, MAVIC_3E_XMP, size_px)
    assert prior.source is FocalSource.XMP_CALIBRATED
    assert prior.focal_px == pytest.approx(expected_px, rel=1e-3)


def test_a_calibration_that_nothing_else_supports_gives_way() -> None:
    xmp = {"drone-dji:CalibratedFocalLength": "9000"}
    prior = focal_prior(PHANTOM_4_PRO, xmp, (5472, 3648))
    assert prior.source is FocalSource.SENSOR_DATABASE
    assert prior.focal_px == pytest.approx(8.8 / 13.13 * 5472)


def test_two_origins_that_contradict_each_other_leave_a_wide_prior() -> None:
    exif = ExifFacts(make="DJI", model="FC6310", focal_mm=8.8, focal_35mm_mm=50)
    prior = focal_prior(exif, {}, (5472, 3648))
    assert prior.source is FocalSource.SENSOR_DATABASE
    assert relative_sigma(prior) > 0.3


@pytest.mark.parametrize("size_px", [(5472, 3648), (4864, 3648), (5472, 3078), (3648, 5472)])
def test_a_crop_of_the_sensor_keeps_the_focal_length(size_px: tuple[int, int]) -> None:
    """The Phantom 4 Pro takes 3:2, 4:3 and 16:9; the lens is the same 3667 px in all of them."""
    prior = focal_prior(PHANTOM_4_PRO, {}, size_px)
    assert prior.source is FocalSource.SENSOR_DATABASE
    assert prior.focal_px == pytest.approx(3666.67, rel=0.005)
    assert relative_sigma(prior) == pytest.approx(0.02, abs=0.005)


def test_the_equivalent_of_a_wide_crop_is_that_of_the_whole_sensor() -> None:
    """A Phantom 3 writes 20 mm for 4000x3000 and for 4000x2250 alike."""
    unknown = ExifFacts(focal_35mm_mm=20)
    whole = focal_prior(unknown, {}, (4000, 3000))
    crop = focal_prior(unknown, {}, (4000, 2250))
    assert crop.focal_px == pytest.approx(whole.focal_px)
    assert relative_sigma(whole) == pytest.approx(0.03)
    assert relative_sigma(crop) == pytest.approx(0.05)


def test_whole_millimetres_of_an_extreme_wide_lens_say_little() -> None:
    prior = focal_prior(ExifFacts(focal_35mm_mm=10), {}, (4000, 3000))
    assert relative_sigma(prior) == pytest.approx(0.05)


def test_digital_zoom_lengthens_the_lens() -> None:
    still = ExifFacts(make="DJI", model="FC2204", focal_mm=4.386)
    zoomed = ExifFacts(make="DJI", model="FC2204", focal_mm=4.386, digital_zoom=2.0)
    size_px = (4000, 3000)
    twice = 2 * focal_prior(still, {}, size_px).focal_px
    assert focal_prior(zoomed, {}, size_px).focal_px == pytest.approx(twice)


def test_nothing_known_is_a_wide_guess() -> None:
    prior = focal_prior(ExifFacts(), {}, (1440, 2560))
    assert (prior.source, prior.focal_px) == (FocalSource.ASSUMED, 2176.0)
    assert relative_sigma(prior) == pytest.approx(0.2)


def test_nonsense_is_not_a_focal_length() -> None:
    exif = ExifFacts(focal_mm=1e9, pixel_mm=0.001, focal_35mm_mm=1e6)
    xmp = {"drone-dji:CalibratedFocalLength": "nan", "drone-dji:DewarpData": "x;;,,"}
    assert focal_prior(exif, xmp, (4000, 3000)).source is FocalSource.ASSUMED


def test_the_thermal_camera_beside_a_colour_camera_has_another_sensor() -> None:
    thermal = ExifFacts(make="DJI", model="M3T", focal_mm=9.1, focal_35mm_mm=40)
    assert sensor_of(thermal, (640, 512)) is None
    assert sensor_of(thermal, (4000, 3000)).width_mm == 6.40


def test_one_name_for_two_cameras_is_told_apart_by_the_picture() -> None:
    exif = ExifFacts(make="DJI", model="ZH20T")
    wide, zoom = sensor_of(exif, (4056, 3040)), sensor_of(exif, (5184, 3888))
    assert wide is not None
    assert zoom is not None
    assert (wide.width_mm, zoom.width_mm) == (6.29, 7.53)
    assert sensor_of(exif, (3000, 2250)) is None
    smaller = ExifFacts(make="DJI", model="ZH20T", original_px=(4056, 3040))
    assert sensor_of(smaller, (2028, 1520)) == wide


@pytest.mark.parametrize(
    ("make", "model", "width_mm"),
    [
        ("DJI", "fc6310s", 13.13),
        ("Canon", "Canon PowerShot A3300 IS", 6.16),
        ("Hasselblad", "L1D-20c", 13.13),
        ("Autel Robotics", "XT705", 13.13),
        ("GoPro", "HERO4 Black", 6.17),
        ("PARROT", "Anafi", 5.99),
    ],
)
def test_makes_and_models_are_found_as_cameras_write_them(
    make: str, model: str, width_mm: float
) -> None:
    assert sensor_of(ExifFacts(make=make, model=model), (4000, 3000)).width_mm == width_mm


def test_every_row_of_the_table_is_a_possible_sensor() -> None:
    text = (files("aftermap.media") / "sensors.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    keys = [(row["make"], row["model"], row["long_side_px"]) for row in rows]
    assert len(set(keys)) == len(rows) > 90
    for row in rows:
        width_mm, height_mm = float(row["width_mm"]), float(row["height_mm"])
        assert 1.2 < width_mm / height_mm < 1.8, row
        assert 4 < width_mm <= 36, row
        assert row["basis"], row


@pytest.mark.parametrize(
    ("model", "focal_mm", "equivalent_mm", "size_px"),
    [
        ("FC300S", 3.61, 20, (4000, 3000)),
        ("FC330", 3.61, 20, (4000, 3000)),
        ("FC220", 4.73, 26, (4000, 3000)),
        ("FC6310", 8.8, 24, (5472, 3648)),
        ("L1D-20c", 10.26, 28, (5472, 3648)),
        ("FC3411", 8.38, 22, (5472, 3648)),
        ("L2D-20c", 12.29, 24, (5280, 3956)),
        ("FC3170", 4.49, 24, (4000, 3000)),
        ("FC3582", 6.72, 24, (4032, 3024)),
        ("FC7303", 4.49, 24, (4000, 3000)),
        ("FC2103", 4.5, 24, (4056, 3040)),
        ("FC1102", 4.5, 25, (3968, 2976)),
        ("FC8482", 6.72, 24, (4032, 3024)),
        ("M3T", 4.4, 24, (4000, 3000)),
        ("FC2204", 4.386, 24, (4000, 3000)),
        ("FC7203", 4.49, 24, (4000, 3000)),
    ],
)
def test_sensors_agree_with_the_equivalents_that_their_cameras_write(
    model: str, focal_mm: float, equivalent_mm: float, size_px: tuple[int, int]
) -> None:
    """Two independent accounts of one lens; whole millimetres alone are 2.5 % apart at 20 mm."""
    exif = ExifFacts(make="DJI", model=model, focal_mm=focal_mm)
    from_sensor = focal_prior(exif, {}, size_px)
    assert from_sensor.source is FocalSource.SENSOR_DATABASE
    from_equivalent_px = focal_px_of_35mm(equivalent_mm, size_px)
    assert from_sensor.focal_px == pytest.approx(from_equivalent_px, rel=0.055)
