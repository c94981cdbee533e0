"""Numbers as cameras write them: degrees, heights, clocks and DJI's properties."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from aftermap.media.exif import ExifFacts, exif_facts
from aftermap.media.position import attitude_of, geotag_of
from aftermap.media.xmp import number, properties_in
from aftermap.model.media import Attitude, VerticalDatum

MakePhotograph = Callable[..., Path]
PLACE = ExifFacts(lonlat_deg=(39.01, 35.95), altitude_m=300.0)
RTK = {
    "drone-dji:AbsoluteAltitude": "+312.40",
    "drone-dji:RtkFlag": "50",
    "drone-dji:RtkStdLon": "0.011",
    "drone-dji:RtkStdLat": "0.034",
    "drone-dji:RtkStdHgt": "0.051",
}


def facts(gps: dict[int, Any] | None = None, camera: dict[int, Any] | None = None) -> ExifFacts:
    image = Image.new("L", (1, 1))
    image.getexif().get_ifd(0x8825).update(gps or {})
    image.getexif().get_ifd(0x8769).update(camera or {})
    return exif_facts(image)


def written(angle_deg: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes and seconds to 0.0001 seconds (3 mm on the ground), as DJI writes them."""
    ticks = round(abs(angle_deg) * 36_000_000)
    degrees, rest = divmod(ticks, 36_000_000)
    minutes, ticks = divmod(rest, 600_000)
    return IFDRational(degrees), IFDRational(minutes), IFDRational(ticks, 10_000)


@given(lon_deg=st.floats(-180, 180), lat_deg=st.floats(-90, 90))
def test_degrees_minutes_seconds_come_back_to_three_millimetres(
    lon_deg: float, lat_deg: float
) -> None:
    gps = {
        1: "N" if lat_deg >= 0 else "S",
        2: written(lat_deg),
        3: "E" if lon_deg >= 0 else "W",
        4: written(lon_deg),
    }
    lonlat = facts(gps).lonlat_deg
    if max(abs(lon_deg), abs(lat_deg)) < 1e-6:
        return  # the 0, 0 of a receiver without a fix
    assert lonlat is not None
    assert lonlat == pytest.approx((lon_deg, lat_deg), abs=1.5e-8)


@pytest.mark.parametrize(
    ("reference", "height_m"), [(0, 395.0), (1, -395.0), (2, 395.0), (3, -395.0), (None, 395.0)]
)
def test_a_height_below_the_level_is_negative(reference: int | None, height_m: float) -> None:
    gps: dict[int, Any] = {6: IFDRational(395)}
    if reference is not None:
        gps[5] = bytes([reference])
    assert facts(gps).altitude_m == height_m


@pytest.mark.parametrize(
    ("camera", "taken_at", "clock"),
    [
        ({0x9003: "2023:03:01 12:00:01"}, "2023-03-01T12:00:01", "camera local time, zone unknown"),
        (
            {0x9003: "2023:03:01 12:00:01", 0x9291: "25", 0x9011: "+03:00"},
            "2023-03-01T12:00:01.25+03:00",
            "camera local time, with the offset from UTC that the camera was set to",
        ),
        ({0x9003: "0000:00:00 00:00:00"}, None, None),
        ({0x9003: "yesterday", 0x9011: "Z"}, None, None),
    ],
)
def test_a_time_names_its_clock(
    camera: dict[int, Any], taken_at: str | None, clock: str | None
) -> None:
    found = facts(camera=camera)
    assert (found.taken_at, found.clock) == (taken_at, clock)


def test_the_clock_of_the_receiver_serves_where_the_camera_has_none() -> None:
    found = facts({7: (IFDRational(9), IFDRational(8), IFDRational(7)), 0x1D: "2023:03:01"})
    assert (found.taken_at, found.clock) == ("2023-03-01T09:08:07Z", "UTC (GNSS)")


def test_both_ways_of_writing_properties_are_read() -> None:
    attributes = properties_in(b"""<rdf:Description drone-dji:RelativeAltitude="+39.80"
        drone-dji:GimbalYawDegree='-12.5' tiff:Make = "A &amp; B"/>""")
    elements = properties_in(
        b"<rdf:Description><drone-dji:RelativeAltitude>+39.80</drone-dji:RelativeAltitude>\n"
        b"<drone-dji:GimbalYawDegree>-12.5</drone-dji:GimbalYawDegree>"
        b"<tiff:Make> A &amp; B </tiff:Make></rdf:Description>"
    )
    for found in (attributes, elements):
        assert number(found, "drone-dji:RelativeAltitude") == 39.8
        assert number(found, "drone-dji:GimbalYawDegree") == -12.5
        assert found["tiff:Make"] == "A & B"


def test_entities_are_not_expanded_and_broken_packets_do_no_harm() -> None:
    bomb = (
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY file SYSTEM "file:///etc/passwd">]>'
        b"<drone-dji:Note>&b;&file;</drone-dji:Note><drone-dji:RtkFlag>50</drone-dji:RtkFlag>"
    )
    found = properties_in(bomb)
    assert found["drone-dji:Note"] == "&b;&file;"
    assert number(found, "drone-dji:RtkFlag") == 50
    assert properties_in(None) == {}
    assert properties_in(b"\xff\xfe\x00<<<") == {}
    assert properties_in(b"<a:b>" * 100_000) == {}
    assert properties_in(b'a:b="' * 100_000) != {}


@given(st.binary(max_size=300))
def test_any_bytes_are_a_packet_of_nothing_worse_than_text(packet: bytes) -> None:
    assert all(isinstance(value, str) for value in properties_in(packet).values())


def test_an_rtk_height_is_ellipsoidal_and_as_sure_as_the_file_says() -> None:
    tag = geotag_of(PLACE, RTK)
    assert tag is not None
    assert (tag.height_m, tag.vertical_datum) == (312.4, VerticalDatum.ELLIPSOID)
    assert (tag.sigma_horizontal_m, tag.sigma_vertical_m) == (0.034, 0.051)


@pytest.mark.parametrize(("flag", "horizontal_m"), [("34", 0.034), ("16", 3.0), ("0", 3.0)])
def test_without_a_fixed_solution_the_height_is_the_barometers(
    flag: str, horizontal_m: float
) -> None:
    tag = geotag_of(PLACE, RTK | {"drone-dji:RtkFlag": flag})
    assert tag is not None
    assert (tag.height_m, tag.vertical_datum) == (312.4, VerticalDatum.BAROMETRIC)
    assert (tag.sigma_horizontal_m, tag.sigma_vertical_m) == (horizontal_m, 3.0)


def test_rtk_is_not_believed_beyond_what_a_shutter_can_do() -> None:
    sure = {"RtkStdLon": "0.001", "RtkStdLat": "0.001", "RtkStdHgt": "0.001"}
    tag = geotag_of(PLACE, RTK | {f"drone-dji:{name}": value for name, value in sure.items()})
    assert tag is not None
    assert (tag.sigma_horizontal_m, tag.sigma_vertical_m) == (0.02, 0.03)


def test_a_plain_height_has_no_known_datum_and_a_relative_one_counts_from_takeoff() -> None:
    plain = geotag_of(PLACE, {})
    relative = geotag_of(
        ExifFacts(lonlat_deg=(39.01, 35.95)), {"drone-dji:RelativeAltitude": "+60.0"}
    )
    bare = geotag_of(ExifFacts(lonlat_deg=(39.01, 35.95)), {})
    assert plain is not None
    assert relative is not None
    assert bare is not None
    assert plain.vertical_datum is VerticalDatum.UNKNOWN
    assert (relative.height_m, relative.vertical_datum) == (60.0, VerticalDatum.TAKEOFF_RELATIVE)
    assert bare.height_m is None


@pytest.mark.parametrize("spelling", ["GpsLongitude", "GpsLongtitude"])
def test_a_position_in_the_xmp_alone_is_read_in_either_spelling(spelling: str) -> None:
    tag = geotag_of(
        ExifFacts(), {"drone-dji:GpsLatitude": "35.95", f"drone-dji:{spelling}": "39.01"}
    )
    assert tag is not None
    assert (tag.lon_deg, tag.lat_deg) == (39.01, 35.95)


def test_a_zero_position_in_the_xmp_is_no_fix() -> None:
    zero = {"drone-dji:GpsLatitude": "0.0", "drone-dji:GpsLongitude": "0.0"}
    assert geotag_of(ExifFacts(), zero) is None


def test_angles_that_are_missing_or_no_angles_give_no_attitude() -> None:
    whole = {f"drone-dji:Gimbal{axis}Degree": "-90.0" for axis in ("Yaw", "Pitch", "Roll")}
    assert attitude_of(whole) == Attitude(yaw_deg=-90, pitch_deg=-90, roll_deg=-90)
    assert attitude_of({k: v for k, v in whole.items() if "Roll" not in k}) is None
    assert attitude_of(whole | {"drone-dji:GimbalYawDegree": "nan"}) is None
    assert attitude_of(whole | {"drone-dji:GimbalYawDegree": "6553.5"}) is None
