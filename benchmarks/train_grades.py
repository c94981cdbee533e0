"""Trains the grades: twins with known damage -> assessment/holes.json and assessment/model.json.

    python -m benchmarks.train_grades --work FOLDER [--write] STYLE:SEED:CASE:TRUTH ...

STYLE is the style of district (city, village, blocks). Every map is measured up to four times,
with outlines a little off: as it is, in coarser cells, softened as oblique video is, and, of
cities, with pitched roofs on an uneven surface (grading_data.py). Holes and grades are tested on
*styles* that were left out. How far the grades are believed is fitted on those by graded_footage.
scikit-learn grows the forest of holes and is needed for nothing else: pip install scikit-learn.
"""

import argparse
import json
import math
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.assessment.excess import EXCESSES, HOLE, add_excesses
from aftermap.assessment.holes import INPUTS, holes_among
from aftermap.assessment.model_fit import FitOptions, fit
from aftermap.assessment.names import NamedValues
from aftermap.assessment.ordinal import OrdinalModel, document_of, of_steps
from aftermap.assessment.reliability import kappa_of
from aftermap.assessment.trees import Forest, forest_of
from aftermap.geo.arrays import Array, IntArray
from aftermap.model.assessment import GRADES
from benchmarks.first_model import empty_model
from benchmarks.grades import calibration_error
from benchmarks.grading_data import (
    Sample,
    coarse,
    emptied,
    filmed,
    jittered,
    map_of,
    pitched,
    sample_of,
    truth_of,
)
from benchmarks.holed_roofs import holed
from benchmarks.machine import circumstances, tidy, write_result

FOLDER = Path(__file__).parents[1] / "src/aftermap/assessment"
DIRECTIONS = {
    "below_half_fraction": 1,
    "largest_plane_fraction": -1,
    "whole_fraction": -1,
    "low_fraction": 1,
    "deepest_m": 1,
    "lower_plane_fraction": 1,
    "hole_fraction": 1,
    "hole_width_m": 1,
    "edge_loss_fraction": 1,
    "ragged_loss_fraction": 1,
    "walls_fraction": -1,
    "normal_entropy": 1,
    "dark_fraction": 1,
    "apron_sides": 1,
    "fallen_fraction": 1,
    "height_loss_fraction": 1,
    "broken_excess_log2": 1,
    "edge_excess_log2": 1,
    "texture_excess_log2": 1,
    "rough_excess_log2": 1,
    "roughness_excess_log2": 1,
    "residual_excess_log2": 1,
    "hole_probability_excess": 1,
    "sunk_fraction": 1,
    "sunk_beside_fraction": 1,
}
"""The measures that grade, and whether more of one is worse (1), better (-1), or can be either."""
WAYS = ("plain", "holed", "coarse", "pitched", "filmed")
FLAT = "city"
"""The style whose roofs are all flat: pitched ones are put on its maps."""
KNOTS = 6
SHARES = (0.0, 0.01, 0.04, 0.12, 0.35, 1.0)
EXCESS = (-1.0, 0.0, 0.5, 1.0, 2.0, 3.5, 6.0)
PLACED: dict[str, tuple[float, ...]] = {
    "below_half_fraction": SHARES,
    "low_fraction": SHARES,
    "hole_fraction": SHARES,
    "edge_loss_fraction": SHARES,
    "ragged_loss_fraction": SHARES,
    "fallen_fraction": SHARES,
    "lower_plane_fraction": SHARES,
    "dark_fraction": (0.0, 0.05, 0.15, 0.35, 0.7, 1.0),
    "walls_fraction": (0.0, 0.15, 0.35, 0.6, 0.85, 1.0),
    "deepest_m": (0.0, 0.5, 1.0, 2.5, 6.0, 15.0),
    "hole_width_m": (0.0, 0.8, 1.5, 3.0, 6.0, 12.0),
    "residual_excess_log2": EXCESS,
    "broken_excess_log2": EXCESS,
    "roughness_excess_log2": EXCESS,
    "edge_excess_log2": (-1.0, 0.0, 0.5, 1.0, 2.0, 4.0),
    "texture_excess_log2": (-1.0, 0.0, 0.3, 0.7, 1.2, 2.5),
    "rough_excess_log2": (-1.0, 0.0, 0.5, 1.0, 2.0, 4.0),
}
"""Knots over all that a measure can be and not over what the training has of it: what is larger
than all that was trained on goes on making a grade worse."""
EXPECTED: dict[str, tuple[float, ...]] = {
    "hole_fraction": (0.8, 0.3, 0.0, 0.0),
    "hole_width_m": (0.8, 0.2, 0.0, 0.0),
    "edge_loss_fraction": (0.3, 0.3, 0.3, 0.0),
    "ragged_loss_fraction": (0.8, 0.8, 0.5, 0.0),
}
"""What geometry says before any training: holes make a roof worse than whole, a ragged loss at its
edge worse than light."""
OPTIONS = FitOptions(ridge=2.0, together=0.5, smooth=1.0)
TREES, LEAVES, LEARNING_RATE, LEAST_LEAF = 150, 6, 0.1, 8


def main() -> None:
    """Measure, train, test on left-out seeds, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("maps", nargs="+", help="STYLE:SEED:CASE:TRUTH")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--without", type=Path, help="folder for a model without each style")
    parser.add_argument("--write", action="store_true", help="model.json, holes.json and results")
    given = parser.parse_args()
    samples: list[Sample] = []
    for text in given.maps:
        style, seed, case, truth = text.split(":")
        samples += samples_of((style, int(seed)), Path(case), Path(truth), given.work)
    model, forest, record = trained(samples)
    print(json.dumps(tidy(record["left_out"]), indent=1))
    if given.write:
        document = document_of(model)
        document["training"] = tidy(record)
        (FOLDER / "model.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (FOLDER / "holes.json").write_text(json.dumps(forest) + "\n", encoding="utf-8")
        write_result("grades_by_style", {"left_out": record["left_out"]})
    if given.without:
        for style in sorted({one.style for one in samples}):
            _write_without(style, samples, given.without / style)


def _write_without(style: str, samples: Sequence[Sample], folder: Path) -> None:
    """The model and the forest that have seen all styles but one, to grade that one with."""
    others = [one for one in samples if one.style != style]
    if not others:
        return
    model = replace(model_of(_crossed(others)), training={"without": style})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(document_of(model)), encoding="utf-8")
    (folder / "holes.json").write_text(json.dumps(forest_document(others)), encoding="utf-8")


def samples_of(
    district: tuple[str, int], case: Path, truth_folder: Path, work: Path
) -> list[Sample]:
    """The variants of one map, measured; kept in ``work`` for the next time.

    ``district`` is its style and its seed.
    """
    style, seed = district
    kept = work / f"{style}-{seed}-{case.name}.pickle"
    if kept.exists():
        return list(pickle.loads(kept.read_bytes()))  # noqa: S301 - this script's own file
    where = map_of(case)
    truth = truth_of(truth_folder, where.elevation.surface.grid.crs, levels=False)
    scratch = emptied(work / "scratch")
    ways = {
        "plain": (where, truth),
        "holed": holed(where, truth, seed, scratch / "holed"),
        "filmed": (filmed(where, seed, scratch / "filmed"), truth),
    }
    if style == FLAT:
        ways["coarse"] = coarse(where, 1.6, scratch / "coarse"), truth
        ways["pitched"] = pitched(where, truth, seed, scratch / "pitched"), truth
    made = [
        sample_of(name, district, way, known, jittered(known.buildings, 0.25, seed + k), scratch)
        for k, (name, (way, known)) in enumerate(ways.items())
    ]
    kept.write_bytes(pickle.dumps(made))
    return made


def trained(
    samples: Sequence[Sample],
) -> tuple[OrdinalModel, dict[str, Any], dict[str, Any]]:
    """The model and the forest of all styles, and their record with figures of left-out styles."""
    styles = sorted({sample.style for sample in samples})
    crossed = _crossed(samples)
    answers = [answer for style in styles for answer in _left_out(samples, style)]
    record = {
        "districts": sorted({f"{one.style}:{one.seed}" for one in samples}),
        "buildings": {
            name: int(sum(len(s.grades) for s in samples if s.name == name)) for name in WAYS
        },
        "options": {"ridge": OPTIONS.ridge, "together": OPTIONS.together},
        "left_out": {
            style: {
                name: figures(
                    np.concatenate([odds for _, odds in own]),
                    np.concatenate([one.grades for one, _ in own]),
                )
                for name in WAYS
                if (own := [a for a in answers if (a[0].style, a[0].name) == (style, name)])
            }
            for style in styles
        },
        "circumstances": circumstances(),
    }
    return model_of(crossed), forest_document(samples), record


def _crossed(samples: Sequence[Sample]) -> list[Sample]:
    """The samples with holes told by forests that have not seen their district."""
    districts = sorted({(one.style, one.seed) for one in samples})
    found: list[Sample] = []
    for district in districts:
        others = [one for one in samples if (one.style, one.seed) != district]
        forest = forest_of(forest_document(others or samples))
        found += [with_holes(one, forest) for one in samples if (one.style, one.seed) == district]
    return found


def _left_out(samples: Sequence[Sample], style: str) -> list[tuple[Sample, Array]]:
    """The samples of a style with the (N, steps) log odds of a model that has not seen it."""
    others = [one for one in samples if one.style != style] or list(samples)
    model, forest = model_of(_crossed(others)), forest_of(forest_document(others))
    found = []
    for one in (one for one in samples if one.style == style):
        told = with_holes(one, forest)
        found.append((told, model.constants + model.parts(told.values).sum(0)))
    return found


def model_of(samples: Sequence[Sample]) -> OrdinalModel:
    """The ordinal model of these samples; a pitched or coarse variant counts half."""
    names = [name for name in DIRECTIONS if any(name in one.values for one in samples)]
    values = {
        name: np.concatenate(
            [one.values.get(name, np.full(len(one.grades), np.nan)) for one in samples]
        )
        for name in names
    }
    grades = np.concatenate([one.grades for one in samples])
    weights = np.concatenate(
        [np.full(len(one.grades), 1.0 if one.name == "plain" else 0.6) for one in samples]
    )
    empty = empty_model(values, {name: DIRECTIONS[name] for name in names}, KNOTS, PLACED, EXPECTED)
    return fit(empty, values, grades, OPTIONS, weights)


def with_holes(sample: Sample, forest: Forest) -> Sample:
    """The sample with its holes told by another forest than one that has seen its seed."""
    found = [holes_among(spots[:, 0], forest.probability(spots)) for spots in sample.spots]
    values = dict(sample.values)
    for name in ("dark_hole_m2", "dark_hole_count", "hole_probability"):
        values[name] = np.array([one[name][0] for one in found])
    return replace(sample, values=with_excesses(values))


def with_excesses(values: Mapping[str, Array]) -> dict[str, Array]:
    """(N,) values of a map's buildings with what they come to beside its whole roofs."""
    names = [*(one.of for one in EXCESSES), HOLE.of]
    count = len(values[HOLE.of])
    rows: list[NamedValues] = [
        {name: (float(values[name][k]), 0.0) for name in names} for k in range(count)
    ]
    add_excesses(rows)
    made = {
        one.name: np.array([row.get(one.name, (math.nan, 0.0))[0] for row in rows])
        for one in (*EXCESSES, HOLE)
    }
    return dict(values) | made


def forest_document(samples: Sequence[Sample]) -> dict[str, Any]:
    """The forest that tells holes from other dark spots, grown on samples, as JSON."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - only to train

    used = [one for one in samples if one.name not in {"pitched", "filmed", "holed"}]
    rows = np.concatenate([spots for one in used for spots in one.spots])
    holes = np.concatenate([flags for one in used for flags in one.are_holes])
    rows, holes = rows[holes >= 0], holes[holes >= 0]
    grown = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        learning_rate=LEARNING_RATE,
        min_samples_leaf=LEAST_LEAF,
        l2_regularization=2.0,
        early_stopping=False,
        random_state=0,
    ).fit(rows, holes)
    trees, depth = [], 1
    for (tree,) in grown._predictors:  # noqa: SLF001 - there is no public way out
        depth = max(depth, int(tree.nodes["depth"].max()))
        trees.append(
            [
                round(float(n["value"]), 5)
                if n["is_leaf"]
                else [
                    int(n["feature_idx"]),
                    round(float(n["num_threshold"]), 5),
                    int(n["left"]),
                    int(n["right"]),
                    bool(n["missing_go_to_left"]),
                ]
                for n in tree.nodes
            ]
        )
    return {
        "format": "aftermap-forest/1",
        "inputs": list(INPUTS),
        "bias": round(float(np.ravel(grown._baseline_prediction)[0]), 5),  # noqa: SLF001
        "depth": depth,
        "training": {
            "districts": sorted({f"{one.style}:{one.seed}" for one in used}),
            "spots": len(rows),
            "holes": int(holes.sum()),
        },
        "trees": trees,
    }


def figures(odds: Array, grades: IntArray) -> dict[str, Any]:
    """Kappa, F1 of every grade, the confusion matrix, and how many are wrong by two and sure."""
    p = of_steps(odds)
    given = p.argmax(1)
    matrix = np.zeros((5, 5), int)
    np.add.at(matrix, (grades, given), 1)
    f1 = 2 * np.diag(matrix) / np.maximum(matrix.sum(0) + matrix.sum(1), 1)
    sure = (np.abs(given - grades) >= 2) & (p.max(1) > 0.8)
    return {
        "buildings": len(grades),
        "kappa": kappa_of(grades, given, len(GRADES), "the left out").value,
        "f1": {str(grade): float(f1[k]) for k, grade in enumerate(GRADES)},
        "damaged_against_none": float(((grades > 0) == (given > 0)).mean()),
        "calibration_error": calibration_error(p, grades),
        "wrong_by_two_and_sure": float(sure.mean()),
        "confusion": matrix.tolist(),
    }


if __name__ == "__main__":
    main()
