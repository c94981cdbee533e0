"""Grades of damage: what they are, who gave them, and on what grounds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aftermap.model.raster import Raster


class Grade(StrEnum):
    """How badly a building is damaged, from no visible damage to nothing left standing."""

    NONE = "none"
    LIGHT = "light"
    MODERATE = "moderate"
    SEVERE = "severe"
    DESTROYED = "destroyed"


GRADES = tuple(Grade)


WITHDRAWN = "withdrawn by the reviewer"
"""What people read where a reviewer took back the only grade that they gave a building."""


class AssessorKind(StrEnum):
    """Whose word a grade is. ``adopted`` is what the case stands by; it replaces neither."""

    MACHINE = "machine"
    REVIEWER = "reviewer"
    ADOPTED = "adopted"


class AssessmentStatus(StrEnum):
    """How far a building is graded; exports have it in a column of its own.

    ``possible``: it may be undamaged and it may be damaged, whichever is the likelier.
    """

    GRADED = "graded"
    POSSIBLE = "possible"
    NOT_ASSESSED = "not_assessed"


class Blinding(StrEnum):
    """Whether a reviewer graded a building without having been shown grades of it.

    ``BLIND``: graded on the page, which had sent neither model grades nor other reviewers' grades
    to this reviewer. ``DECLARED``: whoever imported the grade says so. ``NOT_BLIND``: model grades
    had been shown. A grade of which none of these is recorded is not known to be blind.
    """

    BLIND = "blind"
    DECLARED = "declared_blind"
    NOT_BLIND = "not_blind"


class Imagery(StrEnum):
    """The best kind of picture that saw a building, from the best kind to the worst.

    Two or more photographs from above, two or more photographs at a slant, or less than that, such
    as frames of clips.
    """

    NADIR_PHOTOGRAPHS = "nadir_photographs"
    OBLIQUE_PHOTOGRAPHS = "oblique_photographs"
    VIDEO = "video"

    @property
    def words(self) -> str:
        """The kind as a reader of a sheet or a reason meets it."""
        return {
            Imagery.NADIR_PHOTOGRAPHS: "nadir photographs",
            Imagery.OBLIQUE_PHOTOGRAPHS: "oblique photographs",
            Imagery.VIDEO: "video or one photograph",
        }[self]


@dataclass(frozen=True, kw_only=True)
class Visibility:
    """How well a building was seen: not how surely it is graded.

    ``roof_fraction`` is the share of the footprint whose height was measured; ``facades`` how many
    of its four sides some picture shows; ``surface_photographs`` the median number of photographs
    that agree on its heights; ``imagery`` the best kind of picture that saw it. None is not known.
    """

    roof_fraction: float
    views: int
    facades: int
    ground_sample_m: float | None
    surface_photographs: float | None
    imagery: Imagery | None = None


class ReasonSide(StrEnum):
    """Whether a reason speaks for the grade that is given or against it; a note does neither.

    A contradiction speaks against it by a measurement of damage, beyond its own error, beside the
    grade *none*: the probability of that grade was limited for it.
    """

    FOR = "for"
    AGAINST = "against"
    CONTRADICTION = "contradiction"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Something that was measured or said of a building, in words, and which side it is on."""

    text: str
    side: ReasonSide


def reasons_on(side: ReasonSide, reasons: Iterable[Reason]) -> tuple[str, ...]:
    """The words of the reasons on one side, in their order."""
    return tuple(one.text for one in reasons if one.side is side)


def for_and_against(
    reasons: Sequence[Reason],
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The words of reasons for a grade and against it; where none has a side, all and None.

    Contradictions stand first among those against it.
    """
    if all(one.side is ReasonSide.NOTE for one in reasons):
        return reasons_on(ReasonSide.NOTE, reasons), None
    against = reasons_on(ReasonSide.CONTRADICTION, reasons)
    against += reasons_on(ReasonSide.AGAINST, reasons)
    return reasons_on(ReasonSide.FOR, reasons), against


def notes_beside(reasons: Sequence[Reason]) -> tuple[str, ...]:
    """The words of the notes that stand beside reasons with a side; none where all are notes."""
    notes = reasons_on(ReasonSide.NOTE, reasons)
    return notes if len(notes) < len(reasons) else ()


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """One grade of one building by one assessor.

    ``grade`` is the most probable one and ``grades`` the smallest run of neighbouring grades that
    holds most of the probability; both are empty where the building is not assessed, and
    ``not_assessed_reason`` says why. ``is_possible`` means that ``grades`` holds both no damage and
    damage. ``probabilities`` are of the grades in order; None where a person gave one grade.
    ``confidence`` (0 to 1) is the probability that the grade is right. ``reasons`` are for the
    grade or against it, the weightiest of each side first. ``supersedes`` is the number of the
    recorded row that this one takes back; ``is_withdrawn``: after that the reviewer has no grade.
    ``blinding`` of a reviewer's grade is None where it is not known, and for every other assessor.
    """

    source_id: str
    kind: AssessorKind
    assessor: str
    grade: Grade | None
    grades: tuple[Grade, ...] = ()
    is_possible: bool = False
    probabilities: tuple[float, ...] | None = None
    confidence: float | None = None
    visibility: Visibility | None = None
    reasons: tuple[Reason, ...] = ()
    not_assessed_reason: str | None = None
    note: str | None = None
    at: str | None = None
    supersedes: int | None = None
    is_withdrawn: bool = False
    blinding: Blinding | None = None

    @property
    def is_blind(self) -> bool:
        """Whether it was given, or is declared to be given, without sight of model grades."""
        return self.blinding in (Blinding.BLIND, Blinding.DECLARED)

    @property
    def status(self) -> AssessmentStatus:
        """Whether there is a grade, and whether it leaves open if there is damage at all."""
        if self.grade is None:
            return AssessmentStatus.NOT_ASSESSED
        return AssessmentStatus.POSSIBLE if self.is_possible else AssessmentStatus.GRADED


@dataclass(frozen=True, kw_only=True)
class Grading:
    """A machine's grade of every building, in their order, and the model that gave it."""

    assessments: tuple[Assessment, ...]
    model: str
    model_sha256: str


@dataclass(frozen=True, kw_only=True)
class Before:
    """The place before the damage: an orthophoto, a surface with its datum, or both.

    They may lie on other grids and in another projected CRS than the map. Heights are compared
    after both surfaces have been brought together on the ground around each building. A map of
    Aftermap has a confidence beside each: what it filled is not compared.
    """

    orthophoto: Raster | None = None
    surface: Raster | None = None
    orthophoto_confidence: Raster | None = None
    surface_confidence: Raster | None = None
