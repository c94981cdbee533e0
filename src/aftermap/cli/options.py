"""What the commands share: non-empty paths, ``--debug``, and a clean stop on SIGTERM."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class _NamedPath(click.Path):
    """A path that is not empty: "" would mean the current folder, and is an unset variable."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("is empty; name a file or folder, or '.' for the current folder", param, ctx)
        return super().convert(value, param, ctx)


PATH = _NamedPath(path_type=Path)

LonLat = tuple[float, float]


class LonLatParam(click.ParamType[LonLat]):
    """``LON,LAT`` in degrees, WGS 84, longitude first."""

    name = "lon,lat"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> LonLat:
        """The two numbers; fails where they are none or out of range."""
        try:
            lon, lat = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not LON,LAT in degrees, such as 39.0087,35.9506", param, ctx)
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            self.fail(f"{value!r} is out of range; give longitude first, then latitude", param, ctx)
        return lon, lat


@dataclass
class Debug:
    """Whether the user wants to see tracebacks."""

    wanted: bool = False


def _note_debug(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value:
        context.find_object(Debug).wanted = True  # type: ignore[union-attr]


def debug_option(command: Command) -> Command:
    """``--debug``, accepted before or after the name of the command."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_note_debug,
        help="Show the traceback of an error.",
    )(command)


confirm_crs_option = click.option(
    "--confirm-crs",
    multiple=True,
    metavar="EPSG:n",
    help="Use this CRS although its area of use does not include the place; may be repeated.",
)


STOP_AGAIN_S = 10.0
"""Longer than workers take to end."""


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Inside the block SIGTERM (kill, a shutdown) stops a run as Ctrl-C does.

    Enter it after pycolmap is imported: its own handler prints a stack of C++ frames.
    """
    before: dict[int, Any] = {}

    def stop(*_: object) -> NoReturn:
        # A callback of compiled code swallows what it cannot raise, so it is said again.
        before.setdefault(signal.SIGALRM, signal.signal(signal.SIGALRM, stop))
        signal.setitimer(signal.ITIMER_REAL, STOP_AGAIN_S)
        raise KeyboardInterrupt

    before[signal.SIGTERM] = signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        if signal.SIGALRM in before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
