"""Files and folders a person named -> the footage in them, and what was left out and why.

Footage is photographs and videos; a telemetry file (sidecar) goes with the video of its name, a
mask with the picture of its name. Only names and the file system are looked at here; what is inside
a file is the business of ``probe`` and ``probe_video``. Nothing outside a folder that was named is
ever reached through a link in it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aftermap.errors import InputError
from aftermap.media.mask_files import (
    NO_PICTURE_OF_ITS_NAME,
    NOT_IN_FOLDER,
    is_mask_of,
    masked_stem,
    masks_in,
)
from aftermap.model.runs import Skipped

PHOTOGRAPHS = frozenset({".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".tif", ".tiff"})
TO_CONVERT = frozenset(
    {
        ".heic",
        ".heif",
        ".avif",
        ".webp",
        ".dng",
        ".raw",
        ".cr2",
        ".cr3",
        ".nef",
        ".arw",
        ".raf",
        ".orf",
        ".rw2",
        ".iiq",
    }
)
VIDEOS = frozenset(
    {
        ".mp4",
        ".mov",
        ".m4v",
        ".avi",
        ".mkv",
        ".webm",
        ".ts",
        ".mts",
        ".m2ts",
        ".mpg",
        ".mpeg",
        ".mpe",
        ".m2v",
        ".3gp",
    }
)
SMALL_COPIES = frozenset({".lrv", ".lrf"})
SPHERICAL = frozenset({".insv", ".360"})
SIDECARS = frozenset({".srt", ".csv", ".gpx", ".klv", ".bin", ".gpmf"})
"""Endings of telemetry files. They count only where ``telemetry.sidecars_of`` finds them a clip."""

NOT_FOOTAGE = "not a photograph or a video"
A_SMALL_COPY = "a low-resolution proxy by the camera; give the original video"
A_SPHERE = "a spherical video without a single camera; export a flat view of it"
NO_CLIP_OF_ITS_NAME = "not a photograph or a video, and no video in its folder has the same name"
CONVERT_FIRST = "HEIC, WebP, DNG and other raw files are not supported; convert it to JPEG"

CASE_RECORD = "case.gpkg"
"""A folder with this file is a case: its originals and products are no new photographs."""
A_CASE = "an Aftermap case, not a folder of footage"

FileOrSkipped = Path | Skipped


@dataclass(frozen=True, kw_only=True)
class Footage:
    """What was found: photographs and videos to read, telemetry, masks, and the rest with reasons.

    ``sidecars`` and ``masks`` give for each telemetry file, and each mask that lies beside a
    picture, the name it is listed by where nothing takes it.
    """

    files: tuple[Path, ...]
    sidecars: tuple[tuple[Path, str], ...]
    masks: tuple[tuple[Path, str], ...]
    skipped: tuple[Skipped, ...]


def files_in(
    paths: Sequence[Path], masks: Path | None = None
) -> tuple[tuple[Path, ...], tuple[Skipped, ...]]:
    """The photographs and videos in these files and folders, and everything else with its reason.

    Telemetry files and masks count as left out; :func:`footage_in` keeps them apart.
    """
    footage = footage_in(paths, masks)
    alone = [Skipped(name=name, reason=NO_CLIP_OF_ITS_NAME) for _, name in footage.sidecars]
    alone += [Skipped(name=name, reason=NO_PICTURE_OF_ITS_NAME) for _, name in footage.masks]
    return footage.files, (*footage.skipped, *alone)


def footage_in(paths: Sequence[Path], masks: Path | None = None) -> Footage:
    """The photographs, videos, telemetry files and masks in these files and folders.

    Folders are read to their full depth, 2 before 10, save those that are a case and the folder of
    ``masks``. A path that does not exist, a folder without a single file and the folder of a case
    are errors. A file that is named twice is returned once.
    """
    found: dict[Path, tuple[Path, str]] = {}
    sidecars: dict[Path, tuple[Path, str]] = {}
    beside: dict[Path, tuple[Path, str]] = {}
    skipped: list[Skipped] = []
    apart = _folder_apart(masks, paths)
    for given in paths:
        for one in _under(given):
            if isinstance(one, Skipped):
                skipped.append(one)
                continue
            whole = one.resolve()
            if apart is not None and whole.is_relative_to(apart):
                continue
            kind = found
            if one.suffix.lower() in SIDECARS:
                kind = sidecars
            elif masked_stem(one) is not None:
                kind = beside
            kind.setdefault(whole, (one, _shown_name(one, given)))
    names = {one.name.casefold() for one, _ in found.values()}
    colmap = [whole for whole, (one, _) in found.items() if is_mask_of(one, names)]
    skipped += [Skipped(name=found.pop(whole)[1], reason=NOT_IN_FOLDER) for whole in colmap]
    return Footage(
        files=tuple(one for one, _ in found.values()),
        sidecars=tuple(sidecars.values()),
        masks=tuple(beside.values()),
        skipped=tuple(skipped),
    )


def _folder_apart(masks: Path | None, paths: Sequence[Path]) -> Path | None:
    """The folder of masks, which holds no footage. Raises InputError where it does."""
    if masks is None:
        return None
    masks_in(masks)
    folder = masks.resolve()
    if any(path.resolve().is_relative_to(folder) for path in paths):
        raise InputError(
            f"{masks}: contains the footage as well, so it cannot be the masks folder; omit "
            "--masks (NAME_mask.png beside an image is found without it), or move the masks"
        )
    return folder


def is_video(file: Path) -> bool:
    """Whether a file is called as videos are."""
    return file.suffix.lower() in VIDEOS


def display_names(files: Sequence[Path], paths: Sequence[Path]) -> tuple[str, ...]:
    """What each file is called from here on: its path below the folder that was named.

    Two files that would share a name get the name of their folder in front, then their full
    path. Line breaks and bytes that are not text are written as escapes, so a name is one line.
    """
    roots = [path for path in paths if path.is_dir()]
    choices = [_names_from_short_to_long(file, roots) for file in files]
    names = [choice[0] for choice in choices]
    for longer in (1, 2):
        shared = {name for name, count in Counter(names).items() if count > 1}
        names = [
            choice[longer] if name in shared else name
            for name, choice in zip(names, choices, strict=True)
        ]
    return tuple(printable(name) for name in names)


def printable(name: str) -> str:
    """A file name on one line: control characters and broken bytes as escapes.

    So are the marks that reverse the letters after them, by which a name can pretend to be another.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return re.sub(
        r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]",
        lambda match: match.group().encode("unicode_escape").decode("ascii"),
        text,
    )


def _names_from_short_to_long(file: Path, roots: Sequence[Path]) -> tuple[str, str, str]:
    root = next((root for root in roots if file.is_relative_to(root)), None)
    if root is None:
        return file.name, f"{file.absolute().parent.name}/{file.name}", file.absolute().as_posix()
    below = file.relative_to(root).as_posix()
    return below, f"{root.resolve().name}/{below}", file.absolute().as_posix()


def _under(given: Path) -> Iterator[FileOrSkipped]:
    try:
        there = given.exists()
    except OSError as error:
        raise InputError(
            f"{printable(str(given))}: cannot be accessed ({error.strerror}); check the path and "
            "its permissions"
        ) from error
    if not there:
        raise InputError(f"{printable(str(given))}: does not exist; check the path")
    if not given.is_dir():
        yield _judge(given, printable(given.name))
        return
    empty = True
    for one in _in_folder(given, given):
        empty = False
        yield one
    if empty:
        raise InputError(
            f"{printable(str(given))}: the folder is empty; give the folder with the photographs "
            "or videos"
        )


def _in_folder(folder: Path, root: Path) -> Iterator[FileOrSkipped]:
    try:
        entries = sorted(folder.iterdir(), key=_natural)
    except OSError as error:
        reason = f"the folder cannot be read ({error.strerror}); check its permissions"
        yield Skipped(name=_below(folder, root), reason=reason)
        return
    if any(entry.name == CASE_RECORD for entry in entries):
        if folder == root:
            where, media = printable(str(root)), printable(str(root / "media"))
            raise InputError(f"{where}: is {A_CASE}; name the footage's own folder, or {media}")
        yield Skipped(name=_below(folder, root), reason=A_CASE)
        return
    for entry in entries:
        name = _below(entry, root)
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            yield Skipped(name=name, reason=NOT_FOOTAGE)
        elif entry.is_symlink():
            yield _follow_link(entry, name, root)
        elif entry.is_dir():
            yield from _in_folder(entry, root)
        else:
            yield _judge(entry, name)


def _follow_link(entry: Path, name: str, root: Path) -> FileOrSkipped:
    try:
        target = entry.resolve(strict=True)
    except (OSError, RuntimeError):
        return Skipped(name=name, reason="a broken link")
    if not target.is_relative_to(root.resolve()):
        reason = "a link to outside the folder; copy the file into the folder to use it"
        return Skipped(name=name, reason=reason)
    if target.is_dir():
        return Skipped(name=name, reason="a link to a folder that is read under its own name")
    return _judge(entry, name)


def _judge(file: Path, name: str) -> FileOrSkipped:
    suffix = file.suffix.lower()
    if not file.is_file():
        return Skipped(name=name, reason="not a regular file")
    if suffix in PHOTOGRAPHS | VIDEOS | SIDECARS:
        return file
    reasons = ((SMALL_COPIES, A_SMALL_COPY), (SPHERICAL, A_SPHERE), (TO_CONVERT, CONVERT_FIRST))
    reason = next((why for kinds, why in reasons if suffix in kinds), NOT_FOOTAGE)
    return Skipped(name=name, reason=reason)


def _shown_name(file: Path, given: Path) -> str:
    return _below(file, given) if given.is_dir() else printable(file.name)


def _below(path: Path, root: Path) -> str:
    return printable(path.relative_to(root).as_posix())


def _natural(path: Path) -> tuple[tuple[int, int, str], ...]:
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name.casefold())
    return tuple((0, int(p), p) if p[0] in "0123456789" else (1, 0, p) for p in parts)
