"""``aftermap verify``: is the case still what it recorded?"""

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
    """Check that CASE is still what it recorded.

    Reads every original and every product again, and follows the chain of custody from its first
    entry to its last. Writes nothing. Ends with status 1 if something is not as recorded.
    """
    from aftermap.record import Case, findings_in  # noqa: PLC0415

    with progress_on(sys.stderr) as progress, Case.open_to_read(case) as opened:
        findings = findings_in(opened, progress)
        files = len({one.sha256 for one in opened.media()})
    for finding in findings:
        click.echo(finding)
    if findings:
        click.echo(f"aftermap: {case}: {len(findings)} not as recorded, see above", err=True)
        raise SystemExit(NOT_AS_RECORDED)
    click.echo(f"{case}: everything is as recorded ({files} photographs and clips)")
