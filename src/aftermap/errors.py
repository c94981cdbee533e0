"""Every error a user can meet. Each message names the thing, what is wrong and what to do next.

The command line prints that one line and exits 2, or 1 where a part was delivered; ``--debug``
shows the traceback as well.
"""


class AftermapError(Exception):
    """An expected failure, told in one line that a user can act on."""


class InputError(AftermapError):
    """A file or folder the user named cannot be used."""


class CaseError(AftermapError):
    """The case folder cannot be opened, read or written."""


class CaseInUseError(CaseError):
    """Another run holds the case."""


class RecordBusyError(CaseError):
    """Another program is writing to the record at this moment; the same may be tried again."""


class NoTelemetryError(InputError):
    """A video holds no telemetry of a kind that is known."""


class CrsError(AftermapError):
    """A coordinate reference system or vertical datum is missing, unknown or unsuitable."""


class ControlError(AftermapError):
    """A ground control file or one of its points cannot be used."""


class ReconstructionError(AftermapError):
    """The photographs do not hold together well enough to be placed."""


class SurfaceError(AftermapError):
    """No surface could be measured from the placed photographs."""


class PartialError(AftermapError):
    """A part of what was asked for was delivered; the message says what is missing, and why."""


class MissingExtraError(AftermapError):
    """An optional part of Aftermap is not installed."""


class ResourcesError(AftermapError):
    """This machine has too little memory or disk for the work."""
