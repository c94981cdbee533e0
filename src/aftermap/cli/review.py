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
@click.option(
    "--with-machine",
    is_flag=True,
    help="Show model grades; such a review is not independent of the model.",
)
@debug_option
def export_command(
    case: Path, labels: Path, reviewer: str | None, *, everything: bool, with_machine: bool
) -> None:
    """Write LABELS.csv for review: the newest sample of CASE, or all buildings without one."""
    from aftermap.workflows.review import export_labels  # noqa: PLC0415

    answer = export_labels(
        case, labels, reviewer=reviewer, everything=everything, machine=with_machine
    )
    for line in answer.lines:
        click.echo(line)


@review_command.command("import")
@click.argument("case", type=PATH)
@click.argument("labels", type=PATH)
@click.option("--reviewer", help="Reviewer of lines that name none.")
@click.option("--adopt", is_flag=True, help="Accept these grades as final.")
@debug_option
def import_command(case: Path, labels: Path, reviewer: str | None, *, adopt: bool) -> None:
    """Import the grades of LABELS.csv into CASE and report the agreement between reviewers.

    Lines that cannot be used are listed with the reason; the others are imported (exit status 1).
    A later grade by the same reviewer is a new row; the earlier one is kept.
    """
    from aftermap.workflows.review import import_labels  # noqa: PLC0415

    answer = import_labels(case, labels, reviewer=reviewer, adopt=adopt)
    for line in answer.lines:
        click.echo(line)
    if answer.missing is not None:
        raise answer.missing
