"""Footprints -> lines along the middle of the space between them, where no street lines are given.

The middle between two outlines is where the cells of a Voronoi diagram of places along them meet
(Lee, "Medial axis transformation of a planar shape", IEEE PAMI 4(4), 1982). What is narrower than a
car, wider than a square, or shorter than ``SHORTEST_M`` is no street here, nor is a yard.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import QhullError, Voronoi
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array, IntArray, ObjectArray
from aftermap.model.street import CAR_M, OWN_LINE, Street
from aftermap.streets.through import leading_through

SPACING_M = 1.5
SQUARE_M = 300.0
WIDEST_M = 20.0
SHORTEST_M = 15.0
SMOOTH_M = 0.4


@dataclass(frozen=True, kw_only=True)
class SpaceLines:
    """Lines along the middle of the space between footprints.

    ``streets`` lead through, from open ground to open ground; their ``source_id`` counts them from
    ``own-1``. ``yards`` do not: they are yards and dead ends, and no streets.
    """

    streets: tuple[Street, ...] = ()
    yards: tuple[Street, ...] = ()


def streets_between(shapes: Sequence[BaseGeometry]) -> SpaceLines:
    """Lines between the footprints, and which of them may be streets."""
    if len(shapes) < 2:
        return SpaceLines()
    places, owner = _places_along(shapes)
    edges = []
    for low in _squares_near(places):
        near = ((places > low - WIDEST_M) & (places < low + SQUARE_M + WIDEST_M)).all(1)
        edges.append(_edges_between(places[near], owner[near], low))
    drawn = shapely.linestrings(np.concatenate(edges))
    lines = shapely.get_parts(shapely.line_merge(shapely.union_all(drawn)))
    through = leading_through(lines, _closed_ground(shapes))
    return SpaceLines(
        streets=_streets(lines[through], OWN_LINE), yards=_streets(lines[~through], "yard")
    )


def _closed_ground(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    """The buildings and all ground between them that no circle as wide as a square reaches."""
    wide = WIDEST_M / 2
    return shapely.buffer(shapely.union_all(shapely.buffer(list(shapes), wide)), -wide)


def _streets(lines: ObjectArray, name: str) -> tuple[Street, ...]:
    """Lines that follow on joined to one, where they are long enough then."""
    joined = shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))
    long = [
        shapely.simplify(line, SMOOTH_M) for line in joined if shapely.length(line) >= SHORTEST_M
    ]
    return tuple(
        Street(
            source_id=f"{name}-{number}",
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


def _squares_near(places: Array) -> Array:
    """(K, 2) lower left corners of the squares that reach as far as the middle of a street."""
    reach = np.array([-0.5, 0.0, 0.5]) * WIDEST_M
    around = np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 1, 2)
    return np.asarray(np.unique(np.floor((places + around) / SQUARE_M).reshape(-1, 2), axis=0)) * (
        SQUARE_M
    )


def _edges_between(places: Array, owner: IntArray, low: Array) -> Array:
    """(E, 2, 2) edges halfway between two different owners, their middles in a square."""
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
    inside = ((middle >= low) & (middle < low + SQUARE_M)).all(1)
    return np.asarray(edges[wide & inside].round(3))
