"""Grades from photographs alone, from a clip alone and from both, on styles never trained on.

    python -m benchmarks.graded_flights FOLDER 31 32 33 34 35     flies and maps what is missing
    python -m benchmarks.graded_footage --seeds FOLDER [--models FOLDER] [--work FOLDER] [--write]
        [--case WAY:STYLE:SEED:CASE:TRUTH ...]

With --models each case is graded by the model that has not seen its style (train_grades --without).
Districts that the shipped model was not trained on are graded by that as well.

Writes results/graded_footage.json: kappa, grades off by two and surer than 0.8, reliability, and
building by building whether the clip made a grade right or wrong (McNemar's exact test). For each
kind of imagery a temperature is fitted on all styles and tested on styles that were left out; with
--write they go to assessment/imagery.json, which the product reads. Outlines are true ones, aligned
to the map by Aftermap itself.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from aftermap.assessment.grade import grader_in
from aftermap.assessment.imagery import flattened
from aftermap.model.assessment import GRADES, Imagery
from benchmarks.graded_cases import grading_of_case, measured_case
from benchmarks.graded_flights import WAYS
from benchmarks.grades import (
    SURE,
    Outcome,
    calibration_error,
    figures,
)
from benchmarks.machine import circumstances, tidy, write_result

SHIPPED = Path(__file__).parents[1] / "src/aftermap/assessment/imagery.json"
KINDS = {
    "photographs": Imagery.NADIR_PHOTOGRAPHS,
    "oblique": Imagery.OBLIQUE_PHOTOGRAPHS,
    "clips": Imagery.VIDEO,
}
FITTED_WITH = {
    "photographs": ("photographs",),
    "oblique": ("oblique", "clips"),
    "clips": ("oblique", "clips"),
}
"""Slanting photographs are too few for a temperature of their own: they share that of clips."""
HOTTEST = 5.0


@dataclass(frozen=True, kw_only=True)
class Graded:
    """One case: the outcome, and by building its true and given grade (0 to 4)."""

    way: str
    style: str
    seed: int
    outcome: Outcome
    by_building: Mapping[str, tuple[int, int]]


def main() -> None:
    """Grade every case that there is and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=Path)
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--models", type=Path)
    parser.add_argument("--work", type=Path, help="where measured cases are kept")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    told: list[Sequence[str | Path]] = [text.split(":") for text in options.case]
    for folder in sorted(options.seeds.iterdir()) if options.seeds else ():
        cases = [("city", folder.name, folder / way, folder / "flight/truth") for way in WAYS]
        told += [
            (case[2].name, *case)
            for case in cases
            if (case[2] / "products/orthophoto.tif").exists()
        ]
    found = [_graded(case, options.models, options.work) for case in told]
    seen = set(grader_in().model.training["districts"])
    held_out = [
        _graded(case, None, options.work) for case in told if f"{case[1]}:{case[2]}" not in seen
    ]
    imagery = {
        kind.value: _calibration(
            [one for one in found if one.way == way],
            [one for one in found if one.way in FITTED_WITH[way]],
        )
        for way, kind in KINDS.items()
        if any(one.way == way for one in found)
    }
    result = {
        "ways": {way: _of_way(found, way) for way in sorted({one.way for one in found})},
        "held_out_districts": {
            way: _of_way(held_out, way) for way in sorted({one.way for one in held_out})
        },
        "both_against_photographs": _paired(held_out),
        "imagery": imagery,
    }
    write_result("graded_footage", result)
    if options.write:
        _write(imagery)
    print(json.dumps(tidy(result), indent=1))


def _graded(told: Sequence[str | Path], models: Path | None, work: Path | None) -> Graded:
    """A case graded, told by way, style, seed, its folder and that of the truth."""
    way, style, seed = (str(part) for part in told[:3])
    case, truth_folder = told[3:]
    without = None if models is None else models / style
    kept = (work or Path(case).parent) / f"{style}-{seed}-{way}"
    measured = measured_case(Path(case), Path(truth_folder), kept)
    found = grading_of_case(measured, without).assessments
    pairs = [(a, GRADES.index(g)) for a, g in zip(found, measured.grades, strict=True)]
    known = [(a, true, GRADES.index(a.grade)) for a, true in pairs if a.grade is not None]
    return Graded(
        way=way,
        style=style,
        seed=int(seed),
        outcome=Outcome(
            true=np.array([true for _, true, _ in known], int),
            given=np.array([given for _, _, given in known], int),
            probabilities=np.array([a.probabilities for a, *_ in known], float).reshape(-1, 5),
            not_assessed=tuple(GRADES[true] for a, true in pairs if a.grade is None),
        ),
        by_building={a.source_id: (true, given) for a, true, given in known},
    )


def _of_way(found: Sequence[Graded], way: str) -> dict[str, Any]:
    """What the cases of one way come to, all and by style."""
    own = [one for one in found if one.way == way]
    return {
        "districts": [f"{one.style}:{one.seed}" for one in own],
        **figures([one.outcome for one in own]),
        "by_style": {
            style: figures([one.outcome for one in own if one.style == style])
            for style in sorted({one.style for one in own})
        },
    }


def _paired(found: Sequence[Graded]) -> dict[str, Any] | None:
    """Buildings graded from photographs and from both: how often the clip turned one over."""
    cases = {(one.seed, one.way): one.by_building for one in found}
    pairs = [
        (alone[name], cases[seed, "both"][name])
        for (seed, way), alone in cases.items()
        if way == "photographs" and (seed, "both") in cases
        for name in alone
        if name in cases[seed, "both"]
    ]
    if not pairs:
        return None
    better = sum(a != true and b == true for (true, a), (_, b) in pairs)
    worse = sum(a == true and b != true for (true, a), (_, b) in pairs)
    turned = better + worse
    return {
        "buildings": len(pairs),
        "right_by_the_clip": better,
        "wrong_by_the_clip": worse,
        "p_worse": binomtest(worse, turned, alternative="greater").pvalue if turned else 1.0,
        "further_off": sum(abs(b - true) > abs(a - true) for (true, a), (_, b) in pairs),
        "nearer": sum(abs(b - true) < abs(a - true) for (true, a), (_, b) in pairs),
    }


def _calibration(cases: Sequence[Graded], fitted: Sequence[Graded]) -> dict[str, Any]:
    """The temperature of one kind of imagery, and what it comes to on styles that were left out.

    It is that of the cases ``fitted``, which may hold other kinds as well.
    """
    outcomes = [one.outcome for one in cases]
    apart = "style" if len({one.style for one in fitted}) > 1 else "seed"
    left_out = []
    for one in cases:
        others = [two.outcome for two in fitted if getattr(two, apart) != getattr(one, apart)]
        if others:
            p = flattened(one.outcome.probabilities, temperature_of(others))
            left_out.append(replace(one.outcome, probabilities=p))
    true = np.concatenate([one.true for one in outcomes])
    given = np.concatenate([one.given for one in outcomes])
    return {
        "temperature": temperature_of([one.outcome for one in fitted]),
        "buildings": len(true),
        "right_fraction": float((true == given).mean()),
        "districts": sorted({f"{one.style}:{one.seed}" for one in cases}),
        "left_out_by": apart,
        "left_out": _sureness(left_out) if left_out else None,
    }


def temperature_of(outcomes: Sequence[Outcome]) -> float:
    """The temperature, 1 or more, that makes the true grades most likely."""
    true = np.concatenate([one.true for one in outcomes])
    p = np.concatenate([one.probabilities for one in outcomes])

    def loss(temperature: float) -> float:
        return float(-np.log(flattened(p, temperature)[np.arange(len(true)), true] + 1e-9).sum())

    found = minimize_scalar(loss, bounds=(1.0, HOTTEST), method="bounded")
    return 1.0 if loss(1.0) <= found.fun else float(found.x)


def _sureness(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    true = np.concatenate([one.true for one in outcomes])
    p = np.concatenate([one.probabilities for one in outcomes])
    off = np.abs(p.argmax(1) - true)
    return {
        "calibration_error": calibration_error(p, true),
        "confidence": float(p.max(1).mean()),
        "right": float((off == 0).mean()),
        "off_by_two_and_sure": int(((off >= 2) & (p.max(1) > SURE)).sum()),
    }


def _write(imagery: Mapping[str, Mapping[str, Any]]) -> None:
    """imagery.json anew; a kind that was not measured keeps what it has."""
    document = json.loads(SHIPPED.read_text(encoding="utf-8")) if SHIPPED.exists() else {}
    kinds = document.get("kinds", {}) | {
        kind: {name: one[name] for name in ("temperature", "buildings", "right_fraction")}
        for kind, one in imagery.items()
    }
    hottest = 1.0
    for kind in Imagery:  # from the best to the worst: none is believed more than a better one
        hottest = max(hottest, kinds[kind.value]["temperature"])
        kinds[kind.value]["temperature"] = hottest
    training = {"imagery": imagery, "circumstances": circumstances()}
    text = json.dumps(tidy({"kinds": kinds, "training": training}), indent=1) + "\n"
    SHIPPED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
