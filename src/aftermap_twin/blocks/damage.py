"""What was done to a block, and the grade that a damage analyst reads from it.

Damage is plane geometry: of every storey's slab, the part that is gone. Grades follow from what is
lost (after UNOSAT's site classes and EMS-98): *light* is a roof pierced in up to 15 % of its
area, or a small fire, the frame whole; *moderate* is a corner or bays of some floors out, up to
three tenths of the roof open, or a large fire; *severe* is the collapse of a part: a section
pancaked, an end or the top floors gone; *destroyed* is a heap, with at most a third standing.
"""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import Point, Polygon
from shapely.geometry.base import BaseGeometry

from aftermap.geo.arrays import Array
from aftermap.model.assessment import Grade
from aftermap_twin.blocks.frames import EstateBlock
from aftermap_twin.blocks.layout import BAY_M

TRIES = 60
LEAST = 0.0015
LIGHT_ROOF, LIGHT_BULK, LIGHT_FIRE, LIGHT_RIM = 0.15, 0.05, 0.2, 0.04
MODERATE_ROOF, MODERATE_BULK = 0.30, 0.16
SEVERE_BULK = 0.66
NOTHING = Polygon()


@dataclass(frozen=True, kw_only=True)
class Ruin:
    """What is gone of a block.

    ``gone`` holds for each slab, from the one over the ground floor to the roof, the part that is
    gone, in own axes. ``stacked`` is where floors lie on each other, with the tilt (2,) of the
    stack. ``fire`` is a place on the roof, a radius (m) and how black; it also came out of the
    windows of so many ``burnt_storeys``.
    """

    gone: tuple[BaseGeometry, ...]
    stacked: BaseGeometry
    tilt: tuple[float, float]
    fire: tuple[float, float, float, float]
    burnt_storeys: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class Toll:
    """Shares from 0 to 1: roof open or down, bulk of the floors gone or stacked, roof burnt.

    ``rim`` is the share of the roof's outline that is gone.
    """

    roof: float
    bulk: float
    fire: float
    rim: float


def toll_of(block: EstateBlock, ruin: Ruin) -> Toll:
    """What is lost."""
    whole = block.plan()
    lost = [shapely.union(part, ruin.stacked).intersection(whole).area for part in ruin.gone]
    s, t, radius, black = ruin.fire
    burnt = Point(s, t).buffer(radius).intersection(whole).area * (black > 0.3)
    return Toll(
        roof=lost[-1] / whole.area,
        bulk=sum(lost) / (whole.area * block.storeys),
        fire=burnt / whole.area,
        rim=whole.exterior.intersection(ruin.gone[-1]).length / whole.exterior.length,
    )


def grade_of_toll(toll: Toll) -> Grade:
    """The grade of what is lost."""
    if toll.bulk > SEVERE_BULK:
        return Grade.DESTROYED
    if toll.bulk > MODERATE_BULK or toll.roof > MODERATE_ROOF:
        return Grade.SEVERE
    is_more = toll.bulk > LIGHT_BULK or toll.roof > LIGHT_ROOF
    if is_more or toll.fire > LIGHT_FIRE or toll.rim > LIGHT_RIM:
        return Grade.MODERATE
    return Grade.LIGHT if max(toll.bulk, toll.roof, toll.fire) >= LEAST else Grade.NONE


def unharmed(block: EstateBlock) -> Ruin:
    """A whole block."""
    return Ruin(
        gone=(NOTHING,) * block.storeys,
        stacked=NOTHING,
        tilt=(0.0, 0.0),
        fire=(0.0, 0.0, 0.0, 0.0),
        burnt_storeys=0,
        kind="whole",
    )


def ruin_of(rng: np.random.Generator, block: EstateBlock, grade: Grade) -> Ruin:
    """Damage of a random kind that an analyst gives this grade."""
    whole = unharmed(block)
    if grade is Grade.NONE:
        return whole
    for _ in range(TRIES):
        kind = str(rng.choice(KINDS[grade]))
        made = replace(_BY_KIND[kind](rng, block, whole), kind=kind)
        if grade_of_toll(toll_of(block, made)) is grade:
            return made
    share = {Grade.LIGHT: 0.04, Grade.MODERATE: 0.2, Grade.SEVERE: 0.4}.get(grade, 1.0)
    end = shapely.box(-1, -1, block.pitch.length_m * share, block.pitch.depth_m + 1)
    low = block.storeys - 1 if grade in {Grade.LIGHT, Grade.MODERATE} else 0
    gone = (*whole.gone[:low], *(end for _ in range(block.storeys - low)))
    return replace(whole, gone=gone, kind="end gone")


def torn(rng: np.random.Generator, place: Array, radius_m: float, points: int = 22) -> Polygon:
    """A ragged, stretched hole about a place (2,) in own axes."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    reach = radius_m * np.exp(rng.normal(0, 0.13, points))
    reach *= 1 + 0.22 * np.cos(2 * (angle - rng.random() * 6.3))
    ring = place + np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None]
    return Polygon(ring).buffer(0)


def _inside(rng: np.random.Generator, block: EstateBlock) -> Array:
    return rng.random(2) * [block.pitch.length_m, block.pitch.depth_m]


def _pierced(rng: np.random.Generator, block: EstateBlock, whole: Ruin) -> Ruin:
    """Shells through the roof: holes of 0.3 to 5 m that get smaller from floor to floor."""
    gone = list(whole.gone)
    big = float(np.exp(rng.uniform(np.log(0.2), np.log(2.7))))
    for _ in range(int(rng.integers(1, 5 if big < 1 else 3))):
        place, radius = _inside(rng, block), big * rng.uniform(0.7, 1.15)
        through = int(rng.integers(1, min(4, block.storeys) + 1))
        hole = torn(rng, place, radius)
        for down in range(through):
            level = block.storeys - 1 - down
            gone[level] = shapely.union(gone[level], hole)
            smaller = radius * (0.75 - 0.15 * down) * rng.uniform(0.6, 1.0)
            hole = torn(rng, place + rng.normal(0, 0.15 * radius, 2), smaller).intersection(hole)
    return replace(whole, gone=tuple(gone))


def _cornered(rng: np.random.Generator, block: EstateBlock, whole: Ruin) -> Ruin:
    """A corner out of the block: from the top down to some floor, wider the higher."""
    pitch = block.pitch
    corner = np.array([rng.integers(2) * pitch.length_m, rng.integers(2) * pitch.depth_m])
    low = int(rng.integers(0, block.storeys))
    radius = rng.uniform(2.0, 0.8 * pitch.depth_m)
    taper = rng.uniform(0.3, 1.0)
    gone = list(whole.gone)
    shape = np.exp(rng.normal(0, 0.12, 26))
    for level in range(low, block.storeys):
        share = (level + 1 - low) / (block.storeys - low)
        reach = radius * (1 - taper + taper * share) * shape * np.exp(rng.normal(0, 0.05, 26))
        angle = np.linspace(0, 2 * np.pi, 26, endpoint=False)
        ring = corner + np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None]
        gone[level] = Polygon(ring).buffer(0)
    return replace(whole, gone=tuple(gone))


def _bays(
    rng: np.random.Generator, block: EstateBlock, share: tuple[float, float]
) -> tuple[float, float]:
    """First and last s of whole bays that take up about a share of the block."""
    count = max(1, round(block.pitch.bays * rng.uniform(*share)))
    first = int(rng.integers(0, block.pitch.bays - count + 1))
    first = int(rng.choice([0, first, block.pitch.bays - count]))
    return first * BAY_M, (first + count) * BAY_M


def _ragged_box(
    rng: np.random.Generator, block: EstateBlock, low_s: float, high_s: float
) -> Polygon:
    """Bays across the whole depth, their cut edges uneven where they lie inside the block."""
    depth, length = block.pitch.depth_m, block.pitch.length_m
    t = np.linspace(-1, depth + 1, 12)

    def edge(s: float) -> Array:
        rough = 0.0 if s <= 0 or s >= length else 0.5
        past = -1.0 if s <= 0 else (1.0 if s >= length else 0.0)
        return np.column_stack([s + past + rng.normal(0, rough, 12), t])

    return Polygon(np.concatenate([edge(low_s), edge(high_s)[::-1]])).buffer(0)


def _bays_out(rng: np.random.Generator, block: EstateBlock, whole: Ruin) -> Ruin:
    """Some bays of the upper floors blown out, on one side or right through."""
    low_s, high_s = _bays(rng, block, (0.08, 0.3))
    side = rng.random() < 0.6
    half = block.pitch.depth_m * rng.uniform(0.3, 0.65)
    strip = shapely.box(-2, -2, block.pitch.length_m + 2, half)
    low = int(rng.integers(max(0, block.storeys - 4), block.storeys))
    gone = list(whole.gone)
    for level in range(low, block.storeys):
        out = _ragged_box(rng, block, low_s, high_s)
        gone[level] = out.intersection(strip.buffer(rng.normal(0, 0.3))) if side else out
    return replace(whole, gone=tuple(gone))


def _section_down(rng: np.random.Generator, block: EstateBlock, whole: Ruin) -> Ruin:
    """A section of the block fallen to the ground; its edge steps back floor by floor."""
    low_s, high_s = _bays(rng, block, (0.15, 0.6))
    back = rng.uniform(0.0, 0.5)
    gone = []
    for level in range(block.storeys):
        wider = back * level
        gone.append(_ragged_box(rng, block, max(low_s - wider, 0) if low_s else 0, high_s + wider))
    return replace(whole, gone=tuple(gone))


def _pancaked(rng: np.random.Generator, block: EstateBlock, whole: Ruin) -> Ruin:
    """A section whose floors lie on each other, the roof on top, tilted."""
    low_s, high_s = _bays(rng, block, (0.2, 0.7))
    box = _ragged_box(rng, block, low_s, high_s)
    tilt = rng.normal(0, 0.05, 2)
    return replace(
        whole, gone=(box,) * block.storeys, stacked=box, tilt=(float(tilt[0]), float(tilt[1]))
    )


def _topless(rng: np.random.Generator, block: EstateBlock, whole: Ruin) -> Ruin:
    """The upper floors gone over all of the block or much of it."""
    low_s, high_s = _bays(rng, block, (0.5, 1.0))
    lost = int(rng.integers(1, max(2, block.storeys // 2 + 1)))
    gone = list(whole.gone)
    for level in range(max(0, block.storeys - lost), block.storeys):
        gone[level] = _ragged_box(rng, block, low_s, high_s)
    return replace(whole, gone=tuple(gone))


def _burnt(rng: np.random.Generator, block: EstateBlock, whole: Ruin) -> Ruin:
    """A fire that came out of the windows and over the roof; the roof may have a hole."""
    place = _inside(rng, block)
    radius = rng.uniform(2.0, 16.0)
    made = _pierced(rng, block, whole) if rng.random() < 0.4 else whole
    fire = (float(place[0]), float(place[1]), float(radius), float(rng.uniform(0.85, 1.0)))
    storeys = int(rng.integers(1, max(2, block.storeys // 2 + 1)))
    return replace(made, fire=fire, burnt_storeys=storeys)


def _flattened(rng: np.random.Generator, block: EstateBlock, whole: Ruin) -> Ruin:
    """All down; at most a piece of one end stands some floors high."""
    keep = rng.uniform(0.0, 0.22) * block.pitch.length_m if rng.random() < 0.5 else 0.0
    high = int(rng.integers(0, block.storeys)) if keep > BAY_M / 2 else 0
    at_end = rng.random() < 0.5
    low_s, high_s = (keep, block.pitch.length_m) if at_end else (0, block.pitch.length_m - keep)
    everything = block.plan().buffer(1)
    gone = [
        _ragged_box(rng, block, low_s, high_s) if level < high else everything
        for level in range(block.storeys)
    ]
    stacked = NOTHING
    if rng.random() < 0.35:
        stacked = _ragged_box(rng, block, *_bays(rng, block, (0.3, 0.7))).intersection(gone[0])
    tilt = rng.normal(0, 0.08, 2)
    return replace(whole, gone=tuple(gone), stacked=stacked, tilt=(float(tilt[0]), float(tilt[1])))


KINDS: dict[Grade, tuple[str, ...]] = {
    Grade.LIGHT: ("pierced", "pierced", "pierced", "burnt"),
    Grade.MODERATE: ("corner out", "bays out", "pierced", "burnt"),
    Grade.SEVERE: ("section down", "pancaked", "top floors gone", "corner out", "bays out"),
    Grade.DESTROYED: ("flattened",),
}
_BY_KIND = {
    "pierced": _pierced,
    "corner out": _cornered,
    "bays out": _bays_out,
    "section down": _section_down,
    "pancaked": _pancaked,
    "top floors gone": _topless,
    "burnt": _burnt,
    "flattened": _flattened,
}
