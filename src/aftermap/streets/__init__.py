"""The surface and the lines of streets -> how wide a way is left, every ten metres."""

from aftermap.streets.lines import street_lines_in
from aftermap.streets.trafficability import passable

__all__ = ["passable", "street_lines_in"]
