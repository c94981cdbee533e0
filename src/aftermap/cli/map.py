"""``aftermap map``: make a map and its report from footage."""

import sys
from pathlib import Path
from typing import Any

import click

from aftermap.cli.options import PATH, confirm_crs_option, debug_option, sigterm_as_ctrl_c
from aftermap.config import Quality, settings_for
from aftermap.progress import progress_on


@click.command("map")
@click.argument("footage", nargs=-1, required=True, type=PATH)
@click.option("--case", required=True, type=PATH, help="Case folder; created if it does not exist.")
@click.option("--gcp", type=PATH, help="Ground control points (gcp_list.txt format).")
@click.option(
    "--masks",
    type=PATH,
    help="Folder of masks named NAME.EXT.png, 0 = excluded. NAME_mask.png beside an image is "
    "found without this option.",
)
@click.option("--reference", type=PATH, help="Orthophoto for locating clips without telemetry.")
@click.option(
    "--dem",
    type=PATH,
    help="Elevation model of the reference [default: surface.tif beside it], or of the terrain "
    "below clips that cannot be mapped.",
)
@click.option("--footprints", type=PATH, help="Building footprints; also grades the buildings.")
@click.option(
    "--outlines",
    type=PATH,
    help="Folder of buildings outlined in the images, in place of footprints; where their "
    "places are known, these also georeference a map that nothing else does.",
)
@click.option("--streets", type=PATH, help="Street centre lines for trafficability.")
@click.option(
    "--crs", metavar="EPSG:n", help="Projected CRS of the map.  [default: the scene's UTM zone]"
)
@confirm_crs_option
@click.option(
    "--quality",
    type=click.Choice([quality.value for quality in Quality]),
    help="Processing quality and cost.  [default: standard]",
)
@click.option(
    "--proxies/--no-proxies",
    default=None,
    help="Write a small copy of each clip for playback.  [default: yes]",
)
@click.option(
    "--draw-filled/--no-draw-filled",
    default=None,
    help="Drape images over filled ground, hatched.  [default: no]",
)
@click.option("--fresh", is_flag=True, help="Recompute everything instead of resuming.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Parallel processes.  [default: one per core]"
)
@debug_option
def map_command(
    footage: tuple[Path, ...],
    case: Path,
    fresh: bool,  # noqa: FBT001 - click passes flags by name
    workers: int | None,
    **chosen: Any,
) -> None:
    """Make a map from FOOTAGE: files and folders of photographs, clips, sidecars and masks.

    Writes the map, its report and all camera positions to the case folder. Open case/case.gpkg
    and case/products/ in QGIS, and case/products/report.html in a browser. Interrupted runs
    resume: run the same command again. Unchanged results are reused.

    Exit status: 0 if everything was produced, 1 if only part of it was (one line says what is
    missing and why), 2 if nothing was produced.

    \b
    Example:
      aftermap map flight1/ --case raqqa --crs EPSG:32637 --quality fine
    """  # noqa: D301
    from aftermap.pipeline import map_footage  # noqa: PLC0415

    settings = settings_for(case, **chosen)
    with sigterm_as_ctrl_c(), progress_on(sys.stderr) as progress:
        made = map_footage(footage, case, settings, fresh=fresh, progress=progress, workers=workers)
    for line in made.summary_lines:
        click.echo(line)
    click.echo(f"Report: {made.report}")
    if made.missing is not None:
        raise made.missing
