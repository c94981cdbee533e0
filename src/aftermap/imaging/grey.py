"""A stored picture -> its grey values: the one reader of grey pictures."""

import cv2
import numpy as np

from aftermap.errors import InputError
from aftermap.geo.arrays import ByteArray
from aftermap.model.camera import Frame


def read_grey(path: str, *, reduced: int = 1) -> ByteArray | None:
    """(rows, columns) of a stored picture, an EXIF orientation not applied; None where unreadable.

    ``reduced`` is 1, or 2 for half the size, which JPEG gives while decoding.
    """
    flags = cv2.IMREAD_GRAYSCALE if reduced == 1 else cv2.IMREAD_REDUCED_GRAYSCALE_2
    picture = cv2.imread(path, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if picture is None else np.asarray(picture, np.uint8)


def grey_of_rgb(rgb: ByteArray) -> ByteArray:
    """(rows, columns) luma of (rows, columns, 3) red, green, blue (ITU-R BT.601)."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def grey_picture(frame: Frame, side_px: int | None = None) -> tuple[ByteArray, float]:
    """The stored picture in grey, (rows, columns) of 0 to 255, and how many full pixels one spans.

    With a side it is shrunk by averaging to about that size; JPEG halves while decoding.

    Raises InputError where the picture cannot be decoded.
    """
    halves = side_px is not None and max(frame.width_px, frame.height_px) >= 2 * side_px
    reduced = 2 if halves else 1
    picture = read_grey(frame.path, reduced=reduced)
    if picture is None:
        raise InputError(f"{frame.name}: cannot be decoded; remove it or copy it again")
    if side_px is None or max(picture.shape) <= side_px:
        return picture, float(reduced)
    shrink = side_px / max(picture.shape)
    size = (round(picture.shape[1] * shrink), round(picture.shape[0] * shrink))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), reduced * picture.shape[1] / size[0]
