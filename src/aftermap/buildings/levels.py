"""A building's outline and the surface around it -> its ground, its roof, and spots on both.

Heights are measured ones: a filled height is none. Roof spots lie inside the outline on the
surface; wall spots stand a little before each wall, at two heights between the ground and the roof.
World axes are east, north, up in metres.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely import MultiPolygon

from aftermap.geo.arrays import Array, Float32Array, IntArray
from aftermap.geo.grid import rowcol_of
from aftermap.geo.low_ground import without_holes
from aftermap.geo.march import HeightWindow, Spots
from aftermap.geo.polygon import shape_of
from aftermap.model.building import Polygon
from aftermap.model.raster import Grid

ROOF, NORTH, EAST, SOUTH, WEST = range(5)
PARTS = 5
"""Parts of a building: its roof, and the walls that face each way."""

ROOF_SPOTS_PER_SIDE = 6
WALL_SPOTS = 16
WALL_SHARES = (0.35, 0.75)
"""How high wall spots stand, as a share of the height of the roof."""
LEAST_WALL_M = 1.0
"""Of a building that lies flat, this much is still looked at from the side."""
BEFORE_WALL_M = 0.75
AROUND_M = (1.5, 3.0, 5.0)
GROUND_PERCENT = 15.0
ROOF_PERCENT = 80.0


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The ground around a building and its roof as it stands; NaN where neither was measured."""

    ground_m: float
    roof_m: float

    @property
    def height_m(self) -> float:
        """The roof above the ground."""
        return self.roof_m - self.ground_m


@dataclass(frozen=True, kw_only=True)
class LevelledBuilding:
    """A building on the surface: its levels, its middle, and the spots that are looked for."""

    levels: Levels
    middle_m: Array
    place_m: Array
    normal: Array
    part: IntArray


def on_low_ground(heights: Float32Array, grid: Grid, *, otherwise_m: float) -> HeightWindow:
    """Heights without holes: what was not measured lies on the low ground and hides nothing.

    ``heights`` (rows, columns) are metres in the map's CRS, NaN where not measured; ``otherwise_m``
    is for a window without any.
    """
    whole, low = without_holes(heights, grid.cell_m, otherwise_m=otherwise_m)
    return HeightWindow(
        height_m=whole, west_m=grid.east_m, north_m=grid.north_m, cell_m=grid.cell_m, outside_m=low
    )


def levels_of(shape: MultiPolygon, heights: Float32Array, grid: Grid) -> Levels:
    """Ground and roof of an outline.

    ``heights`` (rows, columns) is a window of heights in metres, NaN where there are none.
    """
    inside = _finite(heights_at(_inside(shape), heights, grid))
    around = [shapely.get_coordinates(_spaced(shape.buffer(far), 24)) for far in AROUND_M]
    ground = _finite(heights_at(np.concatenate(around), heights, grid))
    ground_m = float(np.percentile(ground, GROUND_PERCENT)) if len(ground) else math.nan
    roof_m = float(np.percentile(inside, ROOF_PERCENT)) if len(inside) else math.nan
    return Levels(ground_m=ground_m, roof_m=roof_m)


def placed_on(
    polygons_m: Sequence[Polygon], heights: Float32Array, grid: Grid, low_m: float
) -> LevelledBuilding:
    """A building on the surface; where nothing was measured it lies flat at ``low_m``.

    ``heights`` (rows, columns) is a window of heights in metres, NaN where there are none.
    """
    shape = shape_of(polygons_m)
    levels = levels_of(shape, heights, grid)
    ground = levels.ground_m if math.isfinite(levels.ground_m) else low_m
    roof = levels.roof_m if math.isfinite(levels.roof_m) else ground
    on_roof = _inside(shape)
    roof_z = heights_at(on_roof, heights, grid)
    roof_z = np.where(np.isfinite(roof_z), roof_z, roof)
    walls, normals = _walls(shape)
    tall = max(roof - ground, LEAST_WALL_M)
    place = [np.column_stack([on_roof, roof_z])]
    place += [np.column_stack([walls, np.full(len(walls), ground + s * tall)]) for s in WALL_SHARES]
    facing = _facing(normals)
    return LevelledBuilding(
        levels=Levels(ground_m=ground, roof_m=roof),
        middle_m=np.array([*on_roof.mean(axis=0), roof]),
        place_m=np.concatenate(place),
        normal=np.concatenate([np.zeros((len(on_roof), 3)), normals, normals]),
        part=np.concatenate([np.full(len(on_roof), ROOF), facing, facing]),
    )


def spots_of(placed: Sequence[LevelledBuilding]) -> Spots:
    """The spots of several buildings, one building after the other."""
    sizes = [len(one.place_m) for one in placed]
    return Spots(
        place_m=np.concatenate([one.place_m for one in placed]),
        normal=np.concatenate([one.normal for one in placed]),
        part=np.concatenate([one.part for one in placed]).astype(np.int64),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        parts=PARTS,
    )


def heights_at(xy_m: npt.ArrayLike, heights: Float32Array, grid: Grid) -> Array:
    """(N,) the height of the cell that each of (N, 2) places lies in; NaN beyond the window."""
    rowcol = np.floor(rowcol_of(grid, xy_m)).astype(np.int64)
    row, column = rowcol[:, 0], rowcol[:, 1]
    within = (row >= 0) & (row < grid.rows) & (column >= 0) & (column < grid.columns)
    found = np.full(len(rowcol), np.nan)
    found[within] = heights[row[within], column[within]]
    return found


def _inside(shape: MultiPolygon) -> Array:
    """Places spread evenly over an outline; a place of its own where it is too thin for any."""
    west, south, east, north = shape.bounds
    steps = (np.arange(ROOF_SPOTS_PER_SIDE) + 0.5) / ROOF_SPOTS_PER_SIDE
    x, y = np.meshgrid(west + steps * (east - west), south + steps * (north - south))
    found = np.column_stack([x.ravel(), y.ravel()])
    found = found[shapely.contains_xy(shape, found)]
    if len(found) == 0:
        found = shapely.get_coordinates(shape.representative_point())
    return np.asarray(found, float)


def _walls(shape: MultiPolygon) -> tuple[Array, Array]:
    """(N, 2) places before the outer walls, evenly along them, and (N, 3) the way each faces."""
    places, normals = [], []
    whole = sum(part.exterior.length for part in shape.geoms)
    for part in shape.geoms:
        ring = part.exterior if part.exterior.is_ccw else part.exterior.reverse()
        corners = shapely.get_coordinates(ring)
        along = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        ends = np.cumsum(along)
        count = max(4, round(WALL_SPOTS * ring.length / whole))
        at = (np.arange(count) + 0.5) / count * ends[-1]
        edge = np.minimum(np.searchsorted(ends, at), len(along) - 1)
        step = np.diff(corners, axis=0)[edge] / np.maximum(along[edge], 1e-9)[:, None]
        outwards = np.column_stack([step[:, 1], -step[:, 0]])
        on_wall = corners[edge] + step * (at - ends[edge] + along[edge])[:, None]
        places.append(on_wall + BEFORE_WALL_M * outwards)
        normals.append(np.column_stack([outwards, np.zeros(count)]))
    return np.concatenate(places), np.concatenate(normals)


def _facing(normals: Array) -> IntArray:
    """(N,) which of the four walls each normal belongs to."""
    quarter = np.round(np.degrees(np.arctan2(normals[:, 0], normals[:, 1])) / 90).astype(int) % 4
    return np.asarray(np.array([NORTH, EAST, SOUTH, WEST])[quarter], np.int64)


def _spaced(shape: shapely.Geometry, count: int) -> shapely.Geometry:
    """So many points along the outer border of a shape."""
    border = shapely.get_parts(shape)
    longest = max(border, key=lambda part: part.exterior.length).exterior
    at = np.arange(count) / count
    return shapely.line_interpolate_point(longest, at, normalized=True)


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]
