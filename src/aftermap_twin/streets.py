"""How much room the rubble leaves in every ten metres of street."""

from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap_twin.scene import Scene, StreetAxis
from aftermap_twin.site import HEIGHT_STEP_M, at

PIECE_M = 10.0
STEP_M = 0.4
PASSABLE_HEIGHT_M = 0.35
"""A car or ambulance gets over rubble up to this high."""
PASSABLE_WIDTH_M = 2.5
"""And through a gap of at least this width."""


@dataclass(frozen=True, kw_only=True)
class StreetPiece:
    """Ten metres of a street's axis, its built width, and the narrowest way left through it."""

    name: str
    street: str
    axis_m: Array
    width_m: float
    free_width_m: float

    @property
    def blocked(self) -> bool:
        """Whether no car gets through."""
        return self.free_width_m < PASSABLE_WIDTH_M


def street_pieces(scene: Scene) -> tuple[StreetPiece, ...]:
    """Every piece of street within the district, judged by the height of what lies on it."""
    pieces = []
    for street in scene.streets:
        run = street.axis_m[1] - street.axis_m[0]
        length = float(np.linalg.norm(run))
        along = run / max(length, 1e-9)
        for number in range(int(length // PIECE_M)):
            ends = street.axis_m[0] + along * np.array([[number], [number + 1]]) * PIECE_M
            if all(scene.ground.is_inside(end) for end in ends):
                pieces.append(
                    StreetPiece(
                        name=f"{street.name}-{number + 1:02d}",
                        street=street.name,
                        axis_m=ends,
                        width_m=street.width_m,
                        free_width_m=_free_width_m(scene, street, ends),
                    )
                )
    return tuple(pieces)


def _free_width_m(scene: Scene, street: StreetAxis, ends: Array) -> float:
    """The widest gap across, at the place along the piece where that is narrowest."""
    ground, extent = scene.ground, scene.extent
    along = (ends[1] - ends[0]) / PIECE_M
    side = np.array([-along[1], along[0]])
    across = np.arange(-street.width_m / 2 + STEP_M / 2, street.width_m / 2, STEP_M)
    narrowest = street.width_m
    for distance in np.arange(0.5, PIECE_M, 0.5):
        places = ends[0] + along * distance + across[:, None] * side
        heap = at(ground.height_m - ground.bare_m, extent, HEIGHT_STEP_M, places)
        open_here = (heap < PASSABLE_HEIGHT_M) & (
            at(ground.rubble, extent, HEIGHT_STEP_M, places) < 0.6
        )
        narrowest = min(narrowest, _longest_run(open_here) * STEP_M)
    return float(narrowest)


def _longest_run(mask: BoolArray) -> int:
    best = run = 0
    for value in mask:
        run = run + 1 if value else 0
        best = max(best, run)
    return best
