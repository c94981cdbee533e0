"""Lines between buildings -> those that lead through, from open ground to open ground.

The others are yards and dead ends: every way out of them passes one and the same line, or there is
none. A line leads through where it lies on a round trip from the ground around all buildings: it
is no bridge of the graph of lines, and no bridge stands between it and that ground (Tarjan, "A note
on finding the bridges of a graph", Information Processing Letters 2(6), 1974). Places are metres of
the map's CRS.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array, BoolArray, IntArray, ObjectArray

AROUND_M = 50.0
TOUCH_M = 2.5
"""How far from open ground a line may end that leads there: lines end a step before a mouth."""


def leading_through(lines: Sequence[BaseGeometry], walls: BaseGeometry) -> BoolArray:
    """(N,) which lines lead through. ``walls`` is all ground that is not open.

    Lines meet where they end in the same place. Open ground that ``walls`` encloses, as a square
    is, joins the lines that end at it; that around all of ``walls`` is where a round trip begins.
    """
    if not len(lines):
        return np.zeros(0, bool)
    ends, outside = _nodes(np.asarray(lines, object), walls)
    count = max(int(ends.max()), outside) + 1
    is_bridge = np.zeros(len(ends), bool)
    is_bridge[list(_bridges(ends, count))] = True
    one, other = ends[~is_bridge].T
    graph = coo_matrix((np.ones(len(one)), (one, other)), shape=(count, count))
    block = connected_components(graph, directed=False)[1]
    return np.asarray(~is_bridge & (block[ends[:, 0]] == block[outside]), bool)


def _nodes(lines: ObjectArray, walls: BaseGeometry) -> tuple[IntArray, int]:
    """(N, 2) the numbers of the two ends of each line, and that of the ground around everything."""
    box = shapely.box(*shapely.bounds(walls)).buffer(AROUND_M)
    open_ground = shapely.get_parts(box.difference(walls))
    is_around = shapely.distance(open_ground, box.boundary) < TOUCH_M
    places, number = np.unique(_ends_of(lines), axis=0, return_inverse=True)
    node = np.arange(len(places)) + len(open_ground) + 1
    at, part = shapely.STRtree(open_ground).query(
        shapely.points(places), predicate="dwithin", distance=TOUCH_M
    )
    node[at] = np.where(is_around[part], 0, part + 1)
    return node[number.reshape(-1, 2)], 0


def _ends_of(lines: ObjectArray) -> Array:
    """(2 N, 2) where each line begins and ends."""
    both = [shapely.get_point(lines, 0), shapely.get_point(lines, -1)]
    return np.asarray(shapely.get_coordinates(np.stack(both, axis=1).ravel()), float)


def _bridges(ends: IntArray, count: int) -> Iterator[int]:
    """The lines whose loss would part what they join: depth first, without recursion."""
    at: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for line, (one, other) in enumerate(ends.tolist()):
        at[one].append((other, line))
        at[other].append((one, line))
    order, low, seen = [-1] * count, [0] * count, 0
    for start in range(count):
        if order[start] >= 0:
            continue
        way = [(start, -1, iter(at[start]))]
        while way:
            node, came_by, rest = way[-1]
            if order[node] < 0:
                order[node] = low[node] = seen
                seen += 1
            step = next(((n, line) for n, line in rest if line != came_by), None)
            if step is None:
                way.pop()
                if way:
                    low[way[-1][0]] = min(low[way[-1][0]], low[node])
                    if low[node] > order[way[-1][0]]:
                        yield came_by
            elif order[step[0]] < 0:
                way.append((*step, iter(at[step[0]])))
            else:
                low[node] = min(low[node], order[step[0]])
