"""``aftermap reproduce``: make a case again elsewhere and compare it product by product."""

import sys
from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option, sigterm_as_ctrl_c
from aftermap.progress import progress_on

NOT_REPRODUCED = 1


@click.command("reproduce")
@click.argument("case", type=PATH)
@click.option("--into", type=PATH, help="New folder for the result.  [default: CASE-reproduced]")
@click.option(
    "--files",
    multiple=True,
    type=PATH,
    help="Folder with control points, footprints and other files of the recorded options, if they "
    "have moved; may be repeated.",
)
@click.option("--json", "as_table", is_flag=True, help="Print the table as JSON.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Parallel processes.  [default: one per core]"
)
@debug_option
def reproduce_command(
    case: Path,
    into: Path | None,
    files: tuple[Path, ...],
    as_table: bool,  # noqa: FBT001 - click passes flags by name
    workers: int | None,
) -> None:
    """Make CASE again elsewhere and compare every product with the recorded one.

    Uses the originals stored in the case, after checking their digests, and the recorded options
    of aftermap map and aftermap assess. Each product is identical, inside the stated error, or not
    reproduced; the table is also written to reproduction.json in the new folder. CASE is only read.
    Exit status 1 if any product is not reproduced.

    \b
    Example:
      aftermap reproduce raqqa --into raqqa-again --files control/
    """  # noqa: D301
    from aftermap.reproduce import as_json, reproduce  # noqa: PLC0415

    target = into or case.absolute().with_name(f"{case.absolute().name}-reproduced")
    with sigterm_as_ctrl_c(), progress_on(sys.stderr) as progress:
        made = reproduce(case, target, files=files, progress=progress, workers=workers)
    if as_table:
        click.echo(as_json(made))
    else:
        width = max((len(one.product) for one in made.products), default=0)
        for one in made.products:
            detail = f" ({one.detail})" if one.detail else ""
            click.echo(f"{one.product:{width}}  {one.verdict}{detail}")
        for note in made.notes:
            click.echo(note)
    if not made.holds:
        click.echo(f"aftermap: {case}: not every product was reproduced, see above", err=True)
        raise SystemExit(NOT_REPRODUCED)
