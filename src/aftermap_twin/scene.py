"""What a style of district hands over: what is pictured, and what is known about it.

Local metres (east, north, up from ``options.ORIGIN_M``).
"""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, Float32Array
from aftermap.model.assessment import Grade
from aftermap_twin.mesh import TriangleMesh
from aftermap_twin.site import Extent, TwinGround


@dataclass(frozen=True, kw_only=True)
class StreetAxis:
    """A straight street from end to end: (2, 2) axis and its width from front to front."""

    name: str
    axis_m: Array
    width_m: float

    @property
    def length_m(self) -> float:
        """From end to end."""
        return float(np.linalg.norm(self.axis_m[1] - self.axis_m[0]))

    @property
    def forward(self) -> Array:
        """(2,) unit vector from the first end to the second."""
        run = self.axis_m[1] - self.axis_m[0]
        return np.asarray(run / max(float(np.linalg.norm(run)), 1e-9))

    @property
    def side(self) -> Array:
        """(2,) unit vector to the left of that."""
        return np.array([-self.forward[1], self.forward[0]])


@dataclass(frozen=True, kw_only=True)
class TrueBuilding:
    """What is true of one building, however it was made.

    ``rings_m`` are (N, 2) closed rings of the footprint before the damage, the outer one first and
    then courtyards; ``centre_m`` (2,) a place in it; ``base_m`` its ground floor and ``height_m``
    the height of its roof above that; ``standing_share`` runs from 0 to 1. ``details`` are facts
    that only some styles know, written as they are.
    """

    number: int
    grade: Grade
    levels: int
    height_m: float
    base_m: float
    standing_share: float
    rings_m: tuple[Array, ...]
    centre_m: Array
    details: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that is pictured, and what is known about it.

    ``surfaces`` (S, K) float32 are the rows that the style's shader reads by a triangle's record.
    """

    extent: Extent
    streets: tuple[StreetAxis, ...]
    ground: TwinGround
    buildings: tuple[TrueBuilding, ...]
    marks_m: Array
    mesh: TriangleMesh
    surfaces: Float32Array
