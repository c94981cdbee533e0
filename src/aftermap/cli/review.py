"""``aftermap review``: people's grades of buildings, out to a CSV file and back into the case."""

from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option


@click.group("review")
@debug_option
def review_command() -> None:
    """Have people grade buildings: CSV files out, their labels back in.

    Any number of reviewers may grade a building. Nothing that was said is overwritten.
    """


@review_command.command("export")
@click.argument("case", type=PATH)
@click.argument("labels", type=PATH)
@click.option("--reviewer", help="Fill in what this reviewer said last.")
@click.option("--all", "everything", is_flag=True, help="All buildings, and not the sample.")
@click.option(
    "--with-machine",
    is_flag=True,
    help="Show the machine's grades; who sees them is no test of them.",
)
@debug_option
def export_command(
    case: Path, labels: Path, reviewer: str | None, *, everything: bool, with_machine: bool
) -> None:
    """Write LABELS.csv, to be filled in: the newest sample of CASE, else all of its buildings."""
    from aftermap.workflows.review import export_labels  # noqa: PLC0415

    answer = export_labels(
        case, labels, reviewer=reviewer, everything=everything, machine=with_machine
    )
    for line in answer.lines:
        click.echo(line)


@review_command.command("import")
@click.argument("case", type=PATH)
@click.argument("labels", type=PATH)
@click.option("--reviewer", help="Whose grades these are, where a line names nobody.")
@click.option("--adopt", is_flag=True, help="The case stands by these grades: they settle it.")
@debug_option
def import_command(case: Path, labels: Path, reviewer: str | None, *, adopt: bool) -> None:
    """Add the grades of LABELS.csv to CASE, and say how far reviewers agree.

    Lines that cannot be used are named with the reason, and the rest is taken (status 1). A later
    grade by the same reviewer is a new row; the earlier one stays.
    """
    from aftermap.workflows.review import import_labels  # noqa: PLC0415

    answer = import_labels(case, labels, reviewer=reviewer, adopt=adopt)
    for line in answer.lines:
        click.echo(line)
    if answer.missing is not None:
        raise answer.missing
