"""A synthetic district of a city at war whose truth is known."""

from aftermap.twin.making import make
from aftermap.twin.options import Flight, Grade, TwinOptions, TwinSummary

__all__ = ["Flight", "Grade", "TwinOptions", "TwinSummary", "make"]
