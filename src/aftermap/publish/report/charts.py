"""Figures to points on small charts and plans: numbers in, positions for inline SVG out.

Charts are drawn in a box of 100 by 100, plans in one of 1000 across; y points down in both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.geo.footprint import footprint_m
from aftermap.geo.scale_bar import scale_bar_length
from aftermap.model.camera import Reconstruction, Vector3
from aftermap.model.raster import Grid
from aftermap.publish.report.contents import Contents, ControlMark, Photograph
from aftermap.publish.shared.wording import MINUS, NARROW, approximate_length, figure_text

PLAN_ACROSS = 1000.0
PLAN_MARGIN = 0.04
LONGEST_ARROW = 90.0
GOLDEN = 0.618


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A point on a chart or plan; ``kind`` names its style, ``title`` what it is."""

    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A labelled level: ``at`` is a position or a radius in the box of the chart."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """GPS residuals: east against north with rings about zero, and heights on a strip beside."""

    dots: tuple[Dot, ...]
    rings: tuple[Tick, ...]
    stated: float | None
    heights: tuple[Dot, ...]
    height_ticks: tuple[Tick, ...]


@dataclass(frozen=True, kw_only=True)
class HeightChart:
    """Per photograph, in order: what the drone recorded and what the map found."""

    recorded: tuple[Dot, ...]
    found: tuple[Dot, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, kw_only=True)
class CameraPlan:
    """Cameras, footprints and marks seen from above, over a backdrop at (x, y, across, down).

    It shows the mapped part; ``outside`` counts the cameras of other groups that lie beyond it.
    """

    across: float
    down: float
    backdrop: tuple[float, float, float, float]
    footprints: tuple[str, ...]
    cameras: tuple[Dot, ...]
    outside: int
    marks: tuple[Dot, ...]
    arrows: tuple[tuple[float, float, float, float], ...]
    arrow_times: float | None
    fill_opacity: float
    stroke_opacity: float
    scale_share: float
    scale_text: str


def residual_scatter(contents: Contents) -> Scatter | None:
    """The residuals against GPS of the mapped photographs; None where there are none."""
    known = [
        (photograph, photograph.gps_residual_m)
        for photograph in contents.photographs.placed_list
        if photograph.mapped and photograph.gps_residual_m is not None
    ]
    if not known:
        return None
    tame = [residual for photograph, residual in known if not photograph.gps_wild]
    stated = contents.gps.stated_horizontal_m or 0.0
    limit = 1.15 * max([stated, 0.01, *(math.hypot(e, n) for e, n, _ in tame)])
    limit_h = 1.15 * max([0.01, *(abs(up) for _, _, up in tame)])
    step, step_h = scale_bar_length(0.85 * limit), scale_bar_length(0.8 * limit_h)
    return Scatter(
        dots=tuple(_scatter_dot(photograph, residual, limit) for photograph, residual in known),
        rings=tuple(
            Tick(at=50 * radius / limit, text=approximate_length(radius))
            for radius in (step / 2, step)
        ),
        stated=50 * stated / limit if stated else None,
        heights=tuple(
            Dot(
                x=20 + 60 * ((index * GOLDEN) % 1),
                y=50 - 50 * float(np.clip(residual[2] / limit_h, -1, 1)),
                kind="wild" if photograph.gps_wild else "tame",
                title=f"{photograph.name}: {figure_text(residual[2], 'signed')} vertical",
            )
            for index, (photograph, residual) in enumerate(known)
        ),
        height_ticks=tuple(
            Tick(at=50 - 50 * level / limit_h, text=_level_text(level))
            for level in (step_h, 0.0, -step_h)
        ),
    )


def _level_text(level_m: float) -> str:
    return f"{level_m:+g}{NARROW}m".replace("-", MINUS) if level_m else "0"


def _scatter_dot(photograph: Photograph, residual: Vector3, limit: float) -> Dot:
    east, north = residual[:2]
    shrink = min(1.0, limit / max(math.hypot(east, north), 1e-12))
    return Dot(
        x=50 + 50 * shrink * east / limit,
        y=50 - 50 * shrink * north / limit,
        kind="wild" if photograph.gps_wild else "tame",
        title=f"{photograph.name}: {figure_text(east, 'signed')} east, "
        f"{figure_text(north, 'signed')} north",
    )


def height_chart(contents: Contents) -> HeightChart | None:
    """Heights above ground beside those recorded; None where no photograph has both."""
    both = [
        photograph
        for photograph in contents.photographs.placed_list
        if photograph.above_ground_m is not None and photograph.recorded_height_m is not None
    ]
    if not contents.flying_height.count or not both:
        return None
    found = [float(photograph.above_ground_m or 0) for photograph in both]
    recorded = [float(photograph.recorded_height_m or 0) for photograph in both]
    low, high = min(found + recorded), max(found + recorded)
    pad = max(0.15 * (high - low), 0.02 * abs(high), 0.5)
    low, high = low - pad, high + pad
    step = scale_bar_length((high - low) / 2)

    def dots(values: list[float], kind: str) -> tuple[Dot, ...]:
        return tuple(
            Dot(
                x=100 * (index + 0.5) / len(both),
                y=100 * (high - value) / (high - low),
                kind=kind,
                title=f"{photograph.name}: {figure_text(value, 'height')}",
            )
            for index, (photograph, value) in enumerate(zip(both, values, strict=True))
        )

    levels = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return HeightChart(
        recorded=dots(recorded, "recorded"),
        found=dots(found, "found"),
        ticks=tuple(
            Tick(at=100 * (high - level) / (high - low), text=f"{level:g}{NARROW}m")
            for level in levels
        ),
    )


def plan(reconstruction: Reconstruction, contents: Contents, backdrop: Grid) -> CameraPlan:
    """Where the photographs were taken from, over the map."""
    positions = [placed.pose.position_m[:2] for placed in reconstruction.mapped]
    marks = [mark for mark in contents.control.marks if mark.residual_m is not None]
    west, south, east, north = _box(backdrop, positions + [mark.position_m[:2] for mark in marks])
    scale = PLAN_ACROSS / (east - west)

    def at(xy_m: Sequence[float]) -> tuple[float, float]:
        return (xy_m[0] - west) * scale, (north - xy_m[1]) * scale

    times = _arrow_times(marks, scale)
    dots = [_camera_dot(each, *at(each.position_m)) for each in contents.photographs.placed_list]
    down = (north - south) * scale
    shown = [dot for dot in dots if 0 <= dot.x <= PLAN_ACROSS and 0 <= dot.y <= down]
    bar = scale_bar_length((east - west) / 4)
    return CameraPlan(
        across=PLAN_ACROSS,
        down=down,
        backdrop=(
            *at((backdrop.east_m, backdrop.north_m)),
            backdrop.columns * backdrop.cell_m * scale,
            backdrop.rows * backdrop.cell_m * scale,
        ),
        footprints=tuple(
            " ".join(
                f"{x:.1f},{y:.1f}"
                for x, y in map(at, footprint_m(placed, reconstruction.cameras[placed.camera]))
            )
            for placed in reconstruction.mapped
        ),
        cameras=tuple(shown),
        outside=len(dots) - len(shown),
        marks=tuple(_mark_dot(mark, *at(mark.position_m)) for mark in marks),
        arrows=tuple((*at(mark.position_m), *at(_moved(mark, times or 0))) for mark in marks),
        arrow_times=times,
        fill_opacity=float(np.clip(0.4 / len(positions), 0.003, 0.04)),
        stroke_opacity=float(np.clip(8 / len(positions), 0.12, 0.5)),
        scale_share=bar / (east - west),
        scale_text=f"{bar:g}{NARROW}{contents.unit}",
    )


def _box(backdrop: Grid, places: list[tuple[float, float]]) -> tuple[float, float, float, float]:
    corners = [
        (backdrop.east_m, backdrop.north_m),
        (
            backdrop.east_m + backdrop.columns * backdrop.cell_m,
            backdrop.north_m - backdrop.rows * backdrop.cell_m,
        ),
    ]
    every = np.array(corners + places, float)
    low, high = every.min(axis=0), every.max(axis=0)
    margin = PLAN_MARGIN * float((high - low).max())
    return low[0] - margin, low[1] - margin, high[0] + margin, high[1] + margin


def _camera_dot(photograph: Photograph, x: float, y: float) -> Dot:
    kind = "mapped" if photograph.mapped else "apart"
    return Dot(x=x, y=y, kind="wild" if photograph.gps_wild else kind, title=photograph.name)


def _mark_dot(mark: ControlMark, x: float, y: float) -> Dot:
    error = (
        ""
        if mark.horizontal_m is None
        else f", horizontal residual {approximate_length(mark.horizontal_m)}"
    )
    return Dot(x=x, y=y, kind=mark.role, title=f"{mark.name} ({mark.role}{error})")


def _arrow_times(marks: Sequence[ControlMark], scale: float) -> float | None:
    longest = max((mark.horizontal_m or 0.0 for mark in marks), default=0.0)
    return scale_bar_length(LONGEST_ARROW / (longest * scale)) if longest > 0 else None


def _moved(mark: ControlMark, times: float) -> tuple[float, float]:
    east, north, _ = mark.residual_m or (0.0, 0.0, 0.0)
    return mark.position_m[0] + times * east, mark.position_m[1] + times * north
