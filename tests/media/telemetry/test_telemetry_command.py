"""``aftermap telemetry``: what a person is told."""

import json
from pathlib import Path

import pytest
from made_up_videos import video

from aftermap.cli import status_of

SRT = (
    "1\n00:00:01,000 --> 00:00:02,000\nHOME(39.0077,35.9488) 2017.08.05 14:11:51\n"
    "GPS(39.0121,35.9512,16) BAROMETER:31.5\n\n"
    "2\n00:00:06,000 --> 00:00:07,000\nHOME(39.0077,35.9488) 2017.08.05 14:11:56\n"
    "GPS(39.0122,35.9513,16) BAROMETER:33.5\n"
)


def test_it_tells_dialect_span_datum_area_gaps_and_what_is_withheld(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.srt").write_text(SRT, "utf-8")
    assert status_of(["telemetry", str(tmp_path / "clip.srt")]) == 0
    told = capsys.readouterr().out
    for words in (
        "DJI SRT of 2017",
        "2, 2 with position",
        "1.000 to 6.000 s",
        "datum takeoff_relative",
        "longitude 39.01210 to 39.01220",
        "1.0 to 6.0 s",
        "the position of the operator (HOME)",
    ):
        assert words in told
    assert "39.0077" not in told


def test_json_holds_every_sample_and_never_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.srt").write_text(SRT, "utf-8")
    assert status_of(["telemetry", "--json", str(tmp_path / "clip.srt")]) == 0
    told = capsys.readouterr().out
    (track,) = json.loads(told)
    assert [sample["time_s"] for sample in track["samples"]] == [1.0, 6.0]
    assert track["samples"][0]["lonlat_deg"] == [39.0121, 35.9512]
    assert "39.0077" not in told


def test_one_bad_file_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.srt").write_text(SRT, "utf-8")
    (tmp_path / "empty.srt").touch()
    assert status_of(["telemetry", str(tmp_path / "empty.srt"), str(tmp_path / "clip.srt")]) == 1
    told = capsys.readouterr()
    assert "DJI SRT of 2017" in told.out
    assert told.err.startswith("aftermap: empty.srt: is empty")


@pytest.mark.parametrize("near", ["39", "39,a", "35.9,139.0"])
def test_a_wrong_place_is_refused(tmp_path: Path, near: str) -> None:
    assert status_of(["telemetry", "--near", near, str(tmp_path / "clip.srt")]) == 2


def test_a_place_in_another_hemisphere_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.srt").write_text(SRT, "utf-8")
    assert status_of(["telemetry", "--near=39,-35.9", str(tmp_path / "clip.srt")]) == 0
    assert "with the sign of the latitude inverted" in capsys.readouterr().out


def test_folders_and_missing_files_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["telemetry", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err
    assert status_of(["telemetry", str(tmp_path / "none.srt")]) == 2
    assert "none.srt: does not exist" in capsys.readouterr().err


def test_a_video_without_telemetry_names_the_sidecar_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video(tmp_path / "DJI_0001.mp4")
    assert status_of(["telemetry", str(tmp_path / "DJI_0001.mp4")]) == 2
    assert "use its sidecar (SRT, KLV, GPMF, CSV, GPX) if there is one" in capsys.readouterr().err
    (tmp_path / "DJI_0001.SRT").write_text(SRT, "utf-8")
    assert status_of(["telemetry", str(tmp_path / "DJI_0001.mp4")]) == 2
    told = capsys.readouterr().err.strip()
    assert told.endswith("name its sidecar instead: DJI_0001.SRT")
    assert "\n" not in told


def test_without_a_position_nothing_is_said_of_gaps_and_sigma(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.srt").write_text(SRT, "utf-8")
    assert status_of(["telemetry", "--near=39,-35.9", str(tmp_path / "clip.srt")]) == 0
    told = capsys.readouterr().out
    assert "no positions" in told
    assert "gaps" not in told
    assert "sigma" not in told
