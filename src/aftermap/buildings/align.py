"""Footprints, surface and orthophoto -> every building where the map shows it, and how surely.

Footprints lie a metre or more off, each district in its own way. In a first pass every outline is
tried at all shifts up to ``REACH_M``; from the buildings that match, the neighbours' word on every
shift is made (:mod:`aftermap.buildings.shifts`); in a second pass every outline is tried around
that word, and both are weighed against each other. A collapsed building has few edges left, so its
neighbours decide. docs/formats/footprints.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine

from aftermap.buildings.edges import Edges, contrasts_in, falls_in
from aftermap.buildings.match import SAMPLE_M, Samples, fits, offsets_m, samples_of
from aftermap.buildings.shifts import FREEDOM, expected
from aftermap.geo.polygon import neighbourhoods, shape_of, shifted
from aftermap.model.building import (
    Alignment,
    Building,
    Buildings,
    Footprint,
    FootprintSet,
    Polygon,
    ShiftSource,
)
from aftermap.model.raster import Elevation, Orthophoto, Raster
from aftermap.model.runs import Executor, Workspace

Array = npt.NDArray[np.float64]

REACH_M = 4.0
NEAR_REACH_M = 2.0
"""How far a shift is sought from none in the first pass, and from the neighbours' in the second."""
CELL_M = 0.3
NEAR_CELL_M = 0.15
"""Cells are joined to about this in either pass; finer ones find an edge no better."""
BLOCK_M = 200.0
FARTHEST_M = 150.0
"""Sides of an outline farther than this beyond its block are not looked at; it bounds memory."""
METRES_OF_EVIDENCE = 1.3
"""Log likelihood is fit times length over this: what agrees with errors on the twin."""
FLOOR_SIGMA_M = 0.1
"""No shift is surer than this: edges of a matched surface wander by as much."""
MODE_M = 0.6
PARTY_M = 0.8
"""Where another outline is so near, there is no step between them, or one of unknown sign."""
LEAST_SEEN = 0.3
"""Share of an outline that must lie on the map to be matched."""
LEAST_EDGES = 0.2
EDGE_REACH_M = 1.0
OWN_SURE_M = 0.5
"""An outline whose own edges place it so surely is placed by them, in the end by both."""
UNSURE_M = 5.0
"""Sigma of a shift of which nothing is known."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Block:
    """Outlines of a neighbourhood: ``places`` in the file's order, and those beside them.

    ``centre_m`` (N, 2) is the shift around which one is sought; ``prior_m2`` (N, 2, 2) is how far
    it may be from there, None in the first pass.
    """

    places: npt.NDArray[np.int64]
    outlines: tuple[tuple[Polygon, ...], ...]
    beside: tuple[tuple[Polygon, ...], ...]
    centre_m: Array
    prior_m2: Array | None


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A shift with the covariance of its likelihood times prior, about that shift, flattened.

    ``own_sigma_m`` is that of the likelihood alone; None where the outline has no edges to try.
    """

    shift_m: tuple[float, float]
    covariance_m2: tuple[float, float, float]
    own_sigma_m: float | None
    residual_m: float | None
    seen_fraction: float


def aligned(
    footprints: FootprintSet,
    elevation: Elevation,
    orthophoto: Orthophoto,
    files: Workspace,  # noqa: ARG001 - every stage is handed one
    executor: Executor,
) -> Buildings:
    """The buildings, each outline moved onto what the map shows, in the order of the footprints."""
    outlines = [footprint.polygons_m for footprint in footprints.footprints]
    if not outlines:
        return Buildings(crs=footprints.crs, buildings=(), skipped=footprints.skipped)
    shapes = np.array([shape_of(outline) for outline in outlines], object)
    places_m = shapely.get_coordinates(shapely.centroid(shapes))
    work = partial(_found_in, surface=elevation.surface, picture=orthophoto.image)
    still = np.zeros((len(outlines), 2))
    first = _tried(outlines, shapes, places_m, still, None, partial(work, reach_m=REACH_M, cell_m=CELL_M), executor)
    matched = np.array([found.own_sigma_m is not None for found in first])
    field = expected(
        places_m, matched, np.array([found.shift_m for found in first]), _covariances(first)
    )
    second = _tried(
        outlines, shapes, places_m, field.shift_m, field.covariance_m2,
        partial(work, reach_m=NEAR_REACH_M, cell_m=NEAR_CELL_M), executor,
    )  # fmt: skip
    sigma_m = np.sqrt(np.trace(field.covariance_m2, axis1=1, axis2=2) / 2)
    buildings = tuple(
        _building(footprint, found, sure)
        for footprint, found, sure in zip(footprints.footprints, second, sigma_m, strict=True)
    )
    return Buildings(
        crs=footprints.crs, buildings=buildings, skipped=footprints.skipped,
        notes=(*footprints.notes, *_notes(buildings)),
    )  # fmt: skip


def _tried(
    outlines: Sequence[tuple[Polygon, ...]], shapes: npt.NDArray[np.object_], places_m: Array,
    centre_m: Array, prior_m2: Array | None, work: "partial[list[_Found]]", executor: Executor,
) -> list[_Found]:  # fmt: skip
    """What every outline's edges say, found block by block; in the order of the outlines."""
    tree = shapely.STRtree(shapes)
    blocks = []
    for places in neighbourhoods(places_m, BLOCK_M):
        around = shapely.buffer(shapely.box(*shapely.total_bounds(shapes[places])), 2 * PARTY_M)
        beside = np.setdiff1d(tree.query(around), places)
        blocks.append(
            _Block(
                places=places, outlines=tuple(outlines[i] for i in places),
                beside=tuple(outlines[i] for i in beside), centre_m=centre_m[places],
                prior_m2=None if prior_m2 is None else prior_m2[places],
            )
        )  # fmt: skip
    label = "footprints" if prior_m2 is None else "footprints with neighbours"
    found: dict[int, _Found] = {}
    for block, answers in zip(blocks, executor.map(work, blocks, label=label), strict=True):
        found.update(zip(block.places.tolist(), answers, strict=True))
    return [found[place] for place in range(len(outlines))]


def _found_in(
    block: _Block, *, surface: Raster, picture: Raster, reach_m: float, cell_m: float
) -> list[_Found]:
    """The shift of every outline of a block."""
    samples = [samples_of(outline) for outline in block.outlines]
    lower, upper = _box(block, samples, reach_m)
    falls = falls_in(surface, lower, upper, cell_m=cell_m)
    contrasts = contrasts_in(picture, lower, upper, cell_m=cell_m)
    owners = _owners(block, falls)
    priors = [None] * len(samples) if block.prior_m2 is None else list(block.prior_m2)
    return [
        _found(own, number, owners, falls, contrasts, centre, prior, reach_m)
        for number, (own, centre, prior) in enumerate(
            zip(samples, block.centre_m, priors, strict=True), start=1
        )
    ]


def _box(
    block: _Block, samples: Sequence[Samples], reach_m: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ground that the outlines of a block can come to lie on: lower left and upper right."""
    places = np.concatenate([own.place_m for own in samples])
    middles = np.array([own.place_m.mean(0) for own in samples])
    margin = reach_m + 1.0
    lower = np.maximum(places.min(0), middles.min(0) - FARTHEST_M) + block.centre_m.min(0) - margin
    upper = np.minimum(places.max(0), middles.max(0) + FARTHEST_M) + block.centre_m.max(0) + margin
    return (float(lower[0]), float(lower[1])), (float(upper[0]), float(upper[1]))


def _owners(block: _Block, edges: Edges) -> npt.NDArray[np.int32]:
    """(rows, columns) which outline each cell lies in as drawn, counted from 1; 0 where in none."""
    grid = edges.grid
    shapes = [shape_of(outline) for outline in (*block.outlines, *block.beside)]
    transform = Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m)
    return np.asarray(
        rasterize(
            [(shape, number) for number, shape in enumerate(shapes, start=1)],
            out_shape=(grid.rows, grid.columns), transform=transform, dtype="int32",
        )
    )  # fmt: skip


def _found(
    samples: Samples, number: int, owners: npt.NDArray[np.int32], falls: Edges, contrasts: Edges,
    centre_m: Array, prior_m2: Array | None, reach_m: float,
) -> _Found:  # fmt: skip
    seen = _values(falls, falls.known, samples.place_m + centre_m, missing=False)
    free = ~_shared(samples, number, owners, falls)
    seen_fraction = float(seen.mean())
    length_m = SAMPLE_M * float((seen & free).sum())
    steps = round(reach_m / falls.grid.cell_m)
    axis = np.arange(-steps, steps + 1) * falls.grid.cell_m
    if seen_fraction < LEAST_SEEN or length_m < 1.0:
        fit = np.zeros((len(axis), len(axis)), np.float32)
    else:
        weights = (seen & free).astype(float)
        fit = fits(samples, weights, falls, centre_m, steps, is_signed=True)
        fit = fit + _on_axis(samples, weights, contrasts, centre_m, axis)
    evidence = fit.astype(float) * length_m / METRES_OF_EVIDENCE
    likely, own_m2 = _moments(evidence, axis)
    posterior, covariance_m2 = likely, own_m2
    if prior_m2 is not None:
        posterior, covariance_m2 = _moments(evidence + _prior(axis, prior_m2), axis)
    has_edges = seen_fraction >= LEAST_SEEN and length_m >= 1.0
    shift = centre_m + posterior
    return _Found(
        shift_m=(float(shift[0]), float(shift[1])),
        covariance_m2=(covariance_m2[0, 0], covariance_m2[0, 1], covariance_m2[1, 1]),
        own_sigma_m=float(np.sqrt(np.trace(own_m2) / 2)) if has_edges else None,
        residual_m=_residual_m(samples, free, falls, shift) if prior_m2 is not None else None,
        seen_fraction=seen_fraction,
    )


def _on_axis(
    samples: Samples, weights: Array, contrasts: Edges, centre_m: Array, axis: Array
) -> npt.NDArray[np.float32]:
    """The fit of the orthophoto at the shifts of the surface, whose cells may be of another size."""
    steps = int(np.ceil(-axis[0] / contrasts.grid.cell_m))
    fit = fits(samples, weights, contrasts, centre_m, steps, is_signed=False)
    if steps * 2 + 1 == len(axis) and np.isclose(steps * contrasts.grid.cell_m, axis[-1]):
        return fit
    at = axis / contrasts.grid.cell_m + steps
    low = np.clip(np.floor(at).astype(int), 0, 2 * steps - 1)
    part = (at - low).astype(np.float32)
    rows = fit[low] * (1 - part)[:, None] + fit[low + 1] * part[:, None]
    return np.asarray(rows[:, low] * (1 - part) + rows[:, low + 1] * part)


def _moments(log_weight: Array, axis: Array) -> tuple[Array, Array]:
    """(2,) place of the highest peak, its mean over ``MODE_M``, and (2, 2) spread of all about it."""
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    row, column = np.unravel_index(int(np.argmax(weight)), weight.shape)
    east, north = np.meshgrid(axis, axis)
    near = weight * (np.hypot(east - axis[column], north - axis[row]) <= MODE_M)
    place = np.array([(near * east).sum(), (near * north).sum()]) / near.sum()
    x, y = east - place[0], north - place[1]
    floor_m2 = FLOOR_SIGMA_M**2 + (axis[1] - axis[0]) ** 2 / 12  # of a place within its cell
    xx, xy, yy = ((weight * x * x).sum(), (weight * x * y).sum(), (weight * y * y).sum())
    return place, np.array([[xx, xy], [xy, yy]]) + np.eye(2) * floor_m2


def _prior(axis: Array, prior_m2: Array) -> Array:
    """Logarithm of a t distribution about 0: a building that is sure of itself may differ."""
    east, north = np.meshgrid(axis, axis)
    inverse = np.linalg.inv(prior_m2)
    away = inverse[0, 0] * east**2 + 2 * inverse[0, 1] * east * north + inverse[1, 1] * north**2
    return np.asarray(-(FREEDOM + 2) / 2 * np.log1p(away / FREEDOM))


def _shared(
    samples: Samples, number: int, owners: npt.NDArray[np.int32], edges: Edges
) -> npt.NDArray[np.bool_]:
    """(N,) whether another outline begins just outside a sample."""
    beyond = samples.place_m + PARTY_M * samples.normal
    owner = _values(edges, owners, beyond, missing=0)
    return np.asarray((owner != 0) & (owner != number))


def _values(
    edges: Edges, cells: npt.NDArray[np.generic], places_m: Array, *, missing: int
) -> npt.NDArray[np.generic]:
    """(N,) the cells at places; ``missing`` beyond the window."""
    grid = edges.grid
    row = np.floor((grid.north_m - places_m[:, 1]) / grid.cell_m).astype(int)
    column = np.floor((places_m[:, 0] - grid.east_m) / grid.cell_m).astype(int)
    inside = (row >= 0) & (row < grid.rows) & (column >= 0) & (column < grid.columns)
    out = np.full(len(places_m), missing, cells.dtype)
    out[inside] = cells[row[inside], column[inside]]
    return out


def _residual_m(
    samples: Samples, free: npt.NDArray[np.bool_], falls: Edges, shift_m: Array
) -> float | None:
    """Median distance of the shifted outline from the falls beside it, where enough have one."""
    away = np.abs(offsets_m(samples, falls, shift_m, EDGE_REACH_M)[free])
    there = np.isfinite(away)
    if there.sum() < max(4, LEAST_EDGES * len(away)):
        return None
    return float(np.median(away[there]))


def _covariances(found: Sequence[_Found]) -> Array:
    flat = np.array([one.covariance_m2 for one in found])
    return flat[:, [0, 1, 1, 2]].reshape(-1, 2, 2)


def _building(footprint: Footprint, found: _Found, expected_sigma_m: float) -> Building:
    if found.seen_fraction == 0 or (found.own_sigma_m is None and expected_sigma_m > UNSURE_M):
        alignment = Alignment(
            shift_m=(0.0, 0.0), sigma_m=UNSURE_M, residual_m=None, source=ShiftSource.NONE
        )
        return Building(
            footprint=footprint, alignment=alignment, polygons_m=footprint.polygons_m
        )
    is_own = found.own_sigma_m is not None and found.own_sigma_m <= OWN_SURE_M
    xx, _, yy = found.covariance_m2
    alignment = Alignment(
        shift_m=found.shift_m,
        sigma_m=float(np.sqrt((xx + yy) / 2)),
        residual_m=found.residual_m if is_own else None,
        source=ShiftSource.OWN if is_own else ShiftSource.NEIGHBOURS,
    )
    moved = shifted(footprint.polygons_m, alignment.shift_m)
    return Building(footprint=footprint, alignment=alignment, polygons_m=moved)


def _notes(buildings: Sequence[Building]) -> tuple[str, ...]:
    """How many lie off the map, and whether shifts come near the farthest that is sought."""
    off = sum(b.alignment.source is ShiftSource.NONE for b in buildings)
    own = [b.alignment.shift_m for b in buildings if b.alignment.source is ShiftSource.OWN]
    notes = []
    if off:
        notes.append(f"{off:,} of {len(buildings):,} buildings lie off the map and were not moved")
    if own and float(np.median(np.hypot(*np.array(own).T))) > 0.75 * REACH_M:
        notes.append(
            f"outlines lie more than {0.75 * REACH_M:g} m off, and only {REACH_M:g} m are searched: "
            "check their CRS and datum"
        )
    return tuple(notes)
