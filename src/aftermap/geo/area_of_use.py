"""A CRS or an operation and a place -> whether it is made for that place.

EPSG describes an area of use by a box and by the countries in it. The box of Türkiye holds Raqqa,
and so does that of Iraq, so the countries count as well: one of those within ``BORDER_DEG`` of the
place has to be among the ones that the area names. docs/decisions/0019-crs-area-of-use.md.
"""

import functools
import json
import re
from collections.abc import Collection
from importlib import resources
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from aftermap.errors import CrsError
from aftermap.geo.arrays import ObjectArray
from aftermap.geo.great_circle import LonLat

BORDER_DEG = 0.3
"""The outlines of countries are drawn at 1:110 million: to this, about 30 km."""
LONGEST = 120
"""So much of the words of an area of use is shown."""


def check_area_of_use(
    what: str, crs: CRS, name: str, lonlat_deg: LonLat, confirmed: Collection[str]
) -> None:
    """Refuse a CRS that is not made for a place, unless it is ``confirmed`` by its name.

    ``what`` is the input that is in it, ``name`` the CRS as the user calls it.
    Raises CrsError.
    """
    if is_confirmed(crs, name, confirmed):
        return
    why = why_outside(crs.area_of_use, lonlat_deg, is_global=is_of_the_world(crs))
    if why is not None:
        raise CrsError(f"{what}: {name} ({crs.name}) {why}; {advice(name)}")


def advice(name: str) -> str:
    """What to do about a CRS that is not made for the place."""
    return f"name the right CRS, or, if it is right after all, confirm it with --confirm-crs {name}"


def is_confirmed(crs: CRS, name: str, confirmed: Collection[str]) -> bool:
    """Whether the user stands by a CRS: by the name it was given, its code or its own name."""
    authority = crs.to_authority(min_confidence=70)
    own = {name, crs.name} | ({":".join(authority)} if authority else set())
    return bool({one.casefold() for one in own} & {one.casefold() for one in confirmed})


def why_outside(area: Any, lonlat_deg: LonLat, *, is_global: bool) -> str | None:
    """Why a place is not in an area of use, to follow the name of a CRS; None where it is.

    ``area`` is what pyproj knows of it. Of a global datum only the box counts: its UTM zones hold
    everywhere inside.
    """
    if area is None:
        return None
    lon, lat = lonlat_deg
    there = f"and the data are at {lat:.3f}, {lon:.3f}"
    name = area.name or ""
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}..."
    if not _holds(area, lon, lat):
        return f"is made for {short.rstrip('.')}, {there}"
    named = set() if is_global else countries_named(name)
    here = countries_near(lonlat_deg) if named else frozenset()
    if named and here and not named & here:
        return f"is made for {short.rstrip('.')}, {there}, in {' or '.join(sorted(here))}"
    return None


def countries_named(text: str) -> frozenset[str]:
    """The countries that the words of an area of use name, each by its first name."""
    return frozenset(
        names[0] for names, _ in _countries() if any(_is_word(name, text) for name in names)
    )


def countries_near(lonlat_deg: LonLat) -> frozenset[str]:
    """The countries within ``BORDER_DEG`` of a place, each by its first name."""
    place = shapely.Point(lonlat_deg)
    return frozenset(
        names[0] for names, shape in _countries() if shapely.dwithin(shape, place, BORDER_DEG)
    )


def _is_word(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?![\w-])", text) is not None


def _holds(area: Any, lon: float, lat: float) -> bool:
    west, south, east, north = (float(value) for value in area.bounds)
    across = west > east  # over the 180th meridian
    in_width = lon >= west or lon <= east if across else west <= lon <= east
    return in_width and south <= lat <= north


def is_of_the_world(crs: CRS) -> bool:
    """Whether the datum of a CRS is one for the whole globe, such as WGS 84."""
    datum = crs.geodetic_crs
    return datum is None or datum.area_of_use is None or datum.area_of_use.name.startswith("World")


@functools.cache
def _countries() -> tuple[tuple[tuple[str, ...], shapely.MultiPolygon], ...]:
    """Names and outline of every country, in degrees."""
    text = resources.files("aftermap.geo").joinpath("countries.json").read_text(encoding="utf-8")
    found = []
    for one in json.loads(text)["countries"]:
        rings = [np.array(ring, float).reshape(-1, 2) / 10 for ring in one["rings"]]
        parts: ObjectArray = shapely.make_valid(np.array([shapely.Polygon(r) for r in rings]))
        found.append((tuple(one["names"]), shapely.unary_union(parts)))
    return tuple(found)
