"""Buildings: a plan of half-metre cells on a lot, its damage, and the triangles it is made of.

The plan lies on the lot's quadrilateral bilinearly, so walls follow crooked lots.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from rasterio.features import shapes

from aftermap.geo.arrays import Array, BoolArray, Int8Array
from aftermap.model.assessment import Grade
from aftermap_twin.city.damage import OUTSIDE, floors_left
from aftermap_twin.city.layout import Lot, on_quad, sides_m
from aftermap_twin.city.variety import (
    PANCAKE_FLOOR_M,
    Roofing,
    roofing_over,
    varied_floors_left,
)
from aftermap_twin.mesh import Tone
from aftermap_twin.scene import TrueBuilding

CELL_M = 0.5
WASHES: tuple[Tone, ...] = (
    (0.62, 0.60, 0.56),
    (0.50, 0.37, 0.29),
    (0.37, 0.42, 0.46),
    (0.30, 0.29, 0.275),
    (0.55, 0.46, 0.30),
)


@dataclass(frozen=True, kw_only=True)
class TwinBuilding:
    """One building: plan, floors left, height of its ground floor, and how it is finished.

    ``left`` is (across, along) floors over each cell; ``jitter_m`` moves the plan's inner corners.
    A pancaked building has floors as low as they lie, tilted by so much along and across;
    ``whole_floor_m`` is how high they were.
    """

    number: int
    lot: Lot
    left: Int8Array
    levels: int
    floor_m: float
    base_m: float
    grade: Grade
    style: int
    tone: Tone
    soot: float
    jitter_m: Array
    roofing: Roofing | None = None
    whole_floor_m: float | None = None
    tilt: tuple[float, float] = (0.0, 0.0)
    is_varied: bool = False

    @property
    def is_pancaked(self) -> bool:
        """Whether its floors lie on each other."""
        return self.whole_floor_m is not None

    @property
    def cell_m(self) -> tuple[float, float]:
        """Cell size along and across."""
        along, across = sides_m(self.lot.corners_m)
        return along / self.left.shape[1], across / self.left.shape[0]

    @property
    def roof_m(self) -> float:
        """Height of the intact roof above the datum of the district."""
        return self.base_m + self.levels * self.floor_m

    def world(self, along: npt.ArrayLike, across: npt.ArrayLike) -> Array:
        """(N, 2) local metres of plan positions in cells."""
        rows, columns = self.left.shape
        uv = np.stack(
            [np.asarray(along, float) / columns, np.asarray(across, float) / rows], axis=-1
        )
        return on_quad(self.lot.corners_m, uv)

    def outlines(self) -> list[Array]:
        """Rings (N, 2) of the undamaged footprint in local metres: the outer one first.

        The others are courtyards.
        """
        mask = (self.left != OUTSIDE).astype(np.uint8)
        polygon = max(
            (shape for shape, value in shapes(mask, connectivity=4) if value == 1),
            key=lambda shape: len(shape["coordinates"][0]),
        )
        rings = [np.asarray(ring, float) for ring in polygon["coordinates"]]
        return [self.world(ring[:, 0], ring[:, 1]) for ring in rings]


def facts_of(building: TwinBuilding) -> TrueBuilding:
    """What the truth says of a building."""
    floors = building.left[building.left != OUTSIDE]
    return TrueBuilding(
        number=building.number,
        grade=building.grade,
        levels=building.levels,
        height_m=building.levels * (building.whole_floor_m or building.floor_m),
        base_m=building.base_m,
        standing_share=0.0
        if building.is_pancaked
        else float(floors.sum() / (len(floors) * building.levels)),
        rings_m=tuple(building.outlines()),
        centre_m=building.lot.corners_m.mean(0),
        details=_details(building) if building.is_varied else (),
    )


def _details(building: TwinBuilding) -> tuple[tuple[str, object], ...]:
    """What is written of buildings of the wider range only."""
    floors = building.left[building.left != OUTSIDE]
    shape = {5: "tiled hip", 6: "dome"}.get(building.style, "flat")
    damage = "whole" if building.grade is Grade.NONE else "floors lost"
    open_share = 1.0 if building.is_pancaked else float((floors < building.levels).mean())
    return (
        ("roof", shape),
        ("damage", "pancaked" if building.is_pancaked else damage),
        ("roof_open", round(open_share, 3)),
        ("soot", round(building.soot, 2)),
    )


def building_on(
    rng: np.random.Generator, number: int, lot: Lot, grade: Grade, base_m: float, levels: int
) -> TwinBuilding:
    """A building of a random shape that fits the lot."""
    mask = _plan(rng, plan_shape(lot))
    left = floors_left(rng, grade, mask, levels, CELL_M)
    return _finished(rng, number, lot, grade, (base_m, levels, left))


def _finished(
    rng: np.random.Generator,
    number: int,
    lot: Lot,
    grade: Grade,
    built: tuple[float, int, Int8Array],
) -> TwinBuilding:
    """The building of a base height, a number of floors and what is left of them."""
    base_m, levels, left = built
    style = int(rng.choice([0, 1, 2, 3, 4], p=[0.46, 0.12, 0.22, 0.12, 0.08]))
    light = rng.normal(0, 0.05)
    warm = rng.uniform(0.86, 1.0)
    tone = (0.47 + light, (0.44 + light) * (0.5 + warm / 2), (0.38 + light) * warm)
    sooty = {Grade.NONE: 0.0, Grade.LIGHT: 0.15, Grade.MODERATE: 0.45}.get(grade, 0.6)
    return TwinBuilding(
        number=number,
        lot=lot,
        left=left,
        levels=levels,
        floor_m=float(rng.uniform(2.9, 3.3)),
        base_m=base_m,
        grade=grade,
        style=style,
        tone=tone,
        soot=float(rng.random() < sooty) * float(rng.uniform(0.4, 1.0)),
        jitter_m=_jitter(rng, left),
    )


def plan_shape(lot: Lot) -> tuple[int, int]:
    """Cells across and along a lot."""
    along, across = sides_m(lot.corners_m)
    return max(8, round(across / CELL_M)), max(8, round(along / CELL_M))


def varied_building_on(
    rng: np.random.Generator, number: int, lot: Lot, grade: Grade, base_m: float, levels: int
) -> TwinBuilding:
    """A building from the wider range: pitched roofs, domes, pancakes, burnt roofs, other paint."""
    mask = _plan(rng, plan_shape(lot))
    is_pancaked = grade is Grade.DESTROYED and levels > 1 and rng.random() < 0.35
    drawn = Grade.MODERATE if is_pancaked else grade
    left = varied_floors_left(rng, drawn, mask, levels, CELL_M)
    plain = _finished(rng, number, lot, grade, (base_m, levels, left))
    light = rng.uniform(0.75, 1.3)
    hue = WASHES[rng.integers(len(WASHES))]
    tone = plain.tone if rng.random() < 0.4 else (hue[0] * light, hue[1] * light, hue[2] * light)
    is_burnt = grade in {Grade.MODERATE, Grade.SEVERE} and rng.random() < 0.25
    plain = replace(plain, tone=tone, soot=2.2 if is_burnt else plain.soot, is_varied=True)
    if is_pancaked:
        tilt = rng.normal(0, 0.06, 2)
        return replace(
            plain,
            whole_floor_m=plain.floor_m,
            floor_m=float(rng.uniform(*PANCAKE_FLOOR_M)),
            tilt=(float(tilt[0]), float(tilt[1])),
        )
    roofing = roofing_over(rng, grade, mask, plain.cell_m)
    if roofing is None:
        return plain
    return replace(plain, roofing=roofing, style=roofing.style)


def _plan(rng: np.random.Generator, shape: tuple[int, int]) -> BoolArray:
    """True inside: a filled lot, an L, a U, a block with a light well, or one set back."""
    rows, columns = shape
    mask = np.ones(shape, bool)
    kind = rng.choice(["full", "corner", "u", "well", "back"], p=[0.3, 0.3, 0.12, 0.13, 0.15])
    if kind == "back":
        mask[:, : max(1, int(columns * rng.uniform(0.08, 0.3)))] = False
    if kind in ("corner", "back"):
        high, wide = int(rows * rng.uniform(0.25, 0.5)), int(columns * rng.uniform(0.25, 0.5))
        mask[:high, :wide] = False
    if kind == "u":
        third = rows // 3
        mask[third : rows - third, : int(columns * rng.uniform(0.3, 0.5))] = False
    if kind == "well" and min(shape) > 20:
        row, column = rows // 2, columns // 2
        mask[row - 4 : row + 4, column - 4 : column + 3] = False
    return mask if rng.random() < 0.5 else np.ascontiguousarray(mask[::-1, ::-1])


def _jitter(rng: np.random.Generator, left: Int8Array) -> Array:
    """(rows + 1, columns + 1, 2) shifts in cells of corners where floors end inside the plan."""
    padded = np.pad(left, 1, constant_values=OUTSIDE)
    around = np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]])
    inner = (around.min(0) != around.max(0)) & (around.min(0) != OUTSIDE)
    return np.asarray(rng.uniform(-0.45, 0.45, (*inner.shape, 2)) * inner[..., None])
