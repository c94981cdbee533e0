"""An expected failure -> one line that a person can act on, and the exit status."""

import click

from aftermap.errors import PartialError

DONE = 0
PARTIAL = 1
"""A part was delivered; the line says what is missing, and why."""
FAILED = 2
"""Nothing was delivered."""
STOPPED = 130
"""By Ctrl-C or SIGTERM."""


def status_for(error: Exception) -> int:
    """The exit status of a command that ended with this."""
    return PARTIAL if isinstance(error, PartialError) else FAILED


def line_for(error: Exception) -> str:
    """One line that names the thing, what is wrong and what to do next."""
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "aftermap"
        return f"{_one_line(error.format_message()).rstrip('.')}. See '{path} --help'."
    if isinstance(error, click.ClickException):
        return _one_line(error.format_message())
    if isinstance(error, MemoryError):
        return (
            "out of memory; run the same command again with --workers 1 or --quality draft "
            "(finished work is kept)"
        )
    if isinstance(error, OSError):
        from aftermap.record.disk import advice_on  # noqa: PLC0415

        return _one_line(
            f"{error.filename}: {advice_on(error)}" if error.filename else advice_on(error)
        )
    return _one_line(str(error))


def _one_line(text: str) -> str:
    return " ".join(text.split())
