"""Lines of streets -> pieces of ten metres with the places across them, in metres of the map.

A piece is looked at along its line: ``along`` runs with the line and beyond both ends of the
piece, ``across`` to its left. Where the line bends, the places across turn with it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely.ops import substring

from aftermap.geo.arrays import Array, BoolArray
from aftermap.model.street import Line, Street

PIECE_M = 10.0
STEP_M = 0.2
"""Along a line; across it, places lie half as far apart."""
ACROSS_M = 0.1
CONTEXT_M = 40.0
"""So much of the line before and after a piece tells where the street's own ground is."""
TURN_M = 3.0
"""Directions are taken over this length, so that a kink in a line does not fold the places."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Ten metres of a line: ``number`` counts along it from 0. ``axis_m`` is that part alone.

    ``middle_m`` (S, 2) are places along it every ``STEP_M`` with the context, ``forward`` (S, 2)
    the direction there; ``own`` (S,) says which lie in the piece.
    """

    source_id: str
    name: str | None
    number: int
    width_m: float | None
    axis_m: Array
    middle_m: Array
    forward: Array
    own: BoolArray

    @property
    def length_m(self) -> float:
        """Along the line."""
        return float(np.hypot(*np.diff(self.axis_m, axis=0).T).sum())

    @property
    def centre_m(self) -> Array:
        """(2,) the place in its middle."""
        return np.asarray(self.middle_m[self.own].mean(0))


def pieces_of(street: Street) -> list[Piece]:
    """Every piece of a street; a rest of less than half a piece goes with the one before it."""
    found: list[Piece] = []
    for line in street.lines_m:
        found += _pieces_along(street, line, len(found))
    return found


def places_across(piece: Piece, half_m: float) -> tuple[Array, Array]:
    """(S, T, 2) places over the street, and (T,) how far left of the line they are."""
    count = math.ceil(half_m / ACROSS_M)
    across = np.asarray((np.arange(-count, count) + 0.5) * ACROSS_M, np.float64)
    left = np.stack([-piece.forward[:, 1], piece.forward[:, 0]], -1)
    return piece.middle_m[:, None] + across[None, :, None] * left[:, None], across


def _pieces_along(street: Street, line: Line, first: int) -> list[Piece]:
    shape = shapely.LineString(line)
    length = float(shape.length)
    count = max(1, int(length / PIECE_M + 0.5))
    ends = [*(PIECE_M * k for k in range(count)), length]
    return [
        _piece(street, shape, first + k, start, end)
        for k, (start, end) in enumerate(pairwise(ends))
        if end - start > STEP_M
    ]


def _piece(
    street: Street, shape: shapely.LineString, number: int, start: float, end: float
) -> Piece:
    low, high = max(0.0, start - CONTEXT_M), min(float(shape.length), end + CONTEXT_M)
    along = np.arange(low + STEP_M / 2, high, STEP_M)
    before = _places(shape, np.clip(along - TURN_M / 2, 0, shape.length))
    after = _places(shape, np.clip(along + TURN_M / 2, 0, shape.length))
    run = after - before
    axis = substring(shape, start, end)
    return Piece(
        source_id=street.source_id,
        name=street.name,
        number=number,
        width_m=street.width_m,
        axis_m=shapely.get_coordinates(axis),
        middle_m=_places(shape, along),
        forward=run / np.maximum(np.hypot(*run.T), 1e-9)[:, None],
        own=(along >= start) & (along < end),
    )


def _places(shape: shapely.LineString, along: Sequence[float] | Array) -> Array:
    places = shapely.get_coordinates(shapely.line_interpolate_point(shape, along))
    return np.asarray(places, np.float64)
