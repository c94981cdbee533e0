"""``aftermap map`` on a folder of bad clips: each gets its line, and the sound ones are placed.

None of these clips gives a map: their cameras stand still. What can be placed by telemetry is.
"""

import io
import json
import sqlite3
from contextlib import redirect_stderr, redirect_stdout
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from clumsy_clips import LAT, LON, hover, klv, srt, with_stray_time
from made_up_videos import sound

from aftermap.cli import status_of

NINETY_KHZ = Fraction(1, 90_000)


def run(*arguments):
    said, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(errors):
        status = status_of([str(one) for one in arguments])
    return SimpleNamespace(status=status, said=said.getvalue(), errors=errors.getvalue())


def fill(folder: Path) -> None:
    """One clip for each thing that goes wrong, beside a sound one that comes first."""
    sound_one = hover(folder / "00_hover.mp4", 1)
    srt(folder / "00_hover.SRT")
    whole = sound_one.read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    (folder / "empty.mp4").write_bytes(b"")
    sound(folder / "sound.mp4")
    hover(folder / "one.mp4", 2, pictures=1)
    uneven = [0, 200, 250, 800, 1000, 1400, 1450, 2000, 2200, 2400, 2450, 2600, 2700, 2800, 2900]
    hover(folder / "uneven.mkv", 3, ticks=uneven, time_base_s=Fraction(1, 1000))
    srt(folder / "uneven.SRT")
    hover(folder / "turned.mp4", 4, turn_deg=90)
    srt(folder / "turned.SRT")
    wrapping = [2**33 - 90_000 + 18_000 * number for number in range(15)]
    hover(folder / "wrapping.ts", 5, ticks=wrapping, time_base_s=NINETY_KHZ)
    srt(folder / "wrapping.SRT")
    stray = with_stray_time(hover(folder / "x.ts", 6, pictures=15), folder / "stray.ts", 7, 2**30)
    assert stray.exists()
    (folder / "x.ts").unlink()
    srt(folder / "stray.SRT")
    hover(folder / "strange.mp4", 7)
    srt(folder / "strange.SRT", seconds=40)
    hover(folder / "times.mp4", 8)
    srt(folder / "times.SRT", places=False)
    hover(folder / "sums.ts", 9, klv=[klv(n, sum_off=7) for n in range(15)])
    hover(folder / "beyond.ts", 10, klv=[klv(n, lat_deg=99 if n > 3 else LAT) for n in range(15)])
    hover(folder / "jump.mp4", 11)
    srt(folder / "jump.SRT", jump_at=7)
    hover(folder / "south.mp4", 12)
    srt(folder / "south.SRT", lat_deg=-LAT)
    (folder / "playlist.mp4").write_text("#EXTM3U\nother.mp4\n")


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clumsy")
    fill(folder / "footage")
    case = folder / "case"
    made = run("map", folder / "footage", "--case", case, "--workers", 1)
    with sqlite3.connect(case / "case.gpkg") as record:
        ((skipped, *kept),) = record.execute("SELECT skipped, status, message FROM run").fetchall()
        segments = record.execute("SELECT clip, source, ground FROM segment").fetchall()
    record.close()
    lines = {}
    for one in json.loads(skipped):
        lines.setdefault(one["name"], []).append(one["reason"])
    report = json.loads((case / "products/report.json").read_text())
    return SimpleNamespace(
        **vars(made),
        case=case,
        lines=lines,
        kept=tuple(kept),
        report=report,
        segments=segments,
        footage=folder / "footage",
    )


def test_an_index_without_a_map_is_done_in_part_and_says_so_first(mapped):
    assert mapped.status == 1, mapped.errors
    (line,) = [one for one in mapped.errors.splitlines() if one.startswith("aftermap: ")]
    assert line.startswith("aftermap: done in part: there is no map: ")
    assert mapped.kept == ("ok", line.removeprefix("aftermap: done in part: "))
    assert mapped.said.startswith("There is no map: the images could not be aligned.")
    assert mapped.report["map"] is None
    assert mapped.report["why"]
    assert not (mapped.case / "products/orthophoto.tif").exists()
    page = (mapped.case / "products/report.html").read_text()
    assert "There is no orthophoto" in page
    assert "00_hover.mp4" in page


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cut.mp4", "is truncated: the index at the end of the MP4 (moov) is missing"),
        ("empty.mp4", "is empty"),
        ("sound.mp4", "contains no video stream that can be decoded"),
        ("one.mp4", "is a video of a single frame"),
        ("playlist.mp4", "is a text file, not a video"),
        ("stray.ts", "1 frames have no timestamp, or one that runs backwards or far ahead"),
        (
            "strange.SRT",
            "its telemetry lasts 40 s and strange.mp4 3 s, so it belongs to another clip",
        ),
        ("strange.mp4", "its frames could not be aligned, and it has no telemetry"),
        ("times.SRT", "has times but no valid positions"),
        ("times.mp4", "times.SRT has times but no positions"),
        ("sums.ts, embedded telemetry", "its checksum is wrong"),
        ("sums.ts", "could not be aligned, and it has no telemetry"),
        ("beyond.ts, packets", "its latitude or longitude is missing or out of range"),
        ("beyond.ts", "no height above take-off"),
        ("jump.SRT, sample 8", "its position jumps, about 111 km"),
        ("south.mp4", "from the rest of the case; check the hemisphere"),
    ],
)
def test_every_bad_clip_has_its_line(mapped, name, told):
    found = [
        why
        for listed, reasons in mapped.lines.items()
        if listed.startswith(name)
        for why in reasons
    ]
    assert any(told in reason for reason in found), list(mapped.lines)
    assert all("\n" not in reason for reason in found)
    page = (mapped.case / "products/report.html").read_text()
    assert name in page


@pytest.mark.parametrize(
    "name", ["00_hover.mp4", "uneven.mkv", "turned.mp4", "wrapping.ts", "stray.ts", "jump.mp4"]
)
def test_what_is_only_odd_is_placed_all_the_same(mapped, name):
    rows = [row for row in mapped.segments if row[0] == name]
    assert rows
    assert {source for _, source, _ in rows} == {"telemetry"}
    assert {ground for *_, ground in rows} == {"flat"}


def test_nothing_else_is_placed(mapped):
    assert {clip for clip, *_ in mapped.segments} == {
        "00_hover.mp4",
        "uneven.mkv",
        "turned.mp4",
        "wrapping.ts",
        "stray.ts",
        "jump.mp4",
    }


def test_frames_placed_by_telemetry_are_in_cameras_json_with_what_they_are_good_for(mapped):
    cameras = json.loads((mapped.case / "products/cameras.json").read_text())
    placed = [one for one in cameras["frames"] if one["registered"]]
    assert {one["clip"] for one in placed} >= {"00_hover.mp4", "turned.mp4"}
    assert {one["source"] for one in placed} == {"telemetry"}
    for one in placed:
        east, north, _ = one["position_sigma_m"]
        assert min(east, north) >= 3
        # Of the position alone; what the turn adds ends at the ground, 60 m below at 50 degrees.
        assert 2.145 * min(east, north) < one["ce90_m"] < 60 / np.sin(np.radians(50)) + 1
        assert not one["mapped"]


def test_seen_answers_within_so_many_metres_and_names_no_building(mapped):
    asked = run("seen", mapped.case, "--at", f"{LON + 0.0003},{LAT + 0.0004}")
    assert asked.status == 0
    assert "00_hover.mp4" in asked.said
    assert "vicinity" in asked.said
    assert "does not identify a building" in asked.said


def test_every_clip_that_opens_has_a_copy_for_playing_with_the_same_times(mapped):
    copies = sorted(path.name for path in (mapped.case / "products/clips").glob("*.mp4"))
    assert len(copies) == 11
    assert any(name.startswith("turned-") for name in copies)


def test_the_case_holds_what_it_says(mapped):
    assert run("verify", mapped.case).status == 0


def test_bad_clips_alone_end_with_one_line(tmp_path):
    (tmp_path / "footage").mkdir()
    (tmp_path / "footage" / "empty.mp4").write_bytes(b"")
    sound(tmp_path / "footage" / "sound.mp4")
    made = run("map", tmp_path / "footage", "--case", tmp_path / "case")
    assert made.status == 2
    errors = [line for line in made.errors.splitlines() if line.startswith("Error")]
    assert len(errors) <= 1
    assert "no usable photograph or video" in made.errors


def test_a_clip_that_nothing_places_is_an_error_and_no_index(tmp_path):
    hover(tmp_path / "hover.mp4", 1)
    made = run("map", tmp_path / "hover.mp4", "--case", tmp_path / "case", "--workers", 1)
    assert made.status == 2
    assert "a map needs at least 3" in made.errors
