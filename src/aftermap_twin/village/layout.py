"""Lanes with houses on both sides, yards behind them and fields beyond.

Local metres (east, north). A house plot is where its walls stand, with the way its ridge runs.
"""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array
from aftermap_twin.scene import StreetAxis

LANE_APART_M = (30.0, 42.0)
HOUSE_GAP_M = (2.5, 7.0)
CLEAR_M = 1.6


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a house stands: (2,) corner, unit vectors along its length and width, sizes in metres.

    ``toward_lane`` tells which long side looks to the lane: -1 the first, 1 the second.
    """

    corner_m: Array
    forward: Array
    side: Array
    length_m: float
    width_m: float
    is_shed: bool

    @property
    def centre_m(self) -> Array:
        """(2,) middle."""
        return np.asarray(
            self.corner_m + self.forward * self.length_m / 2 + self.side * self.width_m / 2
        )

    def ring(self, grown_m: float = 0.0) -> Array:
        """(4, 2) corners, moved outwards by so much."""
        g = grown_m
        return np.asarray(
            [
                self.corner_m + self.forward * s + self.side * t
                for s, t in (
                    (-g, -g),
                    (self.length_m + g, -g),
                    (self.length_m + g, self.width_m + g),
                    (-g, self.width_m + g),
                )
            ]
        )


@dataclass(frozen=True, kw_only=True)
class VillagePlan:
    """Lanes and the sites of houses and sheds along them."""

    lanes: tuple[StreetAxis, ...]
    sites: tuple[Site, ...]


def village_over(rng: np.random.Generator, low: Array, high: Array) -> VillagePlan:
    """A plan over the box between two corners, (2,) local metres each."""
    centre, reach = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    turn = rng.uniform(0, np.pi)
    lanes = _lanes(rng, centre, reach, turn)
    taken = _Taken(lanes)
    sites: list[Site] = []
    for lane in lanes:
        for hand in (-1.0, 1.0):
            _line_lane(rng, lane, hand, taken, sites, (low, high))
    keep = [site for site in sites if np.all(site.ring() > low) and np.all(site.ring() < high)]
    return VillagePlan(lanes=tuple(lanes), sites=tuple(keep))


def _lanes(rng: np.random.Generator, centre: Array, reach: float, turn: float) -> list[StreetAxis]:
    """A road through the middle, lanes beside it, and a few that cross; none quite parallel."""
    lanes: list[StreetAxis] = []

    def lane(through: Array, heading: float, width: float) -> None:
        way = np.array([np.cos(heading), np.sin(heading)]) * reach * 1.3
        axis = np.array([through - way, through + way])
        lanes.append(StreetAxis(name=f"L{len(lanes) + 1:02d}", axis_m=axis, width_m=width))

    aside = np.array([-np.sin(turn), np.cos(turn)])
    along = np.array([np.cos(turn), np.sin(turn)])
    offset = rng.uniform(-8, 8)
    lane(centre + aside * offset, turn, float(rng.uniform(6.0, 7.5)))
    for sign in (-1, 1):
        away = offset
        while abs(away) < reach:
            away += sign * rng.uniform(*LANE_APART_M)
            lane(centre + aside * away, turn + rng.normal(0, 0.035), float(rng.uniform(3.2, 4.8)))
    place = -reach
    while place < reach:
        place += rng.uniform(70, 110)
        heading = turn + np.pi / 2 + rng.normal(0, 0.12)
        lane(centre + along * place, heading, float(rng.uniform(3.5, 5.5)))
    return lanes


class _Taken:
    """Houses so far and lanes, to keep clear of."""

    def __init__(self, lanes: list[StreetAxis]) -> None:
        self._lanes = lanes
        self._boxes: list[tuple[Array, Array]] = []
        self._centres: Array = np.empty((0, 2))

    def is_free(self, site: Site) -> bool:
        """Whether a site is clear of every lane and of every house."""
        ring = site.ring(CLEAR_M / 2)
        for lane in self._lanes:
            away = (ring - lane.axis_m[0]) @ lane.side
            if (np.abs(away) < lane.width_m / 2 + 0.6).any() or away.min() * away.max() < 0:
                return False
        near = np.linalg.norm(self._centres - site.centre_m, axis=1) < 30
        return not any(_touch(ring, *self._boxes[k]) for k in np.flatnonzero(near))

    def add(self, site: Site) -> None:
        axes = np.array([site.forward, site.side])
        self._boxes.append((site.ring(CLEAR_M / 2), axes))
        self._centres = np.concatenate([self._centres, site.centre_m[None]])


def _touch(one: Array, other: Array, other_axes: Array) -> bool:
    """Whether two rectangles (4, 2) overlap (separating axes)."""
    own = np.array([one[1] - one[0], one[3] - one[0]])
    for axis in np.concatenate([own, other_axes]):
        a, b = one @ axis, other @ axis
        if a.max() < b.min() or b.max() < a.min():
            return False
    return True


def _line_lane(
    rng: np.random.Generator,
    lane: StreetAxis,
    hand: float,
    taken: _Taken,
    sites: list[Site],
    box: tuple[Array, Array],
) -> None:
    """Houses one after the other along a side of a lane, a shed behind some."""
    along = rng.uniform(0, 10)
    while along < lane.length_m:
        length, width = rng.uniform(9, 16.5), rng.uniform(6.8, 10.5)
        is_across = rng.random() < 0.35
        front = width if is_across else length
        heading = float(np.arctan2(lane.forward[1], lane.forward[0])) + rng.normal(0, 0.05)
        heading += np.pi / 2 if is_across else 0.0
        setback = lane.width_m / 2 + rng.uniform(1.0, 5.0) + (length if is_across else width) / 2
        middle = lane.axis_m[0] + lane.forward * (along + front / 2) + lane.side * hand * setback
        if not (np.all(middle > box[0]) and np.all(middle < box[1])):
            along += 6.0
            continue
        site = _site(middle, heading, length, width, is_shed=False)
        if taken.is_free(site):
            taken.add(site)
            sites.append(site)
            if rng.random() < 0.5:
                deep = setback + rng.uniform(9, 14)
                back = middle + lane.side * hand * (deep - setback)
                size = rng.uniform(4.5, 9.5), rng.uniform(3.5, 6.0)
                shed = _site(back, heading + rng.choice([0, np.pi / 2]), *size, is_shed=True)
                if taken.is_free(shed):
                    taken.add(shed)
                    sites.append(shed)
            along += front + rng.uniform(*HOUSE_GAP_M)
        else:
            along += 2.0


def _site(middle: Array, heading: float, length_m: float, width_m: float, *, is_shed: bool) -> Site:
    forward = np.array([np.cos(heading), np.sin(heading)])
    side = np.array([-forward[1], forward[0]])
    corner = middle - forward * length_m / 2 - side * width_m / 2
    return Site(
        corner_m=corner,
        forward=forward,
        side=side,
        length_m=float(length_m),
        width_m=float(width_m),
        is_shed=is_shed,
    )
