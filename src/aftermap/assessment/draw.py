"""The machine's grades -> which buildings people should look at, so that totals are honest.

A stratified random sample: the strata are the machine's grades and, on its own, what it did not
assess. Those that it did not assess have the share of the sample that they have of the buildings;
what is left is spread over the grades by Neyman (1934): in proportion to the stratum's size times
the spread that its probabilities let expect. No stratum has fewer than two. A building that no
picture shows is not drawn: nobody could grade it. A part of the sample is to be graded by two
reviewers, spread over the strata as the sample is.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aftermap.errors import InputError
from aftermap.geo.arrays import BoolArray, IntArray
from aftermap.model.assessment import GRADES, Assessment
from aftermap.model.sample import NOT_ASSESSED, Draw, DrawnBuilding, DrawnStratum

FEWEST = 2
"""Sampled buildings of a stratum: with fewer nothing is known of its spread."""
FEWEST_TWICE = 30
"""Buildings to be graded by two reviewers: with fewer their error cannot be told from chance."""
STRATA = (*(grade.value for grade in GRADES), NOT_ASSESSED)

_DOUBT = 0.1
"""Share of even chances that is mixed into the machine's probabilities: it may be too sure."""


def stratum_of(grade: Assessment) -> str:
    """The stratum of a building, by the machine's grade."""
    return NOT_ASSESSED if grade.grade is None else grade.grade.value


def is_seen(grade: Assessment) -> bool:
    """Whether a picture shows the building, as far as the machine's grade says."""
    return grade.visibility is None or grade.visibility.views > 0


def draw_sample(
    grades: Sequence[Assessment],
    *,
    size: int,
    seed: int,
    machine_batch: int,
    twice: int = FEWEST_TWICE,
) -> Draw:
    """A sample of ``size`` buildings, at random but the same again for the same seed.

    ``twice`` of them are to be graded by two reviewers; all of them where it is more.

    Raises :class:`InputError` where ``size`` is less than two for each stratum.
    """
    seen = [one for one in grades if is_seen(one)]
    names = [stratum_of(one) for one in seen]
    strata = [name for name in STRATA if name in set(names)]
    members = {name: [i for i, other in enumerate(names) if other == name] for name in strata}
    counts = _counts(seen, members, size)
    random = np.random.default_rng(seed)
    found: list[DrawnBuilding] = []
    for name in strata:
        rows = members[name]
        chance = counts[name] / len(rows)
        for i in random.choice(len(rows), size=counts[name], replace=False).tolist():
            one = seen[rows[i]].source_id
            found.append(DrawnBuilding(source_id=one, stratum=name, inclusion_probability=chance))
    random.shuffle(found)
    return Draw(
        seed=seed,
        machine_batch=machine_batch,
        strata=tuple(
            DrawnStratum(name=name, buildings=len(members[name]), drawn=counts[name])
            for name in strata
        ),
        buildings=tuple(found),
        twice=_twice(found, counts, twice),
        never_seen=len(grades) - len(seen),
    )


def _twice(
    found: Sequence[DrawnBuilding], counts: Mapping[str, int], twice: int
) -> tuple[str, ...]:
    """The first of each stratum in the order of drawing, as many as its share of the sample."""
    drawn = np.array(list(counts.values()))
    wanted = min(twice, len(found)) * drawn / max(drawn.sum(), 1)
    share = np.floor(wanted).astype(int)
    for place in np.argsort(share - wanted, kind="stable")[: min(twice, len(found)) - share.sum()]:
        share[place] += 1
    left = dict(zip(counts, share.tolist(), strict=True))
    names = []
    for one in found:
        if left[one.stratum] > 0:
            left[one.stratum] -= 1
            names.append(one.source_id)
    return tuple(names)


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
    is_graded = np.array([name != NOT_ASSESSED for name in members])
    found = shares_of(sizes, spread, is_graded, min(size, int(sizes.sum())))
    return dict(zip(members, found.tolist(), strict=True))


def shares_of(sizes: IntArray, spread: npt.ArrayLike, is_graded: BoolArray, total: int) -> IntArray:
    """(H,) sampled buildings of each stratum, ``total`` in all.

    A stratum that was not graded has its share of all buildings; Neyman divides what is left among
    those that ``is_graded`` (H,) marks.
    """
    counts = np.zeros(len(sizes), np.int64)
    rest = int(np.minimum(FEWEST, sizes[is_graded]).sum())
    ungraded = sizes[~is_graded]
    own = np.clip(np.round(total * ungraded / sizes.sum()), np.minimum(FEWEST, ungraded), ungraded)
    counts[~is_graded] = np.minimum(own, max(total - rest, 0)) if is_graded.any() else total
    counts[is_graded] = neyman(
        sizes[is_graded], np.asarray(spread, float)[is_graded], total - int(counts.sum())
    )
    short = total - int(counts.sum())
    counts[~is_graded] += np.minimum(short, ungraded - counts[~is_graded])
    return counts


def neyman(sizes: IntArray, spread: npt.ArrayLike, total: int) -> IntArray:
    """(H,) counts that add up to ``total``, in proportion to size times spread, within bounds."""
    weight = sizes * np.asarray(spread, float)
    counts = np.minimum(FEWEST, sizes).astype(np.int64)
    while (left := min(total, int(sizes.sum())) - int(counts.sum())) > 0:
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
