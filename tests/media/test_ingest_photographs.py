"""From paths to items: kept first, then looked at; nothing lost, nothing twice."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import InProcess
from plain_store import Store

from aftermap.errors import CaseError, InputError
from aftermap.media import ingest

MakePhotograph = Callable[..., Path]


def test_usable_photographs_become_items_and_the_rest_has_reasons(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("flight/DJI_2.jpg", main={0x0110: "A"})
    photograph("flight/DJI_10.jpg", main={0x0110: "B"})
    photograph("flight/DJI_3.jpg").write_text("not a photograph at all", encoding="utf-8")
    photograph("flight/locked.jpg", main={0x0110: "C"})
    (tmp_path / "flight/DJI_2.SRT").write_text("1", encoding="utf-8")
    found = ingest([tmp_path / "flight"], store, InProcess())
    said = {one.name: one for one in found.skipped}
    assert [item.name for item in found.items] == ["DJI_2.jpg", "DJI_10.jpg"]
    assert set(said) == {"DJI_3.jpg", "DJI_2.SRT", "locked.jpg"}
    assert said["DJI_3.jpg"].reason.startswith("is a text file, not an image")
    assert said["DJI_3.jpg"].sha256 is not None
    assert said["locked.jpg"].reason.startswith("cannot be read")
    for item in found.items:
        kept = found.stored[item.sha256]
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == item.sha256
        assert kept.is_relative_to(store.folder)
    assert set(found.stored) == {item.sha256 for item in found.items}


def test_a_copy_of_a_photograph_is_used_once(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    first = photograph("f/1.jpg")
    for name in ("copy of 1.jpg", "deeper/1.jpg"):
        (tmp_path / "f" / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(first, tmp_path / "f" / name)
    found = ingest([tmp_path / "f"], store, InProcess())
    assert len(found.items) == 1
    first_name = found.items[0].name
    assert {one.reason for one in found.skipped} == {f"duplicate of {first_name}"}
    assert len(found.skipped) == 2


def test_a_copy_of_a_bad_file_is_listed_too(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("f/good.jpg")
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "f" / name).write_text("text", encoding="utf-8")
    found = ingest([tmp_path / "f"], store, InProcess())
    assert [one.reason.split(",")[0] for one in found.skipped] == [
        "is a text file",
        "duplicate of a.jpg",
    ]


def test_one_name_in_two_folders_stays_two_photographs(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("east/DJI_1.jpg", main={0x0110: "east"})
    photograph("west/DJI_1.jpg", main={0x0110: "west"})
    apart = ingest([tmp_path / "east", tmp_path / "west"], store, InProcess())
    assert [item.name for item in apart.items] == ["east/DJI_1.jpg", "west/DJI_1.jpg"]
    together = ingest([tmp_path], store, InProcess())
    assert [item.name for item in together.items] == ["east/DJI_1.jpg", "west/DJI_1.jpg"]


def test_nothing_usable_is_one_line_with_names_and_counts(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "صور"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_text(f"text {number}", encoding="utf-8")
    (folder / "clip.mp4").write_bytes(b"x")
    with pytest.raises(InputError) as caught:
        ingest([folder], store, InProcess())
    message = str(caught.value)
    assert message.startswith(str(folder))
    reasons = (
        "0.jpg: is a text file, not an image and 2 more, clip.mp4: is a text file, not a video"
    )
    assert f"no usable photograph or video ({reasons})" in message
    assert "\n" not in message


def test_a_full_disk_ends_the_run(photograph: MakePhotograph, store: Store, tmp_path: Path) -> None:
    photograph("f/full.jpg")
    with pytest.raises(CaseError, match="the disk is full"):
        ingest([tmp_path / "f"], store, InProcess())
