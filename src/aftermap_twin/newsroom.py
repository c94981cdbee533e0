"""Pictures to pictures as broadcast: a lower third with text, a logo, and a fade through black."""

import cv2
import numpy as np

from aftermap.geo.arrays import ByteArray

CAPTION = ("PRACTICE NEWS", "Synthetic district - not a real place")
BLUE, WHITE, RED = (24, 44, 96), (245, 245, 245), (196, 30, 40)
BAR_OPACITY = 0.85


def broadcast(picture: ByteArray, brightness: float) -> ByteArray:
    """The picture dimmed by a fade, with the graphics on top; graphics do not fade.

    (rows, columns, 3) colours from 0 to 255; ``brightness`` from 0 to 1.
    """
    out = np.ascontiguousarray((picture.astype(np.float32) * brightness).astype(np.uint8))
    height, width = out.shape[:2]
    top, bottom = round(height * 0.80), round(height * 0.93)
    left, right = round(width * 0.05), round(width * 0.72)
    bar = out[top:bottom, left:right].astype(np.float32)
    bar = bar * (1 - BAR_OPACITY) + np.array(BLUE, np.float32) * BAR_OPACITY
    out[top:bottom, left:right] = bar.astype(np.uint8)
    out[top:bottom, left : left + max(2, width // 120)] = RED
    for line, text in enumerate(CAPTION):
        scale = height / 540 * (0.9 if line == 0 else 0.7)
        place = (left + width // 50, top + round((bottom - top) * (0.45 + 0.42 * line)))
        _write(out, text, place, scale, WHITE)
    _logo(out)
    return out


def _logo(out: ByteArray) -> None:
    height, width = out.shape[:2]
    size = round(height * 0.1)
    left, top = width - size * 2 - width // 40, height // 20
    cv2.rectangle(out, (left, top), (left + size * 2, top + size), RED, -1)
    _write(out, "PN", (left + size // 3, top + round(size * 0.75)), height / 540 * 1.2, WHITE)


def _write(
    out: ByteArray, text: str, place: tuple[int, int], scale: float, colour: tuple[int, int, int]
) -> None:
    thick = max(1, round(scale * 1.6))
    cv2.putText(out, text, place, cv2.FONT_HERSHEY_DUPLEX, scale, colour, thick, cv2.LINE_AA)
