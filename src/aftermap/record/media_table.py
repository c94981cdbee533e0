"""What the layer ``media`` says of a case's originals: photographs, clips and their dates."""

from dataclasses import dataclass

from aftermap.model.clip import Clip
from aftermap.record.geopackage import GeoPackage
from aftermap.record.tables import media_item

_PHOTOGRAPHS = """
SELECT m.sha256, m.name, m.width_px, m.height_px, m.taken_at, m.clock, c.mapped, c.reason
FROM media m LEFT JOIN camera c ON c.sha256 = m.sha256
WHERE NOT instr(m.metadata, '"container"') ORDER BY m.fid"""
_CLIPS = """
SELECT metadata FROM media WHERE instr(metadata, '"container"') ORDER BY fid"""
_DATES = "SELECT min(substr(taken_at, 1, 10)), max(substr(taken_at, 1, 10)) FROM media"


@dataclass(frozen=True, kw_only=True)
class PhotographEntry:
    """A photograph, and why it is not on the map where it is not.

    ``taken_at`` is by the camera's clock, which ``clock`` names. ``mapped`` is 1 or 0, and None
    where no run has looked at the photograph.
    """

    sha256: str
    name: str
    width_px: int
    height_px: int
    taken_at: str | None
    clock: str | None
    mapped: int | None
    reason: str | None


def recorded_photographs(package: GeoPackage) -> list[PhotographEntry]:
    """Every photograph of the case, in the order of receipt.

    Raises CaseError where the record cannot be read.
    """
    names = tuple(PhotographEntry.__dataclass_fields__)
    rows = package.rows(_PHOTOGRAPHS)
    return [PhotographEntry(**dict(zip(names, row, strict=True))) for row in rows]


def recorded_clips(package: GeoPackage) -> list[Clip]:
    """Every clip of the case, in the order of receipt.

    Raises CaseError where the record cannot be read.
    """
    items = [media_item(metadata) for (metadata,) in package.rows(_CLIPS)]
    return [item for item in items if isinstance(item, Clip)]


def is_original(package: GeoPackage, sha256: str) -> bool:
    """Whether a file of that digest was received as an original of the case."""
    return bool(package.rows("SELECT 1 FROM media WHERE sha256 = ?", (sha256,)))


def dates_taken(package: GeoPackage) -> tuple[str, str] | None:
    """The first and the last day of the footage, "YYYY-MM-DD"; None where no original has one."""
    ((first, last),) = package.rows(_DATES)
    return None if first is None else (str(first), str(last))
