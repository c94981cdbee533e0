"""What a village is made of. The shader knows one recipe for each number."""

from enum import IntEnum

import numpy as np

from aftermap.geo.arrays import Array, Float32Array
from aftermap_twin.mesh import Tone


class VillageMaterial(IntEnum):
    """Numbers 20 to 39 of the shader."""

    LAND = 20
    COVERING = 21
    MASONRY = 22
    TIMBER = 23
    LOFT = 24
    DEBRIS = 25
    LEAVES = 26
    PAINTED = 27
    SLAB = 28


COVERINGS = ("clay tiles", "slates", "sheet metal", "shingles", "concrete")


class SurfaceRows:
    """Rows the shader reads: axes of a surface in space, its tone and how worn it is."""

    COLUMNS = 16

    def __init__(self) -> None:
        """Start empty."""
        self._rows: list[tuple[float, ...]] = []

    def add(
        self, origin: Array, across: Array, along: Array, tone: Tone, how: tuple[float, ...]
    ) -> int:
        """The index of a new surface.

        ``origin``, ``across`` and ``along`` are (3,), the last two unit vectors; ``how`` is a
        random number of its own from 0 to 1, a kind, wear and soot from 0 to 1.
        """
        self._rows.append((*origin, *across, *along, *tone, *how))
        return len(self._rows) - 1

    def array(self) -> Float32Array:
        """(S, 16) values of surfaces, at least one row."""
        return np.array(self._rows or [(0.0,) * self.COLUMNS], np.float32)
