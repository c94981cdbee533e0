"""Originals: hashed first, copied whole, never changed."""

import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from aftermap.errors import CaseError, InputError
from aftermap.record import MediaStore, store


@pytest.fixture
def media(tmp_path) -> MediaStore:
    return MediaStore(folder=tmp_path / "media")


@pytest.fixture
def photograph(tmp_path) -> Path:
    path = tmp_path / "مدينة 'old' \"town\".JPG"
    path.write_bytes(os.urandom(3 << 20))
    os.utime(path, ns=(10**18, 10**18))
    return path


def test_the_copy_is_the_original_by_its_hash_and_read_only(media, photograph):
    stored = media.add(photograph)
    sha256 = hashlib.sha256(photograph.read_bytes()).hexdigest()
    assert stored.sha256 == sha256
    assert stored.path == media.folder / sha256[:2] / f"{sha256}.jpg"
    assert stored.size_bytes == 3 << 20
    assert stored.path.read_bytes() == photograph.read_bytes()
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o444


@pytest.mark.skipif(not hasattr(os, "O_NOATIME"), reason="this system always notes the access")
def test_the_original_is_not_touched(media, photograph):
    before = photograph.stat()
    media.add(photograph)
    after = photograph.stat()
    assert (after.st_atime_ns, after.st_mtime_ns, after.st_mode) == (
        before.st_atime_ns,
        before.st_mtime_ns,
        before.st_mode,
    )


def test_adding_again_writes_nothing(media, photograph):
    first = media.add(photograph)
    inode = first.path.stat().st_ino
    renamed = photograph.rename(photograph.with_name("renamed.jpg"))
    assert media.add(renamed) == first
    assert first.path.stat().st_ino == inode


def test_a_copy_of_the_wrong_size_is_made_again(media, photograph):
    stored = media.add(photograph)
    stored.path.unlink()
    stored.path.write_bytes(b"cut off")
    assert media.add(photograph).path.stat().st_size == 3 << 20


def test_an_original_that_grows_while_it_is_read_is_refused(media, photograph, monkeypatch):
    hashed = store._copy_and_hash

    def grow_after_hashing(path: Path) -> tuple[str, int]:
        found = hashed(path)
        with path.open("ab") as stream:
            stream.write(b"more")
        return found

    monkeypatch.setattr(store, "_copy_and_hash", grow_after_hashing)
    with pytest.raises(InputError, match="changed while it was being read"):
        media.add(photograph)
    assert [path for path in media.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_refused(media, tmp_path, make):
    make(tmp_path / "thing.jpg")
    with pytest.raises(InputError, match=r"thing\.jpg: is not a file"):
        media.add(tmp_path / "thing.jpg")


def test_an_unreadable_original_is_told(media, photograph, monkeypatch):
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        media.add(photograph)


def test_a_full_disk_is_told_and_leaves_no_half_copy(media, photograph, monkeypatch):
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(CaseError, match="the disk is full; free some space"):
        media.add(photograph)
    assert [path for path in media.folder.rglob("*") if path.is_file()] == []
