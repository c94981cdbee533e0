"""``aftermap assess``: footprints to graded buildings, with the pictures that show them."""

import sys
from pathlib import Path
from typing import Any

import click

from aftermap.cli.options import PATH, debug_option, sigterm_as_ctrl_c
from aftermap.config import settings_for
from aftermap.progress import progress_on


@click.command("assess")
@click.argument("case", type=PATH)
@click.option("--footprints", type=PATH, help="Outlines of buildings, in any format of GDAL.")
@click.option(
    "--id-field", metavar="NAME", help="Field with their ids.  [default: osm_id, id, feature id]"
)
@click.option("--footprints-crs", metavar="EPSG:n", help="Their CRS, where the file names none.")
@click.option("--streets", type=PATH, help="Lines of streets.  [default: between buildings]")
@click.option("--before", type=PATH, help="Orthophoto of the time before.")
@click.option("--before-surface", type=PATH, help="Surface of the time before.")
@click.option("--model", type=PATH, help="Another model: learnt.json, or your own .onnx.")
@click.option(
    "--show",
    multiple=True,
    metavar="ID",
    help="Cut pictures of this building, where there are too many for all.",
)
@click.option("--fresh", is_flag=True, help="Grade again instead of reusing what has not changed.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Processes at work.  [default: one per core]"
)
@debug_option
def assess_command(
    case: Path,
    fresh: bool,  # noqa: FBT001 - click passes flags by name
    workers: int | None,
    show: tuple[str, ...],
    **chosen: Any,
) -> None:
    """Grade the buildings of CASE: how badly each is damaged, how surely, and what shows it.

    Needs a map (aftermap map). Every grade comes with its reasons in numbers and leads back to the
    photographs; a building that was seen too little is not assessed, and never undamaged.

    \b
    Example:
      aftermap assess raqqa --footprints osm_buildings.geojson --streets osm_streets.geojson
    """  # noqa: D301
    from aftermap.workflows.deliver_assessment import assess  # noqa: PLC0415

    settings = settings_for(case, **chosen)
    with sigterm_as_ctrl_c(), progress_on(sys.stderr) as progress:
        made = assess(case, settings, shown=show, fresh=fresh, progress=progress, workers=workers)
    for line in made.summary_lines:
        click.echo(line)
    click.echo(f"Report: {made.report}")
