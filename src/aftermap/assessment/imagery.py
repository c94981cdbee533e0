"""The kind of picture that saw a building -> how far its grade can be believed.

What a kind is worth was measured on the twin, where grades are known: heights and pictures out of
slanting and moving cameras are coarser, have more gaps, and are wrong more often than the model
knows. So probabilities are flattened by one temperature for each kind (Guo et al. 2017, with
probabilities for logits): the grade stays, its confidence falls. They are fitted on styles of
district that the model had not seen, as a real city is. The temperatures and the counts behind
them are in imagery.json, which benchmarks/graded_footage.py writes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.assessment import Imagery, Reason, ReasonSide

LEAST_CHANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """What the twin shows of one kind of imagery.

    ``temperature`` is 1 or more; the higher, the less a grade is believed. Of ``buildings`` that
    were graded, ``right_fraction`` were graded right.
    """

    temperature: float
    buildings: int
    right_fraction: float


@cache
def reliabilities() -> dict[Imagery, Reliability]:
    """What is shipped, by the kind of imagery."""
    path = Path(__file__).with_name("imagery.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    return {Imagery(kind): Reliability(**one) for kind, one in document["kinds"].items()}


def flattened_by_imagery(probabilities: Array, kinds: Sequence[Imagery | None]) -> Array:
    """(N, 5) probabilities as far as each building's imagery bears them out.

    A kind that is not known leaves them as they are.
    """
    temperature = [1.0 if kind is None else reliabilities()[kind].temperature for kind in kinds]
    return flattened(probabilities, np.array(temperature))


def flattened(probabilities: Array, temperature: Array | float) -> Array:
    """(N, K) probabilities to the power of 1 / ``temperature`` (N,), summing to one again.

    The order within a row stays. At 1 they stay as they are.
    """
    power = np.broadcast_to(1 / np.asarray(temperature, float), len(probabilities))[:, None]
    raised = np.where(power == 1, probabilities, np.maximum(probabilities, LEAST_CHANCE) ** power)
    return np.asarray(raised / raised.sum(1, keepdims=True))


def note_on(kind: Imagery | None) -> tuple[Reason, ...]:
    """What is told beside a grade that rests on a worse kind than photographs from above."""
    if kind is None or kind is Imagery.NADIR_PHOTOGRAPHS:
        return ()
    known = reliabilities()[kind]
    text = (
        f"graded from {kind.words}: on practice districts of a style that the model had not seen, "
        f"{100 * known.right_fraction:.0f} % of {known.buildings} such grades were correct"
    )
    return (Reason(text=text, side=ReasonSide.NOTE),)
