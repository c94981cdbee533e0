"""Numbers to colours that survive colour blindness and a grey printer.

Both ramps rise evenly in lightness: viridis (van der Walt and Smith 2015) for counts, cividis
(Nunez, Anderton and Renslow 2018, doi:10.1371/journal.pone.0199239) for heights, each from a few
of its colours with straight lines between them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Float32Array

VIRIDIS = (
    "#440154",
    "#482878",
    "#3e4a89",
    "#31688e",
    "#26828e",
    "#1f9e89",
    "#35b779",
    "#6ece58",
    "#b5de2b",
    "#fde725",
)
CIVIDIS = (
    "#00204d",
    "#00336f",
    "#39486b",
    "#575c6d",
    "#707173",
    "#8a8779",
    "#a69d75",
    "#c4b56c",
    "#e4cf5b",
    "#ffea46",
)

GRADE_COLOURS = {
    "none": "#2c7bb6",
    "light": "#abd9e9",
    "moderate": "#fee090",
    "severe": "#f46d43",
    "destroyed": "#a50026",
}
"""Of the grades of damage, also in the workbench and in QGIS: blue to red, apart to a colour-blind
eye as well (RdYlBu of ColorBrewer, Brewer 2003)."""


def coloured(share: npt.ArrayLike, ramp: Sequence[str]) -> Float32Array:
    """(..., 3) float32 red, green, blue in 0..255 of shares in 0..1 along the ramp."""
    share = np.clip(np.nan_to_num(np.asarray(share, np.float32)), 0, 1)
    stops = np.linspace(0, 1, len(ramp))
    table = np.array([_rgb(colour) for colour in ramp], float)
    bands = [np.interp(share, stops, table[:, band]) for band in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)


def hex_colour(share: float, ramp: Sequence[str]) -> str:
    """One colour of the ramp as #rrggbb."""
    red, green, blue = (round(float(value)) for value in coloured(share, ramp))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
