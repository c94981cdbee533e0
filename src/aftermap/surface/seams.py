"""Which picture each cell of the orthophoto is taken from, so that the cuts between them hide.

Every cell has a cost per picture (how obliquely, coarsely or doubtfully it is shown, how much its
colour differs from what other pictures show), every border between two pictures a cost by how
differently they show the ground on both sides, much higher where something stands above it. The
sum is lowered by letting each picture in turn take what pays (alpha expansion by smallest cuts,
Boykov, Veksler and Zabih 2001, IEEE PAMI 23(11)). Regions are solved one after the other, the
finished ones held fixed, so memory does not grow with the map.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from aftermap.geo.arrays import (
    ByteArray,
    Float32Array,
    Int16Array,
    Int32Array,
    IntArray,
    Uint16Array,
)
from aftermap.geo.compiled import compiled
from aftermap.geo.grid import Block
from aftermap.surface.balance import Exposure, Tone, tone_at_cells
from aftermap.surface.cut import sink_side
from aftermap.surface.mosaic_grid import overlap, within
from aftermap.surface.thumbnail_pass import CoarseView

NO_PICTURE = 65_535
CANDIDATES = 6
ROUNDS = 3

HIDDEN_COST = 4.0
UNLIKE_COST = 1.0
UNLIKE_LIMIT = 60.0
SEAM_COST = 0.02
DIFFERENCE_COST = 0.01
DIFFERENCE_LIMIT = 120.0
RAISED_FACTOR = 12.0
KEPT_COST = 1000.0
STEPS = 1000.0
OPENING_CELLS = 41
WORST = 1 << 24


class Choice(NamedTuple):
    """The candidates of a region's cells: up to six pictures each, -1 where there are fewer.

    ``picture`` (rows, columns, 6) int16 and ``cost`` (rows, columns, 6) float32, ``colour`` (rows,
    columns, 6, 3) uint8 blue, green, red, balanced; ``raised`` (rows, columns) float32 from 0 on
    the ground to 1 on what stands on it.
    """

    picture: Int16Array
    cost: Float32Array
    colour: ByteArray
    raised: Float32Array


def candidates(
    coarse_views: Sequence[CoarseView],
    exposure: Exposure,
    tones: Sequence[Tone],
    region: Block,
    raised: Float32Array,
) -> Choice:
    """The pictures that may be chosen for the cells of a region.

    ``raised`` (rows, columns) is that of :class:`Choice`, a share from 0 to 1.
    """
    shape = region.rows, region.columns, CANDIDATES
    choice = Choice(
        picture=np.full(shape, -1, np.int16),
        cost=np.full(shape, np.inf, np.float32),
        colour=np.zeros((*shape, 3), np.uint8),
        raised=raised,
    )
    for at, coarse_view in enumerate(coarse_views):
        shared = overlap(coarse_view.picture.window, region)
        if shared is None:
            continue
        cut = within(shared, coarse_view.picture.window)
        with np.load(coarse_view.cells) as kept:
            share, cost, colour = kept["share"][cut], kept["cost"][cut], kept["colour"][cut]
            radius, lean = kept["radius"][cut], kept["lean"][cut]
        factor = exposure.factors(at, coarse_view.picture.camera_index, radius, lean)
        even = colour * factor * tone_at_cells(tones[at], shared)
        cost = np.where(share > 0, cost + HIDDEN_COST * (1 - share / np.float32(255)), np.inf)
        inner = within(shared, region)
        _offer(
            at,
            cost.astype(np.float32),
            np.clip(even, 0, 255).astype(np.uint8),
            choice.picture[inner],
            choice.cost[inner],
            choice.colour[inner],
        )
    _add_unlikeness(choice)
    return choice


def raised_above(height_cells: Float32Array) -> Float32Array:
    """(rows, columns) 0 on the ground to 1 on what stands more than a cell above it.

    Heights (rows, columns) are in cells, NaN where there is none. The ground is what an opening
    leaves: things narrower than about ten metres' worth of cells vanish from it. Cells next to a
    raised one count as raised, since its edges are never exact.
    """
    known = np.isfinite(height_cells)
    high = float(height_cells[known].max()) if known.any() else 0.0  # which an opening ignores
    height = np.where(known, height_cells, high).astype(np.float32)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (OPENING_CELLS, OPENING_CELLS))
    ground = cv2.morphologyEx(height, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_REPLICATE)
    above = np.clip(height - ground - np.float32(0.5), 0, 1)
    return np.asarray(cv2.dilate(above, np.ones((3, 3), np.uint8)), np.float32)


def choose_pictures(choice: Choice, fixed: Uint16Array) -> Uint16Array:
    """(rows, columns) index of the picture of each cell, NO_PICTURE where no picture shows it.

    ``fixed`` (rows, columns) holds the choice of cells that are already decided, NO_PICTURE
    elsewhere.
    """
    pick = np.empty(fixed.shape, np.int16)
    _start(choice.picture, choice.cost, fixed, pick)
    boxes = _boxes(choice.picture, int(choice.picture.max(initial=-1)) + 1)
    pictures = [picture for picture, box in enumerate(boxes) if box[0] <= box[1]]
    active = dict.fromkeys(pictures, True)
    for _ in range(ROUNDS):
        changed = 0
        for picture in pictures:
            if not active[picture]:
                continue
            gain = _expand(picture, boxes[picture], choice, pick)
            active[picture] = gain > 0
            changed += gain
        if changed == 0:
            break
    return _labels(choice.picture, pick)


def _labels(picture: Int16Array, pick: Int16Array) -> Uint16Array:
    label = np.take_along_axis(picture, np.maximum(pick, 0)[..., None], 2)[..., 0]
    return np.where(pick >= 0, label, NO_PICTURE).astype(np.uint16)


@compiled
def _offer(
    at: int,
    cost: Float32Array,
    colour: ByteArray,
    pictures: Int16Array,
    costs: Float32Array,
    colours: ByteArray,
) -> None:
    """Put one picture among the best of every cell, cheapest first."""
    rows, columns, limit = pictures.shape
    for row in range(rows):
        for column in range(columns):
            own = cost[row, column]
            k = limit
            while k > 0 and own < costs[row, column, k - 1]:
                k -= 1
            if k == limit or own == np.inf:
                continue
            for move in range(limit - 1, k, -1):
                pictures[row, column, move] = pictures[row, column, move - 1]
                costs[row, column, move] = costs[row, column, move - 1]
                colours[row, column, move] = colours[row, column, move - 1]
            pictures[row, column, k] = at
            costs[row, column, k] = own
            colours[row, column, k] = colour[row, column]


@compiled
def _add_unlikeness(choice: Choice) -> None:
    """Make a picture dearer where its brightness is far from the middle one: walls, passers-by."""
    pictures, costs, colours = choice.picture, choice.cost, choice.colour
    rows, columns, limit = pictures.shape
    light = np.empty(limit, np.float64)
    for row in range(rows):
        for column in range(columns):
            n = 0
            while n < limit and pictures[row, column, n] >= 0:
                light[n] = colours[row, column, n].sum() / 3.0
                n += 1
            if n < 3:
                continue
            middle = np.median(light[:n])
            for k in range(n):
                unlike = min(abs(light[k] - middle), UNLIKE_LIMIT) / UNLIKE_LIMIT
                costs[row, column, k] += np.float32(UNLIKE_COST * unlike)


@compiled
def _start(pictures: Int16Array, costs: Float32Array, fixed: Uint16Array, pick: Int16Array) -> None:
    """Begin with the cheapest picture; decided cells keep theirs, whatever it costs."""
    rows, columns, limit = pictures.shape
    for row in range(rows):
        for column in range(columns):
            best = -1
            for k in range(limit):
                if pictures[row, column, k] < 0:
                    break
                if pictures[row, column, k] == fixed[row, column]:
                    costs[row, column, k] -= KEPT_COST
                if best < 0 or costs[row, column, k] < costs[row, column, best]:
                    best = k
            pick[row, column] = best


class _Graph(NamedTuple):
    """The cells that may change to one picture, as the smallest cut takes them.

    ``candidate`` (height, width) int16 is the place of the picture among a cell's candidates, -1
    where it cannot change; one cell of rim around the box. ``capacity`` (cells, 4) and ``terminal``
    (cells,) int32 are those of :func:`sink_side`.
    """

    candidate: Int16Array
    capacity: Int32Array
    terminal: Int32Array


@compiled
def _expand(picture: int, box: IntArray, choice: Choice, pick: Int16Array) -> int:
    """Let one picture take every cell where that lowers the sum; how many it took."""
    top, left = box[0], box[2]
    graph = _graph_of(picture, box, choice, pick)
    height, width = graph.candidate.shape
    taken = sink_side(graph.capacity, graph.terminal, width)
    changed = 0
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            k = graph.candidate[row, column]
            if k >= 0 and taken[row * width + column]:
                pick[top + row - 1, left + column - 1] = k
                changed += 1
    return changed


@compiled
def _graph_of(picture: int, box: IntArray, choice: Choice, pick: Int16Array) -> _Graph:
    """What it costs each cell of a box (first and last row and column) to change to a picture."""
    top, bottom, left, right = box
    width, height = right - left + 3, bottom - top + 3
    own = np.full((height, width), -1, np.int16)
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            k = _place(picture, choice.picture, row, column)
            if k >= 0 and pick[row, column] != k:
                own[row - top + 1, column - left + 1] = k
    graph = _Graph(own, np.zeros((height * width, 4), np.int32), np.zeros(height * width, np.int32))
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            k = own[row - top + 1, column - left + 1]
            if k >= 0:
                i = (row - top + 1) * width + column - left + 1
                costs = choice.cost[row, column]
                graph.terminal[i] += _whole(costs[k] - costs[pick[row, column]])
                _link(picture, (row, column), (top - 1, left - 1), choice, pick, graph)
    return graph


@compiled
def _link(
    picture: int,
    at: tuple[int, int],
    corner: tuple[int, int],
    choice: Choice,
    pick: Int16Array,
    graph: _Graph,
) -> None:
    """Add what the borders of one cell to its neighbours cost if it or they change to a picture."""
    row, column = at
    pictures, _, colours, raised = choice
    own, capacity, terminal = graph
    width = own.shape[1]
    i = (row - corner[0]) * width + column - corner[1]
    old = pictures[row, column, pick[row, column]]
    for way in range(4):
        r = row + (1 if way == 2 else -1 if way == 3 else 0)
        c = column + (1 if way == 0 else -1 if way == 1 else 0)
        if r < 0 or c < 0 or r >= pick.shape[0] or c >= pick.shape[1] or pick[r, c] < 0:
            continue
        other = pictures[r, c, pick[r, c]]
        alone = own[r - corner[0], c - corner[1]] < 0
        if not alone and way & 1:
            continue  # a border between two cells that may change is counted once
        take_keep = _border(at, (r, c), picture, other, pictures, colours, raised)
        keep_keep = _border(at, (r, c), old, other, pictures, colours, raised)
        terminal[i] += _whole(take_keep - keep_keep)
        if not alone:
            keep_take = take_keep
            if old != other:
                keep_take = _border(at, (r, c), old, picture, pictures, colours, raised)
            terminal[i + (1 if way == 0 else width)] -= _whole(take_keep)
            capacity[i, way] += max(0, _whole(keep_take + take_keep - keep_keep))


@compiled
def _border(
    cell: tuple[int, int],
    neighbour: tuple[int, int],
    one: int,
    other: int,
    pictures: Int16Array,
    colours: ByteArray,
    raised: Float32Array,
) -> float:
    """What it costs that one picture meets another between two cells."""
    if one == other:
        return 0.0
    difference = _difference(one, other, cell, pictures, colours)
    difference += _difference(one, other, neighbour, pictures, colours)
    above = max(raised[cell], raised[neighbour])
    return float((SEAM_COST + DIFFERENCE_COST * difference) * (1.0 + RAISED_FACTOR * above))


@compiled
def _difference(
    one: int, other: int, cell: tuple[int, int], pictures: Int16Array, colours: ByteArray
) -> float:
    """Mean difference of a cell's colour in two pictures; the limit where one does not show it."""
    row, column = cell
    a, b = _place(one, pictures, row, column), _place(other, pictures, row, column)
    if a < 0 or b < 0:
        return DIFFERENCE_LIMIT
    total = 0.0
    for channel in range(3):
        total += abs(float(colours[row, column, a, channel]) - colours[row, column, b, channel])
    return min(total / 3.0, DIFFERENCE_LIMIT)


@compiled
def _place(picture: int, pictures: Int16Array, row: int, column: int) -> int:
    """Where among a cell's candidates a picture stands, -1 if it does not."""
    for k in range(pictures.shape[2]):
        if pictures[row, column, k] == picture:
            return k
        if pictures[row, column, k] < 0:
            return -1
    return -1


@compiled
def _whole(cost: float) -> int:
    """A cost as the whole number that the smallest cut works with."""
    return int(np.round(min(max(cost * STEPS, -WORST), WORST)))


@compiled
def _boxes(pictures: Int16Array, count: int) -> IntArray:
    """(count, 4) first and last row, first and last column where each picture is a candidate."""
    rows, columns, limit = pictures.shape
    boxes = np.empty((count, 4), np.int64)
    boxes[:, 0] = rows
    boxes[:, 2] = columns
    boxes[:, 1] = -1
    boxes[:, 3] = -1
    for row in range(rows):
        for column in range(columns):
            for k in range(limit):
                at = pictures[row, column, k]
                if at < 0:
                    break
                boxes[at, 0] = min(boxes[at, 0], row)
                boxes[at, 1] = max(boxes[at, 1], row)
                boxes[at, 2] = min(boxes[at, 2], column)
                boxes[at, 3] = max(boxes[at, 3], column)
    return boxes
