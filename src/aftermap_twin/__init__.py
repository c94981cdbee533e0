"""A synthetic district of a city at war whose truth is known."""

from aftermap.model.assessment import Grade
from aftermap_twin.clip_options import ClipOptions
from aftermap_twin.making import make
from aftermap_twin.options import Flight, TwinOptions, TwinSummary

__all__ = ["ClipOptions", "Flight", "Grade", "TwinOptions", "TwinSummary", "make"]
