"""A spot, a polygon or a building -> the footage of a case that shows it, the best first.

``aftermap seen`` and the page ask here, and get the same answers. Questions are asked of the
record alone; its queries are in :mod:`aftermap.record.sighting_queries`.
"""

from aftermap.search.forms import (
    sighting_json,
    sighting_json_with_codes,
    sightings_geojson,
    sightings_table,
)
from aftermap.search.in_polygon import ring_in, seen_in_polygon
from aftermap.search.places import seen_at_point, seen_of_building

__all__ = [
    "ring_in",
    "seen_at_point",
    "seen_in_polygon",
    "seen_of_building",
    "sighting_json",
    "sighting_json_with_codes",
    "sightings_geojson",
    "sightings_table",
]
