"""Videos and their sidecars on the way into a case."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import InProcess
from made_up_videos import video
from plain_store import Store

from aftermap.errors import InputError
from aftermap.media import ingest

MakePhotograph = Callable[..., Path]


def text(path: Path, content: str = "1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def test_a_folder_of_videos_alone_is_usable(store: Store, tmp_path: Path) -> None:
    video(tmp_path / "f/DJI_0002.MP4")
    video(tmp_path / "f/DJI_0001.ts", 20)
    found = ingest([tmp_path / "f"], store, InProcess())
    assert found.items == ()
    assert [clip.name for clip in found.clips] == ["DJI_0001.ts", "DJI_0002.MP4"]
    for clip in found.clips:
        kept = found.stored[clip.sha256]
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == clip.sha256


def test_photographs_and_videos_come_in_together(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("f/1.jpg")
    shutil.copyfile(video(tmp_path / "f/2.mp4"), tmp_path / "f/3.mp4")
    text(tmp_path / "f/4.mp4")
    found = ingest([tmp_path / "f"], store, InProcess())
    assert [item.name for item in found.items] == ["1.jpg"]
    assert [clip.name for clip in found.clips] == ["2.mp4"]
    said = {one.name: one.reason for one in found.skipped}
    assert said["3.mp4"] == "duplicate of 2.mp4"
    assert said["4.mp4"].startswith("is a text file, not a video")


def test_sidecars_go_with_the_clip_of_their_name(store: Store, tmp_path: Path) -> None:
    first = video(tmp_path / "f/DJI_0001.MP4")
    video(tmp_path / "f/DJI_0002.MP4", 20)
    text(tmp_path / "f/dji_0001.srt", "one")
    text(tmp_path / "f/DJI_0002.MP4.csv", "two")
    text(tmp_path / "f/DJI_0009.srt", "other")
    found = ingest([tmp_path / "f"], store, InProcess())
    by_name = {clip.name: clip.sha256 for clip in found.clips}
    (one,) = found.sidecars[by_name["DJI_0001.MP4"]]
    (two,) = found.sidecars[by_name["DJI_0002.MP4"]]
    assert (one.name, two.name) == ("dji_0001.srt", "DJI_0002.MP4.csv")
    assert one.path.read_text(encoding="utf-8") == "one"
    assert one.sha256 == hashlib.sha256(b"one").hexdigest()
    assert [skipped.name for skipped in found.skipped] == ["DJI_0009.srt"]
    assert first.exists()


def test_a_sidecar_is_found_beside_a_clip_that_was_named_alone(
    store: Store, tmp_path: Path
) -> None:
    clip = video(tmp_path / "f/DJI_0001.MP4")
    text(tmp_path / "f/DJI_0001.SRT")
    found = ingest([clip], store, InProcess())
    assert [one.name for one in found.sidecars[found.clips[0].sha256]] == ["DJI_0001.SRT"]


def test_a_sidecar_from_another_folder_must_be_named(store: Store, tmp_path: Path) -> None:
    clip = video(tmp_path / "f/DJI_0001.MP4")
    beside = text(tmp_path / "logs/DJI_0001.csv")
    assert ingest([clip], store, InProcess()).sidecars == {}
    found = ingest([clip, beside], store, InProcess())
    assert [one.name for one in found.sidecars[found.clips[0].sha256]] == ["DJI_0001.csv"]
    assert found.skipped == ()


def test_nothing_usable_counts_videos_too(store: Store, tmp_path: Path) -> None:
    text(tmp_path / "f/a.mp4")
    with pytest.raises(InputError, match=r"no usable photograph or video \(a\.mp4: is a text file"):
        ingest([tmp_path / "f"], store, InProcess())
