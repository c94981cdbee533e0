"""What the table ``run`` says of the runs on a case."""

from dataclasses import dataclass

from aftermap.record.geopackage import GeoPackage

_NEWEST = """
SELECT coalesce(max(fid), 0), coalesce(max(ended_at), ''),
  count(*) FILTER (WHERE status = 'running') FROM run"""


_FINISHED = """
SELECT command, options, products, versions, stages FROM run WHERE status = 'ok' ORDER BY fid"""


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A run that ended well, as the record has it: the command, and the rest as JSON text."""

    command: str
    options: str
    products: str | None
    versions: str
    stages: str | None


@dataclass(frozen=True, kw_only=True)
class Generation:
    """The newest run that ended (UTC, "" where none has), and whether one is under way."""

    run: int
    ended_at: str
    is_running: bool


def newest_generation(package: GeoPackage) -> Generation:
    """Which answer the record holds now. Raises CaseError where the record cannot be read."""
    ((run, ended_at, running),) = package.rows(_NEWEST)
    return Generation(run=run, ended_at=ended_at, is_running=running > 0)


def finished_runs(package: GeoPackage) -> list[FinishedRun]:
    """The runs that ended well, the oldest first. Raises CaseError where it cannot be read."""
    names = ("command", "options", "products", "versions", "stages")
    return [FinishedRun(**dict(zip(names, row, strict=True))) for row in package.rows(_FINISHED)]
