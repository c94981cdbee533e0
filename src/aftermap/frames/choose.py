"""Pictures of a clip in order -> those that are kept: by how far the scene has moved, not by time.

Points are followed from picture to picture (pyramidal Lucas-Kanade on small luma). The next
picture is due when the scene has moved by ``ChoiceOptions.step_fraction`` of the picture since the
last that was kept; the sharpest of the last part of the way is taken. Where the points are lost, as
at a cut or after a black picture, choosing begins anew.
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame

from aftermap.frames.decode import Decoded, luma_of, small_luma
from aftermap.geo.arrays import BoolArray, ByteArray, Float32Array

BLACK, FROZEN, BLURRED = "black", "frozen", "blurred"
BLACK_MEAN, BLACK_STD = 36.0, 6.0
FROZEN_CHANGE = 0.25
"""Mean grey levels between two small pictures, below which nothing at all has moved."""
_POINTS = 240
_FEWEST_POINTS = 24
_SEED_BELOW = 160
_LOST_SHARE = 0.35
_OLD_SHARE = 0.5
_LAST_STEP = 0.35
_APART_PX = 8
_OUTER = 0.75
"""The movement is what a quarter of the points exceed: where a camera circles, the middle stays."""
_FEWEST_MEASURED = 5
_PATCH_PX, _PATCH_ROWS, _PATCH_COLUMNS = 96, 4, 5
_SHARPNESS_MEMORY = 25


@dataclass(frozen=True, kw_only=True)
class ChoiceOptions:
    """Which pictures of a clip are kept."""

    step_fraction: float = 0.08
    """How far the scene moves between two kept pictures, of the picture's width or height. A camera
    that looks ahead changes its view more than the middle of its picture moves: at 0.2 a slanting
    flight fell into two groups, at 0.1 it held (twin, 2026-11)."""
    window_fraction: float = 0.7
    """Of that way, after which the sharpest picture is looked for."""
    every_s: float = 0.08
    """Pictures nearer than this to the last that was looked at are passed over."""
    width_px: int = 320
    """The width at which the movement is followed."""
    blurred_fraction: float = 0.35
    """Of the usual sharpness of the last two seconds, below which a picture is blurred."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A picture that was looked at, and why it cannot be kept, if so: black, frozen or blurred."""

    decoded: Decoded
    small: ByteArray
    sharpness: float
    fault: str | None


@dataclass(kw_only=True)
class _Way:
    """Followed points, (N, 2) xy pixels of the small picture, one row a point in all arrays.

    Where they are now, where they were in the picture kept last and in the candidate, and whether
    they were there when that picture was kept (others came in later, at a guessed place).
    """

    now: Float32Array
    then: Float32Array
    in_candidate: Float32Array
    old: BoolArray
    olds: int


@dataclass
class Chooser:
    """Chooses as the pictures come. Holds two full-size pictures, whatever the clip's length."""

    options: ChoiceOptions
    moved_fraction: float = 0.0
    """How far the scene has moved since the picture that was kept last."""
    _way: _Way | None = None
    _previous: ByteArray | None = None
    _seen: ByteArray | None = None
    _candidate: Looked | None = None
    _last: Looked | None = None
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=_SHARPNESS_MEMORY))

    def look(self, decoded: Decoded) -> Looked:
        """Measure a picture; nothing is chosen yet."""
        small = small_luma(decoded.frame, self.options.width_px)
        sharp = sharpness_of(decoded.frame)
        fault = self._fault(small, sharp)
        self._seen = small
        if fault in (None, BLURRED):
            self._recent.append(sharp)
        return Looked(decoded=decoded, small=small, sharpness=sharp, fault=fault)

    def offer(self, looked: Looked) -> list[Looked]:
        """Take in the next picture; gives those that are kept now, this or earlier ones."""
        if looked.fault in (FROZEN, BLURRED):  # points are followed past them
            return []
        if looked.fault == BLACK:
            return self.end()
        if self._follow(looked.small):
            return self._judge(looked)
        kept = self.end()
        self._begin(looked.small)
        return [*kept, looked]

    def end(self) -> list[Looked]:
        """The last picture before a break, if the scene has moved enough since the one before."""
        last = self._candidate
        if last is None and self.moved_fraction >= _LAST_STEP * self.options.step_fraction:
            last = self._last
        self._way, self._previous, self._candidate, self._last = None, None, None, None
        self.moved_fraction = 0.0
        self._recent.clear()
        return [] if last is None else [last]

    def _fault(self, small: ByteArray, sharp: float) -> str | None:
        if float(small.mean()) < BLACK_MEAN and float(small.std()) < BLACK_STD:
            return BLACK
        if self._seen is not None and float(cv2.absdiff(self._seen, small).mean()) < FROZEN_CHANGE:
            return FROZEN
        usual = median(self._recent) if len(self._recent) >= _FEWEST_MEASURED else 0.0
        return BLURRED if sharp < self.options.blurred_fraction * usual else None

    def _begin(self, small: ByteArray) -> None:
        points = _points_in(small, np.zeros((0, 2), np.float32))
        self._way = _Way(
            now=points,
            then=points.copy(),
            in_candidate=points.copy(),
            old=np.ones(len(points), bool),
            olds=len(points),
        )
        self._previous = small

    def _follow(self, small: ByteArray) -> bool:
        """Move the points on to the next picture. False where too few can be followed."""
        way, before = self._way, self._previous
        if way is None or before is None or len(way.now) < _FEWEST_POINTS:
            return False
        now, found = _followed(before, small, way.now)
        if found.sum() < max(_FEWEST_POINTS, _LOST_SHARE * len(found)):
            return False
        way.now, way.then, way.old = now[found], way.then[found], way.old[found]
        way.in_candidate = way.in_candidate[found]
        self._previous = small
        self._measure(small)
        if len(way.now) < _SEED_BELOW:
            self._add_points(way, small)
        return True

    def _measure(self, small: ByteArray) -> None:
        if self._way is not None:
            size = np.array(small.shape[::-1], np.float32)
            steps = np.linalg.norm((self._way.now - self._way.then) / size, axis=1)
            self.moved_fraction = float(np.quantile(steps, _OUTER))

    def _add_points(self, way: _Way, small: ByteArray) -> None:
        """New points, as if they had always moved with the others."""
        fresh = _points_in(small, way.now)
        since_kept = np.median(way.now - way.then, axis=0)
        since_candidate = np.median(way.now - way.in_candidate, axis=0)
        way.then = np.concatenate([way.then, fresh - since_kept]).astype(np.float32)
        way.in_candidate = np.concatenate([way.in_candidate, fresh - since_candidate]).astype(
            np.float32
        )
        way.now = np.concatenate([way.now, fresh])
        way.old = np.concatenate([way.old, np.zeros(len(fresh), bool)])

    def _judge(self, looked: Looked) -> list[Looked]:
        way, step = self._way, self.options.step_fraction
        if way is None:
            return []
        self._last = looked
        due = self.moved_fraction >= step or way.old.sum() < _OLD_SHARE * way.olds
        near = self.moved_fraction >= self.options.window_fraction * step
        best = self._candidate
        if (due and best is None) or (near and (best is None or looked.sharpness > best.sharpness)):
            self._candidate = looked
            way.in_candidate = way.now.copy()
        if not due or self._candidate is None:
            return []
        kept, self._candidate = self._candidate, None
        way.then = way.in_candidate.copy()
        way.old[:] = True
        way.olds = len(way.old)
        self._measure(looked.small)
        return [kept]


def sharpness_of(frame: VideoFrame) -> float:
    """Variance of the Laplacian over patches at full size, mean; comparable within a shot only."""
    side = min(_PATCH_PX, frame.height // _PATCH_ROWS, frame.width // _PATCH_COLUMNS)
    found = []
    for row in range(_PATCH_ROWS):
        y = (2 * row + 1) * frame.height // (2 * _PATCH_ROWS) - side // 2
        for column in range(_PATCH_COLUMNS):
            x = (2 * column + 1) * frame.width // (2 * _PATCH_COLUMNS) - side // 2
            patch = luma_of(frame, slice(y, y + side), slice(x, x + side))
            found.append(float(cv2.Laplacian(patch, cv2.CV_32F).var()))
    return float(np.mean(found))


def _points_in(small: ByteArray, known: Float32Array) -> Float32Array:
    """Corners that are not near a known point, (N, 2) xy."""
    free = np.full(small.shape, 255, np.uint8)
    for x, y in known:
        cv2.circle(free, (int(x), int(y)), _APART_PX, 0, -1)
    found: Any = cv2.goodFeaturesToTrack(small, _POINTS - len(known), 0.005, _APART_PX, mask=free)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def _followed(
    before: ByteArray, after: ByteArray, points: Float32Array
) -> tuple[Float32Array, BoolArray]:
    """Where points have gone, and which of them come back to where they were (within a pixel)."""
    settings: dict[str, Any] = {"winSize": (15, 15), "maxLevel": 4}
    now: Any
    now, there, _ = cv2.calcOpticalFlowPyrLK(before, after, points, points.copy(), **settings)
    back, here, _ = cv2.calcOpticalFlowPyrLK(after, before, now, now.copy(), **settings)
    height, width = after.shape
    inside = (now >= 0).all(axis=1) & (now[:, 0] < width) & (now[:, 1] < height)
    returned = np.linalg.norm(back - points, axis=1) < 1.0
    return now, (there.ravel() == 1) & (here.ravel() == 1) & inside & returned
