"""Sightings -> the forms in which they are given out: a table to read, JSON, GeoJSON."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.model.sighting import Sighting, time_code
from aftermap.record.geopackage import GeoPackage
from aftermap.record.sighting_queries import footprints_of, sightings_crs

_HEADINGS = (
    "clip",
    "from - to",
    "best",
    "gsd cm",
    "off-nadir",
    "seen from",
    "occluded",
    "CE90",
    "precision",
    "source",
)
_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def sightings_table(found: Sequence[Sighting]) -> str:
    """One line for each sighting below a line of headings, in columns."""
    rows = [_HEADINGS, *(_cells_of(one) for one in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    if any(one.source == "telemetry" for one in found):
        lines.append(
            'source "telemetry": located from recorded telemetry only; such a clip does not '
            "identify a building, only the area within the CE90 radius"
        )
    return "\n".join(lines)


def sighting_json(one: Sighting) -> dict[str, Any]:
    """A sighting in JSON: its fields by name, None as null, a rank that is not known as null."""
    plain = {**asdict(one), "precision": one.precision.value}
    plain["rank_m"] = one.rank_m if math.isfinite(one.rank_m) else None
    return plain


def sighting_json_with_codes(one: Sighting) -> dict[str, Any]:
    """As :func:`sighting_json`, with its times as time codes as well."""
    codes = {
        f"{name}_code": None if time_s is None else time_code(time_s)
        for name, time_s in (("from", one.from_s), ("to", one.to_s), ("best", one.best_s))
    }
    return {**sighting_json(one), **codes}


def sightings_geojson(package: GeoPackage, found: Sequence[Sighting]) -> dict[str, Any]:
    """The sightings as features: the image footprint at each best time, where it is known."""
    crs = sightings_crs(package)
    rings = footprints_of(package, [one.segment for one in found if one.segment is not None])
    features = []
    for one in found:
        geometry = None
        if crs is not None and one.segment in rings:
            ring = transformed_xy(crs, WGS84, rings[one.segment])
            corners = [[round(float(lon), 7), round(float(lat), 7)] for lon, lat in ring]
            geometry = {"type": "Polygon", "coordinates": [corners]}
        features.append({"type": "Feature", "geometry": geometry, "properties": sighting_json(one)})
    return {"type": "FeatureCollection", "features": features}


def _cells_of(one: Sighting) -> tuple[str, ...]:
    stretch = best = "-"
    if one.from_s is not None and one.to_s is not None and one.best_s is not None:
        stretch = f"{time_code(one.from_s)} - {time_code(one.to_s)}"
        best = time_code(one.best_s)
    sample_cm = None if one.ground_sample_m is None else one.ground_sample_m * 100
    occluded = "?"
    if one.framed_fraction == 0:
        occluded = "at edge"
    elif one.occluded_fraction is not None:
        occluded = f"{one.occluded_fraction:.0%}"
    azimuth = one.azimuth_deg
    return (
        one.clip_name,
        stretch,
        best,
        "?" if sample_cm is None else f"{sample_cm:.1f}",
        "?" if one.off_nadir_deg is None else f"{one.off_nadir_deg:.0f}°",
        "?" if azimuth is None else f"{_COMPASS[round(azimuth / 45) % 8]} {azimuth:.0f}°",
        occluded,
        "?" if one.ce90_m is None else f"{max(1, math.ceil(one.ce90_m))} m",
        one.precision.value if one.ce90_m is not None else "?",
        one.source,
    )
