"""Outlines of a neighbourhood over surface and orthophoto -> the likeliest shift of each.

How well an outline lies at a shift (:mod:`aftermap.buildings.outline_match`) is taken for the
logarithm of a likelihood; with what its neighbours expect of it as a prior, peak and spread of the
product are the shift and its covariance. A spread over two peaks says that the edges do not decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rasterio.features import rasterize
from rasterio.transform import Affine

from aftermap.buildings.edges import GradientField, contrasts_in, falls_in
from aftermap.buildings.outline_match import SAMPLE_M, Samples, fits, offsets_m, outline_samples
from aftermap.buildings.shifts import FREEDOM
from aftermap.geo.arrays import AnyArray, Array, BoolArray, Float32Array, Int32Array
from aftermap.geo.polygon import shape_of
from aftermap.model.building import Polygon
from aftermap.model.raster import Elevation, Orthophoto

Box = tuple[tuple[float, float], tuple[float, float]]

REACH_M = 4.0
"""How far a shift is sought: from none at first, then from what the neighbours expect."""
CELL_M = 0.3
"""Cells are joined to about this. On the twin 0.15 m places outlines no better, and costs more."""
FARTHEST_M = 150.0
"""Sides of an outline farther than this from its neighbourhood are not looked at: memory."""
METRES_OF_EVIDENCE = 1.3
"""Log likelihood is fit times length over this: what agrees with the errors on the twin."""
FLOOR_SIGMA_M = 0.1
"""No shift is surer than this: edges of a matched surface wander by as much."""
MODE_M = 0.6
"""How far a peak reaches; the shift is the mean over it."""
PARTY_M = 0.8
"""Where another outline is so near, there is no step between them, or one of unknown sign."""
LEAST_SEEN = 0.3
"""Share of an outline that must lie on the map to be matched."""
LEAST_FREE_M = 1.0
LEAST_EDGES = 0.2
EDGE_REACH_M = 1.0
"""A residual needs an edge so near to this share of the free outline."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbourhood:
    """N outlines to be placed, as drawn, and those beside them, which only hide shared walls.

    ``centre_m`` (N, 2) is the shift around which one is sought; ``prior_m2`` (N, 2, 2) says how far
    it may be from there, None where nothing is expected yet.
    """

    outlines: tuple[tuple[Polygon, ...], ...]
    beside: tuple[tuple[Polygon, ...], ...]
    centre_m: Array
    prior_m2: Array | None


@dataclass(frozen=True, kw_only=True)
class ShiftEstimate:
    """The likeliest shift (east, north) and its covariance (east, both, north).

    ``edges_sigma_m`` is how surely the outline's own edges place it, whatever is expected; None
    where they were not seen. ``residual_m`` is the median distance of the shifted outline from
    them. ``seen_fraction`` of the outline lies on the map.
    """

    shift_m: tuple[float, float]
    covariance_m2: tuple[float, float, float]
    edges_sigma_m: float | None
    residual_m: float | None
    seen_fraction: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Window:
    """What the map shows where a neighbourhood can lie; ``owners`` as in :func:`_owners`."""

    falls: GradientField
    contrasts: GradientField
    owners: Int32Array


def placed_in(
    here: Neighbourhood, *, elevation: Elevation, orthophoto: Orthophoto
) -> list[ShiftEstimate]:
    """The shift of every outline of a neighbourhood, in their order."""
    samples = [outline_samples(outline) for outline in here.outlines]
    lower, upper = _box(samples, here.centre_m)
    falls = falls_in(elevation, lower, upper, cell_m=CELL_M)
    contrasts = contrasts_in(orthophoto, elevation, lower, upper, cell_m=CELL_M)
    window = _Window(falls=falls, contrasts=contrasts, owners=_owners(here, falls))
    priors = [None] * len(samples) if here.prior_m2 is None else list(here.prior_m2)
    return [
        _estimate(own, number, window, centre, prior)
        for number, (own, centre, prior) in enumerate(
            zip(samples, here.centre_m, priors, strict=True), start=1
        )
    ]


def _box(samples: Sequence[Samples], centre_m: Array) -> Box:
    """The ground that outlines can come to lie on: lower left and upper right."""
    places = np.concatenate([own.place_m for own in samples])
    middles = np.array([own.place_m.mean(0) for own in samples])
    margin = REACH_M + 1.0
    lower = np.maximum(places.min(0), middles.min(0) - FARTHEST_M) + centre_m.min(0) - margin
    upper = np.minimum(places.max(0), middles.max(0) + FARTHEST_M) + centre_m.max(0) + margin
    return (float(lower[0]), float(lower[1])), (float(upper[0]), float(upper[1]))


def _owners(here: Neighbourhood, edges: GradientField) -> Int32Array:
    """(rows, columns) which outline each cell lies in as drawn, counted from 1; 0 where in none."""
    grid = edges.grid
    shapes = [shape_of(outline) for outline in (*here.outlines, *here.beside)]
    transform = Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m)
    burnt = rasterize(
        [(shape, number) for number, shape in enumerate(shapes, start=1)],
        out_shape=(grid.rows, grid.columns),
        transform=transform,
        dtype="int32",
    )
    return np.asarray(burnt, np.int32)


def _estimate(
    samples: Samples, number: int, window: _Window, centre_m: Array, prior_m2: Array | None
) -> ShiftEstimate:
    edges = window.falls
    seen = _at(edges, edges.known, samples.place_m + centre_m)
    free = ~_shared(samples, number, window)
    length_m = SAMPLE_M * float((seen & free).sum())
    has_edges = bool(seen.mean() >= LEAST_SEEN and length_m >= LEAST_FREE_M)
    steps = round(REACH_M / edges.grid.cell_m)
    axis = np.asarray(np.arange(-steps, steps + 1) * edges.grid.cell_m, float)
    evidence = np.zeros((len(axis), len(axis)))
    if has_edges:
        weights = (seen & free).astype(float)
        fit = fits(samples, weights, edges, centre_m, steps, is_signed=True)
        fit = fit + _contrast_fits(samples, weights, window.contrasts, centre_m, axis)
        evidence += fit * (length_m / METRES_OF_EVIDENCE)
    own, own_m2 = _moments(evidence, axis)
    moved, spread_m2 = (
        (own, own_m2) if prior_m2 is None else _moments(evidence + _prior(axis, prior_m2), axis)
    )
    east, north = (float(value) for value in centre_m + moved)
    return ShiftEstimate(
        shift_m=(east, north),
        covariance_m2=(float(spread_m2[0, 0]), float(spread_m2[0, 1]), float(spread_m2[1, 1])),
        edges_sigma_m=float(np.sqrt(np.trace(own_m2) / 2)) if has_edges else None,
        residual_m=_residual_m(samples, seen & free, edges, centre_m + moved),
        seen_fraction=float(seen.mean()),
    )


def _contrast_fits(
    samples: Samples, weights: Array, contrasts: GradientField, centre_m: Array, axis: Array
) -> Float32Array:
    """The fit to the orthophoto at the shifts of ``axis``, whose cells may be of another size."""
    cell_m = contrasts.grid.cell_m
    steps = int(np.ceil(axis[-1] / cell_m - 1e-6))
    fit = fits(samples, weights, contrasts, centre_m, steps, is_signed=False)
    at = axis / cell_m + steps
    low = np.clip(np.floor(at + 1e-6).astype(int), 0, 2 * steps - 1)
    part = np.clip(at - low, 0, 1).astype(np.float32)
    rows = fit[low] * (1 - part)[:, None] + fit[low + 1] * part[:, None]
    return np.asarray(rows[:, low] * (1 - part) + rows[:, low + 1] * part)


def _moments(log_weight: Array, axis: Array) -> tuple[Array, Array]:
    """(2,) the mean over the highest peak, and (2, 2) the spread of everything about it."""
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    row, column = np.unravel_index(int(np.argmax(weight)), weight.shape)
    east, north = axis[None, :], axis[:, None]
    near = weight * (np.hypot(east - axis[column], north - axis[row]) <= MODE_M)
    place = np.array([(near * east).sum(), (near * north).sum()]) / near.sum()
    x, y = east - place[0], north - place[1]
    both = (weight * x * y).sum()
    floor_m2 = FLOOR_SIGMA_M**2 + (axis[1] - axis[0]) ** 2 / 12  # of a place within its cell
    return place, np.array(
        [[(weight * x * x).sum() + floor_m2, both], [both, (weight * y * y).sum() + floor_m2]]
    )


def _prior(axis: Array, prior_m2: Array) -> Array:
    """Logarithm of a t distribution about 0: a building that is sure of itself may differ."""
    east, north = axis[None, :], axis[:, None]
    inverse = np.linalg.inv(prior_m2)
    away = inverse[0, 0] * east**2 + 2 * inverse[0, 1] * east * north + inverse[1, 1] * north**2
    return np.asarray(-(FREEDOM + 2) / 2 * np.log1p(away / FREEDOM))


def _shared(samples: Samples, number: int, window: _Window) -> BoolArray:
    """(N,) whether another outline begins just outside a sample."""
    owner = _at(window.falls, window.owners, samples.place_m + PARTY_M * samples.normal)
    return np.asarray((owner != 0) & (owner != number), bool)


def _at(edges: GradientField, cells: AnyArray, places_m: Array) -> BoolArray:
    """(N,) the cells of a window at places; False or 0 beyond it."""
    grid = edges.grid
    row = np.floor((grid.north_m - places_m[:, 1]) / grid.cell_m).astype(int)
    column = np.floor((places_m[:, 0] - grid.east_m) / grid.cell_m).astype(int)
    inside = (row >= 0) & (row < grid.rows) & (column >= 0) & (column < grid.columns)
    out = np.zeros(len(places_m), cells.dtype)
    out[inside] = cells[row[inside], column[inside]]
    return out


def _residual_m(
    samples: Samples, counts: BoolArray, falls: GradientField, shift_m: Array
) -> float | None:
    """Median distance of the shifted outline from the falls beside it, where enough have one."""
    away = np.abs(offsets_m(samples, falls, shift_m, EDGE_REACH_M)[counts])
    there = np.isfinite(away)
    if there.sum() < max(4, LEAST_EDGES * len(away)):
        return None
    return float(np.median(away[there]))
