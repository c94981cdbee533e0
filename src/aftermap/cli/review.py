"""``aftermap review``: export buildings for review as CSV, and import reviewers' grades."""

from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option


@click.group("review")
@debug_option
def review_command() -> None:
    """Export buildings for review as CSV, and import reviewers' grades.

    Any number of reviewers may grade a building. Earlier grades are never overwritten.
    """


@review_command.command("export")
@click.argument("case", type=PATH)
@click.argument("labels", type=PATH)
@click.option("--reviewer", help="Fill in the latest grades of this reviewer.")
@click.option("--all", "everything", is_flag=True, help="Export all buildings, not the sample.")
@click.option("--second", is_flag=True, help="Export the buildings for a second reviewer only.")
@click.option(
    "--with-machine",
    is_flag=True,
    help="Show model grades; such a review is not independent of the model.",
)
@debug_option
def export_command(
    case: Path,
    labels: Path,
    reviewer: str | None,
    *,
    everything: bool,
    second: bool,
    with_machine: bool,
) -> None:
    """Write LABELS.csv for review: the newest sample of CASE, or all buildings without one."""
    from aftermap.workflows.review import Exported, export_labels  # noqa: PLC0415

    if everything and second:
        raise click.UsageError("--all and --second exclude each other; give one of them")
    which = Exported.ALL if everything else Exported.SECOND if second else Exported.SAMPLE
    answer = export_labels(case, labels, reviewer=reviewer, which=which, machine=with_machine)
    for line in answer.lines:
        click.echo(line)


@review_command.command("import")
@click.argument("case", type=PATH)
@click.argument("labels", type=PATH)
@click.option("--reviewer", help="Reviewer of lines that name none.")
@click.option(
    "--blind",
    type=click.Choice(["yes", "no"]),
    help="Declare whether the grades were given without sight of model grades (as column blind).",
)
@click.option("--adopt", is_flag=True, help="Accept these grades as final.")
@debug_option
def import_command(
    case: Path, labels: Path, reviewer: str | None, blind: str | None, *, adopt: bool
) -> None:
    """Import the grades of LABELS.csv into CASE and report the agreement between reviewers.

    Lines that cannot be used are listed with the reason; the others are imported (exit status 1).
    A later grade by the same reviewer is a new row; the earlier one is kept. Totals take only
    grades that are blind, or declared blind with --blind yes.
    """
    from aftermap.workflows.review import import_labels  # noqa: PLC0415

    answer = import_labels(
        case,
        labels,
        reviewer=reviewer,
        is_blind=None if blind is None else blind == "yes",
        adopt=adopt,
    )
    for line in answer.lines:
        click.echo(line)
    if answer.missing is not None:
        raise answer.missing
