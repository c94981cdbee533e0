"""An index-only run -> report.html and report.json: its poses, its clips, and why it has no map.

The same page as that of a map in style and rules; docs/reference/report.md.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from aftermap.geo.crs import LOCAL
from aftermap.model.camera import Reconstruction
from aftermap.model.media import FocalSource
from aftermap.model.raster import Elevation
from aftermap.publish.report.clip_figures import clip_figures
from aftermap.publish.report.contents import (
    FORMAT,
    VERSION,
    Caution,
    CautionCode,
    ClipFigures,
    IndexOnlyContents,
    Photographs,
    SurfaceFigures,
)
from aftermap.publish.report.facts import IndexOnlyFacts
from aftermap.publish.report.figures import cost, lenses, photographs, poses, unit_of
from aftermap.publish.report.flight_figures import height_to_base
from aftermap.publish.report.page import HTML_NAME, JSON_NAME, Report, crs_name, page_maker, run_of
from aftermap.publish.report.pose_plan import pose_plan
from aftermap.publish.shared.files import json_text, write_whole
from aftermap.publish.shared.templates import style_sheet
from aftermap.publish.shared.wording import DATUM_NAMES, FOCAL_FROM, approximate_length, figure_text

NARROW_TIMES = 10.0
"""Distance to the ground over distance to the next pictures, from which depth is weak: an error of
a pixel across is one of ten in depth."""
MANY_LEFT_OUT_FRACTION = 0.4
SEARCH = "Search them with aftermap seen."
TELEMETRY_ONLY = (
    "Locations from telemetry only do not identify a building, only the area within their CE90."
)


def write_index_only_report(facts: IndexOnlyFacts, folder: str | Path) -> Report:
    """Write report.html into the folder, with report.json beside it."""
    contents = index_only_contents_of(facts)
    page = (
        page_maker(contents, contents.unit)
        .get_template("unmapped.html")
        .render(
            c=contents,
            css=style_sheet("report.css"),
            plan=pose_plan(facts.reconstruction, contents.unit),
            datum_name=DATUM_NAMES[facts.reconstruction.vertical_datum],
            focal_from={str(source): words for source, words in FOCAL_FROM.items()},
            longest_cpu_s=max((stage.cpu_s for stage in contents.cost.stages), default=0) or 1,
        )
    )
    write_whole(json_text(asdict(contents)), Path(folder) / JSON_NAME)
    return Report(
        page=write_whole(page, Path(folder) / HTML_NAME),
        verdict=contents.verdict,
        warnings=tuple(one.text for one in contents.warnings),
    )


def index_only_contents_of(facts: IndexOnlyFacts) -> IndexOnlyContents:
    """Every figure of the report."""
    made = facts.reconstruction
    clips = clip_figures(facts.clips, made)
    images = photographs(facts)
    return IndexOnlyContents(
        format=FORMAT,
        version=VERSION,
        run=run_of(facts),
        crs=made.crs,
        crs_name=crs_name(made.crs),
        unit=unit_of(made),
        vertical_datum=str(made.vertical_datum),
        verdict=_verdict(facts, clips, images),
        why=facts.why,
        next_steps=next_steps(made, images),
        warnings=_warnings(made),
        notes=facts.notes,
        map=None,
        surface=None if facts.elevation is None else _surface(facts.elevation),
        poses=poses(made) if made.placed else None,
        lenses=lenses(made),
        photographs=images,
        clips=clips,
        left_out_list=images.left_out_list,
        cost=cost(facts.stages),
    )


def _surface(elevation: Elevation) -> SurfaceFigures:
    return SurfaceFigures(
        surface_cell_m=elevation.surface.grid.cell_m,
        ground_sample_m=elevation.ground_sample_m,
        measured_fraction=elevation.measured_fraction,
        filled_fraction=elevation.filled_fraction,
    )


def _verdict(
    facts: IndexOnlyFacts, clips: tuple[ClipFigures, ...], images: Photographs
) -> tuple[str, ...]:
    sentences = [_what_is_missing(facts)]
    if images.placed:
        were = "image was" if images.placed == 1 else "images were"
        where = (
            " in a local frame without position, scale or north"
            if facts.reconstruction.crs == LOCAL
            else ""
        )
        sentences.append(
            f"{images.placed} {were} aligned{where}. cameras.json has their positions and accuracy."
        )
    seconds = sum(one.seconds for clip in clips for one in clip.placed)
    if seconds:
        placed = sum(1 for clip in clips if clip.placed)
        were = "clip was" if placed == 1 else "clips were"
        within = _within_m(facts)
        known = "" if within is None else f", with a median CE90 of {approximate_length(within)}"
        sentences += [
            f"{placed} {were} located, {seconds} seconds in total{known}. {SEARCH}",
            TELEMETRY_ONLY,
        ]
    return tuple(sentences)


def _what_is_missing(facts: IndexOnlyFacts) -> str:
    if facts.elevation is not None:
        share = figure_text(facts.elevation.measured_fraction, "share")
        return (
            "There is no orthophoto: it could not be rendered. The surface model surface.tif was "
            f"produced; {share} of it is measured."
        )
    if facts.reconstruction.placed:
        return "There is no map: no surface could be measured from the aligned images."
    return "There is no map: the images could not be aligned."


def next_steps(made: Reconstruction, images: Photographs) -> tuple[str, ...]:
    """What to do about a missing map, from what the poses show; ``why`` is a field of its own."""
    steps = []
    ratio = height_to_base(made.mapped) if made.placed else None
    if ratio is not None and ratio > NARROW_TIMES:
        steps.append(
            f"The baseline is too short: the distance to the scene is {ratio:.0f} times the "
            "distance between images, so depth is weak. Add images taken farther apart, or flown "
            "across the viewing direction."
        )
    tried = images.placed + sum(1 for one in made.skipped if one.sha256 is not None)
    if made.placed and len(made.placed) < (1 - MANY_LEFT_OUT_FRACTION) * tried:
        steps.append(
            f"Only {images.placed} of {tried} images could be aligned. Add images of the ground in "
            "between, each overlapping the next by 60 % or more."
        )
    if made.placed and made.crs == LOCAL:
        steps.append(
            "Add telemetry (SRT, CSV or GPX files beside the clips) or ground control points "
            "(--gcp) to give the cameras position, scale and vertical datum."
        )
    if made.placed:
        steps.append(
            "Check the plan of camera positions: cameras at one point, or moving along their "
            "viewing direction, measure little depth. For a map, use images that look down at 45 "
            "to 90 degrees and overlap by 60 % or more."
        )
    return (*steps, "Run the same command with more footage; finished results are reused.")


def _warnings(made: Reconstruction) -> tuple[Caution, ...]:
    """What to know before using the poses; the grave ones first."""
    found = []
    if made.placed and made.crs == LOCAL:
        found.append(
            Caution(
                code=CautionCode.LOCAL,
                grave=True,
                text="The camera positions are not georeferenced: they have no position, scale or "
                "north, because no image records where it was taken. Lengths in cameras.json are "
                "not metres.",
            )
        )
    if any(one.focal_prior_source is FocalSource.ASSUMED for one in made.cameras):
        found.append(
            Caution(
                code=CautionCode.FOCAL_ASSUMED,
                grave=True,
                text="The images record no focal length, so a typical value was assumed. Distances "
                "along the viewing direction may be wrong by 10 % or more.",
            )
        )
    told = [
        Caution(code=CautionCode.RECONSTRUCTION, text=text, grave=False) for text in made.warnings
    ]
    return (*found, *told)


def _within_m(facts: IndexOnlyFacts) -> float | None:
    """Median CE90 of the moments that were placed."""
    circles = [
        pq.read_table(one.index.footprints, columns=["ce90_m"])["ce90_m"].to_numpy()
        for one in facts.clips
        if one.index is not None
    ]
    known = np.concatenate(circles) if circles else np.empty(0)
    known = known[np.isfinite(known.astype(float))]
    return float(np.median(known)) if known.size else None
