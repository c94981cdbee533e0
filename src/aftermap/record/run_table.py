"""What the table ``run`` says of the runs on a case."""

from dataclasses import dataclass

from aftermap.record.geopackage import GeoPackage

_NEWEST = """
SELECT coalesce(max(fid), 0), coalesce(max(ended_at), ''),
  count(*) FILTER (WHERE status = 'running') FROM run"""


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
