"""A piece of street and the map around it -> the widest gap at its narrowest place, and how surely.

The street's own ground is a surface through the lowest of what lies along 40 m of it (a plane that
may sag a little; asymmetric least squares after Newey and Powell, 1987, then cut at what lies
higher). What stands above it by more than ``HEAP_M`` is in the way: rubble, walls, kerbside heaps.
What has the height, the width and the steep sides of a vehicle is counted apart, as it can be
driven or towed off. Leaves high above hide the ground and are not in the way. A wall cannot be told
from a bank of rubble of its height, nor an awning from either. Ground that was not measured, filled
or empty, is never free: where a way leads over it, nobody knows.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap.model.street import CAR_M, TRUCK_M, Passage
from aftermap.streets.pieces import ACROSS_M, STEP_M, Piece, places_across
from aftermap.streets.street_grid import StreetWindow
from aftermap.streets.vehicles import beside_of, steep_in, vehicles_on

HEAP_M = 0.22
"""A car or ambulance gets over 0.35 m of rubble. Where it lies all about, the ground is found some
0.1 m too high (twin, seeds 11 and 12), and this serves best."""
HALF_MOST_M = 10.0
"""A street is looked at so far to either side: beyond is a square."""
ASTRAY_M = 4.0
"""So far off its street a line may be drawn."""
OPEN_FRACTION = 0.8
"""A place across is open if so much of the piece there is outside footprints."""
FRONT_QUANTILE = 0.3
"""Fronts stand where three in ten of the rows along a street meet one: gaps are passed over."""
BOTH_FRONTS_M = 4.5
"""What pavements on both sides may add to the width in the file."""
LEAST_SEEN = 0.5
"""With less of its ground measured a piece is not seen."""
SMOOTH_GRAIN = 0.06
"""Asphalt and earth have less grain than this, rubble mostly more (medians 0.04 and 0.09)."""
STIFF = (1e-6, 1e-4, 0.1, 0.1, 0.1)
"""How much level, slope along, slope across, sag and twist of the ground resist the heights."""
MOST_SAMPLES = 4000
"""Cells that the ground is laid through."""
LITTER_M2 = 3.5
"""What covers less is driven round or moved by hand."""
BLUR_M = 0.6
"""So far from a wall the surface is drawn up by it."""
RIM_M = 0.4
"""Vehicles lie this much wider on the ground than above it."""
AVERAGE_M = 0.2
"""Heights are averaged so far about each cell: noise of the surface is finer."""
STONE_M = 0.6
"""Narrower spurs and single stones of a heap are driven round."""
WALL_M = 3.0
"""What stands higher is no rubble and no vehicle."""
LEAF_HEIGHT_M = 1.8
"""What is green and higher is a crown that one drives under."""
SIGMA_M = 0.75
"""Of a width that is seen whole: a heap has no sharp edge. It is the slope at which pieces turn
from blocked to free on seven districts (logistic fit, twin, seeds 11 to 17), as a deviate."""


@dataclass(frozen=True, kw_only=True)
class Width:
    """What was measured of a piece: the columns of ``StreetTable`` that are not its line."""

    width_m: float | None
    free_width_m: float | None
    free_width_sigma_m: float | None
    clear_width_m: float | None
    nobody_probability: float | None
    passage: Passage
    seen_fraction: float
    rubble_fraction: float | None
    vehicles: int
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Strip:
    """A street rolled out straight: rows along it, columns across it from right to left."""

    height_m: Array
    measured: BoolArray
    built: BoolArray
    leafy: BoolArray
    grain: Array
    own: BoolArray
    across_m: Array


def width_of(piece: Piece, ground: StreetWindow) -> Width:
    """How wide a way is left through a piece."""
    return _width_in(_rolled_out(piece, ground), piece.width_m)


def _width_in(strip: _Strip, given_m: float | None) -> Width:
    right, left = _corridor(strip, given_m)
    inside = (strip.across_m > right) & (strip.across_m < left)
    if not inside.any():
        return _not_seen(None, 0.0, "its line runs through buildings")
    cut = _cut_to(strip, inside)
    street = ~cut.built
    seen = float((cut.measured & street)[cut.own].sum() / max(street[cut.own].sum(), 1))
    if seen < LEAST_SEEN:
        return _not_seen(left - right, seen, _why_not_seen(seen))
    above = cut.height_m - _ground_under(cut)
    return _width_of(cut, above, left - right)


def _rolled_out(piece: Piece, ground: StreetWindow) -> _Strip:
    places, across = places_across(piece, HALF_MOST_M + ASTRAY_M)
    return _Strip(
        height_m=ground.at(ground.height_m, places, beyond=np.nan).astype(np.float64),
        measured=ground.at(ground.measured, places, beyond=False),
        built=ground.at(ground.built, places, beyond=False),
        leafy=ground.at(ground.leafy, places, beyond=False),
        grain=ground.at(ground.grain, places, beyond=np.nan).astype(np.float64),
        own=piece.own,
        across_m=across,
    )


def _cut_to(strip: _Strip, inside: BoolArray) -> _Strip:
    return _Strip(
        height_m=strip.height_m[:, inside],
        measured=strip.measured[:, inside],
        built=strip.built[:, inside],
        leafy=strip.leafy[:, inside],
        grain=strip.grain[:, inside],
        own=strip.own,
        across_m=strip.across_m[inside],
    )


def _corridor(strip: _Strip, width_m: float | None) -> tuple[float, float]:
    """Where the street lies across: from how far right to how far left of the line.

    From front to front, as far as most of the fronts along it stand. Where the file gives a width,
    that much of it: halfway between fronts that are near, else as near to the line as they allow.
    """
    middle = _middle(strip)
    right, left = (_front(strip, middle, side) for side in (-1, 1))
    if width_m is None or left - right <= width_m:
        return right, left
    centre = min(max(middle, right + width_m / 2), left - width_m / 2)
    if left - right <= width_m + BOTH_FRONTS_M:
        centre = (right + left) / 2
    return centre - width_m / 2, centre + width_m / 2


def _middle(strip: _Strip) -> float:
    """A place across that is open along the piece: the line's own, or the nearest to it."""
    open_share = 1 - strip.built[strip.own].mean(0)
    near = np.abs(strip.across_m) <= ASTRAY_M
    fit = near & (open_share >= min(OPEN_FRACTION, open_share[near].max()))
    return float(strip.across_m[fit][np.abs(strip.across_m[fit]).argmin()])


def _front(strip: _Strip, middle: float, side: int) -> float:
    """How far across the fronts of one side stand: a low quantile of the distances along it."""
    away = (strip.across_m - middle) * side
    wall = np.where(strip.built & (away > 0), away, HALF_MOST_M).min(1)
    distance = float(np.quantile(np.minimum(wall, HALF_MOST_M), FRONT_QUANTILE))
    return middle + side * min(distance, HALF_MOST_M)


def _ground_under(cut: _Strip) -> Array:
    """(rows, columns) the street's own ground: what is measured, low, and smooth in the picture."""
    s, t = np.meshgrid(np.arange(len(cut.height_m)) * STEP_M, cut.across_m, indexing="ij")
    s, t = (s - s.mean()) / 20.0, (t - t.mean()) / 5.0
    columns = np.stack([np.ones_like(s), s, t, s * s, s * t], -1)
    chosen = np.flatnonzero((cut.measured & ~cut.built).ravel())
    chosen = chosen[:: max(1, len(chosen) // MOST_SAMPLES)]
    rows, heights = columns.reshape(-1, 5)[chosen], cut.height_m.ravel()[chosen]
    smooth = np.nan_to_num(cut.grain.ravel()[chosen], nan=0.0) < SMOOTH_GRAIN
    level = float(np.quantile(heights, 0.25))
    slack = np.diag(STIFF) * len(chosen)
    fit = np.array([level, 0.0, 0.0, 0.0, 0.0])
    for turn in range(16):
        off = heights - rows @ fit
        weight = np.where(off > 0, 0.08, np.where(off < -0.6, 0.02, 1.0))
        if turn > 6:  # near it already: what is higher than a kerb is no ground
            weight = np.where(off > 0.08, 0.004, np.where(off < -0.25, 0.02, 1.0))
        weight = weight * np.where(smooth, 1.0, 0.05)
        weighted = rows * weight[:, None]
        normal = rows.T @ weighted + slack * weight.mean()
        fit = np.linalg.solve(normal, weighted.T @ (heights - level))
        fit[0] += level
    return np.asarray(columns @ fit)


def _width_of(cut: _Strip, above: Array, width_m: float) -> Width:
    overhead = cut.leafy & (above > LEAF_HEIGHT_M)
    unknown = ~cut.built & (overhead | ~cut.measured | ~np.isfinite(above))
    steep = steep_in(above)
    blur = beside_of(cut.built, BLUR_M) & steep & (above > 1.0) & ~cut.built
    unknown |= blur
    high = cut.built | (~unknown & (above > WALL_M))
    bodies, count = vehicles_on(above, ~high & ~unknown, cut.built, cut.own)
    vehicles = beside_of(bodies, RIM_M) & ~cut.built
    wall = cut.built | (high & ~vehicles)
    known = ~wall & ~unknown & ~vehicles
    rubble = _large(_broad(known & (np.nan_to_num(_levelled(above, known)) > HEAP_M)))
    gaps = _large(_broad(~cut.built & ~cut.measured))
    ways = ~wall & ~rubble
    most, free = _narrowest(ways, cut.own), _narrowest(ways & ~gaps, cut.own)
    clear = _narrowest(ways & ~gaps & ~vehicles, cut.own)
    least = _narrowest(ways & ~unknown, cut.own)
    street = (~cut.built)[cut.own]
    seen_fraction = float((~unknown[cut.own] & street).sum() / street.sum())
    if seen_fraction < LEAST_SEEN:
        return _not_seen(width_m, seen_fraction, _why_not_seen(seen_fraction))
    if free < CAR_M <= most:
        return _not_seen(width_m, seen_fraction, _why_nobody_knows(free, width_m))
    # Where not even what was not measured would leave a way, nobody gets through for sure.
    widest = most if most < CAR_M else free
    sigma = math.hypot(SIGMA_M, (widest - least) / 4)
    share = float((rubble[cut.own] & street).sum() / street.sum())
    return Width(
        width_m=width_m,
        free_width_m=free,
        free_width_sigma_m=sigma,
        clear_width_m=clear,
        nobody_probability=_below(CAR_M, widest, sigma),
        passage=_passage(free),
        seen_fraction=seen_fraction,
        rubble_fraction=share,
        vehicles=count,
        reason=_reason(free, clear, share, width_m) + _beside(most - free),
    )


def _levelled(above: Array, known: BoolArray) -> Array:
    """Heights averaged within ``AVERAGE_M``, of known cells alone; NaN where there is none."""
    size = (2 * round(AVERAGE_M / ACROSS_M) + 1, 2 * round(AVERAGE_M / STEP_M) + 1)
    heights = np.where(known, np.clip(above, -0.5, 1.5), 0.0).astype(np.float32)
    total = cv2.boxFilter(heights, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
    share = cv2.blur(known.astype(np.float32), size, borderType=cv2.BORDER_CONSTANT)
    found = np.full(above.shape, np.nan)
    np.divide(total, share * size[0] * size[1], out=found, where=share > 0.1)
    return found


def _broad(mask: BoolArray) -> BoolArray:
    """Without what is narrower than a stone: those are driven round or moved."""
    kernel = np.ones((round(STONE_M / STEP_M), round(STONE_M / ACROSS_M)), np.uint8)
    padded = np.pad(mask.astype(np.uint8), ((0, 0), (8, 8)), mode="edge")
    return cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[:, 8:-8] > 0


def _large(mask: BoolArray) -> BoolArray:
    """Without what is no larger than a bin or a heap of refuse: a driver goes round or moves it."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    keep = stats[:, cv2.CC_STAT_AREA] * STEP_M * ACROSS_M >= LITTER_M2
    keep[0] = False
    return np.asarray(keep[labels], bool)


def _narrowest(is_open: BoolArray, own: BoolArray) -> float:
    """The widest run across, at the place along the piece where it is narrowest; metres."""
    runs = _widest_runs(is_open)
    if len(runs) >= 3:  # one row alone is noise
        padded = np.pad(runs, 1, mode="edge")
        runs = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return float(runs[own].min() * ACROSS_M)


def _widest_runs(is_open: BoolArray) -> Array:
    """(rows,) the longest run of open cells in each row."""
    run = np.zeros(len(is_open), np.int64)
    best = np.zeros(len(is_open), np.int64)
    for column in is_open.T:
        run = np.where(column, run + 1, 0)
        np.maximum(best, run, out=best)
    return best.astype(np.float64)


def _below(limit_m: float, width_m: float, sigma_m: float) -> float:
    return 0.5 * (1 + math.erf((limit_m - width_m) / (sigma_m * math.sqrt(2))))


def _passage(free_m: float) -> Passage:
    if free_m < CAR_M:
        return Passage.NOBODY
    return Passage.CAR if free_m < TRUCK_M else Passage.TRUCK


def _reason(free: float, clear: float, share: float, width_m: float) -> str:
    said = f"{free:.1f} m of {width_m:.1f} m clear"
    if share > 0.01:
        said += f", {share:.0%} of it under rubble or walls"
    if clear < free - 0.3:
        said += f"; {clear:.1f} m beside vehicles"
    return said


def _beside(unmeasured_m: float) -> str:
    return f"; {unmeasured_m:.1f} m more were not measured" if unmeasured_m > 0.3 else ""


def _why_nobody_knows(free: float, width_m: float) -> str:
    return f"only {free:.1f} m of {width_m:.1f} m were measured as clear; the rest was not measured"


def _why_not_seen(seen: float) -> str:
    return f"only {seen:.0%} of its ground was measured" if seen else "none of its ground was seen"


def _not_seen(width_m: float | None, seen: float, reason: str) -> Width:
    return Width(
        width_m=width_m,
        free_width_m=None,
        free_width_sigma_m=None,
        clear_width_m=None,
        nobody_probability=None,
        passage=Passage.NOT_SEEN,
        seen_fraction=seen,
        rubble_fraction=None,
        vehicles=0,
        reason=reason,
    )
