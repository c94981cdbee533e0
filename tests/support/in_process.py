"""The executor of tests: it works where it is called."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any


class InProcess:
    """Does each item when its result is asked for, in order, in this process."""

    def map(self, work: Callable[[Any], Any], items: Sequence[Any], *, label: str) -> Iterator[Any]:
        return map(work, items)
