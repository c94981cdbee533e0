"""Trains the grades: twins with known damage -> assessment/holes.json and assessment/model.json.

    python -m benchmarks.train_grades --work FOLDER SEED:CASE:TRUTH ...

Every map is measured four times, with outlines a little off: as it is, in coarser cells, with
pitched roofs on an uneven surface, and softened as oblique video is (grading_data.py).
Holes and grades are tested on seeds that were left out; the temperature is fitted on those, too.
scikit-learn grows the forest of holes and is needed for nothing else: pip install scikit-learn.
"""

import argparse
import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.assessment.holes import INPUTS, holes_among
from aftermap.assessment.model_fit import FitOptions, fit
from aftermap.assessment.ordinal import OrdinalModel, document_of, of_steps
from aftermap.assessment.reliability import kappa_of
from aftermap.assessment.trees import Forest, forest_of
from aftermap.geo.arrays import Array, IntArray
from aftermap.model.assessment import GRADES
from benchmarks.first_model import calibration_temperature, empty_model
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
from benchmarks.machine import circumstances, tidy

FOLDER = Path(__file__).parents[1] / "src/aftermap/assessment"
DIRECTIONS = {
    "below_half_fraction": 1,
    "plane_residual_m": 1,
    "largest_plane_fraction": -1,
    "whole_fraction": -1,
    "broken_fraction": 1,
    "low_fraction": 1,
    "deepest_m": 1,
    "lower_plane_fraction": 1,
    "hole_fraction": 1,
    "normal_entropy": 1,
    "apron_sides": 1,
    "edge_fraction": 1,
    "broken_texture": 1,
    "dark_hole_m2": 1,
    "hole_probability": 1,
    "fallen_fraction": 1,
    "height_loss_fraction": 1,
    "sunk_fraction": 1,
    "sunk_beside_fraction": 1,
}
"""The measures that grade, and whether more of one is worse (1), better (-1), or can be either."""
KNOTS = 6
OPTIONS = FitOptions(ridge=0.5, together=0.1)
TREES, LEAVES, LEARNING_RATE, LEAST_LEAF = 150, 6, 0.1, 8


def main() -> None:
    """Measure, train, test on left-out seeds, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("maps", nargs="+", help="SEED:CASE:TRUTH")
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    samples: list[Sample] = []
    for text in given.maps:
        seed, case, truth = text.split(":")
        samples += samples_of(int(seed), Path(case), Path(truth), given.work)
    model, record = trained(samples)
    document = document_of(model)
    document["training"] = tidy(record)
    (FOLDER / "model.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(tidy(record["left_out"]), indent=1))


def samples_of(seed: int, case: Path, truth_folder: Path, work: Path) -> list[Sample]:
    """The variants of one map, measured; kept in ``work`` for the next time."""
    kept = work / f"{case.parent.name}-{case.name}-{seed}.pickle"
    if kept.exists():
        return list(pickle.loads(kept.read_bytes()))  # noqa: S301 - this script's own file
    where = map_of(case)
    truth = truth_of(truth_folder, where.elevation.surface.grid.crs, levels=False)
    scratch = emptied(work / "scratch")
    buildings = [jittered(truth.buildings, 0.25, seed + k) for k in range(4)]
    ways = {
        "plain": where,
        "coarse": coarse(where, 1.6, scratch / "coarse"),
        "pitched": pitched(where, truth, seed, scratch / "pitched"),
        "filmed": filmed(where, seed, scratch / "filmed"),
    }
    made = [
        sample_of(name, seed, way, truth, buildings[k], scratch)
        for k, (name, way) in enumerate(ways.items())
    ]
    kept.write_bytes(pickle.dumps(made))
    return made


def trained(samples: Sequence[Sample]) -> tuple[OrdinalModel, dict[str, Any]]:
    """The model of all seeds, its temperature from left-out ones, and the record of both."""
    seeds = sorted({sample.seed for sample in samples})
    crossed: list[Sample] = []
    for seed in seeds:
        others = [one for one in samples if one.seed != seed]
        forest = forest_of(forest_document(others))
        crossed += [with_holes(one, forest) for one in samples if one.seed == seed]
    odds, grades, names = [], [], []
    for seed in seeds:
        model = model_of([one for one in crossed if one.seed != seed])
        for one in (one for one in crossed if one.seed == seed):
            odds.append(model.constants + model.parts(one.values).sum(0))
            grades.append(one.grades)
            names += [one.name] * len(one.grades)
    all_odds, all_grades = np.concatenate(odds), np.concatenate(grades)
    plain = np.array(names) == "plain"
    temperature = calibration_temperature(all_odds[plain], all_grades[plain])
    final = model_of(crossed)
    document = forest_document(samples)
    (FOLDER / "holes.json").write_text(json.dumps(document) + "\n", encoding="utf-8")
    record = {
        "seeds": seeds,
        "buildings": {
            name: int(sum(len(s.grades) for s in samples if s.name == name))
            for name in ("plain", "coarse", "pitched", "filmed")
        },
        "options": {"ridge": OPTIONS.ridge, "together": OPTIONS.together, "knots": KNOTS},
        "left_out": {
            name: figures(all_odds[of] / temperature, all_grades[of])
            for name in ("plain", "coarse", "pitched", "filmed")
            if (of := np.array(names) == name).any()
        },
        "circumstances": circumstances(),
    }
    return replace(final, temperature=temperature, training={}), record


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
    empty = empty_model(values, {name: DIRECTIONS[name] for name in names}, KNOTS)
    return fit(empty, values, grades, OPTIONS, weights)


def with_holes(sample: Sample, forest: Forest) -> Sample:
    """The sample with its holes told by another forest than one that has seen its seed."""
    found = [holes_among(spots[:, 0], forest.probability(spots)) for spots in sample.spots]
    values = dict(sample.values)
    for name in ("dark_hole_m2", "dark_hole_count", "hole_probability"):
        values[name] = np.array([one[name][0] for one in found])
    return Sample(name=sample.name, seed=sample.seed, values=values, grades=sample.grades)


def forest_document(samples: Sequence[Sample]) -> dict[str, Any]:
    """The forest that tells holes from other dark spots, grown on samples, as JSON."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - only to train

    used = [one for one in samples if one.name not in {"pitched", "filmed"}]
    rows = np.concatenate([spots for one in used for spots in one.spots])
    holes = np.concatenate([flags for one in used for flags in one.are_holes])
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
            "seeds": sorted({one.seed for one in used}),
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
        "wrong_by_two_and_sure": float(sure.mean()),
        "confusion": matrix.tolist(),
    }


if __name__ == "__main__":
    main()
