"""GoPro's GPMF, made up: one payload a second, a stream in it."""

import struct
from pathlib import Path

import pytest
from telemetry_files import HERE, device, entry, gps5

from aftermap.errors import InputError
from aftermap.media.telemetry import track_in
from aftermap.model.telemetry import Track


def read(tmp_path: Path, data: bytes) -> Track:
    path = tmp_path / "gopro.raw"
    path.write_bytes(data)
    return track_in(path, name=path.name, sha256="0" * 64)


def test_gps5_is_spread_over_its_payload_and_scaled(tmp_path: Path) -> None:
    track = read(tmp_path, gps5(HERE, HERE) + gps5(HERE, HERE))
    assert [round(float(sample.time_s), 4) for sample in track.samples] == [
        0,
        0.5005,
        1.001,
        1.5015,
    ]
    assert track.samples[0].lonlat_deg == (39.01, 35.95)
    assert track.samples[0].height_m == 250.0
    assert track.samples[1].utc == "2017-04-17T17:31:03.500500Z"
    assert track.dialect == "GoPro GPMF (GPS5, Hero Test)"
    assert track.vertical_datum == "unknown"


def test_without_a_fix_there_are_times_and_no_positions(tmp_path: Path) -> None:
    track = read(tmp_path, gps5(HERE, HERE, lock=0))
    assert [sample.lonlat_deg for sample in track.samples] == [None, None]
    assert "no fix" in track.refused[0].reason
    assert "no positions: only the time stamps can be used" in track.notes


def test_gps9_brings_a_time_and_a_fix_with_each_position(tmp_path: Path) -> None:
    def row(fix: int) -> bytes:
        return struct.pack(
            ">7i2H", 359_500_000, 390_100_000, 250_000, 0, 0, 8000, 43_200_500, 150, fix
        )

    scales = struct.pack(">9i", 10**7, 10**7, 1000, 1000, 100, 1, 1000, 100, 1)
    track = read(
        tmp_path,
        device(
            entry(b"TYPE", "c", 1, b"lllllllSS"),
            entry(b"SCAL", "l", 4, scales),
            entry(b"GPS9", "?", 32, row(3) + row(0)),
        ),
    )
    assert track.samples[0].lonlat_deg == (39.01, 35.95)
    assert track.samples[0].utc == "2021-11-26T12:00:00.500000Z"
    assert track.samples[1].lonlat_deg is None


@pytest.mark.parametrize("key", [b"GPRI", b"GLPI"])
def test_karma_writes_a_time_before_its_position(tmp_path: Path, key: bytes) -> None:
    rows = struct.pack(">4i", 1000, 359_500_000, 390_100_000, 250_000)
    scales = struct.pack(">4i", 1000, 10**7, 10**7, 1000)
    track = read(tmp_path, device(entry(b"SCAL", "l", 4, scales), entry(key, "l", 16, rows)))
    assert track.samples[0].lonlat_deg == (39.01, 35.95)


def test_a_payload_that_is_cut_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="truncated"):
        read(tmp_path, gps5(HERE)[:40])
