"""Reviewed grades of a city -> the shipped model refined for that city, as a model file.

The shipped model stands in the middle of the penalty, so that thirty labels move its constants and
three hundred its curves. The file names the buildings whose labels it used: a total that is
estimated from the same labels would flatter itself, and is refused (docs/explanation/totals.md).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from aftermap.assessment.grade import AdditiveGrader, read_measures
from aftermap.assessment.model_fit import FitOptions, fit
from aftermap.assessment.ordinal import OrdinalModel, document_of
from aftermap.errors import InputError
from aftermap.model.assessment import GRADES, Assessment, AssessorKind
from aftermap.model.building import Buildings, MeasureTable

LEAST_LABELS = 30
STIFF = FitOptions(ridge=12.0, together=3.0, constant_ridge=2.0)
"""A weight moves by one where about a dozen buildings ask for it."""
LABELS = "label_source_ids"


def learn(
    shipped: AdditiveGrader,
    buildings: Buildings,
    measures: MeasureTable,
    labels: Sequence[Assessment],
    at: str,
) -> OrdinalModel:
    """The shipped model, moved towards reviewers' grades of these buildings.

    Labels without a grade, by a machine or of buildings whose roof was not measured are not used.
    Several labels of one building count as one together. Raises ``InputError`` for fewer than
    ``LEAST_LABELS`` buildings. ``at`` is the time that goes on record.
    """
    place = {one.footprint.source_id: k for k, one in enumerate(buildings.buildings)}
    values = read_measures(measures)
    known = np.isfinite(values.get("whole_fraction", np.full(len(place), np.nan)))
    measured = {name for name, k in place.items() if known[k]}
    used = [label for label in labels if _teaches(label) and label.source_id in measured]
    counts = Counter(label.source_id for label in used)
    if len(counts) < LEAST_LABELS:
        raise InputError(
            f"only {len(counts)} reviewed buildings can be used for training, but {LEAST_LABELS} "
            "are needed; review more (aftermap sample draws them)"
        )
    rows = np.array([place[label.source_id] for label in used])
    grades = np.array([GRADES.index(label.grade) for label in used if label.grade is not None])
    weights = np.array([1 / counts[label.source_id] for label in used])
    own = {name: column[rows] for name, column in values.items()}
    found = fit(shipped.model, own, grades, STIFF, weights)
    training = {
        "refined_from_sha256": shipped.sha256,
        "at": at,
        "labels": len(used),
        "buildings": len(counts),
        "grades": {str(grade): int((grades == k).sum()) for k, grade in enumerate(GRADES)},
        "assessors": sorted({label.assessor for label in used}),
        LABELS: sorted(counts),
        "shipped_training": dict(shipped.model.training),
    }
    return replace(found, training=training)


def _teaches(label: Assessment) -> bool:
    return label.kind is not AssessorKind.MACHINE and label.grade is not None


def write_model(model: OrdinalModel, path: Path) -> AdditiveGrader:
    """Write a model to a file, and what it is from now on: its name and its SHA-256.

    Raises InputError where the file cannot be written.
    """
    text = json.dumps(document_of(model), indent=1, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); name another file"
        ) from error
    digest = hashlib.sha256(text.encode()).hexdigest()
    return AdditiveGrader(name=path.name, sha256=digest, model=model)
