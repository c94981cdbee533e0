"""The machine's grades -> which buildings people should look at, so that totals are honest.

A stratified random sample: the strata are the machine's grades and, on its own, what it did not
assess. How many are drawn from each follows Neyman (1934): in proportion to the stratum's size
times the spread that its probabilities let expect, and never fewer than two.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aftermap.errors import InputError
from aftermap.geo.arrays import IntArray
from aftermap.model.assessment import GRADES, Assessment
from aftermap.model.sample import NOT_ASSESSED, Draw, DrawnBuilding, DrawnStratum

FEWEST = 2
"""Sampled buildings of a stratum: with fewer nothing is known of its spread."""
STRATA = (*(grade.value for grade in GRADES), NOT_ASSESSED)

_DOUBT = 0.1
"""Share of even chances that is mixed into the machine's probabilities: it may be too sure."""


def stratum_of(grade: Assessment) -> str:
    """The stratum of a building, by the machine's grade."""
    return NOT_ASSESSED if grade.grade is None else grade.grade.value


def draw_sample(grades: Sequence[Assessment], *, size: int, seed: int, machine_batch: int) -> Draw:
    """A sample of ``size`` buildings, at random but the same again for the same seed.

    Raises :class:`InputError` where ``size`` is less than two for each stratum.
    """
    names = [stratum_of(one) for one in grades]
    strata = [name for name in STRATA if name in set(names)]
    members = {name: [i for i, other in enumerate(names) if other == name] for name in strata}
    counts = _counts(grades, members, size)
    random = np.random.default_rng(seed)
    found: list[DrawnBuilding] = []
    for name in strata:
        rows = members[name]
        chosen = random.choice(len(rows), size=counts[name], replace=False).tolist()
        found += [
            DrawnBuilding(
                source_id=grades[rows[i]].source_id,
                stratum=name,
                inclusion_probability=counts[name] / len(rows),
            )
            for i in chosen
        ]
    random.shuffle(found)
    return Draw(
        seed=seed,
        machine_batch=machine_batch,
        strata=tuple(
            DrawnStratum(name=name, buildings=len(members[name]), drawn=counts[name])
            for name in strata
        ),
        buildings=tuple(found),
    )


def _counts(
    grades: Sequence[Assessment], members: Mapping[str, Sequence[int]], size: int
) -> dict[str, int]:
    """How many to draw from each stratum; all of it where fewer than the fewest are there."""
    sizes = np.array([len(rows) for rows in members.values()])
    fewest = np.minimum(FEWEST, sizes)
    if size < fewest.sum():
        raise InputError(
            f"a sample of {size}: is too small for {len(sizes)} strata ({', '.join(members)}); "
            f"use at least {fewest.sum()}, better 50 or more"
        )
    spread = np.array([_spread([grades[i] for i in rows]) for rows in members.values()])
    found = neyman(sizes, spread, min(size, int(sizes.sum())))
    return dict(zip(members, found.tolist(), strict=True))


def neyman(sizes: IntArray, spread: npt.ArrayLike, total: int) -> IntArray:
    """(H,) counts that add up to ``total``, in proportion to size times spread, within bounds."""
    weight = sizes * np.asarray(spread, float)
    counts = np.minimum(FEWEST, sizes).astype(np.int64)
    while (left := total - int(counts.sum())) > 0:
        wanted = weight * total / weight.sum() - counts
        short = np.where(counts < sizes, wanted, -np.inf)
        add = np.zeros_like(counts)
        if (short >= 1).any():
            ideal = np.maximum(np.where(short > 0, short, 0), 0)
            add = np.floor(ideal * min(1.0, left / ideal.sum())).astype(np.int64)
            add = np.minimum(add, sizes - counts)
        if not add.any():
            add[int(np.argmax(short / np.maximum(weight, 1e-12)))] = 1
        counts = counts + add
    return counts


def _spread(grades: Sequence[Assessment]) -> float:
    """Standard deviation to be expected in a stratum, summed up over the classes."""
    classes = len(STRATA)
    known = [one.probabilities for one in grades if one.probabilities is not None]
    expected = np.full(classes, 1 / classes)
    if known:
        of_grades = np.mean(np.array(known, float), axis=0)
        expected = (1 - _DOUBT) * np.append(of_grades, 0.0) + _DOUBT / classes
    return float(np.sqrt((expected * (1 - expected)).sum()))
