"""Files and folders -> items in the media store: hashed and kept first, then looked at.

Nothing opens an original before the store has hashed and copied it; from then on only the kept
copy is read. One bad file never stops the others: it is returned with its reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aftermap.errors import InputError
from aftermap.media.find import files_in, names_of, printable
from aftermap.media.probe import SUPPORTED, probe
from aftermap.model.media import MediaItem
from aftermap.model.runs import Executor, Skipped

REASONS_SHOWN = 3


class StoredFile(Protocol):
    """An original as the store keeps it: what its bytes are, and where the read-only copy is."""

    @property
    def sha256(self) -> str:
        """Of the bytes, as 64 hexadecimal digits."""
        ...

    @property
    def path(self) -> Path:
        """The read-only copy."""
        ...

    @property
    def size_bytes(self) -> int:
        """How large it is."""
        ...


class MediaStore(Protocol):
    """Keeps originals by the SHA-256 of their bytes. Worker processes share it, by pickling."""

    def add(self, path: Path) -> StoredFile:
        """Hash a file, keep a read-only copy of it, and say where. Adding it again is harmless.

        An original that cannot be read is an ``InputError``, and that file is left out; a store
        that cannot be written is a ``CaseError``, and the run ends.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """The usable photographs, where the store keeps each (by SHA-256), and what was left out."""

    items: tuple[MediaItem, ...]
    stored: Mapping[str, Path]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, kw_only=True)
class _Job:
    file: Path
    name: str
    store: MediaStore


@dataclass(frozen=True, kw_only=True)
class _Taken:
    item: MediaItem
    path: Path


def ingest(paths: Sequence[Path], store: MediaStore, executor: Executor) -> Ingested:
    """The photographs in these files and folders, in the order of their names.

    Byte-identical files are used once. Where nothing is usable the ``InputError`` counts why.
    """
    files, skipped_files = files_in(paths)
    names = names_of(files, paths)
    jobs = [
        _Job(file=file, name=name, store=store) for file, name in zip(files, names, strict=True)
    ]
    taken: dict[str, _Taken] = {}
    skipped = list(skipped_files)
    first_names: dict[str, str] = {}
    for job, one in zip(jobs, executor.map(_taken, jobs, label="photographs read"), strict=True):
        sha256 = one.sha256 if isinstance(one, Skipped) else one.item.sha256
        first = job.name if sha256 is None else first_names.setdefault(sha256, job.name)
        if first != job.name:
            skipped.append(Skipped(name=job.name, reason=f"same bytes as {first}", sha256=sha256))
        elif isinstance(one, Skipped):
            skipped.append(one)
        else:
            taken[one.item.sha256] = one
    if not taken:
        raise InputError(_nothing_usable(paths, skipped))
    return Ingested(
        items=tuple(one.item for one in taken.values()),
        stored={sha256: one.path for sha256, one in taken.items()},
        skipped=tuple(skipped),
    )


def _taken(job: _Job) -> _Taken | Skipped:
    """Runs in a worker process: an error about the photograph travels back as its reason."""
    sha256 = None
    try:
        stored = job.store.add(job.file)
        sha256 = stored.sha256
        item = probe(stored.path, name=job.name, sha256=sha256)
    except InputError as error:
        reason = str(error).removeprefix(f"{job.name}: ").removeprefix(f"{job.file}: ")
        return Skipped(name=job.name, reason=printable(reason), sha256=sha256)
    return _Taken(item=item, path=stored.path)


def _nothing_usable(paths: Sequence[Path], skipped: Sequence[Skipped]) -> str:
    where = ", ".join(printable(str(path)) for path in paths)
    names: dict[str, list[str]] = {}
    for one in skipped:
        names.setdefault(one.reason.split(";")[0], []).append(one.name)
    common = sorted(names.items(), key=lambda item: -len(item[1]))
    shown = ", ".join(_first_of(*item) for item in common[:REASONS_SHOWN])
    more = sum(len(others) for _, others in common[REASONS_SHOWN:])
    rest = f", {more} for other reasons" if more else ""
    return f"{where}: no usable photograph ({shown}{rest}); {SUPPORTED}"


def _first_of(reason: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more like it" if len(names) > 1 else ""
    return f"{names[0]}: {reason}{more}"
