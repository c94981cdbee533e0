"""``aftermap sample``: which buildings people should review so that totals are honest."""

from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option


@click.command("sample")
@click.argument("case", type=PATH)
@click.option("--size", required=True, type=click.IntRange(min=1), help="How many buildings.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed draws the same buildings again.",
)
@click.option("--out", type=PATH, help="The CSV file for reviewers.  [default: CASE/sample.csv]")
@debug_option
def sample_command(case: Path, size: int, seed: int, out: Path | None) -> None:
    """Draw buildings of CASE for people to review, at random within the machine's grades.

    The sample is recorded with each building's probability of being drawn; aftermap totals
    estimates from it. The CSV file does not show the machine's grades.
    """
    from aftermap.workflows.review import sample_buildings  # noqa: PLC0415

    for line in sample_buildings(case, out or case / "sample.csv", size=size, seed=seed).lines:
        click.echo(line)
