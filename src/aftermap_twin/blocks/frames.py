"""A block before anything happened to it: storeys, bays, and how it is finished.

Own axes of a block: s along its bays and t across, in metres from a corner of its walls.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely import Polygon

from aftermap.geo.arrays import Array
from aftermap_twin.blocks.layout import Pitch
from aftermap_twin.mesh import Tone

SLAB_M = 0.22
BARE = 3
"""Finish of a roof that is the slab itself."""
CONCRETE: Tone = (0.40, 0.39, 0.365)
STOREYS = {"slab": (5, 10), "tower": (7, 13), "pavilion": (1, 4), "garages": (1, 2)}
"""Fewest storeys, and one more than the most."""
FACES: tuple[Tone, ...] = (
    (0.47, 0.46, 0.43),
    (0.52, 0.49, 0.42),
    (0.40, 0.41, 0.42),
    (0.50, 0.42, 0.35),
    (0.40, 0.45, 0.48),
)
FELTS: tuple[Tone, ...] = (
    (0.085, 0.085, 0.09),
    (0.13, 0.128, 0.125),
    (0.22, 0.215, 0.205),
    (0.33, 0.32, 0.30),
    (0.40, 0.41, 0.42),
    (0.19, 0.12, 0.095),
)


@dataclass(frozen=True, kw_only=True)
class EstateBlock:
    """One block. ``unfinished`` blocks are a bare frame: columns and slabs, no façade yet."""

    number: int
    pitch: Pitch
    base_m: float
    storeys: int
    storey_m: float
    face: Tone
    felt: Tone
    finish: int
    wear: float
    parapet_m: float
    is_unfinished: bool

    @property
    def height_m(self) -> float:
        """Of the roof above the ground floor."""
        return self.storeys * self.storey_m

    def plan(self) -> Polygon:
        """The whole floor in own axes."""
        return shapely.box(0.0, 0.0, self.pitch.length_m, self.pitch.depth_m)

    def world(self, st: npt.ArrayLike) -> Array:
        """(..., 2) local metres of (..., 2) places in own axes."""
        places = np.asarray(st, float)
        axes = np.array([self.pitch.forward, self.pitch.side])
        return np.asarray(self.pitch.corner_m + places @ axes)

    def spatial_axes(self, height_m: float) -> tuple[Array, Array, Array]:
        """Origin at a height, along and across, each (3,)."""
        pitch = self.pitch
        return (
            np.array([*pitch.corner_m, height_m]),
            np.array([*pitch.forward, 0.0]),
            np.array([*pitch.side, 0.0]),
        )


def block_on(rng: np.random.Generator, number: int, pitch: Pitch, base_m: float) -> EstateBlock:
    """A block of a random height and finish."""
    few, many = STOREYS[pitch.kind]
    light = rng.uniform(0.85, 1.12)
    face, felt = FACES[rng.integers(len(FACES))], FELTS[rng.integers(len(FELTS))]
    is_begun = bool(rng.random() < 0.25 and pitch.kind != "garages")
    return EstateBlock(
        number=number,
        pitch=pitch,
        base_m=base_m,
        storeys=int(rng.integers(few, many)),
        storey_m=2.6 if pitch.kind == "garages" else float(rng.uniform(2.7, 3.0)),
        face=(face[0] * light, face[1] * light, face[2] * light),
        felt=CONCRETE if is_begun else felt,
        finish=BARE if is_begun else int(rng.integers(4)),
        wear=float(rng.random()),
        parapet_m=0.0 if pitch.kind == "garages" else float(rng.choice([0.12, 0.35, 0.8])),
        is_unfinished=is_begun,
    )
