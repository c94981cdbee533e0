"""Our grades against another's assessment: which site is which building, and how far they agree.

A site belongs to the building that it lies in (a polygon: that it covers most of), else to the
nearest one within a stated distance. A building without a site is not undamaged: the other may not
have looked there, or does not list what stands. It is counted apart, and so are sites without a
building, craters, sites without a rating, and buildings with sites that say different things.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import shapely

from aftermap.assessment.reference_assessment import OtherAssessment
from aftermap.assessment.reliability import Agreement, kappa_of
from aftermap.assessment.scales import Code, Meaning, Scale, codes_of
from aftermap.geo.arrays import AnyArray, IntArray
from aftermap.model.assessment import GRADES, Grade
from aftermap.model.sample import NOT_ASSESSED

WITHIN_M = 5.0
"""Footprints and sites are drawn on different pictures: metres apart, seldom more."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How two assessments of the same buildings compare.

    ``matrix``: buildings by our grade (or "not_assessed") and their code. ``within_m``: how far off
    a site may lie. ``without_site``: our buildings that they do not name, by our grade: nothing is
    known of what they think of these. ``without_building``: their sites that are none of ours, by
    code. ``no_building``: craters and the like. ``unrated``: sites without a value. ``differing``:
    buildings with sites of different codes. ``no_class``: buildings whose grade the scale has no
    class for; they are in the matrix and not in the kappas.
    """

    scale: Scale
    within_m: float
    matrix: Mapping[str, Mapping[str, int]]
    agreements: tuple[Agreement, ...]
    same: int
    compared: int
    without_site: Mapping[str, int]
    without_building: Mapping[str, int]
    no_building: int
    unrated: int
    differing: tuple[str, ...]
    no_class: int


def compare_assessments(
    grades: Mapping[str, Grade | None],
    shapes: Mapping[str, Any],
    other: OtherAssessment,
    crs: str,
    within_m: float = WITHIN_M,
) -> Compared:
    """Compare our grades (None: not assessed) of buildings with another's sites.

    ``shapes`` are the buildings' shapely polygons in ``crs``, a projected one, by the same names.
    """
    names = [name for name in grades if name in shapes]
    rated = [i for i, code in enumerate(other.codes) if _is_rated(code)]
    owner = _owners([shapes[name] for name in names], other.shapes_in(crs)[rated], within_m)
    sites: dict[str, list[Code]] = {}
    homeless: Counter[str] = Counter()
    for i, place in zip(rated, owner.tolist(), strict=True):
        code = other.codes[i]
        if code is None:
            continue
        if place < 0:
            homeless[code.code] += 1
        else:
            sites.setdefault(names[place], []).append(code)
    differing = tuple(n for n, codes in sites.items() if len({c.code for c in codes}) > 1)
    pairs = [(grades[n], codes[0]) for n, codes in sites.items() if n not in set(differing)]
    return _comparison(grades, other, within_m, pairs, sites, homeless, differing)


def _comparison(
    grades: Mapping[str, Grade | None],
    other: OtherAssessment,
    within_m: float,
    pairs: Sequence[tuple[Grade | None, Code]],
    sites: Mapping[str, Sequence[Code]],
    homeless: Counter[str],
    differing: tuple[str, ...],
) -> Compared:
    cells = Counter((_word(ours), theirs.code) for ours, theirs in pairs)
    codes = list(dict.fromkeys(theirs.code for _, theirs in pairs))
    both = [
        (ours, theirs)
        for ours, theirs in pairs
        if ours is not None and theirs.meaning is Meaning.GRADE
    ]
    readable = {grade for code in codes_of(other.scale) for grade in code.grades}
    usable = [pair for pair in both if pair[0] in readable]
    return Compared(
        scale=other.scale,
        within_m=within_m,
        matrix={
            word: {code: cells[word, code] for code in codes}
            for word in (*(grade.value for grade in GRADES), NOT_ASSESSED)
        },
        agreements=_kappas(usable),
        same=sum(ours in theirs.grades for ours, theirs in usable),
        compared=len(usable),
        without_site=dict(Counter(_word(g) for name, g in grades.items() if name not in sites)),
        without_building=dict(homeless),
        no_building=sum(c is not None and c.meaning is Meaning.NO_BUILDING for c in other.codes),
        unrated=sum(code is None for code in other.codes),
        differing=differing,
        no_class=len(both) - len(usable),
    )


def _kappas(pairs: Sequence[tuple[Grade, Code]]) -> tuple[Agreement, ...]:
    """One kappa; two where a code is several grades: read in our favour, and against us."""
    ours = [GRADES.index(grade) for grade, _ in pairs]
    read = [[GRADES.index(grade) for grade in code.grades] for _, code in pairs]
    by_distance = [sorted(r, key=partial(_steps, o)) for o, r in zip(ours, read, strict=True)]
    near, far = ([places[end] for places in by_distance] for end in (0, -1))
    name = "our grades and theirs"
    if near == far:
        return (kappa_of(ours, near, len(GRADES), name),)
    return (
        kappa_of(ours, near, len(GRADES), f"{name}, codes of several grades read in our favour"),
        kappa_of(ours, far, len(GRADES), f"{name}, codes of several grades read against us"),
    )


def _steps(one: int, other: int) -> int:
    return abs(one - other)


def _is_rated(code: Code | None) -> bool:
    return code is not None and code.meaning is not Meaning.NO_BUILDING


def _word(grade: Grade | None) -> str:
    return NOT_ASSESSED if grade is None else grade.value


def _owners(buildings: Sequence[Any], sites: AnyArray, within_m: float) -> IntArray:
    """The place of the building that each site belongs to; -1 where it belongs to none."""
    owner = np.full(len(sites), -1, np.int64)
    if not buildings or not len(sites):
        return owner
    outlines = np.array(buildings, object)
    tree = shapely.STRtree(outlines)
    site, building = tree.query(sites, predicate="intersects")
    shared = shapely.area(shapely.intersection(sites[site], outlines[building]))
    best = np.lexsort((shapely.area(outlines[building]), -shared, site))
    first = np.unique(site[best], return_index=True)[1]
    owner[site[best][first]] = building[best][first]
    alone = np.flatnonzero(owner < 0)
    near, place = tree.query_nearest(sites[alone], max_distance=within_m, all_matches=False)
    owner[alone[near]] = place
    return owner
