"""A finished run without a map to report.html and report.json: what its clips saw, and why no map.

The same page as that of a map in style and rules; docs/formats/report.md.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from aftermap.publish.clips import clip_figures
from aftermap.publish.contents import FORMAT, VERSION, ClipFigures, LeftOut, Run, UnmappedContents
from aftermap.publish.facts import UnmappedFacts
from aftermap.publish.files import json_text, write_whole
from aftermap.publish.measures import cost
from aftermap.publish.report import HTML_NAME, JSON_NAME, Report, crs_name, page_maker, style
from aftermap.publish.wording import about


def write_unmapped_report(facts: UnmappedFacts, folder: str | Path) -> Report:
    """Write report.html into the folder, with report.json beside it."""
    contents = unmapped_contents_of(facts)
    page = (
        page_maker(contents, "m")
        .get_template("unmapped.html")
        .render(
            c=contents,
            css=style(),
            longest_cpu_s=max((stage.cpu_s for stage in contents.cost.stages), default=0) or 1,
        )
    )
    write_whole(json_text(asdict(contents)), Path(folder) / JSON_NAME)
    return Report(
        page=write_whole(page, Path(folder) / HTML_NAME), verdict=contents.verdict, warnings=()
    )


def unmapped_contents_of(facts: UnmappedFacts) -> UnmappedContents:
    """Every figure of the report."""
    clips = clip_figures(facts.clips, None)
    return UnmappedContents(
        format=FORMAT,
        version=VERSION,
        run=Run(
            case=facts.case_name,
            command=facts.command,
            started_at=facts.started_at,
            versions=facts.versions,
        ),
        crs=facts.crs,
        crs_name=crs_name(facts.crs),
        verdict=_verdict(facts, clips),
        why=facts.why,
        notes=facts.notes,
        map=None,
        clips=clips,
        left_out_list=tuple(
            LeftOut(name=one.name, sha256=one.sha256, reason=one.reason) for one in facts.skipped
        ),
        cost=cost(facts.stages),
    )


def _verdict(facts: UnmappedFacts, clips: tuple[ClipFigures, ...]) -> tuple[str, ...]:
    seconds = sum(one.seconds for clip in clips for one in clip.placed)
    placed = sum(1 for clip in clips if clip.placed)
    were = "clip was" if placed == 1 else "clips were"
    within = _within_m(facts)
    known = "" if within is None else f"; half of them hold to within {about(within)} (CE90)"
    return (
        "There is no map: the pictures could not be joined.",
        f"{placed} {were} placed, {seconds} seconds in all{known}; aftermap seen asks them.",
        "Places by telemetry alone name no building, only what lies within so many metres.",
    )


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
