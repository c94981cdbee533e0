"""``aftermap learn``: train the grading model on reviewed grades of a city."""

import sys
from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option
from aftermap.config import settings_for
from aftermap.progress import progress_on


@click.command("learn")
@click.argument("case", type=PATH)
@click.option("--out", type=PATH, help="Model file to write.  [default: CASE/learnt.json]")
@click.option(
    "--with-sample",
    is_flag=True,
    help="Also train on the newest sample, which then cannot be used for totals.",
)
@debug_option
def learn_command(case: Path, out: Path | None, *, with_sample: bool) -> None:
    """Train the grading model on the reviewed buildings of CASE.

    Needs at least thirty reviewed buildings. Grades used for training are never used to estimate
    totals.

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
