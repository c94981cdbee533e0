"""``aftermap twin``: a practice flight with known truth."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from aftermap.cli.options import PATH, debug_option
from aftermap.progress import progress_on


@click.command("twin", short_help="Make a practice flight with known truth.")
@click.argument("out", type=PATH)
@click.option("--seed", type=int, help="Chooses the district, its damage and all noise.")
@click.option(
    "--flight",
    type=click.Choice(["nadir", "oblique", "mixed"]),
    help="Straight down, looking in from four sides, or both.  [default: nadir]",
)
@click.option("--photos", type=click.IntRange(min=2), help="About how many photographs.")
@click.option("--size", metavar="WxH", help="Picture size in pixels, such as 1200x900.")
@click.option("--gsd", metavar="CM", type=float, help="Ground covered by a pixel, centimetres.")
@click.option(
    "--focal-error", metavar="PCT", type=float, help="Error of the written focal length, per cent."
)
@click.option("--no-gps", is_flag=True, help="Write no positions into the photographs.")
@click.option("--flat", is_flag=True, help="Leave out everything that stands on the ground.")
@debug_option
def twin_command(
    out: Path,
    size: str | None,
    gsd: float | None,
    focal_error: float | None,
    no_gps: bool,  # noqa: FBT001 - click passes flags by name
    flat: bool,  # noqa: FBT001
    **chosen: Any,
) -> None:
    """Make a practice flight over a synthetic ruined district in the folder OUT.

    OUT/images holds photographs as a drone writes them; beside it lies the truth about surface,
    cameras, buildings, damage and control marks.

    \b
    Example:
      aftermap twin practice --photos 99 --size 1200x900 --gsd 7.7
    """  # noqa: D301
    from aftermap.twin import make  # noqa: PLC0415
    from aftermap.twin.options import Flight, TwinOptions  # noqa: PLC0415

    given = {name: value for name, value in chosen.items() if value is not None}
    if "flight" in given:
        given["flight"] = Flight(given["flight"])
    if size is not None:
        given["width_px"], given["height_px"] = _size_px(size)
    if gsd is not None:
        given["ground_sample_m"] = gsd / 100
    if focal_error is not None:
        given["focal_error"] = focal_error / 100
    options = replace(TwinOptions(), gps=not no_gps, flat=flat, **given)
    with progress_on(sys.stderr) as progress:
        progress.stage("twin")
        made = make(out, options, lambda done, total: progress.advance("photographs", done, total))
    click.echo(f"{made.photos} photographs of {made.buildings} buildings in {made.folder}")


def _size_px(text: str) -> tuple[int, int]:
    width, mark, height = text.lower().partition("x")
    if not (mark and width.isdecimal() and height.isdecimal()):
        raise click.BadParameter(
            f"{text!r} is not WIDTHxHEIGHT, such as 1200x900", param_hint="--size"
        )
    return int(width), int(height)
