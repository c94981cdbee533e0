"""Files are whole or not there."""

import errno
import os

import pytest

from aftermap.errors import CaseError, InputError
from aftermap.record.disk import PART_PREFIX, remove_parts, whole_file, write_text
from aftermap.record.workspace import StageFolder


def test_a_file_appears_when_it_is_finished(tmp_path):
    path = tmp_path / "new" / "points.npz"
    with whole_file(path) as part:
        assert part.suffix == ".npz"
        part.write_bytes(b"half")
        assert not path.exists()
    assert path.read_bytes() == b"half"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "answer.json"
    write_text(path, "before")

    def fail_half_way() -> None:
        with whole_file(path) as part:
            part.write_text("aft")
            raise InputError("x.jpg: is no picture; leave it out")

    with pytest.raises(InputError):
        fail_half_way()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_up_is_told_with_the_name_of_the_file(tmp_path):
    def fill() -> None:
        with whole_file(tmp_path / "surface.tif"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(CaseError, match=r"surface.tif: the disk is full; free some space"):
        fill()


def test_an_error_that_is_not_the_disk_s_stays_what_it_is(tmp_path):
    def read_another() -> None:
        with whole_file(tmp_path / "copy"):
            (tmp_path / "not there").read_text()

    with pytest.raises(FileNotFoundError):
        read_another()


def test_unfinished_files_of_a_killed_run_are_removed(tmp_path):
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / f"{PART_PREFIX}77-x.jpg").touch()
    (tmp_path / "ab" / "x.jpg").touch()
    remove_parts(tmp_path)
    assert [path.name for path in (tmp_path / "ab").iterdir()] == ["x.jpg"]


def test_an_item_is_made_once(tmp_path):
    files = StageFolder(folder=tmp_path / "stage")
    made = []

    def make(part):
        made.append(part)
        part.write_text("item")

    assert files.item("a/b.txt", make) == files.item("a/b.txt", make) == files.path("a/b.txt")
    assert len(made) == 1
