"""How often intervals and bounds of totals hold the truth: simulated cities, reviewed samples.

    .venv/bin/python -m benchmarks.coverage [--draws 2000] [--reviewed 500]

Machines that are calibrated, over-confident, flat and biased, classes down to 0.5 % of the
buildings, samples of 50 to 400; grades that are missing at random and not; areas in which the
damage is clustered; reviewers who err, with buildings graded twice or checked; agreement on 15
buildings. Reviewers' rows take fewer draws. Writes benchmarks/results/coverage.json.
About five CPU minutes for 2,000 draws.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from aftermap.assessment.intervals import Interval, score_interval
from aftermap.assessment.nonresponse import bounds_of
from aftermap.assessment.predicted import predicted_interval
from aftermap.geo.arrays import Array, BoolArray, IntArray
from benchmarks.coverage_reviewers import agreement_rows, reviewer_rows
from benchmarks.coverage_worlds import CLASSES, World, samples, worlds
from benchmarks.machine import write_result

SIZES = (50, 100, 200, 400)
COUNTED = (*((k,) for k in range(CLASSES)), (1, 2, 3, 4))
NAMES = ("none", "light", "moderate", "severe", "destroyed", "all damaged")
COMMON = 10.0
"""Expected sampled buildings of a class, from which on an interval is held to its word."""
MISSING = {"at random": np.full(CLASSES, 0.1), "half of destroyed": np.array([0, 0, 0, 0, 0.5])}
"""Chance of a sampled building to have no grade, by its true class."""
ALSO_MISSING = ("calibrated", "flat")
"""Machines for which missing grades and areas are simulated: only their strata matter there."""
AREA = {"damaged area": np.array([0.03, 0.2, 0.3, 0.4, 0.5])}
"""Chance of a building to lie in an area, by its true class: damage is clustered there."""

Row = dict[str, Any]


def main() -> None:
    """Simulate everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--reviewed", type=int, default=500, help="draws of rows with reviewers")
    asked = parser.parse_args()
    figures = simulated(asked.draws, asked.reviewed)
    print(write_result("coverage", figures))
    for row in figures["worst"]:
        print(row)


def simulated(draws: int, reviewed: int, only_city: str | None = None) -> dict[str, Any]:
    """All rows, the worst of each kind, and the width of prediction-powered intervals."""
    began_s = time.process_time()
    random = np.random.default_rng(2024)
    every = [one for one in worlds(random) if only_city in (None, one.city)]
    rows = []
    for world in every:
        for size in SIZES:
            rows += _rows(world, size, draws, random)
    rows += reviewer_rows(every, SIZES, reviewed, random)
    rows += agreement_rows(reviewed, random)
    return {
        "draws": draws,
        "draws_with_reviewers": reviewed,
        "cpu_s": time.process_time() - began_s,
        "least": {
            kind: {row["which"]: row["covered"] for row in worst_rows(rows) if row["kind"] == kind}
            for kind in dict.fromkeys(row["kind"] for row in rows)
        },
        "worst": worst_rows(rows),
        "width_predicted_to_stratified": _ratios(rows),
        "rows": rows,
    }


def _rows(world: World, size: int, draws: int, random: np.random.Generator) -> Iterator[Row]:
    n = world.drawn(size)
    truth, told = samples(world, n, draws, random)
    for name, classes in zip(NAMES, COUNTED, strict=True):
        is_class = np.isin(truth, classes)
        said = {
            "machine": world.machine.name,
            "city": world.city,
            "sampled": int(n.sum()),
            "class": name,
            "share": world.true(classes) / int(world.sizes.sum()),
            "expected_in_sample": float(is_class.sum(1).mean()),
        }
        yield from _sampling(world, n, is_class, told[:, :, list(classes)].sum(2), classes, said)
        if world.machine.name not in ALSO_MISSING:
            continue
        for how, chance in MISSING.items():
            is_graded = random.random(truth.shape) >= chance[truth]
            yield from _missing(world, n, is_class, is_graded, classes, {**said, "missing": how})
        yield from _by_area(world, n, truth, classes, said, random)


def _by_stratum(n: IntArray, marked: BoolArray) -> Array:
    """(draws, H) marked buildings of each stratum."""
    return np.asarray(marked @ np.eye(len(n))[np.repeat(np.arange(len(n)), n)])


def _sampling(
    world: World,
    n: IntArray,
    is_class: BoolArray,
    chance: Array,
    classes: tuple[int, ...],
    said: Row,
) -> Iterator[Row]:
    true = world.true(classes)
    plain = score_interval(world.sizes, n, _by_stratum(n, is_class))
    mean = [one[:, list(classes)].sum(1).mean() for one in world.told]
    stratum = np.repeat(np.arange(len(n)), n)
    predicted = predicted_interval(world.sizes, stratum, is_class, chance, mean)
    yield {"kind": "stratified", **said, **_figures(plain, true)}
    yield {"kind": "prediction-powered", **said, **_figures(predicted, true)}


def _missing(
    world: World,
    n: IntArray,
    is_class: BoolArray,
    is_graded: BoolArray,
    classes: tuple[int, ...],
    said: Row,
) -> Iterator[Row]:
    true = world.true(classes)
    graded, counts = _by_stratum(n, is_graded), _by_stratum(n, is_graded & is_class)
    alike = score_interval(world.sizes, graded, counts)
    least, most = bounds_of(world.sizes, n, graded, counts)
    how = said["missing"]
    yield {"kind": f"missing {how}: estimate", **said, **_figures(alike, true)}
    bounds = Interval(estimate=alike.estimate, low=least, high=most)
    yield {"kind": f"missing {how}: bounds", **said, **_figures(bounds, true)}


def _by_area(
    world: World,
    n: IntArray,
    truth: IntArray,
    classes: tuple[int, ...],
    said: Row,
    random: np.random.Generator,
) -> Iterator[Row]:
    """The part of the sample in an area: how many buildings of a stratum it has is known."""
    for name, chance in AREA.items():
        inside = [random.random(len(one)) < chance[one] for one in world.truths]
        sizes = np.array([one.sum() for one in inside])
        counts = np.array(
            [
                (where & np.isin(one, classes)).sum()
                for where, one in zip(inside, world.truths, strict=True)
            ]
        )
        drawn, of_class = [], []
        for h, k in enumerate(n.tolist()):
            here = random.hypergeometric(sizes[h], len(inside[h]) - sizes[h], k, len(truth))
            drawn.append(here)
            of_class.append(random.hypergeometric(counts[h], sizes[h] - counts[h], here))
        there = np.stack(drawn, 1)
        unseen = np.where(there == 0, sizes, 0).sum(1)
        is_said = (unseen <= 0.05 * sizes.sum()) & (there.sum(1) >= COMMON)
        if is_said.mean() < 0.5:
            continue
        found = score_interval(sizes, there[is_said], np.stack(of_class, 1)[is_said])
        row = _figures(found, int(counts.sum()))
        expected = float(np.stack(of_class, 1).sum(1).mean())
        yield {"kind": name, **said, "expected_in_sample": expected, **row}


def _figures(found: Interval, true: int) -> dict[str, float]:
    return {
        "covered": float(np.mean((found.low <= true) & (true <= found.high))),
        "width": float(np.mean(found.high - found.low)),
        "bias": float(np.mean(found.estimate) - true),
        "true": true,
    }


def worst_rows(rows: list[Row]) -> list[Row]:
    """Of each kind the row that covers least: samples from 100 on, of 50, and of rare classes.

    Rare: fewer than 10 sampled buildings of the class are expected.
    """
    found = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        of_kind = [row for row in rows if row["kind"] == kind]
        for which, ones in (
            ("from 100 on", [r for r in of_kind if _is_common(r, 51)]),
            ("of 50", [r for r in of_kind if _is_common(r, 0, 51)]),
            ("rare", [r for r in of_kind if not _is_common(r, 0)]),
        ):
            if ones:
                least = min(ones, key=lambda row: row["covered"])
                found.append({"which": which, "cases": len(ones), **least})
    return found


def _is_common(row: Row, least: int, most: int = 10**6) -> bool:
    return bool(row["expected_in_sample"] >= COMMON and least <= row["sampled"] < most)


def _ratios(rows: list[Row]) -> dict[str, float]:
    """By machine: the median of how wide prediction-powered intervals are beside stratified."""
    found: dict[str, list[float]] = {}
    plain = [r for r in rows if r["kind"] == "stratified"]
    powered = [r for r in rows if r["kind"] == "prediction-powered"]
    for one, other in zip(plain, powered, strict=True):
        if one["expected_in_sample"] >= COMMON:
            found.setdefault(one["machine"], []).append(other["width"] / one["width"])
    return {name: float(np.median(values)) for name, values in found.items()}


if __name__ == "__main__":
    main()
