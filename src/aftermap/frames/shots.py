"""Thumbnails of every picture of a clip -> its shots: stretches that one camera took unbroken.

A cut lies where no picture shortly before looks like any picture shortly after, wherever it is
shifted to: a fast pan looks like itself shifted, and after a flash the scene comes back. A dissolve
is a picture that is a sum of an earlier and a later one that are unlike. A fade goes through
pictures without contrast. Classical measures on luma only: see docs/decisions/0007.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from aftermap.frames.decode import small_luma
from aftermap.model.clip import Shot

THUMB_WIDTH_PX = 48
LOOKS_ALIKE = 0.6
"""Correlation of the best shifted half above which two thumbnails show one place. Pictures of one
pan reach 0.8; two pictures of unlike places rarely reach 0.5."""
FLASH_S = 0.25
CHANGED = 5.0
"""Grey levels of mean change below which two neighbours are taken as alike without looking."""
FLAT_STD = 6.0
"""Grey levels of contrast below which a picture is plain: black or white, as amid a fade."""
STILL = 3.0
"""Grey levels between two thumbnails within which a pixel has not changed."""
SHORTEST_S = 0.2
_ALL_STILL_SHARE = 0.8
_ONE_FADE_S = 0.75
DISSOLVE_S = (0.5, 1.0, 2.0)
DISSOLVE_FIT = 0.85
"""Share of a picture's variance that the sum of two others must explain."""

Thumbs = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A change of shot: pictures ``first`` to before ``after`` belong to neither or to both.

    ``at`` is the first picture of the new shot; ``kind`` is "cut" or "fade".
    """

    first: int
    at: int
    after: int
    kind: str


def thumb_of(frame: VideoFrame) -> Thumbs:
    """The thumbnail that shots are found by, (h, 48) uint8 luma."""
    return small_luma(frame, THUMB_WIDTH_PX)


def transitions_in(thumbs: Thumbs, times_s: Sequence[Fraction]) -> tuple[Transition, ...]:
    """The changes of shot between the pictures, (N, h, 48) uint8 at N times, in order."""
    if len(thumbs) < 2:
        return ()
    smooth = np.stack([_smoothed(thumb) for thumb in thumbs])
    seconds = np.array([float(time - times_s[0]) for time in times_s])
    flat = smooth.reshape(len(smooth), -1).std(axis=1) < FLAT_STD
    found = list(_fades(smooth, flat, seconds))
    found += _cuts(smooth, flat, seconds, found)
    found += _dissolves(smooth, seconds, found)
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


def likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Best correlation of a half of one thumbnail with any place in the other; -1 to 1.

    Halves reach shifts of up to half the picture. Areas that have not changed at all (a caption, a
    logo, bars) do not count, unless that is nearly all. A picture without contrast is like none.
    """
    height, width = first.shape
    still = cv2.morphologyEx(
        (np.abs(first - second) < STILL).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    ).astype(bool)
    if still.mean() > _ALL_STILL_SHARE:
        return 1.0
    if still.any():
        first = np.where(still, first[~still].mean(), first)
        second = np.where(still, second[~still].mean(), second)
    best = -1.0
    for half in (
        second[height // 4 : -(height // 4), width // 4 : -(width // 4)],
        second[:, : width // 2],
        second[:, width // 2 :],
        second[: height // 2],
        second[height // 2 :],
    ):
        if half.std() >= FLAT_STD / 2:
            scores: Any = cv2.matchTemplate(first, half, cv2.TM_CCOEFF_NORMED)
            best = max(best, float(scores.max(where=np.isfinite(scores), initial=-1.0)))
    return best


def _smoothed(thumb: Thumbs) -> NDArray[np.float32]:
    smooth: Any = cv2.GaussianBlur(thumb.astype(np.float32), (3, 3), 0)
    return np.asarray(smooth, np.float32)


def _fades(
    smooth: NDArray[np.float32], flat: NDArray[np.bool_], seconds: NDArray[np.float64]
) -> Iterator[Transition]:
    """Runs of plain pictures between unlike scenes, widened to where the contrast is whole."""
    contrast = smooth.reshape(len(smooth), -1).std(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2):
        if begin == 0 or end == len(flat):
            continue
        first, after = _widened(contrast, seconds, int(begin), int(end))
        if likeness(smooth[first - 1], smooth[min(after, len(smooth) - 1)]) < LOOKS_ALIKE:
            at = int(begin + end) // 2
            yield Transition(first=first, at=at, after=after, kind="fade")


def _widened(
    contrast: NDArray[np.float64], seconds: NDArray[np.float64], begin: int, end: int
) -> tuple[int, int]:
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
    smooth: NDArray[np.float32],
    flat: NDArray[np.bool_],
    seconds: NDArray[np.float64],
    fades: Sequence[Transition],
) -> list[Transition]:
    """Places where all pictures within a flash's length before are unlike all those after."""
    change = np.abs(np.diff(smooth, axis=0)).mean(axis=(1, 2))
    in_fade = np.zeros(len(smooth), bool)
    for fade in fades:
        in_fade[fade.first : fade.after] = True
    found = []
    for at in (int(i) + 1 for i in np.flatnonzero(change > CHANGED)):
        if in_fade[at] or flat[at] or flat[at - 1] or in_fade[at - 1]:
            continue
        before = [i for i in range(at - 1, -1, -1) if seconds[at] - seconds[i] <= FLASH_S]
        later = [i for i in range(at, len(smooth)) if seconds[i] - seconds[at] < FLASH_S]
        pairs = ((i, j) for i in before or [at - 1] for j in later)
        if all(likeness(smooth[i], smooth[j]) < LOOKS_ALIKE for i, j in pairs):
            found.append(Transition(first=at, at=at, after=at, kind="cut"))
    return found


def _dissolves(
    smooth: NDArray[np.float32], seconds: NDArray[np.float64], others: Sequence[Transition]
) -> Iterator[Transition]:
    """Windows whose ends are unlike and whose middle is the sum of both."""
    taken = np.zeros(len(smooth), bool)
    for one in others:
        taken[max(0, one.first - 1) : one.after + 1] = True
    for length_s in DISSOLVE_S:
        start_s = seconds[0]
        while start_s + length_s <= seconds[-1]:
            first = int(np.searchsorted(seconds, start_s))
            last = int(np.searchsorted(seconds, start_s + length_s))
            start_s += length_s / 8
            if last - first < 4 or taken[first : last + 1].any():
                continue
            if likeness(smooth[first], smooth[last]) >= LOOKS_ALIKE:
                continue
            middle = (first + last) // 2
            shares = _shares(smooth[first], smooth[last], smooth[middle])
            if shares is not None and 0.2 <= shares <= 0.8:
                taken[first : last + 1] = True
                yield _dissolve(smooth, first, last)


def _dissolve(smooth: NDArray[np.float32], first: int, last: int) -> Transition:
    """Where in the window the old scene gives way: the middle and the two ends of the mixing."""
    shares = [_shares(smooth[first], smooth[last], smooth[i]) for i in range(first, last + 1)]
    later = [i for i, share in enumerate(shares) if share is not None and share >= 0.5]
    mixed = [i for i, share in enumerate(shares) if share is None or 0.08 < share < 0.92]
    at = first + (later[0] if later else len(shares) // 2)
    begin, end = first + min(mixed, default=0), first + max(mixed, default=len(shares)) + 1
    return Transition(first=min(begin, at), at=at, after=max(end, at), kind="fade")


def _shares(
    old: NDArray[np.float32], new: NDArray[np.float32], mixed: NDArray[np.float32]
) -> float | None:
    """The share of the new scene in a picture, or None where it is no sum of the two.

    Each scene may have moved by up to an eighth of the picture meanwhile.
    """
    margin_y, margin_x = mixed.shape[0] // 8, mixed.shape[1] // 8
    inner = mixed[margin_y:-margin_y, margin_x:-margin_x]
    parts = [_shifted_to(scene, inner).ravel() for scene in (old, new)]
    design = np.stack([*parts, np.ones(inner.size, np.float32)], axis=1).astype(np.float64)
    target = inner.ravel().astype(np.float64)
    weights, *_ = np.linalg.lstsq(design, target, rcond=None)
    left_over = target - design @ weights
    if target.var() < 1.0 or left_over.var() > (1 - DISSOLVE_FIT) * target.var():
        return None
    total = weights[0] + weights[1]
    return float(weights[1] / total) if total > 0.5 and min(weights[:2]) > -0.2 else None


def _shifted_to(scene: NDArray[np.float32], inner: NDArray[np.float32]) -> NDArray[np.float32]:
    scores: Any = cv2.matchTemplate(scene, inner, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(np.nan_to_num(scores, nan=-1.0).argmax()), scores.shape)
    return scene[row : row + inner.shape[0], column : column + inner.shape[1]]


def _sensible(found: Sequence[Transition], seconds: NDArray[np.float64]) -> tuple[Transition, ...]:
    """Without changes that follow another within less than any shot lasts."""
    kept: list[Transition] = []
    for one in found:
        last = kept[-1] if kept else None
        if last is not None and _one_fade(last, one, seconds):
            kept[-1] = _joined(last, one)
        elif last is None or seconds[one.at] - seconds[last.at] >= SHORTEST_S:
            kept.append(one)
    return tuple(kept)


def _one_fade(first: Transition, second: Transition, seconds: NDArray[np.float64]) -> bool:
    """Whether two fades are the going and the coming of one, as when a caption stays on the black."""
    between_s = seconds[min(second.first, len(seconds) - 1)] - seconds[first.after - 1]
    return first.kind == second.kind == "fade" and between_s < _ONE_FADE_S


def _joined(first: Transition, second: Transition) -> Transition:
    after = max(first.after, second.after)
    return Transition(first=first.first, at=(first.at + second.at) // 2, after=after, kind="fade")
