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
@click.option(
    "--include-unblinded",
    is_flag=True,
    help="Count grades that are not known to be blind; every total says so.",
)
@click.option(
    "--reference",
    type=PATH,
    help="Checked grades of sampled buildings (CSV: source_id, grade, checked_by, checked_how), to "
    "correct reviewers by.",
)
@click.option("--sentences", is_flag=True, help="Print sentences to quote instead of a table.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@debug_option
def totals_command(
    case: Path,
    areas: Path | None,
    scale: str,
    reference: Path | None,
    *,
    assume_alike: bool,
    include_unblinded: bool,
    sentences: bool,
    as_json: bool,
) -> None:
    """Estimate the number of buildings of CASE in each damage class, with 95 % intervals.

    Estimates from the blind grades of the newest sample; model grades and accepted grades are
    never counted. Prints one table with a preamble; with --sentences, each total as a sentence
    that can be quoted as it is. Writes nothing.
    """
    from aftermap.assessment.scales import Scale  # noqa: PLC0415
    from aftermap.workflows.totals import TotalsOptions, estimate_totals  # noqa: PLC0415

    options = TotalsOptions(
        scale=Scale(scale),
        areas=areas,
        reference=reference,
        assume_alike=assume_alike,
        with_unblinded=include_unblinded,
    )
    answer = estimate_totals(case, options)
    if as_json:
        click.echo(json.dumps(answer.plain(), ensure_ascii=False, indent=1))
        return
    for line in (*answer.sentences, *answer.notes) if sentences else answer.lines:
        click.echo(line)
