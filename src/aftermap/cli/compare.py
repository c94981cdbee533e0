"""``aftermap compare``: the case's grades against a reference assessment of the same buildings."""

import json
from pathlib import Path
from typing import Any

import click

from aftermap.cli.options import PATH, confirm_crs_option, debug_option

SCALES = ("unosat", "unosat-recoded", "cems", "cems-legacy", "ems98", "xbd", "reach")


@click.command("compare")
@click.argument("case", type=PATH)
@click.argument("other", type=PATH)
@click.option("--scale", type=click.Choice(SCALES), help="Damage scale of OTHER; never guessed.")
@click.option("--field", help="Field with the damage class, if ambiguous.")
@click.option("--layer", help="Layer, if OTHER has several.")
@click.option("--crs", help="CRS, if OTHER declares none, such as EPSG:4326.")
@confirm_crs_option
@click.option(
    "--within",
    "within_m",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="Largest distance from a site to its building, in metres.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@debug_option
def compare_command(
    case: Path,
    other: Path,
    scale: str | None,
    within_m: float,
    *,
    as_json: bool,
    **named: Any,
) -> None:
    """Compare the grades of CASE with OTHER, a damage assessment in any GDAL vector format.

    Matches points or polygons to buildings. A building without a site in OTHER is counted
    separately, because a missing site does not mean undamaged. Writes nothing.
    """
    from aftermap.assessment.reference_assessment import ReferenceOptions  # noqa: PLC0415
    from aftermap.assessment.scales import Scale  # noqa: PLC0415
    from aftermap.workflows.compare import compared_with  # noqa: PLC0415

    asked = ReferenceOptions(scale=None if scale is None else Scale(scale), **named)
    answer = compared_with(case, other, asked, within_m)
    if as_json:
        click.echo(json.dumps(answer.plain(), ensure_ascii=False, indent=1))
        return
    for line in answer.lines():
        click.echo(line)
