"""Streets: lines as somebody drew them, and how wide a way is left along them.

Lines are in metres of a projected CRS. A piece is ten metres of a line.
"""

from dataclasses import dataclass
from enum import StrEnum

from aftermap.model.datum import DatumTransformation
from aftermap.model.runs import Skipped

Line = tuple[tuple[float, float], ...]

CAR_M, TRUCK_M = 2.5, 3.5
"""The gap that a car or an ambulance, and a truck, gets through."""

OWN_LINE = "own"
"""Begins the ``source_id`` of lines between buildings, where no street lines were given."""


class Passage(StrEnum):
    """Who gets through a piece of street. ``not_seen`` is no word for free."""

    TRUCK = "truck"
    CAR = "car"
    NOBODY = "nobody"
    NOT_SEEN = "not_seen"


@dataclass(frozen=True, kw_only=True)
class Street:
    """One line of the input file: its id there, its parts, and what the file says of it.

    ``width_m`` is the width of the carriageway where the file gives it (OSM's ``width``), None
    where it says nothing.
    """

    source_id: str
    feature: int
    lines_m: tuple[Line, ...]
    name: str | None = None
    kind: str | None = None
    width_m: float | None = None


@dataclass(frozen=True, kw_only=True)
class StreetSet:
    """The lines that can be used, in the CRS of the map, and those that cannot, with reasons.

    ``transformation`` is how their datum became that of the map; None where it is the same.
    """

    crs: str
    file_name: str
    file_sha256: str
    id_field: str
    streets: tuple[Street, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    transformation: DatumTransformation | None = None


@dataclass(frozen=True, kw_only=True)
class StreetTable:
    """Every piece of street: a Parquet file, in the order of the lines and along them.

    Columns: ``source_id`` and ``name`` (null) of the line; ``piece``, its number along it from 0;
    ``geometry``, WKB of its axis in ``crs``; ``length_m``; ``width_m`` of the street there, from
    wall to wall or as the file gives it; ``free_width_m``, the widest gap at the narrowest place,
    and ``free_width_sigma_m``; ``clear_width_m``, the same with vehicles in the way;
    ``nobody_probability`` that no car gets through; ``passage`` (:class:`Passage`);
    ``seen_fraction`` of its ground; ``rubble_fraction`` and ``vehicles``, what lies and stands on
    it; ``reason`` in words. Widths are null where the piece was not seen.

    ``has_own_lines`` is set where no lines were given: the lines are middles of the space between
    buildings that lead through. They are no known streets, so their lengths are not summed.
    """

    path: str
    crs: str
    pieces: int
    has_own_lines: bool
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
