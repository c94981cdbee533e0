"""``aftermap locate``: the camera of footage without telemetry, solved from picked points."""

from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option


@click.command("locate")
@click.argument("case", type=PATH)
@click.argument("clip")
@click.option("--points", required=True, type=PATH, help="Picked points (ties.csv).")
@debug_option
def locate_command(case: Path, clip: str, points: Path) -> None:
    """Locate the camera of CLIP from points picked in one of its frames.

    CLIP is the name or SHA-256 of a clip of CASE, or a file. The points file has the columns
    time_s or frame, px, py, lon, lat and optionally height, with at least 6 points in a frame.
    An empty height is read from the surface model of the case. The pose is tracked through the
    shot and written to case/products/located/.

    \b
    Example:
      aftermap locate raqqa news.mp4 --points ties.csv
    """  # noqa: D301
    from aftermap.workflows.locate import locate  # noqa: PLC0415

    answer = locate(case, clip, points)
    for line in answer.lines:
        click.echo(line)
    click.echo(f"Poses: {answer.path}")
