"""``aftermap totals``: the reviewed sample of a case -> how many buildings are of each class.

Which labels may be used is decided here: those of the newest sample, no label that a model has
learnt from, and no building that was reviewed without being drawn.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from aftermap.assessment.draw import STRATA, is_seen, stratum_of
from aftermap.assessment.estimator import (
    Counted,
    Population,
    counted_classes,
    error_matrix,
    totals_of,
)
from aftermap.assessment.intervals import CONFIDENCE
from aftermap.assessment.label_files import newest_by_reviewer
from aftermap.assessment.scales import CROSSWALK_VERSION, Scale, classes_in
from aftermap.assessment.total import ALIKE, Circumstances, TooFew, Total, TotalsTable
from aftermap.config import SETTINGS_NAME, settings_in
from aftermap.errors import CaseError, CrsError, InputError
from aftermap.geo.arrays import BoolArray
from aftermap.geo.crs_operation import lonlat_of, operation_at
from aftermap.geo.great_circle import LonLat
from aftermap.model.assessment import GRADES, Assessment, Grade
from aftermap.model.sample import BlindGrade, Draw, SampledBuilding
from aftermap.record import Case
from aftermap.record.assessments import (
    learning_labels,
    machine_grades,
    newest_draw,
    reviews,
)
from aftermap.record.media_table import dates_taken
from aftermap.record.outlines import building_outlines

_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class TotalsOutcome:
    """Totals of the case and then of each area, with what must be known beside them.

    ``matrix``: sampled buildings by the machine's grade and the reviewers' label.
    """

    tables: tuple[TotalsTable | TooFew, ...]
    notes: tuple[str, ...]
    matrix: Mapping[str, Mapping[str, float]]

    @property
    def totals(self) -> tuple[Total | TooFew, ...]:
        """All rows of all tables, and the areas with too few graded buildings, in order."""
        found: list[Total | TooFew] = []
        for one in self.tables:
            found += [one] if isinstance(one, TooFew) else one.rows
        return tuple(found)

    def plain(self) -> dict[str, Any]:
        """The same in JSON's values; every total carries its sentence."""
        return {
            "totals": [_plain(one) for one in self.totals],
            "notes": list(self.notes),
            "sampled_by_machine_and_reviewers": {n: dict(row) for n, row in self.matrix.items()},
            "interval": CONFIDENCE,
        }


def estimate_totals(
    case_path: Path, *, scale: Scale, areas: Path | None, assume_alike: bool
) -> TotalsOutcome:
    """Totals from the newest sample of a case.

    ``areas``: a file of polygons for each of which the totals are estimated as well.
    ``assume_alike``: count sampled buildings that were not reviewed as if they were like the
    reviewed ones of their stratum; without it they are refused.
    """
    with Case.open_to_read(case_path) as case:
        return totalled_in(case, scale=scale, areas=areas, assume_alike=assume_alike)


def totalled_in(
    case: Case, *, scale: Scale, areas: Path | None, assume_alike: bool
) -> TotalsOutcome:
    """The same of a case that is open.

    Raises CaseError without a sample, InputError where sampled buildings have no grade.
    """
    case_path = case.path
    draw = newest_draw(case.package)
    if draw is None:
        raise CaseError(
            f"{case_path}: has no sample, and model grades are not counted; draw one with "
            "aftermap sample, have it reviewed, and import the labels"
        )
    population = _population(case, draw)
    sampled, notes = _sampled(case, draw)
    dates = dates_taken(case.package)
    places = None if areas is None else _inside(case, areas, population.names)
    open_ = [one.source_id for one in sampled if not one.blind]
    if open_ and not assume_alike:
        shown = ", ".join(open_[:_SHOWN]) + (" ..." if len(open_) > _SHOWN else "")
        raise InputError(
            f"{case_path}: {len(open_)} of {len(sampled)} sampled buildings have not been reviewed "
            f"({shown}); have them reviewed, or go on without them with --assume-alike"
        )
    circumstances = Circumstances(
        area=f"the area of case {case_path.name}",
        class_set=_class_set(scale),
        dates=dates,
        never_seen=len(machine_grades(case.package, draw.machine_batch)) - len(population.names),
    )
    return TotalsOutcome(
        tables=_all(population, sampled, scale, circumstances, places or {}),
        notes=tuple(notes),
        matrix=error_matrix(population, sampled),
    )


def _all(
    population: Population,
    sampled: Sequence[SampledBuilding],
    scale: Scale,
    circumstances: Circumstances,
    areas: Mapping[str, BoolArray],
) -> tuple[TotalsTable | TooFew, ...]:
    classes = _classes(scale)
    parts = [(population, circumstances)]
    for name, inside in areas.items():
        here = replace(circumstances, area=name)
        parts.append((population.part(inside), here))
    return tuple(totals_of(part, sampled, classes, here) for part, here in parts)


def _classes(scale: Scale) -> tuple[Counted, ...]:
    classes = [
        (_name(one.label, one.grades), tuple(grade.value for grade in one.grades))
        for one in classes_in(scale)
    ]
    return counted_classes(classes, [grade.value for grade in GRADES[1:]])


def _class_set(scale: Scale) -> str:
    labels = ", ".join(one.label for one in classes_in(scale))
    return f"class set {scale.value} ({labels}; crosswalk {CROSSWALK_VERSION})"


def _name(label: str, grades: Sequence[Grade]) -> str:
    """A class by its label, and our grades behind it where they are called otherwise."""
    ours = " or ".join(grade.value for grade in grades)
    return label if label.startswith(ours) else f"{label} (ours: {ours})"


def _population(case: Case, draw: Draw) -> Population:
    every = [k.assessment for k in machine_grades(case.package, draw.machine_batch)]
    seen = [one for one in every if is_seen(one)]
    drawn_from = sum(one.buildings for one in draw.strata)
    grades = seen if drawn_from == len(seen) else every  # older samples: from all
    return Population(
        names=tuple(one.source_id for one in grades),
        strata=STRATA,
        stratum=np.array([STRATA.index(stratum_of(one)) for one in grades], np.int64),
        labels=STRATA,
        probabilities=np.array([_probabilities(one) for one in grades]).reshape(-1, len(STRATA)),
    )


def _probabilities(one: Assessment) -> list[float]:
    """The machine's of the grades and of "not assessed", 0 or 1 where it gave none."""
    if one.grade is not None and one.probabilities is not None:
        return [*one.probabilities, 0.0]
    return [float(name == stratum_of(one)) for name in STRATA]


def _sampled(case: Case, draw: Draw) -> tuple[list[SampledBuilding], list[str]]:
    """What reviewers said of each sampled building, and what is to be told of the others."""
    learnt = learning_labels(case.package)
    kept = reviews(case.package)
    usable = newest_by_reviewer(one.assessment for one in kept if one.number not in learnt)
    taught = {one.assessment.source_id for one in kept if one.number in learnt}
    sampled = {one.source_id for one in draw.buildings}
    refused = sorted((taught & sampled) - usable.keys())
    if refused:
        raise InputError(
            f"{case.path}: a model was trained on the labels of {len(refused)} sampled buildings "
            f"({', '.join(refused[:_SHOWN])}), so they cannot test it; draw a new sample with "
            "aftermap sample and have it reviewed"
        )
    found = [
        SampledBuilding(
            source_id=one.source_id,
            blind=tuple(
                BlindGrade(reviewer=who, grade=said.grade)
                for who, said in usable.get(one.source_id, {}).items()
            ),
        )
        for one in draw.buildings
    ]
    notes = []
    others = usable.keys() - sampled
    if others:
        notes.append(
            f"{len(others)} reviewed buildings are not in the sample and were not used: their "
            "inclusion probability is not known"
        )
    newest = machine_grades(case.package)
    if newest and newest[0].batch != draw.machine_batch:
        notes.append(
            "the model has regraded the buildings since the sample was drawn; the strata and "
            "probabilities are those of the earlier grades, and the totals remain valid"
        )
    return found, notes


def _inside(case: Case, path: Path, names: Sequence[str]) -> dict[str, BoolArray]:
    """(N,) for each area of a file: which of the buildings have their middle in it."""
    crs, shapes = building_outlines(case.package)
    if crs is None:
        raise CaseError(
            f"{case.path}: has no georeferenced buildings, so areas cannot be told apart; omit --by"
        )
    middle = shapely.get_coordinates(shapely.centroid(np.array(list(shapes.values()), object)))
    confirmed = settings_in(case.path / SETTINGS_NAME).confirm_crs
    areas = _areas(path, crs, lonlat_of(crs, middle), confirmed)
    rows = [i for i, name in enumerate(names) if name in shapes]
    places = shapely.point_on_surface([shapes[names[i]] for i in rows])
    found = {}
    for name, shape in areas.items():
        inside = np.zeros(len(names), bool)
        inside[rows] = shapely.contains(shape, places)
        found[name] = inside
    return found


def _areas(path: Path, crs: str, place: LonLat, confirmed: Collection[str]) -> dict[str, Any]:
    """The polygons of a file by name, in the CRS of the case."""
    try:
        meta, _, shapes, columns = pyogrio.raw.read(path)
    except (DataSourceError, DataLayerError) as error:
        raise InputError(
            f"{path}: cannot be read as polygons ({error}); give a GeoJSON file of areas"
        ) from error
    if meta["crs"] is None:
        raise CrsError(f"{path}: declares no CRS; save it as GeoJSON in EPSG:4326")
    into_case = operation_at(f"{path.name}, areas", meta["crs"], crs, place, confirmed)
    fields = {str(n).casefold(): c for n, c in zip(meta["fields"], columns, strict=True)}
    names = fields.get("name")
    found: dict[str, Any] = {}
    for i, shape in enumerate(shapely.from_wkb(shapes)):
        if shape is None or shapely.area(shape) == 0:
            continue
        text = "" if names is None or names[i] is None else str(names[i])
        name = f"the area {text or i + 1} of {path.name}"
        if name in found:
            name = f"the area {text} ({i + 1}) of {path.name}"
        found[name] = shapely.make_valid(shapely.transform(shape, into_case.moved_xy))
    if not found:
        raise InputError(f"{path}: has no polygons; draw the areas and save them as GeoJSON")
    return found


def _plain(one: Total | TooFew) -> dict[str, Any]:
    if isinstance(one, TooFew):
        return {**asdict(one), "reviewed": one.graded, "sentence": str(one)}
    plain = asdict(one)
    reviewed, circumstances = plain.pop("reviewed"), plain.pop("circumstances")
    return {
        **plain,
        **circumstances,
        "estimator": one.method,
        "reviewed": one.reviewed.graded,
        "sampled": one.reviewed.sampled,
        "without_grade": one.reviewed.without_grade,
        "review": reviewed,
        "assumption": ALIKE if one.reviewed.without_grade else "",
        "sentence": str(one),
    }
