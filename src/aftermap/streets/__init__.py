"""The surface and the lines of streets -> how wide a way is left, every ten metres."""

from aftermap.streets.lines import street_lines_in
from aftermap.streets.trafficability import trafficability_of

__all__ = ["street_lines_in", "trafficability_of"]
