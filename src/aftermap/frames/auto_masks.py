"""Small pictures of a shot -> what matching leaves out: captions, logos, bars, insets and sky.

What is burned in stands still while the scene moves: its edges are in the same place, with the same
direction, in nearly all pictures. Areas that such edges enclose or cut off go with them. Where the
scene itself stands still nothing can be told apart, and only black bars and sky are masked.

A mask is (H, W) uint8 at the size of the clip: 0 is left out, 255 may be matched, as in COLMAP.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np

from aftermap.frames.decode import Decoded
from aftermap.geo.arrays import Array, BoolArray, ByteArray
from aftermap.geo.masks import mask_at_size

WIDTH_PX = 320
FEWEST_SAMPLES = 4
"""Fewer pictures cannot tell what is burned in from what happens to lie still."""
MOST_SAMPLES = 1200
_USED_SAMPLES = 60
APART_FRACTION = 0.03
"""How far the scene has moved between two of them, of the width or height of the picture."""
BAR_LUMA, BAR_STD = 30, 3.0
_EDGE = 24.0
_STEADY = 0.92
_SCENE_MOVES_STD = 6.0
_MOST_STATIC_FRACTION = 0.35
_GROWN_PX = 3
_SPECK_PX = 12
_ONE_DIRECTION = 0.97
_ACROSS = 0.7
SKY_SHARE = 0.7
SKY_ROUGH = 30.0
"""Variance within 5 by 5 pixels of the small picture, up to which it may be sky with clouds."""


@dataclass(kw_only=True)
class MaskSamples:
    """Small colour pictures between which the scene has moved, with their times.

    At most ``MOST_SAMPLES`` are held: where there are more, every other one is given up.
    """

    pictures: list[tuple[Fraction, ByteArray]] = field(default_factory=list)
    _moved_fraction: float = 0.0
    _since_fraction: float = math.inf

    def offer(self, one: Decoded, moved_fraction: float) -> None:
        """Take a picture in where it is due. The movement counts from the last chosen picture."""
        before, self._moved_fraction = self._moved_fraction, moved_fraction
        since_before = moved_fraction - before if moved_fraction >= before else moved_fraction
        self._since_fraction += since_before
        if moved_fraction > 0 and self._since_fraction < APART_FRACTION:
            return
        self._since_fraction = 0.0
        height_px = max(2, round(one.frame.height * WIDTH_PX / one.frame.width))
        small = one.frame.to_ndarray(
            format="bgr24", width=WIDTH_PX, height=height_px, interpolation="AREA"
        )
        self.pictures.append((one.time_s, np.asarray(small, np.uint8)))
        if len(self.pictures) > MOST_SAMPLES:
            self.pictures = self.pictures[::2]


def mask_of(samples: Sequence[ByteArray], size_px: tuple[int, int]) -> ByteArray | None:
    """The mask of a shot, (rows, columns) of ``size_px``: 0 is left out; None where nothing is.

    ``samples`` are small pictures of it, (rows, columns, 3) uint8 BGR.
    """
    if not samples:
        return None
    step = max(1, len(samples) // _USED_SAMPLES)
    pictures = np.stack(samples[::step])
    grey = np.stack([_grey(picture) for picture in pictures])
    bars = bars_in(grey)
    out = bars | sky_in(pictures)
    if len(pictures) >= FEWEST_SAMPLES:
        out |= burned_in(grey, bars)
    if not out.any():
        return None
    small = np.where(out, np.uint8(0), np.uint8(255))
    return mask_at_size(small, (size_px[1], size_px[0]))


def bars_in(grey: ByteArray) -> BoolArray:
    """Letterbox and pillarbox: rows and columns at the border that are black in every picture.

    ``grey`` (pictures, rows, columns); the answer is (rows, columns).
    """
    brightest = grey.max(axis=0)
    spread = grey.reshape(len(grey), -1).std() if len(grey) else 0.0
    out = np.zeros(brightest.shape, bool)
    if spread < _SCENE_MOVES_STD:  # a black clip has no bars
        return out
    for turned, area in ((brightest, out), (brightest.T, out.T)):
        dark = np.quantile(turned, 0.99, axis=1) < BAR_LUMA
        flat = turned.std(axis=1) < BAR_STD
        for rows in (slice(None), slice(None, None, -1)):
            run = int(np.argmin(np.append((dark & flat)[rows], False)))
            if run > 1:
                area[rows][: run + 1] = True
    return out


def burned_in(grey: ByteArray, bars: BoolArray) -> BoolArray:
    """Captions, logos and inset pictures, from their steady edges.

    ``grey`` (pictures, rows, columns), ``bars`` and the answer (rows, columns).
    """
    nothing = np.zeros(bars.shape, bool)
    scene_std = np.median(grey.std(axis=0)[~bars]) if (~bars).any() else 0.0
    if scene_std < _SCENE_MOVES_STD:
        return nothing
    steady, gradient = _steady_edges(grey)
    steady &= ~_grown(bars, 4)
    if steady.mean() > _MOST_STATIC_FRACTION:
        return nothing
    close = cv2.getStructuringElement(cv2.MORPH_RECT, (9, 5))
    joined = cv2.morphologyEx(steady.astype(np.uint8), cv2.MORPH_CLOSE, close)
    joined = _without_chance(np.asarray(joined, np.uint8), gradient)
    filled = joined.astype(bool) | _enclosed(joined) | _cut_off(joined)
    return _grown(filled, _GROWN_PX) if filled.any() else nothing


def sky_in(pictures: ByteArray) -> BoolArray:
    """Where most pictures show sky: plain, bright, not reddish, and joined to the upper border.

    ``pictures`` are (N, rows, columns, 3) uint8 BGR colours; the answer is (rows, columns).
    """
    share = np.mean([_sky(picture) for picture in pictures], axis=0)
    return np.asarray(share >= SKY_SHARE, bool)


def _grey(picture: ByteArray) -> ByteArray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _steady_edges(grey: ByteArray) -> tuple[BoolArray, Array]:
    """Pixels whose gradient has one direction and is strong in nearly all pictures; its mean."""
    total = np.zeros((2, *grey.shape[1:]), np.float64)
    strength = np.zeros(grey.shape[1:], np.float64)
    weak = np.zeros(grey.shape[1:], np.float64)
    for picture in grey:
        gradient = np.stack(
            [cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1)]
        )
        size = np.linalg.norm(gradient, axis=0)
        total += gradient
        strength += size
        weak += size < _EDGE
    coherence = np.linalg.norm(total, axis=0) / np.maximum(strength, 1e-6)
    strong = strength / len(grey) > 2 * _EDGE
    steady = (coherence > _STEADY) & strong & (weak <= 0.1 * len(grey))
    return np.asarray(steady, bool), np.where(steady, total / len(grey), 0.0)


def _without_chance(joined: ByteArray, gradient: Array) -> ByteArray:
    """Without patches of a few pixels, and without lines in one direction only.

    A straight edge of the scene that lies along the movement seems to stand still. One that crosses
    the whole picture is kept: :func:`_cut_off` judges it.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    dx, dy = (part.ravel() for part in gradient)
    sums = [
        np.bincount(labels.ravel(), weights=product, minlength=count)
        for product in (dx * dx, dy * dy, dx * dy)
    ]
    along = np.hypot(sums[0] - sums[1], 2 * sums[2]) / np.maximum(sums[0] + sums[1], 1e-9)
    across = stats[:, cv2.CC_STAT_WIDTH] > _ACROSS * joined.shape[1]
    kept = (stats[:, cv2.CC_STAT_AREA] >= _SPECK_PX) & ((along < _ONE_DIRECTION) | across)
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)


def _enclosed(joined: ByteArray) -> BoolArray:
    """Inside of edges that form most of a rectangle: an inset picture, a caption's plate."""
    filled = np.zeros(joined.shape, np.uint8)
    contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        box_px = width * height
        if box_px > 0.6 * joined.size or min(width, height) < 5:
            continue
        rim = np.concatenate(
            [
                joined[y : y + 3, x : x + width].any(axis=0),
                joined[y + height - 3 : y + height, x : x + width].any(axis=0),
                joined[y : y + height, x : x + 3].any(axis=1),
                joined[y : y + height, x + width - 3 : x + width].any(axis=1),
            ]
        )
        if rim.mean() > 0.7 or cv2.contourArea(contour) > 0.6 * box_px:
            filled[y : y + height, x : x + width] = 1
    return np.asarray(filled, bool)


def _cut_off(joined: ByteArray) -> BoolArray:
    """The strip that a steady line across the whole picture cuts off at the bottom: a ticker."""
    out = np.zeros(joined.shape, bool)
    height = joined.shape[0]
    across = cv2.dilate(joined, np.ones((3, 1), np.uint8)).mean(axis=1) > _ACROSS
    lines = [row for row in np.flatnonzero(across) if row > 0.65 * height]
    if lines:
        out[min(lines) :] = True
    return out


def _grown(area: BoolArray, by_px: int) -> BoolArray:
    kernel = np.ones((2 * by_px + 1, 2 * by_px + 1), np.uint8)
    return np.asarray(cv2.dilate(area.astype(np.uint8), kernel), bool)


def _sky(picture: ByteArray) -> BoolArray:
    """Sky in one picture. Nothing where it would be less than a fiftieth."""
    height, width = picture.shape[:2]
    grey = _grey(picture).astype(np.float32)
    mean = cv2.blur(grey, (5, 5))
    rough = cv2.blur(grey * grey, (5, 5)) - mean * mean
    blue, _, red = (picture[..., channel].astype(np.int16) for channel in range(3))
    plain = (rough < SKY_ROUGH) & (mean > max(90.0, float(np.median(grey)))) & (blue >= red - 6)
    count, labels = cv2.connectedComponents(plain.astype(np.uint8), connectivity=4)
    top = np.bincount(labels[0][plain[0]], minlength=count) >= 0.25 * width
    top[0] = False
    found = np.asarray(top[labels], np.uint8)
    closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    area = np.asarray(closed, bool)
    return area if area.sum() >= 0.02 * height * width else np.zeros_like(area)
