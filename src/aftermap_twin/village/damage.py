"""What was done to a house, and the grade that a damage analyst reads from it.

Grades follow from what is lost (after the levels of the Joint Damage Scale and of HAZUS for wind,
as read from the air): *light* is covering off in patches or holes in up to a tenth of the roof;
*moderate* is large areas off, or up to three tenths of the roof open, or a gable down; *severe*
is a roof that is down or gone on walls that stand, or part of the house gone; *destroyed* is a heap
with stumps of walls. Own axes of a house (``houses``), in cells of CELL_M.
"""

from dataclasses import dataclass, replace

import numpy as np

from aftermap.geo.arrays import Array, BoolArray, Int8Array
from aftermap.model.assessment import Grade
from aftermap_twin.village.houses import CELL_M, House

WHOLE, BARE, OPEN = 0, 1, 2
"""A cell of roof: covered, stripped to deck or rafters, or gone with its rafters."""
TRIES = 60
LIGHT_BARE, LIGHT_OPEN = 0.16, 0.10
MODERATE_BARE, MODERATE_OPEN, MODERATE_WALLS = 0.60, 0.30, 0.12
DESTROYED_WALLS, DESTROYED_OPEN = 0.55, 0.85
LEAST = 0.004
"""Less than this share of a roof is nobody's damage."""


@dataclass(frozen=True, kw_only=True)
class Wounds:
    """What is left of a house.

    ``roof`` (rows, columns) holds WHOLE, BARE or OPEN over cells from ``low_m`` (s, t) on;
    ``loft_open`` says where the ceiling below is gone; ``drop_m`` how far the roof has come down;
    ``wall_cut`` gives the height lost from walls at cells, in metres; ``heap_m`` the rubble inside.
    ``deck`` tells that bare cells still have their boards, ``burnt`` that fire was there.
    """

    low_m: tuple[float, float]
    roof: Int8Array
    loft_open: BoolArray
    drop_m: Array
    wall_cut: Array
    heap_m: float
    deck: bool
    burnt: bool
    kind: str

    def cells_m(self) -> tuple[Array, Array]:
        """S and t of the middles of all cells, each (rows, columns)."""
        rows, columns = self.roof.shape
        t, s = np.mgrid[0:rows, 0:columns] * CELL_M + CELL_M / 2
        return np.asarray(s + self.low_m[0]), np.asarray(t + self.low_m[1])


@dataclass(frozen=True, kw_only=True)
class HouseLosses:
    """Shares from 0 to 1: covering off (open counts too), roof open or down, wall height gone."""

    bare: float
    open: float
    walls: float


def losses_of(house: House, wounds: Wounds) -> HouseLosses:
    """What is lost, over the walls' outline."""
    s, t = wounds.cells_m()
    over = house.is_inside(s, t)
    fallen = (wounds.roof == OPEN) | (wounds.drop_m > 0.5)
    high = house.storeys * house.storey_m
    rim = over & ~house.is_inside(s, t, -CELL_M * 1.5)
    return HouseLosses(
        bare=float((wounds.roof[over] != WHOLE).mean()),
        open=float(fallen[over].mean()),
        walls=float(np.clip(wounds.wall_cut[rim] / high, 0, 1).mean()),
    )


def grade_of_losses(losses: HouseLosses) -> Grade:
    """The grade of what is lost."""
    if max(losses.bare, losses.open, losses.walls) < LEAST:
        return Grade.NONE
    if losses.walls >= DESTROYED_WALLS and losses.open >= DESTROYED_OPEN:
        return Grade.DESTROYED
    within = losses.bare <= MODERATE_BARE and losses.open <= MODERATE_OPEN
    if not within or losses.walls > MODERATE_WALLS:
        return Grade.SEVERE
    if losses.bare > LIGHT_BARE or losses.open > LIGHT_OPEN or losses.walls >= LEAST:
        return Grade.MODERATE
    return Grade.LIGHT


def unhurt(house: House) -> Wounds:
    """A whole house."""
    g = house.overhang_m
    rows = max(4, int(np.ceil((house.depth_m + 2 * g) / CELL_M)))
    columns = max(4, int(np.ceil((house.site.length_m + 2 * g) / CELL_M)))
    shape = (rows, columns)
    return Wounds(
        low_m=(-g, -g),
        roof=np.zeros(shape, np.int8),
        loft_open=np.zeros(shape, bool),
        drop_m=np.zeros(shape),
        wall_cut=np.zeros(shape),
        heap_m=0.0,
        deck=False,
        burnt=False,
        kind="whole",
    )


def wounds_of(rng: np.random.Generator, house: House, grade: Grade) -> Wounds:
    """Damage of a random kind that an analyst gives this grade."""
    made = unhurt(house)
    if grade is Grade.NONE:
        return made
    kinds = KINDS[grade]
    for _ in range(TRIES):
        kind = kinds[int(rng.integers(len(kinds)))]
        made = _BY_KIND[kind](rng, house, unhurt(house))
        made = replace(made, kind=kind, deck=bool(rng.random() < 0.5))
        if grade_of_losses(losses_of(house, made)) is grade:
            return made
    return _sure(rng, house, grade)


def _sure(rng: np.random.Generator, house: House, grade: Grade) -> Wounds:
    """What always has the grade: holes of a share of the roof, or a heap."""
    if grade is Grade.DESTROYED:
        return replace(_heap(rng, house, unhurt(house)), kind="heap")
    if grade is Grade.SEVERE:
        return replace(_roof_gone(rng, house, unhurt(house)), kind="roof gone")
    made = unhurt(house)
    s, t = made.cells_m()
    share = 0.06 if grade is Grade.LIGHT else 0.2
    over = house.is_inside(s, t)
    away = np.hypot(s - house.site.length_m / 2, t - house.site.width_m / 2)
    made.roof[over & (away < np.quantile(away[over], share))] = OPEN
    return replace(made, kind="hole")


def _lobes(rng: np.random.Generator, angle: Array, ragged: float) -> Array:
    """A reach about 1 that changes with direction: how a torn edge runs."""
    reach = np.ones_like(angle)
    for wave in (2, 3, 5, 9):
        reach += ragged / wave**0.5 * np.sin(wave * angle + rng.random() * 2 * np.pi)
    return np.asarray(np.clip(reach, 0.35, None))


def _blot(
    rng: np.random.Generator, made: Wounds, place: Array, radius_m: float, stretch: float
) -> Array:
    """Distance from a place in units of a ragged, stretched radius."""
    s, t = made.cells_m()
    turn = rng.random() * np.pi
    x, y = s - place[0], t - place[1]
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    v = v * stretch
    away = np.hypot(u, v) / (radius_m * _lobes(rng, np.arctan2(v, u), 0.16))
    return np.asarray(away + 0.07 * rng.standard_normal(away.shape))


def _spot(rng: np.random.Generator, house: House) -> Array:
    site = house.site
    return np.array([rng.random() * site.length_m, rng.random() * site.width_m])


def _tiles_off(rng: np.random.Generator, house: House, made: Wounds) -> Wounds:
    """Patches of covering slid off, mostly from the eaves and the verges up."""
    s, t = made.cells_m()
    share = float(rng.choice([rng.uniform(0.02, 0.15), rng.uniform(0.17, 0.55)]))
    while float((made.roof[house.is_inside(s, t)] != WHOLE).mean()) < share:
        place = _spot(rng, house)
        radius = rng.uniform(0.5, 1.6 + 3.5 * share)
        away = _blot(rng, made, place, radius, rng.uniform(1.0, 2.2))
        made.roof[(away < 1) & (made.roof == WHOLE)] = BARE
        if rng.random() < 0.25:
            made.roof[away < 0.3] = OPEN
    return made


def _holes(rng: np.random.Generator, house: House, made: Wounds) -> Wounds:
    """One hole or a few of 0.3 to 4.5 m across, covering gone round them, ceilings below torn."""
    big = float(np.exp(rng.uniform(np.log(0.2), np.log(2.6))))
    for _ in range(int(rng.integers(1, 4 if big < 1.2 else 3))):
        place, radius = _spot(rng, house), big * rng.uniform(0.7, 1.2)
        away = _blot(rng, made, place, radius, rng.uniform(1.0, 1.6))
        ring = rng.uniform(1.1, 1.7)
        made.roof[(away < ring) & (made.roof == WHOLE)] = BARE
        made.roof[away < 1] = OPEN
        if rng.random() < 0.6:
            made.loft_open[away < rng.uniform(0.5, 0.95)] = True
    return made


def _peppered(rng: np.random.Generator, house: House, made: Wounds) -> Wounds:
    """Splinters through the covering, dense on one side."""
    _, t = made.cells_m()
    side = rng.choice([-1, 1]) * (t - house.site.width_m / 2) / house.site.width_m
    chance = rng.uniform(0.01, 0.05) * np.exp(3 * side)
    made.roof[rng.random(chance.shape) < chance] = OPEN
    return made


def _gable_down(rng: np.random.Generator, house: House, made: Wounds) -> Wounds:
    """A gable wall fallen outwards, with the end of the roof that it bore."""
    s, t = made.cells_m()
    length = house.site.length_m
    inward = s if rng.random() < 0.5 else length - s
    deep = rng.uniform(0.6, 2.6)
    wave = 0.5 * np.sin(t * rng.uniform(0.8, 2.0) + rng.random() * 6)
    noise = 0.25 * rng.standard_normal(t.shape)
    made.roof[inward < deep + 0.6 + wave + noise] = BARE
    made.roof[inward < deep + wave + noise] = OPEN
    cut = rng.uniform(0.35, 1.0) * house.storeys * house.storey_m
    fallen = (inward < 0.6) & (np.abs(t - house.site.width_m / 2) < house.site.width_m * 0.45)
    made.wall_cut[fallen] = np.clip(cut + 0.5 * np.sin(t * 1.7)[fallen], 0.1, None)
    made.loft_open[inward < deep * 0.6] = True
    return made


def _roof_down(rng: np.random.Generator, house: House, made: Wounds) -> Wounds:
    """Ridge or beams broken: the roof hangs into the house along part of its length."""
    s, t = made.cells_m()
    site = house.site
    wide = rng.uniform(0.3, 0.7) * site.length_m
    middle = rng.uniform(0.3, 0.7) * site.length_m
    along = np.clip(1.3 - np.abs(s - middle) / (wide / 2), 0, 1)
    across = np.clip(1.25 - np.abs(t - site.width_m / 2) / (site.width_m / 2), 0, 1)
    deepest = house.ridge_m + rng.uniform(0.0, 1.2)
    made.drop_m[:] = deepest * np.minimum(1, along * 1.3) * across
    torn = np.abs(along - rng.uniform(0.1, 0.35)) < 0.1
    made.roof[torn | (rng.random(s.shape) < 0.05 * (along > 0))] = OPEN
    away = _blot(rng, made, np.array([middle, site.width_m / 2]), rng.uniform(1.0, 2.5), 1.2)
    made.roof[(away < 1.6) & (made.roof == WHOLE)] = BARE
    made.roof[away < 1] = OPEN
    made.loft_open[:] = made.drop_m > 0.3 * deepest
    return replace(made, heap_m=float(rng.uniform(0.2, 0.8)))


def _part_gone(rng: np.random.Generator, house: House, made: Wounds) -> Wounds:
    """One end or corner blown away to the ground."""
    s, t = made.cells_m()
    angle = rng.random() * 2 * np.pi
    reach = s * np.cos(angle) + t * np.sin(angle)
    reach += 0.5 * np.sin(t * 1.1 + rng.random() * 6) + 0.4 * np.sin(s * 1.7 + rng.random() * 6)
    over = house.is_inside(s, t)
    edge = float(np.quantile(reach[over], 1 - rng.uniform(0.12, 0.55)))
    noise = 0.2 * rng.standard_normal(s.shape)
    made.roof[reach + noise > edge - rng.uniform(0.4, 1.5)] = BARE
    made.roof[reach + noise > edge] = OPEN
    made.loft_open[:] = reach > edge + rng.uniform(0.0, 0.8)
    high = house.storeys * house.storey_m
    made.wall_cut[:] = np.clip((reach - edge - 0.3) * rng.uniform(1.0, 3.0), 0, high - 0.1)
    return replace(made, heap_m=float(rng.uniform(0.5, 1.3)))


def _roof_gone(rng: np.random.Generator, house: House, made: Wounds) -> Wounds:
    """Walls that stand round rooms open to the sky; often a fire."""
    s, t = made.cells_m()
    made.roof[:] = OPEN
    if rng.random() < 0.4:
        left = _blot(rng, made, _spot(rng, house), rng.uniform(0.8, 2.0), 1.3)
        made.roof[left < 1] = BARE
    made.loft_open[:] = True
    if rng.random() < 0.3:
        keep = _blot(rng, made, _spot(rng, house), rng.uniform(1.5, 3.5), 1.2)
        made.loft_open[keep < 1] = False
    wave = np.sin(s * rng.uniform(0.4, 1.4) + 6 * rng.random()) + np.sin(t * 0.9)
    made.wall_cut[:] = np.clip(wave - rng.uniform(0.2, 1.6), 0, 2.0)
    return replace(made, heap_m=float(rng.uniform(0.25, 0.9)), burnt=bool(rng.random() < 0.5))


def _heap(rng: np.random.Generator, house: House, made: Wounds) -> Wounds:
    """Stones, tiles and timber with a stump of wall here and there."""
    s, t = made.cells_m()
    made.roof[:] = OPEN
    if rng.random() < 0.4:
        made.roof[_blot(rng, made, _spot(rng, house), rng.uniform(0.6, 1.4), 1.4) < 1] = BARE
    made.loft_open[:] = True
    high = house.storeys * house.storey_m
    stump = _blot(rng, made, _spot(rng, house), rng.uniform(1.0, 4.5), 1.0)
    wave = 0.35 * np.sin(s * 1.3 + rng.random() * 6) + 0.35 * np.sin(t * 1.9)
    made.wall_cut[:] = np.where(stump < 1, high * rng.uniform(0.2, 0.7), high - 0.25) + wave
    np.clip(made.wall_cut, 0, high - 0.05, out=made.wall_cut)
    made.drop_m[:] = high + house.ridge_m
    return replace(made, heap_m=float(rng.uniform(0.8, 1.9)), burnt=bool(rng.random() < 0.15))


KINDS: dict[Grade, tuple[str, ...]] = {
    Grade.LIGHT: ("tiles off", "holes", "holes", "peppered"),
    Grade.MODERATE: ("tiles off", "holes", "holes", "gable down", "part gone"),
    Grade.SEVERE: ("roof down", "part gone", "roof gone", "roof gone"),
    Grade.DESTROYED: ("heap",),
}
_BY_KIND = {
    "tiles off": _tiles_off,
    "holes": _holes,
    "peppered": _peppered,
    "gable down": _gable_down,
    "roof down": _roof_down,
    "part gone": _part_gone,
    "roof gone": _roof_gone,
    "heap": _heap,
}
