"""``aftermap twin``: synthetic drone footage with known ground truth."""

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aftermap.cli.options import PATH, debug_option
from aftermap.progress import progress_on

if TYPE_CHECKING:
    from aftermap_twin.clip_options import ClipOptions

BLOCKS_GSD_CM = 11.0
"""Flies high enough that roofs of twelve storeys overlap from picture to picture."""


@click.command("twin", short_help="Make synthetic footage with ground truth.")
@click.argument("out", type=PATH)
@click.option("--seed", type=int, help="Random seed of the district, its damage and all noise.")
@click.option(
    "--style",
    type=click.Choice(["city", "village", "blocks"]),
    help="Flat-roofed town, village of pitched roofs, or high slab blocks.  [default: city]",
)
@click.option("--variety", is_flag=True, help="City: more kinds of roof, damage, sun and haze.")
@click.option(
    "--flight",
    type=click.Choice(["nadir", "oblique", "mixed"]),
    help="Nadir images, oblique images from four sides, or both.  [default: nadir]",
)
@click.option("--photos", type=click.IntRange(min=2), help="Approximate number of photographs.")
@click.option("--size", metavar="WxH", help="Image size in pixels, such as 1200x900.")
@click.option(
    "--gsd",
    metavar="CM",
    type=float,
    help="Ground sample distance in centimetres.  [default: 7.7; 11 over blocks]",
)
@click.option(
    "--focal-error",
    metavar="PCT",
    type=float,
    help="Error of the focal length in EXIF, in per cent.",
)
@click.option(
    "--readout",
    metavar="MS",
    type=click.FloatRange(0, 200),
    help="Rolling shutter readout time in milliseconds.  [default: 0]",
)
@click.option("--no-gps", is_flag=True, help="Write no GPS positions to EXIF.")
@click.option("--flat", is_flag=True, help="Bare terrain without buildings or objects.")
@click.option("--clips", is_flag=True, help="Also make video clips; takes minutes.")
@click.option(
    "--clip-seconds",
    metavar="S",
    type=click.FloatRange(min=1),
    help="Duration of the drone clip in seconds.  [default: 40]",
)
@click.option("--clip-size", metavar="WxH", help="Frame size of the clip.  [default: 1280x720]")
@click.option(
    "--clip-fps", metavar="N", help="Frame rate of the clip, such as 30000/1001.  [default: 5]"
)
@debug_option
def twin_command(
    out: Path,
    size: str | None,
    gsd: float | None,
    focal_error: float | None,
    readout: float | None,
    no_gps: bool,  # noqa: FBT001 - click passes flags by name
    flat: bool,  # noqa: FBT001
    clips: bool,  # noqa: FBT001
    **chosen: Any,
) -> None:
    """Make a practice flight over a synthetic damaged district in the folder OUT.

    OUT/images holds photographs with drone metadata. OUT/truth holds the ground truth: surface,
    cameras, buildings, damage and ground control points. OUT/clips holds video of the same
    district.

    \b
    Example:
      aftermap twin practice --photos 99 --size 1200x900 --gsd 7.7
    """  # noqa: D301
    from aftermap_twin import make  # noqa: PLC0415
    from aftermap_twin.options import Flight, Style, TwinOptions  # noqa: PLC0415

    given = {name: value for name, value in chosen.items() if value is not None}
    wanted = _clip_options(
        *(given.pop(f"clip_{name}", None) for name in ("seconds", "size", "fps"))
    )
    if "flight" in given:
        given["flight"] = Flight(given["flight"])
    if "style" in given:
        given["style"] = Style(given["style"])
    if size is not None:
        given["width_px"], given["height_px"] = _size_px(size, "--size")
    if gsd is None and given.get("style") is Style.BLOCKS:
        gsd = BLOCKS_GSD_CM
    if gsd is not None:
        given["ground_sample_m"] = gsd / 100
    if focal_error is not None:
        given["focal_error"] = focal_error / 100
    if readout is not None:
        given["readout_s"] = readout / 1000
    options = replace(TwinOptions(), gps=not no_gps, flat=flat, **given)
    with progress_on(sys.stderr) as progress:
        progress.stage("twin")
        made = make(
            out,
            options,
            lambda done, total: progress.advance("photographs", done, total),
            clips=wanted if clips else None,
            clip_progress=lambda done, total: progress.advance("video frames", done, total),
        )
    click.echo(f"{made.photos} photographs of {made.buildings} buildings in {made.folder}")


def _clip_options(seconds: float | None, size: str | None, fps: str | None) -> "ClipOptions":
    from aftermap_twin.clip_options import ClipOptions  # noqa: PLC0415

    given: dict[str, Any] = {}
    if seconds is not None:
        given["seconds"] = seconds
    if size is not None:
        given["width_px"], given["height_px"] = _size_px(size, "--clip-size")
    if fps is not None:
        try:
            given["drone_fps"] = Fraction(fps)
        except (ValueError, ZeroDivisionError) as error:
            raise click.BadParameter(
                f"{fps!r} is not a frame rate, such as 25 or 30000/1001", param_hint="--clip-fps"
            ) from error
    return ClipOptions(**given)


def _size_px(text: str, option: str) -> tuple[int, int]:
    width, mark, height = text.lower().partition("x")
    if not (mark and width.isdecimal() and height.isdecimal()):
        raise click.BadParameter(
            f"{text!r} is not WIDTHxHEIGHT, such as 1200x900", param_hint=option
        )
    return int(width), int(height)
