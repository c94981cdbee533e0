"""MISB KLV, raw and as it may arrive: damaged, impossible, of another standard."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from klv_bytes import flight, item, linear_unsigned_bytes, packet

from aftermap.errors import InputError
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.media.telemetry import track_in
from aftermap.media.telemetry.misb.klv import EG0104
from aftermap.media.telemetry.misb.stream import composed
from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.telemetry import Track


def read(tmp_path: Path, data: bytes) -> Track:
    path = tmp_path / "flight.klv"
    path.write_bytes(data)
    return track_in(path, name=path.name, sha256="0" * 64)


def test_st_0601_gives_the_sensors_place_angles_and_time(tmp_path: Path) -> None:
    data = packet(flight()) + packet(flight(seconds=0.5))
    track = read(tmp_path, data)
    first, second = track.samples
    assert first.lonlat_deg == pytest.approx((39.01, 35.95), abs=1e-6)
    assert first.height_m == pytest.approx(1500, abs=0.2)
    assert track.vertical_datum is VerticalDatum.GEOID
    assert first.hfov_deg == pytest.approx(30, abs=0.01)
    assert first.attitude is not None
    assert abs(first.attitude.yaw_deg) == pytest.approx(180, abs=0.01)  # heading 90, right 90
    assert first.attitude.pitch_deg == pytest.approx(-45, abs=0.01)
    assert first.utc == "2020-09-13T12:26:40Z"
    assert (track.clock, float(second.time_s)) == ("recorder", 0.5)


def test_a_height_above_the_ellipsoid_counts_before_one_above_the_sea(tmp_path: Path) -> None:
    track = read(tmp_path, packet(flight() | {75: linear_unsigned_bytes(1524, -900, 19_000, 2)}))
    assert track.vertical_datum is VerticalDatum.ELLIPSOID
    assert track.samples[0].height_m == pytest.approx(1524, abs=0.2)


def test_leap_seconds_that_are_sent_are_taken_off(tmp_path: Path) -> None:
    track = read(tmp_path, packet(flight() | {136: b"\x1e"}))
    assert track.samples[0].utc == "2020-09-13T12:26:10Z"


def test_a_wrong_checksum_costs_its_packet_and_is_listed(tmp_path: Path) -> None:
    track = read(tmp_path, packet(flight()) + packet(flight(), sum_off=1) + packet(flight()))
    assert len(track.samples) == 2
    assert [(r.name, r.reason) for r in track.refused] == [("packet 2", "its checksum is wrong")]


def test_nothing_is_left_where_every_checksum_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its checksum is wrong"):
        read(tmp_path, packet(flight(), sum_off=1))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({13: b"\x80\0\0\0"}, "missing or out of range"),
        ({14: b""}, "missing or out of range"),
        ({13: b"\0\0\0\0", 14: b"\0\0\0\0"}, "0, 0 (no GPS fix)"),
    ],
)
def test_impossible_coordinates_are_refused_and_the_angles_kept(
    tmp_path: Path, changed: dict[int, bytes], reason: str
) -> None:
    track = read(tmp_path, packet(flight() | changed))
    assert track.samples[0].lonlat_deg is None
    assert track.samples[0].attitude is not None
    assert reason in track.refused[0].reason


def test_a_cut_packet_and_noise_between_packets_cost_nothing_else(tmp_path: Path) -> None:
    data = packet(flight()) + b"noise" + packet(flight(seconds=1)) + packet(flight())[:60]
    track = read(tmp_path, data)
    assert len(track.samples) == 2
    reasons = {one.reason for one in track.refused}
    assert reasons == {"bytes outside any packet", "truncated"}


def test_a_platform_without_heading_gives_no_angles(tmp_path: Path) -> None:
    items = flight()
    del items[5]
    assert read(tmp_path, packet(items)).samples[0].attitude is None


def eg0104_item(label: str, value: bytes) -> bytes:
    return bytes.fromhex("060e2b3401010101" + label) + bytes([len(value)]) + value


def test_eg_0104_gives_the_sensors_place(tmp_path: Path) -> None:
    body = b"".join(
        [
            eg0104_item("0702010101050000", (1_600_000_000_000_000).to_bytes(8, "big")),
            eg0104_item("0701020102040200", struct.pack(">d", 35.95)),
            eg0104_item("0701020102060200", struct.pack(">d", 39.01)),
            eg0104_item("0701020102020000", struct.pack(">f", 1500.0)),
            eg0104_item("0420020101080000", struct.pack(">f", 12.5)),
        ]
    )
    track = read(tmp_path, EG0104 + b"\x82" + len(body).to_bytes(2, "big") + body)
    assert track.dialect == "MISB EG 0104"
    assert track.samples[0].lonlat_deg == (39.01, 35.95)
    assert (track.samples[0].height_m, track.samples[0].hfov_deg) == (1500.0, 12.5)
    assert track.samples[0].utc == "2020-09-13T12:26:40Z"


def test_items_that_are_longer_than_a_byte_says_are_read(tmp_path: Path) -> None:
    track = read(tmp_path, packet(flight() | {3: b"m" * 200}))
    assert track.samples[0].lonlat_deg is not None
    assert len(item(3, b"m" * 200)) == 204


angle = st.floats(-179, 179)


@given(yaw=angle, pitch=st.floats(-80, 80), roll=angle)
def test_a_level_platform_to_the_north_changes_nothing(
    yaw: float, pitch: float, roll: float
) -> None:
    turned = composed(
        Attitude(yaw_deg=0, pitch_deg=0, roll_deg=0),
        Attitude(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll),
    )
    assert (turned.yaw_deg, turned.pitch_deg, turned.roll_deg) == pytest.approx(
        (yaw, pitch, roll), abs=1e-6
    )


@given(heading=angle, azimuth=angle, elevation=st.floats(-80, 80))
def test_on_a_level_platform_azimuths_add_up(
    heading: float, azimuth: float, elevation: float
) -> None:
    turned = composed(
        Attitude(yaw_deg=heading, pitch_deg=0, roll_deg=0),
        Attitude(yaw_deg=azimuth, pitch_deg=elevation, roll_deg=0),
    )
    assert np.allclose(
        rotation_cam_from_world(turned.yaw_deg, turned.pitch_deg, turned.roll_deg),
        rotation_cam_from_world(heading + azimuth, elevation, 0),
    )


def test_a_sensor_that_looks_right_from_a_right_bank_looks_down() -> None:
    turned = composed(
        Attitude(yaw_deg=0, pitch_deg=0, roll_deg=30),
        Attitude(yaw_deg=90, pitch_deg=0, roll_deg=0),
    )
    assert (turned.yaw_deg, turned.pitch_deg) == pytest.approx((90, -30))
