"""Words, north arrows and scale bars in a strip below a picture; the picture itself is not touched.

Pictures are (rows, columns, 3) uint8 BGR. OpenCV's own outline fonts hold Latin, Greek, Cyrillic,
Arabic and Chinese letters, so that the name of a file is read as its owner wrote it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

PAPER, INK, SOFT = (247, 250, 251), (39, 35, 28), (106, 98, 86)
STRIP_PX = 92
TEXT_LEFT_PX = 74
MARGIN_PX = 12
FIRST_PX, OTHERS_PX, HASH_PX = 19, 15, 12
BASELINES_PX = (27, 51, 75)
HEAVY, PLAIN = 600, 400
SUBPIXEL_BITS = 4
COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


@dataclass(frozen=True, kw_only=True)
class Caption:
    """Three lines of a strip, the last one in small letters.

    ``north_deg`` is where north is, clockwise from up in the picture; ``pixel_m`` is the size of a
    pixel of the picture on the ground, for a scale bar. None draws neither.
    """

    lines: tuple[str, str, str]
    north_deg: float | None = None
    pixel_m: float | None = None


def captioned(picture: Picture, caption: Caption) -> Picture:
    """The picture, row for row as it was, with a strip of words below."""
    width = picture.shape[1]
    strip = np.full((STRIP_PX, width, 3), PAPER, np.uint8)
    right = width - MARGIN_PX
    if caption.pixel_m is not None:
        right -= _scale_bar(strip, caption.pixel_m) + MARGIN_PX
    left = TEXT_LEFT_PX if caption.north_deg is not None else MARGIN_PX
    if caption.north_deg is not None:
        _arrow(strip, caption.north_deg)
    looks = ((FIRST_PX, HEAVY, INK), (OTHERS_PX, PLAIN, INK), (HASH_PX, PLAIN, SOFT))
    for i, (text, (size, weight, colour)) in enumerate(zip(caption.lines, looks, strict=True)):
        room = (right if i < 1 else width - MARGIN_PX) - left
        _write(strip, text, (left, BASELINES_PX[i]), room, (size, weight, colour))
    return np.concatenate([picture, strip])


def readable(name: str) -> str:
    """A name on one line, with every letter that cannot be seen shown as a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def compass(azimuth_deg: float) -> str:
    """The nearest of eight points of the compass."""
    return COMPASS[round(azimuth_deg / 45) % 8]


def traced(
    picture: Picture, lines_px: Sequence[npt.NDArray[np.float64]], colour: Colour
) -> Picture:
    """The picture with thin lines along (N, 2) places, counted from its outer corner."""
    drawn = picture.copy()
    fixed = [np.rint((line - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32) for line in lines_px]
    for width, ink in ((3, (0, 0, 0)), (1, colour)):
        shadow = drawn if width == 1 else drawn.copy()
        cv2.polylines(shadow, fixed, isClosed=False, color=ink, thickness=width,
                      lineType=cv2.LINE_AA, shift=SUBPIXEL_BITS)  # fmt: skip
        drawn = shadow if width == 1 else np.asarray(
            cv2.addWeighted(shadow, 0.35, drawn, 0.65, 0), np.uint8
        )  # fmt: skip
    return drawn


def nice_below(length_m: float) -> float:
    """The longest of 1, 2, 5, 10, 20 ... (and their tenths) that is no longer."""
    power = 10.0 ** math.floor(math.log10(length_m))
    return max(step * power for step in (1, 2, 5) if step * power <= length_m)


def _write(
    strip: Picture, text: str, at: tuple[int, int], room_px: int, look: tuple[int, int, Colour]
) -> None:
    """A line of text, in smaller letters and then cut where it is too long for its room."""
    size, weight, colour = look
    font = cv2.FontFace("sans")
    while size > HASH_PX - 2 and _length(text, font, size, weight) > room_px:
        size -= 1
    while len(text) > 1 and _length(text, font, size, weight) > room_px:
        text = text[:-2] + "…"
    cv2.putText(strip, text, at, colour, font, size, weight)


def _length(text: str, font: cv2.FontFace, size: int, weight: int) -> int:
    left, _, width, _ = cv2.getTextSize((1, 1), text, (0, 0), font, size, weight)
    return int(left + width)


def _arrow(strip: Picture, north_deg: float) -> None:
    """An arrow to the north in a ring, with its letter at the tip."""
    middle, reach = np.array([38.0, STRIP_PX / 2]), 30.0
    angle = math.radians(north_deg)
    tip = np.array([math.sin(angle), -math.cos(angle)])
    side = np.array([math.cos(angle), math.sin(angle)])
    head = [tip * reach * 0.62, side * 9 - tip * 14, -tip * 8, -side * 9 - tip * 14]
    corners = np.rint((middle + np.array(head)) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(strip, [corners], INK, cv2.LINE_AA, SUBPIXEL_BITS)
    letter = middle + tip * reach - [6, -6]
    cv2.putText(strip, "N", tuple(np.rint(letter).astype(int).tolist()), INK,
                cv2.FontFace("sans"), 15, HEAVY)  # fmt: skip


def _scale_bar(strip: Picture, pixel_m: float) -> int:
    """A bar of a round length at the right of the first line; its width in pixels."""
    right = strip.shape[1] - MARGIN_PX
    length_m = nice_below(strip.shape[1] * pixel_m / 4)
    width = round(length_m / pixel_m)
    cv2.rectangle(strip, (right - width, 24), (right, 28), INK, -1)
    for x in (right - width, right):
        cv2.line(strip, (x, 19), (x, 28), INK, 1)
    font = cv2.FontFace("sans")
    text = f"{length_m:g} m"
    cv2.putText(strip, text, (right - width, 15), INK, font, 13, PLAIN)
    return max(width, _length(text, font, 13, PLAIN))
