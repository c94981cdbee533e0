"""Arrays to pictures that travel inside the page: data URIs, WebP, transparent where empty."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from aftermap.geo.arrays import BoolArray, ByteArray, Uint16Array
from aftermap.geo.scale_bar import scale_bar_length
from aftermap.model.raster import Grid
from aftermap.publish.report.contents import Contents, CountClass, Spread
from aftermap.publish.report.count_map import class_shares, classed
from aftermap.publish.report.facts import ReportFacts
from aftermap.publish.report.figures import Overviews
from aftermap.publish.shared.overview import colour_overview
from aftermap.publish.shared.ramps import CIVIDIS, VIRIDIS, hex_colour
from aftermap.publish.shared.relief import relief, with_hatch
from aftermap.publish.shared.wording import NARROW, approximate_length

ORTHO_LONGEST = 1800
PLAN_LONGEST = 1000
OVERVIEW_LONGEST_PX = 640
CLASSED_LEAST_PX = 900
LOSSY_QUALITY = 84


@dataclass(frozen=True, kw_only=True)
class MapPicture:
    """A picture of the map with its scale bar: a share of its width, and what that is."""

    uri: str
    width_px: int
    height_px: int
    scale_share: float
    scale_text: str


@dataclass(frozen=True, kw_only=True)
class LegendClass:
    """One colour of a legend; no colour means hatched. ``path`` is the key of its class."""

    colour: str | None
    text: str
    path: str
    limited: bool


@dataclass(frozen=True, kw_only=True)
class ReportImages:
    """Everything the page shows of the rasters, and how to read it."""

    glance: MapPicture
    orthophoto: MapPicture
    relief: MapPicture
    coverage: MapPicture
    confidence: MapPicture
    backdrop: MapPicture
    backdrop_grid: Grid
    ramp: tuple[str, ...]
    coverage_legend: tuple[LegendClass, ...]
    confidence_legend: tuple[LegendClass, ...]


def report_images(facts: ReportFacts, overviews: Overviews, contents: Contents) -> ReportImages:
    """The pictures of a report, a few megabytes at most whatever the size of the map."""
    unit = contents.unit
    grid, ortho = colour_overview(facts.orthophoto.image, ORTHO_LONGEST)
    backdrop_grid, backdrop = colour_overview(facts.orthophoto.image, PLAN_LONGEST)
    surface, seen = overviews.surface, overviews.seen_surface
    low, high = contents.map.low_m or 0.0, contents.map.high_m or 0.0
    shaded = with_hatch(
        relief(surface.measured_m, surface.grid.cell_m, low, high), surface.known & surface.filled
    )
    glance_grid, glance = colour_overview(facts.orthophoto.image, OVERVIEW_LONGEST_PX)
    return ReportImages(
        glance=_picture(glance, glance_grid, unit, quality=70),
        orthophoto=_picture(ortho, grid, unit, quality=LOSSY_QUALITY),
        relief=_picture(shaded, surface.grid, unit, quality=LOSSY_QUALITY),
        coverage=_classed(overviews.seen, seen.known, seen.grid, contents.coverage, unit),
        confidence=_classed(
            overviews.agreeing, surface.known, surface.grid, contents.confidence, unit
        ),
        backdrop=_picture(_faded(backdrop), backdrop_grid, unit, quality=60),
        backdrop_grid=backdrop_grid,
        ramp=CIVIDIS,
        coverage_legend=_legend(contents.coverage.classes, "coverage", "none"),
        confidence_legend=_legend(
            contents.confidence.classes, "confidence", "filled, not measured"
        ),
    )


def _picture(rgba: ByteArray, grid: Grid, unit: str, *, quality: int | None) -> MapPicture:
    """``quality`` None keeps every colour as it is."""
    buffer = io.BytesIO()
    options: dict[str, Any] = {"lossless": True} if quality is None else {"quality": quality}
    Image.fromarray(rgba).save(buffer, "WEBP", method=3, **options)
    width_m = grid.columns * grid.cell_m
    bar = scale_bar_length(width_m / 4)
    return MapPicture(
        uri="data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"),
        width_px=rgba.shape[1],
        height_px=rgba.shape[0],
        scale_share=bar / width_m,
        scale_text=f"{bar:g}{NARROW}m"
        if unit == "m" and bar >= 1
        else approximate_length(bar, unit=unit),
    )


def _classed(
    counts: Uint16Array,
    known: BoolArray,
    grid: Grid,
    spread: Spread,
    unit: str,
) -> MapPicture:
    """Cells enlarged whole, so that an edge stays an edge and the hatching fine."""
    times = max(1, round(CLASSED_LEAST_PX / max(counts.shape)))
    larger = counts.repeat(times, 0).repeat(times, 1)
    shown = known.repeat(times, 0).repeat(times, 1)
    return _picture(classed(larger, shown, spread.classes), grid, unit, quality=None)


def _legend(classes: tuple[CountClass, ...], section: str, zero: str) -> tuple[LegendClass, ...]:
    return tuple(
        LegendClass(
            colour=hex_colour(share, VIRIDIS) if each.least else None,
            text=_class_text(each) if each.least else zero,
            path=f"{section}.classes.{index}",
            limited=each.most is not None,
        )
        for index, (each, share) in enumerate(zip(classes, class_shares(classes), strict=True))
    )


def _class_text(each: CountClass) -> str:
    if each.most is None:
        return f"{each.least} or more"
    return str(each.least) if each.least == each.most else f"{each.least} to {each.most}"


def _faded(rgba: ByteArray) -> ByteArray:
    """Greyer and paler, so that lines drawn on it can be seen."""
    rgb = rgba[..., :3].astype(np.float32)
    grey = rgb.mean(axis=-1, keepdims=True)
    pale = 255 - (255 - (0.35 * rgb + 0.65 * grey)) * 0.62
    return np.concatenate([pale.astype(np.uint8), rgba[..., 3:]], axis=-1)
