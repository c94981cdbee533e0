"""Coverage where reviewers err, and of the figures of their agreement; part of ``coverage.py``."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from aftermap.assessment.intervals import score_interval
from aftermap.assessment.reliability import kappa_of
from aftermap.assessment.reviewer_error import NO_GRADE, modelled, patterns_of
from aftermap.geo.arrays import Array, BoolArray, IntArray
from benchmarks.coverage_worlds import (
    CLASSES,
    World,
    graded_by,
    misses_light,
    samples,
    spread_over,
    step_off,
)

REVIEWERS = {
    "a step off, 20 %": (step_off(0.2), step_off(0.2)),
    "30 % of light called none": (misses_light(0.3), misses_light(0.3)),
    "one misses light, one a step off": (misses_light(0.3), step_off(0.1)),
    "never wrong": (np.eye(CLASSES), np.eye(CLASSES)),
}
EVIDENCE = {"30 graded twice": (30, 0), "30 checked": (0, 30)}
"""Buildings that the second reviewer graded too, and those whose true grade is known."""
COUNTED = {"light": (1,), "destroyed": (4,), "all damaged": (1, 2, 3, 4)}
WIDTHS = 5
"""Draws of which the whole interval is worked out, for its width."""

Row = dict[str, Any]


def reviewer_rows(
    every: list[World], sizes: tuple[int, ...], draws: int, random: np.random.Generator
) -> list[Row]:
    """One reviewer alone, two with double grades, and one who is checked; then missing grades."""
    rows: list[Row] = []
    chosen = [w for w in every if w.machine.name in ("calibrated", "flat") and w.city == "city"]
    for world in chosen:
        for size in sizes:
            n = world.drawn(size)
            truth, _ = samples(world, n, draws, random)
            for name, errors in REVIEWERS.items():
                said = {
                    "machine": world.machine.name,
                    "city": world.city,
                    "sampled": int(n.sum()),
                    "reviewers": name,
                }
                grades = [graded_by(one, truth, random) for one in errors]
                rows += _one_reviewer(world, n, truth, grades[0], said)
                for evidence, (twice, checked) in EVIDENCE.items():
                    marks = spread_over(n, twice), spread_over(n, checked)
                    kind = {"kind": f"reviewer error, {evidence}", **said}
                    rows += _modelled(world, n, truth, grades, marks, kind)
        rows += _with_missing(world, draws // 4, random)
    return rows


def _said(world: World, truth: IntArray, name: str) -> Row:
    classes = COUNTED[name]
    return {
        "class": name,
        "share": world.true(classes) / int(world.sizes.sum()),
        "expected_in_sample": float(np.isin(truth, classes).sum(1).mean()),
        "true": world.true(classes),
    }


def _one_reviewer(
    world: World, n: IntArray, truth: IntArray, grades: IntArray, said: Row
) -> Iterator[Row]:
    """Not corrected, as the sentence says: what it costs."""
    member = np.eye(len(n))[np.repeat(np.arange(len(n)), n)]
    for name, classes in COUNTED.items():
        found = score_interval(world.sizes, n, np.isin(grades, classes) @ member)
        true = world.true(classes)
        yield {
            "kind": "one reviewer, error not included",
            **said,
            **_said(world, truth, name),
            "covered": float(np.mean((found.low <= true) & (true <= found.high))),
            "width": float(np.mean(found.high - found.low)),
        }


def _modelled(
    world: World,
    n: IntArray,
    truth: IntArray,
    grades: list[IntArray],
    marks: tuple[BoolArray, BoolArray],
    said: Row,
) -> Iterator[Row]:
    covered: dict[str, list[bool]] = {name: [] for name in COUNTED}
    widths: dict[str, list[float]] = {name: [] for name in COUNTED}
    for draw in range(len(truth)):
        rows = _answers(n, truth[draw], [one[draw] for one in grades], marks)
        model = modelled(world.sizes.astype(float), n.astype(float), patterns_of(rows), 2)
        for name, classes in COUNTED.items():
            covered[name].append(model.is_likely(classes, world.true(classes)))
            if draw < WIDTHS:
                found = model.interval(classes)
                widths[name].append(float(found.high - found.low))
    for name in COUNTED:
        yield {
            **said,
            **_said(world, truth, name),
            "covered": float(np.mean(covered[name])),
            "width": float(np.mean(widths[name])),
        }


def _answers(
    n: IntArray, truth: IntArray, grades: list[IntArray], marks: tuple[BoolArray, BoolArray]
) -> IntArray:
    """(n, 6) a sample as ``patterns_of`` takes it: stratum, sure class, two reviewers, grades."""
    is_twice, is_checked = marks
    return np.column_stack(
        [
            np.repeat(np.arange(len(n)), n),
            np.where(is_checked, truth, -1),
            np.zeros(len(truth), np.int64),
            np.where(is_twice, 1, -1),
            grades[0],
            np.where(is_twice, grades[1], -1),
        ]
    )


def _with_missing(world: World, draws: int, random: np.random.Generator) -> Iterator[Row]:
    """Half of the destroyed without a grade, and two reviewers who are a step off for 20 %."""
    n = world.drawn(200)
    truth, _ = samples(world, n, draws, random)
    grades = [graded_by(step_off(0.2), truth, random) for _ in range(2)]
    covered: dict[str, list[bool]] = {name: [] for name in COUNTED}
    widths: dict[str, list[float]] = {name: [] for name in COUNTED}
    for draw in range(draws):
        marks = spread_over(n, 30), np.zeros(n.sum(), bool)
        rows = _answers(n, truth[draw], [one[draw] for one in grades], marks)
        is_missing = (truth[draw] == CLASSES - 1) & (random.random(len(rows)) < 0.5)
        rows[is_missing, 1], rows[is_missing, 2:] = NO_GRADE, -1
        model = modelled(world.sizes.astype(float), n.astype(float), patterns_of(rows), 2)
        for name, classes in COUNTED.items():
            low = float(model.interval(classes).low)
            high = float(model.interval((*classes, NO_GRADE)).high)
            covered[name].append(low <= world.true(classes) <= high)
            widths[name].append(high - low)
    for name in COUNTED:
        yield {
            "kind": "half of destroyed missing and reviewer error, 30 graded twice: bounds",
            "machine": world.machine.name,
            "city": world.city,
            "sampled": int(n.sum()),
            **_said(world, truth, name),
            "covered": float(np.mean(covered[name])),
            "width": float(np.mean(widths[name])),
        }


def agreement_rows(draws: int, random: np.random.Generator) -> list[Row]:
    """Quadratic kappa of two reviewers on 15 buildings, over how they err and what is there."""
    rows: list[Row] = []
    shares = {"even": [0.2] * 5, "most undamaged": [0.7, 0.1, 0.08, 0.06, 0.06]}
    apart = (np.arange(CLASSES)[:, None] - np.arange(CLASSES)[None, :]) ** 2
    for where, share in shares.items():
        for error in (0.02, 0.1, 0.2, 0.3):
            joint = np.einsum("k,ka,kb->ab", share, step_off(error), step_off(error))
            by_chance = np.outer(joint.sum(1), joint.sum(0))
            true = 1 - (joint * apart).sum() / (by_chance * apart).sum()
            found = [_kappa_at_15(joint, random) for _ in range(draws)]
            known = [(low, high) for low, high in found if low is not None and high is not None]
            rows.append(
                {
                    "kind": "agreement on 15 buildings",
                    "city": where,
                    "reviewers": f"a step off, {error:.0%}",
                    "sampled": 15,
                    "expected_in_sample": 15.0,
                    "true": float(true),
                    "covered": float(np.mean([a <= true <= b for a, b in known])),
                    "width": float(np.mean([b - a for a, b in known])),
                }
            )
    return rows


def _kappa_at_15(joint: Array, random: np.random.Generator) -> tuple[float | None, float | None]:
    said = random.choice(joint.size, 15, p=joint.ravel())
    found = kappa_of((said // CLASSES).tolist(), (said % CLASSES).tolist(), CLASSES, "two")
    return found.low, found.high
