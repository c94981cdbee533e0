"""Cases of twins measured once, and graded by models that have or have not seen their style.

Outlines are true ones, aligned to the map by Aftermap itself. The dark spots of each roof are kept
beside its measures, so that another forest can say which of them are holes.
"""

import json
import pickle
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aftermap.assessment.excess import EXCESSES, HOLE, add_excesses
from aftermap.assessment.grade import SHIPPED, grade_buildings, grader_in
from aftermap.assessment.holes import dark_spots, holes_among
from aftermap.assessment.names import NamedValues
from aftermap.assessment.trees import Forest, forest_of
from aftermap.geo.arrays import Array
from aftermap.model.assessment import Grade, Grading, Visibility
from aftermap.model.building import Buildings, MeasureTable
from benchmarks.grades import shifted_and_aligned
from benchmarks.grading_data import map_of, truth_of, values_of


@dataclass(frozen=True, kw_only=True)
class MeasuredCase:
    """The measures of a case in a table at ``path``, its true grades, and its roofs' dark spots.

    ``spots`` are (N, inputs) by the building's place.
    """

    buildings: Buildings
    path: Path
    grades: tuple[Grade, ...]
    ground_sample_m: float
    spots: Mapping[int, Array]


def measured_case(case: Path, truth_folder: Path, kept: Path) -> MeasuredCase:
    """A case measured, or as it was kept before: ``kept`` with .parquet and .pickle behind it."""
    table, rest = kept.with_suffix(".parquet"), kept.with_suffix(".pickle")
    if not rest.exists():
        where = map_of(case)
        truth = truth_of(truth_folder, where.elevation.surface.grid.crs)
        buildings = shifted_and_aligned(where, truth, 0.0)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as folder:
            _, roofs = values_of(where, buildings, Path(folder))
            shutil.copy(Path(folder) / "measures.parquet", table)
        spots = {place: dark_spots(picture, site)[0] for place, (picture, site) in roofs.items()}
        facts = buildings, truth.grades, where.elevation.ground_sample_m, spots
        rest.write_bytes(pickle.dumps(facts))
    buildings, grades, sample_m, spots = pickle.loads(rest.read_bytes())  # noqa: S301 - own file
    return MeasuredCase(
        buildings=buildings, path=table, grades=grades, ground_sample_m=sample_m, spots=spots
    )


def grading_of_case(case: MeasuredCase, trained: Path | None) -> Grading:
    """The grades of the model in a folder (model.json, holes.json), or of the shipped one.

    No imagery is told, so that no probability is flattened.
    """
    seen = Visibility(
        roof_fraction=1.0,
        views=3,
        facades=0,
        surface_photographs=None,
        ground_sample_m=case.ground_sample_m,
    )
    views = [seen] * len(case.buildings.buildings)
    where = SHIPPED.parent if trained is None else trained
    forest = forest_of(json.loads((where / "holes.json").read_text(encoding="utf-8")))
    with TemporaryDirectory() as folder:
        told = with_forest(case, forest, Path(folder) / "measures.parquet")
        return grade_buildings(case.buildings, told, views, grader_in(where / "model.json"))


def with_forest(case: MeasuredCase, forest: Forest, path: Path) -> MeasureTable:
    """The measures of a case with holes told by a forest, written to ``path``."""
    table = pq.read_table(case.path)
    names = _names_of(table)
    values = {name: np.array(table[name].to_numpy(zero_copy_only=False), float) for name in names}
    sigmas = {
        name: np.array(table[f"{name}_sigma"].to_numpy(zero_copy_only=False), float)
        for name in names
    }
    rows: list[NamedValues] = [
        {name: (float(values[name][k]), float(sigmas[name][k])) for name in names}
        for k in range(table.num_rows)
    ]
    for place, spots in case.spots.items():
        rows[place].update(holes_among(spots[:, 0], forest.probability(spots)))
    add_excesses(rows)
    changed = {"dark_hole_m2", "dark_hole_count", "hole_probability"}
    changed |= {one.name for one in (*EXCESSES, HOLE)}
    for name in changed & set(names):
        for column, at in ((name, 0), (f"{name}_sigma", 1)):
            found = [row[name][at] if name in row else None for row in rows]
            known = [x if x is not None and np.isfinite(x) else None for x in found]
            table = table.set_column(
                table.column_names.index(column), column, pa.array(known, pa.float32())
            )
    pq.write_table(table, path)
    return MeasureTable(path=str(path), names=names)


def _names_of(table: pa.Table) -> tuple[str, ...]:
    columns = set(table.column_names)
    return tuple(name for name in table.column_names if f"{name}_sigma" in columns)
