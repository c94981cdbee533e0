"""A house before anything happened to it: its plan, the shape of its roof and how it is finished.

Own axes of a house: s along its length and t across, in metres from a corner of its walls.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Array, BoolArray
from aftermap_twin.mesh import Tone
from aftermap_twin.village.layout import Site
from aftermap_twin.village.materials import COVERINGS

CELL_M = 0.3
NOWHERE_M = -1.0
"""Rise of a roof beside it."""
ROOFS = ("gable", "hip", "lean-to", "flat")
TONES: dict[str, tuple[Tone, ...]] = {
    "clay tiles": (
        (0.40, 0.155, 0.085),
        (0.33, 0.13, 0.08),
        (0.46, 0.21, 0.12),
        (0.27, 0.13, 0.09),
    ),
    "slates": ((0.16, 0.165, 0.18), (0.22, 0.22, 0.22), (0.30, 0.29, 0.28)),
    "sheet metal": ((0.36, 0.37, 0.38), (0.20, 0.09, 0.06), (0.09, 0.16, 0.13), (0.10, 0.14, 0.22)),
    "shingles": ((0.13, 0.115, 0.10), (0.20, 0.17, 0.14), (0.10, 0.10, 0.105)),
    "concrete": ((0.42, 0.40, 0.36), (0.34, 0.33, 0.31), (0.24, 0.23, 0.22)),
}
PLASTERS: tuple[Tone, ...] = (
    (0.60, 0.57, 0.50),
    (0.52, 0.45, 0.33),
    (0.44, 0.40, 0.35),
    (0.50, 0.36, 0.27),
    (0.36, 0.20, 0.14),
    (0.58, 0.58, 0.57),
)


@dataclass(frozen=True, kw_only=True)
class House:
    """One house. ``wing`` is first and last s and how far it stands out past the width, or None."""

    number: int
    site: Site
    base_m: float
    storeys: int
    storey_m: float
    roof: str
    slope: float
    overhang_m: float
    wing: tuple[float, float, float] | None
    covering: str
    tone: Tone
    plaster: Tone
    wear: float
    soot: float

    @property
    def eaves_m(self) -> float:
        """Height of the walls' top above the district's datum."""
        return self.base_m + self.storeys * self.storey_m

    @property
    def depth_m(self) -> float:
        """Across with the wing."""
        return self.site.width_m + (self.wing[2] if self.wing else 0.0)

    @property
    def ridge_m(self) -> float:
        """Height of the highest part of the roof above the eaves."""
        if self.roof == "flat":
            return 0.0
        width = self.site.width_m
        return self.slope * (width if self.roof == "lean-to" else width / 2)

    def outline(self) -> Array:
        """(N, 2) closed ring of the walls, metres in own axes (s, t), anticlockwise."""
        length, width = self.site.length_m, self.site.width_m
        if self.wing is None:
            points = [(0, 0), (length, 0), (length, width), (0, width), (0, 0)]
        else:
            a, b, out = self.wing
            points = [(0, 0), (length, 0), (length, width), (b, width), (b, width + out)]
            points += [(a, width + out), (a, width), (0, width), (0, 0)]
        ring = np.array(points, float)
        return ring[np.r_[True, np.linalg.norm(np.diff(ring, axis=0), axis=1) > 1e-6]]

    def world(self, s: npt.ArrayLike, t: npt.ArrayLike) -> Array:
        """(..., 2) local metres of places in own axes."""
        s, t = np.asarray(s, float), np.asarray(t, float)
        site = self.site
        return np.asarray(
            site.corner_m + s[..., None] * site.forward + t[..., None] * site.side, float
        )

    def is_inside(self, s: Array, t: Array, grown_m: float = 0.0) -> BoolArray:
        """Whether places, (...) metres ``s`` and ``t`` in own axes, are over the grown outline."""
        g = grown_m
        site = self.site
        main = (s > -g) & (s < site.length_m + g) & (t > -g) & (t < site.width_m + g)
        if self.wing is None:
            return np.asarray(main)
        a, b, out = self.wing
        return np.asarray(
            main | ((s > a - g) & (s < b + g) & (t > 0) & (t < site.width_m + out + g))
        )

    def rise_m(self, s: Array, t: Array) -> Array:
        """(...) height of the whole roof above the eaves at (...) ``s``, ``t`` in own axes."""
        site = self.site
        middle = site.width_m / 2
        if self.roof == "flat":
            return np.zeros(np.broadcast(s, t).shape)
        if self.roof == "lean-to":
            return np.asarray(self.slope * t + 0 * s)
        up = middle - np.abs(t - middle)
        if self.roof == "hip":
            up = np.minimum(up, site.length_m / 2 - np.abs(s - site.length_m / 2))
        main = self.slope * up
        if self.wing is None:
            return np.asarray(main + 0 * s)
        a, b, _ = self.wing
        wing = self.slope * ((b - a) / 2 - np.abs(s - (a + b) / 2))
        over_main = (
            (s > -1) & (s < site.length_m + 1) & (t > -1) & (t < site.width_m + self.overhang_m)
        )
        main = np.where(over_main, main, NOWHERE_M)
        wing = np.where((t > middle) & (s > a - 1) & (s < b + 1), wing, NOWHERE_M)
        return np.asarray(np.maximum(main, wing))


def house_on(rng: np.random.Generator, number: int, site: Site, base_m: float) -> House:
    """A house or shed of a random kind."""
    roof = (
        "lean-to"
        if site.is_shed
        else str(rng.choice(["gable", "hip", "flat"], p=[0.6, 0.24, 0.16]))
    )
    if site.is_shed and rng.random() < 0.5:
        roof = "gable"
    slope = float(rng.uniform(0.12, 0.3) if roof == "lean-to" else rng.uniform(0.42, 0.95))
    shares = [0.1, 0.1, 0.55, 0.1, 0.15] if site.is_shed else [0.62, 0.13, 0.13, 0.12, 0.0]
    covering = "concrete" if roof == "flat" else str(rng.choice(COVERINGS, p=shares))
    if covering == "concrete" and roof != "flat":
        covering = "sheet metal"
    wing = None
    if not site.is_shed and roof == "gable" and rng.random() < 0.4 and site.length_m > 11:
        wide = float(rng.uniform(4.5, min(7.0, site.width_m - 0.5)))
        start = float(
            rng.choice([0.0, site.length_m - wide, (site.length_m - wide) * rng.random()])
        )
        wing = (start, start + wide, float(rng.uniform(1.8, 4.0)))
    return House(
        number=number,
        site=site,
        base_m=base_m,
        storeys=1 if site.is_shed else int(rng.choice([1, 2], p=[0.6, 0.4])),
        storey_m=float(rng.uniform(2.3, 2.6) if site.is_shed else rng.uniform(2.6, 3.0)),
        roof=roof,
        slope=slope,
        overhang_m=0.12 if roof == "flat" else float(rng.uniform(0.25, 0.55)),
        wing=wing,
        covering=covering,
        tone=_tinted(rng, TONES[covering]),
        plaster=_tinted(rng, PLASTERS),
        wear=float(rng.random()),
        soot=0.0,
    )


def _tinted(rng: np.random.Generator, tones: tuple[Tone, ...]) -> Tone:
    r, g, b = tones[rng.integers(len(tones))]
    light, warm = rng.uniform(0.85, 1.15), rng.uniform(0.95, 1.05)
    return (float(r * light * warm), float(g * light), float(b * light / warm))
