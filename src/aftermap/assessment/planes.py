"""Cells of a roof -> the planes that it is made of, and how far the cells lie from them.

Planes are found one after the other by RANSAC (Fischler and Bolles 1981). Every cell of a smooth
patch proposes the plane through itself with its own slope, so that one cell is a whole hypothesis
and slopes must agree as well as heights (after Schnabel, Wahl and Klein 2007). Rubble has few
smooth patches and few neighbours that agree with them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

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

    of_cell: npt.NDArray[np.int64]
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
        plane = _best(xyz_m, slopes, open_cells, rng)
        for _ in range(2):
            inside = _on(plane, xyz_m, slopes, open_cells)
            if len(inside) < least:
                break
            plane = _through(xyz_m[inside])
        inside = _on(plane, xyz_m, slopes, open_cells)
        if len(inside) < least:
            break
        found.append(plane)
        free = np.flatnonzero(of_cell < 0)
        near = np.abs(xyz_m[free, 2] - _height(plane, xyz_m[free])) < NEAR_M
        agrees = ~smooth[free] | (_alike(slopes[free], plane))
        of_cell[free[near & agrees]] = len(found) - 1
        open_cells = open_cells[of_cell[open_cells] < 0]
    return _described(xyz_m, of_cell, found, cell_area_m2)


def _best(
    xyz: Array, slopes: Array, cells: npt.NDArray[np.int64], rng: np.random.Generator
) -> Array:
    some = rng.choice(cells, min(SAMPLED, len(cells)), replace=False)
    ask = some[: min(PROPOSALS, len(some))]
    a = xyz[ask, 2] - (slopes[ask] * xyz[ask, :2]).sum(1)
    heights = a[:, None] + slopes[ask] @ xyz[some, :2].T
    near = np.abs(heights - xyz[some, 2]) < NEAR_M
    for axis in (0, 1):
        near &= np.abs(slopes[ask, axis, None] - slopes[some, axis]) < SLOPE_AGREES
    best = int(near.sum(1).argmax())
    return np.array([a[best], *slopes[ask[best]]])


def _alike(slopes: Array, plane: Array) -> npt.NDArray[np.bool_]:
    east = np.abs(slopes[:, 0] - plane[1]) < SLOPE_AGREES
    return np.asarray(east & (np.abs(slopes[:, 1] - plane[2]) < SLOPE_AGREES))


def _height(plane: Array, xyz: Array) -> Array:
    return np.asarray(plane[0] + xyz[:, :2] @ plane[1:])


def _on(
    plane: Array, xyz: Array, slopes: Array, cells: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    near = np.abs(xyz[cells, 2] - _height(plane, xyz[cells])) < NEAR_M
    near &= _alike(slopes[cells], plane)
    return np.asarray(cells[near])


def _through(xyz: Array) -> Array:
    middle = xyz.mean(0)
    centred = xyz - middle
    normal = centred[:, :2].T @ centred[:, :2] + 1e-6 * np.eye(2)
    slope = np.linalg.solve(normal, centred[:, :2].T @ centred[:, 2])
    return np.array([middle[2] - slope @ middle[:2], *slope])


def _described(
    xyz: Array, of_cell: npt.NDArray[np.int64], found: list[Array], cell_area_m2: float
) -> Planes:
    count = np.bincount(of_cell[of_cell >= 0], minlength=len(found)).astype(float)
    order = np.argsort(-count, kind="stable")
    rank = np.empty(len(found) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(found)), -1
    of_cell = rank[of_cell]
    coefficients = np.array(found).reshape(-1, 3)[order]
    level = np.array([xyz[of_cell == k, 2].mean() for k in range(len(found))])
    planes = Planes(
        of_cell=of_cell, coefficients=coefficients, area_m2=count[order] * cell_area_m2,
        level_m=level, residual_m=float("nan"),
    )  # fmt: skip
    if not found:
        return planes
    away = np.abs(planes.heights_m(xyz[:, :2]) - xyz[:, 2]).min(0)
    return Planes(
        of_cell=of_cell, coefficients=coefficients, area_m2=planes.area_m2, level_m=level,
        residual_m=float(away.mean()),
    )  # fmt: skip
