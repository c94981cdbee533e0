"""CSV logs and GPX, which file belongs to which clip, and djmd without ExifTool."""

from pathlib import Path

import pytest
from telemetry_files import AIRDATA, DJI, GPX, LITCHI, WHOLE

from aftermap.errors import InputError
from aftermap.media.telemetry import sidecars_of, track_in
from aftermap.media.telemetry.exiftool import exiftool_draft, samples_in
from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.telemetry import Track


def read(tmp_path: Path, name: str, text: str) -> Track:
    (tmp_path / name).write_text(text, "utf-8")
    return track_in(tmp_path / name, name=name, sha256="0" * 64)


def test_airdata_is_in_feet_and_angles_of_the_gimbal(tmp_path: Path) -> None:
    track = read(tmp_path, "log.csv", AIRDATA)
    first, second = track.samples
    assert track.dialect == "AirData CSV"
    assert first.lonlat_deg == (39.01, 35.95)
    assert (first.height_m, first.relative_height_m) == pytest.approx((274.32, 30.48))
    assert track.vertical_datum is VerticalDatum.BAROMETRIC
    assert first.attitude == Attitude(yaw_deg=359.5, pitch_deg=-45, roll_deg=0)
    assert float(second.time_s) == 0.1
    assert first.utc == "2024-05-01T10:00:00Z"


def test_litchi_is_above_take_off(tmp_path: Path) -> None:
    track = read(tmp_path, "log.csv", LITCHI)
    assert track.vertical_datum is VerticalDatum.TAKEOFF_RELATIVE
    assert track.samples[0].height_m == 50.5
    assert track.samples[0].attitude == Attitude(yaw_deg=12, pitch_deg=-90, roll_deg=0)
    assert track.samples[0].recorded_at == "2024-05-01T13:00:00.100000"


def test_dji_logs_hold_the_operators_place_and_it_is_withheld(tmp_path: Path) -> None:
    track = read(tmp_path, "log.csv", DJI)
    assert track.samples[0].relative_height_m == pytest.approx(30.48)
    assert track.withheld == ("the position of the operator (HOME)",)
    assert "39.0077" not in str(track)


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "latitude,longitude\n"])
def test_other_tables_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="CSV"):
        read(tmp_path, "log.csv", text)


def test_gpx_counts_from_its_first_point(tmp_path: Path) -> None:
    track = read(tmp_path, "flight.gpx", GPX)
    assert [float(sample.time_s) for sample in track.samples] == [0, 30.5]
    assert track.samples[0].height_m == 251.5
    assert track.samples[1].lonlat_deg == (39.02, 35.95)
    assert track.clock == "recorder"
    assert (track.refused[0].name, "no time" in track.refused[0].reason) == ("point 3", True)


def test_gpx_without_times_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no time stamps"):
        read(tmp_path, "flight.gpx", '<gpx><trkpt lat="1" lon="2"></trkpt></gpx>')


@pytest.mark.parametrize("name", [*WHOLE, "a.bin"])
def test_empty_sidecars_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is empty"):
        read(tmp_path, name, "")


def test_an_unknown_sidecar_says_what_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="supported are SRT"):
        read(tmp_path, "a.bin", "nothing of the kind")


def test_a_video_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened as a video"):
        read(tmp_path, "a.mp4", "not a video at all")


def test_sidecars_are_found_by_name() -> None:
    folder = Path("card")
    names = ["DJI_0001.SRT", "dji_0001.csv", "DJI_0001_clip.srt", "DJI_00010.SRT", "DJI_0001.JPG"]
    found = sidecars_of(folder / "DJI_0001.MP4", [folder / name for name in names])
    assert [path.name for path in found] == ["DJI_0001.SRT", "DJI_0001_clip.srt", "dji_0001.csv"]
    assert sidecars_of(folder / "DJI_0001_clip.mp4", [folder / "DJI_0001.MP4.srt"])
    assert not sidecars_of(folder / "DJI_0001.MP4", [Path("other") / "DJI_0001.SRT"])


def test_djmd_without_exiftool_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="needs ExifTool"):
        exiftool_draft(Path("a.mp4"), "a.mp4")


def test_exiftools_documents_become_samples() -> None:
    tags = {
        "SourceFile": "a.mp4",
        "Doc1:SampleTime": 0,
        "Doc1:GPSLatitude": 35.95,
        "Doc1:GPSLongitude": 39.01,
        "Doc1:AbsoluteAltitude": 250.5,
        "Doc1:RelativeAltitude": 30.0,
        "Doc1:GimbalYaw": 10,
        "Doc1:GimbalPitch": -90,
        "Doc1:GimbalRoll": 0,
        "Doc2:SampleTime": 0.04,
        "Doc3:GPSLatitude": 35.95,
    }
    first, second = samples_in(tags)
    assert first.lonlat_deg == (39.01, 35.95)
    assert first.attitude == Attitude(yaw_deg=10, pitch_deg=-90, roll_deg=0)
    assert second.lonlat_deg is None
