"""``aftermap learn``: a city's own reviewed grades -> the model refined for that city.

What a model has learnt from no longer tells how good it is: those labels are marked in the record,
and no total is estimated from them. So the newest sample is left out unless it is asked for.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from aftermap.assessment.grade import grader_in
from aftermap.assessment.refine_model import learn, write_model
from aftermap.config import Settings
from aftermap.model.runs import Progress
from aftermap.record import Case
from aftermap.record.assessments import (
    RecordedAssessment,
    add_learning_labels,
    newest_draw,
    reviews,
)
from aftermap.record.case import ACTOR
from aftermap.record.custody import utc_now
from aftermap.run import Runner
from aftermap.workflows.assess import BUILDING_MEASURES, BUILDINGS
from aftermap.workflows.review import refuse_no_case


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """The model's file, and what is to be told in a few lines."""

    path: Path
    lines: tuple[str, ...]


def learn_city_model(
    case_path: Path, out: Path, settings: Settings, *, with_sample: bool, progress: Progress
) -> Learnt:
    """The shipped model moved towards the reviewed grades of a case, written to ``out``."""
    refuse_no_case(case_path)
    with (
        Case.create_or_open(case_path) as case,
        Runner(case, command="learn", options=settings, progress=progress) as run,
    ):
        again = "aftermap assess"
        buildings = run.latest_result(BUILDINGS, command=again)
        measures = run.latest_result(BUILDING_MEASURES, command=again)
        draw = None if with_sample else newest_draw(case.package)
        sampled = set() if draw is None else {one.source_id for one in draw.buildings}
        kept = _newest(reviews(case.package), sampled)
        model = learn(grader_in(), buildings, measures, [one.assessment for one in kept], utc_now())
        names = set(model.training["label_source_ids"])
        used = [one for one in kept if one.assessment.source_id in names]
        made = write_model(model, out)
        add_learning_labels(case.package, used, model_sha256=made.sha256, actor=ACTOR)
    lines = [
        f"Trained on {len(used)} grades of {len(names)} buildings: {out}",
        f"To grade with this model: aftermap assess {case_path} --model {out}",
    ]
    if sampled:
        lines.append(
            f"Not used for training: the {len(sampled)} buildings of the newest sample, so that "
            "totals can still be estimated from it"
        )
    return Learnt(path=out, lines=tuple(lines))


def _newest(
    kept: Collection[RecordedAssessment], left_out: Collection[str]
) -> list[RecordedAssessment]:
    """The newest grade of each building by each reviewer, without buildings that are left out."""
    newest = {(one.assessment.assessor, one.assessment.source_id): one for one in kept}
    return [one for (_, name), one in newest.items() if name not in left_out]
