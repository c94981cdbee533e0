"""How much of a costly test is done in every run: a share of the examples, the first of the seeds.

The rest is marked ``exhaustive`` and left to ``make test-slow``.
"""

from collections.abc import Iterable

import pytest
from hypothesis import settings


def share_of_examples(share: float) -> settings:
    """The settings of a property each example of which is dear; ``share`` is above 0, below 1."""
    return settings(max_examples=max(2, round(share * settings().max_examples)))


def first_of(values: Iterable[object]) -> list[object]:
    """The values of a parameter of which ``make test`` tries the first alone."""
    first, *others = values
    return [first, *(pytest.param(one, marks=pytest.mark.exhaustive) for one in others)]
