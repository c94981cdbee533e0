"""Buildings, the surface and the orthophoto -> what is measured of each building, as a table.

Buildings are taken by squares of ``SQUARE_M``. One window of every raster is read for a square,
and memory holds no more than that. Every measure has one sigma beside it; NaN (null in the table)
is not known. Measures are in metres or shares of one; docs/reference/measures.md says what
each is.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.spatial import cKDTree
from shapely import STRtree
from shapely import box as rectangle
from shapely.geometry.base import BaseGeometry

from aftermap.assessment.before import height_change, picture_change, raster_at_cells
from aftermap.assessment.cells import Cells, Pixels, cells_over, pixels_over
from aftermap.assessment.excess import add_excesses
from aftermap.assessment.holes import hole_measures
from aftermap.assessment.losses import loss_measures
from aftermap.assessment.names import MEASURES, NamedValues
from aftermap.assessment.order import middle_of
from aftermap.assessment.roof import cells_on_roof, planes_of_roof, roof_measures, whole_measures
from aftermap.assessment.roof_planes import Planes
from aftermap.assessment.roof_texture import (
    LEAST_PIXELS,
    RoofPicture,
    broken_texture,
    looks_of,
    mask_at_cells,
    roof_picture,
    texture_measures,
)
from aftermap.assessment.rubble import apron_measures
from aftermap.assessment.site import BuildingSite, cut_to, site_of
from aftermap.assessment.standing_walls import wall_measures
from aftermap.geo.arrays import Float32Array
from aftermap.geo.polygon import neighbourhoods, shape_of
from aftermap.model.assessment import Before
from aftermap.model.building import Building, Buildings, MeasureTable
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Executor, Workspace

SQUARE_M = 200.0
MARGIN_M = 13.0
PICTURE_MARGIN_M = 2.0
STOREY_M = 3.1
NEAR_BUILDINGS_M = 45.0
SUNK_M = (2.5, 4.5)
"""Heights of a top at which a broken building is a heap for sure, and is none any more."""
SUNK_BESIDE = 1.2
"""Share of the neighbours' height from which on a building has not sunk beside them."""
LEAST_M2 = 3.0
"""Roof that must be measured before anything is said about its shape."""

FROM_PLANES: tuple[Callable[[BuildingSite, Planes], NamedValues], ...] = (
    roof_measures,
    loss_measures,
)
"""What is measured of the heights and of the planes that the roof was found to have."""
FROM_HEIGHTS: tuple[Callable[[BuildingSite], NamedValues], ...] = (
    apron_measures,
    wall_measures,
)
"""What is measured of the heights alone, of one building and the ground around it."""
FROM_PICTURE: tuple[Callable[[RoofPicture, BuildingSite], NamedValues], ...] = (hole_measures,)
"""What is measured of the roof in the orthophoto, where it shows enough of it."""


@dataclass(frozen=True, kw_only=True)
class _Square:
    """Buildings to be measured, and all that stand in their window (the former come first)."""

    own: tuple[int, ...]
    shapes: tuple[BaseGeometry, ...]
    box: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Rasters:
    """The map that is measured on, and the place before the damage where it is known."""

    elevation: Elevation
    orthophoto: Orthophoto
    before: Before | None = None


def measure_buildings(
    buildings: Buildings,
    elevation: Elevation,
    orthophoto: Orthophoto,
    before: Before | None,
    files: Workspace,
    executor: Executor,
) -> MeasureTable:
    """Measure every building and write ``measures.parquet``: one row for each, in their order.

    Buildings that no cell of the map covers have a row as well: ``measured_fraction`` is then 0 and
    all that was to be measured is null.
    """
    squares = _squares(buildings)
    work = partial(
        _measure_square,
        rasters=Rasters(elevation=elevation, orthophoto=orthophoto, before=before),
    )
    rows: list[NamedValues] = [{} for _ in buildings.buildings]
    for square, found in zip(squares, executor.map(work, squares, label="measuring"), strict=True):
        for index, row in zip(square.own, found, strict=True):
            rows[index] = row
    in_context(buildings.buildings, rows)
    add_excesses(rows)
    return _write_table(rows, files)


def _squares(buildings: Buildings) -> list[_Square]:
    """The buildings by squares of ground, each with what else stands in its window."""
    if not buildings.buildings:
        return []
    shapes = [shape_of(one.polygons_m) for one in buildings.buildings]
    middles = [((s.bounds[0] + s.bounds[2]) / 2, (s.bounds[1] + s.bounds[3]) / 2) for s in shapes]
    tree = STRtree(shapes)
    squares = []
    for own in neighbourhoods(middles, SQUARE_M):
        bounds = np.array([shapes[k].bounds for k in own])
        low, high = bounds[:, :2].min(0) - MARGIN_M, bounds[:, 2:].max(0) + MARGIN_M
        area = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        near = tree.query(rectangle(*area))
        others = sorted(set(near.tolist()) - set(own.tolist()))
        squares.append(
            _Square(
                own=tuple(own.tolist()),
                box=area,
                shapes=tuple(shapes[k] for k in (*own.tolist(), *others)),
            )
        )
    return squares


def _measure_square(square: _Square, *, rasters: Rasters) -> list[NamedValues]:
    cells = cells_over(rasters.elevation, square.box, square.shapes)
    less = MARGIN_M - PICTURE_MARGIN_M
    west, south, east, north = square.box
    pixels = pixels_over(
        rasters.orthophoto,
        rasters.elevation,
        (west + less, south + less, east - less, north - less),
        square.shapes,
    )
    earlier = None
    if rasters.before is not None and rasters.before.surface is not None:
        earlier = raster_at_cells(
            rasters.before.surface, cells.grid, cells.grid.crs, rasters.before.surface_confidence
        )[0]
    return [
        _measure(cells, pixels, shape, place, (square.own[place], rasters.before, earlier))
        for place, shape in enumerate(square.shapes[: len(square.own)])
    ]


def _measure(
    cells: Cells,
    pixels: Pixels,
    shape: BaseGeometry,
    place: int,
    with_before: tuple[int, Before | None, Float32Array | None],
) -> NamedValues:
    """All measures of one building by name."""
    index, before, earlier = with_before
    site = site_of(cells, shape, place)
    found = _visible(site)
    if site.used.sum() * site.cell_area_m2 < LEAST_M2 or not math.isfinite(site.ground_m):
        return found
    picture = roof_picture(pixels, shape, place)
    planes = planes_of_roof(site, index)
    for roof_measures_of in FROM_PLANES:
        found |= roof_measures_of(site, planes)
    for measures_of in FROM_HEIGHTS:
        found |= measures_of(site)
    if picture.inner.sum() >= LEAST_PIXELS:
        looks = looks_of(picture)
        broken = mask_at_cells(site.grid, looks.picture.grid, broken_texture(looks))
        on_roof = cells_on_roof(site, planes)
        found |= whole_measures(site, on_roof, broken, found["roof_height_m"][0])
        found |= texture_measures(looks)
        for picture_measures_of in FROM_PICTURE:
            found |= picture_measures_of(picture, site)
    if earlier is not None:
        found |= height_change(site, cut_to(site.grid, cells.grid, earlier))
    if before is not None and before.orthophoto is not None:
        found |= picture_change(
            picture, before.orthophoto, cells.grid.crs, before.orthophoto_confidence
        )
    return found


def _visible(site: BuildingSite) -> NamedValues:
    """Which share of the footprint is measured, filled and empty, and by how many photographs."""
    inside = site.outline
    total = max(1, int(inside.sum()))
    measured_cells = inside & site.cells.measured
    empty = inside & ~site.cells.measured & ~site.cells.filled
    shares = measured_cells.sum() / total, empty.sum() / total
    if not inside.any():
        shares = 0.0, 1.0
    counts = site.cells.photographs[measured_cells]
    return {
        "measured_fraction": (float(shares[0]), 0.0),
        "filled_fraction": (float(1 - shares[0] - shares[1]), 0.0),
        "empty_fraction": (float(shares[1]), 0.0),
        "photographs": (middle_of(counts) if len(counts) else 0.0, 0.0),
    }


def in_context(buildings: Sequence[Building], rows: Sequence[NamedValues]) -> None:
    """Add to every row how high its roof is beside its neighbours' and its own storeys."""
    tops = np.array([row.get("roof_height_m", (math.nan,))[0] for row in rows])
    whole = np.array([row.get("plane_fraction", (0.0,))[0] for row in rows]) > 0.6
    middles = np.array(
        [shape_of(one.polygons_m).centroid.coords[0] for one in buildings], float
    ).reshape(-1, 2)
    standing = np.flatnonzero(whole & np.isfinite(tops))
    tree = cKDTree(middles[standing]) if len(standing) else None
    for index, (one, row) in enumerate(zip(buildings, rows, strict=True)):
        if "height_m" not in row:
            continue
        around = [] if tree is None else tree.query_ball_point(middles[index], NEAR_BUILDINGS_M)
        others = [k for k in standing[around] if k != index]
        if len(others) >= 3:
            typical = float(np.median(tops[others]))
            spread = float(np.std(tops[others])) / max(typical, 1.0)
            row["neighbour_height_fraction"] = row["height_m"][0] / max(typical, 1.0), spread
        row.update(_sunk(row))
        expected = _expected_height_m(one, row)
        if expected is not None:
            loss = 1 - row["height_m"][0] / expected
            sigma = math.hypot(0.25 * STOREY_M, row["height_m"][1]) / expected
            row["height_loss_fraction"] = loss, sigma


def _sunk(row: Mapping[str, tuple[float, float]]) -> NamedValues:
    """The broken share, weighed by how low the building lies: on the ground, beside neighbours.

    A low roof is no damage, and a broken one may be a hole; low and broken is a heap.
    """
    if "broken_fraction" not in row:
        return {}
    broken, sigma = row["broken_fraction"]
    low = min(max((SUNK_M[1] - row["roof_height_m"][0]) / (SUNK_M[1] - SUNK_M[0]), 0.0), 1.0)
    found = {"sunk_fraction": (broken * low, sigma)}
    if "neighbour_height_fraction" in row:
        lower = min(max(SUNK_BESIDE - row["neighbour_height_fraction"][0], 0.0), 1.0)
        found["sunk_beside_fraction"] = (broken * lower, sigma)
    return found


def _expected_height_m(one: Building, row: Mapping[str, tuple[float, float]]) -> float | None:
    """What the roof's height was: from the surface of earlier, or else from the storeys."""
    earlier = row.get("before_height_m", (math.nan, math.nan))[0]
    if math.isfinite(earlier) and earlier > STOREY_M / 2:
        return earlier
    if one.footprint.levels is not None and one.footprint.levels > 0:
        return STOREY_M * one.footprint.levels
    return None


def _write_table(rows: Sequence[NamedValues], files: Workspace) -> MeasureTable:
    names = [one.name for one in MEASURES if any(one.name in row for row in rows)]
    columns: dict[str, pa.Array] = {"building": pa.array(range(len(rows)), pa.int32())}
    for name in names:
        pairs = [row.get(name, (math.nan, math.nan)) for row in rows]
        for column, values in (
            (name, [pair[0] for pair in pairs]),
            (f"{name}_sigma", [pair[1] for pair in pairs]),
        ):
            known = [value if math.isfinite(value) else None for value in values]
            columns[column] = pa.array(known, pa.float32())
    with files.writing("measures.parquet") as path:
        pq.write_table(pa.table(columns), path, compression="zstd")
    return MeasureTable(path=str(files.path("measures.parquet")), names=tuple(names))
