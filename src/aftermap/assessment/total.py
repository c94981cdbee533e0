"""Totals as people read them: one table per area, a row per class, and a sentence for each row.

No number stands alone: a row has its denominator, interval, bounds, method, reviewers and their
agreement, and cannot be formatted as a number or a percentage.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from aftermap.assessment.intervals import CONFIDENCE, Interval
from aftermap.assessment.reliability import Agreement

ALIKE = "sampled buildings without a grade are like the graded ones of their stratum"
"""The assumption that an estimate is made under where some have none (missing at random)."""
REVIEWED_ALIKE = (
    "sampled buildings that nobody reviewed are like the reviewed ones of their stratum"
)
"""The same of the row of buildings that cannot be assessed, which needs no grade."""

ALSO_IN_CLASSES = (
    "these buildings are of some class and are in its estimate too, so the rows add up to more "
    "than all buildings"
)


class ReviewerError(StrEnum):
    """Whether and from what the error of reviewers is inside an estimate and its interval."""

    NOT_INCLUDED = "reviewer error not included"
    DOUBLE_GRADES = (
        "reviewer error included, from the buildings graded twice, if reviewers err independently "
        "of each other"
    )
    REFERENCE = (
        "reviewer error included, from the checked grades, if these were drawn at random from the "
        "sample"
    )


@dataclass(frozen=True, kw_only=True)
class LoneReviewer:
    """A reviewer of whose error too little is known: graded alone, and compared, of all graded."""

    name: str
    alone: int
    graded: int
    compared: int

    def __str__(self) -> str:
        return (
            f"{self.name}, who graded {self.alone} of {self.graded} alone "
            f"({self.compared} compared with another grade)"
        )


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What every sentence says of its circumstances.

    ``dates`` are the first and last day of the pictures, None where they are not known.
    ``never_seen`` buildings are no part of the population. ``caveats`` are further things that a
    reader must know, such as labels that are not known to be blind; each sentence ends with them.
    """

    area: str
    class_set: str
    dates: tuple[str, str] | None
    never_seen: int = 0
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """How a sample was reviewed: by whom, how much of it, and how far they agree.

    ``sampled`` = ``graded`` + ``not_assessed`` (reviewers found that it cannot be assessed) +
    ``unanswered`` (nobody has looked). ``graded_twice``: by two reviewers, each blind.
    ``checked``: with a reference grade; ``checked_unassessable``: those of them, here, that
    reviewers could not assess from the imagery. ``twice_elsewhere`` and ``checked_elsewhere``: of
    both, those outside of the area, which tell of its reviewers.
    """

    reviewers: tuple[str, ...]
    sampled: int
    graded: int
    not_assessed: int
    unanswered: int
    graded_twice: int
    checked: int
    agreement: Agreement | None
    checked_unassessable: int = 0
    twice_elsewhere: int = 0
    checked_elsewhere: int = 0

    @property
    def without_grade(self) -> int:
        """Sampled buildings of which no grade is known."""
        return self.sampled - self.graded

    def __str__(self) -> str:
        who = ", ".join(self.reviewers) or "nobody"
        plural = "s" if len(self.reviewers) > 1 else ""
        parts = [f"reviewer{plural} {who}", self._twice()]
        if self.agreement is not None:
            parts.append(str(self.agreement))
        if self.checked:
            parts.append(f"{self.checked} with a checked grade{_outside(self.checked_elsewhere)}")
        if self.checked_unassessable:
            parts.append(f"{self.checked_unassessable} of these not assessable from the imagery")
        return "; ".join(parts)

    def _twice(self) -> str:
        return f"{self.graded_twice} buildings graded twice{_outside(self.twice_elsewhere)}"


@dataclass(frozen=True, kw_only=True)
class Range:
    """Another number of buildings for a row, with its ends, and what it is."""

    what: str
    buildings: int
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.what}: {self.buildings:,} ({self.low:,} to {self.high:,})"


@dataclass(frozen=True, kw_only=True)
class Total:
    """One row: how many of how many buildings are of a class, by the method that is named first.

    ``buildings``, ``low`` and ``high``: the estimate and its 95 % interval, under the assumption
    ``ALIKE`` where sampled buildings have no grade. ``at_least`` and ``at_most`` need no such
    assumption: the lower end if none without a grade is of the class, the upper end if all are.
    ``cost``: where reviewer error is not included, what it would do to the estimate; else None.
    ``lone_reviewers``: those for whom it is not, although enough buildings were compared in all.
    ``beside``: other estimates of the same row, never first: the prediction-powered one, and the
    uncorrected one where reviewer error is included. ``is_class`` is False of the buildings that
    cannot be assessed, which are of some class as well. ``str()`` is the sentence.
    """

    what: str
    buildings: int
    low: int
    high: int
    at_least: int
    at_most: int
    of: int
    method: str
    reviewer_error: ReviewerError
    cost: Range | None
    beside: tuple[Range, ...]
    reviewed: Reviewed
    circumstances: Circumstances
    lone_reviewers: tuple[LoneReviewer, ...] = ()
    is_class: bool = True

    @property
    def error_said(self) -> str:
        """Whether reviewer error is included, and for whom it is not."""
        if not self.lone_reviewers:
            return str(self.reviewer_error)
        return f"{self.reviewer_error} for {', nor for '.join(map(str, self.lone_reviewers))}"

    def __str__(self) -> str:
        share = [_percent(count, self.of) for count in (self.buildings, self.low, self.high)]
        reviewed = self.reviewed
        estimated = (
            f"{self.what}: an estimated {self.buildings:,} of {self.of:,} buildings "
            f"({CONFIDENCE:.0%} interval {self.low:,} to {self.high:,}; "
            f"{share[0]} %, {share[1]} to {share[2]} %){self._without_grade()} in "
            f"{self.circumstances.area}, {self.circumstances.class_set}, "
            f"{_dates(self.circumstances.dates)}"
        )
        parts = [
            estimated,
            *([] if self.is_class else [ALSO_IN_CLASSES]),
            f"{self.method} from {_graded_of_sampled(reviewed)}",
            str(reviewed),
            self.error_said,
            *([] if self.cost is None else [str(self.cost)]),
            *_never_seen(self.circumstances.never_seen),
            *self.circumstances.caveats,
        ]
        return "; ".join(parts)

    def _without_grade(self) -> str:
        reviewed = self.reviewed
        missing = reviewed.without_grade if self.is_class else reviewed.unanswered
        if not missing:
            return ""
        which = "without a grade" if self.is_class else "that nobody reviewed"
        return (
            f" if {self.assumption}, and at least {self.at_least:,} and at most {self.at_most:,} "
            f"whatever the {missing} {which} are,"
        )

    @property
    def assumption(self) -> str:
        """What the estimate and its interval hold under; "" where nothing is assumed."""
        if self.is_class:
            return ALIKE if self.reviewed.without_grade else ""
        return REVIEWED_ALIKE if self.reviewed.unanswered else ""

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError(
                f"a total cannot be formatted as {spec!r}: without its denominator, interval and "
                "circumstances it says nothing; print it as it is"
            )
        return str(self)

    def __float__(self) -> NoReturn:
        raise TypeError("a total is a sentence and no number; print it as it is")


@dataclass(frozen=True, kw_only=True)
class TotalsTable:
    """The totals of one area: what holds for all rows, and a row per class or group."""

    of: int
    reviewed: Reviewed
    circumstances: Circumstances
    rows: tuple[Total, ...]

    @property
    def preamble(self) -> tuple[str, ...]:
        """What is said once above the rows, a line each."""
        reviewed, said = self.reviewed, self.circumstances
        counts = _graded_of_sampled(reviewed)
        missing = [
            f"{count} {what}"
            for count, what in (
                (reviewed.not_assessed, "could not be assessed"),
                (reviewed.unanswered, "not reviewed"),
            )
            if count
        ]
        if missing:
            counts += f" ({', '.join(missing)})"
        return (
            f"{said.area}: {self.of:,} buildings, {said.class_set}, {_dates(said.dates)}",
            f"estimated from {counts}; intervals of {CONFIDENCE:.0%}",
            *self._assumed(),
            str(reviewed),
            *_never_seen(said.never_seen),
            *said.caveats,
        )

    def _assumed(self) -> tuple[str, ...]:
        """What estimates hold under where sampled buildings have no grade."""
        if not self.reviewed.without_grade:
            return ()
        return (
            f"estimates and intervals hold if {ALIKE}; at least to at most, whatever they are",
            *([f"not assessable: {ALSO_IN_CLASSES}"] if self.reviewed.not_assessed else []),
        )


@dataclass(frozen=True, kw_only=True)
class TooFew:
    """An area for which nothing is estimated, and why."""

    area: str
    of: int
    graded: int
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.area}: too few graded buildings for an estimate ({self.graded} of "
            f"{self.of:,}): {self.reason}"
        )


def range_of(found: Interval, what: str) -> Range:
    """An interval of one total in whole buildings, under the name of what it is."""
    low, high = int(found.low), int(found.high)
    buildings = min(max(round(float(found.estimate)), low), high)
    return Range(what=what, buildings=buildings, low=low, high=high)


def _percent(count: int, of: int) -> str:
    """A share in percent; 0.0 and 100.0 only where it is none and all."""
    text = f"{100 * count / of:.1f}"
    if text == "0.0" and count > 0:
        return "under 0.1"
    if text == "100.0" and count < of:
        return "over 99.9"
    return text


def _outside(count: int) -> str:
    """Of buildings that tell of the reviewers, how many are not of the area."""
    return f" ({count} of them outside of this area)" if count else ""


def _graded_of_sampled(reviewed: Reviewed) -> str:
    return f"{reviewed.graded} graded of {reviewed.sampled} sampled buildings"


def _never_seen(count: int) -> tuple[str, ...]:
    return (f"{count:,} buildings that no picture shows are not counted",) if count else ()


def _dates(dates: tuple[str, str] | None) -> str:
    if dates is None:
        return "imagery dates not known"
    days = f"on {dates[0]}" if dates[0] == dates[1] else f"{dates[0]} to {dates[1]}"
    return f"as seen {days} (by the cameras' clocks)"
