"""``aftermap assess``: grade the damage to buildings, with the images that show it."""

import sys
from pathlib import Path
from typing import Any

import click

from aftermap.cli.options import PATH, confirm_crs_option, debug_option, sigterm_as_ctrl_c
from aftermap.config import settings_for
from aftermap.progress import progress_on


@click.command("assess")
@click.argument("case", type=PATH)
@click.option("--footprints", type=PATH, help="Building footprints, in any GDAL vector format.")
@click.option(
    "--outlines",
    type=PATH,
    help="Folder of buildings outlined in the images, in place of footprints.",
)
@click.option(
    "--id-field", metavar="NAME", help="Field with building ids.  [default: osm_id, id, feature id]"
)
@click.option("--footprints-crs", metavar="EPSG:n", help="CRS of footprints that declare none.")
@confirm_crs_option
@click.option(
    "--streets", type=PATH, help="Street centre lines.  [default: space between buildings]"
)
@click.option("--before", type=PATH, help="Pre-event orthophoto.")
@click.option("--before-surface", type=PATH, help="Pre-event surface model.")
@click.option("--model", type=PATH, help="Grading model: learnt.json, or an .onnx file.")
@click.option(
    "--show",
    multiple=True,
    metavar="ID",
    help="Always cut evidence images of this building; may be repeated.",
)
@click.option("--fresh", is_flag=True, help="Recompute everything instead of reusing results.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Parallel processes.  [default: one per core]"
)
@debug_option
def assess_command(
    case: Path,
    fresh: bool,  # noqa: FBT001 - click passes flags by name
    workers: int | None,
    show: tuple[str, ...],
    **chosen: Any,
) -> None:
    """Grade the damage to the buildings of CASE, with confidence and evidence.

    Needs a map (aftermap map). Every grade states its reasons in numbers and links to the original
    images. A building that was not seen well enough is "not assessed", never "undamaged".

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
