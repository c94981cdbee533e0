"""What the surface step may be told, and why each default is what it is."""

from dataclasses import dataclass
from typing import Literal, Self


@dataclass(frozen=True, kw_only=True)
class SurfaceOptions:
    """Settings of dense matching, fusion and the orthophoto.

    dense_side_px: longest side of a picture for matching. Beyond about 2000 px the surface gains
        little on real, slightly blurred photographs while the cost grows with the square.
    sources: pictures that each picture's depth is measured against. Places that few pictures show
        need all that show them; beyond six little is gained.
    confirming: pictures that each depth is compared with afterwards.
    block_cells: side of the square of cells that is held in memory at once, at most.
    fill_cells: how far a filled cell may lie from a measured one.
    draw_filled: whether photographs are draped over filled ground, under its hatch. Off: a picture
        over a guessed height shows an intact house in shreds.
    """

    dense_side_px: int = 1600
    sources: int = 6
    confirming: int = 16
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
                return cls(dense_side_px=3200, sources=8)
            case "standard":
                return cls()
