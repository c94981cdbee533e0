"""Damage scales of others <-> our grades, by a versioned table of edges (``crosswalk.csv``).

An edge joins one code and one of our grades, and says whether something is lost on it. A code may
be read as several grades and a grade written as several codes: both are sets, and nothing here
picks one of them. What is no grade (possible damage, damage of an unknown grade, not assessed, a
crater) keeps its own word and never becomes "none".
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from aftermap.model.assessment import GRADES, Grade

CROSSWALK_VERSION = 1

_EMS98_WORD = "grade "


class Scale(StrEnum):
    """A coding of damage. ``unosat-recoded`` is a third party's: 3 destroyed ... 0 none."""

    OURS = "ours"
    UNOSAT = "unosat"
    UNOSAT_RECODED = "unosat-recoded"
    CEMS = "cems"
    CEMS_LEGACY = "cems-legacy"
    EMS98 = "ems98"
    XBD = "xbd"
    REACH = "reach"


class Meaning(StrEnum):
    """What a code says: grades, or one of the things that are no grade."""

    GRADE = "grade"
    POSSIBLE = "possible"
    DAMAGED = "damaged"
    NOT_ASSESSED = "not_assessed"
    NO_BUILDING = "no_building"
    NO_GRADE = "no_grade"


@dataclass(frozen=True, kw_only=True)
class Code:
    """One code of a scale, as it is read.

    ``grades`` are those of ours that it may mean, in order; empty unless ``meaning`` is GRADE.
    ``is_lossy``: whether reading it and writing what was read can give another code, or whether
    it is read as more than one grade.
    """

    scale: Scale
    code: str
    label: str
    meaning: Meaning
    grades: tuple[Grade, ...]
    is_lossy: bool


@dataclass(frozen=True, kw_only=True)
class ScaleClass:
    """What a scale can tell apart of our grades: their codes there, and what they are called.

    ``codes`` is empty where the scale has no class for these grades.
    """

    label: str
    grades: tuple[Grade, ...]
    codes: tuple[Code, ...]


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One line of the table, word for word."""

    scale: Scale
    code: str
    label: str
    ours: str
    direction: str
    is_lossy: bool


@cache
def edges() -> tuple[Edge, ...]:
    """The whole table; our own scale, which needs none, is not in it."""
    return tuple(_edges())


def _edges() -> Iterator[Edge]:
    text = files("aftermap.assessment").joinpath("crosswalk.csv").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines):
        yield Edge(
            scale=Scale(row["scale"]),
            code=row["code"],
            label=row["label"],
            ours=row["ours"],
            direction=row["direction"],
            is_lossy=row["lossy"] == "yes",
        )


@cache
def codes_of(scale: Scale) -> tuple[Code, ...]:
    """Every code of a scale in the order of the table."""
    if scale is Scale.OURS:
        return tuple(_own(grade.value, (grade,), Meaning.GRADE) for grade in GRADES) + tuple(
            _own(meaning.value, (), meaning) for meaning in (Meaning.POSSIBLE, Meaning.NOT_ASSESSED)
        )
    names = dict.fromkeys(edge.code for edge in edges() if edge.scale is scale)
    return tuple(_code(scale, name) for name in names)


def _own(word: str, grades: tuple[Grade, ...], meaning: Meaning) -> Code:
    return Code(
        scale=Scale.OURS,
        code=word,
        label=word.replace("_", " "),
        meaning=meaning,
        grades=grades,
        is_lossy=False,
    )


def _code(scale: Scale, name: str) -> Code:
    own = [edge for edge in edges() if edge.scale is scale and edge.code == name]
    read = [edge for edge in own if edge.direction != "write"]
    grades = tuple(grade for grade in GRADES if any(edge.ours == grade for edge in read))
    other = next((edge.ours for edge in read if edge.ours not in set(GRADES)), None)
    return Code(
        scale=scale,
        code=name,
        label=own[0].label,
        meaning=Meaning.GRADE if other is None else Meaning(other),
        grades=grades if other is None else (),
        is_lossy=any(edge.is_lossy for edge in read),
    )


def code_of(scale: Scale, value: object) -> Code | None:
    """The code that a value of a file is: a number (3, 3.0, "3") or a label, in any letter case.

    None where the scale knows no such code. A missing value is no code and must not come here.
    """
    return _by_word(scale).get(_word(value))


@cache
def _by_word(scale: Scale) -> dict[str, Code]:
    known: dict[str, Code] = {}
    for code in codes_of(scale):
        for word in (code.code, code.label, f"{_EMS98_WORD}{code.code}"):
            known.setdefault(_word(word), code)
    return known


def _word(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = " ".join(str(value).split()).casefold()
    return text.removesuffix(".0") if text.removesuffix(".0").lstrip("-").isdigit() else text


def codes_for(scale: Scale, ours: Grade | Meaning) -> tuple[Code, ...]:
    """The codes that a grade, or one of the things that are no grade, may be written as.

    Several where the scale cuts elsewhere, none where it has no such class.
    """
    if scale is Scale.OURS:
        return tuple(code for code in codes_of(scale) if code.code == ours.value)
    names = [
        edge.code
        for edge in edges()
        if edge.scale is scale and edge.ours == ours.value and edge.direction != "read"
    ]
    return tuple(code for code in codes_of(scale) if code.code in names)


def classes_in(scale: Scale) -> tuple[ScaleClass, ...]:
    """What a scale can tell apart: our grades in order, together where their codes are the same."""
    together: dict[tuple[str, ...], list[Grade]] = {}
    for grade in GRADES:
        codes = tuple(code.code for code in codes_for(scale, grade))
        together.setdefault(codes or (grade.value,), []).append(grade)
    found = []
    for grades in together.values():
        codes_here = codes_for(scale, grades[0])
        label = " or ".join(code.label for code in codes_here)
        found.append(
            ScaleClass(
                label=label or f"{grades[0].value} (no class in {scale.value})",
                grades=tuple(grades),
                codes=codes_here,
            )
        )
    return tuple(found)
