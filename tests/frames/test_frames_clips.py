"""A clip comes apart into shots and frames that can be placed, and says what it left out."""

import hashlib
import pickle
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_up_clips import Picture, clip_of, dissolve, flight, written

from aftermap.frames import ClipFrameOptions, ClipFrames, clip_frames
from aftermap.frames.clip_frames import clock_text
from aftermap.frames.decode import Losses, decoded_frames, pictures_at
from aftermap.frames.proxy import proxy_of, proxy_offset_s
from aftermap.record.artefact import decode_artefact as artefact_of
from aftermap.record.artefact import encode_artefact
from aftermap.record.workspace import StageFolder


@pytest.fixture
def files(tmp_path: Path) -> StageFolder:
    return StageFolder(folder=tmp_path / "stage")


def taken(
    tmp_path: Path,
    files: StageFolder,
    pictures: list[Picture],
    options: ClipFrameOptions | None = None,
) -> ClipFrames:
    path = written(tmp_path / "news.mp4", pictures)
    clip = clip_of(path, duration_s=Fraction(len(pictures), 25))
    return clip_frames(clip, path, options or ClipFrameOptions(), files)


def test_an_edited_clip_gives_its_shots_and_frames_of_each(
    tmp_path: Path, files: StageFolder
) -> None:
    first, second, third = flight(1, 60, 8), flight(2, 90, 3), flight(3, 75, 3)
    found = taken(tmp_path, files, [*first, *dissolve(second, third, 25)])
    assert [shot.begins for shot in found.shots] == ["clip", "cut", "fade"]
    assert found.shots[1].start_s == Fraction(60, 25)
    assert found.shots[2].end_s == Fraction(200, 25)
    assert {frame.moment.shot for frame in found.frames if frame.moment} == {0, 1, 2}
    for frame in found.frames:
        assert frame.moment is not None
        shot = found.shots[frame.moment.shot]
        assert shot.start_s <= frame.moment.time_s < shot.end_s
        assert not Fraction(130, 25) <= frame.moment.time_s <= Fraction(144, 25)  # dissolving
    assert any(one.reason == "a fade between two shots" for one in found.skipped)


def test_frames_are_files_with_exact_moments(tmp_path: Path, files: StageFolder) -> None:
    found = taken(tmp_path, files, flight(1, 60, 8))
    names = [frame.name for frame in found.frames]
    assert names[0] == "news.mp4 00:00:00.000"
    assert names == sorted(set(names))
    assert len({frame.camera_key for frame in found.frames}) == 1
    moments = [frame.moment.time_s for frame in found.frames if frame.moment]
    originals = dict(pictures_at(tmp_path / "news.mp4", moments))
    for frame in found.frames:
        content = Path(frame.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == frame.sha256
        picture = cv2.imread(frame.path)
        assert frame.moment is not None
        assert picture.shape == (frame.height_px, frame.width_px, 3)
        assert np.abs(picture.astype(int) - originals[frame.moment.time_s]).mean() < 4
    kept = {str(path) for path in files.folder.rglob("*.jpg")}
    assert kept == {frame.path for frame in found.frames}


def test_frames_survive_the_record_the_worker_and_a_second_run(
    tmp_path: Path, files: StageFolder
) -> None:
    pictures = [picture.copy() for picture in flight(1, 75, 8)]
    for picture in pictures:
        picture[130:165, 20:200] = (160, 40, 20)
        cv2.putText(picture, "BREAKING", (30, 156), 0, 0.8, (255, 255, 255), 2)
    found = taken(tmp_path, files, pictures)
    assert found.frames[0].mask is not None
    root = files.folder
    assert artefact_of(ClipFrames, encode_artefact(found, root=root), root=root) == found
    sent = pickle.dumps((found, ClipFrameOptions()))
    assert pickle.loads(sent) == (found, ClipFrameOptions())  # noqa: S301 - our own bytes
    assert taken(tmp_path, files, pictures) == found


def test_a_caption_is_masked_in_every_frame_of_its_shot_only(
    tmp_path: Path, files: StageFolder
) -> None:
    plain, with_caption = flight(1, 75, 8), [picture.copy() for picture in flight(2, 75, 8)]
    for picture in with_caption:
        picture[130:165, 20:200] = (160, 40, 20)
        cv2.putText(picture, "BREAKING", (30, 156), 0, 0.8, (255, 255, 255), 2)
    found = taken(tmp_path, files, [*plain, *with_caption])
    for frame in found.frames:
        assert frame.moment is not None
        if frame.moment.shot == 0:
            assert frame.mask is None
        else:
            assert frame.mask is not None
            mask = cv2.imread(frame.mask, cv2.IMREAD_GRAYSCALE)
            assert mask.shape == (180, 320)
            assert (mask[133:162, 25:195] == 0).mean() > 0.95
            assert (mask[:110] == 255).mean() > 0.99


def test_black_and_frozen_stretches_are_listed_with_their_times(
    tmp_path: Path, files: StageFolder
) -> None:
    flown = flight(1, 50, 8)
    black = [np.full_like(flown[0], 16)] * 25
    frozen = [flown[-1]] * 40
    found = taken(tmp_path, files, [*flown, *frozen, *black, *flight(2, 40, 8)])
    said = {one.reason.split(":")[0].split(" frames")[0]: one.name for one in found.skipped}
    assert said["black"].startswith("news.mp4 00:00:03.6")
    assert "frozen" in said
    assert len(found.shots) == 2
    assert any("frames in 2 shots, selected by overlap" in note for note in found.notes)


def test_too_many_frames_are_thinned_and_it_is_said(tmp_path: Path, files: StageFolder) -> None:
    options = ClipFrameOptions(max_frames_per_shot=3)
    found = taken(tmp_path, files, flight(1, 75, 16), options)
    assert len(found.frames) == 3
    assert any("3 are used, so neighbouring frames overlap less" in note for note in found.notes)
    assert len(list(files.folder.rglob("*.jpg"))) == 3


def test_damage_is_listed_and_the_rest_is_used(tmp_path: Path, files: StageFolder) -> None:
    path = written(tmp_path / "hit.mp4", flight(1, 120, 8))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = bytes((37 * i + 11) % 256 for i in range(6000))
    path.write_bytes(content)
    clip = clip_of(path, duration_s=Fraction(120, 25))
    found = clip_frames(clip, path, ClipFrameOptions(), files)
    assert any("damaged after 00:00:0" in one.reason for one in found.skipped)
    times = [frame.moment.time_s for frame in found.frames if frame.moment]
    assert min(times) < 1
    assert max(times) > 4


def test_a_player_shows_the_time_that_a_frame_is_named_by(tmp_path: Path) -> None:
    path = tmp_path / "x.ts"
    path.write_bytes(b"x")
    clip = clip_of(path, start_s=Fraction(-9, 5))
    assert clock_text(clip, Fraction(-9, 5)) == "00:00:00.000"
    assert clock_text(clip, Fraction(3725123, 1000) - Fraction(9, 5)) == "01:02:05.123"


@pytest.mark.parametrize("kind", [".mp4", ".mkv", ".ts"])
def test_a_proxy_has_the_same_times_and_is_made_once(
    tmp_path: Path, files: StageFolder, kind: str
) -> None:
    ticks = [3003 * i + (900 if i > 7 else 0) for i in range(40)]
    base_s = Fraction(1, 1000) if kind == ".mkv" else Fraction(1, 90000)
    ticks = [round(tick / 90) for tick in ticks] if kind == ".mkv" else ticks
    path = written(tmp_path / f"p{kind}", flight(1, 40), ticks=ticks, time_base_s=base_s)
    times = [one.time_s for one in decoded_frames(path, Losses())]
    clip = clip_of(path, time_base_s=base_s, start_s=times[0])
    proxy = proxy_of(clip, path, files)
    assert proxy_offset_s(clip) == 0
    assert [one.time_s for one in decoded_frames(proxy, Losses())] == times
    content = proxy.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    made = proxy.stat().st_mtime_ns
    assert proxy_of(clip, path, files) == proxy
    assert proxy.stat().st_mtime_ns == made


def test_a_large_clip_has_a_small_proxy_and_a_negative_start_begins_at_0(
    tmp_path: Path, files: StageFolder
) -> None:
    large = [cv2.resize(picture, (1920, 1080)) for picture in flight(1, 6)]
    ticks = [2**33 - 7200 + 3600 * i for i in range(6)]
    path = written(tmp_path / "n.ts", large, ticks=ticks, time_base_s=Fraction(1, 90000))
    clip = clip_of(
        path,
        width_px=1920,
        height_px=1080,
        time_base_s=Fraction(1, 90000),
        start_s=Fraction(-2, 25),
    )
    found = list(decoded_frames(proxy_of(clip, path, files), Losses()))
    assert (found[0].frame.width, found[0].frame.height) == (1280, 720)
    assert [one.time_s + proxy_offset_s(clip) for one in found] == [
        Fraction(i - 2, 25) for i in range(6)
    ]
