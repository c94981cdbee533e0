"""A probability sample of a case's buildings: which were drawn, out of what, with which chance."""

from dataclasses import dataclass

NOT_ASSESSED = "not_assessed"
"""The stratum of buildings that the machine did not grade, and the class of those nobody can."""


@dataclass(frozen=True, kw_only=True)
class DrawnStratum:
    """A stratum: how many buildings it has, and how many of them were drawn."""

    name: str
    buildings: int
    drawn: int


@dataclass(frozen=True, kw_only=True)
class DrawnBuilding:
    """A building of a sample. Its inclusion probability is drawn / buildings of its stratum."""

    source_id: str
    stratum: str
    inclusion_probability: float


@dataclass(frozen=True, kw_only=True)
class Draw:
    """A sample as it was drawn from one batch of the machine's grades, in the order of drawing.

    ``number`` and ``drawn_at`` are the record's: 0 and empty until it is recorded.
    """

    seed: int
    machine_batch: int
    strata: tuple[DrawnStratum, ...]
    buildings: tuple[DrawnBuilding, ...]
    number: int = 0
    drawn_at: str = ""
