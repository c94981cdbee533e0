"""A finished run without a map to report.html and report.json: its poses, its clips, and why.

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
    ClipFigures,
    Photographs,
    Run,
    SurfaceFigures,
    UnmappedContents,
)
from aftermap.publish.report.facts import UnmappedFacts
from aftermap.publish.report.figures import cost, lenses, photographs, poses, unit_of
from aftermap.publish.report.flight_figures import height_to_base
from aftermap.publish.report.page import HTML_NAME, JSON_NAME, Report, crs_name, page_maker
from aftermap.publish.report.pose_plan import pose_plan
from aftermap.publish.shared.files import json_text, write_whole
from aftermap.publish.shared.templates import style_sheet
from aftermap.publish.shared.wording import DATUM_NAMES, FOCAL_FROM, approximate_length, figure_text

NARROW_TIMES = 10.0
"""Distance to the ground over distance to the next pictures, from which depth is weak: an error of
a pixel across is one of ten in depth."""
MANY_LEFT_OUT_FRACTION = 0.4


def write_unmapped_report(facts: UnmappedFacts, folder: str | Path) -> Report:
    """Write report.html into the folder, with report.json beside it."""
    contents = unmapped_contents_of(facts)
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


def unmapped_contents_of(facts: UnmappedFacts) -> UnmappedContents:
    """Every figure of the report."""
    made = facts.reconstruction
    clips = clip_figures(facts.clips, made)
    pictures = photographs(facts)
    return UnmappedContents(
        format=FORMAT,
        version=VERSION,
        run=Run(
            case=facts.case_name,
            command=facts.command,
            started_at=facts.started_at,
            versions=facts.versions,
        ),
        crs=made.crs,
        crs_name=crs_name(made.crs),
        unit=unit_of(made),
        vertical_datum=str(made.vertical_datum),
        verdict=_verdict(facts, clips, pictures),
        why=facts.why,
        next_steps=next_steps(made, pictures),
        warnings=_warnings(made),
        notes=facts.notes,
        map=None,
        surface=None if facts.elevation is None else _surface(facts.elevation),
        poses=poses(made) if made.placed else None,
        lenses=lenses(made),
        photographs=pictures,
        clips=clips,
        left_out_list=pictures.left_out_list,
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
    facts: UnmappedFacts, clips: tuple[ClipFigures, ...], pictures: Photographs
) -> tuple[str, ...]:
    sentences = [_what_is_missing(facts)]
    if pictures.placed:
        were = "picture was" if pictures.placed == 1 else "pictures were"
        where = (
            "in a frame without place, scale or north; "
            if facts.reconstruction.crs == LOCAL
            else ""
        )
        sentences.append(
            f"{pictures.placed} {were} placed {where}cameras.json says where each was taken from "
            "and how surely."
        )
    seconds = sum(one.seconds for clip in clips for one in clip.placed)
    if seconds:
        placed = sum(1 for clip in clips if clip.placed)
        were = "clip was" if placed == 1 else "clips were"
        within = _within_m(facts)
        known = (
            ""
            if within is None
            else f"; half of them hold to within {approximate_length(within)} (CE90)"
        )
        sentences += [
            f"{placed} {were} placed, {seconds} seconds in all{known}; aftermap seen asks them.",
            "Places by telemetry alone name no building, only what lies within so many metres.",
        ]
    return tuple(sentences)


def _what_is_missing(facts: UnmappedFacts) -> str:
    if facts.elevation is not None:
        share = figure_text(facts.elevation.measured_fraction, "share")
        return (
            f"There is no orthophoto: the surface could not be coloured. surface.tif is there, "
            f"{share} of it measured."
        )
    if facts.reconstruction.placed:
        return "There is no map: no surface could be measured from the pictures that were placed."
    return "There is no map: the pictures could not be joined."


def next_steps(made: Reconstruction, pictures: Photographs) -> tuple[str, ...]:
    """What to do about a map that is missing, by what the poses show; ``why`` is told apart."""
    steps = []
    ratio = height_to_base(made.mapped) if made.placed else None
    if ratio is not None and ratio > NARROW_TIMES:
        steps.append(
            f"The pictures stand close together for what they look at: it is {ratio:.0f} times as "
            "far away as they are apart, so depth is weak. Add pictures taken farther apart, or "
            "flown across the view instead of along it."
        )
    tried = pictures.placed + sum(1 for one in made.skipped if one.sha256 is not None)
    if made.placed and len(made.placed) < (1 - MANY_LEFT_OUT_FRACTION) * tried:
        steps.append(
            f"Only {pictures.placed} of {tried} pictures could be joined. Add pictures of what "
            "lies between them, each of which overlaps the next by 60 % or more."
        )
    if made.placed and made.crs == LOCAL:
        steps.append(
            "Give the telemetry of the clips (SRT, CSV, GPX beside them) or ground control points "
            "(--gcp): then the cameras have a place, a scale and a level."
        )
    if made.placed:
        steps.append(
            "Look at the plan: where the cameras stand in one point, or fly straight along their "
            "view, little can be measured. Pictures that look down at 45 to 90 degrees and overlap "
            "by 60 % or more make a map."
        )
    return (*steps, "The same command with more footage reuses everything that is finished.")


def _warnings(made: Reconstruction) -> tuple[Caution, ...]:
    """What to know before using the poses; the grave ones first."""
    found = []
    if made.placed and made.crs == LOCAL:
        found.append(
            Caution(
                code="local",
                grave=True,
                text="The positions have no place on the globe, no scale and no north: nothing "
                "says where a picture was taken. Lengths in cameras.json are not metres.",
            )
        )
    if any(one.focal_prior_source is FocalSource.ASSUMED for one in made.cameras):
        found.append(
            Caution(
                code="focal_assumed",
                grave=True,
                text="The pictures do not say which lens took them, so its focal length was "
                "assumed: distances along the view may be wrong by a tenth or more.",
            )
        )
    told = [Caution(code="reconstruction", text=text, grave=False) for text in made.warnings]
    return (*found, *told)


def _within_m(facts: UnmappedFacts) -> float | None:
    """Median CE90 of the moments that were placed."""
    circles = [
        pq.read_table(one.index.footprints, columns=["ce90_m"])["ce90_m"].to_numpy()
        for one in facts.clips
        if one.index is not None
    ]
    known = np.concatenate(circles) if circles else np.empty(0)
    known = known[np.isfinite(known.astype(float))]
    return float(np.median(known)) if known.size else None
