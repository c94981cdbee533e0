"""How often the intervals of totals hold the truth: simulated cities, reviewed samples of them.

    .venv/bin/python -m benchmarks.coverage [--draws 2000]

Each city has a machine with a stated confusion and probabilities of its own for every building; the
truth of every building is drawn once. Then samples are drawn as ``aftermap sample`` draws them, and
all classes estimated both ways. Writes benchmarks/results/coverage.json.
"""

import argparse
import time
from typing import Any

import numpy as np

from aftermap.assessment.draw import STRATA, neyman
from aftermap.assessment.intervals import Interval, score_interval
from aftermap.assessment.predicted import predicted_interval
from aftermap.geo.arrays import Array, BoolArray, IntArray
from benchmarks.machine import write_result

TRUE_BY_MACHINE = np.array(
    [
        [0.93, 0.05, 0.01, 0.007, 0.003, 0.0],
        [0.30, 0.50, 0.15, 0.04, 0.01, 0.0],
        [0.05, 0.20, 0.60, 0.13, 0.02, 0.0],
        [0.01, 0.04, 0.15, 0.70, 0.10, 0.0],
        [0.01, 0.01, 0.02, 0.08, 0.88, 0.0],
        [0.30, 0.15, 0.10, 0.15, 0.10, 0.20],
    ]
)
CITIES = {
    "city": (8000, 1500, 1200, 900, 1300, 600),
    "quarter": (600, 120, 90, 80, 110, 40),
    "little damage": (20000, 400, 150, 60, 40, 200),
    "all grades alike": (2000, 2000, 2000, 2000, 2000, 2000),
}
SIZES = (60, 150, 400)
SPREAD_OF_CHANCE = 3.0
"""Weight of a stratum's confusion in the Dirichlet that each building's probabilities are of."""


def main() -> None:
    """Simulate all cities and sizes, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    began_s = time.process_time()
    random = np.random.default_rng(2024)
    rows = [row for name in CITIES for row in _city(name, draws, random)]
    common = [row for row in rows if row["expected_in_sample"] >= 10]
    figures = {
        "draws": draws,
        "cpu_s": time.process_time() - began_s,
        "common_classes": {
            "which": "at least 10 buildings of the class expected in the sample",
            "stratified": _range([row["stratified"]["covered"] for row in common]),
            "predicted": _range([row["predicted"]["covered"] for row in common]),
        },
        "all_classes": {
            "stratified": _range([row["stratified"]["covered"] for row in rows]),
            "predicted": _range([row["predicted"]["covered"] for row in rows]),
        },
        "width_predicted_to_stratified": float(
            np.median([r["predicted"]["width"] / r["stratified"]["width"] for r in common])
        ),
        "rows": rows,
    }
    print(write_result("coverage", figures))
    for name in ("common_classes", "all_classes"):
        print(name, figures[name])


def _city(name: str, draws: int, random: np.random.Generator) -> list[dict[str, Any]]:
    sizes = np.array(CITIES[name])
    chances = [
        random.dirichlet(SPREAD_OF_CHANCE * row + 0.01, size)
        for row, size in zip(TRUE_BY_MACHINE, sizes, strict=True)
    ]
    truths = [(one.cumsum(1) > random.random((len(one), 1))).argmax(1) for one in chances]
    found = []
    for total in SIZES:
        spread = np.sqrt([(one.mean(0) * (1 - one.mean(0))).sum() for one in chances])
        n = neyman(sizes, spread, total)
        rows = [_draws_of(int(s), int(k), draws, random) for s, k in zip(sizes, n, strict=True)]
        truth = np.concatenate([t[r] for t, r in zip(truths, rows, strict=True)], axis=1)
        chance = np.concatenate([c[r] for c, r in zip(chances, rows, strict=True)], axis=1)
        means = np.array([one.mean(0) for one in chances])
        for k, label in enumerate(STRATA):
            true = sum(int((one == k).sum()) for one in truths)
            found.append(
                {
                    "city": name,
                    "sampled": int(n.sum()),
                    "class": label,
                    "share": true / int(sizes.sum()),
                    "expected_in_sample": float((truth == k).sum(1).mean()),
                    **_both(sizes, n, truth == k, chance[:, :, k], means[:, k], true),
                }
            )
    return found


def _both(
    sizes: IntArray,
    n: IntArray,
    is_class: BoolArray,
    chance: Array,
    mean: Array,
    true: int,
) -> dict[str, Any]:
    stratum = np.repeat(np.arange(len(n)), n)
    counts = is_class @ np.eye(len(n))[stratum]
    plain = score_interval(sizes, n, counts)
    predicted = predicted_interval(sizes, stratum, is_class, chance, mean)
    return {"stratified": _figures(plain, true), "predicted": _figures(predicted, true)}


def _figures(found: Interval, true: int) -> dict[str, float]:
    return {
        "covered": float(np.mean((found.low <= true) & (true <= found.high))),
        "width": float(np.mean(found.high - found.low)),
        "bias": float(np.mean(found.estimate) - true),
    }


def _draws_of(size: int, count: int, draws: int, random: np.random.Generator) -> IntArray:
    """(draws, count) places of simple random samples without replacement."""
    return np.stack([random.choice(size, count, replace=False) for _ in range(draws)])


def _range(values: list[float]) -> dict[str, float]:
    return {"least": min(values), "mean": float(np.mean(values)), "most": max(values)}


if __name__ == "__main__":
    main()
