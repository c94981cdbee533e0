"""The media store: every original once, by the SHA-256 of its bytes, read-only.

The file that the user has is only ever read, where the system allows it without even moving its
time of last access. The copy is made under a temporary name, hashed again while it is written,
synced and renamed; a name in ``media/`` is therefore always a whole and right file.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aftermap.errors import InputError
from aftermap.record.disk import CHUNK_BYTES, case_error_from, whole_file

READ_ONLY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
_SUFFIX_LIMIT = 12


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """An original in the store: who it is, where its copy is, how large it is."""

    sha256: str
    path: Path
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class MediaStore:
    """The ``media/`` folder of a case. Holds a path only, so worker processes can share it."""

    folder: Path

    def path_of(self, sha256: str, suffix: str) -> Path:
        """Where an original is or would be: ``ab/abcd....jpg``."""
        return self.folder / sha256[:2] / f"{sha256}{suffix}"

    def find(self, sha256: str) -> Path | None:
        """Where the original of this digest is kept; None where it is missing."""
        kept = sorted((self.folder / sha256[:2]).glob(f"{sha256}*"))
        return kept[0] if kept else None

    def add(self, path: Path, *, suffix: str | None = None) -> StoredFile:
        """Take in an original: hash it before anything else reads it, then copy it if it is new.

        Its copy ends as the original does, or in ``suffix`` where its kind must show.

        One that is already there is recognised by its hash and its copy's size; ``aftermap
        verify`` reads every copy again. Costs one reading of the file, two where it is new.
        Raises InputError where the file cannot be read or changes meanwhile, CaseError where the
        store cannot be written.
        """
        sha256, size_bytes = _copy_and_hash(path)
        copy = self.path_of(sha256, _suffix_of(path) if suffix is None else suffix)
        try:
            present = copy.stat().st_size == size_bytes
        except FileNotFoundError:
            present = False
        except OSError as error:
            raise case_error_from(error, copy) from error
        if not present:
            _copy(path, copy, sha256)
        return StoredFile(sha256=sha256, path=copy, size_bytes=size_bytes)


def _copy_and_hash(path: Path) -> tuple[str, int]:
    with _original(path) as stream:
        sha256 = hashlib.sha256()
        size_bytes = 0
        while chunk := _read_original(stream, path):
            sha256.update(chunk)
            size_bytes += len(chunk)
    return sha256.hexdigest(), size_bytes


def _copy(path: Path, copy: Path, sha256: str) -> None:
    with whole_file(copy) as part:
        written = _write_copy(path, part)
        if written != sha256:
            raise InputError(
                f"{path}: changed while it was being read; wait until it is completely copied "
                "and run again"
            )
        part.chmod(READ_ONLY)


def _write_copy(path: Path, part: Path) -> str:
    """Copy an original; the SHA-256 of the bytes that were written."""
    written = hashlib.sha256()
    with _original(path) as original, part.open("wb") as stream:
        while chunk := _read_original(original, path):
            written.update(chunk)
            stream.write(chunk)
    return written.hexdigest()


@contextmanager
def _original(path: Path) -> Iterator[BinaryIO]:
    """The user's file, opened to read without moving its time of last access where possible."""
    try:
        if not path.is_file():
            raise InputError(f"{path}: is not a file; name a photograph or a folder of them")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | _no_atime(path))
    except OSError as error:
        raise _unreadable(path, error) from error
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        yield stream


def _no_atime(path: Path) -> int:
    """The flag that leaves the time of last access alone; only the owner (or root) may use it."""
    flag: int = getattr(os, "O_NOATIME", 0)
    return flag if flag and os.geteuid() in (0, path.stat().st_uid) else 0


def _read_original(stream: BinaryIO, path: Path) -> bytes:
    try:
        return stream.read(CHUNK_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be read ({error.strerror or error}); check the file and its permissions, "
        "or leave it out"
    )


def _suffix_of(path: Path) -> str:
    """The file's ending in small letters, so that other programs know the copy's type."""
    suffix = path.suffix.lower()
    return suffix if suffix[1:].isalnum() and len(suffix) <= _SUFFIX_LIMIT else ""
