"""``aftermap compare``: the case's grades against another's assessment of the same buildings."""

import json
from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option

SCALES = ("unosat", "unosat-recoded", "cems", "cems-legacy", "ems98", "xbd", "reach")


@click.command("compare")
@click.argument("case", type=PATH)
@click.argument("other", type=PATH)
@click.option("--scale", type=click.Choice(SCALES), help="The coding of OTHER; never guessed.")
@click.option("--field", help="Its field of the damage class, where that is not plain.")
@click.option("--layer", help="Its layer, where it has several.")
@click.option("--crs", help="Its CRS, where it declares none, such as EPSG:4326.")
@click.option(
    "--within",
    "within_m",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="How many metres off a building its site may lie.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@debug_option
def compare_command(
    case: Path,
    other: Path,
    scale: str | None,
    field: str | None,
    layer: str | None,
    crs: str | None,
    within_m: float,
    *,
    as_json: bool,
) -> None:
    """Compare the grades of CASE with OTHER, another assessment (UNOSAT's, or any GDAL reads).

    Its points or polygons are matched to buildings. A building that OTHER does not name is counted
    apart: nothing says that it is undamaged. Writes nothing.
    """
    from aftermap.assessment.reference_assessment import ReferenceOptions  # noqa: PLC0415
    from aftermap.assessment.scales import Scale  # noqa: PLC0415
    from aftermap.workflows.compare import compared_with  # noqa: PLC0415

    asked = ReferenceOptions(
        scale=None if scale is None else Scale(scale), field=field, layer=layer, crs=crs
    )
    answer = compared_with(case, other, asked, within_m)
    if as_json:
        click.echo(json.dumps(answer.plain(), ensure_ascii=False, indent=1))
        return
    for line in answer.lines():
        click.echo(line)
