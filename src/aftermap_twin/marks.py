"""Where control marks are painted: open level ground, clear of buildings and rubble, far apart."""

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray, ByteArray
from aftermap_twin.options import TwinOptions
from aftermap_twin.site import COVER_STEP_M, HEIGHT_STEP_M, Cover, Extent, Heaps

CLEARANCES_M = (4.0, 2.6, 1.6, 0.0)
"""Distance kept from buildings and rubble: the first that leaves enough places is used."""

ROOMY_M = 9.0
"""A mark with this much room round it is hidden from few photographs; more is no better."""
OPEN = (Cover.ASPHALT, Cover.ALLEY, Cover.EARTH)
APART_M = 4.0
"""Marks are never nearer to each other than this, even if fewer of them fit."""


def mark_places(
    options: TwinOptions,
    extent: Extent,
    often_seen: BoolArray,
    heaps: Heaps,
    cover: ByteArray,
) -> Array:
    """(M, 2) local metres in streets where ``often_seen``, a raster of HEIGHT_STEP_M samples."""
    rng = np.random.default_rng([options.seed, 41])
    every = round(HEIGHT_STEP_M / COVER_STEP_M)
    street = np.zeros_like(often_seen)
    coarse = cover[::every, ::every][: street.shape[0], : street.shape[1]]
    street[: coarse.shape[0], : coarse.shape[1]] = np.isin(coarse, OPEN)
    taken = ((heaps.built > 0) | (heaps.density > 0.12)).astype(np.uint8)
    away = np.asarray(cv2.distanceTransform(1 - taken, cv2.DIST_L2, 5), float) * HEIGHT_STEP_M
    east, north = extent.samples(HEIGHT_STEP_M)
    places: Array = np.empty((0, 2))
    room: Array = np.empty(0)
    for clear_m in CLEARANCES_M:
        free = (away > clear_m) & often_seen & street
        places, room = np.column_stack([east[free], north[free]]), away[free]
        if len(places) >= 40 * options.marks:
            break
    return _spread(rng, places, room, min(options.marks, len(places)))


def _spread(rng: np.random.Generator, places: Array, room_m: Array, count: int) -> Array:
    """Up to ``count`` of the places, every next one far from those taken and in the open."""
    if not count:
        return np.empty((0, 2))
    some = rng.permutation(len(places))[:8000]
    few, worth = places[some], np.minimum(room_m[some], ROOMY_M)
    chosen = [int(np.argmin(few.sum(1) - 4 * worth))]
    distance = np.linalg.norm(few - few[chosen[0]], axis=1)
    for _ in range(count - 1):
        best = int(np.argmax(distance * worth))
        if distance[best] < APART_M:
            break
        chosen.append(best)
        distance = np.minimum(distance, np.linalg.norm(few - few[best], axis=1))
    return np.asarray(few[chosen])
