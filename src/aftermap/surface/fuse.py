"""Heights of many views to one height per cell and the number of photographs that agree on it.

Compiled loops over one block. Heights are sorted per cell into runs no wider than the tolerance; of
those that nearly as many photographs agree on as on any, the highest wins, since a surface seen
from above is the topmost one.
"""

import cv2
import numpy as np

from aftermap.geo.arrays import ByteArray, Float32Array, IntArray, Uint16Array
from aftermap.geo.compiled import compiled


@compiled
def highest_run(
    stack: Uint16Array,
    views: ByteArray,
    width: int,
    share: float,
    height: Float32Array,
    count: ByteArray,
    shared: ByteArray,
) -> None:
    """Fill ``height`` (rows, columns; in steps, 0 = none), ``count`` of photographs and ``shared``.

    ``stack`` is (layers, rows, columns) uint16, 0 where a view saw nothing; ``views`` how many
    views see it so; ``width`` the tolerance in steps. A run must have ``share`` of the photographs
    that the cell's largest one has. ``shared`` is 1 where most of the views that show the cell, and
    most of those that are said to see it so, are in the run: the points of a wall and of a leafy
    tree lie at every height over one cell, and no two views put them at the same one.
    """
    layers, rows, columns = stack.shape
    value, seen = np.empty(layers, np.int64), np.empty(layers, np.int64)
    for row in range(rows):
        for column in range(columns):
            n = _sorted_cell(stack, views, row, column, value, seen)
            height[row, column] = 0
            count[row, column] = 0
            shared[row, column] = 0
            if n == 0:
                continue
            most = _best_run(value, seen, n, width, 0)[2]
            start, end, support = _best_run(value, seen, n, width, int(np.ceil(share * most)))
            height[row, column] = _middle(value, start, end)
            count[row, column] = min(support, 255)
            shared[row, column] = 2 * (end - start + 1) > max(n, support)


@compiled
def _sorted_cell(
    stack: Uint16Array, views: ByteArray, row: int, column: int, value: IntArray, seen: IntArray
) -> int:
    """Fill the heights of a cell from the lowest up, and the views of each; how many there are."""
    n = 0
    for k in range(stack.shape[0]):
        v = np.int64(stack[k, row, column])
        if v == 0:
            continue
        i = n
        while i > 0 and value[i - 1] > v:
            value[i] = value[i - 1]
            seen[i] = seen[i - 1]
            i -= 1
        value[i] = v
        seen[i] = np.int64(views[k, row, column])
        n += 1
    return n


@compiled
def _best_run(
    value: IntArray, seen: IntArray, n: int, width: int, least: int
) -> tuple[int, int, int]:
    """First, last and photographs of a run: the largest one, or the highest with ``least``.

    The photographs of a run are its own views or, where that is more, those that one of its views
    says agree with it.
    """
    start, best_start, best_end, best = 0, 0, -1, 0
    for end in range(n):
        while value[end] - value[start] > width:
            start += 1
        support = end - start + 1
        for i in range(start, end + 1):
            support = max(support, seen[i])
        if least == 0:
            better = support >= best
        else:
            apart = best_end < 0 or value[start] > value[best_end]
            better = support >= least and (apart or support >= best)
        if better:
            best_start, best_end, best = start, end, support
    return best_start, best_end, best


@compiled
def _middle(value: IntArray, start: int, end: int) -> np.float32:
    """Mean of the middle half of sorted values: as sure as a mean, as deaf as a median."""
    n = end - start + 1
    cut = n // 4
    total = 0.0
    for i in range(start + cut, end + 1 - cut):
        total += value[i]
    return np.float32(total / (n - 2 * cut))


def remove_islands(height: Float32Array, count: ByteArray, step: float, least_cells: int) -> None:
    """Clear patches of few connected cells: waves and leaves agree by chance, but never far.

    ``height`` (rows, columns) is in steps, 0 where empty, ``count`` (rows, columns) how many
    photographs agree; both are changed. A patch is cells joined by height differences of at most
    ``step``. The fewer photographs agree, the larger it must be: ``least_cells`` where two do, a
    quarter of that where three do, and a few cells, a water tank on a roof, where four or more do.
    """
    scale = 30_000.0 / max(float(height.max()), 1.0)
    kept = np.zeros(height.shape, np.bool_)
    for photographs, share in ((2, 1.0), (3, 0.25), (4, 0.01)):
        patch = np.where(count >= photographs, np.round(height * scale), 0).astype(np.int16)
        cv2.filterSpeckles(patch, 0, max(4, round(least_cells * share)), step * scale)
        kept |= patch > 0
    height[~kept] = 0
    count[~kept] = 0


@compiled
def smoothed(height: Float32Array, count: ByteArray, tolerance: float) -> Float32Array:
    """Heights averaged with the neighbours of the same surface (bilateral, 5 x 5, weight by count).

    A neighbour counts by a Gaussian of its height difference (sigma ``tolerance``), so roof edges
    and kerbs stay while matching noise on flat ground goes.
    """
    rows, columns = height.shape
    out = height.copy()
    for row in range(rows):
        for column in range(columns):
            own = height[row, column]
            if own <= 0:
                continue
            total, weights = 0.0, 0.0
            for r in range(max(0, row - 2), min(rows, row + 3)):
                for c in range(max(0, column - 2), min(columns, column + 3)):
                    other = height[r, c]
                    if other <= 0:
                        continue
                    apart = (other - own) / tolerance
                    if apart * apart > 9:
                        continue
                    near = (r - row) ** 2 + (c - column) ** 2
                    weight = np.exp(-0.5 * apart * apart - near / 8.0) * count[r, c]
                    total += weight * other
                    weights += weight
            if weights > 0:
                out[row, column] = total / weights
    return out


@compiled
def gaps_closed(
    height: Float32Array, count: ByteArray, reach: int, tolerance: float
) -> tuple[Float32Array, ByteArray]:
    """Heights with small gaps in one surface closed: between measured cells and never beyond them.

    ``height`` (rows, columns) is 0 where empty, ``count`` (rows, columns) how many photographs
    agree. An empty cell takes the mean of measured cells on opposite sides of it, no more than
    ``reach`` cells from one to the other, where two such pairs or more agree within ``tolerance``;
    it counts as many photographs as the least of them.
    """
    rows, columns = height.shape
    out, photographs = height.copy(), count.copy()
    for row in range(rows):
        for column in range(columns):
            if height[row, column] > 0:
                continue
            total, pairs, least = np.float32(0), 0, np.uint8(255)
            for direction in range(4):
                value, seen = _across(height, count, row, column, direction, reach, tolerance)
                if value > 0:
                    total += value
                    pairs += 1
                    least = min(least, seen)
            if pairs >= 2:
                out[row, column] = total / np.float32(pairs)
                photographs[row, column] = least
    return out, photographs


@compiled
def _across(
    height: Float32Array,
    count: ByteArray,
    row: int,
    column: int,
    direction: int,
    reach: int,
    tolerance: float,
) -> tuple[np.float32, np.uint8]:
    """Mean and lesser count of the nearest cells on both sides of one, 0 where they disagree."""
    down, right = (
        (0 if direction == 0 else 1),
        (1 if direction < 2 else 0 if direction == 2 else -1),
    )
    first, second = np.float32(0), np.float32(0)
    seen, away = np.uint8(255), 0
    for sense in (1, -1):
        for step in range(1, reach):
            r, c = row + sense * step * down, column + sense * step * right
            if r < 0 or c < 0 or r >= height.shape[0] or c >= height.shape[1]:
                break
            if height[r, c] > 0:
                if sense == 1:
                    first = height[r, c]
                else:
                    second = height[r, c]
                seen = min(seen, count[r, c])
                away += step
                break
    if first == 0 or second == 0 or away > reach or abs(first - second) > tolerance:
        return np.float32(0), np.uint8(0)
    return np.float32(0.5) * (first + second), seen


@compiled
def filled(height: Float32Array, reach: int, directions: int) -> Float32Array:
    """Empty cells filled with the lowest of the nearest heights in eight directions.

    ``height`` (rows, columns) is 0 where empty, and so is the answer. What no two photographs see
    from above lies low: beside walls, in shafts, under broken roofs. Cells with heights within
    ``reach`` in fewer than so many ``directions`` stay 0: they lie at the rim, and a guess there
    would be an extrapolation.
    """
    rows, columns = height.shape
    out = height.copy()
    for row in range(rows):
        for column in range(columns):
            if height[row, column] > 0:
                continue
            found, lowest = 0, np.float32(np.inf)
            for k in range(9):
                if k == 4:
                    continue
                near = _first_height(height, row, column, k, reach)
                if near > 0:
                    found += 1
                    lowest = min(lowest, near)
            if found >= directions:
                out[row, column] = lowest
    return out


@compiled
def _first_height(
    height: Float32Array, row: int, column: int, direction: int, reach: int
) -> np.float32:
    """The nearest height along one of nine directions (4 is none), 0 where there is none."""
    down, right = direction // 3 - 1, direction % 3 - 1
    for _ in range(reach):
        row += down
        column += right
        if row < 0 or column < 0 or row >= height.shape[0] or column >= height.shape[1]:
            break
        if height[row, column] > 0:
            return np.float32(height[row, column])
    return np.float32(0)
