"""``aftermap verify``: check that the case is unchanged since it was recorded."""

import sys
from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option
from aftermap.progress import progress_on

NOT_AS_RECORDED = 1


@click.command("verify")
@click.argument("case", type=PATH)
@debug_option
def verify_command(case: Path) -> None:
    """Check that CASE is unchanged since it was recorded.

    Reads every original and every product, and checks every entry of the chain of custody. Writes
    nothing. Exit status 1 if anything differs from the record.
    """
    from aftermap.record import Case, findings_in  # noqa: PLC0415

    with progress_on(sys.stderr) as progress, Case.open_to_read(case) as opened:
        findings = findings_in(opened, progress)
        files = len({one.sha256 for one in opened.media()})
    for finding in findings:
        click.echo(finding)
    if findings:
        click.echo(
            f"aftermap: {case}: {_differences(len(findings))} from the record, see above", err=True
        )
        raise SystemExit(NOT_AS_RECORDED)
    click.echo(f"{case}: everything matches the record ({files} photographs and clips)")


def _differences(count: int) -> str:
    return "1 difference" if count == 1 else f"{count} differences"
