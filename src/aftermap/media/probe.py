"""One file -> a MediaItem: that it is a whole photograph, and what it claims about itself.

The picture is decoded once (a JPEG at an eighth of its size), so that a damaged file is found
here and not hours later. No pixel is touched before the header has been judged.
"""

import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from aftermap.errors import InputError
from aftermap.media.exif import DAMAGE, ExifFacts, exif_facts
from aftermap.media.position import attitude_of, geotag_of, relative_height_m_of
from aftermap.media.sensors import focal_prior
from aftermap.media.xmp import properties_in
from aftermap.model.media import MOST_PICTURE_PIXELS, MediaItem

MIN_SIDE_PX = 200

SUPPORTED = "JPEG, PNG and TIFF photographs are supported"

_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_FORMATS = ("JPEG", "PNG", "TIFF")  # an MPO is found by its JPEG start
_MODES = frozenset({"L", "LA", "P", "RGB", "RGBA", "CMYK"})
_DNG_VERSION = 50706
_WIDTH, _HEIGHT = 256, 257
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif"})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, b"\xff\xd9"
_COPY_AGAIN = "copy it again from the card, or exclude it"

Size = tuple[int, int]


def probe(path: Path, *, name: str, sha256: str) -> MediaItem:
    """What a photograph is and claims.

    Corrupt EXIF or XMP costs facts, not the photograph. Of a JPEG that holds several pictures (MPO:
    a preview or a depth map beside the photograph) the first is meant. Raises InputError where it
    cannot be used: of another kind, unreadable, damaged, too large or too small, a panorama.
    """
    _refuse_other_kinds(path, name)
    with _quietly(), _open(path, name) as image:
        size_px = _checked_size(image, name)
        exif = exif_facts(image)
        _decode(image, path, name)
        xmp = properties_in(image.info.get("xmp"))
    if xmp.get("GPano:ProjectionType"):
        raise InputError(
            f"{name}: is a stitched panorama without a single camera; use the original photographs"
        )
    return _item(path, name, sha256, size_px, exif, xmp)


def _item(
    path: Path, name: str, sha256: str, size_px: Size, exif: ExifFacts, xmp: Mapping[str, str]
) -> MediaItem:
    return MediaItem(
        sha256=sha256,
        name=name,
        size_bytes=path.stat().st_size,
        width_px=size_px[0],
        height_px=size_px[1],
        orientation=exif.orientation,
        make=exif.make,
        camera=exif.model,
        lens_serial=xmp.get("drone-dji:CameraSerialNumber") or exif.serial,
        focal=focal_prior(exif, xmp, size_px),
        taken_at=exif.taken_at,
        clock=exif.clock,
        geotag=geotag_of(exif, xmp),
        attitude=attitude_of(xmp),
        relative_height_m=relative_height_m_of(xmp),
    )


def _refuse_other_kinds(path: Path, name: str) -> None:
    """Told by the first bytes, so that a wrong name gets a right answer."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read ({error.strerror}); check its permissions"
        ) from error
    wrong = _other_kind(head)
    if wrong is not None:
        raise InputError(f"{name}: {wrong}")


def _other_kind(head: bytes) -> str | None:
    if head.startswith(_STARTS):
        return None
    if not head:
        wrong = f"is empty; {_COPY_AGAIN}"
    elif head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        wrong = "is a HEIC or AVIF image, which is not supported; convert it to JPEG"
    elif head[4:8] == b"ftyp":
        wrong = "is a video, not a photograph; give it its own extension (.mp4 or .mov)"
    elif re.fullmatch(rb"[\x09\x0a\x0d\x20-\x7e\x80-\xff]+", head):
        wrong = f"is a text file, not an image; {SUPPORTED}"
    else:
        wrong = f"is not a supported image; {SUPPORTED}"
    return wrong


@contextmanager
def _quietly() -> Iterator[None]:
    """Pillow warns about every oddity of a header; what matters is judged here instead."""
    log = logging.getLogger("PIL")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


@contextmanager
def _open(path: Path, name: str) -> Iterator[Image.Image]:
    try:
        image = Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise InputError(_too_large(name)) from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{name}: looks like an image but cannot be read; {_COPY_AGAIN}"
        ) from error
    except DAMAGE as error:
        raise InputError(f"{name}: {_damage(error)}; {_COPY_AGAIN}") from error
    with image:
        yield image


def _checked_size(image: Image.Image, name: str) -> Size:
    """Width and height as stored (Pillow turns those of a TIFF), or why the picture is no use."""
    size_px = image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        if image.tag_v2.get(_DNG_VERSION) is not None:
            raise InputError(
                f"{name}: is a DNG raw file, which is not supported; convert it to JPEG"
            )
        size_px = (int(image.tag_v2[_WIDTH]), int(image.tag_v2[_HEIGHT]))
    if size_px[0] * size_px[1] > MOST_PICTURE_PIXELS:
        raise InputError(_too_large(name))
    if min(size_px) < MIN_SIDE_PX:
        raise InputError(
            f"{name}: is {size_px[0]} x {size_px[1]} pixels, too small to be aligned (at least "
            f"{MIN_SIDE_PX} on each side); use the original photograph"
        )
    if image.format in ("PNG", "TIFF") and getattr(image, "is_animated", False):
        raise InputError(f"{name}: contains several images; save the photograph as a separate file")
    if image.mode not in _MODES:
        raise InputError(
            f"{name}: has more than 8 bits per channel or is not a colour image (Pillow mode "
            f"{image.mode}); export it as an 8-bit JPEG"
        )
    return size_px


def _decode(image: Image.Image, path: Path, name: str) -> None:
    """Fails where the picture is not whole.

    A JPEG must also reach its end marker: the zeros that a failing card leaves decode without
    complaint.
    """
    try:
        if image.format in ("JPEG", "MPO"):
            with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as jpeg:
                whole = _reaches_end(jpeg)
            if not whole:
                raise InputError(f"{name}: is truncated; {_COPY_AGAIN}")
            image.draft("L", (image.width // 8, image.height // 8))
        image.load()
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise InputError(f"{name}: {_damage(error)}; {_COPY_AGAIN}") from error


def _reaches_end(jpeg: bytes | mmap) -> bool:
    """Whether an end marker follows the start of the picture (thumbnails have their own, before).

    In the coded picture every 0xFF is followed by a zero or a restart marker (ITU-T T.81, B.1.1),
    so the marker cannot occur in it by chance.
    """
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == _START_OF_SCAN:
            return jpeg.find(_END_OF_IMAGE, at) > 0
        if marker == 0xFF or 0xD0 <= marker <= 0xD7 or marker == 0x01:
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return False


def _damage(error: BaseException) -> str:
    text = str(error)
    if "truncated" in text.lower():
        return "is truncated"
    if "too large" in text or "MAX_TEXT" in text:
        return "contains text or a colour profile that is too large when unpacked"
    return f"is damaged ({' '.join(text.split())[:80] or type(error).__name__})"


def _too_large(name: str) -> str:
    return (
        f"{name}: states more than {MOST_PICTURE_PIXELS / 1e6:.0f} megapixels, more than any "
        "drone camera; exclude it, or split it into photographs"
    )
