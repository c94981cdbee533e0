"""The datum transformation that coordinates went through, and how accurate it is."""

import math
from dataclasses import dataclass

UNKNOWN_SIGMA_M = 200.0
"""Of a transformation whose accuracy nobody states: as much as old datums lie apart."""


@dataclass(frozen=True, kw_only=True)
class DatumTransformation:
    """How given coordinates came into the CRS of the map, where the datums differ.

    ``what`` names the input, ``name`` the coordinate operation, ``code`` its code where it has one.
    ``accuracy_m`` is the operation's stated accuracy in position: a horizontal distance, taken as
    one standard deviation, the same for all coordinates of the input; None where none is stated.
    ``area`` is where the operation is meant to be used.
    """

    what: str
    from_crs: str
    to_crs: str
    name: str
    code: str | None
    accuracy_m: float | None
    area: str

    @property
    def wide_sigma_m(self) -> float:
        """One sigma of each horizontal axis: wide where the accuracy is not known, never 0."""
        known = UNKNOWN_SIGMA_M if self.accuracy_m is None else self.accuracy_m
        return known / math.sqrt(2)

    def __str__(self) -> str:
        code = f", {self.code}" if self.code else ""
        accuracy = "accuracy not known"
        if self.accuracy_m is not None:
            accuracy = f"accuracy {self.accuracy_m:g} m"
        return (
            f"{self.what}: transformed from {self.from_crs} to {self.to_crs} with {self.name}"
            f"{code}, {accuracy}"
        )
