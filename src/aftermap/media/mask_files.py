"""Files called like masks -> the photographs and clips that they belong to, by their names alone.

Two habits of the field are followed. Beside the picture: ``IMG_0001_mask.png``, as OpenDroneMap
has it (``find_mask`` in stages/dataset.py, read 2026-11-30). In a folder of masks that is named:
``IMG_0001.JPG.png`` at the path that the picture has below its own folder, as COLMAP has it
(``ImageReader.mask_path``, https://colmap.github.io/faq.html#mask-image-regions).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aftermap.errors import InputError
from aftermap.model.runs import Skipped

KINDS = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".mpo", ".tif", ".tiff"})
"""Endings of pictures: one called NAME_mask with any of them is no photograph of its own."""
_ADDED = "_mask"

NO_PICTURE_OF_ITS_NAME = (
    "a mask without an image of its name; put it beside the image, or into the folder of --masks"
)
NOT_IN_FOLDER = (
    "named like a COLMAP mask; give its folder with --masks, or put it beside the image "
    "as NAME_mask.png"
)
NOT_CALLED_SO = "in the masks folder, but not named NAME.EXT.png or NAME_mask.png"


@dataclass(frozen=True, kw_only=True)
class MaskTarget:
    """A photograph or clip that is used: its digest, the file that was given, what it is called."""

    sha256: str
    file: Path
    name: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """A mask: the file, and what it is called from here on."""

    file: Path
    name: str


def masked_stem(file: Path) -> str | None:
    """The name without ending of the picture that a file is a mask of by its own name, or None."""
    stem = file.stem.casefold()
    if file.suffix.lower() not in KINDS or not stem.endswith(_ADDED) or stem == _ADDED:
        return None
    return stem.removesuffix(_ADDED)


def is_mask_of(file: Path, names: Iterable[str]) -> bool:
    """Whether a file is called as COLMAP calls the mask of a picture with one of these names."""
    return file.suffix.lower() == ".png" and file.stem.casefold() in names


def masks_of(
    pictures: Sequence[MaskTarget], named: Mapping[Path, str], folder: Path | None
) -> tuple[dict[str, Found], list[Skipped]]:
    """The mask of each picture that has one, by its SHA-256; and the masks that belong to none.

    ``named`` are masks in the folders of footage with the names they are listed by; those beside a
    picture that was named alone are found as well. Raises InputError where it is not clear which
    mask belongs to which picture.
    """
    found: dict[str, Found] = {}
    skipped: list[Skipped] = []
    used: set[Path] = set()
    pairs = [*_beside(pictures, named), *_in_folder(pictures, folder, skipped)]
    for mask, picture in pairs:
        first = found.setdefault(picture.sha256, mask)
        if first.file != mask.file:
            raise InputError(
                f"{picture.name}: has two masks, {first.name} and {mask.name}; keep one of them"
            )
        used.add(mask.file)
    skipped += [
        Skipped(name=name, reason=NO_PICTURE_OF_ITS_NAME)
        for file, name in named.items()
        if file not in used
    ]
    return found, skipped


def _beside(
    pictures: Sequence[MaskTarget], named: Mapping[Path, str]
) -> Iterator[tuple[Found, MaskTarget]]:
    by_folder: dict[Path, list[MaskTarget]] = defaultdict(list)
    for one in pictures:
        by_folder[one.file.resolve().parent].append(one)
    for folder, here in by_folder.items():
        by_stem: dict[str, list[MaskTarget]] = defaultdict(list)
        for one in here:
            by_stem[one.file.stem.casefold()].append(one)
        for file in sorted(folder.iterdir()):
            stem = masked_stem(file)
            if stem in by_stem and (file in named or (file.is_file() and not file.is_symlink())):
                mask = Found(file=file, name=named.get(file, file.name))
                yield mask, _only(by_stem[stem], mask.name)


def _in_folder(
    pictures: Sequence[MaskTarget], folder: Path | None, skipped: list[Skipped]
) -> Iterator[tuple[Found, MaskTarget]]:
    """Masks of the named folder with their pictures; the others go to ``skipped``."""
    if folder is None:
        return
    for file in masks_in(folder):
        below = PurePosixPath(file.relative_to(folder).as_posix())
        name = f"{folder.name}/{below}"
        stem = masked_stem(file)
        is_whole = file.suffix.lower() == ".png"
        fitting = [
            one
            for one in pictures
            if (is_whole and one.file.name.casefold() == file.stem.casefold())
            or (stem is not None and one.file.stem.casefold() == stem)
        ]
        same_place = [one for one in fitting if PurePosixPath(one.name).parent == below.parent]
        if same_place or len(below.parts) > 1:
            fitting = same_place
        if fitting:
            yield Found(file=file.resolve(), name=name), _only(fitting, name)
        else:
            called_so = is_whole or stem is not None
            reason = NO_PICTURE_OF_ITS_NAME if called_so else NOT_CALLED_SO
            skipped.append(Skipped(name=name, reason=reason))


def masks_in(folder: Path) -> list[Path]:
    """The files of a folder of masks to its full depth, without hidden ones and links.

    Raises InputError where it is no folder, or cannot be read.
    """
    try:
        if not folder.is_dir():
            raise InputError(f"{folder}: is not a folder; give the masks folder with --masks")
        files = sorted(folder.rglob("*"))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be read ({error.strerror}); check its permissions"
        ) from error
    return [
        file
        for file in files
        if file.is_file()
        and not file.is_symlink()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]


def _only(pictures: Sequence[MaskTarget], mask: str) -> MaskTarget:
    if len(pictures) > 1:
        names = " and ".join(one.name for one in pictures[:2])
        raise InputError(
            f"{mask}: could be the mask of {names}; put it into a masks folder as "
            "FOLDER/NAME.EXT.png, and give that folder with --masks"
        )
    return pictures[0]
