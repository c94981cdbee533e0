"""The smallest cut of a grid of cells in two: maximum flow on four-connected cells.

Method: Boykov and Kolmogorov (2004), "An experimental comparison of min-cut/max-flow algorithms
for energy minimization in vision", IEEE PAMI 26(9): two search trees grow from source and sink,
paths between them are filled, and cells that lose their parent are adopted again.

Cells are numbered row by row on a grid with a rim of unused cells, so that every used cell has
four neighbours: 0 right, 1 left, 2 below, 3 above (the way back is ``way ^ 1``).
"""

from typing import NamedTuple

import numpy as np

from aftermap.geo.arrays import BoolArray, Int32Array, IntArray
from aftermap.geo.compiled import allocation_free, compiled

FREE, SOURCE, SINK = 0, 1, 2
TERMINAL, ORPHAN, NONE = 4, 5, 6  # beside the four ways to a parent
FAR = 1 << 30

TREE, PARENT, CHECKED, DEPTH, QUEUED = 0, 1, 2, 3, 4  # columns of a cell's state
HEAD, TAIL = 0, 1


@compiled
def sink_side(capacity: Int32Array, terminal: Int32Array, width: int) -> BoolArray:
    """(cells,) whether a cell falls to the sink.

    ``capacity`` (cells, 4) is what may flow to each neighbour, ``terminal`` (cells,) from the
    source (positive) or to the sink (negative), in the unit of costs. Both are used up. ``width``
    is cells per row.
    """
    cells = terminal.shape[0]
    net = _Net(capacity, terminal, np.array([1, -1, width, -width], np.int32))
    search = _Search(
        np.zeros((cells, 5), np.int32),
        np.empty(cells + 1, np.int32),
        np.zeros(2, np.int64),
        np.empty(cells, np.int32),
    )
    state, queue, ends = search.state, search.queue, search.ends
    for i in range(cells):
        state[i, PARENT] = NONE
        if terminal[i] != 0:
            state[i, TREE] = SOURCE if terminal[i] > 0 else SINK
            state[i, PARENT] = TERMINAL
            state[i, DEPTH] = 1
            _queue_up(i, search)
    clock = 0
    while ends[HEAD] != ends[TAIL]:
        i = queue[ends[HEAD]]
        if state[i, TREE] != FREE:
            cell, way = _grow(i, net, search)
            if way >= 0:
                clock += 1
                _adopt(_fill(cell, way, net, search), clock, net, search)
                continue
        state[i, QUEUED] = 0
        ends[HEAD] = (ends[HEAD] + 1) % queue.shape[0]
    return np.asarray(state[:, TREE] == SINK)


class _Net(NamedTuple):
    """What may still flow: as in :func:`sink_side`, and how far each neighbour's number is off."""

    capacity: Int32Array
    terminal: Int32Array
    offset: Int32Array


class _Search(NamedTuple):
    """The two trees.

    ``state`` (cells, 5) are the columns above, ``queue`` (cells + 1,) a ring of the cells to grow
    at between its ``ends`` (2,), ``orphans`` (cells,) those that lost their parent.
    """

    state: Int32Array
    queue: Int32Array
    ends: IntArray
    orphans: Int32Array


@allocation_free
def _queue_up(i: int, search: _Search) -> None:
    if search.state[i, QUEUED] == 0:
        search.state[i, QUEUED] = 1
        search.queue[search.ends[TAIL]] = i
        search.ends[TAIL] = (search.ends[TAIL] + 1) % search.queue.shape[0]


@allocation_free
def _room(i: int, j: int, way: int, tree: int, capacity: Int32Array) -> int:
    """What may still flow between a cell and its neighbour, away from the root of their tree."""
    return int(capacity[i, way]) if tree == SOURCE else int(capacity[j, way ^ 1])


@allocation_free
def _grow(i: int, net: _Net, search: _Search) -> tuple[int, int]:
    """Grow the tree at one cell. The edge (cell, way) where source tree meets sink tree, or -1."""
    state = search.state
    tree = state[i, TREE]
    for way in range(4):
        j = i + net.offset[way]
        if _room(i, j, way, tree, net.capacity) <= 0:
            continue
        shorter = state[j, CHECKED] <= state[i, CHECKED] and state[j, DEPTH] > state[i, DEPTH] + 1
        if state[j, TREE] == FREE or (state[j, TREE] == tree and shorter):
            if state[j, TREE] == FREE:
                _queue_up(j, search)
            state[j, TREE] = tree
            state[j, PARENT] = way ^ 1
            state[j, CHECKED] = state[i, CHECKED]
            state[j, DEPTH] = state[i, DEPTH] + 1
        elif state[j, TREE] != tree:
            return (i, way) if tree == SOURCE else (j, way ^ 1)
    return -1, -1


@allocation_free
def _fill(cell: int, way: int, net: _Net, search: _Search) -> int:
    """Send all that a path can carry through it; how many cells lost their parent."""
    other = cell + net.offset[way]
    flow = min(
        net.capacity[cell, way],
        _narrowest(cell, SOURCE, net, search.state),
        _narrowest(other, SINK, net, search.state),
    )
    net.capacity[cell, way] -= flow
    net.capacity[other, way ^ 1] += flow
    left = _send(cell, SOURCE, flow, net, search, 0)
    return _send(other, SINK, flow, net, search, left)


@allocation_free
def _narrowest(i: int, tree: int, net: _Net, state: Int32Array) -> int:
    """The least room on the way from a cell to its terminal."""
    least = FAR
    while state[i, PARENT] != TERMINAL:
        up = state[i, PARENT]
        j = i + net.offset[up]
        least = min(least, _room(j, i, up ^ 1, tree, net.capacity))
        i = j
    return int(min(least, abs(net.terminal[i])))


@allocation_free
def _send(i: int, tree: int, flow: int, net: _Net, search: _Search, left: int) -> int:
    """Take a flow off every edge from a cell to its terminal, noting the edges that are full.

    ``left`` is how many cells had lost their parent before; it returns how many have after.
    """
    state, capacity = search.state, net.capacity
    while state[i, PARENT] != TERMINAL:
        up = state[i, PARENT]
        j = i + net.offset[up]
        if tree == SOURCE:
            capacity[j, up ^ 1] -= flow
            capacity[i, up] += flow
        else:
            capacity[i, up] -= flow
            capacity[j, up ^ 1] += flow
        if _room(j, i, up ^ 1, tree, capacity) == 0:
            state[i, PARENT] = ORPHAN
            search.orphans[left] = i
            left += 1
        i = j
    net.terminal[i] += -flow if tree == SOURCE else flow
    if net.terminal[i] == 0:
        state[i, PARENT] = ORPHAN
        search.orphans[left] = i
        left += 1
    return left


@allocation_free
def _adopt(left: int, clock: int, net: _Net, search: _Search) -> None:
    """Find every orphan a new parent that leads to its terminal, or set it free."""
    state, capacity, offset = search.state, net.capacity, net.offset
    while left > 0:
        left -= 1
        i = search.orphans[left]
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
                _queue_up(j, search)
            if state[j, PARENT] == way ^ 1:
                state[j, PARENT] = ORPHAN
                search.orphans[left] = j
                left += 1
        state[i, TREE] = FREE
        state[i, PARENT] = NONE


@allocation_free
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
