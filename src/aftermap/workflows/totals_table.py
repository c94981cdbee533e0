"""Totals as one table in words: a row for each class or group, the same columns for all.

The command line and the page show these cells; neither words of its own.
"""

from collections.abc import Mapping, Sequence

from aftermap.assessment.intervals import CONFIDENCE
from aftermap.assessment.total import Reviewed, Total

CLASS, ESTIMATE, INTERVAL, BOUNDS = "class", "estimate", "interval", "bounds"
WITHOUT_GRADE, OF, DIFFERING = "without_grade", "of", "differing"
REVIEWER_ERROR, REVIEWERS, METHOD = "reviewer_error", "reviewers", "method"
HEADINGS: Mapping[str, str] = {
    CLASS: "class",
    ESTIMATE: "estimate",
    INTERVAL: f"{CONFIDENCE:.0%} interval",
    BOUNDS: "at least to at most",
    WITHOUT_GRADE: "sampled without a grade",
    OF: "of buildings",
    DIFFERING: "accepted grade differs",
    REVIEWER_ERROR: "reviewer error",
    REVIEWERS: "reviewers and agreement",
    METHOD: "method",
}
"""The columns of the table in their order, and what stands above each."""
_ERROR = "reviewer error "
_RIGHT = {ESTIMATE, OF, DIFFERING}


def row_of_total(one: Total, differing: int) -> dict[str, str]:
    """The cells of a row by column. ``differing``: sampled buildings with another accepted grade.

    ``bounds`` run from what holds if no building without a grade is of the class to what holds if
    all are, each with its end of the interval.
    """
    reviewed = one.reviewed
    error = one.error_said.removeprefix(_ERROR)
    return {
        CLASS: one.what,
        ESTIMATE: f"{one.buildings:,}",
        INTERVAL: f"{one.low:,} to {one.high:,}",
        BOUNDS: f"{one.at_least:,} to {one.at_most:,}",
        WITHOUT_GRADE: f"{reviewed.without_grade} of {reviewed.sampled}",
        OF: f"{one.of:,}",
        DIFFERING: str(differing),
        REVIEWER_ERROR: error if one.cost is None else f"{error}; {one.cost}",
        REVIEWERS: _reviewers(reviewed),
        METHOD: one.method,
    }


def table_lines(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The table as text of fixed columns, its headings first."""
    every = [HEADINGS, *rows]
    width = {name: max(len(row[name]) for row in every) for name in HEADINGS}

    def line(row: Mapping[str, str]) -> str:
        cells = [
            row[name].rjust(width[name]) if name in _RIGHT else row[name].ljust(width[name])
            for name in HEADINGS
        ]
        return "  ".join(cells).rstrip()

    return [line(row) for row in every]


def _reviewers(reviewed: Reviewed) -> str:
    """Who reviewed, how many buildings twice, and how far they agree."""
    who = ", ".join(reviewed.reviewers) or "nobody"
    agreement = reviewed.agreement
    if not reviewed.graded_twice:
        return f"{who}: none graded twice, agreement not known"
    agreed = "agreement not known"
    if agreement is not None and agreement.value is not None:
        agreed = f"alpha {agreement.value:.2f} ({agreement.low:.2f} to {agreement.high:.2f})"
    outside = f" ({reviewed.twice_elsewhere} elsewhere)" if reviewed.twice_elsewhere else ""
    return f"{who}: {reviewed.graded_twice} graded twice{outside}, {agreed}"
