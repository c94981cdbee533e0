"""Streets, blocks and lots: an irregular town plan by cutting quadrilaterals again and again.

Local metres (east, north). A quadrilateral is (4, 2), anticlockwise from its (0, 0) corner.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array
from aftermap_twin.scene import StreetAxis

PLAN_TURN_RAD = np.radians(-19.0)


@dataclass(frozen=True, kw_only=True)
class Lot:
    """A plot of land, and whether it is built on ("building"), "open" or a "garden"."""

    corners_m: Array
    use: str


@dataclass(frozen=True, kw_only=True)
class TownPlan:
    """The whole town plan: streets, blocks between them (with pavements), lots inside blocks."""

    streets: tuple[StreetAxis, ...]
    blocks: tuple[Array, ...]
    lots: tuple[Lot, ...]


def plan_over(rng: np.random.Generator, lower_left: Array, upper_right: Array) -> TownPlan:
    """A plan that covers the box between two corners, (2,) local metres each."""
    streets: list[StreetAxis] = []
    blocks: list[Array] = []
    _cut_blocks(rng, _first_quad(lower_left, upper_right), 0, streets, blocks)
    lots: list[Lot] = []
    for block in blocks:
        inner = inset(block, 1.3)
        target = rng.uniform(95, 240)
        plots: list[Array] = []
        _cut_lots(rng, inner, target, plots)
        whole = len(plots) > 2 and rng.random() < 0.05
        lots += [Lot(corners_m=plot, use="open" if whole else _use(rng)) for plot in plots]
    return TownPlan(streets=tuple(streets), blocks=tuple(blocks), lots=tuple(lots))


def inset(quad: Array, by_m: float) -> Array:
    """The quadrilateral (4, 2), in metres, with every side moved inwards."""
    moved = []
    for k in range(4):
        before, here, after = quad[k - 1], quad[k], quad[(k + 1) % 4]
        u, v = _unit(here - before), _unit(after - here)
        sine = max(0.2, abs(u[0] * v[1] - u[1] * v[0]))
        moved.append(here + (v - u) * (by_m / sine))
    return np.array(moved)


def area_m2(quad: Array) -> float:
    """Area of a quadrilateral (4, 2) of metres."""
    x, y = quad[:, 0], quad[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def on_quad(quad: Array, uv: npt.ArrayLike) -> Array:
    """(N, 2) metres on a quadrilateral (4, 2) of (N, 2) shares along its two sides (bilinear)."""
    fractions = np.asarray(uv, float)
    u, v = fractions[..., :1], fractions[..., 1:2]
    return np.asarray(
        quad[0] * (1 - u) * (1 - v)
        + quad[1] * u * (1 - v)
        + quad[2] * u * v
        + quad[3] * (1 - u) * v
    )


def sides_m(quad: Array) -> tuple[float, float]:
    """Mean length along the first and along the second side of a quadrilateral (4, 2) of metres."""
    along = np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3])
    across = np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])
    return float(along / 2), float(across / 2)


def _first_quad(lower_left: Array, upper_right: Array) -> Array:
    centre = (lower_left + upper_right) / 2
    cos, sin = np.cos(PLAN_TURN_RAD), np.sin(PLAN_TURN_RAD)
    half = (upper_right - lower_left) / 2
    wide = abs(half[0] * cos) + abs(half[1] * sin) + 5
    high = abs(half[0] * sin) + abs(half[1] * cos) + 5
    corners = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]])
    return np.asarray(corners @ np.array([[cos, sin], [-sin, cos]]) + centre)


def _cut_blocks(
    rng: np.random.Generator,
    quad: Array,
    depth: int,
    streets: list[StreetAxis],
    blocks: list[Array],
) -> None:
    area = area_m2(quad)
    if area < rng.uniform(1500, 3600):
        blocks.append(quad)
        return
    if area > 40_000:
        width = float(rng.uniform(12, 16))
    elif area > 9_000:
        width = float(rng.uniform(6, 9.5))
    else:
        width = float(rng.uniform(3, 6.5))
    first, second, axis = _split(rng, quad, width, (0.38, 0.62), 0.05)
    streets.append(StreetAxis(name=f"S{len(streets) + 1:03d}", axis_m=axis, width_m=width))
    for part in (first, second):
        _cut_blocks(rng, part, depth + 1, streets, blocks)


def _cut_lots(rng: np.random.Generator, quad: Array, target: float, lots: list[Array]) -> None:
    along, across = sides_m(quad)
    if area_m2(quad) < target * rng.uniform(1.0, 1.8) or min(along, across) < 9:
        lots.append(quad)
        return
    first, second, _ = _split(rng, quad, float(rng.choice([0.05, 0.05, 1.2])), (0.4, 0.6), 0.03)
    _cut_lots(rng, first, target, lots)
    _cut_lots(rng, second, target, lots)


def _split(
    rng: np.random.Generator, quad: Array, gap: float, where: tuple[float, float], skew: float
) -> tuple[Array, Array, Array]:
    """Two quadrilaterals either side of a gap across the longer direction, and the gap's axis."""
    along, across = sides_m(quad)
    q = quad if along >= across else np.roll(quad, -1, axis=0)
    length = max(along, across)
    at = rng.uniform(*where)
    low, high = at + rng.uniform(-skew, skew), at + rng.uniform(-skew, skew)
    half = gap / 2 / length

    def bottom(t: float) -> Array:
        return np.asarray(q[0] * (1 - t) + q[1] * t)

    def top(t: float) -> Array:
        return np.asarray(q[3] * (1 - t) + q[2] * t)

    first = np.array([q[0], bottom(low - half), top(high - half), q[3]])
    second = np.array([bottom(low + half), q[1], q[2], top(high + half)])
    return first, second, np.array([bottom(low), top(high)])


def _use(rng: np.random.Generator) -> str:
    return str(rng.choice(["building", "open", "garden"], p=[0.86, 0.08, 0.06]))


def _unit(vector: Array) -> Array:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))
