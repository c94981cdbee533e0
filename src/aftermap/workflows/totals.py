"""``aftermap totals``: the reviewed sample of a case -> how many buildings are of each class.

Which grades may be used: ``sampled_grades.py``. How they are shown: ``totals_table.py``.
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
from aftermap.assessment.estimator import error_matrix, totals_of
from aftermap.assessment.intervals import CONFIDENCE
from aftermap.assessment.reviewed_sample import Counted, Population, counted_classes
from aftermap.assessment.scales import CROSSWALK_VERSION, Scale, classes_in
from aftermap.assessment.total import Circumstances, TooFew, Total, TotalsTable
from aftermap.config import SETTINGS_NAME, settings_in
from aftermap.errors import CaseError, CrsError, InputError
from aftermap.geo.arrays import BoolArray
from aftermap.geo.crs_operation import lonlat_of, operation_at
from aftermap.geo.great_circle import LonLat
from aftermap.model.assessment import GRADES, Assessment, Grade
from aftermap.model.sample import Draw
from aftermap.record import Case
from aftermap.record.assessments import machine_grades, newest_draw
from aftermap.record.media_table import dates_taken
from aftermap.record.outlines import building_outlines
from aftermap.workflows.sampled_grades import SampledGrades, refuse_unreviewed, sampled_grades
from aftermap.workflows.totals_table import row_of_total, table_lines


@dataclass(frozen=True, kw_only=True)
class TotalsOptions:
    """What is asked of totals.

    ``areas``: a file of polygons for each of which totals are estimated as well. ``reference``: a
    CSV file of checked grades of sampled buildings, against which reviewers are corrected.
    ``assume_alike``: go on although sampled buildings have not been reviewed.
    ``with_unblinded``: count grades that are not known to be blind, which every total then says.
    """

    scale: Scale = Scale.OURS
    areas: Path | None = None
    reference: Path | None = None
    assume_alike: bool = False
    with_unblinded: bool = False


@dataclass(frozen=True, kw_only=True)
class AreaTotals:
    """The totals of the case or of one area.

    ``differing``: for each row, sampled buildings that are of the class by their accepted grade
    and not by any blind one, or the other way round.
    """

    table: TotalsTable | TooFew
    differing: tuple[int, ...]

    @property
    def rows(self) -> tuple[Total, ...]:
        """The rows of the table; none where too few buildings were graded."""
        return () if isinstance(self.table, TooFew) else self.table.rows

    @property
    def cells(self) -> list[dict[str, str]]:
        """The rows as words, by column."""
        pairs = zip(self.rows, self.differing, strict=True)
        return [row_of_total(row, count) for row, count in pairs]


@dataclass(frozen=True, kw_only=True)
class TotalsOutcome:
    """Totals of the case and then of each area, with what must be known beside them.

    ``matrix``: sampled buildings by the machine's grade and the reviewers' label.
    """

    areas: tuple[AreaTotals, ...]
    notes: tuple[str, ...]
    matrix: Mapping[str, Mapping[str, float]]

    @property
    def totals(self) -> tuple[Total | TooFew, ...]:
        """All rows of all tables, and the areas with too few graded buildings, in order."""
        found: list[Total | TooFew] = []
        for one in self.areas:
            found += [one.table] if isinstance(one.table, TooFew) else one.table.rows
        return tuple(found)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every total as a sentence to quote as it is."""
        return tuple(str(one) for one in self.totals)

    @property
    def lines(self) -> tuple[str, ...]:
        """A preamble and a table for the case and for each area, then the notes."""
        found: list[str] = []
        for one in self.areas:
            if isinstance(one.table, TooFew):
                found += [str(one.table), ""]
            else:
                found += [*one.table.preamble, "", *table_lines(one.cells), ""]
        return (*found, *self.notes)

    def plain(self) -> dict[str, Any]:
        """The same in JSON's values; every total carries its sentence."""
        return {
            "totals": [
                found
                for one in self.areas
                for found in (
                    [_plain(one.table)]
                    if isinstance(one.table, TooFew)
                    else [
                        {**_plain(row), "accepted_differs": count}
                        for row, count in zip(one.rows, one.differing, strict=True)
                    ]
                )
            ],
            "notes": list(self.notes),
            "sampled_by_machine_and_reviewers": {n: dict(row) for n, row in self.matrix.items()},
            "interval": CONFIDENCE,
        }


def estimate_totals(case_path: Path, options: TotalsOptions) -> TotalsOutcome:
    """Totals from the newest sample of a case."""
    with Case.open_to_read(case_path) as case:
        return totalled_in(case, options)


def totalled_in(case: Case, options: TotalsOptions) -> TotalsOutcome:
    """The same of a case that is open.

    Raises CaseError without a sample, InputError where sampled buildings have no blind grade.
    """
    draw = newest_draw(case.package)
    if draw is None:
        raise CaseError(
            f"{case.path}: has no sample, and model grades are not counted; draw one with "
            "aftermap sample, have it reviewed, and import the labels"
        )
    graded = [one.assessment for one in machine_grades(case.package, draw.machine_batch)]
    population = _population(draw, graded)
    found = sampled_grades(
        case, draw, reference=options.reference, with_unblinded=options.with_unblinded
    )
    if not options.assume_alike:
        refuse_unreviewed(case, found.sampled)
    unseen = _unseen(graded, population)
    every = (*population.names, *unseen)
    areas = {} if options.areas is None else _inside(case, options.areas, every)
    circumstances = Circumstances(
        area=f"the area of case {case.path.name}",
        class_set=_class_set(options.scale),
        dates=dates_taken(case.package),
        never_seen=len(unseen),
        caveats=found.caveats_in(population.names),
    )
    return TotalsOutcome(
        areas=_all(population, found, options.scale, circumstances, areas),
        notes=(
            *_differing(found),
            *found.notes,
            *_not_yet_twice(draw, found),
            f"sample {draw.number}, drawn {draw.drawn_at[:10]}, seed {draw.seed}",
        ),
        matrix=error_matrix(population, found.sampled),
    )


def _not_yet_twice(draw: Draw, found: SampledGrades) -> list[str]:
    """What is left of the plan for two reviewers, while anything is."""
    done = {one.source_id for one in found.sampled if one.is_graded_twice}
    left = len(set(draw.twice) - done)
    if not left:
        return []
    count = f"{left} of the {len(draw.twice)} buildings planned for two reviewers"
    return [f"{count} have no two grades yet (aftermap review export --second)"]


def _differing(found: SampledGrades) -> list[str]:
    if not found.accepted:
        return []
    count = f"{found.differing} of the {len(found.accepted)} sampled buildings"
    return [
        f"accepted grades are not counted: {count} with an accepted grade have another blind grade"
    ]


def _all(
    population: Population,
    found: SampledGrades,
    scale: Scale,
    circumstances: Circumstances,
    areas: Mapping[str, BoolArray],
) -> tuple[AreaTotals, ...]:
    """The totals of the case and of each area: (N,) which of the population and the unseen."""
    classes = _classes(scale)
    parts = [(population, circumstances)]
    seen = len(population.names)
    for name, inside in areas.items():
        part = population.part(inside[:seen])
        here = replace(
            circumstances,
            area=name,
            never_seen=int(inside[seen:].sum()),
            caveats=found.caveats_in(set(part.names)),
        )
        parts.append((part, here))
    return tuple(
        AreaTotals(
            table=totals_of(part, found.sampled, classes, here),
            differing=tuple(found.differing_in(one.labels, set(part.names)) for one in classes),
        )
        for part, here in parts
    )


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


def _unseen(graded: Sequence[Assessment], population: Population) -> list[str]:
    """Buildings that were graded and are no part of the population."""
    counted = set(population.names)
    return [one.source_id for one in graded if one.source_id not in counted]


def _population(draw: Draw, graded: Sequence[Assessment]) -> Population:
    seen = [one for one in graded if is_seen(one)]
    drawn_from = sum(one.buildings for one in draw.strata)
    grades = seen if drawn_from == len(seen) else graded  # older samples: from all
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
        "assumption": one.assumption,
        "sentence": str(one),
    }
