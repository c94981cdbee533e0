"""``aftermap sample``: draw a probability sample of buildings for review."""

from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option


@click.command("sample")
@click.argument("case", type=PATH)
@click.option("--size", required=True, type=click.IntRange(min=1), help="Number of buildings.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed draws the same buildings.",
)
@click.option(
    "--double",
    type=click.IntRange(min=0),
    help="Buildings planned for two reviewers.  [default: 20 % of the sample, at least 40]",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Draw although the newest sample was reviewed; both stay in the record.",
)
@click.option("--out", type=PATH, help="CSV file for reviewers.  [default: CASE/sample.csv]")
@debug_option
def sample_command(
    case: Path, size: int, seed: int, double: int | None, out: Path | None, *, replace: bool
) -> None:
    """Draw a random sample of the buildings of CASE for review, stratified by model grade.

    Records each building's inclusion probability, which aftermap totals uses. The CSV file does
    not show model grades; its column graders says which buildings two reviewers should grade.
    Buildings that no image shows are not drawn.
    """
    from aftermap.workflows.sample import sample_buildings  # noqa: PLC0415

    answer = sample_buildings(
        case, out or case / "sample.csv", size=size, seed=seed, twice=double, replace=replace
    )
    for line in answer.lines:
        click.echo(line)
