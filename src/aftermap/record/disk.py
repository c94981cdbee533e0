"""Files that are either whole or not there, and a full or read-only disk told in one line."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aftermap.errors import CaseError

PART_PREFIX = ".part-"
CHUNK_BYTES = 1 << 20

_RESUME = "free some space and run the same command again, finished work is kept"
_CLOSED = "no permission to write here; change the permissions or choose another case folder"
_ADVICE = {
    errno.ENOSPC: f"the disk is full; {_RESUME}",
    errno.EDQUOT: f"your disk quota is used up; {_RESUME}",
    errno.EROFS: "the disk is read-only; choose a case folder on a disk that can be written",
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
    errno.EFBIG: "the disk's format cannot hold so large a file; use a disk of ext4 or NTFS format",
    errno.EIO: "input/output error of the disk; copy the case to another disk and try there",
    errno.ENOTDIR: "a part of this path is a file; choose a path of folders only",
    errno.ENAMETOOLONG: "the path is too long for this disk; choose a folder with a shorter path",
}


def advice_on(error: OSError) -> str:
    """What is wrong with the disk, and what to do next.

    NumPy and GDAL tell of a write that fell short in words, without the system's number.
    """
    if error.errno is None:
        return f"cannot be used ({error}); most likely the disk is full: {_RESUME}"
    return _ADVICE.get(
        error.errno,
        f"cannot be used ({error.strerror or error}); check it and run the same command again",
    )


def case_error_from(error: OSError, path: Path) -> CaseError:
    """A failed write as one line: which file, what is wrong with the disk, what to do next."""
    return CaseError(f"{path}: {advice_on(error)}")


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn any failure to write inside the block into a :class:`CaseError` that names ``path``."""
    try:
        yield
    except OSError as error:
        raise case_error_from(error, path) from error


@contextmanager
def telling_disk_trouble(path: Path) -> Iterator[None]:
    """As :func:`writing_to`, for blocks that read other files too: only the disk's own troubles.

    Raises CaseError for those; every other OSError passes as it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.errno not in _ADVICE:
            raise
        raise case_error_from(error, path) from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path that becomes ``path`` when the block ends without an error.

    The temporary file lies in the same folder, keeps the suffix (libraries choose a format by it)
    and is synced before it is renamed, so that after a kill or a power cut there is either the
    whole new file or what was there before.
    """
    part = path.with_name(f"{PART_PREFIX}{os.getpid()}-{path.name}")
    try:
        with telling_disk_trouble(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            _sync(part)
            part.replace(path)
            part.unlink(missing_ok=True)  # a rename onto a hard link of the same file does nothing
            _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a small UTF-8 text file, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def remove_parts(folder: Path) -> None:
    """Remove what a killed run was writing in this folder and the folders below it."""
    for part in folder.rglob(f"{PART_PREFIX}*"):
        with writing_to(part):
            part.unlink(missing_ok=True)


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits. Reads a megabyte at a time."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, on systems that can sync a folder."""
    if os.name == "posix":
        _sync(folder)
