"""A probability sample of a case's buildings: which were drawn, out of what, what people say."""

from dataclasses import dataclass

from aftermap.model.assessment import Grade

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

    ``twice``: the ids of those that two reviewers are to grade, each blind, so that their error is
    known. ``never_seen`` buildings are no part of the population that was drawn from. ``replaces``
    is the number of the reviewed sample that this one was drawn to replace, be it by way of samples
    that nobody reviewed. ``number`` and
    ``drawn_at`` are the record's: 0 and empty until it is recorded.
    """

    seed: int
    machine_batch: int
    strata: tuple[DrawnStratum, ...]
    buildings: tuple[DrawnBuilding, ...]
    twice: tuple[str, ...] = ()
    never_seen: int = 0
    replaces: int | None = None
    number: int = 0
    drawn_at: str = ""


@dataclass(frozen=True, kw_only=True)
class BlindGrade:
    """What a reviewer said who saw neither the machine's grade nor another reviewer's.

    ``grade`` is None where the reviewer found that the building cannot be assessed.
    """

    reviewer: str
    grade: Grade | None


@dataclass(frozen=True, kw_only=True)
class SampledBuilding:
    """A building of a sample with all that people said of it, for totals.

    ``blind``: the newest grade of each reviewer, in the order in which they were given; empty where
    nobody has reviewed it. ``reference``: its grade by a check that is better than the review (a
    visit, pictures of the ground), None where there was none.
    """

    source_id: str
    blind: tuple[BlindGrade, ...] = ()
    reference: Grade | None = None

    @property
    def grades(self) -> tuple[Grade, ...]:
        """What it is counted as: the reference alone, else the grades of all reviewers."""
        if self.reference is not None:
            return (self.reference,)
        return tuple(one.grade for one in self.blind if one.grade is not None)

    @property
    def is_graded_twice(self) -> bool:
        """Whether two reviewers gave it a grade, each blind."""
        return sum(one.grade is not None for one in self.blind) > 1
