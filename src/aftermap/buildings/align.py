"""Footprints, surface and orthophoto -> every building where the map shows it, and how surely.

Footprints lie a metre or more off, each district in its own way. First every outline is tried at
all shifts; from the buildings that match, the neighbours' word on every shift is made
(:mod:`aftermap.buildings.shifts`); then every outline is tried again, its own edges weighed against
that word. A collapsed building has few edges left, so its neighbours decide.
docs/reference/footprints.md.
"""

from collections.abc import Sequence
from functools import partial
from math import hypot

import numpy as np
import shapely

from aftermap.buildings.neighbourhood import (
    PARTY_M,
    REACH_M,
    Neighbourhood,
    ShiftEstimate,
    placed_in,
)
from aftermap.buildings.outline_repair import counted
from aftermap.buildings.shifts import Expected, expected
from aftermap.geo.arrays import Array, ObjectArray
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
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Executor, Workspace

BLOCK_M = 200.0
"""Side of a neighbourhood that is read at once."""
OWN_SURE_M = 0.5
"""An outline that its own edges place so surely is placed by them; neighbours only help."""
EXPECTED_SURE_M = 2.0
"""Less sure than this, nobody near has matched, and nothing is expected."""
OUTLINED_SURE_M = 0.5
"""How surely an outline drawn in pictures lies on the map that was made of those pictures."""
UNSURE_M = 5.0
"""Sigma of a shift of which nothing is known."""
FAR_FRACTION = 0.75


def aligned_buildings(
    footprints: FootprintSet,
    elevation: Elevation,
    orthophoto: Orthophoto,
    files: Workspace,  # noqa: ARG001 - every stage is handed one
    executor: Executor,
) -> Buildings:
    """The buildings, each outline moved onto what the map shows, in the order of the footprints."""
    outlines = [footprint.polygons_m for footprint in footprints.footprints]
    if not outlines:
        return Buildings(
            crs=footprints.crs, buildings=(), skipped=footprints.skipped, notes=footprints.notes
        )
    shapes = np.array([shape_of(outline) for outline in outlines], object)
    places_m = shapely.get_coordinates(shapely.centroid(shapes))
    work = partial(placed_in, elevation=elevation, orthophoto=orthophoto)

    first = _place_all(outlines, shapes, places_m, None, work, executor)
    field = expected(
        places_m,
        np.array([one.edges_sigma_m is not None for one in first]),
        np.array([one.shift_m for one in first]),
        np.array([one.covariance_m2 for one in first])[:, [0, 1, 1, 2]].reshape(-1, 2, 2),
    )
    second = _place_all(outlines, shapes, places_m, field, work, executor)

    sure_m = np.sqrt(np.trace(field.covariance_m2, axis1=1, axis2=2) / 2).tolist()
    buildings = tuple(
        _building(footprint, placed, expected_sigma_m, _unknown_sigma_m(footprints))
        for footprint, placed, expected_sigma_m in zip(
            footprints.footprints, second, sure_m, strict=True
        )
    )
    return Buildings(
        crs=footprints.crs,
        buildings=buildings,
        skipped=footprints.skipped,
        notes=(*footprints.notes, *_notes(footprints.file_name, buildings)),
    )


def buildings_as_outlined(footprints: FootprintSet) -> Buildings:
    """The buildings where their footprints are: those were found on the map itself."""
    found = Alignment(
        shift_m=(0.0, 0.0), sigma_m=OUTLINED_SURE_M, residual_m=None, source=ShiftSource.OWN
    )
    return Buildings(
        crs=footprints.crs,
        buildings=tuple(
            Building(footprint=one, alignment=found, polygons_m=one.polygons_m)
            for one in footprints.footprints
        ),
        skipped=footprints.skipped,
        notes=footprints.notes,
    )


def _place_all(
    outlines: Sequence[tuple[Polygon, ...]],
    shapes: ObjectArray,
    places_m: Array,
    field: Expected | None,
    work: "partial[list[ShiftEstimate]]",
    executor: Executor,
) -> list[ShiftEstimate]:
    """Every outline placed, block by block; in the order of the outlines."""
    tree = shapely.STRtree(shapes)
    groups = neighbourhoods(places_m, BLOCK_M)
    items = []
    for group in groups:
        west, south, east, north = shapely.total_bounds(shapes[group])
        margin = 2 * PARTY_M
        around = shapely.box(west - margin, south - margin, east + margin, north + margin)
        beside = np.setdiff1d(tree.query(around), group)
        items.append(
            Neighbourhood(
                outlines=tuple(outlines[i] for i in group),
                beside=tuple(outlines[i] for i in beside),
                centre_m=np.zeros((len(group), 2)) if field is None else field.shift_m[group],
                prior_m2=None if field is None else field.covariance_m2[group],
            )
        )
    label = "edges of footprints" if field is None else "footprints and their neighbours"
    found: dict[int, ShiftEstimate] = {}
    for group, answers in zip(groups, executor.map(work, items, label=label), strict=True):
        found.update(zip(group.tolist(), answers, strict=True))
    return [found[place] for place in range(len(outlines))]


def _unknown_sigma_m(footprints: FootprintSet) -> float:
    """Sigma of an outline that nothing places: its own, and that of its datum transformation."""
    transformation = footprints.transformation
    return UNSURE_M if transformation is None else hypot(UNSURE_M, transformation.wide_sigma_m)


def _building(
    footprint: Footprint, placed: ShiftEstimate, expected_sigma_m: float, unknown_sigma_m: float
) -> Building:
    is_own = placed.edges_sigma_m is not None and placed.edges_sigma_m <= OWN_SURE_M
    if placed.seen_fraction == 0 or (not is_own and expected_sigma_m > EXPECTED_SURE_M):
        nothing = Alignment(
            shift_m=(0.0, 0.0), sigma_m=unknown_sigma_m, residual_m=None, source=ShiftSource.NONE
        )
        return Building(footprint=footprint, alignment=nothing, polygons_m=footprint.polygons_m)
    east_m2, _, north_m2 = placed.covariance_m2
    alignment = Alignment(
        shift_m=placed.shift_m,
        sigma_m=float(np.sqrt((east_m2 + north_m2) / 2)),
        residual_m=placed.residual_m if is_own else None,
        source=ShiftSource.OWN if is_own else ShiftSource.NEIGHBOURS,
    )
    moved = shifted(footprint.polygons_m, alignment.shift_m)
    return Building(footprint=footprint, alignment=alignment, polygons_m=moved)


def _notes(file_name: str, buildings: Sequence[Building]) -> tuple[str, ...]:
    """How many were not moved, and whether shifts come near the farthest that is sought."""
    still = sum(b.alignment.source is ShiftSource.NONE for b in buildings)
    own = [b.alignment.shift_m for b in buildings if b.alignment.source is ShiftSource.OWN]
    notes = []
    if still:
        notes.append(
            f"{file_name}: {counted(still)} of {len(buildings):,} not shifted: they are not in "
            "the map, or no edges determine their shift"
        )
    if own and float(np.median(np.hypot(*np.array(own).T))) > FAR_FRACTION * REACH_M:
        notes.append(
            f"{file_name}: the median offset between footprints and map is over "
            f"{FAR_FRACTION * REACH_M:g} m, and the search reaches {REACH_M:g} m; check the CRS "
            "and datum of both"
        )
    return tuple(notes)
