"""Shapes as people draw them -> areas that a building can stand on, or why they are none.

Everything is in metres of the map's CRS and works on whole arrays of shapes, so that a city's
outlines take a second or two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from aftermap.geo.arrays import BoolArray, ObjectArray

LEAST_AREA_M2 = 4.0
LEAST_WIDTH_M = 1.0
"""Below these it is a wall, a kiosk's shadow or the rest of a cut, and shows no roof."""
SAME_FRACTION = 0.9
"""Two outlines are the same where this share of their common ground is ground of both."""
ALIKE_FRACTION = 0.5
KINDS = {0: "a point", 1: "a line", 2: "a line", 4: "points", 5: "lines"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Cleaned:
    """(N,) areas, None where there is none; what is wrong by place in the array; what was done."""

    shapes: ObjectArray
    reasons: dict[int, str]
    notes: tuple[str, ...]


def valid_areas(shapes: ObjectArray) -> Cleaned:
    """Valid areas of (N,) flat shapes: crossings untangled, points and lines left out.

    The reasons are by index in ``shapes``.
    """
    reasons: dict[int, str] = {}
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    reasons |= dict.fromkeys(_places(missing), "has no outline, or one that is empty or broken")
    kinds = shapely.get_type_id(shapes)
    for kind, word in KINDS.items():
        reasons |= dict.fromkeys(_places((kinds == kind) & ~missing), f"is {word}, not a polygon")
    flat = shapes.copy()
    flat[missing] = None
    crossing = ~shapely.is_valid(flat) & np.isin(kinds, (3, 6, 7)) & ~missing
    flat[crossing] = shapely.make_valid(flat[crossing], method="structure", keep_collapsed=False)
    areas = np.array([None if i in reasons else _area(shape) for i, shape in enumerate(flat)], "O")
    for place in _places(np.array([shape is None for shape in areas], bool)):
        reasons.setdefault(place, "has no area")
    kept = np.array([shape is not None for shape in areas], bool)
    return Cleaned(shapes=areas, reasons=reasons, notes=_notes(crossing, kinds == 7, kept))


def too_small(shapes: ObjectArray) -> dict[int, str]:
    """Why outlines (none missing) are too small to be a building, by index in (N,)."""
    areas = shapely.area(shapes)
    reasons = {
        place: f"is a sliver of {areas[place]:.1f} m2; less than {LEAST_AREA_M2:g} m2 shows no roof"
        for place in _places(areas < LEAST_AREA_M2)
    }
    # 2 A / P is the width of a long strip and never more than that of the widest place.
    doubtful = np.flatnonzero(2 * areas / np.maximum(shapely.length(shapes), 1e-9) < LEAST_WIDTH_M)
    thin = shapely.is_empty(shapely.buffer(shapes[doubtful], -LEAST_WIDTH_M / 2, quad_segs=2))
    for place in doubtful[thin].tolist():
        reasons.setdefault(place, f"is a sliver, nowhere {LEAST_WIDTH_M:g} m wide")
    return reasons


def doubles(shapes: ObjectArray) -> tuple[dict[int, int], int]:
    """Outlines that repeat an earlier one, as later index -> first; and how many overlap.

    ``shapes`` (N,), none missing. Overlapping are those of which over half of the smaller one lies
    on another that is not the same.
    """
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    areas = shapely.area(shapes)
    common = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    united = areas[first] + areas[second] - common
    same = common >= SAME_FRACTION * united
    overlap = (common > ALIKE_FRACTION * np.minimum(areas[first], areas[second])) & ~same
    found: dict[int, int] = {}
    for one, other in zip(first[same].tolist(), second[same].tolist(), strict=True):
        if one not in found:
            found.setdefault(other, one)
    return found, int(overlap.sum())


def has_broken_coordinates(shapes: ObjectArray) -> BoolArray:
    """(N,) whether a shape has a coordinate that is no number; missing ones have none."""
    xy, index = shapely.get_coordinates(shapes, return_index=True)
    bad = np.zeros(len(shapes), bool)
    bad[index[~np.isfinite(xy).all(1)]] = True
    return bad


def _area(shape: shapely.Geometry) -> shapely.Geometry | None:
    """The areas of a shape as one; None where it holds none."""
    if shape.geom_type == "Polygon":
        return shape
    parts = [part for part in shapely.get_parts(shape) if not part.is_empty]
    areas = [part for part in parts if part.geom_type in ("Polygon", "MultiPolygon")]
    if not areas:
        return None
    if shape.geom_type == "MultiPolygon" and len(areas) == len(shape.geoms):
        return shape
    return areas[0] if len(areas) == 1 else shapely.union_all(areas)


def _notes(crossing: BoolArray, mixed: BoolArray, kept: BoolArray) -> tuple[str, ...]:
    told = (
        (crossing, "self-intersecting: repaired, the area kept"),
        (mixed, "of mixed geometry: only polygons were kept"),
    )
    return tuple(
        f"{counted(int((which & kept).sum()))} {what}"
        for which, what in told
        if (which & kept).any()
    )


def counted(count: int, noun: str = "outline") -> str:
    """A number with its noun: "1 outline", "25,000 outlines"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _places(which: Sequence[bool] | BoolArray) -> list[int]:
    return [int(place) for place in np.flatnonzero(which)]
