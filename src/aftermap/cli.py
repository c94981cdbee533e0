"""The command line: one command per thing a user wants.

Results go to standard output, progress and errors to standard error. An expected failure is one
line and exit status 2 (``--debug`` adds the traceback), Ctrl-C and SIGTERM are 130. Heavy libraries
are imported when a command needs them, so that ``--help`` answers at once.
"""

import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from aftermap.config import Quality, settings_for
from aftermap.errors import AftermapError
from aftermap.progress import progress_on

Command = TypeVar("Command", bound=Callable[..., Any])

FAILED = 2
NOT_AS_RECORDED = 1
STOPPED = 130


class _NamedPath(click.Path):
    """A path that says something: "" would be the current folder, and is an unset variable."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("is empty; name a file or folder, or '.' for the current one", param, ctx)
        return super().convert(value, param, ctx)


PATH = _NamedPath(path_type=Path)


@dataclass
class _Debug:
    """Whether the user wants to see tracebacks."""

    wanted: bool = False


def _note_debug(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value:
        context.find_object(_Debug).wanted = True  # type: ignore[union-attr]


def _debug_option(command: Command) -> Command:
    """``--debug``, which may stand before or after the name of the command."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_note_debug,
        help="Show where in the program an error came up.",
    )(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="aftermap", message="aftermap %(version)s")
@_debug_option
def aftermap() -> None:
    """Drone photographs of a damaged town in; a map that can be defended out.

    Works on one computer, without a graphics card and without the internet.

    \b
    Examples:
      aftermap map flight1/ flight2/ --case raqqa        map two folders of photographs
      aftermap map flight1/ --case raqqa --gcp gcp.txt   with ground control points
      aftermap verify raqqa                              check that nothing was changed
      aftermap twin practice                             make a practice flight with known truth
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@aftermap.command("map")
@click.argument("photos", nargs=-1, required=True, type=PATH)
@click.option("--case", required=True, type=PATH, help="Folder of the case; made if not there.")
@click.option("--gcp", type=PATH, help="Ground control points (gcp_list.txt).")
@click.option(
    "--crs", metavar="EPSG:n", help="Projected CRS of the map.  [default: the scene's UTM zone]"
)
@click.option(
    "--quality",
    type=click.Choice([quality.value for quality in Quality]),
    help="How much work the map is worth.  [default: standard]",
)
@click.option("--fresh", is_flag=True, help="Make everything again instead of resuming.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Processes at work.  [default: one per core]"
)
@_debug_option
def map_command(
    photos: tuple[Path, ...],
    case: Path,
    gcp: Path | None,
    crs: str | None,
    quality: str | None,
    fresh: bool,  # noqa: FBT001 - click passes flags by name
    workers: int | None,
) -> None:
    """Make a map of PHOTOS, which are files and folders.

    The map, its report and every photograph's place go to the folder CASE: open case/case.gpkg
    and case/products/ in QGIS, and case/products/report.html in a browser. The same command run
    again reuses what has not changed; stopped at any moment and run again, it resumes.

    \b
    Example:
      aftermap map flight1/ --case raqqa --crs EPSG:32637 --quality fine
    """  # noqa: D301
    from aftermap.pipeline import map_photographs  # noqa: PLC0415

    settings = settings_for(case, quality=quality, crs=crs, gcp=gcp)
    with _sigterm_as_ctrl_c(), progress_on(sys.stderr) as progress:
        made = map_photographs(
            photos, case, settings, fresh=fresh, progress=progress, workers=workers
        )
    for line in made.summary_lines:
        click.echo(line)
    click.echo(f"Report: {made.report}")


@aftermap.command("verify")
@click.argument("case", type=PATH)
@_debug_option
def verify_command(case: Path) -> None:
    """Check that CASE is still what it recorded.

    Reads every original and every product again, and follows the chain of custody from its first
    entry to its last. Writes nothing. Ends with status 1 if something is not as recorded.
    """
    from aftermap.record import Case, findings_in  # noqa: PLC0415

    with progress_on(sys.stderr) as progress, Case.open_to_read(case) as opened:
        findings = findings_in(opened, progress)
        originals = len(opened.media())
    for finding in findings:
        click.echo(finding)
    if findings:
        click.echo(f"aftermap: {case}: {len(findings)} not as recorded, see above", err=True)
        raise SystemExit(NOT_AS_RECORDED)
    click.echo(f"{case}: everything is as recorded ({originals} originals)")


@aftermap.command("twin", short_help="Make a practice flight with known truth.")
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
@_debug_option
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


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Inside the block a polite request to end (kill, a shutdown) stops a run as Ctrl-C does.

    To be entered after pycolmap is imported: its own handler prints a stack of C++ frames.
    """
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    sys.exit(status_of(arguments))


def status_of(arguments: Sequence[str] | None = None) -> int:
    """The exit status of a command line, with every expected failure told in one line."""
    debug = _Debug()
    try:
        aftermap.main(
            list(arguments) if arguments is not None else None,
            prog_name="aftermap",
            standalone_mode=False,
            obj=debug,
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return FAILED
    except (click.ClickException, AftermapError, OSError, MemoryError) as error:
        if debug.wanted:
            traceback.print_exc()
        click.echo(f"aftermap: {_line_for(error)}", err=True)
        return FAILED
    except click.Abort:
        click.echo("aftermap: stopped; the same command resumes where it left off", err=True)
        return STOPPED
    except SystemExit as request:
        return request.code if isinstance(request.code, int) else FAILED
    return 0


def _line_for(error: Exception) -> str:
    """One line that names the thing, what is wrong and what to do next."""
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "aftermap"
        return f"{_one_line(error.format_message()).rstrip('.')}. See '{path} --help'."
    if isinstance(error, click.ClickException):
        return _one_line(error.format_message())
    if isinstance(error, MemoryError):
        return (
            "memory ran out; run the same command again with --workers 1 or --quality draft, "
            "finished work is kept"
        )
    if isinstance(error, OSError):
        from aftermap.record.disk import advice_on  # noqa: PLC0415

        return _one_line(
            f"{error.filename}: {advice_on(error)}" if error.filename else advice_on(error)
        )
    return _one_line(str(error))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _size_px(text: str) -> tuple[int, int]:
    width, mark, height = text.lower().partition("x")
    if not (mark and width.isdecimal() and height.isdecimal()):
        raise click.BadParameter(
            f"{text!r} is not WIDTHxHEIGHT, such as 1200x900", param_hint="--size"
        )
    return int(width), int(height)
