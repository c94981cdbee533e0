"""Did the camera move at all? One that only turns or zooms on the spot shows no depth.

Where the focal length is not known, an adjustment explains such a turn by a flight over flat
ground: the pictures fit, the map is made up. Two pictures from one place differ by a rotation
alone, of rays through one focal length that all share. That is looked for between pictures that
differ much: a turn bends the picture, and a shift does not. A zoom enlarges about the middle and
changes nothing else; so does a flight straight at a flat wall, which shows no depth either.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.camera import Frame
from aftermap.sfm.projection_kernel import Observations

FOCAL_SHARES = np.geomspace(0.5, 1.6, 60)
"""Focal lengths that are tried, as shares of the longer side: 90 to 35 degrees across. Over flat
ground a flight fits best at the long end, where a turn looks like a shift; that says nothing."""
LEAST_SHIFT_SHARE = 0.1
"""Pictures that differ by less than this share of the longer side tell nothing."""
LEAST_SHARED = 30
SAME_PLACE_SHARE = 0.0025
"""Of the longer side, at the median. Measured: 0.0012 for a turn made of a photograph; 0.0075 to
0.06 for three clips and three sets of photographs, of which two are real."""
PAIRS_MOST = 12
"""Those that differ most."""


def only_turns(frames: Sequence[Frame], sights: Observations) -> bool:
    """Whether the frames of a group, which share tie points, were all taken from one place.

    ``sights`` number the frames. False where it cannot be told: frames of several cameras, too few
    that differ enough.
    """
    side = float(max(frames[0].width_px, frames[0].height_px))
    pairs = _most_different(frames, sights)
    if len(pairs) < 2:
        return False
    misses = [np.median([_miss_px(a, b, share * side) for a, b in pairs]) for share in FOCAL_SHARES]
    best = int(np.argmin(misses))
    return best < len(misses) - 1 and bool(misses[best] < SAME_PLACE_SHARE * side)


def only_zooms(frames: Sequence[Frame], sights: Observations) -> bool:
    """Whether the pictures of a group are enlargements of one another about their middle."""
    side = float(max(frames[0].width_px, frames[0].height_px))
    pairs = _most_different(frames, sights)
    if len(pairs) < 2:
        return False
    misses = []
    for a, b in pairs:
        larger = float((a * b).sum() / max((a * a).sum(), 1e-12))
        misses.append(np.median(np.hypot(*(larger * a - b).T)))
    return bool(np.median(misses) < SAME_PLACE_SHARE * side)


def _most_different(frames: Sequence[Frame], sights: Observations) -> list[tuple[Array, Array]]:
    """What the pairs of frames that differ most share, in pixels from the middle of the picture."""
    if len({frame.camera_key for frame in frames}) != 1:
        return []
    size_px = np.array([frames[0].width_px, frames[0].height_px], float)
    least_px = LEAST_SHIFT_SHARE * float(size_px.max())
    pairs = sorted(_pairs(sights, len(frames), least_px), key=lambda p: -_shift(p))
    return [(a - size_px / 2, b - size_px / 2) for a, b in pairs[:PAIRS_MOST]]


def _shift(pair: tuple[Array, Array]) -> float:
    """By how many pixels what two pictures share lies elsewhere."""
    return float(np.median(np.hypot(*(pair[0] - pair[1]).T)))


def _pairs(sights: Observations, count: int, least_px: float) -> Iterator[tuple[Array, Array]]:
    """Pixels (N, 2) of what two frames share, for frames that differ by enough."""
    track = np.repeat(np.arange(len(sights.start) - 1), np.diff(sights.start))
    seen = [np.flatnonzero(sights.frame == frame) for frame in range(count)]
    for first in range(count):
        for second in range(first + 1, count):
            _, a, b = np.intersect1d(
                track[seen[first]], track[seen[second]], assume_unique=True, return_indices=True
            )
            xy_first, xy_second = sights.xy_px[seen[first][a]], sights.xy_px[seen[second][b]]
            if len(a) >= LEAST_SHARED and _shift((xy_first, xy_second)) > least_px:
                yield xy_first, xy_second


def _miss_px(first: Array, second: Array, focal_px: float) -> float:
    """Median distance from ``second`` of ``first`` turned onto it as well as a rotation can."""
    rays = [np.column_stack([xy, np.full(len(xy), focal_px)]) for xy in (first, second)]
    a, b = (ray / np.linalg.norm(ray, axis=1, keepdims=True) for ray in rays)
    u, _, vt = np.linalg.svd(b.T @ a)
    turn = (u * [1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    put = a @ turn.T
    off = focal_px * put[:, :2] / put[:, 2:] - second
    return float(np.median(np.hypot(*off.T)))
