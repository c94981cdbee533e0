"""How alike pictures are on planes swept through the scene: compiled loops over one block.

A tile of the reference view is compared with its sources on every plane that is wanted of it: the
source is resampled onto the plane and both are described by a census of 24 comparisons in 7 x 7
pixels (Zabih and Woodfill 1994), which neither exposure nor shade changes. Over a tile the next
planes show the same source a little aside, so one census serves several of them. The cost of a
plane is that of the most alike source and a little of the next, so that sources whose view is
blocked do not spoil it (Kang, Szeliski and Chai 2001). After Gallup et al. (2007), "Real-time
plane-sweeping stereo".
"""

from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import Array, ByteArray, Float32Array, Int32Array, IntArray, Uint32Array
from aftermap.geo.compiled import vectorised
from aftermap.surface.search_range import TILE_PX

REACH_PX, RIM_PX = 3, 6
"""How far the census reaches from its pixel, and how much larger a picture with its rim is."""
ANCHORS, SHIFT_PX, MOST_ROUNDING_PX = 5, 12, 0.3
"""Of each source so many planes' censuses are kept, and moved by up to so many whole pixels to show
the planes after them: half a pixel beside costs two of a hundred measured cells in slanting views.
"""
WORST = 24
UNSEEN = 12
"""Census distance of a pixel that no source shows: what chance gives, of 24."""
SCALE = 10
"""Costs are kept in tenths of a comparison: 0 to 240."""

# Every second cell of the 7 x 7 window, in the pattern of a chess board, without the middle.
OFFSETS = np.array(
    [
        (dy, dx)
        for dy in range(-3, 4)
        for dx in range(-3, 4)
        if (dy + dx) % 2 == 0 and (dy, dx) != (0, 0)
    ],
    np.int64,
)


@vectorised
def census(
    picture: Float32Array, corner: tuple[int, int], window: tuple[int, int], codes: Uint32Array
) -> None:
    """Fill ``codes`` (rows, columns) with the census of a window of a grey picture.

    ``window`` is its rows and columns, ``corner`` where its rim begins in ``picture`` (rows,
    columns).
    """
    for y in range(window[0]):
        line = codes[y]
        row = corner[0] + y
        first = corner[1] + REACH_PX
        middle = picture[row + REACH_PX, first : first + window[1]]
        for x in range(window[1]):
            line[x] = 0
        for k in range(OFFSETS.shape[0]):
            bit = np.uint32(1 << k)
            begin = first + OFFSETS[k, 1]
            other = picture[row + REACH_PX + OFFSETS[k, 0], begin : begin + window[1]]
            for x in range(window[1]):
                line[x] |= bit if other[x] > middle[x] else np.uint32(0)


class SourceViews(NamedTuple):
    """The pictures that a view is compared with.

    ``grey`` (S, pixels) uint8 row by row, 0 where they show nothing; ``sizes`` (S, 2) int32 their
    rows and columns; ``warps`` (S, 2, 3, 3) the matrices A and B that take a pixel of the view
    (corner-origin) on the plane of inverse distance w to the source: A + w B.
    """

    grey: ByteArray
    sizes: Int32Array
    warps: Array


class _Room(NamedTuple):
    """Room to work in: of every source the last censuses, and what a tile is like so far.

    ``warped`` (r, r) float32 is a source on a plane; ``seen`` and ``codes`` (S, ANCHORS, r, r) say
    where censuses hold something, and hold them; ``anchors`` (S, ANCHORS, 3, 3) are their
    homographies, ``leads`` (S, ANCHORS, 2) where in them the tile lies, ``oldest`` (S,) which goes
    next. ``own`` (TILE_PX, TILE_PX) is the census of the tile; ``least`` (3, TILE_PX, TILE_PX) the
    two smallest distances and how many sources there are. ``matrix`` (3, 3), ``shift`` (2,).
    """

    warped: Float32Array
    seen: ByteArray
    codes: Uint32Array
    anchors: Array
    leads: IntArray
    oldest: IntArray
    own: Uint32Array
    least: ByteArray
    matrix: Array
    shift: IntArray


@vectorised
def fill_costs(
    reference: Float32Array,
    corner: tuple[int, int],
    sources: SourceViews,
    planes: tuple[float, float],
    wanted: ByteArray,
    origin: int,
    second: float,
    volume: ByteArray,
) -> None:
    """Fill ``volume`` (rows, planes, columns) where tiles are searched; it is left alone elsewhere.

    ``reference`` (rows + 6, columns + 6) float32 is the block with its rim, its first inner pixel
    at ``corner`` (row, column) of the picture. ``planes`` is the w of plane 0 and the step.
    ``wanted`` (tile rows, tile columns, planes) uint8 are the planes of each tile; the volume, in
    tenths of a comparison, holds those from ``origin`` on.
    """
    rows, columns = reference.shape[0] - RIM_PX, reference.shape[1] - RIM_PX
    room = _room_for(sources.grey.shape[0])
    for i in range(wanted.shape[0]):
        for j in range(wanted.shape[1]):
            top, left = i * TILE_PX, j * TILE_PX
            window = min(TILE_PX, rows - top), min(TILE_PX, columns - left)
            at = corner[0] + top, corner[1] + left
            census(reference, (top, left), window, room.own)
            room.anchors[:] = 0
            for k in range(wanted.shape[2]):
                if not wanted[i, j, k]:
                    continue
                room.least[:2] = WORST
                room.least[2] = 0
                plane = planes[0] + k * planes[1], planes[1]
                for s in range(sources.grey.shape[0]):
                    _compare_source(sources, s, plane, at, window, room)
                for y in range(window[0]):
                    out = volume[top + y, k - origin, left : left + window[1]]
                    _store(room.least[:, y], window[1], second, out)


@vectorised
def _room_for(number: int) -> _Room:
    """Room for so many sources."""
    size = TILE_PX + SHIFT_PX
    return _Room(
        np.empty((size + RIM_PX, size + RIM_PX), np.float32),
        np.empty((number, ANCHORS, size + RIM_PX, size + RIM_PX), np.uint8),
        np.empty((number, ANCHORS, size, size), np.uint32),
        np.empty((number, ANCHORS, 3, 3)),
        np.zeros((number, ANCHORS, 2), np.int64),
        np.zeros(number, np.int64),
        np.empty((TILE_PX, TILE_PX), np.uint32),
        np.empty((3, TILE_PX, TILE_PX), np.uint8),
        np.empty((3, 3)),
        np.empty(2, np.int64),
    )


@vectorised
def _compare_source(
    sources: SourceViews,
    s: int,
    plane: tuple[float, float],
    corner: tuple[int, int],
    window: tuple[int, int],
    room: _Room,
) -> None:
    """Put one source's distances on a plane (its w, and the step) among the least of a tile."""
    warp, matrix, anchors, leads = sources.warps[s], room.matrix, room.anchors[s], room.leads[s]
    for a in range(3):
        for b in range(3):
            matrix[a, b] = warp[0, a, b] + plane[0] * warp[1, a, b]
    at_hand = _nearest(anchors, leads, matrix, corner, window, room.shift)
    if at_hand < 0:
        at_hand = room.oldest[s]
        room.oldest[s] = (at_hand + 1) % ANCHORS
        anchors[at_hand] = matrix
        lead = leads[at_hand]
        _lead(matrix, warp[1], plane[1], corner, window, lead)
        room.shift[:] = lead
        size = window[0] + SHIFT_PX, window[1] + SHIFT_PX
        rim = size[0] + RIM_PX, size[1] + RIM_PX
        first = corner[0] - lead[1], corner[1] - lead[0]
        rows_columns = sources.sizes[s, 0], sources.sizes[s, 1]
        seen = room.seen[s, at_hand]
        _warp(sources.grey[s], rows_columns, matrix, first, rim, room.warped, seen)
        census(room.warped, (0, 0), size, room.codes[s, at_hand])
    codes, seen = room.codes[s, at_hand], room.seen[s, at_hand]
    _keep_least(room.own, codes, seen, room.shift, window, room.least)


@vectorised
def _lead(
    matrix: Array,
    more: Array,
    step: float,
    corner: tuple[int, int],
    window: tuple[int, int],
    lead: IntArray,
) -> None:
    """Fill in how far, column and row, a tile lies from the corner of its census.

    Later planes show the source aside, all in one direction: the room lies on that side alone.
    ``matrix`` is the plane's homography, ``more`` times ``step`` what the next one's has more.
    """
    u, v = corner[1] + window[1] / 2, corner[0] + window[0] / 2
    z = matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2]
    x = (matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2]) / z
    y = (matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2]) / z
    far = z + step * (more[2, 0] * u + more[2, 1] * v + more[2, 2])
    dx = (x * z + step * (more[0, 0] * u + more[0, 1] * v + more[0, 2])) / far - x
    dy = (y * z + step * (more[1, 0] * u + more[1, 1] * v + more[1, 2])) / far - y
    a, b = (matrix[0, 0] - x * matrix[2, 0]) / z, (matrix[0, 1] - x * matrix[2, 1]) / z
    c, d = (matrix[1, 0] - y * matrix[2, 0]) / z, (matrix[1, 1] - y * matrix[2, 1]) / z
    area = a * d - b * c
    lead[0] = SHIFT_PX if (d * dx - b * dy) / area < 0 else 0
    lead[1] = SHIFT_PX if (a * dy - c * dx) / area < 0 else 0


@vectorised
def _nearest(
    anchors: Array,
    leads: IntArray,
    matrix: Array,
    corner: tuple[int, int],
    window: tuple[int, int],
    shift: IntArray,
) -> int:
    """Which of the planes whose census is at hand shows a tile's source as this plane does.

    ``anchors`` and ``matrix`` are homographies to the source. What the middle of the tile sees on
    this plane, it sees whole pixels aside on that one; ``shift`` (2,) is where in its census,
    column and row, the tile lies then. -1 where that holds for none to within MOST_ROUNDING_PX.
    """
    u, v = corner[1] + window[1] / 2, corner[0] + window[0] / 2
    z = matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2]
    x = (matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2]) / z
    y = (matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2]) / z
    found, least = -1, MOST_ROUNDING_PX
    for n in range(anchors.shape[0]):
        anchor = anchors[n]
        z = anchor[2, 0] * u + anchor[2, 1] * v + anchor[2, 2]
        if not z > 0:
            continue
        px = (anchor[0, 0] * u + anchor[0, 1] * v + anchor[0, 2]) / z
        py = (anchor[1, 0] * u + anchor[1, 1] * v + anchor[1, 2]) / z
        a, b = (anchor[0, 0] - px * anchor[2, 0]) / z, (anchor[0, 1] - px * anchor[2, 1]) / z
        c, d = (anchor[1, 0] - py * anchor[2, 0]) / z, (anchor[1, 1] - py * anchor[2, 1]) / z
        area = a * d - b * c
        dx, dy = (d * (x - px) - b * (y - py)) / area, (a * (y - py) - c * (x - px)) / area
        right, down = np.floor(dx + 0.5), np.floor(dy + 0.5)
        rounding = max(abs(dx - right), abs(dy - down))
        right, down = right + leads[n, 0], down + leads[n, 1]
        if min(right, down) >= 0 and max(right, down) <= SHIFT_PX and rounding < least:
            found, least = n, rounding
            shift[0], shift[1] = int(right), int(down)
    return found


@vectorised
def _warp(
    source: ByteArray,
    size: tuple[int, int],
    matrix: Array,
    corner: tuple[int, int],
    window: tuple[int, int],
    warped: Float32Array,
    seen: ByteArray,
) -> None:
    """Resample a source onto a plane over a tile with its rim, and say what it shows of it."""
    rows, columns = size
    at = np.empty(window[1], np.int32)
    across, down = np.empty(window[1], np.float32), np.empty(window[1], np.float32)
    m00, m10, m20 = np.float32(matrix[0, 0]), np.float32(matrix[1, 0]), np.float32(matrix[2, 0])
    right, bottom = np.float32(columns - 1.001), np.float32(rows - 1.001)
    zero, half, u = np.float32(0), np.float32(0.5), corner[1] - REACH_PX + 0.5
    for y in range(window[0]):
        v = corner[0] + y - REACH_PX + 0.5
        bx = np.float32(matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2])
        by = np.float32(matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2])
        bz = np.float32(matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2])
        for x in range(window[1]):
            z = m20 * np.float32(x) + bz
            px = (m00 * np.float32(x) + bx) / z - half
            py = (m10 * np.float32(x) + by) / z - half
            inside = (z > zero) & (px >= zero) & (px <= right) & (py >= zero) & (py <= bottom)
            px = px if inside else zero
            py = py if inside else zero
            c, r = np.int32(px), np.int32(py)
            across[x], down[x] = px - np.float32(c), py - np.float32(r)
            at[x] = np.int32(np.int32(r * columns) + c)
            seen[y, x] = np.uint8(inside)
        for x in range(window[1]):
            i = at[x]
            a, b = np.float32(source[i]), np.float32(source[i + 1])
            d, e = np.float32(source[i + columns]), np.float32(source[i + columns + 1])
            upper = a + across[x] * (b - a)
            lower = d + across[x] * (e - d)
            warped[y, x] = upper + down[x] * (lower - upper)
            seen[y, x] &= np.uint8(a > zero)


@vectorised
def _keep_least(
    own: Uint32Array,
    codes: Uint32Array,
    seen: ByteArray,
    shift: IntArray,
    window: tuple[int, int],
    least: ByteArray,
) -> None:
    """Put a source's distances among the two smallest of every pixel."""
    right, down = shift[0], shift[1]
    for y in range(window[0]):
        first = own[y]
        other = codes[y + down, right : right + window[1]]
        shown = seen[y + down + REACH_PX, right + REACH_PX : right + REACH_PX + window[1]]
        one, two, there = least[0, y], least[1, y], least[2, y]
        for x in range(window[1]):
            d = np.uint32(first[x] ^ other[x])
            d = np.uint32(d - ((d >> np.uint32(1)) & np.uint32(0x55555555)))
            d = np.uint32(
                (d & np.uint32(0x33333333)) + ((d >> np.uint32(2)) & np.uint32(0x33333333))
            )
            d = np.uint32((d + (d >> np.uint32(4))) & np.uint32(0x0F0F0F0F))
            d = np.uint32(np.uint32(d * np.uint32(0x01010101)) >> np.uint32(24))
            c = np.uint8(d) if shown[x] else np.uint8(WORST)
            there[x] += shown[x]
            two[x] = min(two[x], max(one[x], c))
            one[x] = min(one[x], c)


@vectorised
def _store(least: ByteArray, wide: int, second: float, out: ByteArray) -> None:
    """The smallest distance of a row and ``second`` times the next one, as a mean, in tenths."""
    one, two, there = least[0], least[1], least[2]
    share = np.float32(second)
    both = np.float32(SCALE) / (np.float32(1) + share)
    for x in range(wide):
        pair = (np.float32(one[x]) + share * np.float32(two[x])) * both
        alone = np.float32(one[x]) * np.float32(SCALE)
        cost = pair if there[x] > 1 else alone
        out[x] = np.uint8(cost) if there[x] > 0 else np.uint8(UNSEEN * SCALE)
