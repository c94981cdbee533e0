"""A building and the surface -> a cut through it, drawn: measured and filled heights, ground, roof.

The cut runs through the middle of the outline along its longer axis, from its west to its east end
(south to north where it runs due north), and some way beyond. Heights are exaggerated by nothing:
a metre up is as long as a metre along. The drawing is SVG, for screens and for paper.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import shapely
from shapely import MultiPolygon

from aftermap.buildings.lettering import compass
from aftermap.buildings.levels import heights_at
from aftermap.geo.arrays import Array, BoolArray
from aftermap.geo.measured_heights import LEAST_AGREEING
from aftermap.geo.polygon import shape_of
from aftermap.geo.windows import block_over, read_block, read_heights
from aftermap.model.building import Polygon
from aftermap.model.raster import Elevation

BEYOND_M = 6.0
WIDTH_PX, LEFT_PX, RIGHT_PX, TOP_PX, FOOT_PX = 720.0, 54.0, 16.0, 22.0, 74.0
LEAST_HIGH_M, MOST_PX = 6.0, 300.0
AIR_M = 1.5
MOST_SAMPLES = 1500


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Heights along a cut. ``along_m`` counts from its first end; NaN where nothing is known.

    ``is_measured`` tells heights that photographs agree on from those taken over from around them.
    ``walls_m`` are where the cut enters and leaves the outline, ``bearing_deg`` is where it runs
    to. ``expected_m`` is the height that the roof should have; None where nothing tells.
    """

    along_m: Array
    height_m: Array
    is_measured: BoolArray
    walls_m: tuple[float, ...]
    bearing_deg: float
    ground_m: float
    expected_m: float | None


def building_profile(
    polygons_m: Sequence[Polygon], elevation: Elevation, ground_m: float, expected_m: float | None
) -> Profile:
    """The cut through a building along its longer axis, in the cells of the surface."""
    shape = shape_of(polygons_m)
    start, end = _axis(shape)
    way = end - start
    length = float(np.linalg.norm(way))
    count = min(MOST_SAMPLES, max(2, math.ceil(length / elevation.surface.grid.cell_m) + 1))
    along = np.linspace(0, length, count)
    places = start + along[:, None] / length * way
    low, high = places.min(axis=0), places.max(axis=0)
    block = block_over(elevation.surface.grid, (low[0], low[1]), (high[0], high[1]))
    heights, grid = read_heights(elevation.surface, block)
    seen = block_over(elevation.confidence.grid, (low[0], low[1]), (high[0], high[1]))
    counts, counts_grid = read_block(elevation.confidence, seen)
    cut = shapely.LineString([start, end])
    crossed = shapely.get_coordinates(cut.intersection(shape.boundary))
    walls = np.unique(np.round(np.linalg.norm(crossed - start, axis=1), 2))
    return Profile(
        along_m=along,
        height_m=heights_at(places, heights, grid),
        is_measured=heights_at(places, counts[0].astype(np.float32), counts_grid) >= LEAST_AGREEING,
        walls_m=tuple(float(at) for at in walls),
        bearing_deg=math.degrees(math.atan2(way[0], way[1])) % 360,
        ground_m=ground_m,
        expected_m=expected_m,
    )


def drawing_of(profile: Profile, title: str) -> str:
    """The cut as an SVG file."""
    box = _Box.around(profile)
    parts = [_axis_lines(box), _surface(profile, box), _ground_line(box)]
    parts += [_expected_line(profile, box), _walls(profile, box), _ends(profile, box), _key(box)]
    width, height = WIDTH_PX, box.bottom_px + FOOT_PX
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:.0f}" '
        f'width="{width:g}" height="{height:.0f}" font-family="sans-serif" font-size="13" '
        f'role="img"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


@dataclass(frozen=True, kw_only=True)
class _Box:
    """Between metres and the drawing; heights count from the ground of the building.

    Measured heights say how high the drawing is, and filled ones are cut off at its edges.
    """

    px_per_m: float
    low_m: float
    high_m: float
    length_m: float

    @classmethod
    def around(cls, profile: Profile) -> "_Box":
        known = np.isfinite(profile.height_m)
        measured = known & profile.is_measured
        above = profile.height_m[measured if measured.any() else known] - profile.ground_m
        tops = [*above, 0.0, *([] if profile.expected_m is None else [profile.expected_m])]
        low, high = min(tops) - 0.5, max(max(tops) + AIR_M, LEAST_HIGH_M)
        length = float(profile.along_m[-1])
        scale = min((WIDTH_PX - LEFT_PX - RIGHT_PX) / length, MOST_PX / (high - low))
        return cls(px_per_m=scale, low_m=low, high_m=high, length_m=length)

    @property
    def bottom_px(self) -> float:
        return TOP_PX + (self.high_m - self.low_m) * self.px_per_m

    @property
    def right_px(self) -> float:
        return self.x(self.length_m)

    def x(self, along_m: float) -> float:
        return LEFT_PX + along_m * self.px_per_m

    def y(self, above_m: float) -> float:
        return TOP_PX + (self.high_m - above_m) * self.px_per_m


def _axis(shape: MultiPolygon) -> tuple[Array, Array]:
    """The two ends of the cut, west or south first."""
    corners = shapely.get_coordinates(shape.minimum_rotated_rectangle)
    sides = np.diff(corners[:3], axis=0)
    longer = sides[np.argmax(np.linalg.norm(sides, axis=1))]
    length = float(np.linalg.norm(longer))
    way = longer / length if length > 0 else np.array([1.0, 0.0])
    way = -way if (round(way[0], 9), way[1]) < (0, 0) else way
    middle = corners[:4].mean(axis=0)
    reach = length / 2 + BEYOND_M
    return middle - reach * way, middle + reach * way


def _axis_lines(box: _Box) -> str:
    step = next(s for s in (1, 2, 5, 10, 20, 50) if s * box.px_per_m >= 26 or s == 50)
    parts = []
    for level in range(math.ceil(box.low_m / step) * step, math.floor(box.high_m) + 1, step):
        y = box.y(level)
        parts.append(
            f'<line x1="{LEFT_PX:g}" x2="{box.right_px:.1f}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="#e4e0d8"/><text x="{LEFT_PX - 8:g}" y="{y + 4:.1f}" text-anchor="end" '
            f'fill="#56626a">{level}</text>'
        )
    unit = f'<text x="{LEFT_PX - 8:g}" y="14" text-anchor="end" fill="#56626a">m</text>'
    return "".join(parts) + unit


def _surface(profile: Profile, box: _Box) -> str:
    """Heights as they are; filled stretches dashed and grey, unknown ones left open."""
    above = np.clip(profile.height_m - profile.ground_m, box.low_m, box.high_m)
    known = np.isfinite(above)
    kind = np.where(known, np.where(profile.is_measured, 2, 1), 0)
    edges = [0, *(np.nonzero(np.diff(kind))[0] + 1).tolist(), len(kind)]
    shade, lines = [], []
    for first, last in itertools.pairwise(edges):
        if kind[first] == 0:
            continue
        stop = min(last + 1, len(kind)) if last < len(kind) and kind[last] else last
        points = " ".join(
            f"{box.x(a):.1f},{box.y(h):.1f}"
            for a, h in zip(profile.along_m[first:stop], above[first:stop], strict=True)
        )
        if kind[first] == 2:
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="#1c2327" '
                'stroke-width="1.8" stroke-linejoin="round"/>'
            )
        else:
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="#8a5a00" '
                'stroke-width="1.8" stroke-dasharray="2 4"/>'
            )
        ends = box.x(profile.along_m[first]), box.x(profile.along_m[stop - 1])
        shade.append(
            f'<polygon points="{ends[0]:.1f},{box.bottom_px:.1f} {points} '
            f'{ends[1]:.1f},{box.bottom_px:.1f}" fill="#efece5"/>'
        )
    return "".join(shade) + "".join(lines)


def _ground_line(box: _Box) -> str:
    return (
        f'<line x1="{LEFT_PX:g}" x2="{box.right_px:.1f}" y1="{box.y(0):.1f}" y2="{box.y(0):.1f}" '
        'stroke="#1d5f8a" stroke-width="1.4"/>'
    )


def _expected_line(profile: Profile, box: _Box) -> str:
    if profile.expected_m is None or len(profile.walls_m) < 2:
        return ""
    y, ends = box.y(profile.expected_m), (profile.walls_m[0], profile.walls_m[-1])
    return (
        f'<line x1="{box.x(ends[0]):.1f}" x2="{box.x(ends[1]):.1f}" y1="{y:.1f}" y2="{y:.1f}" '
        'stroke="#a8361a" stroke-width="1.6" stroke-dasharray="8 4"/>'
    )


def _walls(profile: Profile, box: _Box) -> str:
    return "".join(
        f'<line x1="{box.x(at):.1f}" x2="{box.x(at):.1f}" y1="{TOP_PX:g}" '
        f'y2="{box.bottom_px:.1f}" stroke="#8a949a" stroke-dasharray="1 3"/>'
        for at in profile.walls_m
    )


def _ends(profile: Profile, box: _Box) -> str:
    first, last = compass((profile.bearing_deg + 180) % 360), compass(profile.bearing_deg)
    y = box.bottom_px + 17
    metres = f"{box.length_m:.0f} m"
    middle = (LEFT_PX + box.right_px) / 2
    return (
        f'<text x="{LEFT_PX:g}" y="{y:.1f}" font-weight="600">{first}</text>'
        f'<text x="{middle:.1f}" y="{y:.1f}" text-anchor="middle" fill="#56626a">{metres}</text>'
        f'<text x="{box.right_px:.1f}" y="{y:.1f}" text-anchor="end" font-weight="600">{last}'
        "</text>"
    )


def _key(box: _Box) -> str:
    entries = (
        ("#1c2327", "", "measured"),
        ("#8a5a00", "2 4", "filled, not measured"),
        ("#1d5f8a", "", "ground"),
        ("#a8361a", "8 4", "expected roof"),
        ("#8a949a", "1 3", "outline"),
    )
    x, y, parts = LEFT_PX, box.bottom_px + 46, []
    for colour, dashes, text in entries:
        parts.append(
            f'<line x1="{x:g}" x2="{x + 26:g}" y1="{y - 4:.1f}" y2="{y - 4:.1f}" '
            f'stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dashes}"/>'
            f'<text x="{x + 32:g}" y="{y:.1f}" fill="#56626a">{text}</text>'
        )
        x += 56 + 7.2 * len(text)
    return "".join(parts)
