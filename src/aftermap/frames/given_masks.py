"""Masks that a user gave -> masks of frames: grey, of the picture's size, 0 where it is left out.

A given mask says 0 where something lies over the scene, and anything else where it does not; of a
JPEG, which blurs every edge, less than half. It counts in the pixels as stored, as everything does:
an orientation is never applied, neither the picture's nor its own.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from aftermap.errors import InputError
from aftermap.geo.arrays import ByteArray
from aftermap.geo.masks import read_mask
from aftermap.model.camera import Frame
from aftermap.model.clip import Clip, Sidecar
from aftermap.model.media import MOST_PICTURE_PIXELS, MediaItem
from aftermap.model.runs import Executor, Workspace

JPEG_HALF = 128
TURNED = (5, 6, 7, 8)
"""EXIF orientations that exchange width and height."""
_FORMATS = ("PNG", "JPEG")
_ADVICE = "save it as a grey PNG of the image size, black where excluded"


@dataclass(frozen=True, kw_only=True)
class GivenMask:
    """A mask as it was received, and of which picture or clip: its name, size and orientation."""

    mask: Sidecar
    name: str
    size_px: tuple[int, int]
    is_turned: bool

    @classmethod
    def of(cls, original: MediaItem | Clip, mask: Sidecar) -> "GivenMask":
        """The mask of a photograph or clip."""
        size_px = original.width_px, original.height_px
        turned = _is_turned(original)
        return cls(mask=mask, name=original.name, size_px=size_px, is_turned=turned)


def given_masks(
    originals: Sequence[MediaItem | Clip],
    masks: Mapping[str, Sidecar],
    files: Workspace,
    executor: Executor,
) -> dict[str, Path]:
    """The file of each original's mask by its SHA-256; none where nothing is left out.

    Raises InputError, in one line that names the file, where a mask cannot be read, is of another
    shape than its picture, or leaves nothing of it.
    """
    of = [one for one in originals if one.sha256 in masks]
    given = [GivenMask.of(one, masks[one.sha256]) for one in of]
    made = executor.map(partial(_mask_file, files=files), given, label="masks")
    return {one.sha256: path for one, path in zip(of, made, strict=True) if path is not None}


def with_given_mask(frames: Sequence[Frame], given: Path, files: Workspace) -> tuple[Frame, ...]:
    """Frames of one clip: left out is what its own mask leaves out, or the one of its shot."""
    joined = {found: _join(found, given, files) for found in {one.mask for one in frames}}
    return tuple(replace(one, mask=str(joined[one.mask])) for one in frames)


def notes_on(originals: Sequence[MediaItem | Clip], given: Mapping[str, Path]) -> Iterator[str]:
    """One line on how many have masks, and one on each whose orientation could mislead."""
    masked = [one for one in originals if one.sha256 in given]
    if masked:
        yield (
            f"{len(masked)} of {len(originals)} photographs and clips have a mask; masked areas "
            "are not used"
        )
    for one in masked:
        if not _is_upright(one):
            yield (
                f"{one.name}: is stored rotated, and its mask applies to the pixels "
                "as stored; check that the mask was not drawn over the upright "
                "image"
            )


def _is_upright(one: MediaItem | Clip) -> bool:
    return one.rotation_deg % 360 == 0 if isinstance(one, Clip) else one.orientation == 1


def _is_turned(one: MediaItem | Clip) -> bool:
    """Whether a viewer exchanges its width and height."""
    return one.rotation_deg % 180 != 0 if isinstance(one, Clip) else one.orientation in TURNED


def _mask_file(given: GivenMask, files: Workspace) -> Path | None:
    kept = kept_by(given)
    if kept.all():
        return None
    width, height = given.size_px
    return files.item(f"{given.mask.sha256}-{width}x{height}.png", partial(_write, kept))


def kept_by(given: GivenMask) -> ByteArray:
    """(rows, columns) of the picture: 0 where it is left out, 255 where it is not.

    Raises InputError as :func:`given_masks` does.
    """
    stored = _stored(given)
    width, height = given.size_px
    if stored.shape != (height, width):
        is_larger = stored.shape[0] > height
        way = cv2.INTER_AREA if is_larger else cv2.INTER_NEAREST
        stored = np.asarray(cv2.resize(stored, (width, height), interpolation=way), np.uint8)
        stored = np.where(stored == 255, 255, 0).astype(np.uint8)  # a line of it stays one
    if not stored.any():
        raise InputError(
            f"{given.mask.name}: masks all of {given.name}; paint excluded areas black and the "
            "rest white, or exclude the image itself"
        )
    return stored


def _stored(given: GivenMask) -> ByteArray:
    """A mask as it was received: 0 or 255, at its own size."""
    with _telling(given), Image.open(given.mask.path, formats=_FORMATS) as image:
        _check_size(image, given)
        is_jpeg = image.format == "JPEG"
        pixels = np.asarray(_plain(image))
    values = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    return np.where(values >= (JPEG_HALF if is_jpeg else 1), 255, 0).astype(np.uint8)


def _plain(image: Image.Image) -> Image.Image:
    """The picture without palette and transparency."""
    if image.mode in ("P", "PA", "RGBA", "CMYK", "YCbCr"):
        return image.convert("RGB")
    return image.convert("L") if image.mode in ("1", "LA") else image


@contextmanager
def _telling(given: GivenMask) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size, which is judged here
            yield
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise InputError(f"{given.mask.name}: cannot be read as a mask; {_ADVICE}") from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{given.mask.name}: cannot be read as a mask ({' '.join(str(error).split())[:80]}); "
            f"{_ADVICE}"
        ) from error


def _check_size(image: Image.Image, given: GivenMask) -> None:
    """Told before any pixel is unpacked."""
    (width, height), (wanted_width, wanted_height) = image.size, given.size_px
    if _same_shape(image.size, given.size_px) and width * height <= MOST_PICTURE_PIXELS:
        return
    advice = "make it the size of the image"
    if given.is_turned and _same_shape((height, width), given.size_px):
        advice = "the image is stored rotated, so rotate the mask as the image is stored"
    raise InputError(
        f"{given.mask.name}: is {width} x {height} pixels and {given.name} {wanted_width} x "
        f"{wanted_height} as stored; {advice}"
    )


def _same_shape(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two pictures have one aspect, within a pixel and a fiftieth."""
    (w1, h1), (w2, h2) = first, second
    off = abs(w1 * h2 - h1 * w2)
    return off <= 0.02 * w1 * h2 and off < max(w2, h2)


def _join(found: str | None, given: Path, files: Workspace) -> Path:
    if found is None:
        return given
    both = cv2.bitwise_and(read_mask(found), read_mask(str(given)))
    digest = sha256(Path(found).read_bytes()).hexdigest()[:16]
    return files.item(f"{given.stem}-{digest}.png", partial(_write, np.asarray(both, np.uint8)))


def _write(mask: ByteArray, path: Path) -> None:
    path.write_bytes(cv2.imencode(".png", mask)[1].tobytes())
