"""What a measure says about a building, in words with its number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Values = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Saying:
    """How a measure is told. Of one ``family`` only the measure that weighs most is told."""

    family: str
    text: Callable[[float], str]


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


SAYINGS: Mapping[str, Saying] = {
    "below_half_fraction": Saying(
        family="missing", text=lambda v: f"{_percent(v)} of the footprint below half height"
    ),
    "fallen_fraction": Saying(
        family="missing", text=lambda v: f"{_percent(v)} of the footprint fallen to near the ground"
    ),
    "low_fraction": Saying(
        family="missing", text=lambda v: f"{_percent(v)} of the roof missing by more than 1 m"
    ),
    "deepest_m": Saying(
        family="missing", text=lambda v: f"lowest places {v:.1f} m below the roof plane"
    ),
    "hole_fraction": Saying(
        family="missing", text=lambda v: f"holes over {_percent(v)} of the roof"
    ),
    "height_spread_fraction": Saying(
        family="spread", text=lambda v: f"heights spread over {_percent(v)} of the roof's height"
    ),
    "plane_residual_m": Saying(family="planes", text=lambda v: f"roof plane residual {v:.2f} m"),
    "plane_fraction": Saying(
        family="planes", text=lambda v: f"{_percent(v)} of the roof lies on planes"
    ),
    "largest_plane_fraction": Saying(
        family="planes", text=lambda v: f"largest roof plane covers {_percent(v)}"
    ),
    "standing_fraction": Saying(
        family="planes", text=lambda v: f"{_percent(v)} of the roof stands at its height"
    ),
    "lower_plane_fraction": Saying(
        family="floors", text=lambda v: f"{_percent(v)} of the footprint on floors below the roof"
    ),
    "whole_fraction": Saying(
        family="whole", text=lambda v: f"{_percent(v)} of the roof there and whole to look at"
    ),
    "broken_fraction": Saying(
        family="whole", text=lambda v: f"{_percent(v)} of the roof looks broken"
    ),
    "normal_entropy": Saying(
        family="facing", text=lambda v: f"directions that the roof faces: entropy {v:.2f} of 1"
    ),
    "apron_fraction": Saying(
        family="apron", text=lambda v: f"{_percent(v)} of the ground within 5 m heaped"
    ),
    "apron_sides": Saying(family="apron", text=lambda v: f"rubble apron on {v:.0f} of 4 sides"),
    "gradient_isotropy": Saying(
        family="edges", text=lambda v: f"directions of its edges: isotropy {v:.2f} of 1"
    ),
    "edge_entropy": Saying(
        family="edges", text=lambda v: f"directions of its edges: entropy {v:.2f} of 1"
    ),
    "edge_fraction": Saying(
        family="edges", text=lambda v: f"edges over {_percent(v)} of the roof's picture"
    ),
    "broken_texture": Saying(
        family="edges", text=lambda v: f"ragged texture over {_percent(v)} of the roof's picture"
    ),
    "dark_hole_m2": Saying(family="holes", text=lambda v: f"dark holes of {v:.1f} m2 in the roof"),
    "hole_probability": Saying(
        family="holes", text=lambda v: f"a hole seen in the roof with probability {v:.2f}"
    ),
    "neighbour_height_fraction": Saying(
        family="height", text=lambda v: f"stands at {_percent(v)} of its neighbours' height"
    ),
    "sunk_fraction": Saying(
        family="height", text=lambda v: f"{_percent(v)} broken and no higher than a heap"
    ),
    "sunk_beside_fraction": Saying(
        family="height", text=lambda v: f"{_percent(v)} broken and lower than its neighbours"
    ),
    "roof_height_m": Saying(family="height", text=lambda v: f"roof {v:.1f} m above the ground"),
    "height_loss_fraction": Saying(
        family="height", text=lambda v: f"{_percent(v)} lower than it was or its storeys make it"
    ),
    "before_correlation": Saying(
        family="change", text=lambda v: f"correlates {v:.2f} with the picture of earlier"
    ),
    "before_lost_fraction": Saying(
        family="change", text=lambda v: f"{_percent(v)} lost more than 1.5 m since earlier"
    ),
}


def said(name: str, value: float) -> str:
    """The measure in words; its bare name and number where there are no words for it."""
    saying = SAYINGS.get(name)
    return saying.text(value) if saying else f"{name} {value:.3g}"


def family(name: str) -> str:
    """What a measure is about; two of one family say much the same."""
    saying = SAYINGS.get(name)
    return saying.family if saying else name
