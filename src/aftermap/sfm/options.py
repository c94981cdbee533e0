"""What can be set about placing photographs, and what each quality stands for."""

from dataclasses import dataclass
from typing import Literal, Self

Quality = Literal["draft", "standard", "fine"]


@dataclass(frozen=True, kw_only=True)
class PoseOptions:
    """Settings of the step from frames to a reconstruction.

    The features only have to find which photographs show the same thing; the accuracy comes from
    aligning patches at full resolution afterwards, so a small working size loses nothing.
    """

    working_side_px: int = 800
    """Longer side of the picture that features are detected in; SIFT doubles it once more."""
    features: int = 2000
    """Features kept per photograph, spread over the picture."""
    coarse_features: int = 1000
    """How many of them are compared blindly, before the geometry of a pair is known."""
    neighbours: int = 12
    """Photographs that each one is compared with, where positions or a vote can choose them."""
    blind_pairs_below: int = 60
    """Up to this many photographs without positions, every pair is tried."""
    tie_points_per_frame: int = 900
    """Tie points per photograph that are aligned at full resolution and adjusted."""
    seed: int = 7
    """Seed of every random choice, so that a run can be repeated."""

    @classmethod
    def of(cls, quality: Quality) -> Self:
        """The settings behind a word on the command line."""
        match quality:
            case "draft":
                return cls(tie_points_per_frame=300)
            case "fine":
                return cls(working_side_px=1600, features=6000, tie_points_per_frame=2000)
            case "standard":
                return cls()
