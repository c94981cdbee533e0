"""``aftermap totals``: how many buildings are of each class, estimated from a reviewed sample."""

import json
from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option

SCALES = ("ours", "unosat", "cems", "cems-legacy", "ems98", "xbd", "reach")


@click.command("totals")
@click.argument("case", type=PATH)
@click.option("--by", "areas", type=PATH, help="Polygons (GeoJSON): totals for each area as well.")
@click.option(
    "--scale",
    type=click.Choice(SCALES),
    default="ours",
    show_default=True,
    help="Whose classes are counted.",
)
@click.option(
    "--assume-alike",
    is_flag=True,
    help="Take sampled buildings without a grade to be like the rest.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@debug_option
def totals_command(
    case: Path, areas: Path | None, scale: str, *, assume_alike: bool, as_json: bool
) -> None:
    """Say how many buildings of CASE are of each class, with intervals of 95 %.

    Estimated from the newest sample and its reviewers; the machine's map is never counted. Each
    total is a sentence with all that it needs to be understood. Writes nothing.
    """
    from aftermap.assessment.scales import Scale  # noqa: PLC0415
    from aftermap.workflows.totals import estimate_totals  # noqa: PLC0415

    answer = estimate_totals(case, scale=Scale(scale), areas=areas, assume_alike=assume_alike)
    if as_json:
        click.echo(json.dumps(answer.plain(), ensure_ascii=False, indent=1))
        return
    for line in (*answer.totals, *answer.notes):
        click.echo(str(line))
