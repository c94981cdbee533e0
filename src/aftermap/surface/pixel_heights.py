"""Heights of surface cells -> heights of the orthophoto's pixels: compiled loops.

Within one surface they are bilinear. Where two meet, every pixel belongs to one of them.
"""

import numpy as np

from aftermap.geo.arrays import ByteArray, Float32Array, Int32Array
from aftermap.geo.compiled import compiled
from aftermap.surface.drawable import MEASURED

STEEP_CELLS = 2.0
"""From so many cells' height between neighbours on, two surfaces meet there."""
SORTS = 2 * (MEASURED + 1)
"""Of cells: what is drawn of them, and above or below the middle of a step."""


@compiled
def heights_at_pixels(
    surface: Float32Array,
    kinds: ByteArray,
    first: tuple[float, float],
    step: float,
    cell_m: float,
    out: Float32Array,
    cell: Int32Array,
) -> None:
    """Fill ``out`` with heights per pixel from surface cells, ``cell`` with the cell of each.

    ``surface`` (rows, columns) float32 metres, ``kinds`` (rows, columns) uint8 how a cell is drawn,
    ``first`` the first pixel's centre in cells; ``out`` float32 metres and ``cell`` int32, counted
    by rows, are (pixel rows, pixel columns). Bilinear within one surface of one kind; for what is
    done where two meet see :func:`_place_at_edge`. NaN where a pixel belongs to an empty cell.
    """
    rows, columns = surface.shape
    for i in range(out.shape[0]):
        y = first[0] + i * step
        row = min(max(int(np.floor(y)), 0), rows - 1)
        top = min(max(int(np.floor(y - 0.5)), 0), rows - 2)
        dy = min(max(y - 0.5 - top, 0.0), 1.0)
        for j in range(out.shape[1]):
            x = first[1] + j * step
            column = min(max(int(np.floor(x)), 0), columns - 1)
            left = min(max(int(np.floor(x - 0.5)), 0), columns - 2)
            dx = min(max(x - 0.5 - left, 0.0), 1.0)
            cell[i, j] = row * columns + column
            if kinds[row, column] == 0:
                out[i, j] = np.nan
            elif _is_one_surface(surface, kinds, top, left, STEEP_CELLS * cell_m):
                a, b = surface[top, left], surface[top, left + 1]
                c, d = surface[top + 1, left], surface[top + 1, left + 1]
                out[i, j] = (1 - dy) * ((1 - dx) * a + dx * b) + dy * ((1 - dx) * c + dx * d)
            else:
                out[i, j], cell[i, j] = _place_at_edge(
                    surface, kinds, (top, left), (dy, dx), STEEP_CELLS * cell_m, cell[i, j]
                )


@compiled
def _is_one_surface(
    surface: Float32Array, kinds: ByteArray, top: int, left: int, steep: float
) -> bool:
    """Whether four cells are drawn alike and differ by less than a step."""
    a, b = surface[top, left], surface[top, left + 1]
    c, d = surface[top + 1, left], surface[top + 1, left + 1]
    spread = max(a, b, c, d) - min(a, b, c, d) + 0 * (a + b + c + d)  # NaN if one is
    kind = kinds[top, left]
    alike = kind == kinds[top, left + 1] == kinds[top + 1, left] == kinds[top + 1, left + 1]
    return bool(alike and spread < steep)


@compiled
def _place_at_edge(
    surface: Float32Array,
    kinds: ByteArray,
    corner: tuple[int, int],
    part: tuple[float, float],
    steep: float,
    own: int,
) -> tuple[float, int]:
    """Height and cell of one pixel where surfaces or kinds meet between four cells.

    A pixel belongs to the surface (a roof, or the street below; measured ground, or filled) that
    has most of the cells around it, weighted by a cubic B-spline, so that a straight edge is
    straight at the size of pixels; between a roof and a street is only a wall, which has no place
    in the plan. No pixel of a filled or empty cell comes to belong to a measured one. Cells are
    sorted by kind, and by whether they are above the middle of a step in height.
    """
    columns = surface.shape[1]
    top, left = corner
    low, high = np.inf, -np.inf
    for k in range(4):
        z = surface[top + (k >> 1), left + (k & 1)]
        if z > -np.inf:
            low, high = min(low, z), max(high, z)
    middle = 0.5 * (low + high) if high - low >= steep else np.inf
    best = _commonest_sort(surface, kinds, corner, part, middle, own)
    total, weights, nearest, cell = 0.0, 0.0, -1.0, own
    for k in range(4):
        row, column = top + (k >> 1), left + (k & 1)
        if _sort(surface[row, column], kinds[row, column], middle) == best:
            near = 1e-6 + (part[0] if k >> 1 else 1 - part[0]) * (part[1] if k & 1 else 1 - part[1])
            total += near * surface[row, column]
            weights += near
            if near > nearest:
                nearest, cell = near, row * columns + column
    if weights == 0.0:  # none of the four: it stays with its own
        return float(surface[own // columns, own % columns]), cell
    return (np.nan if best < 2 else total / weights), cell


@compiled
def _commonest_sort(
    surface: Float32Array,
    kinds: ByteArray,
    corner: tuple[int, int],
    part: tuple[float, float],
    middle: float,
    own: int,
) -> int:
    """The sort of most of the sixteen cells around a pixel, none above that of its own cell."""
    rows, columns = surface.shape
    across, down = _spline(part[1]), _spline(part[0])
    sums = np.zeros(SORTS, np.float64)
    for r in range(4):
        row = min(max(corner[0] - 1 + r, 0), rows - 1)
        for c in range(4):
            column = min(max(corner[1] - 1 + c, 0), columns - 1)
            sums[_sort(surface[row, column], kinds[row, column], middle)] += down[r] * across[c]
    mine = _sort(
        surface[own // columns, own % columns], kinds[own // columns, own % columns], middle
    )
    best = mine
    for sort in range(SORTS):
        if sums[sort] > sums[best] and (sort >> 1) <= (mine >> 1):
            best = sort
    return best


@compiled
def _sort(z: float, kind: int, middle: float) -> int:
    """A cell's kind, and whether it lies above the middle of the step that is looked at."""
    return 2 * int(kind) + (1 if z > middle else 0)


@compiled
def _spline(t: float) -> tuple[float, float, float, float]:
    """Weights of the cells at -1, 0, 1 and 2 (uniform cubic B-spline)."""
    s = 1.0 - t
    b = (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0
    c = (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0
    return s * s * s / 6.0, b, c, t * t * t / 6.0
