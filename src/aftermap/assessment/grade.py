"""Measures of buildings -> a machine's grades with probabilities and reasons, or why there is none.

A building is graded only where it was seen well enough: little of the roof measured, a ground
sample too coarse, no picture or no scale give ``not_assessed`` with the reason in words, whatever
the model would say. An outline that lies badly makes a grade less sure, and so does a worse kind of
imagery than photographs from above.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow.parquet as pq

from aftermap.assessment.contradictions import Contradiction, contradictions_of, limited
from aftermap.assessment.imagery import flattened_by_imagery, note_on
from aftermap.assessment.names import family, in_words
from aftermap.assessment.ordinal import OrdinalModel, model_of
from aftermap.errors import InputError
from aftermap.geo.arrays import Array
from aftermap.geo.crs import LOCAL
from aftermap.model.assessment import (
    GRADES,
    Assessment,
    AssessorKind,
    Grade,
    Grading,
    Reason,
    ReasonSide,
    Visibility,
)
from aftermap.model.building import Building, Buildings, MeasureTable

SHIPPED = Path(__file__).with_name("model.json")
LEAST_MEASURED = 0.4
COARSEST_M = 0.3
"""Ground sample beyond which a roof of ten metres is too few pixels to say how it looks."""
LEAST_M2 = 20.0
MOST_BARE = 0.25
"""Share of level ground inside an outline beyond which the outline shows no building."""
MOST_PROBABILITY = 0.8
"""``grades`` is the smallest run of neighbouring grades with at least this probability."""
MOST_REASONS, MOST_AGAINST = 3, 2
LEAST_WEIGHT = 0.15
SIGMA_UNIT_M, RESIDUAL_UNIT_M = 2.0, 3.0


class Grader(Protocol):
    """Says how likely each grade is, and which measures made it so."""

    @property
    def name(self) -> str:
        """What it is called in the record."""
        ...

    @property
    def sha256(self) -> str:
        """The digest of its file."""
        ...

    def probabilities(self, values: Mapping[str, Array], doubt: Array) -> Array:
        """(N, 5) probabilities; ``doubt`` (N,) is the share of each that says nothing."""
        ...

    def reasons(self, values: Mapping[str, Array], index: int, grade: int) -> tuple[Reason, ...]:
        """What speaks for a building's grade (0 to 4), and what against it.

        ``values`` are (N,) of each measure by its name, NaN where not known; ``index`` is the
        building's.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class AdditiveGrader:
    """The shipped kind of model: a sum of curves."""

    name: str
    sha256: str
    model: OrdinalModel

    def probabilities(self, values: Mapping[str, Array], doubt: Array) -> Array:
        """(N, 5) probabilities."""
        return self.model.probabilities(self.model.parts(values), doubt)

    def reasons(self, values: Mapping[str, Array], index: int, grade: int) -> tuple[Reason, ...]:
        """The measures that make the grade likelier than typical ones would, and those less likely.

        ``values`` are (N,) of each measure by its name. A measure weighs what the log odds of
        the grade
        lose where it is set to its typical value.
        """
        one = {name: column[index : index + 1] for name, column in values.items()}
        weights = self.model.weights_of_measures(self.model.parts(one)[:, 0], grade)
        names = [curve.name for curve in self.model.curves]
        told: list[Reason] = []
        families: set[str] = set()
        for side, sign, most in (
            (ReasonSide.FOR, 1, MOST_REASONS),
            (ReasonSide.AGAINST, -1, MOST_AGAINST),
        ):
            before = len(told)
            for k in np.argsort(-sign * weights, kind="stable"):
                kind = family(names[k])
                if sign * weights[k] < LEAST_WEIGHT or len(told) - before == most:
                    break
                if kind not in families:
                    families.add(kind)
                    told.append(Reason(text=in_words(names[k], float(one[names[k]][0])), side=side))
        return tuple(told)


def grader_in(path: Path | None = None) -> AdditiveGrader:
    """The shipped model, or the one in a JSON file that ``learn`` or the training wrote.

    Raises ``InputError`` where the file holds no such model.
    """
    where = path or SHIPPED
    try:
        data = where.read_bytes()
        document = json.loads(data)
        model = model_of(document)
    except OSError as error:
        raise InputError(
            f"{where}: cannot be read ({error.strerror}); name a model file"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{where}: is not a grading model ({error}); name one written by aftermap learn"
        ) from error
    name = "aftermap grades" if path is None else where.name
    return AdditiveGrader(name=name, sha256=hashlib.sha256(data).hexdigest(), model=model)


def read_measures(measures: MeasureTable) -> dict[str, Array]:
    """The measures by name, (N,) float64, NaN where one is not known; no sigmas."""
    table = pq.read_table(measures.path, columns=list(measures.names))
    return {
        name: np.array(table[name].to_numpy(zero_copy_only=False), float) for name in measures.names
    }


def read_sigmas(measures: MeasureTable) -> dict[str, Array]:
    """One standard deviation of each measure by its name, in the unit of the measure.

    Each of shape (N,) float64 by building; NaN where not known.
    """
    names = [f"{name}_sigma" for name in measures.names]
    table = pq.read_table(measures.path, columns=names)
    return {
        name: np.array(table[column].to_numpy(zero_copy_only=False), float)
        for name, column in zip(measures.names, names, strict=True)
    }


def grade_buildings(
    buildings: Buildings,
    measures: MeasureTable,
    views: Sequence[Visibility],
    model: Grader | None = None,
) -> Grading:
    """A machine's grade of every building in their order; the shipped model where none is given.

    ``views`` has one entry for every building.
    """
    grader = grader_in() if model is None else model
    values, sigmas = read_measures(measures), read_sigmas(measures)
    doubt = np.array([doubt_of(one) for one in buildings.buildings], float)
    known = [
        _why_not(one, views[k], values, k, buildings.crs)
        for k, one in enumerate(buildings.buildings)
    ]
    probabilities = grader.probabilities(values, doubt) if known else np.zeros((0, 5))
    probabilities = flattened_by_imagery(probabilities, [view.imagery for view in views])
    assessments = []
    for k, one in enumerate(buildings.buildings):
        source_id, why = one.footprint.source_id, known[k]
        if why is not None:
            assessments.append(_not_assessed(source_id, grader.name, views[k], why))
            continue
        p, against = _unless_contradicted(probabilities[k], contradictions_of(values, sigmas, k))
        reasons = against + grader.reasons(values, k, int(p.argmax())) + note_on(views[k].imagery)
        assessments.append(_graded(source_id, grader.name, views[k], p, reasons))
    return Grading(assessments=tuple(assessments), model=grader.name, model_sha256=grader.sha256)


def _unless_contradicted(
    p: Array, contradictions: tuple[Contradiction, ...]
) -> tuple[Array, tuple[Reason, ...]]:
    """(5,) probabilities limited where measurements contradict *none*; those, where it stays."""
    if any(one.limits for one in contradictions):
        p = limited(p)
    return p, tuple(one.reason for one in contradictions) if p.argmax() == 0 else ()


def _graded(
    source_id: str, grader: str, view: Visibility, p: Array, reasons: tuple[Reason, ...]
) -> Assessment:
    """The likeliest grade of a building with (5,) probabilities."""
    best, run = int(p.argmax()), smallest_run(p)
    return Assessment(
        source_id=source_id,
        kind=AssessorKind.MACHINE,
        assessor=grader,
        grade=GRADES[best],
        grades=run,
        is_possible=Grade.NONE in run and len(run) > 1,
        probabilities=tuple(round(float(value), 4) for value in p),
        confidence=round(float(p[best]), 4),
        visibility=view,
        reasons=reasons,
    )


def doubt_of(building: Building) -> float:
    """The share of a grade that an outline lying badly takes away, 0 to 1.

    A fortieth for one that lies well (0.3 m of sigma), a fifth for 1 m, two thirds for 3 m.
    """
    alignment = building.alignment
    residual = 0.0 if alignment.residual_m is None else alignment.residual_m
    off = (alignment.sigma_m / SIGMA_UNIT_M) ** 2 + (residual / RESIDUAL_UNIT_M) ** 2
    return off / (1 + off)


def smallest_run(probabilities: Array) -> tuple[Grade, ...]:
    """The shortest run of neighbouring grades with ``MOST_PROBABILITY``; the likeliest of those.

    ``probabilities`` are (5,) and sum to one.
    """
    total = np.concatenate([[0.0], np.cumsum(probabilities)])
    for length in range(1, len(GRADES) + 1):
        held = total[length:] - total[:-length]
        first = int(held.argmax())
        if held[first] >= MOST_PROBABILITY - 1e-9 or length == len(GRADES):
            return GRADES[first : first + length]
    return GRADES


def _why_not(
    building: Building, view: Visibility, values: Mapping[str, Array], index: int, crs: str
) -> str | None:
    """Why a building cannot be graded, None where it can."""

    def value(name: str) -> float:
        return float(values[name][index]) if name in values else math.nan

    seen = value("measured_fraction")
    checks = (
        (crs == LOCAL, "the map has no scale, so heights and sizes are not known"),
        (view.views == 0, "no image shows it"),
        (
            not seen >= LEAST_MEASURED,
            f"{_percent(seen)} % of its roof was measured, too little to grade it",
        ),
        (
            view.ground_sample_m is not None and view.ground_sample_m > COARSEST_M,
            f"GSD of {view.ground_sample_m or 0:.2f} m, too coarse to grade it",
        ),
        (
            building.footprint.area_m2 < LEAST_M2,
            f"footprint of {building.footprint.area_m2:.0f} m2, too small to grade it",
        ),
        (not math.isfinite(value("height_m")), "no ground near it was measured"),
        (
            value("bare_fraction") > MOST_BARE,
            f"{_percent(value('bare_fraction'))} % of its outline is open ground, not a building",
        ),
        (
            not math.isfinite(value("whole_fraction")),
            "too little of it is visible in the orthophoto",
        ),
    )
    return next((reason for holds, reason in checks if holds), None)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share > 0 else "0"


def _not_assessed(source_id: str, assessor: str, view: Visibility, why: str) -> Assessment:
    return Assessment(
        source_id=source_id,
        kind=AssessorKind.MACHINE,
        assessor=assessor,
        grade=None,
        visibility=view,
        not_assessed_reason=why,
    )
