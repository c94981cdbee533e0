"""Natural Earth's countries -> ``src/aftermap/geo/countries.json``, by which areas of use are told.

Take "Admin 0 - Countries" at 1:110 million (naturalearthdata.com, public domain). Run it as
``python benchmarks/country_outlines.py ne_110m_admin_0_countries.shp``.
"""

import json
import sys
from pathlib import Path

import pyogrio
import shapely

OUT = Path(__file__).parents[1] / "src" / "aftermap" / "geo" / "countries.json"
SOURCE = (
    "Natural Earth 1:110m, public domain (naturalearthdata.com); corners in tenths of a degree, "
    "longitude and latitude in turn"
)
THINNED_DEG = 0.12
OTHER_NAMES = {
    "Bosnia and Herz.": "Bosnia",
    "Central African Rep.": "Central African Republic",
    "Croatia": "Croatia|Yugoslavia",
    "Czechia": "Czechia|Czech|Czechoslovakia",
    "Côte d'Ivoire": "Ivory Coast|Côte d'Ivoire",
    "Dem. Rep. Congo": "Congo|Zaire",
    "Dominican Rep.": "Dominican Republic",
    "Eq. Guinea": "Equatorial Guinea",
    "Falkland Is.": "Falkland",
    "Fr. S. Antarctic Lands": "Antarctic",
    "Greenland": "Greenland|Denmark",
    "Kosovo": "Kosovo|Serbia|Yugoslavia",
    "Laos": "Laos|Lao",
    "Macedonia": "North Macedonia|Yugoslavia",
    "Montenegro": "Montenegro|Yugoslavia",
    "Myanmar": "Myanmar|Burma",
    "N. Cyprus": "Cyprus",
    "North Korea": "North Korea|Korea",
    "North Macedonia": "North Macedonia|Yugoslavia",
    "Palestine": "Palestine|Israel",
    "Russia": "Russia|Russian",
    "S. Sudan": "South Sudan|Sudan",
    "Serbia": "Serbia|Yugoslavia",
    "Slovakia": "Slovakia|Czechoslovakia",
    "Slovenia": "Slovenia|Yugoslavia",
    "Solomon Is.": "Solomon Islands",
    "Somaliland": "Somalia",
    "South Korea": "South Korea|Korea",
    "Syria": "Syria|Syrian",
    "Turkey": "Turkey|Türkiye",
    "United States of America": "United States|USA",
    "W. Sahara": "Western Sahara|Morocco",
    "eSwatini": "Eswatini|Swaziland",
}
"""As EPSG's areas of use call them, where that is another name."""


def main(path: Path) -> None:
    """Write the outlines, thinned and rounded."""
    meta, _, shapes, columns = pyogrio.raw.read(path)
    fields = [str(name).casefold() for name in meta["fields"]]
    names = [str(name) for name in columns[fields.index("name")]]
    found = []
    for name, shape in zip(names, shapely.from_wkb(shapes), strict=True):
        if name == "Antarctica":
            continue
        parts = shapely.get_parts(shapely.simplify(shape, THINNED_DEG))
        rings = [
            [round(10 * value) for value in shapely.get_coordinates(part.exterior).ravel()]
            for part in parts
            if part.area > 0
        ]
        found.append({"names": OTHER_NAMES.get(name, name).split("|"), "rings": rings})
    found.sort(key=lambda one: (str(one["names"]), str(one["rings"])))
    lines = ",\n".join(json.dumps(o, separators=(",", ":"), ensure_ascii=False) for o in found)
    text = f'{{"source":{json.dumps(SOURCE)},"countries":[\n{lines}\n]}}\n'
    OUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
