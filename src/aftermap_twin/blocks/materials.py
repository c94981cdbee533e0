"""What an estate of blocks is made of. The shader knows one recipe for each number."""

from enum import IntEnum

import numpy as np

from aftermap.geo.arrays import Array, Float32Array
from aftermap_twin.mesh import Tone


class BlocksMaterial(IntEnum):
    """Numbers 40 to 59 of the shader."""

    YARD = 40
    ROOFING = 41
    PANELS = 42
    DECK = 43
    EDGE = 44
    INNER = 45
    BROKEN = 46
    CROWN = 47
    COATED = 48
    STEEL = 49


class PanelRows:
    """Rows the shader reads: axes of a surface, its tone and finish, and where it burnt."""

    COLUMNS = 20

    def __init__(self) -> None:
        """Start empty."""
        self._rows: list[tuple[float, ...]] = []

    def add(
        self,
        axes: tuple[Array, Array, Array],
        tone: Tone,
        how: tuple[float, float, float, float],
        burn: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
    ) -> int:
        """The index of a new surface.

        ``axes`` are an origin and two unit vectors, each (3,); ``how`` is a random number from 0 to
        1, a kind, wear from 0 to 1 and the storey's height; ``burn`` is a place on the surface, a
        radius, all in metres, and how black it is there, from 0 to 1.
        """
        flat = (value for axis in axes for value in axis)
        self._rows.append((*flat, *tone, *how, *burn))
        return len(self._rows) - 1

    def array(self) -> Float32Array:
        """(S, 20) values of surfaces, at least one row."""
        return np.array(self._rows or [(0.0,) * self.COLUMNS], np.float32)
