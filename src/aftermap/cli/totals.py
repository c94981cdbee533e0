"""``aftermap totals``: buildings per damage class, estimated from a reviewed sample."""

import json
from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option

SCALES = ("ours", "unosat", "cems", "cems-legacy", "ems98", "xbd", "reach")


@click.command("totals")
@click.argument("case", type=PATH)
@click.option("--by", "areas", type=PATH, help="Areas (GeoJSON polygons) to estimate separately.")
@click.option(
    "--scale",
    type=click.Choice(SCALES),
    default="ours",
    show_default=True,
    help="Damage scale of the totals.",
)
@click.option(
    "--assume-alike",
    is_flag=True,
    help="Assume that sampled buildings without a grade resemble the graded ones.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@debug_option
def totals_command(
    case: Path, areas: Path | None, scale: str, *, assume_alike: bool, as_json: bool
) -> None:
    """Estimate the number of buildings of CASE in each damage class, with 95 % intervals.

    Estimates from the newest reviewed sample; model grades are never counted as totals. Each
    total is printed as a sentence that can be quoted as it is. Writes nothing.
    """
    from aftermap.assessment.scales import Scale  # noqa: PLC0415
    from aftermap.workflows.totals import estimate_totals  # noqa: PLC0415

    answer = estimate_totals(case, scale=Scale(scale), areas=areas, assume_alike=assume_alike)
    if as_json:
        click.echo(json.dumps(answer.plain(), ensure_ascii=False, indent=1))
        return
    for line in (*answer.totals, *answer.notes):
        click.echo(str(line))
