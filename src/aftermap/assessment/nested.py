"""The rows of one table -> the same rows, no ends of a group inside those of its members.

All buildings of a class are of each group that holds it, so that a group has at least as many.
Intervals are worked out for each row by itself, and wider where few are counted: light up to 204
beside all damaged up to 169. Both cannot be the best that is known; the wider of the two is kept.
Ends are only moved outwards, so that no interval loses coverage.
"""

from collections.abc import Sequence
from dataclasses import replace

from aftermap.assessment.reviewed_sample import Counted
from aftermap.assessment.total import Range, Total


def nested_rows(classes: Sequence[Counted], rows: Sequence[Total]) -> tuple[Total, ...]:
    """The rows of these classes; upper ends of groups and lower ends of members moved outwards."""
    labels = [frozenset(one.labels) for one in classes]
    return tuple(
        _moved(
            row,
            members=[rows[j] for j, other in enumerate(labels) if other < labels[i]],
            groups=[rows[j] for j, other in enumerate(labels) if other > labels[i]],
        )
        for i, row in enumerate(rows)
    )


def _moved(row: Total, *, members: Sequence[Total], groups: Sequence[Total]) -> Total:
    return replace(
        row,
        low=min([row.low, *(one.low for one in groups)]),
        high=max([row.high, *(one.high for one in members)]),
        at_least=min([row.at_least, *(one.at_least for one in groups)]),
        at_most=max([row.at_most, *(one.at_most for one in members)]),
        beside=tuple(_moved_beside(one, members, groups) for one in row.beside),
    )


def _moved_beside(found: Range, members: Sequence[Total], groups: Sequence[Total]) -> Range:
    """The same of another estimate, by those of the same name."""
    inside, around = (
        [one for row in rows for one in row.beside if one.what == found.what]
        for rows in (members, groups)
    )
    return replace(
        found,
        low=min([found.low, *(one.low for one in around)]),
        high=max([found.high, *(one.high for one in inside)]),
    )
