"""Outlines in metres -> shapely's shapes and back, cells inside them, and groups of neighbours."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array, BoolArray, IntArray, ObjectArray
from aftermap.geo.ring import twice_signed_area
from aftermap.model.building import Polygon as Rings
from aftermap.model.raster import Grid

SMALLEST_LOBE = 1e-6
LINK = 1e-3
"""Of what a ring encloses: lobes with a smaller share are dropped, and how wide the others are
linked where they touch, as a share of the square root."""


def shape_of(polygons_m: Sequence[Rings]) -> MultiPolygon:
    """The shape that these rings bound."""
    return MultiPolygon([(rings[0], list(rings[1:])) for rings in polygons_m])


def polygons_of(shape: BaseGeometry) -> tuple[Rings, ...]:
    """The rings of all polygons in a shape; outer ones anticlockwise, courtyards clockwise."""
    parts = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, Polygon)]
    return tuple(
        tuple(_ring(ring.coords) for ring in (turned.exterior, *turned.interiors))
        for turned in (part.normalize().reverse() for part in parts if not part.is_empty)
    )


def shifted(polygons_m: Sequence[Rings], shift_m: tuple[float, float]) -> tuple[Rings, ...]:
    """The same rings, moved east and north."""
    east, north = shift_m
    return tuple(
        tuple(tuple((x + east, y + north) for x, y in ring) for ring in rings)
        for rings in polygons_m
    )


def simple_ring(ring_m: npt.ArrayLike) -> Array:
    """(N, 2) the ring anticlockwise, not closed, and simple (OGC 06-103r4, 6.1.11).

    The (M, 2) that is given may cross itself: what it encloses stays, and lobes that touch in one
    point are linked there. Empty where it encloses nothing.
    """
    ring = np.asarray(ring_m, float)
    if len(ring) < 3:
        return ring[:0]
    shape = Polygon(ring)
    if not shape.is_valid:
        whole = shapely.make_valid(shape, method="structure", keep_collapsed=False)
        parts = shapely.get_parts(whole)
        if whole.area == 0:
            return ring[:0]
        parts = _linked(parts[shapely.area(parts) > SMALLEST_LOBE * whole.area])
        largest = parts[shapely.area(parts).argmax()]
        ring = shapely.get_coordinates(largest.exterior)[:-1]
    return np.asarray(ring if twice_signed_area(ring) > 0 else ring[::-1], float)


def _linked(parts: ObjectArray) -> ObjectArray:
    """(N,) polygons; those that touch in a point are one, by a small square around the point."""
    if len(parts) == 1:
        return parts
    corners = [np.unique(shapely.get_coordinates(one), axis=0) for one in parts]
    places, count = np.unique(np.concatenate(corners), axis=0, return_counts=True)
    reach = LINK * float(np.sqrt(shapely.area(parts).sum()))
    squares = shapely.buffer(shapely.points(places[count > 1]), reach, quad_segs=1)
    return np.asarray(shapely.get_parts(shapely.union_all([*parts, *squares])), object)


def cells_inside(shape: BaseGeometry, grid: Grid) -> BoolArray:
    """(rows, columns) mask, True where the centre of a cell lies inside."""
    if shape.is_empty:
        return np.zeros((grid.rows, grid.columns), bool)
    transform = Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m)
    burnt = rasterize(
        [(shape, 1)], out_shape=(grid.rows, grid.columns), transform=transform, dtype="uint8"
    )
    return np.asarray(burnt, bool)


def neighbourhoods(places_m: npt.ArrayLike, size_m: float) -> list[IntArray]:
    """Indices of (N, 2) places by the square of ``size_m`` that they lie in, south-west first."""
    squares = np.floor(np.asarray(places_m, float).reshape(-1, 2) / size_m).astype(np.int64)
    found: dict[tuple[int, int], list[int]] = {}
    for index, (column, row) in enumerate(squares.tolist()):
        found.setdefault((row, column), []).append(index)
    return [np.array(found[key], np.int64) for key in sorted(found)]


def _ring(coords: Sequence[tuple[float, ...]]) -> tuple[tuple[float, float], ...]:
    ring = tuple((float(place[0]), float(place[1])) for place in coords)
    if not all(math.isfinite(value) for place in ring for value in place):
        raise ValueError("an outline has a coordinate that is not a number")
    return ring
