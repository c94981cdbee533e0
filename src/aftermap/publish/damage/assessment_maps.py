"""Buildings and streets -> vector shapes over a grey orthophoto, for a page that asks for nothing.

Shapes of one colour are one path, so that a city stays a small file. Coordinates of the drawing are
pixels of the backdrop, x right and y down.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import shapely
from PIL import Image

from aftermap.geo.arrays import Array
from aftermap.geo.scale_bar import scale_bar_length
from aftermap.model.assessment import GRADES, Assessment
from aftermap.model.building import Building
from aftermap.model.raster import Grid, Orthophoto
from aftermap.model.street import Passage, StreetTable
from aftermap.publish.shared.overview import colour_overview
from aftermap.publish.shared.ramps import GRADE_COLOURS
from aftermap.publish.shared.wording import NARROW

LONGEST = 1600
PASSAGE_COLOURS = {
    Passage.TRUCK: "#2c7bb6",
    Passage.CAR: "#7fb8d6",
    Passage.NOBODY: "#d7191c",
    Passage.NOT_SEEN: "#8a8f94",
}
SEEN_COLOURS = ("#440154", "#3b528b", "#21918c", "#90d743")
SEEN_FROM = (0.0, 0.5, 0.8, 0.95)
"""Shares of a roof that was measured, from which each colour stands."""
HATCHED = "hatched"
OPACITIES = ((0.8, 0.95), (0.5, 0.7), (0.0, 0.45))
"""From which confidence a building is how opaque."""


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Shapes that look alike: their class on the page, how opaque, and an SVG path."""

    kind: str
    colour: str
    opacity: float
    path: str


@dataclass(frozen=True, kw_only=True)
class Backdrop:
    """The orthophoto in pale grey, its grid, and its scale bar as a share of its width."""

    uri: str
    grid: Grid
    scale_share: float
    scale_text: str


def backdrop_of(orthophoto: Orthophoto) -> Backdrop:
    """A picture of a few hundred kilobytes, whatever the size of the map."""
    grid, rgba = colour_overview(orthophoto.image, LONGEST)
    light = rgba[..., :3].astype(np.float32).mean(-1)
    pale = (110 + light * 0.5).clip(0, 255)
    grey = np.dstack([pale, pale, pale, rgba[..., 3]]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "WEBP", quality=62, method=3)
    width_m = grid.columns * grid.cell_m
    bar = scale_bar_length(width_m / 4)
    return Backdrop(
        uri="data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"),
        grid=grid,
        scale_share=bar / width_m,
        scale_text=f"{bar:g}{NARROW}m",
    )


def by_grade(
    buildings: Iterable[Building], given: Iterable[Assessment], grid: Grid
) -> tuple[Shapes, ...]:
    """Buildings by grade, the surer the more opaque; without a grade hatched."""
    found: dict[tuple[str, float], list[str]] = {}
    for building, one in zip(buildings, given, strict=True):
        opacity = 1.0
        if one.grade is not None:
            sure = 1.0 if one.confidence is None else one.confidence
            opacity = next(value for least, value in OPACITIES if sure >= least)
        kind = HATCHED if one.grade is None else str(one.grade)
        found.setdefault((kind, opacity), []).append(_outline(building, grid))
    order = (HATCHED, *(str(grade) for grade in GRADES))
    return _joined(found, {**GRADE_COLOURS, HATCHED: ""}, order)


def by_visibility(
    buildings: Iterable[Building], given: Iterable[Assessment], grid: Grid
) -> tuple[Shapes, ...]:
    """Buildings by the share of their roof that was measured; hatched where that is not known."""
    found: dict[tuple[str, float], list[str]] = {}
    for building, one in zip(buildings, given, strict=True):
        kind = HATCHED if one.visibility is None else str(seen_class(one.visibility.roof_fraction))
        found.setdefault((kind, 0.9), []).append(_outline(building, grid))
    colours = {str(place): colour for place, colour in enumerate(SEEN_COLOURS)} | {HATCHED: ""}
    return _joined(found, colours, tuple(colours))


def seen_class(roof_fraction: float) -> int:
    """Which of ``SEEN_FROM`` a share of a roof belongs to."""
    return max(place for place, least in enumerate(SEEN_FROM) if roof_fraction >= least)


def by_passage(table: StreetTable, grid: Grid) -> tuple[tuple[Shapes, ...], Mapping[str, float]]:
    """Streets by who gets through, and how many metres of each."""
    found: dict[tuple[str, float], list[str]] = {}
    metres = dict.fromkeys(map(str, Passage), 0.0)
    with pq.ParquetFile(table.path) as file:
        for batch in file.iter_batches(columns=["geometry", "passage", "length_m"]):
            for row in batch.to_pylist():
                metres[row["passage"]] += row["length_m"]
                line = shapely.get_coordinates(shapely.from_wkb(row["geometry"]))
                found.setdefault((row["passage"], 1.0), []).append("M" + _places(line, grid))
    colours = {str(kind): colour for kind, colour in PASSAGE_COLOURS.items()}
    order = (Passage.NOT_SEEN, Passage.TRUCK, Passage.CAR, Passage.NOBODY)
    return _joined(found, colours, tuple(map(str, order))), metres


def _joined(
    found: Mapping[tuple[str, float], list[str]], colours: Mapping[str, str], order: tuple[str, ...]
) -> tuple[Shapes, ...]:
    return tuple(
        Shapes(kind=kind, colour=colours[kind], opacity=opacity, path="".join(found[kind, opacity]))
        for kind, opacity in sorted(found, key=lambda key: (order.index(key[0]), key[1]))
    )


def _outline(building: Building, grid: Grid) -> str:
    rings = [np.asarray(ring[:-1], float) for rings in building.polygons_m for ring in rings]
    return "".join(f"M{_places(ring, grid)}Z" for ring in rings)


def _places(xy_m: Array, grid: Grid) -> str:
    x = (xy_m[:, 0] - grid.east_m) / grid.cell_m
    y = (grid.north_m - xy_m[:, 1]) / grid.cell_m
    return " ".join(f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
