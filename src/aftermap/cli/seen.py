"""``aftermap seen``: which footage shows a location, at what time, how well and how accurately."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aftermap.cli.options import PATH, debug_option
from aftermap.errors import CaseError, CrsError, InputError

if TYPE_CHECKING:
    from aftermap.model.sighting import Sighting
    from aftermap.record import Case

LIMIT = 20
SPOT_M = 0.5
"""Photographs are searched for a location of this radius."""

LonLat = tuple[float, float]

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


class _LonLat(click.ParamType[LonLat]):
    """``LON,LAT`` in degrees, WGS 84, longitude first."""

    name = "lon,lat"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> LonLat:
        try:
            lon, lat = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not LON,LAT in degrees, such as 39.0087,35.9506", param, ctx)
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            self.fail(f"{value!r} is out of range; give longitude first, then latitude", param, ctx)
        return lon, lat


@click.command("seen")
@click.argument("case", type=PATH)
@click.option("--at", "at", type=_LonLat(), help="Location in degrees, WGS 84, longitude first.")
@click.option("--polygon", type=PATH, help="GeoJSON file with one polygon; its outer ring is used.")
@click.option("--building", help="source_id of an assessed building.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--geojson", "form", flag_value="geojson", help="Print image footprints as GeoJSON.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="Largest number of results.",
)
@debug_option
def seen_command(
    case: Path,
    at: LonLat | None,
    polygon: Path | None,
    building: str | None,
    form: str | None,
    limit: int,
) -> None:
    """Find the footage of CASE that shows a location or a building, the best view first.

    One line per clip section: start and end, best time, GSD, off-nadir angle, viewing direction,
    occluded fraction and positional accuracy (CE90). Writes nothing.
    """
    if sum(given is not None for given in (at, polygon, building)) != 1:
        raise click.UsageError("give exactly one of --at LON,LAT, --polygon FILE and --building ID")
    ring = None if polygon is None else _polygon_in(polygon)

    from aftermap.record import Case  # noqa: PLC0415

    with Case.open_to_read(case) as opened:
        if opened.is_unfinished():
            raise CaseError(f"{case}: has no finished map run; run aftermap map, then search again")
        if building is None:
            found = _found(opened, at, ring, limit)
        else:
            from aftermap.record.seen_buildings import seen_building  # noqa: PLC0415

            found = seen_building(opened.package, building, limit=limit)
        if form == "geojson":
            click.echo(json.dumps(_geojson(opened, found), ensure_ascii=False))
        elif form == "json":
            click.echo(json.dumps([_plain(one) for one in found], ensure_ascii=False, indent=1))
        else:
            click.echo(
                _table(found) if found else "no results: no footage of the case shows this location"
            )


def _found(
    case: "Case", at: LonLat | None, ring: Sequence[LonLat] | None, limit: int
) -> "list[Sighting]":
    from aftermap.record.seen import seen_at, seen_within  # noqa: PLC0415

    try:
        if at is not None:
            found = seen_at(case.package, at, limit=limit)
        else:
            found = seen_within(case.package, ring or (), limit=limit)
        found += _photographs(case, [at] if at is not None else list(ring or ()), limit)
    except CrsError:  # so far away that the case's CRS has no coordinates for it
        return []
    return sorted(found, key=lambda one: one.rank_m)[:limit]


def _photographs(case: "Case", corners: Sequence[LonLat], limit: int) -> "list[Sighting]":
    import numpy as np  # noqa: PLC0415

    from aftermap.geo.crs import WGS84, transformed_xy  # noqa: PLC0415
    from aftermap.geo.level import ground_at_m  # noqa: PLC0415
    from aftermap.record.seen_photographs import (  # noqa: PLC0415
        photographs_crs,
        photographs_of,
    )

    crs = photographs_crs(case.package)
    if crs is None:
        return []
    ring = transformed_xy(WGS84, crs, corners)
    east, north = ring.mean(axis=0)
    ground_m = ground_at_m(case.products / "surface.tif", (float(east), float(north)))
    if len(ring) == 1:
        ring = ring + SPOT_M * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return photographs_of(case.package, ring, ground_m, limit=limit)


def _polygon_in(path: Path) -> list[LonLat]:
    """The outer ring of the one polygon in a GeoJSON file, not closed."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as GeoJSON ({error}); check the file") from (
            error
        )
    shape = _shape_in(data)
    try:
        rings = {"Polygon": shape["coordinates"]}[shape["type"]]
        ring = [(float(corner[0]), float(corner[1])) for corner in rings[0]]
    except (KeyError, IndexError, TypeError, ValueError):
        raise InputError(
            f"{path}: does not contain exactly one polygon; save one polygon as GeoJSON"
        ) from None
    ring = ring[:-1] if ring[:1] == ring[-1:] else ring
    if len(ring) < 3 or not all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in ring):
        raise InputError(
            f"{path}: is not a polygon in degrees; export it in EPSG:4326, longitude before "
            "latitude"
        )
    return ring


def _shape_in(data: Any) -> Mapping[str, Any]:
    """The geometry inside features and collections of one."""
    while isinstance(data, dict):
        inner = data.get("features") or data.get("geometry")
        if inner is None:
            return data
        data = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
    return {}


def _table(found: "Sequence[Sighting]") -> str:
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


def _cells_of(one: "Sighting") -> tuple[str, ...]:
    from aftermap.record.sightings import time_code  # noqa: PLC0415

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


def _plain(one: "Sighting") -> dict[str, Any]:
    """A sighting in JSON: its fields by name, None as null, a rank that is not known as null."""
    from dataclasses import asdict  # noqa: PLC0415

    plain = {**asdict(one), "precision": one.precision.value}
    plain["rank_m"] = one.rank_m if math.isfinite(one.rank_m) else None
    return plain


def _geojson(case: "Case", found: "Sequence[Sighting]") -> dict[str, Any]:
    """The results as features: the image footprint at each best time, where it is known."""
    from aftermap.geo.crs import WGS84, transformed_xy  # noqa: PLC0415
    from aftermap.record.seen import footprints_of, sightings_crs  # noqa: PLC0415

    crs = sightings_crs(case.package)
    rings = footprints_of(case.package, [one.segment for one in found if one.segment is not None])
    features = []
    for one in found:
        geometry = None
        if crs is not None and one.segment in rings:
            ring = transformed_xy(crs, WGS84, rings[one.segment])
            corners = [[round(float(lon), 7), round(float(lat), 7)] for lon, lat in ring]
            geometry = {"type": "Polygon", "coordinates": [corners]}
        features.append({"type": "Feature", "geometry": geometry, "properties": _plain(one)})
    return {"type": "FeatureCollection", "features": features}
