"""Footprints -> lines along the middle of the space between them, where no street lines are given.

The middle between two outlines is where the cells of a Voronoi diagram of places along them meet
(Lee, "Medial axis transformation of a planar shape", IEEE PAMI 4(4), 1982). What is narrower than a
car, wider than a square, or shorter than ``SHORTEST_M`` is no street here.
"""

from collections.abc import Sequence

import numpy as np
import shapely
from scipy.spatial import QhullError, Voronoi
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array, IntArray
from aftermap.geo.polygon import neighbourhoods
from aftermap.model.street import CAR_M, Street

SPACING_M = 1.5
SQUARE_M = 300.0
WIDEST_M = 20.0
SHORTEST_M = 15.0
SMOOTH_M = 0.4


def streets_between(shapes: Sequence[BaseGeometry]) -> tuple[Street, ...]:
    """Lines between the footprints; ``source_id`` counts them from ``own-1``."""
    if len(shapes) < 2:
        return ()
    places, owner = _places_along(shapes)
    edges = []
    for square in neighbourhoods(places, SQUARE_M):
        low, high = places[square].min(0), places[square].max(0)
        near = ((places > low - WIDEST_M) & (places < high + WIDEST_M)).all(1)
        edges.append(_edges_between(places[near], owner[near], low, high))
    lines = shapely.line_merge(shapely.union_all(shapely.linestrings(np.concatenate(edges))))
    long = [
        shapely.simplify(line, SMOOTH_M)
        for line in shapely.get_parts(lines)
        if shapely.length(line) >= SHORTEST_M
    ]
    return tuple(
        Street(
            source_id=f"own-{number}",
            feature=number - 1,
            lines_m=(tuple((float(x), float(y)) for x, y in shapely.get_coordinates(line)),),
        )
        for number, line in enumerate(long, start=1)
    )


def _places_along(shapes: Sequence[BaseGeometry]) -> tuple[Array, IntArray]:
    """(N, 2) places on the outlines and (N,) whose they are. Outlines that touch are one."""
    joined = shapely.get_parts(shapely.union_all(shapely.buffer(list(shapes), CAR_M / 4)))
    along = shapely.segmentize(shapely.boundary(joined), SPACING_M)
    return shapely.get_coordinates(along), np.repeat(
        np.arange(len(joined)), shapely.get_num_coordinates(along)
    )


def _edges_between(places: Array, owner: IntArray, low: Array, high: Array) -> Array:
    """(E, 2, 2) edges that begin in the box, halfway between two different owners."""
    nothing = np.zeros((0, 2, 2))
    places, first = np.unique(places.round(3), axis=0, return_index=True)
    owner = owner[first]
    if len(places) < 5:
        return nothing
    try:
        diagram = Voronoi(places)
    except QhullError:
        return nothing
    pairs, ends = diagram.ridge_points, np.array(diagram.ridge_vertices)
    kept = (ends >= 0).all(1) & (owner[pairs[:, 0]] != owner[pairs[:, 1]])
    pairs, edges = pairs[kept], diagram.vertices[ends[kept]]
    middle = edges.mean(1)
    clear = np.hypot(*(middle - places[pairs[:, 0]]).T)
    wide = (clear >= CAR_M / 4) & (clear <= WIDEST_M / 2)
    inside = ((middle >= low) & (middle <= high)).all(1)
    return np.asarray(edges[wide & inside].round(3))
