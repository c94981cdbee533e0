"""A finished run -> report.html and report.json: the quality of the map, in words and pictures.

The page is one file that works offline: pictures are inside it, a content security policy
forbids every request and every script, and each figure is a ``<data>`` element that carries the
value in report.json and its key there. Formats: docs/reference/report.md.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup
from pyproj import CRS

from aftermap.geo.crs import LOCAL
from aftermap.publish.report.charts import height_chart, plan, residual_scatter
from aftermap.publish.report.clip_figures import clip_figures
from aftermap.publish.report.contents import (
    FORMAT,
    VERSION,
    Contents,
    FlyingHeight,
    IndexOnlyContents,
    Run,
)
from aftermap.publish.report.facts import IndexOnlyFacts, ReportFacts
from aftermap.publish.report.figures import (
    Overviews,
    cost,
    lenses,
    map_figures,
    overviews_of,
    photographs,
    poses,
    spread,
    unit_of,
)
from aftermap.publish.report.flight_figures import flying_height
from aftermap.publish.report.images import report_images
from aftermap.publish.report.residuals import control_figures, gps_figures
from aftermap.publish.report.trust import trust_in
from aftermap.publish.report.verdict import verdict
from aftermap.publish.report.warnings import WarningFigures, cautions
from aftermap.publish.shared.files import json_text, write_whole
from aftermap.publish.shared.templates import page_environment, style_sheet
from aftermap.publish.shared.wording import (
    DATUM_NAMES,
    FOCAL_FROM,
    NOT_KNOWN,
    figure_text,
)

HTML_NAME = "report.html"
JSON_NAME = "report.json"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The page to open, its summary (the verdict) and its warnings."""

    page: Path
    verdict: tuple[str, ...]
    warnings: tuple[str, ...]


def write_report(facts: ReportFacts, folder: str | Path) -> Report:
    """Write report.html into the folder, with report.json beside it."""
    overviews = overviews_of(facts)
    contents = contents_of(facts, overviews)
    page = _page(facts, overviews, contents)
    write_whole(json_text(asdict(contents)), Path(folder) / JSON_NAME)
    return Report(
        page=write_whole(page, Path(folder) / HTML_NAME),
        verdict=contents.verdict,
        warnings=tuple(caution.text for caution in contents.warnings),
    )


def contents_of(facts: ReportFacts, overviews: Overviews) -> Contents:
    """Every figure of the report."""
    reconstruction = facts.reconstruction
    gps, control = gps_figures(reconstruction), control_figures(reconstruction.control)
    measured = WarningFigures(
        reconstruction=reconstruction,
        map=map_figures(facts, overviews),
        coverage=spread(overviews.seen, overviews.seen_surface.known),
        trust=trust_in(reconstruction, gps, control, facts.elevation.ground_sample_m),
        gps=gps,
        control=control,
        flying_height=_flying_height(facts, overviews),
        photographs=photographs(facts, overviews),
    )
    return Contents(
        format=FORMAT,
        version=VERSION,
        run=run_of(facts),
        crs=reconstruction.crs,
        crs_name=crs_name(reconstruction.crs),
        unit=unit_of(reconstruction),
        vertical_datum=str(reconstruction.vertical_datum),
        verdict=verdict(reconstruction, measured.map, measured.photographs, measured.trust),
        warnings=cautions(measured),
        notes=facts.notes,
        map=measured.map,
        coverage=measured.coverage,
        confidence=spread(overviews.agreeing, overviews.surface.known),
        trust=measured.trust,
        poses=poses(reconstruction),
        gps=gps,
        control=control,
        lenses=lenses(reconstruction),
        flying_height=measured.flying_height,
        photographs=measured.photographs,
        clips=clip_figures(facts.clips, reconstruction),
        cost=cost(facts.stages),
    )


def run_of(facts: ReportFacts | IndexOnlyFacts) -> Run:
    """Which case, command and versions a report is of."""
    return Run(
        case=facts.case_name,
        command=facts.command,
        started_at=facts.started_at,
        versions=facts.versions,
    )


def _flying_height(facts: ReportFacts, overviews: Overviews) -> FlyingHeight:
    mapped = facts.reconstruction.mapped
    if facts.reconstruction.crs != LOCAL:
        return flying_height(mapped, overviews.above_ground_m)
    unscaled = flying_height((), overviews.above_ground_m)
    return replace(unscaled, not_known="the map has no scale")


def crs_name(crs: str) -> str:
    """What a CRS is called in words."""
    return "local frame, unscaled" if crs == LOCAL else str(CRS.from_user_input(crs).name)


def page_maker(contents: Contents | IndexOnlyContents, unit: str) -> Environment:
    """The templates of a page: they look figures up by key and escape all text."""
    environment = page_environment()
    environment.globals["figure"] = _Figures(contents, unit)
    return environment


def _page(facts: ReportFacts, overviews: Overviews, contents: Contents) -> str:
    environment = page_maker(contents, contents.unit)
    pictures = report_images(facts, overviews, contents)
    return environment.get_template("report.html").render(
        c=contents,
        css=style_sheet("report.css"),
        pictures=pictures,
        scatter=residual_scatter(contents),
        heights=height_chart(contents),
        plan=plan(facts.reconstruction, contents, pictures.backdrop_grid),
        datum_name=DATUM_NAMES[facts.reconstruction.vertical_datum],
        focal_from={str(source): words for source, words in FOCAL_FROM.items()},
        shares=_shares(contents),
        longest_cpu_s=max((stage.cpu_s for stage in contents.cost.stages), default=0) or 1,
    )


def _shares(contents: Contents) -> dict[str, str]:
    """How long the bar of each legend class is, in percent."""
    return {
        f"{section}.classes.{index}": f"{each.fraction * 100:.1f}"
        for section, spread_ in (
            ("coverage", contents.coverage),
            ("confidence", contents.confidence),
        )
        for index, each in enumerate(spread_.classes)
    }


class _Figures:
    """Looks a figure up by its key in report.json and writes it as a ``<data>`` element."""

    def __init__(self, contents: Contents | IndexOnlyContents, unit: str) -> None:
        self._root: Any = asdict(contents)
        self._unit = unit

    def __call__(self, path: str, kind: str) -> Markup:
        value: Any = self._root
        for key in path.split("."):
            value = value[int(key)] if key.isdigit() else (None if value is None else value[key])
            if value is None:
                break
        if value is None:
            return Markup('<span class="unknown" data-key="{}">{}</span>').format(path, NOT_KNOWN)
        words = figure_text(value, kind, unit=self._unit)
        return Markup('<data value="{}" data-key="{}">{}</data>').format(repr(value), path, words)
