"""``aftermap map``: footage to a map and its report."""

import sys
from pathlib import Path
from typing import Any

import click

from aftermap.cli.options import PATH, debug_option, sigterm_as_ctrl_c
from aftermap.config import Quality, settings_for
from aftermap.progress import progress_on


@click.command("map")
@click.argument("footage", nargs=-1, required=True, type=PATH)
@click.option("--case", required=True, type=PATH, help="Folder of the case; made if not there.")
@click.option("--gcp", type=PATH, help="Ground control points (gcp_list.txt).")
@click.option(
    "--masks",
    type=PATH,
    help="Folder of masks NAME.EXT.png, 0 = left out; NAME_mask.png beside a picture is found.",
)
@click.option("--reference", type=PATH, help="Orthophoto to find clips by without telemetry.")
@click.option(
    "--dem",
    type=PATH,
    help="Heights of the reference [default: surface.tif beside it], or of the ground below clips "
    "that give no map.",
)
@click.option("--footprints", type=PATH, help="Outlines of buildings, to grade them as well.")
@click.option("--streets", type=PATH, help="Lines of streets, for who gets through.")
@click.option(
    "--crs", metavar="EPSG:n", help="Projected CRS of the map.  [default: the scene's UTM zone]"
)
@click.option(
    "--quality",
    type=click.Choice([quality.value for quality in Quality]),
    help="How much work the map is worth.  [default: standard]",
)
@click.option(
    "--proxies/--no-proxies",
    default=None,
    help="A small copy of each clip for playing.  [default: yes]",
)
@click.option(
    "--draw-filled/--no-draw-filled",
    default=None,
    help="Drape photographs over ground that was not measured, hatched.  [default: no]",
)
@click.option("--fresh", is_flag=True, help="Make everything again instead of resuming.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Processes at work.  [default: one per core]"
)
@debug_option
def map_command(
    footage: tuple[Path, ...],
    case: Path,
    fresh: bool,  # noqa: FBT001 - click passes flags by name
    workers: int | None,
    **chosen: Any,
) -> None:
    """Make a map of FOOTAGE: photographs, clips, their sidecars and masks, as files and folders.

    The map, its report and every photograph's place go to the folder CASE: open case/case.gpkg
    and case/products/ in QGIS, and case/products/report.html in a browser. The same command run
    again reuses what has not changed; stopped at any moment and run again, it resumes.

    Ends with status 0 if all was made, with 1 if only a part was, such as the poses and no map
    (one line says what is missing, and why), and with 2 if nothing could be delivered.

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
