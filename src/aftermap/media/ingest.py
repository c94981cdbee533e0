"""Files and folders -> items in the media store: hashed and kept first, then looked at.

Nothing opens an original before the store has hashed and copied it; from then on only the kept
copy is read. One bad file never stops the others: it is returned with its reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from aftermap.errors import InputError
from aftermap.media.find import (
    NO_CLIP_OF_ITS_NAME,
    Footage,
    display_names,
    footage_in,
    is_video,
    printable,
)
from aftermap.media.mask_files import Found, MaskTarget, masks_of
from aftermap.media.probe import SUPPORTED, probe
from aftermap.media.telemetry.sidecars import sidecars_of
from aftermap.media.video import SUPPORTED as VIDEOS_SUPPORTED
from aftermap.media.video import probe_video
from aftermap.model.clip import Clip, Sidecar
from aftermap.model.media import MediaItem
from aftermap.model.runs import Executor, Skipped

REASONS_SHOWN = 3
KEPT_SUFFIX = ".mask"
"""Of masks in the store, which keeps no names: none is taken for a photograph from there."""


class StoredOriginal(Protocol):
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


class OriginalStore(Protocol):
    """Keeps originals by the SHA-256 of their bytes. Worker processes share it, by pickling."""

    def add(self, path: Path, *, suffix: str | None = None) -> StoredOriginal:
        """Hash a file, keep a read-only copy of it, and say where. Adding it again is harmless.

        The copy ends as the file does, or in ``suffix``.

        An original that cannot be read is an ``InputError``, and that file is left out; a store
        that cannot be written is a ``CaseError``, and the run ends.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """The usable photographs and clips, where the store keeps each, and what was left out.

    ``stored``, ``sidecars`` and ``masks`` go by the SHA-256 of the photograph or clip. Sidecars and
    masks are kept and not yet read, so the clips have no track.
    """

    items: tuple[MediaItem, ...]
    stored: Mapping[str, Path]
    skipped: tuple[Skipped, ...]
    clips: tuple[Clip, ...] = ()
    sidecars: Mapping[str, tuple[Sidecar, ...]] = field(default_factory=dict)
    masks: Mapping[str, Sidecar] = field(default_factory=dict)

    @property
    def originals(self) -> tuple[MediaItem | Clip, ...]:
        """The photographs, then the clips."""
        return (*self.items, *self.clips)


class RefusedFootageError(InputError):
    """Nothing can be made of what was given. ``received`` is what the store has of it."""

    def __init__(self, message: str, received: Ingested) -> None:
        super().__init__(message)
        self.received = received


@dataclass(frozen=True, kw_only=True)
class _Job:
    file: Path
    name: str
    store: OriginalStore


@dataclass(frozen=True, kw_only=True)
class _Taken:
    item: MediaItem | Clip
    file: Path
    path: Path


def ingest(
    paths: Sequence[Path], store: OriginalStore, executor: Executor, masks: Path | None = None
) -> Ingested:
    """The photographs and clips in these files and folders, in the order of their names.

    Byte-identical files are used once. ``masks`` is a folder of masks beyond those that lie beside
    their pictures. Raises RefusedFootageError, which counts why, where nothing is usable, and one
    that names the mask where a mask cannot be used.
    """
    footage = footage_in(paths, masks)
    names = display_names(footage.files, paths)
    jobs = [
        _Job(file=file, name=name, store=store)
        for file, name in zip(footage.files, names, strict=True)
    ]
    done = executor.map(_ingest_one, jobs, label="files read")
    taken, refused = _without_copies(names, done)
    skipped = [*footage.skipped, *refused]
    clips = [one for one in taken.values() if isinstance(one.item, Clip)]
    sidecars, left_over = _sidecars(clips, footage, paths, store)
    skipped += left_over
    received = Ingested(
        items=tuple(one.item for one in taken.values() if isinstance(one.item, MediaItem)),
        stored={sha256: one.path for sha256, one in taken.items()},
        skipped=tuple(skipped),
        clips=tuple(one.item for one in clips if isinstance(one.item, Clip)),
        sidecars=sidecars,
    )
    try:
        own_masks, alone = _masks(taken, footage, masks, store)
    except InputError as error:
        raise RefusedFootageError(str(error), received) from error
    received = replace(received, masks=own_masks, skipped=(*received.skipped, *alone))
    if not taken:
        raise RefusedFootageError(_nothing_usable(paths, received.skipped), received)
    return received


def _without_copies(
    names: Sequence[str], done: Iterable[_Taken | Skipped]
) -> tuple[dict[str, _Taken], list[Skipped]]:
    """What was taken, by SHA-256, and what was not: bytes that came before are left out."""
    taken: dict[str, _Taken] = {}
    skipped: list[Skipped] = []
    first_names: dict[str, str] = {}
    for name, one in zip(names, done, strict=True):
        sha256 = one.sha256 if isinstance(one, Skipped) else one.item.sha256
        first = name if sha256 is None else first_names.setdefault(sha256, name)
        if first != name:
            skipped.append(Skipped(name=name, reason=f"duplicate of {first}", sha256=sha256))
        elif isinstance(one, Skipped):
            skipped.append(one)
        else:
            taken[one.item.sha256] = one
    return taken, skipped


def _ingest_one(job: _Job) -> _Taken | Skipped:
    """Runs in a worker process: an error about the file travels back as its reason."""
    sha256 = None
    looked_at = probe_video if is_video(job.file) else probe
    try:
        stored = job.store.add(job.file)
        sha256 = stored.sha256
        item = looked_at(stored.path, name=job.name, sha256=sha256)
    except InputError as error:
        reason = str(error).removeprefix(f"{job.name}: ").removeprefix(f"{job.file}: ")
        return Skipped(name=job.name, reason=printable(reason), sha256=sha256)
    return _Taken(item=item, file=job.file, path=stored.path)


def _sidecars(
    clips: Sequence[_Taken], footage: Footage, paths: Sequence[Path], store: OriginalStore
) -> tuple[dict[str, tuple[Sidecar, ...]], list[Skipped]]:
    """The telemetry files of each clip, hashed and kept; and those that no clip takes.

    A file beside a clip is found though only the clip was named; one from elsewhere must be named.
    """
    named = {file.resolve(): name for file, name in footage.sidecars}
    given = [path.resolve() for path in paths if path.resolve() in named]
    kept: dict[str, tuple[Sidecar, ...]] = {}
    skipped: list[Skipped] = []
    used: set[Path] = set()
    for clip in clips:
        folder = clip.file.resolve().parent
        beside = [one for one in sorted(folder.iterdir()) if one in named or _plain(one)]
        far = [one for one in given if sidecars_of(one.parent / clip.file.name, [one])]
        mine = tuple(dict.fromkeys((*sidecars_of(folder / clip.file.name, beside), *far)))
        used.update(mine)
        found = [_stored_sidecar(one, named.get(one, printable(one.name)), store) for one in mine]
        skipped += [one for one in found if isinstance(one, Skipped)]
        kept[clip.item.sha256] = tuple(one for one in found if isinstance(one, Sidecar))
    alone = [
        Skipped(name=name, reason=NO_CLIP_OF_ITS_NAME)
        for file, name in footage.sidecars
        if file.resolve() not in used
    ]
    return {sha256: files for sha256, files in kept.items() if files}, skipped + alone


def _masks(
    taken: Mapping[str, _Taken], footage: Footage, folder: Path | None, store: OriginalStore
) -> tuple[dict[str, Sidecar], list[Skipped]]:
    """The masks of the photographs and clips, hashed and kept; and those that none takes."""
    pictures = [
        MaskTarget(sha256=sha256, file=one.file, name=one.item.name)
        for sha256, one in taken.items()
    ]
    named = {file.resolve(): name for file, name in footage.masks}
    found, alone = masks_of(pictures, named, folder)
    return {sha256: _stored_mask(mask, store) for sha256, mask in found.items()}, alone


def _stored_mask(mask: Found, store: OriginalStore) -> Sidecar:
    """A mask in the store. One that cannot be read is an error: without it, what it hides is in."""
    stored = store.add(mask.file, suffix=KEPT_SUFFIX)
    return Sidecar(name=printable(mask.name), sha256=stored.sha256, path=stored.path)


def _plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _stored_sidecar(file: Path, name: str, store: OriginalStore) -> Sidecar | Skipped:
    try:
        stored = store.add(file)
    except InputError as error:
        return Skipped(name=name, reason=printable(str(error).removeprefix(f"{file}: ")))
    return Sidecar(name=name, sha256=stored.sha256, path=stored.path)


def _nothing_usable(paths: Sequence[Path], skipped: Sequence[Skipped]) -> str:
    where = ", ".join(printable(str(path)) for path in paths)
    names: dict[str, list[str]] = {}
    for one in skipped:
        names.setdefault(one.reason.split(";")[0], []).append(one.name)
    common = sorted(names.items(), key=lambda item: -len(item[1]))
    shown = ", ".join(_first_of(*item) for item in common[:REASONS_SHOWN])
    more = sum(len(others) for _, others in common[REASONS_SHOWN:])
    rest = f", {more} for other reasons" if more else ""
    return (
        f"{where}: no usable photograph or video ({shown}{rest}); {SUPPORTED}, and of "
        f"videos {VIDEOS_SUPPORTED.removesuffix(' are read')}"
    )


def _first_of(reason: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}: {reason}{more}"
