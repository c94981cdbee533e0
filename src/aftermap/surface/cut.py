"""The smallest cut of a grid of cells in two: maximum flow on four-connected cells.

Method: Boykov and Kolmogorov (2004), "An experimental comparison of min-cut/max-flow algorithms
for energy minimization in vision", IEEE PAMI 26(9): two search trees grow from source and sink,
paths between them are filled, and cells that lose their parent are adopted again.

Cells are numbered row by row on a grid with a rim of unused cells, so that every used cell has
four neighbours: 0 right, 1 left, 2 below, 3 above (the way back is ``way ^ 1``).
"""

import numpy as np

from aftermap.geo.arrays import BoolArray, Int32Array, IntArray
from aftermap.geo.compiled import compiled

FREE, SOURCE, SINK = 0, 1, 2
TERMINAL, ORPHAN, NONE = 4, 5, 6  # beside the four ways to a parent
FAR = 1 << 30

TREE, PARENT, CHECKED, DEPTH, QUEUED = 0, 1, 2, 3, 4  # columns of a cell's state
HEAD, TAIL = 0, 1


@compiled
def sink_side(capacity: Int32Array, terminal: Int32Array, width: int) -> BoolArray:
    """(cells,) True where a cell falls to the sink.

    ``capacity`` (cells, 4) is what may flow to each neighbour, ``terminal`` (cells,) from the
    source (positive) or to the sink (negative). Both are used up. ``width`` is cells per row.
    """
    cells = terminal.shape[0]
    offset = np.array([1, -1, width, -width], np.int32)
    state = np.zeros((cells, 5), np.int32)
    queue = np.empty(cells + 1, np.int32)
    ends = np.zeros(2, np.int64)
    orphans = np.empty(cells, np.int32)
    for i in range(cells):
        state[i, PARENT] = NONE
        if terminal[i] != 0:
            state[i, TREE] = SOURCE if terminal[i] > 0 else SINK
            state[i, PARENT] = TERMINAL
            state[i, DEPTH] = 1
            _queue_up(i, state, queue, ends)
    clock = 0
    while ends[HEAD] != ends[TAIL]:
        i = queue[ends[HEAD]]
        if state[i, TREE] != FREE:
            cell, way = _grow(i, capacity, offset, state, queue, ends)
            if way >= 0:
                clock += 1
                left = _fill(cell, way, capacity, terminal, offset, state, orphans)
                _adopt(left, clock, capacity, offset, state, queue, ends, orphans)
                continue
        state[i, QUEUED] = 0
        ends[HEAD] = (ends[HEAD] + 1) % queue.shape[0]
    return np.asarray(state[:, TREE] == SINK)


@compiled
def _queue_up(i: int, state: Int32Array, queue: Int32Array, ends: IntArray) -> None:
    if state[i, QUEUED] == 0:
        state[i, QUEUED] = 1
        queue[ends[TAIL]] = i
        ends[TAIL] = (ends[TAIL] + 1) % queue.shape[0]


@compiled
def _room(i: int, j: int, way: int, tree: int, capacity: Int32Array) -> int:
    """What may still flow between a cell and its neighbour, away from the root of their tree."""
    return int(capacity[i, way]) if tree == SOURCE else int(capacity[j, way ^ 1])


@compiled
def _grow(
    i: int,
    capacity: Int32Array,
    offset: Int32Array,
    state: Int32Array,
    queue: Int32Array,
    ends: IntArray,
) -> tuple[int, int]:
    """Grow the tree at one cell. The edge (cell, way) where source tree meets sink tree, or -1."""
    tree = state[i, TREE]
    for way in range(4):
        j = i + offset[way]
        if _room(i, j, way, tree, capacity) <= 0:
            continue
        shorter = state[j, CHECKED] <= state[i, CHECKED] and state[j, DEPTH] > state[i, DEPTH] + 1
        if state[j, TREE] == FREE or (state[j, TREE] == tree and shorter):
            if state[j, TREE] == FREE:
                _queue_up(j, state, queue, ends)
            state[j, TREE] = tree
            state[j, PARENT] = way ^ 1
            state[j, CHECKED] = state[i, CHECKED]
            state[j, DEPTH] = state[i, DEPTH] + 1
        elif state[j, TREE] != tree:
            return (i, way) if tree == SOURCE else (j, way ^ 1)
    return -1, -1


@compiled
def _fill(
    cell: int,
    way: int,
    capacity: Int32Array,
    terminal: Int32Array,
    offset: Int32Array,
    state: Int32Array,
    orphans: Int32Array,
) -> int:
    """Send all that a path can carry through it; how many cells lost their parent."""
    other = cell + offset[way]
    flow = min(
        capacity[cell, way],
        _narrowest(cell, SOURCE, capacity, terminal, offset, state),
        _narrowest(other, SINK, capacity, terminal, offset, state),
    )
    capacity[cell, way] -= flow
    capacity[other, way ^ 1] += flow
    left = _send(cell, SOURCE, flow, capacity, terminal, offset, state, orphans, 0)
    return _send(other, SINK, flow, capacity, terminal, offset, state, orphans, left)


@compiled
def _narrowest(
    i: int,
    tree: int,
    capacity: Int32Array,
    terminal: Int32Array,
    offset: Int32Array,
    state: Int32Array,
) -> int:
    """The least room on the way from a cell to its terminal."""
    least = FAR
    while state[i, PARENT] != TERMINAL:
        up = state[i, PARENT]
        j = i + offset[up]
        least = min(least, _room(j, i, up ^ 1, tree, capacity))
        i = j
    return int(min(least, abs(terminal[i])))


@compiled
def _send(  # noqa: PLR0913, PLR0917 - compiled loops take plain arrays
    i: int,
    tree: int,
    flow: int,
    capacity: Int32Array,
    terminal: Int32Array,
    offset: Int32Array,
    state: Int32Array,
    orphans: Int32Array,
    left: int,
) -> int:
    """Take a flow off every edge from a cell to its terminal, noting the edges that are full."""
    while state[i, PARENT] != TERMINAL:
        up = state[i, PARENT]
        j = i + offset[up]
        if tree == SOURCE:
            capacity[j, up ^ 1] -= flow
            capacity[i, up] += flow
        else:
            capacity[i, up] -= flow
            capacity[j, up ^ 1] += flow
        if _room(j, i, up ^ 1, tree, capacity) == 0:
            state[i, PARENT] = ORPHAN
            orphans[left] = i
            left += 1
        i = j
    terminal[i] += -flow if tree == SOURCE else flow
    if terminal[i] == 0:
        state[i, PARENT] = ORPHAN
        orphans[left] = i
        left += 1
    return left


@compiled
def _adopt(
    left: int,
    clock: int,
    capacity: Int32Array,
    offset: Int32Array,
    state: Int32Array,
    queue: Int32Array,
    ends: IntArray,
    orphans: Int32Array,
) -> None:
    """Find every orphan a new parent that leads to its terminal, or set it free."""
    while left > 0:
        left -= 1
        i = orphans[left]
        tree = state[i, TREE]
        best, nearest = -1, FAR
        for way in range(4):
            j = i + offset[way]
            if state[j, TREE] == tree and _room(j, i, way ^ 1, tree, capacity) > 0:
                far = _to_terminal(j, clock, offset, state)
                if far < nearest:
                    best, nearest = way, far
        if best >= 0:
            state[i, PARENT] = best
            state[i, CHECKED] = clock
            state[i, DEPTH] = nearest + 1
            continue
        for way in range(4):
            j = i + offset[way]
            if state[j, TREE] != tree:
                continue
            if _room(j, i, way ^ 1, tree, capacity) > 0:
                _queue_up(j, state, queue, ends)
            if state[j, PARENT] == way ^ 1:
                state[j, PARENT] = ORPHAN
                orphans[left] = j
                left += 1
        state[i, TREE] = FREE
        state[i, PARENT] = NONE


@compiled
def _to_terminal(start: int, clock: int, offset: Int32Array, state: Int32Array) -> int:
    """How many cells lie between a cell and its terminal; FAR where an orphan is in the way."""
    steps = 0
    i = start
    while state[i, CHECKED] != clock:
        if state[i, PARENT] == ORPHAN or state[i, PARENT] == NONE:
            return FAR
        if state[i, PARENT] == TERMINAL:
            state[i, CHECKED] = clock
            state[i, DEPTH] = 1
            break
        steps += 1
        i += offset[state[i, PARENT]]
    far = steps + state[i, DEPTH]
    steps = far
    i = start
    while state[i, CHECKED] != clock:
        state[i, CHECKED] = clock
        state[i, DEPTH] = steps
        steps -= 1
        i += offset[state[i, PARENT]]
    return int(far)
