"""Which files of a folder are photographs, and what is said of the others."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from aftermap.errors import InputError
from aftermap.media.find import (
    NO_CLIP_OF_ITS_NAME,
    NOT_FOOTAGE,
    display_names,
    files_in,
    printable,
)
from aftermap.model.runs import Skipped


def touched(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def reasons(skipped: Iterable[Skipped]) -> dict[str, str]:
    return {one.name: one.reason for one in skipped}


def test_photographs_come_in_counting_order_from_all_depths(tmp_path: Path) -> None:
    touched(tmp_path, ["DJI_10.JPG", "DJI_9.jpg", "b/1.tif", "a/2.png", "a/10.jpeg"])
    files, skipped = files_in([tmp_path])
    names = [file.relative_to(tmp_path).as_posix() for file in files]
    assert names == ["a/2.png", "a/10.jpeg", "b/1.tif", "DJI_9.jpg", "DJI_10.JPG"]
    assert skipped == ()


def test_every_other_file_is_listed_with_its_reason(tmp_path: Path) -> None:
    touched(tmp_path, ["a.jpg", "a.SRT", "a.xmp", "log.txt", "f.MRK", ".hidden.jpg"])
    touched(
        tmp_path,
        ["clip.LRV", "clip.insv", "raw.DNG", "phone.heic", "__MACOSX/._a.jpg", ".git/x.jpg"],
    )
    files, skipped = files_in([tmp_path])
    said = reasons(skipped)
    assert [file.name for file in files] == ["a.jpg"]
    for name in ("a.SRT", "a.xmp", "log.txt", "f.MRK", ".hidden.jpg", "__MACOSX", ".git"):
        assert said[name] == (NO_CLIP_OF_ITS_NAME if name == "a.SRT" else NOT_FOOTAGE)
    assert "a low-resolution proxy" in said["clip.LRV"]
    assert "spherical" in said["clip.insv"]
    assert "convert it to JPEG" in said["raw.DNG"]
    assert "convert it to JPEG" in said["phone.heic"]
    assert len(skipped) == 11


def test_videos_are_footage_and_a_folder_of_them_is_enough(tmp_path: Path) -> None:
    touched(tmp_path, ["DJI_0002.MP4", "day/DJI_0001.ts", "DJI_0002.SRT"])
    files, skipped = files_in([tmp_path])
    assert {file.name for file in files} == {"DJI_0002.MP4", "DJI_0001.ts"}
    assert reasons(skipped) == {"DJI_0002.SRT": NO_CLIP_OF_ITS_NAME}


def test_names_in_arabic_with_spaces_and_quotes_are_kept_as_they_are(tmp_path: Path) -> None:
    names = ["صورة ١٢.jpg", 'it\'s "here" 2.jpg', 'it\'s "here" 10.jpg']
    touched(tmp_path / "حي القصور", names)
    files, _ = files_in([tmp_path])
    assert {file.name for file in files} == set(names)
    assert "حي القصور/صورة ١٢.jpg" in display_names(files, [tmp_path])


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: does not exist; check"):
        files_in([tmp_path / "nowhere"])


def test_an_empty_folder_is_named_and_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    with pytest.raises(InputError, match=r"empty: the folder is empty; give the folder with"):
        files_in([tmp_path / "empty"])


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    touched(outside, ["secret.jpg", "more/secret.jpg"])
    touched(inside, ["own.jpg"])
    (inside / "out.jpg").symlink_to(outside / "secret.jpg")
    (inside / "out").symlink_to(outside, target_is_directory=True)
    (inside / "loop").symlink_to(inside, target_is_directory=True)
    (inside / "dead.jpg").symlink_to(inside / "gone.jpg")
    (inside / "same.jpg").symlink_to(inside / "own.jpg")
    files, skipped = files_in([inside])
    said = reasons(skipped)
    assert [file.name for file in files] == ["own.jpg"]
    assert "a link to outside the folder" in said["out.jpg"]
    assert "a link to outside the folder" in said["out"]
    assert "read under its own name" in said["loop"]
    assert "a broken link" in said["dead.jpg"]


def test_a_link_that_the_user_names_is_followed(tmp_path: Path) -> None:
    touched(tmp_path / "real", ["a.jpg"])
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    files, _ = files_in([tmp_path / "link"])
    assert len(files) == 1


def test_a_file_that_is_named_twice_is_found_once(tmp_path: Path) -> None:
    touched(tmp_path, ["a.jpg"])
    files, skipped = files_in([tmp_path, tmp_path / "a.jpg"])
    assert len(files) == 1
    assert skipped == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    touched(tmp_path, ["a.jpg"])
    os.mkfifo(tmp_path / "pipe.jpg")
    files, skipped = files_in([tmp_path])
    assert [file.name for file in files] == ["a.jpg"]
    assert reasons(skipped) == {"pipe.jpg": "not a regular file"}


def test_files_of_one_name_in_two_folders_keep_distinct_names(tmp_path: Path) -> None:
    touched(tmp_path, ["east/1.jpg", "west/1.jpg", "north/day/1.jpg", "south/day/1.jpg"])
    together, _ = files_in([tmp_path])
    assert "east/1.jpg" in display_names(together, [tmp_path])
    for roots in (["east", "west"], ["north/day", "south/day"]):
        paths = [tmp_path / root for root in roots]
        files, _ = files_in(paths)
        names = display_names(files, paths)
        assert len(set(names)) == 2
    assert display_names(*2 * ([tmp_path / "east/1.jpg"],)) == ("1.jpg",)


def test_a_name_is_always_one_line_of_text() -> None:
    assert printable("a\nb\x1b[2J.jpg") == "a\\nb\\x1b[2J.jpg"
    assert printable(os.fsdecode(b"caf\xe9.jpg")) == "caf\\xe9.jpg"
    assert printable("حي.jpg") == "حي.jpg"
