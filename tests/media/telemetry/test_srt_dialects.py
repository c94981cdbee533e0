"""DJI's subtitles, one sample of each dialect, made up in the manner of the drone."""

from fractions import Fraction
from pathlib import Path

import pytest
from telemetry_files import OF_2017, bracket, srt

from aftermap.errors import InputError
from aftermap.media.telemetry import track_in
from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.telemetry import Track


def read(tmp_path: Path, text: str, *, near_lonlat_deg: tuple[float, float] | None = None) -> Track:
    path = tmp_path / "clip.SRT"
    path.write_text(text, "utf-8")
    return track_in(path, name=path.name, sha256="0" * 64, near_lonlat_deg=near_lonlat_deg)


def test_mavic_pro_of_2017_writes_longitude_first_and_its_home_is_withheld(tmp_path: Path) -> None:
    track = read(tmp_path, srt(*(OF_2017.format(n, 120 + n) for n in range(3))))
    assert track.samples[0].lonlat_deg == (39.012, 35.9512)
    assert track.samples[0].time_s == Fraction(1)
    assert track.samples[0].recorded_at == "2017-08-05T14:11:00"
    assert (track.samples[0].height_m, track.samples[0].relative_height_m) == (31.5, 31.5)
    assert track.vertical_datum is VerticalDatum.TAKEOFF_RELATIVE
    assert track.sigma_horizontal_m == 5.0
    assert track.withheld == ("the position of the operator (HOME)",)
    assert "39.01," not in str(track)
    assert "35.95)" not in str(track)


def test_older_files_call_the_barometer_hb(tmp_path: Path) -> None:
    text = srt("HOME(39.01,35.95) 2017.8.5 14:11:51\nGPS(39.0121,35.9512,16) Hb:1.9 Hs:1.7")
    track = read(tmp_path, text)
    assert track.samples[0].height_m == 1.9
    assert track.samples[0].recorded_at == "2017-08-05T14:11:51"


def test_matrice_300_writes_latitude_first(tmp_path: Path) -> None:
    track = read(tmp_path, srt("2022.06.21 16:06:17\nGPS(35.9512,39.0121,0.0M) BAROMETER:0.3M"))
    assert track.samples[0].lonlat_deg == (39.0121, 35.9512)
    assert track.samples[0].height_m == 0.3


@pytest.mark.parametrize(("word", "sigma_m"), [("GPS", 3.0), ("RTK", 0.1)])
def test_phantom_writes_pitch_roll_yaw_of_aircraft_and_gimbal(
    tmp_path: Path, word: str, sigma_m: float
) -> None:
    text = srt(
        f"F/5.6, SS 400, ISO 100, EV 0, {word} (39.012100, 35.951200, 15), HOME (39.01, 35.95, "
        "-57.98m), D 698.70m, H 85.80m, H.S 0.00m/s, V.S 0.00m/s, F.PRY (2.7°, -7.0°, 99.0°), "
        "G.PRY (-24.4°, 0.5°, 110.4°)"
    )
    track = read(tmp_path, text)
    assert track.samples[0].lonlat_deg == (39.0121, 35.9512)
    assert track.samples[0].attitude == Attitude(yaw_deg=110.4, pitch_deg=-24.4, roll_deg=0.5)
    assert track.samples[0].height_m == 85.8
    assert track.sigma_horizontal_m == sigma_m
    assert "-57.98" not in str(track)


def test_mavic_mini_says_n_a_for_what_it_does_not_know(tmp_path: Path) -> None:
    rest = "D n/a, H n/a, H.S n/a, V.S n/a"
    text = srt(
        f"F/2.8, SS 30.15, ISO 260, EV -1.7, GPS (39.0121, 35.9512, 17), {rest}",
        f"F/2.8, SS 30.15, ISO 260, EV -1.7, GPS (n/a, n/a, 0), {rest}",
    )
    track = read(tmp_path, text)
    assert track.samples[0].lonlat_deg == (39.0121, 35.9512)
    assert track.samples[0].height_m is None
    assert track.samples[1].lonlat_deg is None
    assert [(r.name, r.reason) for r in track.refused] == [
        ("cue 2", "its position is n/a (no GPS fix)")
    ]


def test_mavic_2_misspells_longitude_and_multiplies_the_focal_length(tmp_path: Path) -> None:
    text = srt(
        '<font size="36">FrameCnt : 1, DiffTime : 16ms\n2020-04-02 15:19:58,720,764\n'
        "[iso : 120] [shutter : 1/2500.0] [fnum : 280] [focal_len : 240] "
        "[latitude : 35.951200] [longtitude : 39.012100] [altitude: 213.98] </font>"
    )
    sample = read(tmp_path, text).samples[0]
    assert sample.lonlat_deg == (39.0121, 35.9512)
    assert sample.height_m == 213.98
    assert sample.hfov_deg == pytest.approx(73.74, abs=0.01)  # 24 mm
    assert sample.recorded_at == "2020-04-02T15:19:58.720764"
    assert read(tmp_path, text).vertical_datum is VerticalDatum.UNKNOWN


def test_modern_drones_write_two_heights_and_sometimes_the_gimbal(tmp_path: Path) -> None:
    text = srt(
        '<font size="28">FrameCnt: 1, DiffTime: 41ms\n2026-05-27 13:10:00.015\n'
        "[focal_len: 24.00] [dzoom_ratio: 2.00], [latitude: 35.9512] [longitude: 39.0121] "
        "[rel_alt: 5.400 abs_alt: 312.744] [gb_yaw: -162.8 gb_pitch: -90.0 gb_roll: 0.0]</font>"
    )
    track = read(tmp_path, text)
    assert track.samples[0].height_m == 312.744
    assert track.samples[0].relative_height_m == 5.4
    assert track.samples[0].attitude == Attitude(yaw_deg=-162.8, pitch_deg=-90, roll_deg=0)
    assert track.samples[0].hfov_deg == pytest.approx(41.11, abs=0.01)  # 48 mm
    assert track.vertical_datum is VerticalDatum.BAROMETRIC


def test_mavic_air_gives_times_and_no_positions(tmp_path: Path) -> None:
    text = srt("2018-02-19 08:04:51,265,847\n[iso : 100] [shutter : 1/240.0] [fnum : 280]")
    track = read(tmp_path, text)
    assert track.samples[0].lonlat_deg is None
    assert track.refused == ()
    assert "no positions: only the time stamps can be used" in track.notes


def test_0_0_is_no_fix(tmp_path: Path) -> None:
    track = read(tmp_path, srt(bracket(0.0, 0.0), bracket(35.95, 39.01)))
    assert [sample.lonlat_deg for sample in track.samples] == [None, (39.01, 35.95)]
    assert track.refused[0].reason == "its position is 0, 0 (no GPS fix)"


def test_a_latitude_over_90_is_refused_and_the_axes_are_not_exchanged(tmp_path: Path) -> None:
    track = read(tmp_path, srt("GPS(35.95,110.01,14) BAROMETER:3.0"))
    assert track.samples[0].lonlat_deg is None
    assert "read longitude first as its format specifies" in track.refused[0].reason


def test_gps_and_home_in_different_orders_are_refused(tmp_path: Path) -> None:
    text = srt("HOME(35.95,39.01) 2017.08.05 14:11:51\nGPS(39.0121,35.9512,14) BAROMETER:31.5")
    track = read(tmp_path, text)
    assert track.samples[0].lonlat_deg is None
    assert "different axis orders" in track.refused[0].reason


def test_a_jump_of_100_km_is_refused_and_the_flight_is_kept(tmp_path: Path) -> None:
    places = [(35.95 + n * 1e-5, 39.01) for n in range(5)]
    places[0] = (37.0, 39.01)
    places[3] = (35.95, 41.01)
    track = read(tmp_path, srt(*(bracket(*place) for place in places)))
    kept = [sample.lonlat_deg is not None for sample in track.samples]
    assert kept == [False, True, True, False, True]
    assert all("jumps" in one.reason for one in track.refused)
    assert {one.name for one in track.refused} == {"sample 1", "sample 4"}


def test_clips_that_were_paused_and_joined_do_not_jump(tmp_path: Path) -> None:
    text = srt(
        "2019-09-27 10:31:14,259,176\n" + bracket(35.95, 39.01),
        "2019-09-27 10:50:39,460,117\n" + bracket(35.953, 39.01),
    )
    track = read(tmp_path, text)
    assert track.refused == ()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((39.01, 35.95), "with longitude and latitude swapped"),
        ((35.95, -39.01), "with the sign of the longitude inverted"),
        ((-35.95, 39.01), "with the sign of the latitude inverted"),
    ],
)
def test_positions_far_from_the_case_are_told_and_not_corrected(
    tmp_path: Path, place: tuple[float, float], words: str
) -> None:
    track = read(tmp_path, srt(bracket(*place)), near_lonlat_deg=(39.0, 35.9))
    assert track.samples[0].lonlat_deg is None
    assert words in track.refused[0].reason
    assert "km from the case" in track.refused[0].reason


def test_radians_are_converted_where_the_case_proves_them(tmp_path: Path) -> None:
    text = srt(bracket(0.627446, 0.680853))
    track = read(tmp_path, text, near_lonlat_deg=(39.0, 35.9))
    assert track.samples[0].lonlat_deg == pytest.approx((39.01, 35.95), abs=1e-3)
    assert any("in radians" in note for note in track.notes)


def test_numbers_that_could_be_radians_are_noted(tmp_path: Path) -> None:
    track = read(tmp_path, srt(bracket(0.627446, 0.680853)))
    assert track.samples[0].lonlat_deg == (0.680853, 0.627446)
    assert any("radians" in note for note in track.notes)


def test_a_file_that_is_cut_off_loses_its_last_cue_only(tmp_path: Path) -> None:
    whole = srt(bracket(35.95, 39.01), bracket(35.95, 39.01))
    track = read(tmp_path, whole[: whole.rindex("[longitude") + 8])
    assert [sample.lonlat_deg is None for sample in track.samples] == [False, True]
    assert track.refused[0].name == "cue 2"
    assert "incomplete" in track.refused[0].reason


@pytest.mark.parametrize("text", ["", "1\n00:00"])
def test_nothing_is_left_of_an_empty_or_cut_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"clip.SRT: .*copy it"):
        read(tmp_path, text)


def test_films_subtitles_are_not_telemetry(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no DJI telemetry"):
        read(tmp_path, srt("We should leave.", "Not yet."))


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    text = "\ufeff" + srt(bracket(35.95, 39.01)).replace("\n", "\r\n")
    (tmp_path / "clip.srt").write_bytes(text.encode())
    track = track_in(tmp_path / "clip.srt", name="clip.srt", sha256="0" * 64)
    assert track.samples[0].lonlat_deg == (39.01, 35.95)
