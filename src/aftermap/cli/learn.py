"""``aftermap learn``: people's grades of a city make the machine's grades better there."""

import sys
from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option
from aftermap.config import settings_for
from aftermap.progress import progress_on


@click.command("learn")
@click.argument("case", type=PATH)
@click.option("--out", type=PATH, help="The model's file.  [default: CASE/learnt.json]")
@click.option(
    "--with-sample",
    is_flag=True,
    help="Learn from the newest sample, too: no total can then come of it.",
)
@debug_option
def learn_command(case: Path, out: Path | None, *, with_sample: bool) -> None:
    """Refine the machine's grades by what people said of buildings in CASE.

    Needs thirty reviewed buildings or more. Grades that a model has learnt from are never used to
    estimate totals.

    \b
    Example:
      aftermap learn raqqa
      aftermap assess raqqa --model raqqa/learnt.json
    """  # noqa: D301
    from aftermap.workflows.learn import learn_city_model  # noqa: PLC0415

    out = case / "learnt.json" if out is None else out
    with progress_on(sys.stderr) as progress:
        made = learn_city_model(
            case, out, settings_for(case), with_sample=with_sample, progress=progress
        )
    for line in made.lines:
        click.echo(line)
