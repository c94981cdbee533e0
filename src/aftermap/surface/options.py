"""What the surface step may be told, and why each default is what it is."""

from dataclasses import dataclass
from typing import Literal, Self


@dataclass(frozen=True, kw_only=True)
class SurfaceOptions:
    """Settings of dense matching, fusion and the orthophoto.

    dense_side_px: longest side of a picture for matching. Beyond about 2000 px the surface gains
        little on real, slightly blurred photographs while the cost grows with the square.
    neighbours: stereo partners per picture. A fourth costs a tenth of the surface and changes
        it by less than two runs differ.
    best_angle_deg: intersection angle a pair should have. Wide angles measure height better,
        narrow ones see more of the ground between houses.
    block_cells: side of the square of cells that is held in memory at once.
    fill_cells: how far a filled cell may lie from a measured one.
    draw_filled: whether photographs are draped over filled ground, under its hatch. Off: a picture
        over a guessed height shows an intact house in shreds.
    """

    dense_side_px: int = 1600
    neighbours: int = 3
    best_angle_deg: float = 18.0
    block_cells: int = 1024
    fill_cells: int = 48
    draw_filled: bool = False

    @classmethod
    def of(cls, quality: Literal["draft", "standard", "fine"]) -> Self:
        """The settings behind a word on the command line."""
        match quality:
            case "draft":
                return cls(dense_side_px=800)
            case "fine":
                return cls(dense_side_px=3200, neighbours=6, best_angle_deg=16.0)
            case "standard":
                return cls()
