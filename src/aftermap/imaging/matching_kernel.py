"""Compiled loops of matching: nearest and second nearest, and matching along epipolar lines."""

from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array, IntArray
from aftermap.geo.compiled import compiled, inlined


@compiled
def best_two(likeness: Float32Array) -> tuple[IntArray, Float32Array, Float32Array, IntArray]:
    """Per row the best column, its value and the next best value; per column the best row.

    ``likeness`` is (N, M); the first three answers are (N,), the last is (M,), all of them
    indices or
    values of ``likeness``.
    """
    rows, columns = likeness.shape
    best = np.zeros(rows, np.int64)
    first = np.full(rows, -1.0, np.float32)
    second = np.full(rows, -1.0, np.float32)
    best_row = np.zeros(columns, np.int64)
    first_row = np.full(columns, -1.0, np.float32)
    for i in range(rows):
        for j in range(columns):
            value = likeness[i, j]
            if value > second[i]:
                if value > first[i]:
                    second[i] = first[i]
                    first[i] = value
                    best[i] = j
                else:
                    second[i] = value
            if value > first_row[j]:
                first_row[j] = value
                best_row[j] = i
    return best, first, second, best_row


class Guide(NamedTuple):
    """What a pair's geometry says of where features of the first picture lie in the second.

    ``lines`` the fundamental matrix (second' F first = 0); ``plane`` the homography of the
    dominant plane; both for corner-origin pixels. A feature lies within ``tolerance_px`` of its
    line and within ``reach_px`` of where the plane would put it.
    """

    lines: Array
    plane: Array
    tolerance_px: float
    reach_px: float


@compiled
def along_lines(
    first_px: Float32Array,
    second_px: Float32Array,
    first: ByteArray,
    second: ByteArray,
    guide: Guide,
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Per feature the best of those that the guide allows, its likeness and the next best one.

    Positions are (N, 2) and (M, 2) pixels, descriptors (N, 128) and (M, 128). Last, per feature of
    the second picture, which is sorted by y, its best in the first. Likeness is the dot product of
    the stored descriptors; -1 where there is no such feature.
    """
    _, _, tolerance_px, reach_px = guide
    best = np.full(len(first), -1, np.int64)
    like = np.full(len(first), -1, np.int64)
    next_like = np.full(len(first), -1, np.int64)
    back = np.full(len(second), -1, np.int64)
    back_like = np.full(len(second), -1, np.int64)
    for i in range(len(first)):
        a, b, c, u, v = _guided(guide, np.float64(first_px[i, 0]), np.float64(first_px[i, 1]))
        if np.isnan(u):
            continue
        for j in range(np.searchsorted(second_px[:, 1], v - reach_px), len(second)):
            if second_px[j, 1] > v + reach_px:
                break
            off = abs(a * second_px[j, 0] + b * second_px[j, 1] + c)
            if abs(second_px[j, 0] - u) > reach_px or off > tolerance_px:
                continue
            dot = _dot(first[i], second[j])
            if dot > back_like[j]:
                back_like[j] = dot
                back[j] = i
            if dot > like[i]:
                if best[i] < 0 or _apart(second_px, best[i], j, tolerance_px):
                    next_like[i] = like[i]
                like[i] = dot
                best[i] = j
            elif dot > next_like[i] and _apart(second_px, best[i], j, tolerance_px):
                next_like[i] = dot
    return best, like, next_like, back


@inlined
def _guided(guide: Guide, x: float, y: float) -> tuple[float, float, float, float, float]:
    """Where a feature lies in the second picture: a u + b v + c = 0, and u, v by the plane.

    NaN where the geometry does not say.
    """
    lines, plane, _, _ = guide
    a = lines[0, 0] * x + lines[0, 1] * y + lines[0, 2]
    b = lines[1, 0] * x + lines[1, 1] * y + lines[1, 2]
    c = lines[2, 0] * x + lines[2, 1] * y + lines[2, 2]
    norm = np.sqrt(a * a + b * b)
    w = plane[2, 0] * x + plane[2, 1] * y + plane[2, 2]
    if norm < 1e-12 or w < 1e-6:
        return np.nan, np.nan, np.nan, np.nan, np.nan
    u = (plane[0, 0] * x + plane[0, 1] * y + plane[0, 2]) / w
    v = (plane[1, 0] * x + plane[1, 1] * y + plane[1, 2]) / w
    return a / norm, b / norm, c / norm, u, v


@inlined
def _dot(one: ByteArray, other: ByteArray) -> np.int64:
    """Dot product of two descriptors."""
    dot = np.int64(0)
    for k in range(128):
        dot += np.int32(one[k]) * np.int32(other[k])
    return dot


@compiled
def _apart(xy_px: Float32Array, i: int, j: int, tolerance_px: float) -> bool:
    """Whether two features are different places; one corner can give several features."""
    dx = xy_px[i, 0] - xy_px[j, 0]
    dy = xy_px[i, 1] - xy_px[j, 1]
    return bool(dx * dx + dy * dy > 4 * tolerance_px * tolerance_px)


@compiled
def track_labels(first: IntArray, second: IntArray, frame_of: IntArray) -> IntArray:
    """(F,) label of every feature after joining matches in their order.

    Two chains that both hold a feature of one frame are never joined.
    """
    count = len(frame_of)
    root = np.arange(count)
    following = np.full(count, -1, np.int64)
    last = np.arange(count)
    size = np.ones(count, np.int64)
    stamp = np.full(frame_of.max() + 1, -1, np.int64)
    for m in range(len(first)):
        a, b = root[first[m]], root[second[m]]
        if a == b:
            continue
        if size[a] < size[b]:
            a, b = b, a
        i = a
        while i >= 0:
            stamp[frame_of[i]] = m
            i = following[i]
        clash = False
        i = b
        while i >= 0 and not clash:
            clash = stamp[frame_of[i]] == m
            i = following[i]
        if clash:
            continue
        following[last[a]] = b
        last[a] = last[b]
        size[a] += size[b]
        i = b
        while i >= 0:
            root[i] = a
            i = following[i]
    return root
