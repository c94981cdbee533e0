"""``aftermap locate``: footage without telemetry, its camera solved from places clicked in it."""

from pathlib import Path

import click

from aftermap.cli.options import PATH, debug_option


@click.command("locate")
@click.argument("case", type=PATH)
@click.argument("clip")
@click.option("--points", required=True, type=PATH, help="Clicks and their places (ties.csv).")
@debug_option
def locate_command(case: Path, clip: str, points: Path) -> None:
    """Say where CLIP was filmed from, by places that were clicked in it.

    CLIP is the name or SHA-256 of a clip of CASE, or a file. The points name time_s or frame, px,
    py, lon, lat and optionally height, at least 6 for a picture; a height left empty is taken from
    the map of the case. The pose is carried through the shot and written to
    case/products/located/.

    \b
    Example:
      aftermap locate raqqa news.mp4 --points ties.csv
    """  # noqa: D301
    from aftermap.workflows.locate import locate  # noqa: PLC0415

    answer = locate(case, clip, points)
    for line in answer.lines:
        click.echo(line)
    click.echo(f"Poses: {answer.path}")
