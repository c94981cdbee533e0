"""A stored picture -> its grey values: the one reader of grey pictures."""

import cv2
import numpy as np

from aftermap.errors import InputError
from aftermap.geo.arrays import ByteArray
from aftermap.model.camera import Frame


def grey_picture(frame: Frame, side_px: int | None = None) -> tuple[ByteArray, float]:
    """The stored picture in grey, and how many full-resolution pixels one of its pixels spans.

    With a side it is shrunk by averaging to about that size; JPEG halves while decoding.
    """
    flags = cv2.IMREAD_GRAYSCALE
    reduced = 1
    if side_px is not None and max(frame.width_px, frame.height_px) >= 2 * side_px:
        flags, reduced = cv2.IMREAD_REDUCED_GRAYSCALE_2, 2
    picture = cv2.imread(frame.path, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise InputError(f"{frame.name}: cannot be decoded; remove it or copy it again")
    if side_px is None or max(picture.shape) <= side_px:
        return np.asarray(picture, np.uint8), float(reduced)
    shrink = side_px / max(picture.shape)
    size = (round(picture.shape[1] * shrink), round(picture.shape[0] * shrink))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), reduced * picture.shape[1] / size[0]
