"""An estate: avenues between courts, and in each court slabs, towers, pavilions and garages.

Local metres (east, north).
"""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array
from aftermap_twin.scene import StreetAxis

COURT_M = (70.0, 95.0)
AVENUE_M = (9.0, 14.0)
BAY_M = 3.2
APART = {"slab": 11.0, "tower": 12.0, "pavilion": 5.0, "garages": 3.0}
"""How far from the next building each kind stands, in metres."""


@dataclass(frozen=True, kw_only=True)
class Pitch:
    """Where a block stands: (2,) corner, unit vectors along and across, bays along, depth, kind."""

    corner_m: Array
    forward: Array
    side: Array
    bays: int
    depth_m: float
    kind: str

    @property
    def length_m(self) -> float:
        """Along the bays."""
        return self.bays * BAY_M

    @property
    def centre_m(self) -> Array:
        """(2,) middle."""
        return np.asarray(
            self.corner_m + self.forward * self.length_m / 2 + self.side * self.depth_m / 2
        )


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Avenues, the courts between them as (4, 2) corners, and pitches."""

    avenues: tuple[StreetAxis, ...]
    courts: tuple[Array, ...]
    pitches: tuple[Pitch, ...]


def estate_over(rng: np.random.Generator, low: Array, high: Array) -> Estate:
    """A plan over the box between two corners, (2,) local metres each."""
    turn = float(rng.uniform(0, np.pi / 2))
    forward = np.array([np.cos(turn), np.sin(turn)])
    side = np.array([-forward[1], forward[0]])
    centre, reach = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    cuts = [_cuts(rng, reach) for _ in range(2)]
    avenues: list[StreetAxis] = []
    for way, other, lines in ((forward, side, cuts[1]), (side, forward, cuts[0])):
        for _, middle, width in lines:
            ends = centre + other * middle + np.array([[-1.0], [1.0]]) * way * reach
            name = f"A{len(avenues) + 1:02d}"
            avenues.append(StreetAxis(name=name, axis_m=ends, width_m=width))
    courts: list[Array] = []
    pitches: list[Pitch] = []
    for (u0, _, _), (_, m1, w1) in zip(cuts[0][:-1], cuts[0][1:], strict=True):
        for (v0, _, _), (_, n1, x1) in zip(cuts[1][:-1], cuts[1][1:], strict=True):
            box = (u0, m1 - w1 / 2, v0, n1 - x1 / 2)
            corners = [(box[0], box[2]), (box[1], box[2]), (box[1], box[3]), (box[0], box[3])]
            courts.append(np.array([centre + forward * u + side * v for u, v in corners]))
            pitches += _court(rng, centre, (forward, side), box)
    inside = [pitch for pitch in pitches if _is_within(pitch, low, high)]
    return Estate(avenues=tuple(avenues), courts=tuple(courts), pitches=tuple(inside))


def _cuts(rng: np.random.Generator, reach: float) -> list[tuple[float, float, float]]:
    """Where a court begins, the middle of the avenue before it, and how wide that is."""
    at, found = -reach - float(rng.uniform(0, 40)), []
    while at < reach + 100:
        width = float(rng.uniform(*AVENUE_M))
        found.append((at + width / 2, at, width))
        at += width + float(rng.uniform(*COURT_M))
    return found


def _is_within(pitch: Pitch, low: Array, high: Array) -> bool:
    reach = np.array(
        [[0, 0], [pitch.length_m, 0], [pitch.length_m, pitch.depth_m], [0, pitch.depth_m]]
    )
    ring = pitch.corner_m + reach @ np.array([pitch.forward, pitch.side])
    return bool(np.all(ring > low + 1) and np.all(ring < high - 1))


def _court(
    rng: np.random.Generator,
    centre: Array,
    axes: tuple[Array, Array],
    box: tuple[float, float, float, float],
) -> list[Pitch]:
    """Blocks put down one after the other wherever they keep their distance, large ones first."""
    kinds = ["slab"] * int(rng.integers(3, 6)) + ["tower"] * int(rng.integers(0, 3))
    kinds += ["pavilion"] * int(rng.integers(1, 4)) + ["garages"] * int(rng.integers(2, 5))
    done: list[tuple[float, float, float, float]] = []
    found = []
    for kind in kinds:
        for _ in range(40):
            bays, depth = _size(rng, kind)
            is_turned = bool(rng.random() < 0.5)
            wide, deep = (depth, bays * BAY_M) if is_turned else (bays * BAY_M, depth)
            room = box[1] - box[0] - wide - 7, box[3] - box[2] - deep - 7
            if min(room) <= 0:
                continue
            u, v = box[0] + 3.5 + rng.random() * room[0], box[2] + 3.5 + rng.random() * room[1]
            if any(_near((u, v, u + wide, v + deep), other, APART[kind]) for other in done):
                continue
            done.append((u, v, u + wide, v + deep))
            found.append(_pitch(centre, axes, (u, v, wide), is_turned, (bays, depth, kind)))
            break
    return found


def _pitch(
    centre: Array,
    axes: tuple[Array, Array],
    place: tuple[float, float, float],
    is_turned: bool,  # noqa: FBT001 - one of a pair of ways to lie
    what: tuple[int, float, str],
) -> Pitch:
    forward, side = axes
    u, v, wide = place
    corner = centre + forward * (u + wide if is_turned else u) + side * v
    return Pitch(
        corner_m=corner,
        forward=side if is_turned else forward,
        side=-forward if is_turned else side,
        bays=what[0],
        depth_m=what[1],
        kind=what[2],
    )


def _size(rng: np.random.Generator, kind: str) -> tuple[int, float]:
    if kind == "slab":
        return int(rng.integers(6, 14)), float(rng.uniform(10.5, 13.0))
    if kind == "tower":
        return int(rng.integers(5, 7)), float(rng.uniform(15.0, 19.0))
    if kind == "pavilion":
        return int(rng.integers(3, 8)), float(rng.uniform(9.0, 14.0))
    return int(rng.integers(3, 9)), float(rng.uniform(5.5, 6.5))


def _near(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float], gap: float
) -> bool:
    return (
        one[0] < other[2] + gap
        and other[0] < one[2] + gap
        and one[1] < other[3] + gap
        and other[1] < one[3] + gap
    )
