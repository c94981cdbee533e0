"""Cells of a roof -> the planes that it is made of, and how far the cells lie from them.

Planes are found one after the other by RANSAC (Fischler and Bolles 1981). Every cell of a smooth
patch proposes the plane through itself with its own slope, so that one cell is a whole hypothesis
and slopes must agree as well as heights (after Schnabel, Wahl and Klein 2007). Rubble has few
smooth patches and few neighbours that agree with them.
"""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, IntArray
from aftermap.geo.compiled import compiled

NEAR_M = 0.25
SLOPE_AGREES = 0.35
SMOOTH_M = 0.2
STEEPEST = 1.75
"""Rise over run of 60 degrees: what is steeper is a wall."""
MOST_PLANES = 8
PROPOSALS = 32
SAMPLED = 500
SMALLEST_M2 = 3.0
SMALLEST_FRACTION = 0.03


@dataclass(frozen=True, kw_only=True)
class Planes:
    """The planes of one building, the largest first.

    ``of_cell`` is (N,) the plane that a cell belongs to, -1 for none. ``coefficients`` is (P, 3):
    height = a + b east + c north, in metres from the given cells' own origin. ``area_m2`` and
    ``level_m`` (mean height of its cells) are (P,). ``residual_m`` is the mean distance of all
    cells from the nearest of the planes; NaN where there is no plane.
    """

    of_cell: IntArray
    coefficients: Array
    area_m2: Array
    level_m: Array
    residual_m: float

    def heights_m(self, xy_m: Array) -> Array:
        """(P, N) heights of the planes at (N, 2) places."""
        a, b, c = self.coefficients.T
        return np.asarray(a[:, None] + b[:, None] * xy_m[:, 0] + c[:, None] * xy_m[:, 1])


def planes_through(
    xyz_m: Array, slopes: Array, rough_m: Array, cell_area_m2: float, seed: int
) -> Planes:
    """The planes through (N, 3) cells with (N, 2) slopes and (N,) roughness.

    A plane covers at least ``SMALLEST_M2`` and ``SMALLEST_FRACTION`` of the cells.
    """
    rng = np.random.default_rng([seed, 41])
    least = max(SMALLEST_M2 / cell_area_m2, SMALLEST_FRACTION * len(xyz_m), 3)
    smooth = (rough_m < SMOOTH_M) & (np.maximum(*np.abs(slopes).T) < STEEPEST)
    of_cell = np.full(len(xyz_m), -1, np.int64)
    found: list[Array] = []
    open_cells = np.flatnonzero(smooth)
    while len(found) < MOST_PLANES and len(open_cells) >= least:
        some = rng.choice(open_cells, min(SAMPLED, len(open_cells)), replace=False)
        plane = _best(xyz_m, slopes, some, some[:PROPOSALS])
        plane, _ = _through(plane, xyz_m, slopes, open_cells, least)
        plane, _ = _through(plane, xyz_m, slopes, open_cells, least)
        _, inside = _through(plane, xyz_m, slopes, open_cells, least)
        if inside < least:
            break
        _claim(of_cell, len(found), plane, (xyz_m, slopes, smooth))
        found.append(plane)
        open_cells = open_cells[of_cell[open_cells] < 0]
    return _planes_of(xyz_m, of_cell, found, cell_area_m2)


@compiled
def _lies_on(plane: Array, xyz: Array, slopes: Array, cell: int) -> bool:
    """Whether a cell lies on a plane with its height and its slope."""
    height = plane[0] + xyz[cell, 0] * plane[1] + xyz[cell, 1] * plane[2]
    return bool(
        abs(xyz[cell, 2] - height) < NEAR_M
        and abs(slopes[cell, 0] - plane[1]) < SLOPE_AGREES
        and abs(slopes[cell, 1] - plane[2]) < SLOPE_AGREES
    )


@compiled
def _best(xyz: Array, slopes: Array, some: IntArray, ask: IntArray) -> Array:
    """Of the planes through the cells ``ask`` the one that most of the cells ``some`` lie on."""
    x, y, z = xyz[some, 0].copy(), xyz[some, 1].copy(), xyz[some, 2].copy()
    east, north = slopes[some, 0].copy(), slopes[some, 1].copy()
    best, most = np.zeros(3), -1
    for one in ask:
        b, c = slopes[one, 0], slopes[one, 1]
        a = xyz[one, 2] - b * xyz[one, 0] - c * xyz[one, 1]
        count = 0
        for k in range(len(x)):  # no early way out: machine code takes four cells at a time
            near = abs(a + b * x[k] + c * y[k] - z[k]) < NEAR_M
            alike = (abs(b - east[k]) < SLOPE_AGREES) & (abs(c - north[k]) < SLOPE_AGREES)
            count += near & alike
        if count > most:
            best, most = np.array([a, b, c]), count
    return best


@compiled
def _through(
    plane: Array, xyz: Array, slopes: Array, cells: IntArray, least: float
) -> tuple[Array, int]:
    """The plane through those of the cells that lie on one, and their number.

    The same plane where they are fewer than ``least``.
    """
    count, x0, y0, z0 = 0, 0.0, 0.0, 0.0
    for cell in cells:
        if _lies_on(plane, xyz, slopes, cell):
            x0, y0, z0 = x0 + xyz[cell, 0], y0 + xyz[cell, 1], z0 + xyz[cell, 2]
            count += 1
    if count < least:
        return plane, count
    x0, y0, z0 = x0 / count, y0 / count, z0 / count
    xx, yy, xy, xz, yz = 1e-6, 1e-6, 0.0, 0.0, 0.0
    for cell in cells:
        if _lies_on(plane, xyz, slopes, cell):
            x, y, z = xyz[cell, 0] - x0, xyz[cell, 1] - y0, xyz[cell, 2] - z0
            xx += x * x
            yy += y * y
            xy += x * y
            xz += x * z
            yz += y * z
    down = xx * yy - xy * xy
    east, north = (yy * xz - xy * yz) / down, (xx * yz - xy * xz) / down
    return np.array([z0 - east * x0 - north * y0, east, north]), count


@compiled
def _claim(
    of_cell: IntArray, number: int, plane: Array, of_all: tuple[Array, Array, BoolArray]
) -> None:
    """Give a plane every free cell at its height; a smooth one must have its slope as well."""
    xyz, slopes, smooth = of_all
    for cell in range(len(of_cell)):
        if of_cell[cell] < 0:
            away = xyz[cell, 2] - plane[0] - xyz[cell, 0] * plane[1] - xyz[cell, 1] * plane[2]
            if abs(away) < NEAR_M and (not smooth[cell] or _lies_on(plane, xyz, slopes, cell)):
                of_cell[cell] = number


def _planes_of(xyz: Array, of_cell: IntArray, found: list[Array], cell_area_m2: float) -> Planes:
    count = np.bincount(of_cell[of_cell >= 0], minlength=len(found)).astype(float)
    order = np.argsort(-count, kind="stable")
    rank = np.empty(len(found) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(found)), -1
    of_cell = rank[of_cell]
    coefficients = np.array(found).reshape(-1, 3)[order]
    level = np.array([xyz[of_cell == k, 2].mean() for k in range(len(found))])
    planes = Planes(
        of_cell=of_cell,
        coefficients=coefficients,
        area_m2=count[order] * cell_area_m2,
        level_m=level,
        residual_m=float("nan"),
    )
    if not found:
        return planes
    away = np.abs(planes.heights_m(xyz[:, :2]) - xyz[:, 2]).min(0)
    return Planes(
        of_cell=of_cell,
        coefficients=coefficients,
        area_m2=planes.area_m2,
        level_m=level,
        residual_m=float(away.mean()),
    )
