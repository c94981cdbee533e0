"""The measures of a building in one table: their names, and what each says in words.

A measure has a row here and is computed by a function that ``measure.py`` lists. Reference:
docs/reference/measures.md. docs/architecture.md has a recipe for a new one.
"""

from collections.abc import Callable
from dataclasses import dataclass

NamedValues = dict[str, tuple[float, float]]
"""What was measured of one building: (value, one standard deviation) by name, NaN not known."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure: ``name`` carries its unit.

    It is a column of ``measures.parquet`` (and ``NAME_sigma`` another), and rows of the table
    ``measurement`` of ``case.gpkg``, one for each building that it is known of.

    ``text`` says a value in words, as a reason of a grade; a measure without it is told by its
    bare name. Of one ``family`` only the measure that weighs most is told.
    """

    name: str
    family: str = ""
    text: Callable[[float], str] | None = None


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _times(log2: float) -> str:
    """A ratio told by its logarithm, in words."""
    return f"{2**log2:.1f} times that"


MEASURES: tuple[Measure, ...] = (
    Measure(name="measured_fraction"),
    Measure(name="filled_fraction"),
    Measure(name="empty_fraction"),
    Measure(name="photographs"),
    Measure(name="height_m"),
    Measure(
        name="roof_height_m", family="height", text=lambda v: f"roof {v:.1f} m above the ground"
    ),
    Measure(
        name="height_spread_fraction",
        family="spread",
        text=lambda v: f"heights spread over {_percent(v)} of the roof's height",
    ),
    Measure(
        name="below_half_fraction",
        family="missing",
        text=lambda v: f"{_percent(v)} of the footprint below half height",
    ),
    Measure(
        name="plane_residual_m", family="planes", text=lambda v: f"roof plane residual {v:.2f} m"
    ),
    Measure(name="plane_count"),
    Measure(
        name="plane_fraction",
        family="planes",
        text=lambda v: f"{_percent(v)} of the roof on planes",
    ),
    Measure(
        name="largest_plane_fraction",
        family="planes",
        text=lambda v: f"largest roof plane covers {_percent(v)}",
    ),
    Measure(
        name="lower_plane_fraction",
        family="floors",
        text=lambda v: f"{_percent(v)} of the footprint on floors below the roof",
    ),
    Measure(
        name="standing_fraction",
        family="planes",
        text=lambda v: f"{_percent(v)} of the roof at its original height",
    ),
    Measure(
        name="whole_fraction",
        family="whole",
        text=lambda v: f"{_percent(v)} of the footprint is roof that looks intact",
    ),
    Measure(
        name="broken_fraction",
        family="whole",
        text=lambda v: f"{_percent(v)} of the footprint has broken texture",
    ),
    Measure(
        name="fallen_fraction",
        family="missing",
        text=lambda v: f"{_percent(v)} of the footprint collapsed to near the ground",
    ),
    Measure(name="bare_fraction"),
    Measure(
        name="low_fraction",
        family="missing",
        text=lambda v: f"{_percent(v)} of the roof missing by more than 1 m",
    ),
    Measure(
        name="hole_fraction",
        family="missing",
        text=lambda v: f"holes over {_percent(v)} of the roof",
    ),
    Measure(name="hole_count"),
    Measure(
        name="hole_width_m",
        family="missing",
        text=lambda v: f"widest hole in the roof {v:.1f} m",
    ),
    Measure(
        name="edge_loss_fraction",
        family="missing",
        text=lambda v: f"{_percent(v)} of the roof missing at its edge",
    ),
    Measure(
        name="ragged_loss_fraction",
        family="missing",
        text=lambda v: f"{_percent(v)} of the roof missing at its edge, with a ragged border",
    ),
    Measure(
        name="deepest_m",
        family="missing",
        text=lambda v: f"lowest points {v:.1f} m below the roof plane",
    ),
    Measure(name="raised_fraction"),
    Measure(name="roughness_m"),
    Measure(name="rough_fraction"),
    Measure(
        name="normal_entropy",
        family="facing",
        text=lambda v: f"roof normal entropy {v:.2f} (0-1)",
    ),
    Measure(
        name="apron_fraction",
        family="apron",
        text=lambda v: f"rubble on {_percent(v)} of the ground within 5 m",
    ),
    Measure(name="apron_height_m"),
    Measure(name="apron_sides", family="apron", text=lambda v: f"rubble on {v:.0f} of 4 sides"),
    Measure(
        name="walls_fraction",
        family="walls",
        text=lambda v: f"{_percent(v)} of the outline with something standing over 2.2 m",
    ),
    Measure(
        name="gradient_isotropy",
        family="edges",
        text=lambda v: f"gradient isotropy {v:.2f} (0-1)",
    ),
    Measure(
        name="edge_entropy",
        family="edges",
        text=lambda v: f"edge direction entropy {v:.2f} (0-1)",
    ),
    Measure(
        name="edge_fraction",
        family="edges",
        text=lambda v: f"edges over {_percent(v)} of the roof image",
    ),
    Measure(name="contrast"),
    Measure(
        name="broken_texture",
        family="edges",
        text=lambda v: f"ragged texture over {_percent(v)} of the roof image",
    ),
    Measure(name="dust_fraction"),
    Measure(
        name="dark_fraction",
        family="soot",
        text=lambda v: f"{_percent(v)} of the roof image dark, as of soot or shade",
    ),
    Measure(
        name="dark_hole_m2", family="holes", text=lambda v: f"{v:.1f} m² of dark holes in the roof"
    ),
    Measure(name="dark_hole_count"),
    Measure(
        name="hole_probability",
        family="holes",
        text=lambda v: f"a hole in the roof with probability {v:.2f}",
    ),
    Measure(
        name="neighbour_height_fraction",
        family="height",
        text=lambda v: f"{_percent(v)} of its neighbours' height",
    ),
    Measure(
        name="sunk_fraction",
        family="height",
        text=lambda v: f"index of broken texture at rubble height: {_percent(v)}",
    ),
    Measure(
        name="sunk_beside_fraction",
        family="height",
        text=lambda v: f"index of broken texture below the neighbours' height: {_percent(v)}",
    ),
    Measure(
        name="height_loss_fraction",
        family="height",
        text=lambda v: f"height loss of {_percent(v)}, relative to pre-event height or storeys",
    ),
    Measure(
        name="broken_excess_log2",
        family="whole",
        text=lambda v: f"broken texture and shape {_times(v)} of whole roofs on this map",
    ),
    Measure(
        name="edge_excess_log2",
        family="edges",
        text=lambda v: f"edges in the roof image {_times(v)} of whole roofs on this map",
    ),
    Measure(
        name="texture_excess_log2",
        family="edges",
        text=lambda v: f"ragged texture {_times(v)} of whole roofs on this map",
    ),
    Measure(
        name="rough_excess_log2",
        family="rough",
        text=lambda v: f"rough share of the roof {_times(v)} of whole roofs on this map",
    ),
    Measure(
        name="roughness_excess_log2",
        family="rough",
        text=lambda v: f"roof roughness {_times(v)} of whole roofs on this map",
    ),
    Measure(
        name="residual_excess_log2",
        family="planes",
        text=lambda v: f"roof plane residual {_times(v)} of whole roofs on this map",
    ),
    Measure(
        name="hole_probability_excess",
        family="holes",
        text=lambda v: f"hole probability {v:+.2f} beside whole roofs on this map",
    ),
    Measure(name="before_loss_m"),
    Measure(
        name="before_lost_fraction",
        family="change",
        text=lambda v: f"height loss of more than 1.5 m over {_percent(v)}",
    ),
    Measure(name="before_height_m"),
    Measure(
        name="before_correlation",
        family="change",
        text=lambda v: f"correlation {v:.2f} with the pre-event image",
    ),
)
NAMES = tuple(measure.name for measure in MEASURES)
"""The names in the order of the columns of ``measures.parquet``."""


def in_words(name: str, value: float) -> str:
    """The measure in words; its bare name and number where there are no words for it."""
    measure = _named(name)
    return measure.text(value) if measure.text else f"{name} {value:.3g}"


def family(name: str) -> str:
    """What a measure is about; two of one family say much the same."""
    return _named(name).family or name


def _named(name: str) -> Measure:
    return next((one for one in MEASURES if one.name == name), Measure(name=name))
