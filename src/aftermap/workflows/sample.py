"""``aftermap sample``: draw the buildings that reviewers grade, and write the file to fill in.

A sample that reviewers have worked on is the base of totals. Another one takes its place only where
that is asked for, and then says so; both stay in the record.
"""

import math
from dataclasses import replace as changed
from pathlib import Path

from aftermap.assessment.draw import draw_sample
from aftermap.assessment.label_files import GRADERS, PLACE, labels_text, newest_by_reviewer
from aftermap.errors import CaseError, InputError
from aftermap.model.sample import NOT_ASSESSED, Draw
from aftermap.record import Case
from aftermap.record.assessments import add_draw, machine_grades, newest_draw, reviews
from aftermap.record.case import ACTOR
from aftermap.record.disk import write_text
from aftermap.record.outlines import building_places
from aftermap.workflows.review import (
    ReviewOutcome,
    graders_of,
    place_columns,
    refuse_filled,
    refuse_no_case,
)

TWICE_FRACTION = 0.2
"""Of a sample, so large a share is planned for two reviewers where nothing else is asked for."""
PLANNED_TWICE = 40
"""And at least so many: 30 are needed, and some turn out not to be assessable."""


def twice_of(size: int) -> int:
    """How many buildings of a sample of ``size`` are planned for two reviewers by default."""
    return min(size, max(PLANNED_TWICE, math.ceil(TWICE_FRACTION * size)))


def sample_buildings(
    case_path: Path,
    path: Path,
    *,
    size: int,
    seed: int,
    twice: int | None = None,
    replace: bool = False,
) -> ReviewOutcome:
    """Draw a sample, record it, and write the file of labels to fill in.

    ``twice``: how many buildings two reviewers should grade; None is `twice_of` the sample.
    ``replace``: take the place of a sample that was reviewed.

    Raises CaseError where the case holds no model grades, InputError where the newest sample was
    reviewed and is not to be replaced.
    """
    refuse_no_case(case_path)
    refuse_filled(path)
    with Case.create_or_open(case_path) as case:
        before, reviewed = _before(case)
        if before is not None and reviewed and not replace:
            raise _already_reviewed(case_path, before, reviewed)
        draw = _drawn(case, size=size, seed=seed, twice=twice)
        if before is not None:
            draw = changed(draw, replaces=before.number if reviewed else before.replaces)
        places = building_places(case.package)
        graders = graders_of(draw)
        rows = [
            {
                **place_columns(places.get(one.source_id)),
                "source_id": one.source_id,
                GRADERS[0]: graders[one.source_id],
            }
            for one in draw.buildings
        ]
        add_draw(case.package, draw, actor=ACTOR)
        write_text(path, labels_text(rows, (*PLACE, *GRADERS)))
    return ReviewOutcome(lines=tuple(_lines(draw, before, path)), path=path)


def _already_reviewed(case_path: Path, before: Draw, reviewed: int) -> InputError:
    """The error that says which sample reviewers have worked on, and what can be done instead."""
    return InputError(
        f"{case_path}: {reviewed} of the {len(before.buildings)} buildings of sample "
        f"{before.number} ({before.drawn_at}, seed {before.seed}) have been reviewed; "
        "estimate totals from it, or draw another one with --replace (both stay in the record)"
    )


def _before(case: Case) -> tuple[Draw | None, int]:
    """The newest sample of a case, and how many of its buildings some reviewer has graded."""
    draw = newest_draw(case.package)
    if draw is None:
        return None, 0
    said = newest_by_reviewer(one.assessment for one in reviews(case.package))
    return draw, sum(one.source_id in said for one in draw.buildings)


def _drawn(case: Case, *, size: int, seed: int, twice: int | None) -> Draw:
    kept = machine_grades(case.package)
    if not kept:
        raise CaseError(f"{case.path}: has no model grades yet; run aftermap assess first")
    draw = draw_sample(
        [one.assessment for one in kept],
        size=size,
        seed=seed,
        machine_batch=kept[0].batch,
        twice=twice_of(size) if twice is None else twice,
    )
    if not draw.buildings:
        raise CaseError(
            f"{case.path}: no image shows any of its buildings, so none can be reviewed; map more "
            "footage"
        )
    return draw


def _lines(draw: Draw, before: Draw | None, path: Path) -> list[str]:
    """What is said of a sample that was drawn."""
    of = sum(one.buildings for one in draw.strata)
    count = f"{len(draw.buildings)} of {of} buildings"
    lines = [f"{count} drawn, seed {draw.seed}, stratified by model grade:"]
    lines += [f"  {_name(one.name)}: {one.drawn} of {one.buildings}" for one in draw.strata]
    if draw.never_seen:
        lines.append(
            f"{draw.never_seen} more buildings are shown by no image; they were not drawn, and "
            "totals do not count them"
        )
    if before is not None:
        was = "reviewed " if draw.replaces == before.number else ""
        lines.append(f"It replaces the {was}sample of {before.drawn_at}, which stays in the record")
    lines.append(
        f"{len(draw.twice)} of them are for two reviewers (column {GRADERS[0]}); without a second "
        "reviewer, reviewer error is in no interval"
    )
    lines.append(f"For reviewers, without model grades: {path}")
    return lines


def _name(stratum: str) -> str:
    return "not assessed by the model" if stratum == NOT_ASSESSED else stratum
