"""Photographs and pictures of clips, made small enough for the page and kept in memory.

Pixels of a photograph are as stored; its EXIF orientation is not applied, so that a pixel of the
page is a share of the sensor as everywhere in a case.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from aftermap.errors import CaseError, InputError
from aftermap.frames.decode import pictures_at
from aftermap.model.clip import Clip
from aftermap.web.opened import OpenedCase, ResponseCache
from aftermap.web.tiles import Tile

SIZES_PX = (320, 1600, 6000)
KEPT_BYTES = 96 << 20
QUALITY = 85


@dataclass
class Thumbnails:
    """Makes small pictures of originals."""

    case: OpenedCase
    _kept: ResponseCache[Tile] = field(
        default_factory=lambda: ResponseCache(KEPT_BYTES, lambda tile: len(tile.body))
    )

    def photograph(self, sha256: str, side_px: int) -> Tile:
        """A photograph, no longer than ``side_px`` (one of ``SIZES_PX``, or the next larger)."""
        side = next((size for size in SIZES_PX if size >= side_px), SIZES_PX[-1])
        path = self.case.original(sha256)
        return self._kept.get((sha256, side), lambda: _make_small(path, side))

    def still(self, clip: Clip, time_s: Fraction) -> Tile:
        """The picture of a clip at exactly that moment, in its full size."""
        path = self.case.original(clip.sha256)
        return self._kept.get((clip.sha256, time_s), lambda: _read_still(path, clip, time_s))


def _make_small(path: Path, side_px: int) -> Tile:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (side_px, side_px))
            picture = image.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise CaseError(
            f"{path.name[:16]}: cannot be displayed ({error}); run aftermap verify"
        ) from error
    picture.thumbnail((side_px, side_px))
    return _jpeg(picture)


def _read_still(path: Path, clip: Clip, time_s: Fraction) -> Tile:
    for _, bgr in pictures_at(path, [time_s]):
        return _jpeg(Image.fromarray(np.ascontiguousarray(bgr[..., ::-1])))
    raise InputError(f"{clip.name}: has no frame at {float(time_s):.3f} s")


def _jpeg(picture: Image.Image) -> Tile:
    stream = BytesIO()
    picture.save(stream, "jpeg", quality=QUALITY)
    return Tile(body=stream.getvalue(), media_type="image/jpeg")
