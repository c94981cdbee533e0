"""Thumbnails of every picture of a clip -> its shots: stretches that one camera took unbroken.

A cut lies where no picture shortly before looks like any picture shortly after, wherever it is
shifted to: a fast pan looks like itself shifted, and after a flash the scene comes back. A dissolve
is a picture that is a sum of an earlier and a later one that are unlike. A fade goes through
pictures without contrast. Classical measures on luma only: see docs/decisions/0007.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame

from aftermap.frames.decode import small_luma
from aftermap.geo.arrays import Array, BoolArray, ByteArray, Float32Array
from aftermap.model.clip import Shot

THUMB_WIDTH_PX = 64
LOOKS_ALIKE = 0.75
"""Correlation of the best shifted half above which two thumbnails show one place. Shifts of 5 to
48 % with a twentieth of motion blur gave 0.92 and more, pictures of unlike places 0.60 at most
(benchmark photographs, 2026-11)."""
FLASH_S = 0.25
CHANGED = 5.0
"""Grey levels of mean change below which two neighbours are taken as alike without looking."""
FLAT_STD = 3.0
"""Grey levels of contrast below which a picture is plain: black or white, as amid a fade."""
TILES = 4
"""Contrast is that of the middle one of 4 by 4 tiles: a caption may stay on through the black."""
STILL = 2
"""Grey levels between two thumbnails within which a pixel has not changed."""
SHORTEST_S = 0.2
_ALL_STILL_SHARE = 0.8
_FLAT_DETAIL = 1.5
_ONE_FADE_S = 0.75
_MIXED_LONGER = 1.7
DISSOLVE_S = (0.5, 1.0, 2.0)
DISSOLVE_FIT = 0.85
"""Share of a picture's variance that the sum of two others must explain."""
DISSOLVE_DIP = 0.9
"""What is left of the detail amid a dissolve, at most. The sum of two unlike scenes had 0.79 to
0.85 of theirs; a camera in flight, which may look like a sum too, keeps 0.97 (twin, 2026-11)."""


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A change of shot: pictures ``first`` to before ``after`` belong to neither or to both.

    ``at`` is the first picture of the new shot; ``kind`` is "cut" or "fade".
    """

    first: int
    at: int
    after: int
    kind: str


def thumb_of(frame: VideoFrame) -> ByteArray:
    """The thumbnail that shots are found by, (rows, 64) uint8 luma from 0 to 255."""
    return small_luma(frame, THUMB_WIDTH_PX)


def transitions_in(thumbs: ByteArray, times_s: Sequence[Fraction]) -> tuple[Transition, ...]:
    """The changes of shot between the pictures, (N, h, 64) uint8 at N times, in order."""
    if len(thumbs) < 2:
        return ()
    seconds = np.array([float(time - times_s[0]) for time in times_s])
    contrast = np.array([_contrast(thumb) for thumb in thumbs])
    found = list(_fades(thumbs, contrast, seconds))
    found += _cuts(thumbs, contrast, seconds, found)
    found += _dissolves(thumbs, seconds, found)
    return _sensible(sorted(found, key=lambda one: one.at), seconds)


def shots_of(
    transitions: Sequence[Transition], times_s: Sequence[Fraction], end_s: Fraction
) -> tuple[Shot, ...]:
    """The shots that changes of shot divide a clip into, from its first picture to its end."""
    starts = [(times_s[0], "clip"), *((times_s[one.at], one.kind) for one in transitions)]
    ends = [*(start for start, _ in starts[1:]), end_s]
    return tuple(
        Shot(index=index, start_s=start, end_s=end, begins=begins)
        for index, ((start, begins), end) in enumerate(zip(starts, ends, strict=True))
    )


def _contrast(thumb: ByteArray) -> float:
    """Standard deviation within the middle one of the tiles, in grey levels."""
    rows = np.array_split(thumb.astype(np.float32), TILES, axis=0)
    tiles = [tile.std() for row in rows for tile in np.array_split(row, TILES, axis=1)]
    return float(np.median(tiles))


def likeness(first: ByteArray, second: ByteArray) -> float:
    """Best correlation of a half of one thumbnail with any position in the other; -1 to 1.

    Both (rows, columns). Halves reach shifts of up to half the picture. Areas that have not changed
    at all (a caption, a logo, bars) do not count, unless that is nearly all. A picture without
    contrast is like none.
    """
    still = (cv2.absdiff(first, second) <= STILL).astype(np.uint8)
    still_area = cv2.morphologyEx(still, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(bool)
    if still_area.mean() > _ALL_STILL_SHARE:
        return 1.0
    where, what = _detail(first, still_area), _detail(second, still_area)
    height, width = where.shape
    best = -1.0
    for half in (
        what[height // 4 : -(height // 4), width // 4 : -(width // 4)],
        what[:, : width // 2],
        what[:, width // 2 :],
        what[: height // 2],
        what[height // 2 :],
    ):
        if half.std() >= _FLAT_DETAIL:
            scores: Any = cv2.matchTemplate(where, half, cv2.TM_CCOEFF_NORMED)
            best = max(best, float(scores.max(where=np.isfinite(scores), initial=-1.0)))
    return best


def _detail(thumb: ByteArray, still: BoolArray) -> Float32Array:
    """A thumbnail without its slow changes of brightness, which all landscapes share."""
    smooth = _smoothed(thumb)
    detail = smooth - cv2.GaussianBlur(smooth, (0, 0), THUMB_WIDTH_PX / 10)
    detail[still] = 0.0
    return detail


def _smoothed(thumb: ByteArray) -> Float32Array:
    return np.asarray(cv2.GaussianBlur(thumb.astype(np.float32), (3, 3), 0), np.float32)


def _fades(thumbs: ByteArray, contrast: Array, seconds: Array) -> Iterator[Transition]:
    """Runs of plain pictures between unlike scenes, widened to where the contrast is whole."""
    flat = contrast < FLAT_STD
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2):
        if begin == 0 or end == len(flat):
            continue
        first, after = _widened(contrast, seconds, int(begin), int(end))
        if likeness(thumbs[first - 1], thumbs[min(after, len(thumbs) - 1)]) < LOOKS_ALIKE:
            at = int(begin + end) // 2
            yield Transition(first=first, at=at, after=after, kind="fade")


def _widened(contrast: Array, seconds: Array, begin: int, end: int) -> tuple[int, int]:
    """From where the contrast begins to fall to where it has stopped rising, 2 s at most."""
    first, after = begin, end
    while first > 1 and contrast[first - 1] > contrast[first] * 1.01 + 0.2:
        if seconds[begin] - seconds[first - 1] > max(DISSOLVE_S):
            break
        first -= 1
    while after < len(contrast) - 1 and contrast[after] > contrast[after - 1] * 1.01 + 0.2:
        if seconds[after] - seconds[end - 1] > max(DISSOLVE_S):
            break
        after += 1
    return first, after


def _cuts(
    thumbs: ByteArray, contrast: Array, seconds: Array, fades: Sequence[Transition]
) -> list[Transition]:
    """Places where all pictures within a flash's length before are unlike all those after."""
    change = np.array([float(cv2.absdiff(a, b).mean()) for a, b in pairwise(thumbs)])
    flat = contrast < FLAT_STD
    in_fade = np.zeros(len(thumbs), bool)
    for fade in fades:
        in_fade[fade.first : fade.after] = True
    found = []
    for at in (int(i) + 1 for i in np.flatnonzero(change > CHANGED)):
        if in_fade[at] or flat[at] or flat[at - 1] or in_fade[at - 1]:
            continue
        before = [i for i in range(at - 1, -1, -1) if seconds[at] - seconds[i] <= FLASH_S]
        later = [i for i in range(at, len(thumbs)) if seconds[i] - seconds[at] < FLASH_S]
        pairs = ((i, j) for i in before or [at - 1] for j in later)
        if all(likeness(thumbs[i], thumbs[j]) < LOOKS_ALIKE for i, j in pairs):
            found.append(Transition(first=at, at=at, after=at, kind="cut"))
    return found


def _dissolves(
    thumbs: ByteArray, seconds: Array, others: Sequence[Transition]
) -> Iterator[Transition]:
    """Windows whose ends are unlike and whose middle is the sum of both."""
    taken = np.zeros(len(thumbs), bool)
    for one in others:
        taken[max(0, one.first - 1) : one.after + 1] = True
    for length_s in reversed(DISSOLVE_S):
        start_s = seconds[0]
        while start_s + length_s <= seconds[-1]:
            first = int(np.searchsorted(seconds, start_s))
            last = int(np.searchsorted(seconds, start_s + length_s))
            start_s += length_s / 8
            if last - first < 4 or taken[first : last + 1].any():
                continue
            if likeness(thumbs[first], thumbs[last]) >= LOOKS_ALIKE:
                continue
            middle = (first + last) // 2
            if _dip(thumbs[first], thumbs[middle], thumbs[last]) > DISSOLVE_DIP:
                continue
            shares = _new_share(thumbs[first], thumbs[last], thumbs[middle])
            if shares is not None and 0.2 <= shares <= 0.8:
                taken[first : last + 1] = True
                yield _dissolve(thumbs, first, last)


def _dip(first: ByteArray, middle: ByteArray, last: ByteArray) -> float:
    """How much detail the middle has, of what the two ends have."""
    moving = np.zeros(first.shape, np.bool_)
    before, amid, after = (float(_detail(t, moving).std()) for t in (first, middle, last))
    return float(amid / max(np.sqrt(before * after), 1e-6))


def _dissolve(thumbs: ByteArray, first: int, last: int) -> Transition:
    """Where in the window the old scene gives way: the middle and the two ends of the mixing.

    The ends are put farther out than the shares say: in motion the faint ends are not seen.
    """
    shares = [_new_share(thumbs[first], thumbs[last], thumbs[i]) for i in range(first, last + 1)]
    later = [i for i, share in enumerate(shares) if share is not None and share >= 0.5]
    mixed = [i for i, share in enumerate(shares) if share is None or 0.08 < share < 0.92]
    at = first + (later[0] if later else len(shares) // 2)
    begin, end = first + min(mixed, default=0), first + max(mixed, default=len(shares)) + 1
    half = math.ceil(_MIXED_LONGER * max(at - begin, end - at))
    after = min(at + half, len(thumbs) - 1)
    return Transition(first=max(1, at - half), at=at, after=after, kind="fade")


def _new_share(old: ByteArray, new: ByteArray, mixed: ByteArray) -> float | None:
    """The share of the new scene in a picture, or None where it is no sum of the two.

    Each scene may have moved by up to a fifth of the picture meanwhile.
    """
    margin_y, margin_x = mixed.shape[0] // 5, mixed.shape[1] // 5
    inner = _smoothed(mixed)[margin_y:-margin_y, margin_x:-margin_x]
    parts = [_shifted_to(_smoothed(scene), inner).ravel() for scene in (old, new)]
    design = np.stack([*parts, np.ones(inner.size, np.float32)], axis=1).astype(np.float64)
    target = inner.ravel().astype(np.float64)
    weights, *_ = np.linalg.lstsq(design, target, rcond=None)
    left_over = target - design @ weights
    if target.var() < 1.0 or left_over.var() > (1 - DISSOLVE_FIT) * target.var():
        return None
    total = weights[0] + weights[1]
    return float(weights[1] / total) if total > 0.5 and min(weights[:2]) > -0.2 else None


def _shifted_to(scene: Float32Array, inner: Float32Array) -> Float32Array:
    scores: Any = cv2.matchTemplate(scene, inner, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(np.nan_to_num(scores, nan=-1.0).argmax()), scores.shape)
    return scene[row : row + inner.shape[0], column : column + inner.shape[1]]


def _sensible(found: Sequence[Transition], seconds: Array) -> tuple[Transition, ...]:
    """Without changes that follow another within less than any shot lasts."""
    kept: list[Transition] = []
    for one in found:
        last = kept[-1] if kept else None
        if last is not None and _one_fade(last, one, seconds):
            kept[-1] = _joined(last, one)
        elif last is None or seconds[one.at] - seconds[last.at] >= SHORTEST_S:
            kept.append(one)
    return tuple(kept)


def _one_fade(first: Transition, second: Transition, seconds: Array) -> bool:
    """Whether two fades are the going and the coming of one: a caption may stay on the black."""
    between_s = seconds[min(second.first, len(seconds) - 1)] - seconds[first.after - 1]
    return first.kind == second.kind == "fade" and between_s < _ONE_FADE_S


def _joined(first: Transition, second: Transition) -> Transition:
    after = max(first.after, second.after)
    return Transition(first=first.first, at=(first.at + second.at) // 2, after=after, kind="fade")
