"""Which mask belongs to which photograph or clip, and that none is taken for a photograph."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import InProcess
from made_up_videos import video
from PIL import Image
from plain_store import Store, Stored

from aftermap.errors import InputError
from aftermap.media import Ingested, files_in, ingest
from aftermap.media.mask_files import NO_PICTURE_OF_ITS_NAME, NOT_CALLED_SO, NOT_IN_FOLDER

MakePhotograph = Callable[..., Path]


def mask(path: Path, grey: int = 255) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (400, 300), grey).save(path)
    return path


def by_name(found: Ingested) -> dict[str, str]:
    """The name of the mask of each picture that has one."""
    return {
        one.name: found.masks[one.sha256].name
        for one in found.originals
        if one.sha256 in found.masks
    }


@pytest.mark.parametrize("name", ["IMG_1_mask.png", "img_1_MASK.PNG", "IMG_1_mask.jpg"])
def test_a_mask_beside_a_photograph_is_its_mask_and_no_photograph(
    photograph: MakePhotograph, store: Store, tmp_path: Path, name: str
) -> None:
    photograph("f/IMG_1.JPG", main={0x0110: "A"})
    photograph("f/IMG_10.JPG", main={0x0110: "B"})
    file = mask(tmp_path / "f" / name)
    for given in (tmp_path / "f", tmp_path / "f/IMG_1.JPG"):  # found though only that was named
        found = ingest([given], store, InProcess())
        assert by_name(found) == {"IMG_1.JPG": name}
        assert [one.name for one in found.items][:1] == ["IMG_1.JPG"]
        assert found.skipped == ()
    (kept,) = found.masks.values()
    assert kept.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert kept.path.read_bytes() == file.read_bytes()
    assert kept.path.is_relative_to(store.folder)
    again, skipped = files_in([store.folder])  # where names are gone
    assert {one.suffix for one in again} == {".JPG"}
    assert [one.name for one in skipped] == [kept.path.name]


def test_a_clip_has_one_mask_beside_it(store: Store, tmp_path: Path) -> None:
    video(tmp_path / "f/news.mp4")
    mask(tmp_path / "f/news_mask.png")
    found = ingest([tmp_path / "f"], store, InProcess())
    assert by_name(found) == {"news.mp4": "news_mask.png"}
    assert found.items == ()


def test_a_mask_without_its_photograph_is_listed_with_the_reason(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("f/IMG_1.JPG")
    mask(tmp_path / "f/IMG_2_mask.png")
    mask(tmp_path / "f/deeper/IMG_1_mask.png")  # not beside it
    found = ingest([tmp_path / "f"], store, InProcess())
    assert found.masks == {}
    assert {one.name for one in found.skipped} == {"IMG_2_mask.png", "deeper/IMG_1_mask.png"}
    assert {one.reason for one in found.skipped} == {NO_PICTURE_OF_ITS_NAME}
    assert [one.name for one in found.items] == ["IMG_1.JPG"]


def test_only_masks_are_no_footage_and_say_so(store: Store, tmp_path: Path) -> None:
    mask(tmp_path / "f/IMG_2_mask.png")
    with pytest.raises(InputError, match=r"IMG_2_mask\.png: a mask without an image"):
        ingest([tmp_path / "f"], store, InProcess())


def test_a_folder_of_masks_is_read_by_full_names_and_places(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("f/east/1.jpg", main={0x0110: "A"})
    photograph("f/west/1.jpg", main={0x0110: "B"})
    photograph("f/2.jpg", main={0x0110: "C"})
    photograph("f/3.jpg", main={0x0110: "D"})
    folder = tmp_path / "f/masks"  # below the footage, as COLMAP's often is
    for name in ("east/1.jpg.png", "2.jpg.png", "3_mask.png", "4.jpg.png"):
        mask(folder / name)
    (folder / "notes.txt").write_text("who drew them", encoding="utf-8")
    found = ingest([tmp_path / "f"], store, InProcess(), folder)
    assert by_name(found) == {
        "east/1.jpg": "masks/east/1.jpg.png",
        "2.jpg": "masks/2.jpg.png",
        "3.jpg": "masks/3_mask.png",
    }
    assert len(found.items) == 4
    assert {one.name: one.reason for one in found.skipped} == {
        "masks/4.jpg.png": NO_PICTURE_OF_ITS_NAME,
        "masks/notes.txt": NOT_CALLED_SO,
    }


def test_masks_of_colmap_that_no_one_named_are_no_photographs(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("f/1.jpg")
    mask(tmp_path / "f/masks/1.jpg.png")
    found = ingest([tmp_path / "f"], store, InProcess())
    assert (len(found.items), found.masks) == (1, {})
    assert [(one.name, one.reason) for one in found.skipped] == [("masks/1.jpg.png", NOT_IN_FOLDER)]


def test_two_masks_of_one_picture_are_an_error(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("f/1.jpg")
    mask(tmp_path / "f/1_mask.png")
    mask(tmp_path / "m/1.jpg.png")
    with pytest.raises(InputError, match=r"^1\.jpg: has two masks, 1_mask\.png and m/1\.jpg\.png"):
        ingest([tmp_path / "f"], store, InProcess(), tmp_path / "m")


def test_one_mask_for_two_pictures_is_an_error(
    photograph: MakePhotograph, store: Store, tmp_path: Path
) -> None:
    photograph("f/1.jpg", main={0x0110: "A"})
    photograph("f/1.tif", main={0x0110: "B"})
    mask(tmp_path / "f/1_mask.png")
    with pytest.raises(InputError, match=r"^1_mask\.png: could be the mask of 1\.jpg and 1\.tif;"):
        ingest([tmp_path / "f"], store, InProcess())


def test_a_folder_of_masks_that_is_none_or_holds_the_footage_is_an_error(
    photograph: MakePhotograph, tmp_path: Path
) -> None:
    photograph("f/1.jpg")
    with pytest.raises(InputError, match="is not a folder"):
        files_in([tmp_path / "f"], tmp_path / "nowhere")
    with pytest.raises(InputError, match="contains the footage as well"):
        files_in([tmp_path / "f"], tmp_path)


class Unreadable(Store):
    """A store that cannot read masks."""

    def add(self, path: Path, *, suffix: str | None = None) -> Stored:
        if "_mask" in path.name:
            raise InputError(f"{path}: cannot be read (Permission denied); check its permissions")
        return super().add(path, suffix=suffix)


def test_a_mask_that_cannot_be_read_stops_the_run(
    photograph: MakePhotograph, tmp_path: Path
) -> None:
    """Without it, what it hides would get into the map."""
    photograph("f/1.jpg")
    mask(tmp_path / "f/1_mask.png")
    with pytest.raises(InputError, match=r"1_mask\.png: cannot be read"):
        ingest([tmp_path / "f"], Unreadable(tmp_path / "media"), InProcess())
