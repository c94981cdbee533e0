"""Words, north arrows and scale bars in a strip below a picture; the picture itself is not touched.

Pictures are (rows, columns, 3) uint8 BGR. OpenCV's own outline fonts hold Latin, Greek, Cyrillic,
Arabic and Chinese letters, so that the name of a file is read as its owner wrote it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from aftermap.geo.arrays import Array, ByteArray
from aftermap.geo.scale_bar import scale_bar_length

Colour = tuple[int, int, int]

PAPER, INK, SOFT = (247, 250, 251), (39, 35, 28), (106, 98, 86)
BEYOND = (214, 219, 222)
"""What lies outside the original, or where an orthophoto shows nothing."""
WIDTH_PX = 720.0
"""At this width of a picture the measures below are as they stand; they grow with it."""
STRIP_PX = 92.0
TEXT_LEFT_PX, MARGIN_PX = 74.0, 12.0
BASELINES_PX, LETTERS_PX = (27.0, 51.0, 75.0), (19.0, 15.0, 12.5)
HEAVY, PLAIN = 600, 400
LEAST_SHRUNK = 0.7
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


def with_caption(picture: ByteArray, caption: Caption) -> ByteArray:
    """The picture, row for row as it was, with a strip of words below.

    Both are (rows, columns, 3) uint8 BGR colours.
    """
    times = picture.shape[1] / WIDTH_PX
    pen = _Pen(
        strip=np.full((round(STRIP_PX * times), picture.shape[1], 3), PAPER, np.uint8), times=times
    )
    right = WIDTH_PX - MARGIN_PX
    room = right
    if caption.pixel_m is not None:
        room -= pen.scale_bar(caption.pixel_m) + MARGIN_PX
    left = MARGIN_PX
    if caption.north_deg is not None:
        left = TEXT_LEFT_PX
        pen.arrow(caption.north_deg)
    for i, text in enumerate(caption.lines):
        look = (LETTERS_PX[i], HEAVY if i == 0 else PLAIN, SOFT if i == 2 else INK)
        pen.write(text, (left, BASELINES_PX[i]), (room if i == 0 else right) - left, look)
    return np.concatenate([picture, pen.strip])


def readable(name: str) -> str:
    """A name on one line, with every letter that cannot be seen shown as a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def compass(azimuth_deg: float) -> str:
    """The nearest of eight points of the compass."""
    return COMPASS[round(azimuth_deg / 45) % 8]


def traced(picture: ByteArray, lines_px: Sequence[Array], colour: Colour) -> ByteArray:
    """The picture with thin lines along (N, 2) places, counted from its outer corner."""
    drawn = picture.copy()
    fixed = [np.rint((line - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32) for line in lines_px]
    for width, ink in ((3, (0, 0, 0)), (1, colour)):
        shadow = drawn if width == 1 else drawn.copy()
        cv2.polylines(
            shadow,
            fixed,
            isClosed=False,
            color=ink,
            thickness=width,
            lineType=cv2.LINE_AA,
            shift=SUBPIXEL_BITS,
        )
        drawn = (
            shadow
            if width == 1
            else np.asarray(cv2.addWeighted(shadow, 0.35, drawn, 0.65, 0), np.uint8)
        )
    return drawn


@dataclass(frozen=True, kw_only=True)
class _Pen:
    """Draws on a strip, in measures that are ``times`` as large there."""

    strip: ByteArray
    times: float

    def write(
        self, text: str, at: tuple[float, float], room: float, look: tuple[float, int, Colour]
    ) -> None:
        """A line of text, in smaller letters and then cut where it is too long for its room."""
        size, weight, colour = look
        smaller = size * min(1.0, max(LEAST_SHRUNK, room / max(self.length(text, size, weight), 1)))
        while len(text) > 1 and self.length(text, smaller, weight) > room + 1:
            text = text[:-2] + "…"
        place = round(at[0] * self.times), round(at[1] * self.times)
        cv2.putText(
            self.strip,
            text,
            place,
            colour,
            cv2.FontFace("sans"),
            round(smaller * self.times),
            weight,
        )

    def length(self, text: str, size: float, weight: int) -> float:
        """How long a text is, in the same measures."""
        font = cv2.FontFace("sans")
        pixels = round(size * self.times)
        left, _, width, _ = cv2.getTextSize((1, 1), text, (0, 0), font, pixels, weight)
        return float(left + width) / self.times

    def arrow(self, north_deg: float) -> None:
        """An arrow to the north, with its letter at the tip."""
        middle, reach = np.array([38.0, STRIP_PX / 2]), 30.0
        angle = math.radians(north_deg)
        tip = np.array([math.sin(angle), -math.cos(angle)])
        side = np.array([math.cos(angle), math.sin(angle)])
        head = [tip * reach * 0.55, side * 10 - tip * 18, -tip * 11, -side * 10 - tip * 18]
        corners = (middle + np.array(head)) * self.times * (1 << SUBPIXEL_BITS)
        fixed = np.rint(corners).astype(np.int32)
        cv2.fillPoly(self.strip, [fixed], INK, cv2.LINE_AA, SUBPIXEL_BITS)
        letter = middle + tip * reach + np.array([-5.5, 5.5])
        self.write("N", (letter[0], letter[1]), 30, (15.0, HEAVY, INK))

    def scale_bar(self, pixel_m: float) -> float:
        """A bar of a round length at the right of the first line; how much room it takes."""
        unit_m = pixel_m * self.times
        length_m = scale_bar_length(WIDTH_PX * unit_m / 4)
        left, right = WIDTH_PX - MARGIN_PX - length_m / unit_m, WIDTH_PX - MARGIN_PX
        self.box((left, 25), (right, 28))
        for x in (left, right):
            self.box((x - 0.7, 20), (x + 0.7, 28))
        text = f"{length_m:g} m"
        self.write(text, (left, 16), 100, (13.0, PLAIN, INK))
        return max(length_m / unit_m, self.length(text, 13.0, PLAIN))

    def box(self, first: tuple[float, float], last: tuple[float, float]) -> None:
        """A filled box."""
        corners = [(round(x * self.times), round(y * self.times)) for x, y in (first, last)]
        cv2.rectangle(self.strip, corners[0], corners[1], INK, -1)
